//! A session of Komelia: the calls it makes from signing in to reading, and what it is told while it listens.
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::shape::{book, faults, page_of, series};
use super::{Reader, book_ids, scanned, scene, series_id};
use crate::comics::comic;
use crate::harness::TestNode;

/// Somebody who listens to events.
pub struct Ear {
    answer: Response,
    text: String,
}

impl Ear {
    /// Once it is connected.
    pub async fn of(reader: &Reader) -> Self {
        let answer = reader.get("/sse/v1/events").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut ear = Self { answer, text: String::new() };
        while !ear.text.contains("hello") {
            assert!(ear.more().await);
        }
        ear
    }

    async fn more(&mut self) -> bool {
        let Some(bytes) = self.answer.chunk().await.unwrap() else { return false };
        self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        true
    }

    /// The next event with its data; `None` when the stream ends.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
            } else if !self.more().await {
                return None;
            }
        }
    }

    /// The data of the next event of this name; others are passed over.
    pub async fn hear(&mut self, name: &str) -> Value {
        loop {
            let (told, data) = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}"));
            if told == name {
                return data;
            }
        }
    }
}

async fn scan(node: &TestNode, library: &str) {
    let mut events = node.node().events();
    let ada = node.signed_in("ada").await;
    ada.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap();
    scanned(&mut events, library).await;
}

