//! Who may call what: every route of the table, with no account, without access, with access, as admin.
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use potluck::accounts::{AccountChange, AuditLine, Caller, FriendChange, NewFriend};
use potluck::catalog::Visibility;
use potluck::exchange::libp2p::Routing;
use potluck::exchange::{Body, Responder};
use potluck::facades::{NodeRouter, Policy, Reach, Route, table};
use reqwest::{Client, Method};

use crate::comics::comic;
use crate::fixtures::film;
use crate::harness::{TestNode, Wishes, links};
use crate::ipfs::nodes::side as ipfs_side;
use crate::{komga, subsonic};

/// A UUID that names nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

struct Scene {
    node: TestNode,
    client: Client,
    item: String,
    cid: String,
    /// A library of comics, a series and a book in it.
    comics: [String; 3],
    /// A share and a song of it.
    share: (String, String),
    /// API keys of someone without access, someone with access, an admin.
    keys: [String; 3],
}

impl Scene {
    async fn new() -> Self {
        let wish = |wishes: &mut Wishes| {
            wishes.node.links = Some(links("ada's"));
            wishes.node.ipfs = Some(ipfs_side(Routing::Off, Vec::new()));
        };
        let node = TestNode::with(&[film()], wish).await;
        let item = node.imported().await.remove(0);
        let ada = node.node().accounts().named("ada").unwrap().id;
        let out = node.account("out", Some(Vec::new())).await.id;
        let guest = node.account("guest", Some(vec![node.library.clone()])).await.id;
        let mut keys = Vec::new();
        for id in [out, guest, ada] {
            keys.push(node.node().accounts().add_api_key(&id, "test").await.unwrap().1);
        }
        let keys = keys.try_into().unwrap();
        let comics = [NOTHING; 3].map(str::to_owned);
        // Without cookies: nobody shall come in with what another caller was given.
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let share = (NOTHING.to_owned(), "1".to_owned());
        Self { node, client, item: item.id, cid: item.cid.unwrap(), comics, share, keys }
    }

    /// Adds a library of comics, which the second account may see too.
    async fn with_comics(self) -> Self {
        let (library, series, book) = komga::library(&self.node, &[("Saga/Saga 1.cbz", comic(1))]).await;
        let accounts = self.node.node().accounts();
        let guest = accounts.named("guest").unwrap().id;
        let both = Some(vec![self.node.library.clone(), library.clone()]);
        let change = AccountChange { libraries: Some(both), ..AccountChange::default() };
        accounts.update(&guest, change, &Caller::local()).await.unwrap();
        Self { comics: [library, series, book], ..self }
    }

    /// Adds a library of music, of which a song is shared by a link.
    async fn with_share(self) -> Self {
        Self { share: subsonic::share(&self.node).await, ..self }
    }

    /// The path with real ids; one that names nothing where the call would take things away from under the test.
    fn path(&self, route: &Route, harmless: bool) -> String {
        let id = match route.path {
            p if p.starts_with("/api/v1/libraries/") => self.node.library.as_str(),
            p if p.starts_with("/api/v1/items/") => self.item.as_str(),
            p if p.starts_with("/komga/") && p.contains("/libraries/{id}") => self.comics[0].as_str(),
            p if p.starts_with("/komga/") && p.contains("/series/{id}") => self.comics[1].as_str(),
            p if p.starts_with("/komga/") && p.contains("/books/{id}") => self.comics[2].as_str(),
            p if p.starts_with("/share/") => self.share.0.as_str(),
            _ => NOTHING,
        };
        let number = if route.path.starts_with("/share/") { self.share.1.as_str() } else { "1" };
        let harmless_end = ["/read-progress", "/star", "/rating"].iter().any(|end| route.path.ends_with(end));
        let removes = route.method == Method::DELETE && !harmless_end;
        let id = if harmless && removes { NOTHING } else { id };
        let file = if route.path.contains("/hls/{rendition}") { "index.m3u8" } else { "x" };
        let path = route.path.replace("{id}", id).replace("{rendition}", "v0").replace("{file}", file);
        let path = path.replace("{cid}", &self.cid).replace("{*path}", "some/path");
        let path = path
            .replace("{track}", "s9.vtt")
            .replace("{stream}", "9")
            .replace("{sprite}", "0.jpg")
            .replace("{number}", number)
            .replace("{book}", NOTHING)
            .replace("{hash}", NOTHING)
            .replace("{request_id}", NOTHING)
            .replace("{app}", NOTHING)
            .replace("{method}", "ping")
            .replace("{thumbnail}", NOTHING)
            .replace("{*resource}", "some/file")
            .replace("{width}", "300")
            .replace("{height}", "300")
            .replace("{name}", "k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r")
            .replace("{tone}", "90")
            .replace("{grey}", "true");
        match path.as_str() {
            p if p.ends_with("/segments") => format!("{path}?from=0&count=1"),
            p if p.ends_with("/pages/blocks") => format!("{path}?from=1&count=1"),
            _ => path,
        }
    }

