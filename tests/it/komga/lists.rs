//! Collections, read lists, conditions, and what admins write.
use reqwest::Method;
use serde_json::{Value, json};

use super::shape::{collection, faults, read_list};
use super::{Reader, book_ids, each, scanned, scene, series_id, titles};
use crate::comics::described;

#[tokio::test]
async fn collections_are_made_changed_and_taken_away() {
    let (node, reader) = scene().await;
    let (saga, etoile) = (series_id(&reader, "Saga").await, series_id(&reader, "Étoile").await);
    let new = json!({"name": "Best", "ordered": true, "seriesIds": [saga, etoile]});
    let (status, made) = reader.send(Method::POST, "/api/v1/collections", &new).await;
    assert_eq!((status, faults(&collection(), &made, "")), (200, vec![]));
    let path = format!("/api/v1/collections/{}", made["id"].as_str().unwrap());
    assert_eq!(titles(&reader.json(&format!("{path}/series?sort=name,asc")).await), ["Saga", "Étoile"]);
    assert_eq!(reader.json(&format!("/api/v1/series/{saga}/collections")).await[0], made);
    assert_eq!(reader.get(&format!("{path}/thumbnail")).await.headers()["cache-control"], "max-age=3600, private");
    assert_eq!(
        titles(&reader.json(&format!("/api/v1/series?collection_id={}", made["id"].as_str().unwrap())).await),
        ["Étoile", "Saga"]
    );
    for wrong in [
        json!({"name": "best", "ordered": true, "seriesIds": [saga]}),
        json!({"name": "", "seriesIds": [saga]}),
        json!({"name": "x", "seriesIds": []}),
        json!({"name": "x", "seriesIds": [saga, saga]}),
        json!({"name": "x", "seriesIds": ["nothing"]}),
        json!({"seriesIds": [saga]}),
    ] {
        assert_eq!(reader.send(Method::POST, "/api/v1/collections", &wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"ordered": false})).await.0, 204);
    assert_eq!(titles(&reader.json(&format!("{path}/series")).await), ["Étoile", "Saga"]);
    assert_eq!(each(&reader.json("/api/v1/collections?search=BES").await, "/name"), ["Best"]);
    assert_eq!(each(&reader.json("/api/v1/collections?search=other").await, "/name"), Vec::<String>::new());
    assert_eq!(reader.call(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(reader.status(&path).await, 404);
    node.stop().await;
}

#[tokio::test]
async fn read_lists_go_across_series_and_are_tracked_by_place() {
    let (node, reader) = scene().await;
    let saga = book_ids(&reader, &series_id(&reader, "Saga").await).await;
    let etoile = book_ids(&reader, &series_id(&reader, "Étoile").await).await;
    let ids = [&saga[1], &etoile[0], &saga[0]];
    let new = json!({"name": "Order", "summary": "As it happened.", "ordered": true, "bookIds": ids});
    let (status, made) = reader.send(Method::POST, "/api/v1/readlists", &new).await;
    assert_eq!((status, faults(&read_list(), &made, ""), &made["bookIds"]), (200, vec![], &json!(ids)));
    let path = format!("/api/v1/readlists/{}", made["id"].as_str().unwrap());
    let books = reader.json(&format!("{path}/books?unpaged=true&media_status=READY&deleted=false")).await;
    assert_eq!(json!(each(&books, "/id")), json!(ids));
    assert_eq!(reader.json(&format!("{path}/books/{}/next", ids[0])).await["id"], ids[1].as_str());
    assert_eq!(reader.status(&format!("{path}/books/{}/next", ids[2])).await, 404);
    assert_eq!(reader.json(&format!("/api/v1/books/{}/readlists", ids[0])).await[0], made);

    let track = format!("{path}/read-progress/tachiyomi");
    let progress = || async {
        let told: Value = reader.bare(Method::GET, &track).send().await.unwrap().json().await.unwrap();
        ["booksCount", "booksReadCount", "booksUnreadCount", "lastReadContinuousIndex"]
            .map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(progress().await, [3, 0, 3, 0]);
    assert_eq!(reader.send(Method::PUT, &track, &json!({"lastBookRead": 2})).await.0, 204);
    assert_eq!(progress().await, [3, 2, 1, 2]);
    assert_eq!(reader.send(Method::PUT, &track, &json!({"lastBookRead": -1})).await.0, 400);
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"name": "Another", "bookIds": [ids[2]]})).await.0, 204);
    assert_eq!(progress().await, [1, 0, 1, 0]);
    assert_eq!(each(&reader.json("/api/v1/readlists?search=&sort=name,asc").await, "/name"), ["Another"]);
    node.stop().await;
}

