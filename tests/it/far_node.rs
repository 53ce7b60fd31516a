//! A whole node as a process of its own, in a place of an [`Internet`](crate::internet::Internet): what happens to it there,
//! happens to a real node. It is spoken to through its control socket, which no network is between.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use potluck::accounts::NewAccount;
use potluck::catalog::{LibraryKind, Visibility};
use potluck::facades::connect_control;
use potluck::node::{Store, control_socket};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::harness::{PASSWORD, cheap};
use crate::internet::{PORT, Place};

/// What never happens is a failure after this, with a name, instead of a run that never ends.
const NEVER: Duration = Duration::from_secs(400);
const MIB: usize = 1024 * 1024;

/// A node, running or not. Its folders go when it is dropped.
pub struct FarNode {
    pub name: &'static str,
    pub place: Place,
    pub library: String,
    settings: Vec<(String, String)>,
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl FarNode {
    /// One that does not run yet, with a library of kind `videos`.
    pub async fn new(name: &'static str, place: Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let films = folder.path().join("films");
        std::fs::create_dir(&films).unwrap();
        let store = Self::create(&folder.path().join("data")).await;
        let library =
            store.catalog.add_library("Films", LibraryKind::Videos, &films, Visibility::Private).await.unwrap();
        store.close().await;
        Self { name, place, library: library.id, settings: Vec::new(), folder, process: None }
    }

    async fn create(data: &Path) -> Store {
        let admin = NewAccount {
            name: "ada".into(),
            password: PASSWORD.into(),
            admin: true,
            libraries: None,
            max_bit_rate: None,
        };
        Store::create(data, cheap(), admin).await.unwrap()
    }

    /// The same with a setting, from the next start on.
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.settings.push((key.to_owned(), value.into()));
        self
    }

    /// The same, running, with one film of its own.
    pub async fn running(mut self) -> Self {
        self.start().await;
        self.film(&format!("Film of {}", self.name), 1).await;
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) {
        let mut command = self.place.command(env!("CARGO_BIN_EXE_potluck"));
        command.arg("--data").arg(self.data()).args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("POTLUCK_FRIENDS__LISTEN", format!("0.0.0.0:{PORT}")).env("POTLUCK_FRIENDS__NAME", self.name);
        command.env("POTLUCK_IPFS__ENABLED", "false");
        command.env("POTLUCK_WEBRTC__ENABLED", "false").env("POTLUCK_LIBRARY__WATCH", "false");
        command.env("POTLUCK_LIBRARY__SETTLE_SECONDS", "0").env("POTLUCK_PLAYBACK__THUMBNAILS", "false");
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        assert!(line.starts_with("Potluck is ready"), "{}: {line}", self.name);
        self.process = Some(process);
    }

    /// SIGKILL, in the middle of whatever it does.
    pub async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn films(&self) -> PathBuf {
        self.folder.path().join("films")
    }

