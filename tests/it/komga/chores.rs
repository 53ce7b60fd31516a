//! What admins do in Komelia besides reading.
use reqwest::Method;
use serde_json::{Value, json};

use super::shape::{book, faults, library, page_of};
use super::{Reader, book_ids, scanned, scene, series_id};
use crate::harness::PASSWORD;

fn user() -> Value {
    json!({"id": "string", "email": "string", "roles": ["string"], "sharedAllLibraries": "bool", "sharedLibrariesIds": ["string"],
        "labelsAllow": ["string"], "labelsExclude": ["string"]})
}

#[tokio::test]
async fn every_answer_for_admins_has_its_shape() {
    let (node, reader) = scene().await;
    let port = |kind: &str| json!({"configurationSource": kind, "databaseSource": kind, "effectiveValue": kind});
    let activity = json!({"userId": "string?", "email": "string?", "ip": "string?", "userAgent": "string?", "success": "bool",
        "error": "string?", "dateTime": "instant", "source": "string"});
    reader.bare(Method::GET, "/api/v1/series").basic_auth("ada", Some("wrong")).send().await.unwrap();
    for (path, shape) in [
        ("/api/v2/users", json!([user()])),
        ("/api/v2/users/authentication-activity?unpaged=true", page_of(activity.clone())),
        ("/api/v2/users/me/authentication-activity", page_of(activity)),
        (
            "/api/v1/settings",
            json!({"deleteEmptyCollections": "bool", "deleteEmptyReadLists": "bool", "rememberMeDurationDays": "int",
            "thumbnailSize": "string", "taskPoolSize": "int", "serverPort": port("int?"), "serverContextPath": port("string?"),
            "koboProxy": "bool", "koboPort": "int?", "kepubifyPath": port("string?")}),
        ),
        (
            "/api/v1/announcements",
            json!({"version": "string", "title": "string", "home_page_url": "string?", "description": "string?", "items": [{}]}),
        ),
        ("/api/v1/releases", json!([{}])),
        ("/api/v1/fonts/families", json!(["string"])),
        ("/api/v1/history", page_of(json!({}))),
        ("/api/v1/page-hashes?page=0&size=500", page_of(json!({}))),
        ("/api/v1/page-hashes/unknown", page_of(json!({}))),
        ("/api/v1/books/duplicates", page_of(book())),
        ("/api/v1/client-settings/user/list", json!({})),
        ("/api/v1/client-settings/global/list", json!({})),
    ] {
        let value = reader.json(path).await;
        assert_eq!(faults(&shape, &value, path), Vec::<String>::new());
    }
    let (status, folders) = reader
        .send(Method::POST, "/api/v1/filesystem", &json!({"path": node.data().parent().unwrap(), "showFiles": false}))
        .await;
    assert_eq!(status, 200);
    let entry = json!({"type": "string", "name": "string", "path": "string"});
    assert_eq!(
        faults(&json!({"parent": "string?", "directories": [entry], "files": [entry]}), &folders, "folders"),
        Vec::<String>::new()
    );
    assert!(folders["directories"].as_array().unwrap().iter().any(|folder| folder["name"] == "comics"), "{folders}");
    assert_eq!(reader.send(Method::POST, "/api/v1/filesystem", &json!({"path": ""})).await.1["parent"], Value::Null);
    assert_eq!(reader.send(Method::POST, "/api/v1/filesystem", &json!({"path": "not/absolute"})).await.0, 400);
    let dropped = reader.call(Method::DELETE, "/api/v1/tasks").send().await.unwrap();
    assert_eq!(faults(&"int".into(), &dropped.json().await.unwrap(), "tasks"), Vec::<String>::new());
    node.stop().await;
}

