//! A day with Mihon: its filters, browsing, a series, its chapters, pages, and the tracker that has the cookie alone.
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::shape::{faults, progress};
use super::{Reader, book_ids, each, scene, series_id, titles};
use crate::comics::page;

#[tokio::test]
async fn filters_are_loaded_in_one_go() {
    let (node, reader) = scene().await;
    let libraries = reader.json("/api/v1/libraries").await;
    assert_eq!(libraries.as_array().unwrap().len(), 1, "films are no library of Komga's");
    assert_eq!(libraries[0]["name"], "Comics");
    assert_eq!(reader.json("/api/v1/collections?unpaged=true").await["totalElements"], 0);
    assert_eq!(reader.json("/api/v1/genres").await, json!(["Drama", "Space Opera"]));
    assert_eq!(reader.json("/api/v1/tags").await, json!(["blue"]));
    assert_eq!(reader.json("/api/v1/publishers").await, json!(["Star Press"]));
    let authors = reader.json("/api/v1/authors").await;
    assert!(authors.as_array().unwrap().contains(&json!({"name": "Jane Doe", "role": "writer"})), "{authors}");
    node.stop().await;
}

#[tokio::test]
async fn browsing_sorts_filters_and_searches() {
    let (node, reader) = scene().await;
    let id = reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned();
    let all = vec!["Alone", "Étoile", "Saga"];
    for (query, wanted) in [
        ("sort=metadata.titleSort,asc".to_owned(), all.clone()),
        ("sort=metadata.titleSort,desc".to_owned(), vec!["Saga", "Étoile", "Alone"]),
        ("sort=relevance,asc".to_owned(), all.clone()),
        ("sort=nonsense,asc".to_owned(), all.clone()),
        (format!("library_id={id},x"), all.clone()),
        (format!("library_id={id}&library_id=x"), all.clone()),
        ("library_id=x".to_owned(), vec![]),
        ("genre=space+opera".to_owned(), vec!["Étoile"]),
        ("genre=space%20opera,nothing".to_owned(), vec!["Étoile"]),
        ("tag=BLUE".to_owned(), vec!["Étoile"]),
        ("publisher=star%20press".to_owned(), vec!["Étoile"]),
        ("language=fr".to_owned(), vec!["Étoile"]),
        ("author=Jane%20Doe,writer".to_owned(), vec!["Étoile"]),
        ("author=Jane%20Doe,penciller&author=Ann,penciller".to_owned(), vec!["Étoile"]),
        ("author=Jane%20Doe,penciller".to_owned(), vec![]),
        ("status=ONGOING,ENDED".to_owned(), all.clone()),
        ("status=HIATUS".to_owned(), vec![]),
        ("read_status=UNREAD&read_status=IN_PROGRESS".to_owned(), all.clone()),
        ("read_status=READ".to_owned(), vec![]),
        ("release_year=2012".to_owned(), vec!["Étoile"]),
        ("oneshot=true".to_owned(), vec!["Alone"]),
        ("search=etoi".to_owned(), vec!["Étoile"]),
        ("search=TOIL".to_owned(), vec!["Étoile"]),
        ("search=genre:drama".to_owned(), vec!["Étoile"]),
        ("search=%22%29%28*".to_owned(), vec![]),
        ("deleted=true".to_owned(), vec![]),
    ] {
        let page = reader.json(&format!("/api/v1/series?search=&page=0&deleted=false&{query}")).await;
        let query_of_two = query.starts_with("search=") || query.starts_with("deleted=");
        let page = if query_of_two { reader.json(&format!("/api/v1/series?{query}")).await } else { page };
        assert_eq!(titles(&page), wanted, "{query}");
    }
    let latest = reader.json("/api/v1/series?search=&page=0&deleted=false&sort=lastModifiedDate,desc").await;
    assert_eq!(latest["totalElements"], 3);
    let second = reader.json("/api/v1/series?page=1&size=2").await;
    assert_eq!(
        (titles(&second), &second["last"], &second["totalPages"]),
        (vec!["Saga".into()], &true.into(), &2.into())
    );
    assert_eq!(titles(&reader.json("/api/v1/books?search=saga&sort=name,asc&deleted=false").await).len(), 3);
    node.stop().await;
}