async fn found(reader: &Reader, condition: Value) -> (u16, Vec<String>) {
    let (status, page) = reader
        .send(Method::POST, "/api/v1/series/list?sort=metadata.titleSort,asc", &json!({"condition": condition}))
        .await;
    (status, if status == 200 { titles(&page) } else { Vec::new() })
}

#[tokio::test]
async fn conditions_find_what_they_say() {
    let (node, reader) = scene().await;
    let is = |value: &str| json!({"operator": "is", "value": value});
    for (condition, wanted) in [
        (json!({}), vec!["Alone", "Étoile", "Saga"]),
        (json!({"allOf": []}), vec!["Alone", "Étoile", "Saga"]),
        (json!({"genre": is("drama")}), vec!["Étoile"]),
        (json!({"genre": {"operator": "isNull"}}), vec!["Alone", "Saga"]),
        (json!({"genre": {"operator": "isNot", "value": "DRAMA"}}), vec!["Alone", "Saga"]),
        (json!({"title": {"operator": "beginsWith", "value": "sa"}}), vec!["Saga"]),
        (json!({"title": {"operator": "endsWith", "value": "OILE"}}), vec!["Étoile"]),
        (
            json!({"anyOf": [{"oneShot": {"operator": "isTrue"}}, {"author": {"operator": "is", "value": {"name": "ann"}}}]}),
            vec!["Alone", "Étoile"],
        ),
        (
            json!({"allOf": [{"readStatus": is("UNREAD")}, {"deleted": {"operator": "isFalse"}}, {"tag": is("blue")}]}),
            vec!["Étoile"],
        ),
        (json!({"releaseDate": {"operator": "after", "dateTime": "2012-03-01T00:00:00Z"}}), vec!["Étoile"]),
        (json!({"ageRating": {"operator": "isNotNull"}}), vec![]),
        (json!({"seriesStatus": is("ONGOING")}), vec!["Alone", "Étoile", "Saga"]),
    ] {
        assert_eq!(
            found(&reader, condition.clone()).await,
            (200, wanted.into_iter().map(str::to_owned).collect()),
            "{condition}"
        );
    }
    assert_eq!(found(&reader, json!({"shoeSize": is("43")})).await.0, 400);
    let body =
        json!({"fullTextSearch": "saga", "condition": {"numberSort": {"operator": "greaterThan", "value": 1.5}}});
    let (_, page) = reader.send(Method::POST, "/api/v1/books/list", &body).await;
    assert_eq!(each(&page, "/metadata/number"), ["2", "10.5"]);
    node.stop().await;
}

