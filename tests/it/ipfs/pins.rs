//! Pinning services keep what is public here.
use std::path::PathBuf;
use std::time::Duration;

use potluck::catalog::Visibility;
use potluck::exchange::libp2p::Routing;
use potluck::node::{IpfsOptions, PinsOptions};
use reqwest::Method;
use serde_json::{Value, json};

use super::keeper::{Keeper, TOKEN};
use super::nodes::side;
use super::until;
use crate::fixtures::{film, film_mkv};
use crate::harness::{Browser, TestNode};

/// A node with a library of one film, and its admin.
async fn scene(visibility: Visibility, look_every: Duration) -> (TestNode, Browser) {
    let node = TestNode::with(&[film()], |wish| {
        wish.visibility = visibility;
        let (first_wait, longest_wait) = (Duration::from_millis(20), Duration::from_millis(80));
        let pins = PinsOptions { first_wait, longest_wait, look_every };
        wish.node.ipfs = Some(IpfsOptions { pins, ..side(Routing::Off, Vec::new()) });
    })
    .await;
    node.imported().await;
    let side = node.node().ipfs().unwrap().clone();
    let public = visibility == Visibility::Public;
    until(|| side.version() > 0 && side.library(&node.library).is_some() == public).await;
    until(|| !side.libp2p().state().listens.is_empty()).await;
    let ada = node.signed_in("ada").await;
    (node, ada)
}

const HOUR: Duration = Duration::from_secs(3600);

async fn call(ada: &Browser, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = ada.request(method, path);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// Adds the service; its path in the API.
async fn service(ada: &Browser, keeper: &Keeper) -> String {
    let new = json!({"name": "Cluster", "url": keeper.url, "token": TOKEN});
    let (status, made) = call(ada, Method::POST, "/api/v1/pin-services", Some(new)).await;
    assert_eq!(status, 201, "{made}");
    format!("/api/v1/pin-services/{}", made["id"].as_str().unwrap())
}

async fn pin(ada: &Browser, service: &str, what: Value) -> (u16, Value) {
    call(ada, Method::POST, &format!("{service}/pins"), Some(what)).await
}

async fn library(ada: &Browser) -> Value {
    let (_, all) = call(ada, Method::GET, "/api/v1/pin-services", None).await;
    all[0]["libraries"][0].clone()
}

/// Waits until the node says of the library that it is so.
async fn stands(ada: &Browser, so: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let now = library(ada).await;
            if so(&now) {
                return now;
            }
        }
    };
    tokio::time::timeout(super::PATIENCE, waiting).await.expect("it stands so")
}

async fn add_film(node: &TestNode, ada: &Browser, name: &str, film: PathBuf) {
    let before = node.node().ipfs().unwrap().library(&node.library);
    std::fs::copy(film, node.films().join(name)).unwrap();
    let scan = format!("/api/v1/libraries/{}/scan", node.library);
    assert!(call(ada, Method::POST, &scan, None).await.0 < 300);
    until(|| node.node().ipfs().unwrap().library(&node.library) != before).await;
}