#[tokio::test]
async fn accounts_are_made_changed_and_removed() {
    let (node, reader) = scene().await;
    let library = reader.json("/api/v1/libraries").await[0]["id"].clone();
    let new =
        json!({"email": "eve@example.org", "password": PASSWORD, "roles": ["USER", "FILE_DOWNLOAD", "PAGE_STREAMING"]});
    let (status, made) = reader.send(Method::POST, "/api/v2/users", &new).await;
    assert_eq!((status, faults(&user(), &made, "user")), (201, vec![]));
    assert!(made["ageRestriction"].is_null() && made.get("ageRestriction").is_some());
    let path = format!("/api/v2/users/{}", made["id"].as_str().unwrap());
    let eve = Reader::named(&node, "eve@example.org");
    assert_eq!(eve.json("/api/v1/libraries").await.as_array().unwrap().len(), 1);
    let change = async |body: Value| reader.send(Method::PATCH, &path, &body).await.0;
    assert_eq!(change(json!({"sharedLibraries": {"all": false, "libraryIds": []}})).await, 204);
    assert_eq!(eve.json("/api/v1/libraries").await, json!([]));
    assert_eq!(change(json!({"sharedLibraries": {"all": false, "libraryIds": [library]}, "ageRestriction": null, "labelsAllow": []})).await, 204);
    assert_eq!(eve.json("/api/v1/libraries").await.as_array().unwrap().len(), 1);
    for refused in [
        json!({"ageRestriction": {"age": 12, "restriction": "ALLOW_ONLY"}}),
        json!({"labelsExclude": ["x"]}),
        json!({"sharedLibraries": {"all": false, "libraryIds": ["nothing"]}}),
        json!({"roles": "ADMIN"}),
    ] {
        assert_eq!(change(refused.clone()).await, 400, "what is not done must not seem to be: {refused}");
    }
    assert_eq!(eve.status("/api/v2/users").await, 403);
    assert_eq!(change(json!({"roles": ["ADMIN", "USER"]})).await, 204);
    assert_eq!(eve.status("/api/v2/users").await, 200);
    let other = json!({"password": "another pinch of salt"});
    assert_eq!(reader.send(Method::PATCH, &format!("{path}/password"), &other).await.0, 204);
    assert_eq!(Reader::named(&node, "eve@example.org").status("/api/v1/libraries").await, 401);
    assert_eq!(reader.send(Method::PATCH, &format!("{path}/password"), &json!({"password": "short"})).await.0, 400);
    assert_eq!(reader.call(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(reader.call(Method::DELETE, &path).send().await.unwrap().status(), 404);
    node.stop().await;
}

#[tokio::test]
async fn a_key_does_not_become_its_account() {
    let (node, reader) = scene().await;
    let (_, key) = reader.send(Method::POST, "/api/v2/users/me/api-keys", &json!({"comment": "x"})).await;
    let other = Reader::new(&node);
    let by_key = other.bare(Method::GET, "/api/v1/libraries").header("x-api-key", key["key"].as_str().unwrap());
    assert_eq!(by_key.send().await.unwrap().status(), 200);
    let body = json!({"password": "another pinch of salt"});
    let with_its_session = other.bare(Method::PATCH, "/api/v2/users/me/password").json(&body).send().await.unwrap();
    assert_eq!(with_its_session.status(), 403);
    let with_the_key =
        other.bare(Method::PATCH, "/api/v2/users/me/password").header("x-api-key", key["key"].as_str().unwrap());
    assert_eq!(with_the_key.json(&body).send().await.unwrap().status(), 403);
    reader.get("/api/v2/users/me").await;
    let own = reader.bare(Method::PATCH, "/api/v2/users/me/password").json(&body).send().await.unwrap();
    assert_eq!(own.status(), 204, "with the cookie of a session that began with the password");
    assert_eq!(Reader::new(&node).status("/api/v1/libraries").await, 401);
    node.stop().await;
}

#[tokio::test]
async fn programs_keep_settings_within_limits() {
    let (node, reader) = scene().await;
    node.account("bob", None).await;
    let bob = Reader::named(&node, "bob");
    let own = "/api/v1/client-settings/user";
    let body = json!({"komelia.reader.scale": {"value": "1.5"}, "komelia.theme": {"value": "{\"dark\":true}"}});
    assert_eq!(reader.send(Method::PATCH, own, &body).await.0, 204);
    let kept = reader.json("/api/v1/client-settings/user/list").await;
    assert_eq!(kept["komelia.reader.scale"], json!({"value": "1.5", "allowUnauthorized": null}));
    assert_eq!(bob.json("/api/v1/client-settings/user/list").await, json!({}));
    assert_eq!(reader.send(Method::DELETE, own, &json!(["komelia.theme", "nothing"])).await.0, 204);
    assert_eq!(reader.json("/api/v1/client-settings/user/list").await.as_object().unwrap().len(), 1);
    for wrong in [json!({"Not A Key": {"value": "x"}}), json!({"a": "x"}), json!({"a": {}}), json!([])] {
        assert_eq!(reader.send(Method::PATCH, own, &wrong).await.0, 400, "{wrong}");
    }
    let long = "x".repeat(100 * 1024);
    let mut statuses = Vec::new();
    for n in 0..11 {
        statuses.push(reader.send(Method::PATCH, own, &json!({format!("big.{n}"): {"value": long}})).await.0);
    }
    assert_eq!(statuses.last(), Some(&400));
    assert_eq!(
        reader.json("/api/v1/client-settings/user/list").await.as_object().unwrap().len(),
        11,
        "what is too much is not kept in part"
    );
    let all = "/api/v1/client-settings/global";
    assert_eq!(bob.send(Method::PATCH, all, &json!({"a": {"value": "x", "allowUnauthorized": true}})).await.0, 403);
    let body = json!({"a": {"value": "x", "allowUnauthorized": true}, "b": {"value": "y", "allowUnauthorized": false}});
    assert_eq!(reader.send(Method::PATCH, all, &body).await.0, 204);
    assert_eq!(bob.json("/api/v1/client-settings/global/list").await.as_object().unwrap().len(), 2);
    let nobody = Reader::new(&node).bare(Method::GET, "/api/v1/client-settings/global/list").send().await.unwrap();
    assert_eq!(nobody.json::<Value>().await.unwrap(), json!({"a": {"value": "x", "allowUnauthorized": true}}));
    node.stop().await;
}

#[tokio::test]
async fn settings_and_options_are_told_as_they_are_and_refused_by_name() {
    let (node, reader) = scene().await;
    let now = reader.json("/api/v1/settings").await;
    let same = json!({"thumbnailSize": now["thumbnailSize"], "serverPort": now["serverPort"]["effectiveValue"], "deleteEmptyCollections": false});
    assert_eq!(reader.send(Method::PATCH, "/api/v1/settings", &same).await.0, 204);
    let (status, told) = reader.send(Method::PATCH, "/api/v1/settings", &json!({"thumbnailSize": "XLARGE"})).await;
    assert_eq!((status, &told["violations"][0]["fieldName"]), (400, &json!("thumbnailSize")));
    let mut one = reader.json("/api/v1/libraries").await[0].clone();
    assert_eq!(faults(&library(), &one, "library"), Vec::<String>::new());
    let path = format!("/api/v1/libraries/{}", one["id"].as_str().unwrap());
    one["name"] = "Other".into();
    assert_eq!(reader.send(Method::PATCH, &path, &one).await.0, 204);
    assert_eq!(reader.json(&path).await["name"], "Other");
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"convertToCbz": true})).await.0, 400);
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"root": "/nowhere/at/all"})).await.0, 400);
    for wrong in [
        json!({}),
        json!({"name": "X"}),
        json!({"name": "X", "root": "relative"}),
        json!({"name": "X", "root": node.data()}),
    ] {
        assert_eq!(reader.send(Method::POST, "/api/v1/libraries", &wrong).await.0, 400, "{wrong}");
    }
    node.stop().await;
}