    async fn call(&self, route: &Route, key: Option<&str>) -> (u16, bytes::Bytes) {
        let harmless = key == Some(&self.keys[2]);
        // Readers of Kobo's bring their key in the path.
        let path = self.path(route, harmless).replace("{key}", key.unwrap_or("none"));
        let url = format!("{}{path}", self.node.url);
        let mut request = self.client.request(route.method.clone(), url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if route.method != Method::GET && route.method != Method::DELETE {
            request = request.header("content-type", "application/json").body("{}");
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let endless = route.path.ends_with("/v1/events") && status == 200;
        let body = if endless { bytes::Bytes::new() } else { answer.bytes().await.unwrap() };
        (meant(route, status, &body), body)
    }
}

/// What an answer means: some programs are told what was wrong with status 200.
fn meant(route: &Route, status: u16, body: &[u8]) -> u16 {
    match route.path.starts_with("/rest/") && status == 200 {
        true => subsonic::status_of(std::str::from_utf8(body).unwrap()),
        false => status,
    }
}

#[tokio::test]
async fn every_route_answers_each_caller_as_its_policy_says() {
    let scene = Scene::new().await.with_comics().await.with_share().await;
    let [out, guest, admin] = scene.keys.each_ref().map(|key| Some(key.as_str()));
    let mut wrong = Vec::new();
    for route in table() {
        let mut seen = Vec::new();
        for key in [None, out, guest, admin] {
            seen.push(scene.call(&route, key).await.0);
        }
        // Allowed means past the policy: what the handler then says of an empty body or a ghost is its own.
        let allowed = |status: u16| status != 401 && status != 403;
        // Some things below a visible item or CID are not there.
        let there = |status: u16| {
            let absent = [
                "/backdrop",
                "/pages",
                "/pages/blocks",
                "/pages/{number}",
                "{*path}",
                "{track}",
                "{stream}",
                "{sprite}",
                "/thumbnails.vtt",
            ]
            .iter()
            .any(|end| route.path.ends_with(end));
            // A book alone in its series has none beside it, nobody put up a cover, a comic has no files for readers of EPUB and is nothing
            // for a Kobo.
            let beside = ["/previous", "/next", "/{thumbnail}", "/resource/{*resource}"]
                .iter()
                .any(|end| route.path.ends_with(end));
            let prose = route.path.starts_with("/komga/kobo/");
            allowed(status) && (absent && !route.path.starts_with("/komga/") || beside || prose || status != 404)
        };
        let right = match route.policy {
            Policy::Public => seen.iter().all(|status| allowed(*status)),
            // Nobody knows this name, whoever asks.
            Policy::Name => seen == [404; 4],
            Policy::Link => seen == [200; 4],
            Policy::Account => seen[0] == 401 && seen[1..].iter().all(|status| allowed(*status)),
            Policy::Admin | Policy::Metrics => seen[..3] == [401, 403, 403] && allowed(seen[3]),
            Policy::Library | Policy::Item | Policy::Holder => {
                seen[..2] == [401, 404] && there(seen[2]) && there(seen[3])
            }
            Policy::Content => seen[..2] == [404, 404] && there(seen[2]) && there(seen[3]),
        };
        if !right || seen.iter().any(|status| *status >= 500) {
            wrong.push(format!("{} {} is {:?} but answered {seen:?}", route.method, route.path, route.policy));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scene.node.stop().await;
}

/// Calls a route as the node with this key, the way a carrier does.
async fn call_as_node(scene: &Scene, router: &NodeRouter, route: &Route, endpoint: &str) -> u16 {
    call_for(scene, router, route, endpoint, None).await
}

/// The same for one of that node's people.
async fn call_for(scene: &Scene, router: &NodeRouter, route: &Route, endpoint: &str, person: Option<&str>) -> u16 {
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    let caller = scene.node.node().accounts().by_endpoint(endpoint, here);
    let body = Body::new(Full::from("{}").map_err(|never| match never {}));
    let request =
        http::Request::builder().method(route.method.clone()).uri(scene.path(route, false).replace("{key}", "none"));
    let mut request = request.header("content-type", "application/json").body(body).unwrap();
    if let Some(name) = person {
        request.headers_mut().insert("potluck-for", name.parse().unwrap());
    }
    let answer = router.respond(caller, request).await;
    let status = answer.status().as_u16();
    match route.path.starts_with("/rest/") {
        true => meant(route, status, &answer.into_body().collect().await.unwrap().to_bytes()),
        false => status,
    }
}

#[tokio::test]
async fn what_is_for_some_of_a_friends_people_is_there_when_its_node_asks_for_one_of_them_and_else_not() {
    let scene = Scene::new().await;
    let (router, accounts) = (NodeRouter::local(scene.node.node().clone()), scene.node.node().accounts());
    let new = NewFriend { name: "near".into(), endpoint: "near".into(), addresses: vec![] };
    let friend = accounts.add_friend(new).await.unwrap();
    let library = scene.node.library.clone();
    let people = [(library.clone(), Some(vec!["anna".to_owned()]))].into();
    let change = FriendChange { libraries: Some(vec![library]), people, ..FriendChange::default() };
    accounts.update_friend(&friend.id, change).await.unwrap();
    let mut wrong = Vec::new();
    for route in table().into_iter().filter(|route| route.reach == Reach::Friends) {
        let mut seen = Vec::new();
        for person in [None, Some("ben"), Some("anna")] {
            seen.push(call_for(&scene, &router, &route, "near", person).await);
        }
        let right = match route.policy {
            Policy::Account => seen[0] != 401,
            _ => seen[..2] == [404, 404] && seen[2] != 401 && seen[2] != 403,
        };
        if !right {
            wrong.push(format!("{} {} answered {seen:?}", route.method, route.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scene.node.stop().await;
}

#[tokio::test]
async fn a_friends_node_may_call_what_is_for_friends_within_its_shares_and_a_stranger_nothing() {
    let scene = Scene::new().await;
    let (router, accounts) = (NodeRouter::local(scene.node.node().clone()), scene.node.node().accounts());
    for (name, shared) in [("near", vec![scene.node.library.clone()]), ("far", vec![]), ("off", vec![])] {
        let new = NewFriend { name: name.into(), endpoint: name.into(), addresses: vec![] };
        let friend = accounts.add_friend(new).await.unwrap();
        let change = FriendChange { libraries: Some(shared), enabled: Some(name != "off"), ..FriendChange::default() };
        accounts.update_friend(&friend.id, change).await.unwrap();
    }
    let mut wrong = Vec::new();
    for route in table() {
        let mut seen = Vec::new();
        for endpoint in ["stranger", "off", "far", "near"] {
            seen.push(call_as_node(&scene, &router, &route, endpoint).await);
        }
        let allowed = |status: u16| status != 401 && status != 403;
        let right = match (route.reach, route.policy) {
            (Reach::Home, _) => seen == [401, 401, 403, 403],
            (Reach::Friends, Policy::Library | Policy::Item | Policy::Holder | Policy::Content) => {
                seen[..3] == [401, 401, 404] && allowed(seen[3])
            }
            (Reach::Friends, Policy::Account) => seen[..2] == [401, 401] && seen[2..].iter().all(|s| allowed(*s)),
            // Past the policy: an empty body is no invite.
            (Reach::Strangers, Policy::Public) => seen.iter().all(|status| *status == 400),
            _ => false,
        };
        if !right {
            wrong.push(format!("{} {} is for {:?} but answered {seen:?}", route.method, route.path, route.reach));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scene.node.stop().await;
}

#[tokio::test]
async fn what_is_hidden_is_told_exactly_as_what_does_not_exist() {
    let scene = Scene::new().await;
    let out = &scene.keys[0];
    let none = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    for (hidden, absent) in [
        (format!("/api/v1/items/{}", scene.item), format!("/api/v1/items/{NOTHING}")),
        (format!("/api/v1/items/{}/file", scene.item), format!("/api/v1/items/{NOTHING}/file")),
        (format!("/api/v1/libraries/{}", scene.node.library), format!("/api/v1/libraries/{NOTHING}")),
        (format!("/api/v1/items?library={}", scene.node.library), format!("/api/v1/items?library={NOTHING}")),
        (format!("/ipfs/{}", scene.cid), format!("/ipfs/{none}")),
    ] {
        let mut answers = Vec::new();
        for path in [&hidden, &absent] {
            let url = format!("{}{path}", scene.node.url);
            let answer = scene.client.get(url).bearer_auth(out).send().await.unwrap();
            let mut headers: Vec<_> = answer.headers().iter().map(|(n, v)| (n.clone(), v.clone())).collect();
            headers.retain(|(name, _)| name != "date");
            answers.push((answer.status(), headers, answer.bytes().await.unwrap()));
        }
        assert_eq!(answers[0], answers[1], "{hidden}");
        assert_eq!(answers[0].0, 404);
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn lists_hold_only_what_the_caller_may_see() {
    let scene = Scene::new().await;
    for (key, count) in [(&scene.keys[0], 0), (&scene.keys[1], 1), (&scene.keys[2], 1)] {
        for path in ["/api/v1/items", "/api/v1/libraries"] {
            let url = format!("{}{path}", scene.node.url);
            let list: serde_json::Value =
                scene.client.get(url).bearer_auth(key).send().await.unwrap().json().await.unwrap();
            let items = list.get("items").unwrap_or(&list).as_array().unwrap();
            assert_eq!(items.len(), count, "{path}");
        }
    }
    let url = format!("{}/api/v1/items/{}", scene.node.url, scene.item);
    for (key, path) in [(&scene.keys[1], false), (&scene.keys[2], true)] {
        let item: serde_json::Value =
            scene.client.get(&url).bearer_auth(key).send().await.unwrap().json().await.unwrap();
        assert_eq!(item["files"][0].get("path").is_some(), path, "paths are for admins");
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn content_of_a_public_library_is_for_everyone_who_knows_its_cid() {
    let node = TestNode::with(&[film()], |wishes| wishes.visibility = Visibility::Public).await;
    let item = node.imported().await.remove(0);
    let (nobody, cid) = (node.browser(), item.cid.unwrap());
    let answer = nobody.get(&format!("/ipfs/{cid}?format=raw")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(nobody.status(&format!("/api/v1/items/{}", item.id)).await, 401, "its entry is not");
    node.stop().await;
}

#[tokio::test]
async fn tricks_in_ids_and_paths_name_nothing() {
    let node = TestNode::start(&[film()]).await;
    let item = node.imported().await.remove(0).id;
    let ada = node.signed_in("ada").await;
    let long = "a".repeat(5000);
    let tricks =
        ["..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "a%00b", "%ff", "..%5c..", "a%2fb", " ", "%", &long];
    for trick in tricks {
        for path in [
            format!("/api/v1/items/{trick}"),
            format!("/api/v1/items/{trick}/file"),
            format!("/api/v1/items/{trick}/poster"),
            format!("/api/v1/items/{item}/hls/{trick}/index.m3u8"),
            format!("/api/v1/items/{item}/hls/v0/{trick}"),
            format!("/api/v1/items/{item}/renditions/{trick}/segments?from=0"),
            format!("/api/v1/libraries/{trick}"),
            format!("/api/v1/api-keys/{trick}"),
            format!("/ipfs/{trick}"),
            format!("/ipfs/{trick}/x"),
            format!("/assets/{trick}"),
        ] {
            let status = raw_status(&node, &ada_cookie(&node).await, &path).await;
            assert!([400, 404, 405].contains(&status), "{path}: {status}");
        }
    }
    assert_eq!(ada.status("/healthz").await, 200);
    node.stop().await;
}

/// The path as it is written, which a URL library would tidy.
async fn raw_status(node: &TestNode, cookie: &str, path: &str) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(node.service.address()).await.unwrap();
    let path = path.replace(' ', "%20");
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let line = String::from_utf8_lossy(&answer[..answer.len().min(16)]).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{path}: {line:?}"))
}

async fn ada_cookie(node: &TestNode) -> String {
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    let signed_in = node.node().accounts().sign_in("ada", crate::harness::PASSWORD, here).await.unwrap();
    format!("potluck_session={}", signed_in.token)
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told_in_json() {
    let node = TestNode::start(&[]).await;
    let nobody = node.browser();
    for (method, path, status, word) in [
        (Method::GET, "/api/v1/nothing", 404, "not_found"),
        (Method::GET, "/api", 404, "not_found"),
        (Method::GET, "/ipfs", 404, "not_found"),
        (Method::GET, "/assets/gone.js", 404, "not_found"),
        (Method::DELETE, "/api/v1/items", 405, "method_not_allowed"),
        (Method::POST, "/healthz", 405, "method_not_allowed"),
        (Method::GET, "/api/v1/items", 401, "unauthenticated"),
    ] {
        let answer = nobody.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["error"], word, "{path}");
    }
    let page = nobody.get("/films/some/deep/link").send().await.unwrap();
    assert_eq!(page.status(), 200, "the page reads its own paths");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    node.stop().await;
}

#[tokio::test]
async fn each_refused_call_leaves_a_line_and_what_is_not_there_does_not() {
    let scene = Scene::new().await;
    let call = |path: String, key: Option<&str>| {
        let request = scene.client.get(format!("{}{path}", scene.node.url));
        let request = if let Some(key) = key { request.bearer_auth(key) } else { request };
        async move { request.send().await.unwrap() }
    };
    call("/api/v1/account?secret=1".into(), None).await;
    call("/api/v1/accounts".into(), Some(&scene.keys[1])).await;
    call(format!("/api/v1/items/{}", scene.item), Some(&scene.keys[0])).await;
    call(format!("/api/v1/items/{NOTHING}"), Some(&scene.keys[0])).await;
    scene.node.browser().sign_in("ada", "wrong password").await;
    let accounts = scene.node.node().accounts().clone();
    scene.node.stop().await;
    let told: Vec<AuditLine> = accounts.audit_lines(10).await.unwrap();
    let mut seen: Vec<(Option<&str>, u16, &str)> =
        told.iter().map(|line| (line.account.as_deref(), line.status, line.path.as_str())).collect();
    seen.reverse();
    let item = format!("/api/v1/items/{}", scene.item);
    assert_eq!(
        seen,
        [
            (None, 401, "/api/v1/account"),
            (Some("guest"), 403, "/api/v1/accounts"),
            (Some("out"), 404, item.as_str()),
            (Some("ada"), 401, "/api/v1/login"),
        ]
    );
    assert!(told.iter().all(|line| line.address == "127.0.0.1" && line.at > 0));
}