#[tokio::test]
async fn a_series_and_its_chapters_are_told_whole() {
    let (node, reader) = scene().await;
    let id = series_id(&reader, "Étoile").await;
    let series = reader.json(&format!("/api/v1/series/{id}")).await;
    assert_eq!(
        (&series["name"], &series["booksCount"], &series["booksUnreadCount"]),
        (&"Etoile".into(), &2.into(), &2.into())
    );
    let metadata = &series["metadata"];
    assert_eq!(
        (&metadata["readingDirection"], &metadata["publisher"]),
        (&"RIGHT_TO_LEFT".into(), &"Star Press".into())
    );
    assert_eq!(
        (&series["booksMetadata"]["releaseDate"], &series["booksMetadata"]["summary"]),
        (&"2012-03-04".into(), &"Far away.".into())
    );
    assert_eq!((&series["oneshot"], &series["deleted"]), (&false.into(), &false.into()));

    let saga = series_id(&reader, "Saga").await;
    let books =
        reader.json(&format!("/api/v1/series/{saga}/books?unpaged=true&media_status=READY&deleted=false")).await;
    let told: Vec<(u64, f64, &str)> = books["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|book| {
            (
                book["number"].as_u64().unwrap(),
                book["metadata"]["numberSort"].as_f64().unwrap(),
                book["metadata"]["number"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(1, 1.0, "1"), (2, 2.0, "2"), (3, 10.5, "10.5")]);
    let first = &books["content"][0];
    assert_eq!(
        (&first["media"]["mediaType"], &first["media"]["mediaProfile"], &first["media"]["pagesCount"]),
        (&"application/zip".into(), &"DIVINA".into(), &3.into())
    );
    assert_eq!(
        (&first["name"], &first["seriesTitle"], &first["seriesId"]),
        (&"Saga 1".into(), &"Saga".into(), &saga.as_str().into())
    );
    let alone = series_id(&reader, "Alone").await;
    assert_eq!(reader.json(&format!("/api/v1/series/{alone}")).await["oneshot"], true);
    node.stop().await;
}

#[tokio::test]
async fn books_stand_beside_each_other() {
    let (node, reader) = scene().await;
    let books = book_ids(&reader, &series_id(&reader, "Saga").await).await;
    let beside = |book: &str, word: &str| format!("/api/v1/books/{book}/{word}");
    assert_eq!(reader.json(&beside(&books[0], "next")).await["id"], books[1].as_str());
    assert_eq!(reader.json(&beside(&books[2], "previous")).await["id"], books[1].as_str());
    assert_eq!(reader.status(&beside(&books[0], "previous")).await, 404);
    assert_eq!(reader.status(&beside(&books[2], "next")).await, 404);
    node.stop().await;
}

#[tokio::test]
async fn pages_are_sent_as_they_are_and_reading_them_marks_nothing() {
    let (node, reader) = scene().await;
    let book = book_ids(&reader, &series_id(&reader, "Saga").await).await.remove(0);
    let base = format!("/api/v1/books/{book}/pages");
    let pages = reader.json(&base).await;
    assert_eq!(
        (&pages[0]["number"], &pages[0]["fileName"], &pages[0]["mediaType"]),
        (&1.into(), &"1.jpg".into(), &"image/jpeg".into())
    );
    let answer = reader.get(&format!("{base}/1")).await;
    assert_eq!(
        (&answer.headers()["content-type"], &answer.headers()["content-disposition"]),
        (&"image/jpeg".parse().unwrap(), &"inline".parse().unwrap())
    );
    let (tag, at) = (answer.headers()["etag"].clone(), answer.headers()["last-modified"].clone());
    assert_eq!(answer.bytes().await.unwrap(), page(1));
    for (name, value) in [("if-none-match", tag), ("if-modified-since", at)] {
        let again = reader.call(Method::GET, &format!("{base}/1")).header(name, value).send().await.unwrap();
        assert_eq!(again.status(), 304, "{name}");
    }
    assert_eq!(reader.get(&format!("{base}/0?zero_based=true")).await.bytes().await.unwrap(), page(1));
    assert_eq!(reader.get(&format!("{base}/1/raw")).await.bytes().await.unwrap(), page(1));
    assert_eq!(
        reader.get(&format!("{base}/1?convert=jpeg&contentNegotiation=false")).await.bytes().await.unwrap(),
        page(1)
    );
    let png = reader.get(&format!("{base}/1?convert=png")).await;
    assert_eq!(png.headers()["content-type"], "image/png");
    for (wrong, status) in [
        ("0", 400),
        ("-1", 400),
        ("4", 400),
        ("x", 400),
        ("99999999999999999999", 400),
        ("3?zero_based=true", 400),
        ("1?convert=webp", 400),
    ] {
        assert_eq!(reader.status(&format!("{base}/{wrong}")).await, status, "{wrong}");
    }
    let file = reader
        .call(Method::GET, &format!("/api/v1/books/{book}/file"))
        .header("range", "bytes=0-3")
        .send()
        .await
        .unwrap();
    assert_eq!((file.status().as_u16(), file.headers()["content-type"].to_str().unwrap()), (206, "application/zip"));
    assert!(file.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"Saga 1.cbz\""));
    assert_eq!(file.bytes().await.unwrap(), &b"PK\x03\x04"[..]);
    assert!(reader.json(&format!("/api/v1/books/{book}")).await["readProgress"].is_null());
    node.stop().await;
}