#[tokio::test]
async fn reading_again_finds_what_changed_without_its_time_changing() {
    let (node, reader) = scene().await;
    let library = reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned();
    let series = series_id(&reader, "Saga").await;
    let book = book_ids(&reader, &series).await.remove(0);
    for path in [
        format!("/api/v1/books/{book}/analyze"),
        format!("/api/v1/books/{book}/metadata/refresh"),
        format!("/api/v1/series/{series}/analyze"),
        format!("/api/v1/libraries/{library}/scan?deep=true"),
        format!("/api/v1/libraries/{library}/metadata/refresh"),
    ] {
        let mut events = node.node().events();
        assert_eq!(reader.send(Method::POST, &path, &json!({})).await.0, 202, "{path}");
        scanned(&mut events, &library).await;
    }
    assert_eq!(book_ids(&reader, &series).await.len(), 3, "they are the same books");
    assert_eq!(reader.status(&format!("/api/v1/books/{book}")).await, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_list_opened_in_a_browser_is_a_plain_page_for_those_who_see_it() {
    let (node, reader) = scene().await;
    let book = book_ids(&reader, &series_id(&reader, "Saga").await).await.remove(0);
    let (_, list) = reader
        .send(
            Method::POST,
            "/api/v1/readlists",
            &json!({"name": "<b>Mine", "summary": "", "ordered": true, "bookIds": [book]}),
        )
        .await;
    let path = format!("/readlists/{}", list["id"].as_str().unwrap());
    let page = reader.get(&path).await.text().await.unwrap();
    assert!(page.contains("&lt;b&gt;Mine") && page.contains(&format!("/item/{book}")), "{page}");
    let nobody = Reader::new(&node).bare(Method::GET, &path).send().await.unwrap();
    let page = nobody.text().await.unwrap();
    assert!(!page.contains("Mine") && page.contains("<!doctype html>"), "{page}");
    node.stop().await;
}