#[tokio::test]
async fn what_an_admin_writes_is_shown_and_found_and_a_lock_is_told() {
    let (node, reader) = scene().await;
    let id = series_id(&reader, "Saga").await;
    let path = format!("/api/v1/series/{id}");
    let body = json!({"title": "Zebra", "titleLock": true, "genres": ["Western"], "ageRating": 16, "status": "ENDED",
        "readingDirection": "WEBTOON", "alternateTitles": [{"label": "fr", "title": "Zèbre rayé"}], "publisher": "Hoof"});
    assert_eq!(reader.send(Method::PATCH, &format!("{path}/metadata"), &body).await.0, 204);
    let told = reader.json(&path).await["metadata"].clone();
    assert_eq!((&told["title"], &told["titleLock"], &told["ageRating"]), (&"Zebra".into(), &true.into(), &16.into()));
    assert_eq!((&told["status"], &told["readingDirection"]), (&"ENDED".into(), &"WEBTOON".into()));
    assert_eq!(titles(&reader.json("/api/v1/series?genre=western").await), ["Zebra"]);
    assert_eq!(titles(&reader.json("/api/v1/series?search=zebre+raye").await), ["Zebra"]);
    assert_eq!(titles(&reader.json("/api/v1/series?age_rating=16").await), ["Zebra"]);
    assert_eq!(titles(&reader.json("/api/v1/series?sort=metadata.titleSort,asc").await), ["Alone", "Étoile", "Zebra"]);
    assert_eq!(reader.send(Method::PATCH, &format!("{path}/metadata"), &json!({"ageRating": null})).await.0, 204);
    assert!(reader.json(&path).await["metadata"]["ageRating"].is_null());
    let book = book_ids(&reader, &id).await.remove(0);
    let body = json!({"title": "Dawn", "numberSort": 20.5, "releaseDate": "2020-02-29", "authors": [{"name": "Eve", "role": "writer"}], "tags": ["red"]});
    assert_eq!(reader.send(Method::PATCH, &format!("/api/v1/books/{book}/metadata"), &body).await.0, 204);
    let books = reader.json(&format!("{path}/books")).await;
    assert_eq!(titles(&books).last().map(String::as_str), Some("Dawn"), "it sorts by its new number");
    assert_eq!(titles(&reader.json("/api/v1/series?author=eve,writer&tag=red").await), ["Zebra"]);
    assert_eq!(
        reader
            .send(Method::PATCH, &format!("/api/v1/books/{book}/metadata"), &json!({"releaseDate": "2021-02-30"}))
            .await
            .0,
        400
    );
    node.stop().await;
}

#[tokio::test]
async fn a_locked_title_outlives_new_tags_of_its_file_and_an_open_one_does_not() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Étoile").await;
    let book = book_ids(&reader, &series).await.remove(0);
    for (path, body) in [
        (format!("/api/v1/series/{series}/metadata"), json!({"title": "Mine", "titleLock": true, "publisher": "Open"})),
        (format!("/api/v1/books/{book}/metadata"), json!({"title": "Mine too", "titleLock": true, "summary": "Open"})),
    ] {
        assert_eq!(reader.send(Method::PATCH, &path, &body).await.0, 204);
    }
    let library = reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned();
    let place = node.data().with_file_name("comics").join("Etoile/Etoile 1.cbz");
    let tags = "<Series>New</Series><Title>New</Title><Summary>New.</Summary><Publisher>New Press</Publisher><Number>1</Number>";
    std::fs::write(place, described(4, tags)).unwrap();
    let mut events = node.node().events();
    let ada = node.signed_in("ada").await;
    ada.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap();
    scanned(&mut events, &library).await;
    let told = reader.json(&format!("/api/v1/series/{series}")).await["metadata"].clone();
    assert_eq!((&told["title"], &told["publisher"]), (&"Mine".into(), &"New Press".into()));
    let told = reader.json(&format!("/api/v1/books/{book}")).await["metadata"].clone();
    assert_eq!((&told["title"], &told["summary"]), (&"Mine too".into(), &"New.".into()));
    node.stop().await;
}

#[tokio::test]
async fn a_book_that_is_gone_is_in_the_trash_and_keeps_its_id() {
    let (node, reader) = scene().await;
    let alone = series_id(&reader, "Alone").await;
    let library = reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned();
    std::fs::remove_file(node.data().with_file_name("comics").join("Alone.cbz")).unwrap();
    let mut events = node.node().events();
    let ada = node.signed_in("ada").await;
    ada.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap();
    scanned(&mut events, &library).await;
    assert_eq!(titles(&reader.json("/api/v1/series?deleted=false").await), ["Étoile", "Saga"]);
    assert_eq!(titles(&reader.json("/api/v1/series?deleted=true").await), ["Alone"]);
    assert_eq!(titles(&reader.json("/api/v1/series").await), ["Alone", "Étoile", "Saga"]);
    assert_eq!(reader.json(&format!("/api/v1/series/{alone}")).await["deleted"], true);
    node.stop().await;
}
