//! KOReader's progress sync, with the calls that its plugin makes.
use std::fs::File;

use potluck::media::book::partial_md5;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Reader, book_ids, scene, series_id};
use crate::harness::{TestNode, client};

/// A device with a key as the name of its user.
struct Device {
    url: String,
    key: String,
}

impl Device {
    async fn new(node: &TestNode, name: &str) -> Self {
        let id = node.node().accounts().named(name).unwrap().id;
        let key = node.node().accounts().add_api_key(&id, "KOReader").await.unwrap().1;
        Self { url: format!("{}/komga/koreader", node.url), key }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let request = client().request(method, format!("{}{path}", self.url));
        let request = request.header("accept", "application/vnd.koreader.v1+json").header("x-auth-user", &self.key);
        request.header("x-auth-key", "900150983cd24fb0d6963f7d28e17f72")
    }

    async fn put(&self, document: &str, progress: &str, percentage: f64) -> u16 {
        let body = json!({"document": document, "progress": progress, "percentage": percentage, "device": "Kobo", "device_id": "k"});
        self.call(Method::PUT, "/syncs/progress").json(&body).send().await.unwrap().status().as_u16()
    }

    async fn get(&self, document: &str) -> (u16, Value) {
        let answer = self.call(Method::GET, &format!("/syncs/progress/{document}")).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// The book of Saga with this place in it, and what KOReader calls its file.
async fn book(node: &TestNode, reader: &Reader, nth: usize) -> (String, String) {
    let id = book_ids(reader, &series_id(reader, "Saga").await).await.remove(nth);
    let path = node.node().catalog().item(&id, "").await.unwrap().item.file.unwrap().path;
    (id, partial_md5(&File::open(path).unwrap()).unwrap())
}

#[tokio::test]
async fn a_device_signs_in_with_a_key_and_with_nothing_else() {
    let (node, _) = scene().await;
    let device = Device::new(&node, "ada").await;
    let right = device.call(Method::GET, "/users/auth").send().await.unwrap();
    assert_eq!((right.status().as_u16(), right.json::<Value>().await.unwrap()), (200, json!({"authorized": "OK"})));
    let wrong = Device { key: "pk_wrong".to_owned(), ..device };
    assert_eq!(wrong.call(Method::GET, "/users/auth").send().await.unwrap().status(), 401);
    assert_eq!(wrong.put("900150983cd24fb0d6963f7d28e17f72", "1", 0.5).await, 401);
    node.stop().await;
}

#[tokio::test]
async fn how_far_one_read_on_a_device_is_known_to_mihon_and_the_other_way_round() {
    let (node, reader) = scene().await;
    let device = Device::new(&node, "ada").await;
    let (id, hash) = book(&node, &reader, 0).await;
    assert_eq!(device.get(&hash).await, (200, json!({})), "nothing was read yet");
    assert_eq!(device.put(&hash, "2", 0.66).await, 200);
    let progress = reader.json(&format!("/api/v1/books/{id}")).await["readProgress"].take();
    assert_eq!((&progress["page"], &progress["completed"]), (&json!(2), &json!(false)));
    assert_eq!(device.put(&hash, "3", 1.0).await, 200);
    assert_eq!(reader.json(&format!("/api/v1/books/{id}")).await["readProgress"]["completed"], true);

    let (other, hash) = book(&node, &reader, 1).await;
    let path = format!("/api/v1/books/{other}/read-progress");
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"page": 2})).await.0, 204);
    let (status, told) = device.get(&hash).await;
    assert_eq!((status, &told["progress"], &told["document"]), (200, &json!("2"), &json!(hash)));
    assert!(told["timestamp"].is_i64() && (0.6..0.7).contains(&told["percentage"].as_f64().unwrap()), "{told}");
    node.stop().await;
}

#[tokio::test]
async fn books_that_nobody_knows_or_may_see_and_odd_places_are_refused() {
    let (node, reader) = scene().await;
    let (ada, (_, hash)) = (Device::new(&node, "ada").await, book(&node, &reader, 0).await);
    for unknown in ["900150983cd24fb0d6963f7d28e17f72", "short", "../../etc", &"x".repeat(32)] {
        assert_eq!(ada.put(unknown, "1", 0.1).await, 404, "{unknown}");
    }
    for odd in ["0x", "0", "4", "-1", "", "99999999999999999999"] {
        assert_eq!(ada.put(&hash, odd, 0.1).await, 400, "{odd}");
    }
    node.account("out", Some(Vec::new())).await;
    let out = Device::new(&node, "out").await;
    assert_eq!((out.put(&hash, "1", 0.1).await, out.get(&hash).await.0), (404, 404));
    node.stop().await;
}
