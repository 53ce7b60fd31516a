//! Signing in: cookies, keys, Basic, limits, forged calls, proxies.
use base64_of::basic;
use potluck::accounts::{AccountChange, Caller};
use potluck::facades::TrustedProxies;
use potluck::facades::native::model::ApiKey;
use reqwest::Method;
use serde_json::json;

use crate::harness::{PASSWORD, TestNode};

mod base64_of {
    /// Value of an `Authorization` header.
    pub fn basic(name: &str, secret: &str) -> String {
        format!("Basic {}", data_encoding::BASE64.encode(format!("{name}:{secret}").as_bytes()))
    }
}

#[tokio::test]
async fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let node = TestNode::start(&[]).await;
    let answer = node.browser().sign_in("ADA", PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Secure"), "this node speaks plain HTTP: {cookie}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    node.stop().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_event_stream() {
    let node = TestNode::start(&[]).await;
    let ada = node.signed_in("ada").await;
    let mut events = ada.get("/api/v1/events").send().await.unwrap();
    assert!(events.chunk().await.unwrap().is_some(), "a first comment");
    assert_eq!(ada.post("/api/v1/logout").send().await.unwrap().status(), 204);
    while events.chunk().await.unwrap().is_some() {}
    assert_eq!(ada.status("/api/v1/account").await, 401);
    node.stop().await;
}

#[tokio::test]
async fn guessing_is_refused_after_a_few_attempts_and_says_when_to_come_back() {
    let node = TestNode::start(&[]).await;
    let guesser = node.browser();
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada", "wrong password").await.status(), 401);
    }
    let refused = guesser.sign_in("ada", PASSWORD).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    node.stop().await;
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_works_until_it_is_revoked() {
    let node = TestNode::start(&[]).await;
    let ada = node.signed_in("ada").await;
    let made = ada.post("/api/v1/api-keys").json(&json!({"name": "phone"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: ApiKey = made.json().await.unwrap();
    let key = made.key.unwrap();
    assert!(key.starts_with("pk_"));
    let listed = ada.get("/api/v1/api-keys").send().await.unwrap().text().await.unwrap();
    assert!(listed.contains("phone") && !listed.contains(&key), "{listed}");
    let phone = node.browser();
    let with_key = |path: &'static str| phone.get(path).bearer_auth(&key).send();
    assert_eq!(with_key("/api/v1/account").await.unwrap().status(), 200);
    let gone = ada.request(Method::DELETE, &format!("/api/v1/api-keys/{}", made.id)).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(with_key("/api/v1/account").await.unwrap().status(), 401);
    node.stop().await;
}

#[tokio::test]
async fn players_sign_in_by_basic_and_are_asked_to_where_browsers_are_not() {
    let node = TestNode::start(&[]).await;
    let vlc = node.browser();
    let challenged = vlc.get("/api/v1/items").header("user-agent", "VLC/3.0").send().await.unwrap();
    assert!(challenged.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    let page = vlc.get("/api/v1/items").header("user-agent", "Mozilla/5.0").send().await.unwrap();
    assert!(page.headers().get("www-authenticate").is_none());
    let ada = node.node().accounts().named("ada").unwrap();
    let (_, key) = node.node().accounts().add_api_key(&ada.id, "vlc").await.unwrap();
    for secret in [PASSWORD, &key] {
        let answer = vlc.get("/api/v1/items").header("authorization", basic("ada", secret)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let wrong = vlc.get("/api/v1/items").header("authorization", basic("ada", "wrong password")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    node.stop().await;
}

#[tokio::test]
async fn changing_calls_from_another_sites_page_are_refused() {
    let node = TestNode::start(&[]).await;
    let ada = node.signed_in("ada").await;
    let own = node.url.clone();
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 201),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", own.as_str(), 201),
    ] {
        let call = ada.post("/api/v1/api-keys").header(name, value).json(&json!({"name": "x"}));
        assert_eq!(call.send().await.unwrap().status(), status, "{name}: {value}");
    }
    let form = ada.post("/api/v1/api-keys").header("content-type", "text/plain").body("{\"name\":\"x\"}");
    assert_eq!(form.send().await.unwrap().status(), 400, "what a form can send is not taken");
    let read = ada.get("/api/v1/account").header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(read.status(), 200, "reading changes nothing");
    node.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_says_who_calls_and_how_and_a_stranger_does_not() {
    for (trusted, secure, address) in [(true, true, "192.0.2.7"), (false, false, "127.0.0.1")] {
        let node = TestNode::with(&[], |wishes| {
            let listed: &[&str] = if trusted { &["127.0.0.0/8"] } else { &[] };
            wishes.serve.facades.trusted_proxies = TrustedProxies::parse(listed).unwrap();
        })
        .await;
        let through = |request: reqwest::RequestBuilder| {
            let request = request.header("x-forwarded-for", "6.6.6.6, 192.0.2.7");
            request.header("x-forwarded-proto", "https").header("x-forwarded-host", "films.example")
        };
        let body = json!({"username": "ada", "password": PASSWORD});
        let call = through(node.browser().post("/api/v1/login").json(&body)).header("origin", "https://films.example");
        let answer = call.send().await.unwrap();
        if trusted {
            let cookie = answer.headers()["set-cookie"].to_str().unwrap();
            assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
        } else {
            assert_eq!(answer.status(), 403, "a stranger's word does not make another origin ours");
        }
        through(node.browser().get("/api/v1/account")).send().await.unwrap();
        let accounts = node.node().accounts().clone();
        node.stop().await;
        assert_eq!(accounts.audit_lines(1).await.unwrap()[0].address, address);
    }
}

#[tokio::test]
async fn access_that_is_taken_away_is_gone_for_the_next_request() {
    let node = TestNode::start(&[]).await;
    let guest = node.account("guest", None).await;
    let browser = node.signed_in("guest").await;
    let path = format!("/api/v1/libraries/{}", node.library);
    assert_eq!(browser.status(&path).await, 200);
    let none = AccountChange { libraries: Some(Some(Vec::new())), ..AccountChange::default() };
    node.node().accounts().update(&guest.id, none, &Caller::local()).await.unwrap();
    assert_eq!(browser.status(&path).await, 404);
    node.node().accounts().remove(&guest.id).await.unwrap();
    assert_eq!(browser.status("/api/v1/account").await, 401);
    node.stop().await;
}

#[tokio::test]
async fn admins_keep_accounts_and_the_last_admin_stays() {
    let node = TestNode::start(&[]).await;
    let ada = node.signed_in("ada").await;
    let new = json!({"name": "bob", "password": PASSWORD, "libraries": [node.library]});
    let bob: serde_json::Value = ada.post("/api/v1/accounts").json(&new).send().await.unwrap().json().await.unwrap();
    assert_eq!(bob["libraries"], json!([node.library]));
    assert_eq!(ada.post("/api/v1/accounts").json(&new).send().await.unwrap().status(), 409);
    let unknown = json!({"name": "eve", "password": PASSWORD, "libraries": ["nothing"]});
    assert_eq!(ada.post("/api/v1/accounts").json(&unknown).send().await.unwrap().status(), 400);
    let path = format!("/api/v1/accounts/{}", bob["id"].as_str().unwrap());
    let all = ada.request(Method::PATCH, &path).json(&json!({"libraries": null})).send().await.unwrap();
    assert_eq!(all.json::<serde_json::Value>().await.unwrap()["libraries"], json!(null));
    assert_eq!(ada.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    let own = format!("/api/v1/accounts/{}", node.node().accounts().named("ada").unwrap().id);
    assert_eq!(ada.request(Method::DELETE, &own).send().await.unwrap().status(), 409);
    let wrong = json!({"old": "not the old one", "new": "a new password"});
    assert_eq!(ada.request(Method::PUT, "/api/v1/account/password").json(&wrong).send().await.unwrap().status(), 401);
    let right = json!({"old": PASSWORD, "new": "a new password"});
    assert_eq!(ada.request(Method::PUT, "/api/v1/account/password").json(&right).send().await.unwrap().status(), 204);
    assert_eq!(ada.status("/api/v1/account").await, 200, "the session it was set from goes on");
    node.stop().await;
}
