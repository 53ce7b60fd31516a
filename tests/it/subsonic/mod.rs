//! Subsonic's protocol, as the programs that speak it use it.
mod app_passwords;
mod dsub;
mod entry;
mod methods;
pub mod music;
mod node_words;
mod odd;
mod playlist_files;
mod podcasts;
mod saving;
mod schema;
mod shares;
mod transcoding;
mod users;

use std::collections::HashMap;

use md5::{Digest as _, Md5};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use reqwest::{Client, Response};
use serde_json::Value;

use crate::harness::TestNode;

/// An element of an answer: its name and attributes.
pub type Tag = (String, HashMap<String, String>);

/// A program that plays music, with what it adds to each call.
pub struct App {
    client: Client,
    url: String,
    credentials: String,
}

impl App {
    /// With an app password of this account, as `u` and `p`.
    pub async fn new(node: &TestNode, name: &str) -> Self {
        let password = app_password(node, name).await;
        Self::with(node, &format!("u={name}&p={password}"))
    }

    /// With these parameters.
    pub fn with(node: &TestNode, credentials: &str) -> Self {
        Self { client: Client::new(), url: node.url.clone(), credentials: credentials.to_owned() }
    }

    pub async fn get(&self, call: &str) -> Response {
        let joint = if call.contains('?') { '&' } else { '?' };
        let url = format!("{}/rest/{call}{joint}{}&v=1.16.1&c=test", self.url, self.credentials);
        self.client.get(url).send().await.unwrap()
    }

    /// The contents of the envelope, in JSON. The status of HTTP is 200 whatever happens.
    pub async fn json(&self, call: &str) -> Value {
        let joint = if call.contains('?') { '&' } else { '?' };
        let answer = self.get(&format!("{call}{joint}f=json")).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        answer.json::<Value>().await.unwrap()["subsonic-response"].take()
    }

    /// The contents of an answer that is not a failure.
    pub async fn ok(&self, call: &str) -> Value {
        let answer = self.json(call).await;
        assert_eq!(answer["status"], "ok", "{call}: {answer}");
        answer
    }

    /// The number of a failure.
    pub async fn fault(&self, call: &str) -> i64 {
        let answer = self.json(call).await;
        assert_eq!(answer["status"], "failed", "{call}: {answer}");
        answer["error"]["code"].as_i64().unwrap()
    }

    /// The elements of an answer in XML, from wherever they stand in it.
    pub async fn xml(&self, call: &str) -> Vec<Tag> {
        let answer = self.get(call).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/xml; charset=utf-8".parse().unwrap())
        );
        tags(&answer.text().await.unwrap())
    }
}

/// A new app password of an account.
pub async fn app_password(node: &TestNode, name: &str) -> String {
    let accounts = node.node().accounts();
    let account = accounts.named(name).unwrap().id;
    accounts.add_app_password(&account, "test").await.unwrap().1
}

/// A library of music, and a share of one of its songs: its id, and the number of the song.
pub async fn share(node: &TestNode) -> (String, String) {
    music::with_music(node).await;
    let ada = App::new(node, "ada").await;
    let song = music::text(&music::songs(&ada, "Red").await[0], "id");
    let made = ada.ok(&format!("createShare?id={song}")).await;
    (music::text(&made["shares"]["share"][0], "id"), song.replace("tr-", ""))
}

/// `t` and `s` of a password.
pub fn token(password: &str, salt: &str) -> String {
    let hash = Md5::digest(format!("{password}{salt}").as_bytes());
    format!("t={}&s={salt}", data_encoding::HEXLOWER.encode(&hash))
}

/// All elements in the order in which they open.
pub fn tags(xml: &str) -> Vec<Tag> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => found.push(opened(&tag)),
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn opened(tag: &BytesStart<'_>) -> Tag {
    let attributes = tag.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
        (attribute.key.as_ref().to_owned(), value)
    });
    (tag.name().as_ref().to_owned(), attributes.collect())
}

/// The HTTP status that says what an answer in XML says.
pub fn status_of(xml: &str) -> u16 {
    let code = tags(xml).into_iter().find(|(name, _)| name == "error").map(|(_, error)| error["code"].clone());
    match code.as_deref() {
        None => 200,
        Some("10" | "40" | "41" | "44") => 401,
        Some("50") => 403,
        Some("70") => 404,
        Some(_) => 400,
    }
}
