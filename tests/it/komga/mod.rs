//! Komga's API, as the programs that speak it use it.
mod chores;
mod covers;
mod entry;
mod epub;
mod kobo;
mod komelia;
mod koreader;
mod lists;
mod many;
mod mihon;
mod odd;
mod opds;
mod opds2;
mod ports;
mod shape;
mod typed;

use std::fs;

use potluck::library::ScanState;
use potluck::node::NodeEvent;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::comics::{comic, described};
use crate::harness::{PASSWORD, TestNode, client};

/// A library of comics of these files; its id, and those of its first series and of that one's first book.
pub async fn library(node: &TestNode, files: &[(&str, Vec<u8>)]) -> (String, String, String) {
    let folder = node.data().with_file_name("comics");
    for (place, bytes) in files {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut events = node.node().events();
    let body = json!({"name": "Comics", "kind": "comics", "path": folder});
    let ada = node.signed_in("ada").await;
    let made: Value = ada.post("/api/v1/libraries").json(&body).send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    scanned(&mut events, &id).await;
    let reader = Reader::new(node);
    let series = reader.json("/api/v1/series").await["content"][0]["id"].as_str().unwrap().to_owned();
    let books = reader.json(&format!("/api/v1/series/{series}/books")).await;
    (id, series, books["content"][0]["id"].as_str().unwrap().to_owned())
}

async fn scanned(events: &mut tokio::sync::broadcast::Receiver<NodeEvent>, library: &str) {
    let done =
        |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
}

/// A program for reading: it sends a name and a password with each call, and keeps cookies.
#[derive(Clone)]
pub struct Reader {
    client: Client,
    url: String,
    name: String,
}

impl Reader {
    /// As `ada`.
    pub fn new(node: &TestNode) -> Self {
        Self::named(node, "ada")
    }

    pub fn named(node: &TestNode, name: &str) -> Self {
        Self { client: client(), url: format!("{}/komga", node.url), name: name.to_owned() }
    }

    /// With its cookies alone.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// At another address of the API.
    pub fn at(&self, url: String) -> Self {
        Self { client: client(), url, name: self.name.clone() }
    }

    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).basic_auth(&self.name, Some(PASSWORD))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path).send().await.unwrap()
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    /// The path of an address that an answer holds: of this API, as the reader reaches it.
    pub fn path<'a>(&self, address: &'a str) -> &'a str {
        let below = address.strip_prefix(&self.url).or_else(|| address.strip_prefix("/komga"));
        below
            .or_else(|| address.starts_with('/').then_some(address))
            .unwrap_or_else(|| panic!("{address} is elsewhere"))
    }

    /// The answer, which must be 200.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Sends JSON; the status and what came back, if it is JSON.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.call(method, path).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

/// What is in a page, by one of its fields.
fn each(page: &Value, field: &str) -> Vec<String> {
    let rows = page["content"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter().map(|row| row.pointer(field).unwrap().as_str().unwrap().to_owned()).collect()
}

fn titles(page: &Value) -> Vec<String> {
    each(page, "/metadata/title")
}

/// Two series of three and two books, and a book alone.
fn comics() -> Vec<(&'static str, Vec<u8>)> {
    let etoile = "<Series>Étoile</Series><Genre>Drama, Space Opera</Genre><Tags>Blue</Tags><Writer>Jane Doe, Joe</Writer>\
        <Penciller>Ann</Penciller><Publisher>Star Press</Publisher><LanguageISO>fr</LanguageISO><Summary>Far away.</Summary>\
        <Year>2012</Year><Month>3</Month><Day>4</Day><Manga>YesAndRightToLeft</Manga>";
    vec![
        ("Saga/Saga 1.cbz", comic(1)),
        ("Saga/Saga 2.cbz", comic(2)),
        ("Saga/Saga 10.5.cbz", comic(3)),
        ("Etoile/Etoile 1.cbz", described(4, etoile)),
        ("Etoile/Etoile 2.cbz", comic(5)),
        ("Alone.cbz", comic(6)),
    ]
}

/// A node with these.
async fn scene() -> (TestNode, Reader) {
    let node = TestNode::start(&[]).await;
    library(&node, &comics()).await;
    let reader = Reader::new(&node);
    (node, reader)
}

/// Id of the series with this title.
async fn series_id(reader: &Reader, title: &str) -> String {
    let page = reader.json("/api/v1/series?unpaged=true").await;
    let row = page["content"].as_array().unwrap().iter().find(|row| row["metadata"]["title"] == title).unwrap();
    row["id"].as_str().unwrap().to_owned()
}

async fn book_ids(reader: &Reader, series: &str) -> Vec<String> {
    each(&reader.json(&format!("/api/v1/series/{series}/books?unpaged=true")).await, "/id")
}