    /// Sends a request to its API; the answer streams.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> http::Response<Incoming> {
        let stream = connect_control(&control_socket(&self.data())).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = http::Request::builder().method(method).uri(path).header("host", "node");
        let request = request.header("content-type", "application/json").body(Full::<Bytes>::from(body)).unwrap();
        sender.send_request(request).await.unwrap()
    }

    /// Runs `potluck` beside it, as its owner does: what it prints, or why it refuses.
    pub async fn potluck(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_potluck"));
        let output = command.arg("--data").arg(self.data()).args(arguments).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// Calls the API as local admin.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Bytes) {
        let answer = self.send(method, path, body).await;
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }

    /// The same, for what has to work and answers in JSON.
    pub async fn json(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{}: {method} {path}: {status} {answer:?}", self.name);
        serde_json::from_slice(&answer).unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.json("GET", path, Value::Null).await
    }

    /// Looks again after each event of the node, until there is an answer.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let mut events = self.send("GET", "/api/v1/events", Value::Null).await.into_body();
        let found = async {
            loop {
                // The first tells that the stream is there; what happened before is seen by looking.
                events.frame().await.expect("the node ended").unwrap();
                if let Some(found) = look().await {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(NEVER, found).await;
        found.unwrap_or_else(|_| panic!("{}: never {what}", self.name))
    }

    /// Makes a film of so many MiB, which is another for each title, and waits until it was imported.
    pub async fn film(&self, title: &str, mebibytes: usize) -> PathBuf {
        let path = self.films().join(format!("{title}.mp4"));
        std::fs::write(&path, film(title, mebibytes)).unwrap();
        self.scan().await;
        self.until("imported its film", async || self.titles().await.contains(title).then_some(())).await;
        path
    }

    pub async fn scan(&self) {
        self.json("POST", &format!("/api/v1/libraries/{}/scan", self.library), Value::Null).await;
    }

    /// Items that are listed, its own and those of friends.
    pub async fn items(&self) -> Vec<Value> {
        let Value::Array(items) = self.get("/api/v1/items?limit=500").await["items"].take() else { panic!("no items") };
        items
    }

    pub async fn titles(&self) -> BTreeSet<String> {
        self.items().await.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until these are all that is listed.
    pub async fn until_listed(&self, titles: &BTreeSet<String>) {
        self.until(&format!("listed {titles:?}"), async || (self.titles().await == *titles).then_some(())).await;
    }

    /// The item of that title.
    pub async fn item(&self, title: &str) -> Value {
        let what = format!("listed {title}");
        self.until(&what, async || self.items().await.into_iter().find(|item| item["title"] == title)).await
    }

    /// The whole file of an item, wherever it lies.
    pub async fn read(&self, item: &Value) -> Bytes {
        let path = format!("/api/v1/items/{}/file", item["id"].as_str().unwrap());
        let (status, bytes) = self.call("GET", &path, Value::Null).await;
        assert_eq!(status, 200, "{}: {bytes:?}", self.name);
        bytes
    }

    /// A friend as the API tells of it.
    pub async fn friend(&self, name: &str) -> Value {
        let Value::Array(friends) = self.get("/api/v1/friends").await else { panic!("no friends") };
        friends.into_iter().find(|friend| friend["name"] == name).unwrap_or_default()
    }

    /// Waits until a friend's node is in this state.
    pub async fn until_friend(&self, name: &str, state: &str) {
        let what = format!("saw {name} {state}");
        self.until(&what, async || (self.friend(name).await["state"] == state).then_some(())).await;
    }

    /// Changes what a friend may.
    pub async fn change_friend(&self, name: &str, change: Value) {
        let id = self.friend(name).await["id"].as_str().unwrap().to_owned();
        self.json("PATCH", &format!("/api/v1/friends/{id}"), change).await;
    }

    /// Bytes that came over iroh since the start.
    pub async fn received(&self) -> u64 {
        let status = self.get("/api/v1/status").await;
        let carriers = status["carriers"].as_array().unwrap();
        carriers.iter().find(|carrier| carrier["name"] == "iroh").unwrap()["bytes_received"].as_u64().unwrap()
    }
}

/// The first invites the second; then each shares its films with the other.
pub async fn link(host: &FarNode, guest: &FarNode) {
    let invite = host.json("POST", "/api/v1/friends/invites", json!({"name": guest.name})).await;
    let code = json!({"code": invite["code"], "name": host.name});
    guest.json("POST", "/api/v1/friends/accept", code).await;
    host.change_friend(guest.name, json!({"libraries": [host.library]})).await;
    guest.change_friend(host.name, json!({"libraries": [guest.library]})).await;
}

/// A film that plays, and after it bytes that no player reads, other ones for each title.
pub fn film(title: &str, mebibytes: usize) -> Vec<u8> {
    let mut bytes = std::fs::read(crate::fixtures::film()).unwrap();
    let junk = (mebibytes * MIB).saturating_sub(bytes.len()).max(64);
    bytes.extend_from_slice(&u32::try_from(junk).unwrap().to_be_bytes());
    bytes.extend_from_slice(b"free");
    let mut state = title.bytes().fold(88_172_645_463_325_252u64, |state, byte| state.rotate_left(7) ^ u64::from(byte));
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    bytes.extend(noise.flatten().take(junk - 8));
    bytes
}