async fn library_of(reader: &Reader) -> String {
    reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_of_komelia_signs_in_once_reads_and_hears_of_it() {
    let (node, admin) = scene().await;
    node.account("bob", None).await;
    let reader = Reader::named(&node, "bob");
    let me = reader.get("/api/v2/users/me?remember-me=true").await;
    let cookies: Vec<String> =
        me.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    assert!(
        ["KOMGA-SESSION=", "komga-remember-me="]
            .iter()
            .all(|name| cookies.iter().any(|cookie| cookie.starts_with(name)))
    );
    let me: Value = me.json().await.unwrap();
    // From here on with cookies alone.
    let get = async |path: &str| {
        let answer = reader.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json::<Value>().await.unwrap()
    };
    let find = async |path: &str, body: Value| {
        let answer = reader.bare(Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} {body}");
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(get("/api/v1/libraries").await.as_array().unwrap().len(), 1);
    let answer = reader.bare(Method::GET, "/sse/v1/events").send().await.unwrap();
    let mut ear = Ear { answer, text: String::new() };
    for (path, condition, shape) in [
        (
            "/api/v1/books/list?sort=readProgress.readDate,desc&size=20",
            json!({"allOf": [{"type": "ReadStatus", "readStatus": {"operator": "is", "value": "IN_PROGRESS"}}]}),
            book(),
        ),
        ("/api/v1/books/list?sort=createdDate,desc", json!({}), book()),
        (
            "/api/v1/books/list?sort=metadata.releaseDate,desc",
            json!({"releaseDate": {"operator": "isInTheLast", "duration": "P30D"}}),
            book(),
        ),
        ("/api/v1/series/list?sort=createdDate,desc", json!({"oneShot": {"operator": "isFalse"}}), series()),
        ("/api/v1/series/list?sort=lastModifiedDate,desc", json!({"oneShot": {"operator": "isFalse"}}), series()),
        (
            "/api/v1/series/list?sort=metadata.titleSort,asc",
            json!({"anyOf": [{"poster": {"operator": "is", "value": {"type": "USER_UPLOADED"}}}, {"deleted": {"operator": "isFalse"}}]}),
            series(),
        ),
    ] {
        let page = find(path, json!({"fullTextSearch": null, "condition": condition})).await;
        assert_eq!(faults(&page_of(shape), &page, path), Vec::<String>::new());
    }
    for path in [
        "/api/v1/books/ondeck?library_id=",
        "/api/v1/series/new?oneshot=false&deleted=false",
        "/api/v1/series/updated?oneshot=false&deleted=false",
    ] {
        get(path).await;
    }
    let id = series_id(&admin, "Saga").await;
    let books = book_ids(&admin, &id).await;
    let read = reader.bare(Method::PATCH, &format!("/api/v1/books/{}/read-progress", books[0]));
    assert_eq!(read.json(&json!({"page": 2})).send().await.unwrap().status(), 204);
    assert_eq!(ear.hear("ReadProgressChanged").await, json!({"bookId": books[0], "userId": me["id"]}));
    assert_eq!(ear.hear("ReadProgressSeriesChanged").await, json!({"seriesId": id, "userId": me["id"]}));
    let body = json!({"title": "Zebra", "titleLock": true});
    assert_eq!(admin.send(Method::PATCH, &format!("/api/v1/series/{id}/metadata"), &body).await.0, 204);
    let changed = ear.hear("SeriesChanged").await;
    assert_eq!(changed["seriesId"], id.as_str());
    assert_eq!(get(&format!("/api/v1/series/{id}")).await["metadata"]["title"], "Zebra");
    reader.bare(Method::DELETE, &format!("/api/v1/series/{id}/read-progress")).send().await.unwrap();
    assert_eq!(ear.hear("ReadProgressDeleted").await["bookId"], books[0].as_str());
    assert_eq!(ear.hear("ReadProgressSeriesDeleted").await["seriesId"], id.as_str());
    node.stop().await;
}

#[tokio::test]
async fn what_comes_and_goes_on_disk_is_told_with_its_series() {
    let (node, reader) = scene().await;
    let library = library_of(&reader).await;
    let saga = series_id(&reader, "Saga").await;
    let mut ear = Ear::of(&reader).await;
    let folder = node.data().with_file_name("comics");
    std::fs::write(folder.join("Saga/Saga 11.cbz"), comic(21)).unwrap();
    scan(&node, &library).await;
    assert_eq!(ear.hear("SeriesChanged").await["seriesId"], saga.as_str(), "a series that was there got a book");
    let added = ear.hear("BookAdded").await;
    assert_eq!((&added["seriesId"], &added["libraryId"]), (&json!(saga), &json!(library)));
    std::fs::create_dir(folder.join("New")).unwrap();
    std::fs::write(folder.join("New/New 1.cbz"), comic(22)).unwrap();
    scan(&node, &library).await;
    let new = ear.hear("SeriesAdded").await["seriesId"].clone();
    assert_eq!(ear.hear("BookAdded").await["seriesId"], new);
    std::fs::remove_file(folder.join("New/New 1.cbz")).unwrap();
    scan(&node, &library).await;
    let trashed = ear.hear("BookChanged").await;
    assert_eq!(trashed["seriesId"], new, "in the trash it is still there");
    let answer = reader.send(Method::POST, &format!("/api/v1/libraries/{library}/empty-trash"), &json!({})).await;
    assert_eq!(answer.0, 202);
    assert_eq!(ear.hear("BookDeleted").await, trashed);
    assert_eq!(ear.hear("SeriesDeleted").await["seriesId"], new);
    let status = reader.json(&format!("/api/v1/series/{saga}")).await["deleted"].clone();
    assert_eq!(status, false);
    node.stop().await;
}

#[tokio::test]
async fn lists_and_libraries_are_told_of_to_those_who_see_them() {
    let (node, reader) = scene().await;
    let library = library_of(&reader).await;
    node.account("blind", Some(vec![])).await;
    let blind = Reader::named(&node, "blind");
    let (mut ear, mut deaf) = (Ear::of(&reader).await, Ear::of(&blind).await);
    let status = ear.hear("TaskQueueStatus").await;
    assert_eq!(faults(&json!({"count": "int", "countByType": {}}), &status, "status"), Vec::<String>::new());
    let id = series_id(&reader, "Saga").await;
    let (_, list) = reader
        .send(Method::POST, "/api/v1/collections", &json!({"name": "Mine", "ordered": false, "seriesIds": [id]}))
        .await;
    let told = json!({"collectionId": list["id"], "seriesIds": [id]});
    assert_eq!(ear.hear("CollectionAdded").await, told);
    let path = format!("/api/v1/collections/{}", list["id"].as_str().unwrap());
    reader.send(Method::PATCH, &path, &json!({"ordered": true})).await;
    assert_eq!(ear.hear("CollectionChanged").await, told);
    reader.call(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(ear.hear("CollectionDeleted").await, told);
    let book = book_ids(&reader, &id).await.remove(0);
    let (_, list) = reader
        .send(
            Method::POST,
            "/api/v1/readlists",
            &json!({"name": "Mine", "summary": "", "ordered": true, "bookIds": [book]}),
        )
        .await;
    assert_eq!(ear.hear("ReadListAdded").await, json!({"readListId": list["id"], "bookIds": [book]}));
    let (status, _) =
        reader.send(Method::PATCH, &format!("/api/v1/libraries/{library}"), &json!({"name": "Renamed"})).await;
    assert_eq!(status, 204);
    assert_eq!(ear.hear("LibraryChanged").await, json!({"libraryId": library}));
    let folder = node.data().with_file_name("more");
    std::fs::create_dir(&folder).unwrap();
    let (status, made) = reader.send(Method::POST, "/api/v1/libraries", &json!({"name": "More", "root": folder})).await;
    assert_eq!((status, &made["name"]), (200, &json!("More")));
    assert_eq!(ear.hear("LibraryAdded").await, json!({"libraryId": made["id"]}));
    let gone = reader
        .call(Method::DELETE, &format!("/api/v1/libraries/{}", made["id"].as_str().unwrap()))
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(ear.hear("LibraryDeleted").await, json!({"libraryId": made["id"]}));
    // Who sees none of it is told that the node stops listening to it, and of nothing before.
    let accounts = node.node().accounts();
    accounts.remove(&accounts.named("blind").unwrap().id).await.unwrap();
    assert_eq!(deaf.next().await.unwrap().0, "SessionExpired");
    assert!(deaf.next().await.is_none(), "the stream ends with the right to it");
    node.stop().await;
}

#[tokio::test]
async fn streams_are_counted_and_end_with_the_node() {
    let (node, reader) = scene().await;
    let mut ears = Vec::new();
    for _ in 0..16 {
        ears.push(Ear::of(&reader).await);
    }
    assert_eq!(reader.status("/sse/v1/events").await, 429);
    assert_eq!(Reader::new(&node).bare(Method::GET, "/sse/v1/events").send().await.unwrap().status(), 401);
    node.stop().await;
    for mut ear in ears {
        while ear.next().await.is_some() {}
    }
}
