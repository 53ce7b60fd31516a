//! Odd calls: a correct error in Komga's form, never a failure of the node.
use potluck::facades::komga::covered::NOT_COVERED;
use reqwest::Method;
use serde_json::{Value, json};

use super::{book_ids, scene, series_id};

#[tokio::test]
async fn no_query_breaks_anything() {
    let (node, reader) = scene().await;
    let id = series_id(&reader, "Saga").await;
    let values = [
        "",
        ",",
        "%00",
        "%ff%fe",
        "-1",
        "99999999999999999999",
        "1e400",
        "NaN",
        "'",
        "%22",
        "%27%20OR%201=1--",
        "%25",
        "_",
        "*",
        "((",
        "a:b:c",
        "%F0%9F%92%A9",
        "true",
        "null",
        "READ,UNREAD",
        "%E6%9D%B1%E4%BA%AC",
        "title:",
        "status:%22",
        "..%2F..",
        "P1D",
        "asc",
        ",,desc",
    ];
    let names = [
        "search",
        "page",
        "size",
        "sort",
        "unpaged",
        "library_id",
        "collection_id",
        "status",
        "read_status",
        "media_status",
        "publisher",
        "language",
        "genre",
        "tag",
        "age_rating",
        "release_year",
        "sharing_label",
        "deleted",
        "complete",
        "oneshot",
        "author",
        "released_after",
        "readlist_id",
        "nonsense",
        "author[]",
        "[]",
    ];
    let paths = [
        "/api/v1/series",
        "/api/v1/books",
        "/api/v1/collections",
        "/api/v1/readlists",
        "/api/v1/tags",
        "/api/v2/authors",
    ];
    for path in paths.map(str::to_owned).into_iter().chain([format!("/api/v1/series/{id}/books")]) {
        for name in names {
            for value in values {
                let status = reader.status(&format!("{path}?{name}={value}")).await;
                assert!([200, 400].contains(&status), "{path}?{name}={value}: {status}");
            }
        }
    }
    let long = "a%20".repeat(2000);
    assert!(reader.status(&format!("/api/v1/series?search={long}")).await < 500);
    node.stop().await;
}

#[tokio::test]
async fn ids_that_name_nothing_are_404_in_komgas_form() {
    let (node, reader) = scene().await;
    let nothing = "01890a5d-ac96-774b-bcce-b302099a8057";
    for id in [nothing, "0AZ6AX4FD8A35", "%00", "a%2fb", "ondeck%00", &"a".repeat(3000)] {
        for path in [
            format!("/api/v1/series/{id}"),
            format!("/api/v1/series/{id}/books"),
            format!("/api/v1/series/{id}/thumbnail"),
            format!("/api/v1/books/{id}/pages"),
            format!("/api/v1/books/{id}/pages/1"),
            format!("/api/v1/books/{id}/file"),
            format!("/api/v1/collections/{id}"),
            format!("/api/v1/readlists/{id}/books"),
            format!("/api/v1/libraries/{id}"),
            format!("/api/v2/series/{id}/read-progress/tachiyomi"),
        ] {
            let answer = reader.get(&path).await;
            assert!([400, 404].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        }
    }
    let answer = reader.get(&format!("/api/v1/books/{nothing}")).await;
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["status"], &body["error"]), (&404.into(), &"Not Found".into()));
    assert_eq!(body["path"], format!("/api/v1/books/{nothing}"));
    assert!(body["timestamp"].as_str().unwrap().ends_with("+00:00") && body["message"].is_string());
    // A series is no book, and a book no series.
    let series = series_id(&reader, "Saga").await;
    let book = book_ids(&reader, &series).await.remove(0);
    for path in [
        format!("/api/v1/books/{series}"),
        format!("/api/v1/series/{book}"),
        format!("/api/v1/books/{series}/file"),
        format!("/api/v1/series/{book}/books"),
        format!("/api/v1/books/{series}/pages"),
    ] {
        assert_eq!(reader.status(&path).await, 404, "{path}");
    }
    node.stop().await;
}

#[tokio::test]
async fn bodies_that_are_none_are_400() {
    let (node, reader) = scene().await;
    let id = series_id(&reader, "Saga").await;
    for (method, path) in [
        (Method::POST, "/api/v1/series/list".to_owned()),
        (Method::POST, "/api/v1/books/list".to_owned()),
        (Method::POST, "/api/v1/collections".to_owned()),
        (Method::POST, "/api/v1/readlists".to_owned()),
        (Method::PUT, format!("/api/v2/series/{id}/read-progress/tachiyomi")),
        (Method::PATCH, format!("/api/v1/series/{id}/metadata")),
        (Method::POST, "/api/v2/users/me/api-keys".to_owned()),
    ] {
        for body in [
            "",
            "{",
            "null",
            "[]",
            "\"x\"",
            "{\"condition\": 3, \"title\": 3, \"comment\": 3, \"name\": 3, \"lastBookNumberSortRead\": \"x\"}",
        ] {
            let call = reader.call(method.clone(), &path).header("content-type", "application/json").body(body);
            let answer = call.send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path} {body}");
            assert_eq!(answer.json::<Value>().await.unwrap()["status"], 400);
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn what_is_not_covered_says_so() {
    let (node, reader) = scene().await;
    for (path, reason) in NOT_COVERED {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = reader.call(method, &format!("{path}x/y")).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            assert!(!answer.json::<Value>().await.unwrap()["message"].as_str().unwrap().is_empty(), "{reason}");
        }
        let docs = include_str!("../../../docs/komga.md");
        assert!(docs.contains(reason) && docs.contains(path), "docs/komga.md does not say that {reason}");
    }
    let odd = reader.call(Method::PUT, "/api/v1/series").send().await.unwrap();
    assert_eq!(odd.status(), 405);
    let shown = reader.get(&format!("/series/{}", series_id(&reader, "Saga").await)).await;
    assert_eq!(shown.status(), 200, "links that the app opens show the page");
    for accept in
        ["application/xml", "image/*", "application/opds+json, application/atom+xml;profile=opds-catalog, */*"]
    {
        let answer = reader.call(Method::GET, "/api/v1/series").header("accept", accept).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{accept}");
    }
    node.stop().await;
}
