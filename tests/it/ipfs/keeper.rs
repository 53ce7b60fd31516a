//! A pinning service beside the node: it looks at each request as the specification has it, and really fetches what it shall keep.
use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use parking_lot::Mutex;
use potluck::content::Cid;
use potluck::content::cid::{self, DAG_PB};
use potluck::content::unixfs::node::{Node, decode};
use potluck::exchange::libp2p::Libp2p;
use serde_json::{Value, json};

use super::{Host, PATIENCE, until};

pub const TOKEN: &str = "eyJ.token-of-a.service_7";

/// A pin and what was fetched for it.
#[derive(Clone)]
pub struct Kept {
    pub request: String,
    pub cid: Cid,
    pub body: Value,
    pub created: String,
    pub blocks: usize,
    pub names: Vec<String>,
    pub done: bool,
}

#[derive(Default)]
struct Books {
    pins: Vec<Kept>,
    /// Method and path of each request.
    asked: Vec<String>,
    /// What was not as the specification has it.
    faults: Vec<String>,
    /// Statuses with which the next requests are answered.
    answers: VecDeque<(u16, String)>,
    /// With which all are, while it is so.
    down: Option<(u16, String)>,
    made: u32,
}

#[derive(Clone)]
pub struct Keeper {
    pub url: String,
    pub host: Libp2p,
    books: Arc<Mutex<Books>>,
}

impl Keeper {
    pub async fn start() -> Self {
        let host = Host::new(77).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/psa", listener.local_addr().unwrap());
        let keeper = Self { url, host: host.libp2p.clone(), books: Arc::default() };
        let router = axum::Router::new()
            .route("/psa/pins", get(list).post(add))
            .route("/psa/pins/{request}", post(replace).get(show).delete(remove))
            .with_state(keeper.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        keeper
    }

    pub fn pins(&self) -> Vec<Kept> {
        self.books.lock().pins.clone()
    }

    /// Method and path of each request since this was called last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.books.lock().asked)
    }

    pub fn answer_next(&self, status: u16, body: &str) {
        self.books.lock().answers.push_back((status, body.to_owned()));
    }

    pub fn down(&self, answer: Option<(u16, &str)>) {
        self.books.lock().down = answer.map(|(status, body)| (status, body.to_owned()));
    }

    pub fn lose_all(&self) {
        self.books.lock().pins.clear();
    }

    /// Waits until the one pin that there is was fetched whole.
    pub async fn one(&self) -> Kept {
        until(|| matches!(&self.pins()[..], [kept] if kept.done)).await;
        self.pins().remove(0)
    }

    pub async fn stop(&self) {
        assert_eq!(self.books.lock().faults, Vec::<String>::new());
        self.host.stop().await;
    }

    /// What every request has to have.
    fn enter(&self, call: &str, headers: &HeaderMap) -> Result<(), Response> {
        let mut books = self.books.lock();
        books.asked.push(call.to_owned());
        if headers.get(header::AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {TOKEN}")) {
            return Err(failure(401, "UNAUTHORIZED", "Access token is missing or invalid"));
        }
        let down = books.down.clone();
        match books.answers.pop_front().or(down) {
            Some((status, body)) => Err((StatusCode::from_u16(status).unwrap(), body).into_response()),
            None => Ok(()),
        }
    }

    /// Reads a `Pin`, and starts to fetch it.
    fn take(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let read = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let wrong = wrong(headers, &read);
        let mut books = self.books.lock();
        if let Some(wrong) = wrong {
            books.faults.push(format!("{wrong}: {read}"));
            return failure(400, "BAD_REQUEST", wrong);
        }
        books.made += 1;
        let kept = Kept {
            request: format!("pin/{} of 9", books.made),
            cid: read["cid"].as_str().unwrap().parse().unwrap(),
            body: read,
            created: format!("2026-11-30T12:00:{:02}.000Z", books.made),
            blocks: 0,
            names: Vec::new(),
            done: false,
        };
        books.pins.insert(0, kept.clone());
        drop(books);
        let answer = (StatusCode::ACCEPTED, axum::Json(self.status(&kept))).into_response();
        tokio::spawn(fetch(self.clone(), kept));
        answer
    }

    fn status(&self, kept: &Kept) -> Value {
        json!({
            "requestid": kept.request,
            "status": if kept.done { "pinned" } else { "pinning" },
            "created": kept.created,
            "pin": kept.body,
            "delegates": self.host.addresses(),
            "info": {"status_details": format!("{} blocks", kept.blocks), "dag_size": 7},
        })
    }
}