#[tokio::test]
async fn covers_are_small_jpegs() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Saga").await;
    let book = book_ids(&reader, &series).await.remove(0);
    for path in [
        format!("series/{series}/thumbnail"),
        format!("books/{book}/thumbnail"),
        format!("books/{book}/pages/1/thumbnail"),
    ] {
        let answer = reader.get(&format!("/api/v1/{path}")).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
            (200, "image/jpeg"),
            "{path}"
        );
        let tag = answer.headers()["etag"].clone();
        let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
        assert!(picture.width().max(picture.height()) <= 300);
        let again =
            reader.call(Method::GET, &format!("/api/v1/{path}")).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
    }
    node.stop().await;
}

/// With the cookie that the browsing left, as the tracker does.
async fn tracked(reader: &Reader, path: &str) -> Value {
    let answer = reader.bare(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn track(reader: &Reader, path: &str, body: Value) -> StatusCode {
    reader.bare(Method::PUT, path).json(&body).send().await.unwrap().status()
}

#[tokio::test]
async fn the_tracker_reads_and_writes_with_the_cookie_alone() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Saga").await;
    let books = book_ids(&reader, &series).await;
    let path = format!("/api/v2/series/{series}/read-progress/tachiyomi");
    let counts = |told: &Value| {
        ["booksCount", "booksReadCount", "booksUnreadCount", "booksInProgressCount"]
            .map(|name| told[name].as_u64().unwrap())
    };
    let before = tracked(&reader, &path).await;
    assert_eq!((counts(&before), before["lastReadContinuousNumberSort"].as_f64()), ([3, 0, 3, 0], Some(0.0)));
    assert_eq!(before["maxNumberSort"], 10.5);
    assert_eq!(track(&reader, &path, json!({"lastBookNumberSortRead": 2.0})).await, 204);
    let after = tracked(&reader, &path).await;
    assert_eq!((counts(&after), after["lastReadContinuousNumberSort"].as_f64()), ([3, 2, 1, 0], Some(2.0)));
    assert_eq!(track(&reader, &path, json!({"lastBookNumberSortRead": 1})).await, 204);
    assert_eq!(counts(&tracked(&reader, &path).await), [3, 2, 1, 0], "nothing is ever unread");
    assert_eq!(track(&reader, &path, json!({})).await, 400);
    assert_eq!(tracked(&reader, &format!("/api/v1/series/{series}")).await["booksReadCount"], 2);
    assert_eq!(titles(&tracked(&reader, "/api/v1/series?read_status=IN_PROGRESS").await), ["Saga"]);
    assert_eq!(each(&tracked(&reader, "/api/v1/books/ondeck").await, "/id"), [books[2].clone()]);

    // The page of the node says the same.
    let ada = node.signed_in("ada").await;
    let item: Value = ada.get(&format!("/api/v1/items/{}", books[0])).send().await.unwrap().json().await.unwrap();
    assert_eq!((&item["progress"]["completed"], item["progress"]["position"].as_f64()), (&true.into(), Some(3.0)));
    assert_eq!(track(&reader, &path, json!({"lastBookNumberSortRead": 100.0})).await, 204);
    assert_eq!(titles(&tracked(&reader, "/api/v1/series?read_status=READ").await), ["Saga"]);
    node.stop().await;
}

#[tokio::test]
async fn progress_is_kept_by_page_and_by_series() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Saga").await;
    let book = book_ids(&reader, &series).await.remove(0);
    let path = format!("/api/v1/books/{book}/read-progress");
    for (body, status) in [
        (json!({"page": 2}), 204),
        (json!({"page": 0}), 400),
        (json!({"page": -1}), 400),
        (json!({"page": 4}), 400),
        (json!({}), 400),
        (json!({"completed": false}), 400),
        (json!({"page": "x"}), 400),
        (json!([]), 400),
    ] {
        let (told, problem) = reader.send(Method::PATCH, &path, &body).await;
        assert_eq!(told, status, "{body}");
        assert!(status == 204 || problem["status"] == 400, "{problem}");
    }
    let (_, problem) = reader.send(Method::PATCH, &path, &json!({"page": 0})).await;
    assert_eq!(problem["violations"][0]["fieldName"], "page");
    let told = reader.json(&format!("/api/v1/books/{book}")).await["readProgress"].clone();
    assert_eq!(faults(&progress(), &told, "readProgress"), Vec::<String>::new());
    assert_eq!((&told["page"], &told["completed"]), (&2.into(), &false.into()));
    for body in [json!({"page": 3}), json!({"completed": true})] {
        assert_eq!(reader.send(Method::PATCH, &path, &body).await.0, 204);
        let told = reader.json(&format!("/api/v1/books/{book}")).await["readProgress"].clone();
        assert_eq!((&told["page"], &told["completed"]), (&3.into(), &true.into()));
        assert_eq!(reader.call(Method::DELETE, &path).send().await.unwrap().status(), 204);
        assert!(reader.json(&format!("/api/v1/books/{book}")).await["readProgress"].is_null());
    }
    let all = format!("/api/v1/series/{series}/read-progress");
    for (method, read) in [(Method::POST, 3), (Method::DELETE, 0)] {
        assert_eq!(reader.call(method, &all).send().await.unwrap().status(), 204);
        assert_eq!(reader.json(&format!("/api/v1/series/{series}")).await["booksReadCount"], read);
    }
    node.stop().await;
}

#[tokio::test]
async fn answers_have_tags_and_are_short_for_those_who_unpack_them() {
    let (node, reader) = scene().await;
    let plain = reader.call(Method::GET, "/api/v1/series").header("accept-encoding", "identity").send().await.unwrap();
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert_eq!(plain.headers()["cache-control"], "max-age=0, must-revalidate, private");
    let tag = plain.headers()["etag"].clone();
    let again = reader.call(Method::GET, "/api/v1/series").header("if-none-match", tag.clone()).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));
    let packed = reader.call(Method::GET, "/api/v1/series").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_ne!(packed.headers()["etag"], tag);
    let mut text = String::new();
    let bytes = packed.bytes().await.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*bytes), &mut text).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["totalElements"], 3);
    assert_eq!(reader.call(Method::HEAD, "/api/v1/series").send().await.unwrap().status(), 200);
    node.stop().await;
}
