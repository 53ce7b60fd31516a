//! What people hear is told to ListenBrainz: to a server beside the node that answers as it does.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use jiff::Timestamp;
use parking_lot::Mutex;
use potluck::library::ScanState;
use potluck::node::{ListensOptions, NodeEvent};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::TestNode;
use crate::subsonic::App;
use crate::tunes::tune;

const TOKEN: &str = "4c1ff1ce-0000-4000-8000-00000000cafe";
const RECORDING: &str = "c2fb3ae5-6ef8-4a53-8a5a-0b9f1ad4a2a1";

/// What the server was told, and what it answers next; 200 where nothing is said.
#[derive(Clone)]
struct Desk {
    told: mpsc::UnboundedSender<(String, Value, u16)>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// A server that answers as ListenBrainz does.
struct Brainz {
    url: String,
    told: mpsc::UnboundedReceiver<(String, Value, u16)>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Brainz {
    async fn start() -> Self {
        let ((sender, told), answers) = (mpsc::unbounded_channel(), Arc::new(Mutex::new(VecDeque::new())));
        let router = axum::Router::new()
            .route("/1/validate-token", get(validate))
            .route("/1/submit-listens", post(submit))
            .with_state(Desk { told: sender, answers: answers.clone() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, told, answers }
    }

    /// From now on: these, one after the other.
    fn answers(&self, answers: &[u16]) {
        self.answers.lock().extend(answers);
    }

    /// What is told next; it comes with the right token.
    async fn next(&mut self) -> Value {
        self.next_with_answer().await.0
    }

    /// What is taken next.
    async fn taken(&mut self) -> Value {
        loop {
            if let (told, 200) = self.next_with_answer().await {
                return told;
            }
        }
    }

    async fn next_with_answer(&mut self) -> (Value, u16) {
        let (token, told, answer) = self.told.recv().await.unwrap();
        assert_eq!(token, format!("Token {TOKEN}"));
        (told, answer)
    }
}

async fn validate(headers: HeaderMap) -> Json<Value> {
    let valid = headers["authorization"] == format!("Token {TOKEN}").as_str();
    Json(if valid {
        json!({"code": 200, "valid": true, "user_name": "ada_l"})
    } else {
        json!({"code": 200, "valid": false})
    })
}

async fn submit(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(told): Json<Value>,
) -> (StatusCode, HeaderMap, Json<Value>) {
    let status = desk.answers.lock().pop_front().unwrap_or(200);
    desk.told.send((headers["authorization"].to_str().unwrap().to_owned(), told, status)).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("X-RateLimit-Reset-In", "1".parse().unwrap());
    (StatusCode::from_u16(status).unwrap(), headers, Json(json!({"status": "ok"})))
}

impl Brainz {
    fn options(&self) -> ListensOptions {
        ListensOptions {
            url: self.url.clone(),
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_millis(80),
        }
    }
}

/// A node with a song, which tells that server; and a program of Ada's.
async fn scene(brainz: &Brainz) -> (TestNode, App, String) {
    let node = TestNode::with(&[], |wish| wish.node.listens = brainz.options()).await;
    let folder = node.films().with_file_name("songs");
    std::fs::create_dir(&folder).unwrap();
    let frames =
        [("TIT2", "One"), ("TPE1", "Ann"), ("TALB", "Red"), ("TRCK", "3"), ("TXXX:MusicBrainz Track Id", RECORDING)];
    std::fs::write(folder.join("one.mp3"), tune(&frames)).unwrap();
    let mut events = node.node().events();
    let body = json!({"name": "Songs", "kind": "music", "path": folder});
    let made = node.signed_in("ada").await.post("/api/v1/libraries").json(&body).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let done = |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if made["id"] == p.library.as_str() && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    let ada = App::new(&node, "ada").await;
    let song = ada.ok("search3?query=One").await["searchResult3"]["song"][0]["id"].as_str().unwrap().to_owned();
    (node, ada, song)
}

async fn connect(node: &TestNode, token: &str) -> (u16, Value) {
    let ada = node.signed_in("ada").await;
    let answer = ada.request(Method::PUT, "/api/v1/listenbrainz").json(&json!({"token": token})).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn state(node: &TestNode) -> Value {
    node.signed_in("ada").await.get("/api/v1/listenbrainz").send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn what_somebody_hears_is_told_only_where_they_want_it() {
    let mut brainz = Brainz::start().await;
    let (node, ada, song) = scene(&brainz).await;
    ada.ok(&format!("scrobble?id={song}")).await;
    assert_eq!(state(&node).await, json!({"connected": false, "name": "", "refused": false, "waiting": 0, "told": 0}));
    assert_eq!(connect(&node, "no such token").await.0, 400);
    assert_eq!(connect(&node, "wrong").await.0, 400);
    let (status, connected) = connect(&node, TOKEN).await;
    assert_eq!((status, &connected["connected"], &connected["name"]), (200, &json!(true), &json!("ada_l")));
    ada.ok(&format!("scrobble?id={song}&submission=false")).await;
    let now = brainz.next().await;
    assert_eq!((&now["listen_type"], now["payload"][0].get("listened_at")), (&json!("playing_now"), None));
    ada.ok(&format!("scrobble?id={song}&time=1700000000999")).await;
    let told = brainz.next().await;
    let play = &told["payload"][0];
    assert_eq!((&told["listen_type"], &play["listened_at"]), (&json!("single"), &json!(1_700_000_000)), "{told}");
    let track = &play["track_metadata"];
    assert_eq!((&track["artist_name"], &track["track_name"]), (&json!("Ann"), &json!("One")));
    assert_eq!(track["release_name"], "Red");
    let more = &track["additional_info"];
    assert_eq!((&more["recording_mbid"], &more["tracknumber"]), (&json!(RECORDING), &json!(3)), "{more}");
    assert_eq!((&more["media_player"], &more["submission_client"]), (&json!("test"), &json!("Potluck")));
    // Others' plays are theirs, and so are Ada's when she takes the token back.
    node.account("ben", None).await;
    let ben = App::new(&node, "ben").await;
    ben.ok(&format!("scrobble?id={song}")).await;
    assert_eq!(
        node.signed_in("ada").await.request(Method::DELETE, "/api/v1/listenbrainz").send().await.unwrap().status(),
        204
    );
    ada.ok(&format!("scrobble?id={song}")).await;
    connect(&node, TOKEN).await;
    ada.ok(&format!("scrobble?id={song}&time=1700000001000")).await;
    assert_eq!(brainz.next().await["payload"][0]["listened_at"], 1_700_000_001, "nothing came in between");
    node.stop().await;
}

#[tokio::test]
async fn what_is_played_on_the_page_is_told_too() {
    let mut brainz = Brainz::start().await;
    let (node, app, song) = scene(&brainz).await;
    connect(&node, TOKEN).await;
    let ada = node.signed_in("ada").await;
    let tracks: Value = ada.get("/api/v1/items?kind=track").send().await.unwrap().json().await.unwrap();
    let [track] = &tracks["items"].as_array().unwrap()[..] else { panic!("{tracks}") };
    let at = async |position: f64, completed: bool| {
        let path = format!("/api/v1/items/{}/progress", track["id"].as_str().unwrap());
        let body = json!({"position": position, "completed": completed});
        assert_eq!(ada.request(Method::PUT, &path).json(&body).send().await.unwrap().status(), 204);
    };
    // What somebody is in the middle of was not heard.
    at(0.5, false).await;
    let before = Timestamp::now().as_second();
    at(1.0, true).await;
    let told = brainz.next().await;
    let play = &told["payload"][0];
    let heard_at = play["listened_at"].as_i64().unwrap();
    assert_eq!(told["listen_type"], "single", "and nothing was told before: {told}");
    assert!((before..=Timestamp::now().as_second()).contains(&heard_at), "{heard_at}");
    let metadata = &play["track_metadata"];
    assert_eq!(
        (&metadata["track_name"], &metadata["additional_info"]["media_player"]),
        (&json!("One"), &json!("Potluck"))
    );
    assert_eq!(
        app.ok(&format!("getSong?id={song}")).await["song"]["playCount"],
        1,
        "it is counted once, for all programs"
    );
    node.stop().await;
}

#[tokio::test]
async fn plays_wait_until_they_are_taken_and_over_a_restart() {
    let mut brainz = Brainz::start().await;
    let (node, ada, song) = scene(&brainz).await;
    connect(&node, TOKEN).await;
    brainz.answers(&[503, 500, 429]);
    ada.ok(&format!("scrobble?id={song}&time=1700000001000")).await;
    for _ in 0..4 {
        assert_eq!(brainz.next().await["payload"][0]["listened_at"], 1_700_000_001);
    }
    // The server is gone meanwhile, and the node starts anew.
    brainz.answers(&[503; 1000]);
    ada.ok(&format!("scrobble?id={song}&time=1700000002000")).await;
    ada.ok(&format!("scrobble?id={song}&time=1700000003000")).await;
    brainz.next().await;
    assert_eq!(state(&node).await["waiting"], 2);
    let node = node.restart_with(|options| options.listens = brainz.options()).await;
    brainz.answers.lock().clear();
    let both = brainz.taken().await;
    assert_eq!(both["listen_type"], "import");
    let times: Vec<i64> =
        both["payload"].as_array().unwrap().iter().map(|one| one["listened_at"].as_i64().unwrap()).collect();
    assert_eq!(times, [1_700_000_002, 1_700_000_003]);
    node.stop().await;
}

#[tokio::test]
async fn a_play_that_is_not_understood_is_given_up_and_a_refused_token_is_told_of() {
    let mut brainz = Brainz::start().await;
    let (node, ada, song) = scene(&brainz).await;
    connect(&node, TOKEN).await;
    brainz.answers(&[400]);
    ada.ok(&format!("scrobble?id={song}&time=1700000001000")).await;
    assert_eq!(brainz.next().await["payload"][0]["listened_at"], 1_700_000_001);
    brainz.answers(&[401]);
    ada.ok(&format!("scrobble?id={song}&time=1700000002000")).await;
    assert_eq!(brainz.next().await["payload"][0]["listened_at"], 1_700_000_002, "the other one is not told again");
    // It is asked again, and is taken.
    assert_eq!(brainz.next().await["payload"][0]["listened_at"], 1_700_000_002);
    while state(&node).await["waiting"] != 0 {}
    assert_eq!(state(&node).await["refused"], false);
    node.stop().await;
}

async fn check(node: &TestNode) -> (u16, Value) {
    let answer = node.signed_in("ada").await.post("/api/v1/listenbrainz/check").send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What is told of telling, once it is as wanted.
async fn once(node: &TestNode, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = state(node).await;
        if wanted(&state) {
            return state;
        }
    }
}

#[tokio::test]
async fn what_was_told_and_what_failed_is_shown_and_the_token_can_be_tried() {
    let mut brainz = Brainz::start().await;
    let (node, ada, song) = scene(&brainz).await;
    assert_eq!(
        check(&node).await,
        (200, json!({"connected": false, "name": "", "refused": false, "waiting": 0, "told": 0}))
    );
    connect(&node, TOKEN).await;
    let new = state(&node).await;
    assert_eq!((&new["told"], new.get("told_at"), new.get("failure")), (&json!(0), None, None));
    brainz.answers(&[503; 1000]);
    ada.ok(&format!("scrobble?id={song}&time=1700000001000")).await;
    let away = once(&node, |state| state.get("failure").is_some()).await;
    assert!(away["failure"].as_str().unwrap().contains("503") && away["failed_at"].as_i64().unwrap() > 0, "{away}");
    assert_eq!((&away["told"], &away["waiting"]), (&json!(0), &json!(1)));
    brainz.answers.lock().clear();
    brainz.taken().await;
    let told = once(&node, |state| state["waiting"] == 0).await;
    assert!(told["told"] == 1 && told["told_at"].as_i64().unwrap() > 0 && told.get("failure").is_none(), "{told}");
    // What is refused is told as that, until it is taken again.
    brainz.answers(&[401; 1000]);
    ada.ok(&format!("scrobble?id={song}&time=1700000002000")).await;
    let refused = once(&node, |state| state["refused"] == true).await;
    assert!(refused["failure"].as_str().unwrap().contains("token"), "{refused}");
    brainz.answers.lock().clear();
    let (status, checked) = check(&node).await;
    assert_eq!((status, &checked["refused"], &checked["name"]), (200, &json!(false), &json!("ada_l")));
    assert_eq!(once(&node, |state| state["waiting"] == 0).await["told"], 2, "and what waited was told at once");
    // Over a restart, at which the server is away.
    let gone = ListensOptions { url: "http://127.0.0.1:1".to_owned(), ..brainz.options() };
    let node = node.restart_with(|options| options.listens = gone).await;
    assert_eq!(state(&node).await["told"], 2);
    assert_eq!(check(&node).await.0, 503);
    assert!(state(&node).await["failure"].as_str().unwrap().contains("cannot be reached"));
    node.stop().await;
}

#[tokio::test]
async fn the_token_is_sealed_in_the_database() {
    let brainz = Brainz::start().await;
    let (node, _, _) = scene(&brainz).await;
    connect(&node, TOKEN).await;
    let data = node.data();
    node.stop().await;
    for file in ["catalog.db", "catalog.db-wal"] {
        let bytes = std::fs::read(data.join(file)).unwrap_or_default();
        assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_of() {
    let brainz = Brainz::start().await;
    let options = ListensOptions { url: "http://127.0.0.1:1".to_owned(), ..ListensOptions::default() };
    let node = TestNode::with(&[], |wish| wish.node.listens = options).await;
    let (status, problem) = connect(&node, TOKEN).await;
    assert_eq!((status, &problem["error"]), (503, &json!("unavailable")));
    assert!(!brainz.url.is_empty());
    node.stop().await;
}