#[tokio::test]
async fn a_library_is_fetched_whole_by_its_service_and_stays_pinned_as_it_changes() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Public, HOUR).await;
    let service = service(&ada, &keeper).await;
    let (status, made) = pin(&ada, &service, json!({"library": node.library})).await;
    assert_eq!((status, &made["status"], &made["name"]), (201, &json!("pinning"), &json!("Films")), "{made}");
    let first = keeper.one().await;
    let folder = node.node().ipfs().unwrap().library(&node.library).unwrap();
    assert_eq!((first.cid, &first.names[..]), (folder, &["film.mp4".to_owned()][..]));
    assert!(first.blocks >= 2);
    let address = node.node().ipfs().unwrap().libp2p().addresses()[0].clone();
    assert_eq!(first.body["origins"], json!([address]), "a service in the house is told where this node is");
    let told = stands(&ada, |now| now["status"] == "pinned").await;
    assert_eq!((&told["request_id"], &told["problem"]), (&json!(first.request), &Value::Null));
    keeper.asked();

    add_film(&node, &ada, "second.mkv", film_mkv()).await;
    until(|| keeper.pins().iter().any(|kept| kept.done && kept.names.len() == 2)).await;
    let second = keeper.one().await;
    assert!(second.request != first.request && second.names == ["film.mp4", "second.mkv"]);
    assert_eq!(
        keeper.asked()[0],
        "POST /pins/{requestid}",
        "the pin is replaced, so that the service keeps what did not change"
    );
    stands(&ada, |now| now["status"] == "pinned" && now["request_id"] == *second.request).await;

    let (_, listed) = call(&ada, Method::GET, &format!("{service}/pins"), None).await;
    assert_eq!((&listed["total"], listed["pins"].as_array().unwrap().len()), (&json!(1), 1));
    let row = &listed["pins"][0];
    assert_eq!(
        (&row["status"], &row["library"], &row["info"]["dag_size"]),
        (&json!("pinned"), &json!(node.library), &json!("7"))
    );
    let request = percent_encoding::utf8_percent_encode(&second.request, percent_encoding::NON_ALPHANUMERIC);
    assert_eq!(call(&ada, Method::DELETE, &format!("{service}/pins/{request}"), None).await.0, 204);
    assert!(keeper.pins().is_empty());
    assert_eq!(library(&ada).await, Value::Null);
    assert_eq!(call(&ada, Method::DELETE, &format!("{service}/pins/{request}"), None).await.0, 404);
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn items_and_cids_of_public_libraries_are_pinned_by_page() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Public, HOUR).await;
    let service = service(&ada, &keeper).await;
    let item = node.imported().await.remove(0);
    let (status, made) = pin(&ada, &service, json!({"item": item.id})).await;
    assert_eq!((status, &made["cid"], &made["name"]), (201, &json!(item.cid), &json!(item.title)), "{made}");
    let root = node.node().ipfs().unwrap().root().to_string();
    assert_eq!(pin(&ada, &service, json!({"cid": root, "name": "All"})).await.0, 201);
    until(|| keeper.pins().len() == 2 && keeper.pins().iter().all(|kept| kept.done)).await;
    let (_, newest) = call(&ada, Method::GET, &format!("{service}/pins?limit=1"), None).await;
    assert_eq!((&newest["total"], &newest["pins"][0]["name"]), (&json!(2), &json!("All")));
    let before = newest["pins"][0]["created"].as_str().unwrap();
    let (_, older) = call(&ada, Method::GET, &format!("{service}/pins?limit=1&before={before}"), None).await;
    assert_eq!((&older["total"], &older["pins"][0]["cid"]), (&json!(1), &json!(item.cid)));
    for wrong in ["limit=0", "limit=1001", "before=yesterday"] {
        assert_eq!(call(&ada, Method::GET, &format!("{service}/pins?{wrong}"), None).await.0, 400, "{wrong}");
    }
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn what_is_not_public_is_refused_and_no_service_hears_of_it() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Private, HOUR).await;
    let service = service(&ada, &keeper).await;
    let item = node.imported().await.remove(0);
    keeper.asked();
    let elsewhere = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    for (what, status, words) in [
        (
            json!({"library": node.library}),
            409,
            "Films is not public, and a service can fetch only what anybody may have: make",
        ),
        (json!({"item": item.id}), 409, "make the library public first"),
        (json!({"cid": item.cid}), 409, "make the library public first"),
        (json!({"cid": elsewhere}), 409, "this node has nothing of"),
        (json!({"library": "nothing"}), 404, "there is no"),
        (json!({"item": "nothing"}), 404, "there is no"),
        (json!({"cid": "nothing"}), 400, "cid: is not a CID"),
        (json!({"cid": elsewhere, "item": item.id}), 400, "one of library, item and cid is needed"),
        (json!({}), 400, "one of library, item and cid is needed"),
        (json!({"library": node.library, "name": "x".repeat(256)}), 400, "name: must have at most 255 characters"),
    ] {
        let (seen, answer) = pin(&ada, &service, what.clone()).await;
        assert!(seen == status && answer["message"].as_str().unwrap().contains(words), "{what}: {seen} {answer}");
    }
    assert_eq!(keeper.asked(), Vec::<String>::new());
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn a_service_that_is_away_or_lost_a_pin_gets_it_again_once() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Public, Duration::from_millis(200)).await;
    let service = service(&ada, &keeper).await;
    assert_eq!(pin(&ada, &service, json!({"library": node.library})).await.0, 201);
    keeper.one().await;
    stands(&ada, |now| now["status"] == "pinned").await;
    // Somebody removes it there.
    keeper.lose_all();
    keeper.one().await;
    // It fails for a while, and says so.
    keeper.down(Some((503, r#"{"error":{"reason":"MAINTENANCE","details":"back soon"}}"#)));
    let told = stands(&ada, |now| now["problem"] != Value::Null).await;
    assert_eq!(told["problem"], "Cluster failed with status 503: MAINTENANCE, back soon; try again later");
    add_film(&node, &ada, "second.mkv", film_mkv()).await;
    keeper.down(None);
    stands(&ada, |now| now["problem"] == Value::Null && now["status"] == "pinned").await;
    assert_eq!(keeper.one().await.names.len(), 2, "what came while it was away is there too");
    assert_eq!(pin(&ada, &service, json!({"library": node.library})).await.0, 409, "once is enough");
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn a_library_that_is_hidden_again_says_so_and_comes_back() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Public, HOUR).await;
    let service = service(&ada, &keeper).await;
    assert_eq!(pin(&ada, &service, json!({"library": node.library})).await.0, 201);
    stands(&ada, |now| now["status"] == "pinned").await;
    let path = format!("/api/v1/libraries/{}", node.library);
    assert_eq!(call(&ada, Method::PATCH, &path, Some(json!({"visibility": "private"}))).await.0, 200);
    let told = stands(&ada, |now| now["problem"] != Value::Null).await;
    assert!(told["problem"].as_str().unwrap().contains("is not public any more"), "{told}");
    assert_eq!(keeper.pins().len(), 1, "what was given away is not taken back behind the owner's back");
    assert_eq!(call(&ada, Method::PATCH, &path, Some(json!({"visibility": "public"}))).await.0, 200);
    stands(&ada, |now| now["problem"] == Value::Null && now["status"] == "pinned").await;
    // The library's id removes it as well.
    assert_eq!(call(&ada, Method::DELETE, &format!("{service}/pins/{}", node.library), None).await.0, 204);
    assert!(keeper.pins().is_empty());
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn what_a_service_answers_becomes_a_plain_sentence() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Public, HOUR).await;
    let service = service(&ada, &keeper).await;
    let endless = format!("[{}]", "1,".repeat(3 * 1024 * 1024));
    let deep = "[".repeat(100_000);
    for (answer, body, status, words) in [
        (401, "", 409, "Cluster does not take this node's token"),
        (403, "", 409, "Cluster does not take this node's token"),
        (402, "", 409, "without more room or money there"),
        (
            409,
            r#"{"error":{"reason":"INSUFFICIENT_FUNDS","details":"pay"}}"#,
            409,
            "money there: INSUFFICIENT_FUNDS, pay",
        ),
        (418, r#"{"error":{"reason":"TEAPOT"}}"#, 409, "Cluster refused with status 418: TEAPOT"),
        (404, "", 503, "does not answer as a pinning service does (nothing is there)"),
        (429, "", 503, "try again later"),
        (500, "<html>", 503, "Cluster failed with status 500; try again later"),
        (302, "", 503, "does not answer as a pinning service does"),
        (200, "<html>", 503, "no JSON"),
        (200, "{}", 503, "a field is missing"),
        (200, "", 503, "no JSON"),
        (200, deep.as_str(), 503, "a field is missing"),
        (200, endless.as_str(), 503, "an endless answer"),
        (
            200,
            r#"{"requestid":"","status":"queued","created":"x","pin":{"cid":"Qm"},"delegates":[]}"#,
            503,
            "a pin without an id",
        ),
    ] {
        keeper.answer_next(answer, body);
        let (seen, told) = pin(&ada, &service, json!({"library": node.library})).await;
        let message = told["message"].as_str().unwrap();
        assert!(seen == status && message.contains(words) && message.len() < 1000, "{answer}: {seen} {message}");
    }
    assert_eq!(library(&ada).await, Value::Null, "what was not taken is not followed");
    node.stop().await;
    keeper.stop().await;
}

#[tokio::test]
async fn a_service_is_added_with_a_token_that_it_takes_and_shown_without() {
    let keeper = Keeper::start().await;
    let (node, ada) = scene(Visibility::Private, HOUR).await;
    for (name, url, token, status) in [
        ("Cluster", keeper.url.as_str(), "wrong", 409),
        ("Cluster", "ftp://service.example", TOKEN, 400),
        ("Cluster", "http://ada:secret@service.example", TOKEN, 400),
        ("Cluster", "http://127.0.0.1:1", TOKEN, 503),
        ("Cluster", keeper.url.as_str(), "", 400),
        ("Cluster", keeper.url.as_str(), "a b", 400),
        ("", keeper.url.as_str(), TOKEN, 400),
    ] {
        let new = json!({"name": name, "url": url, "token": token});
        let (seen, answer) = call(&ada, Method::POST, "/api/v1/pin-services", Some(new)).await;
        assert!(seen == status && !answer.to_string().contains(TOKEN), "{name} {url}: {seen} {answer}");
    }
    let path = service(&ada, &keeper).await;
    let again = json!({"name": "cluster", "url": format!("{}/", keeper.url), "token": TOKEN});
    assert_eq!(call(&ada, Method::POST, "/api/v1/pin-services", Some(again)).await.0, 409, "the name is taken");
    let (_, all) = call(&ada, Method::GET, "/api/v1/pin-services", None).await;
    assert_eq!((&all[0]["url"], &all[0]["token_lost"]), (&json!(keeper.url), &json!(false)));
    assert!(!all.to_string().contains(TOKEN));
    let node = node.restart().await;
    for file in std::fs::read_dir(node.data()).unwrap().filter_map(|file| std::fs::read(file.unwrap().path()).ok()) {
        assert!(!file.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "it is sealed");
    }
    let ada = node.signed_in("ada").await;
    assert_eq!(call(&ada, Method::GET, &format!("{path}/pins"), None).await.0, 200, "and opened after a restart");
    assert_eq!(call(&ada, Method::DELETE, &path, None).await.0, 204);
    assert_eq!(call(&ada, Method::GET, &format!("{path}/pins"), None).await.0, 404);
    node.stop().await;
    keeper.stop().await;
}

/// What the command printed; its errors where it failed.
async fn potluck(node: &TestNode, arguments: &[&str], input: &str) -> Result<String, String> {
    use tokio::io::AsyncWriteExt as _;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_potluck"));
    command.arg("--data").arg(node.data()).args(arguments);
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[tokio::test]
async fn the_command_line_adds_services_and_pins() {
    let keeper = Keeper::start().await;
    let (node, _) = scene(Visibility::Public, HOUR).await;
    let none = potluck(&node, &["pin", "remote", "list", "cluster"], "").await.unwrap_err();
    assert!(none.contains("there is no pinning service yet"), "{none}");
    let add = ["pin", "service", "add", "Cluster", &keeper.url, "--token-stdin"];
    assert!(potluck(&node, &add, "\n").await.unwrap_err().contains("no token came"));
    assert!(potluck(&node, &add, &format!("{TOKEN}\n")).await.unwrap().starts_with("Added Cluster."));
    let added = potluck(&node, &["pin", "remote", "add", "cluster", "--library", "films"], "").await.unwrap();
    assert!(added.contains("Films  as it changes"), "{added}");
    let kept = keeper.one().await;
    let listed = potluck(&node, &["pin", "remote", "list", "cluster", "--json"], "").await.unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed[0]["request_id"], &listed[0]["status"]), (&json!(kept.request), &json!("pinned")));
    let services = potluck(&node, &["pin", "service", "list"], "").await.unwrap();
    assert!(
        services.contains(&keeper.url) && services.contains(&kept.cid.to_string()) && !services.contains(TOKEN),
        "{services}"
    );
    potluck(&node, &["pin", "remote", "remove", "cluster", "Films"], "").await.unwrap();
    assert!(keeper.pins().is_empty());
    potluck(&node, &["pin", "service", "remove", "cluster"], "").await.unwrap();
    node.stop().await;
    keeper.stop().await;
}
