//! Links for people without an account: made by the protocol, opened by a browser.
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use potluck::accounts::{AccountChange, Caller};
use potluck::catalog::music::{Hearer, Share};
use potluck::facades::TrustedProxies;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::App;
use super::music::{each, songs, text, with_music};
use super::schema::Specification;
use crate::harness::{TestNode, Wishes};

/// A share of an album of two songs, and its link.
async fn shared(node: &TestNode, app: &App) -> (Value, String) {
    let album = text(&songs(app, "Red").await[0], "albumId");
    let made = app.ok(&format!("createShare?id={album}&description=for%20Ben%20%3Cb%3E")).await;
    let share = made["shares"]["share"][0].clone();
    let link = text(&share, "url");
    assert!(link.starts_with(&node.url), "{link}");
    (share, link)
}

/// Somebody without an account.
async fn visit(url: &str) -> Response {
    Client::new().get(url).header("accept", "text/html,*/*").send().await.unwrap()
}

async fn status(url: &str) -> u16 {
    visit(url).await.status().as_u16()
}

async fn started(wish: impl FnOnce(&mut Wishes)) -> (TestNode, String, App) {
    let node = TestNode::with(&[], wish).await;
    let library = with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    (node, library, ada)
}

#[tokio::test]
async fn whoever_has_the_link_sees_and_hears_the_songs_and_nothing_else() {
    let (node, _, ada) = started(|_| {}).await;
    let (share, link) = shared(&node, &ada).await;
    assert_eq!(each(&share["entry"], "title"), ["First", "Second"]);
    let page = visit(&link).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert_eq!((page.status().as_u16(), &page.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    for shown in
        ["<h1>Red</h1>", "<b>First</b>", "<i>Ann</i>", "<b>Second</b>", "for Ben &lt;b&gt;", "data-type=\"audio/mpeg\""]
    {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(!html.contains("Third") && !html.contains("://"), "nothing else, and nothing from other hosts");

    let file = fs::read(node.data().with_file_name("music").join("Ann/Red/1.mp3")).unwrap();
    let song = html.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let base = link.rsplit_once('/').unwrap().0;
    let address = format!("{base}/{song}");
    assert_eq!(visit(&address).await.bytes().await.unwrap(), file);
    let part = Client::new().get(&address).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, &file[10..20]));
    let sound = visit(&address.replace("/file", "/sound")).await;
    assert_eq!((sound.status().as_u16(), &sound.headers()["content-type"]), (200, &"audio/mpeg".parse().unwrap()));
    assert_ne!(sound.bytes().await.unwrap(), file);
    let cover = visit(&address.replace("/file", "/cover")).await;
    assert_eq!(cover.headers()["content-type"], "image/jpeg");

    let other = text(&songs(&ada, "Blue").await[0], "id").replace("tr-", "");
    let id = text(&share, "id");
    for wrong in [
        format!("{link}/{other}/file"),
        format!("{link}/{other}/sound"),
        format!("{link}/{other}/cover"),
        format!("{link}/99999/file"),
        format!("{link}/x/file"),
        format!("{}x", link),
        format!("{}/share/{}", node.url, &id[1..]),
        format!("{}/share/%00", node.url),
        format!("{}/share/{}", node.url, "a".repeat(5000)),
    ] {
        assert_eq!(status(&wrong).await, 404, "{wrong}");
    }
    let gone = visit(&format!("{link}x")).await;
    assert!(gone.text().await.unwrap().contains("There is nothing behind this link"), "people are told in words");
    node.stop().await;
}

#[tokio::test]
async fn visits_are_counted_and_a_share_is_changed_and_taken_back_by_its_owner_alone() {
    let (node, library, ada) = started(|_| {}).await;
    node.account("ben", Some(vec![library])).await;
    let ben = App::new(&node, "ben").await;
    let (share, link) = shared(&node, &ada).await;
    let id = text(&share, "id");
    assert_eq!((&share["visitCount"], share.get("lastVisited"), share.get("expires")), (&json!(0), None, None));
    status(&link).await;
    status(&link).await;
    assert_eq!(Client::new().head(&link).send().await.unwrap().status(), 200);
    let listed = ada.ok("getShares").await["shares"]["share"][0].clone();
    assert_eq!((&listed["visitCount"], &listed["username"]), (&json!(2), &json!("ada")), "to look is no visit");
    assert!(listed["lastVisited"].is_string());
    if let Some(specification) = Specification::read() {
        let answer = json!({"subsonic-response": ada.ok("getShares").await});
        assert_eq!(specification.faults("getShares", &answer).unwrap(), Vec::<String>::new());
    }

    assert!(ben.ok("getShares").await["shares"]["share"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(ben.fault(&format!("updateShare?id={id}&description=x")).await, 70);
    assert_eq!(ben.fault(&format!("deleteShare?id={id}")).await, 70);
    ada.ok(&format!("updateShare?id={id}&description=new&expires=4102444800000")).await;
    let changed = ada.ok("getShares").await["shares"]["share"][0].clone();
    assert_eq!((&changed["description"], &changed["expires"]), (&json!("new"), &json!("2100-01-01T00:00:00Z")));
    ada.ok(&format!("updateShare?id={id}&expires=0")).await;
    let changed = ada.ok("getShares").await["shares"]["share"][0].clone();
    assert_eq!((&changed["description"], changed.get("expires")), (&json!("new"), None));
    assert_eq!(ada.fault(&format!("updateShare?id={id}&expires=-5")).await, 0);
    ada.ok(&format!("deleteShare?id={id}")).await;
    assert_eq!(status(&link).await, 404);
    assert_eq!(ada.fault(&format!("deleteShare?id={id}")).await, 70);
    for (call, code) in [("createShare", 10), ("createShare?id=tr-99999", 70), ("createShare?id=x", 70)] {
        assert_eq!(ada.fault(call).await, code, "{call}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_shows_what_its_owner_may_see() {
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
    let time = Arc::clone(&clock);
    let (node, library, _) =
        started(|wishes| wishes.node.accounts.clock = Arc::new(move || time.load(Ordering::Relaxed))).await;
    let account = node.account("ben", Some(vec![library.clone()])).await.id;
    let ben = App::new(&node, "ben").await;
    let (share, link) = shared(&node, &ben).await;
    let song = format!("{link}/{}/file", text(&share["entry"][0], "id").replace("tr-", ""));
    ben.ok(&format!("updateShare?id={}&expires=1700000060000", text(&share, "id"))).await;
    assert_eq!((status(&link).await, status(&song).await), (200, 200));
    clock.fetch_add(60_000, Ordering::Relaxed);
    assert_eq!((status(&link).await, status(&song).await), (404, 404));
    ben.ok(&format!("updateShare?id={}&expires=0", text(&share, "id"))).await;
    assert_eq!((status(&link).await, status(&song).await), (200, 200));

    let see = async |libraries: Vec<String>| {
        let change = AccountChange { libraries: Some(Some(libraries)), ..AccountChange::default() };
        node.node().accounts().update(&account, change, &Caller::local()).await.unwrap();
    };
    see(Vec::new()).await;
    assert_eq!((status(&link).await, status(&song).await), (404, 404));
    see(vec![library.clone()]).await;
    assert_eq!((status(&link).await, status(&song).await), (200, 200));
    node.node().accounts().remove(&account).await.unwrap();
    assert_eq!((status(&link).await, status(&song).await), (404, 404));
    node.stop().await;
}

#[tokio::test]
async fn all_that_has_songs_can_be_shared_and_the_link_is_that_of_the_proxy() {
    let (node, _, ada) =
        started(|wishes| wishes.serve.facades.trusted_proxies = TrustedProxies::parse(&["127.0.0.1"]).unwrap()).await;
    let red = songs(&ada, "Red").await;
    let list = ada.ok(&format!("createPlaylist?name=Mine&songId={0}&songId={0}", text(&red[1], "id"))).await;
    let top = ada.ok("getIndexes").await["indexes"]["index"].clone();
    let folder = |name: &str| {
        let all = top.as_array().unwrap().iter().flat_map(|letter| letter["artist"].as_array().unwrap());
        text(all.into_iter().find(|folder| folder["name"] == name).unwrap(), "id")
    };
    for (id, titles) in [
        (text(&red[0], "id"), vec!["First"]),
        (text(&list["playlist"], "id"), vec!["Second", "Second"]),
        (text(&red[0], "artistId"), vec!["First", "Second", "Third"]),
        (folder("Ann"), vec!["Third", "First", "Second"]),
        (format!("{}&id={}&id=al-99999", text(&red[1], "id"), folder("hits")), vec!["Second", "x", "y"]),
    ] {
        let made = ada.ok(&format!("createShare?id={id}")).await;
        assert_eq!(each(&made["shares"]["share"][0]["entry"], "title"), titles, "{id}");
    }
    let url = ada.get(&format!("createShare?id={}&f=json", text(&red[0], "id"))).await.url().clone();
    let told =
        [("x-forwarded-proto", "https"), ("x-forwarded-host", "music.example"), ("x-forwarded-prefix", "/potluck")];
    let request = told.iter().fold(Client::new().get(url), |request, (name, value)| request.header(*name, *value));
    let made: Value = request.send().await.unwrap().json().await.unwrap();
    let share = &made["subsonic-response"]["shares"]["share"][0];
    assert_eq!(text(share, "url"), format!("https://music.example/potluck/share/{}", text(share, "id")));
    node.stop().await;
}

#[tokio::test]
async fn who_asks_without_measure_has_to_wait() {
    let node = TestNode::start(&[]).await;
    let client = Client::new();
    let ask = || async { client.get(format!("{}/share/nothing", node.url)).send().await.unwrap().status().as_u16() };
    let mut seen = Vec::new();
    while seen.last() != Some(&429) {
        seen.push(ask().await);
        assert!(seen.len() < 100_000, "nobody is ever refused");
    }
    assert!(seen.len() > 200 && seen[..200].iter().all(|status| *status == 404));
    node.stop().await;
}

#[tokio::test]
async fn where_links_are_forbidden_none_is_made_and_none_leads_anywhere() {
    let (node, _, ada) = started(|_| {}).await;
    let (share, link) = shared(&node, &ada).await;
    let id = text(&share, "id");
    assert_eq!(status(&link).await, 200);
    node.stop().await;
    let (node, _, ada) = started(|wishes| wishes.serve.facades.no_shares = true).await;
    let song = text(&songs(&ada, "Red").await[0], "id");
    for call in [
        "getShares".to_owned(),
        format!("createShare?id={song}"),
        format!("updateShare?id={id}"),
        format!("deleteShare?id={id}"),
    ] {
        assert_eq!(ada.fault(&call).await, 50, "{call}");
    }
    assert_eq!(ada.ok("getUser?username=ada").await["user"]["shareRole"], false);
    // One that was made while it was allowed.
    let accounts = node.node().accounts();
    let kept = Share {
        id: id.clone(),
        owner: accounts.named("ada").unwrap().id,
        description: String::new(),
        created_at: accounts.now(),
        expires_at: None,
        visited_at: None,
        visits: 0,
        tracks: vec![song.replace("tr-", "").parse().unwrap()],
    };
    let libraries = node.node().catalog().own_libraries().await.unwrap();
    let hearer =
        Hearer { account: kept.owner.clone(), libraries: libraries.into_iter().map(|library| library.id).collect() };
    node.node().catalog().add_share(hearer, kept).await.unwrap();
    assert_eq!(status(&format!("{}/share/{id}", node.url)).await, 404);
    node.stop().await;
}