fn failure(status: u16, reason: &str, details: &str) -> Response {
    let body = json!({"error": {"reason": reason, "details": details}});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

/// What is wrong with a `Pin`.
fn wrong(headers: &HeaderMap, pin: &Value) -> Option<&'static str> {
    let Some(fields) = pin.as_object() else { return Some("no object") };
    let text = |value: &Value, longest: usize| value.as_str().is_some_and(|text| text.chars().count() <= longest);
    let origins = pin.get("origins").map(|origins| origins.as_array().cloned().unwrap_or_default());
    let multiaddr =
        |origin: &Value| origin.as_str().is_some_and(|text| text.starts_with('/') && text.contains("/p2p/"));
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return Some("content type");
    }
    if fields.keys().any(|key| !["cid", "name", "origins", "meta"].contains(&key.as_str())) {
        return Some("a field that is not known");
    }
    if pin["cid"].as_str().is_none_or(|text| text.parse::<Cid>().is_err()) {
        return Some("no CID");
    }
    if pin.get("name").is_some_and(|name| !text(name, 255)) {
        return Some("name");
    }
    if origins.is_some_and(|origins| origins.len() > 20 || !origins.iter().all(multiaddr)) {
        return Some("origins");
    }
    None
}

async fn list(State(keeper): State<Keeper>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    if let Err(answer) = keeper.enter("GET /pins", &headers) {
        return answer;
    }
    let query = query.unwrap_or_default();
    let pairs: Vec<(String, String)> = url_pairs(&query);
    let one = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let limit = one("limit").map_or(10, |limit| limit.parse::<usize>().unwrap());
    assert!((1..=1000).contains(&limit));
    let states: Vec<&str> = pairs.iter().filter(|(key, _)| key == "status").map(|(_, value)| value.as_str()).collect();
    let found: Vec<Kept> = keeper
        .pins()
        .into_iter()
        .filter(|kept| {
            let state = if kept.done { "pinned" } else { "pinning" };
            one("before").is_none_or(|before| kept.created.as_str() < before)
                && one("cid").is_none_or(|cid| kept.body["cid"] == cid)
                && one("name").is_none_or(|name| kept.body["name"] == name)
                && if states.is_empty() { kept.done } else { states.contains(&state) }
        })
        .collect();
    let results: Vec<Value> = found.iter().take(limit).map(|kept| keeper.status(kept)).collect();
    axum::Json(json!({"count": found.len(), "results": results})).into_response()
}

fn url_pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

async fn add(State(keeper): State<Keeper>, headers: HeaderMap, body: Bytes) -> Response {
    match keeper.enter("POST /pins", &headers) {
        Ok(()) => keeper.take(&headers, &body),
        Err(answer) => answer,
    }
}

async fn replace(
    State(keeper): State<Keeper>,
    Path(request): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(answer) = keeper.enter("POST /pins/{requestid}", &headers) {
        return answer;
    }
    if !forget(&keeper, &request) {
        return failure(404, "NOT_FOUND", "The specified resource was not found");
    }
    keeper.take(&headers, &body)
}

async fn show(State(keeper): State<Keeper>, Path(request): Path<String>, headers: HeaderMap) -> Response {
    if let Err(answer) = keeper.enter("GET /pins/{requestid}", &headers) {
        return answer;
    }
    match keeper.pins().iter().find(|kept| kept.request == request) {
        Some(kept) => axum::Json(keeper.status(kept)).into_response(),
        None => failure(404, "NOT_FOUND", "The specified resource was not found"),
    }
}

async fn remove(State(keeper): State<Keeper>, Path(request): Path<String>, headers: HeaderMap) -> Response {
    if let Err(answer) = keeper.enter("DELETE /pins/{requestid}", &headers) {
        return answer;
    }
    match forget(&keeper, &request) {
        true => StatusCode::ACCEPTED.into_response(),
        false => failure(404, "NOT_FOUND", "The specified resource was not found"),
    }
}

fn forget(keeper: &Keeper, request: &str) -> bool {
    let mut books = keeper.books.lock();
    let before = books.pins.len();
    books.pins.retain(|kept| kept.request != request);
    books.pins.len() < before
}

/// Fetches all that a pin leads to over Bitswap, from the origins that it names.
async fn fetch(keeper: Keeper, mut kept: Kept) {
    for origin in kept.body["origins"].as_array().into_iter().flatten() {
        let _ = keeper.host.connect(origin.as_str().unwrap()).await;
    }
    let mut wanted = vec![kept.cid];
    while let Some(next) = wanted.pop() {
        let Ok(block) = keeper.host.fetch(&kept.cid, &next, PATIENCE).await else { return };
        assert_eq!(cid::verify(&next, &block), Ok(()));
        kept.blocks += 1;
        if next.codec() != DAG_PB {
            continue;
        }
        match decode(&block).unwrap() {
            Node::File { links, .. } => wanted.extend(links.into_iter().map(|(cid, _)| cid)),
            Node::Folder(links) => {
                kept.names.extend(links.iter().map(|link| link.name.clone()));
                wanted.extend(links.into_iter().map(|link| link.cid));
            }
            Node::Shard { .. } | Node::Symlink(_) => unreachable!("not in these libraries"),
        }
    }
    kept.done = true;
    let mut books = keeper.books.lock();
    if let Some(place) = books.pins.iter_mut().find(|other| other.request == kept.request) {
        *place = kept;
    }
}
