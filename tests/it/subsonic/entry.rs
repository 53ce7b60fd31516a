//! Ways of saying who one is.
use potluck::accounts::{AccountChange, Caller};
use potluck::facades::TrustedProxies;
use potluck::facades::subsonic::LoginPasswords;
use reqwest::{Client, header};
use serde_json::{Value, json};

use super::{App, app_password, tags, token};
use crate::harness::{PASSWORD, TestNode};

fn hex(text: &str) -> String {
    data_encoding::HEXLOWER.encode(text.as_bytes())
}

#[tokio::test]
async fn an_app_password_opens_in_each_way_and_a_wrong_one_in_none() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let bare = password.replace('-', "");
    for good in [
        format!("u=ada&p={password}"),
        format!("u=ADA&p={}", bare.to_uppercase()),
        format!("u=ada&p=enc:{}", hex(&password)),
        format!("u=ada&{}", token(&password, "c19b2d")),
        format!("u=ada&{}", token(&bare, "c19b2d")),
        format!("u=ada&t={}&s=c19b2d", token(&password, "c19b2d")[2..34].to_uppercase()),
        format!("apiKey={password}"),
    ] {
        let answer = App::with(&node, &good).json("ping.view").await;
        assert_eq!(answer["status"], "ok", "{good}: {answer}");
    }
    let bob = node.account("bob", None).await;
    assert_eq!(bob.name, "bob");
    let wrong = [
        (format!("u=bob&p={password}"), 40),
        (format!("u=bob&{}", token(&password, "x")), 40),
        (format!("u=ada&p={password}x"), 40),
        (format!("apiKey={password}x"), 44),
    ];
    for (bad, code) in wrong {
        assert_eq!(App::with(&node, &bad).fault("ping").await, code, "{bad}");
    }
    for (odd, code) in [
        ("u=ada", 10),
        ("", 10),
        ("u=ada&t=00", 10),
        ("p=x", 10),
        ("u=ada&p=x&t=00&s=x", 43),
        ("u=ada&apiKey=x", 43),
        ("apiKey=x&p=y", 43),
    ] {
        assert_eq!(App::with(&node, odd).fault("ping").await, code, "{odd}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_login_password_opens_where_the_connection_is_encrypted_and_its_token_sends_the_program_back_to_it() {
    let node = TestNode::with(&[], |wishes| {
        wishes.serve.facades.trusted_proxies = TrustedProxies::parse(&["127.0.0.1"]).unwrap();
    })
    .await;
    let call = |query: String, secure: bool| {
        let scheme = if secure { "https" } else { "http" };
        let url = format!("{}/rest/ping?{query}&c=test&f=json", node.url);
        async move {
            let answer = Client::new().get(url).header("x-forwarded-proto", scheme).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            answer["subsonic-response"]["error"]["code"].as_i64()
        }
    };
    let (plain, proof) = (format!("u=ada&p={}", PASSWORD.replace(' ', "+")), format!("u=ada&{}", token(PASSWORD, "x")));
    assert_eq!(call(plain.clone(), true).await, None);
    assert_eq!(call(plain.clone(), false).await, Some(40));
    assert_eq!(call(proof.clone(), true).await, Some(41));
    assert_eq!(call(proof.clone(), false).await, Some(40));
    node.stop().await;

    for (rule, wanted) in [(LoginPasswords::Always, [None, Some(41)]), (LoginPasswords::Never, [Some(40), Some(40)])] {
        let node = TestNode::with(&[], |wishes| wishes.serve.facades.login_passwords = rule).await;
        for (query, wanted) in [&plain, &proof].into_iter().zip(wanted) {
            let answer = App::with(&node, query).json("ping").await;
            assert_eq!(answer["error"]["code"].as_i64(), wanted, "{rule:?} {answer}");
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn a_header_opens_alone_and_is_no_trouble_beside() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let key =
        node.node().accounts().add_api_key(&node.node().accounts().named("ada").unwrap().id, "x").await.unwrap().1;
    let client = Client::new();
    let ping = |query: &str| client.get(format!("{}/rest/ping.view?f=json&c=x&{query}", node.url));
    let code = async |request: reqwest::RequestBuilder| {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["subsonic-response"]["error"]["code"].as_i64()
    };
    let good = format!("u=ada&{}", token(&password, "s"));
    assert_eq!(code(ping("").basic_auth("ada", Some(&password))).await, None);
    assert_eq!(code(ping("").bearer_auth(&key)).await, None);
    assert_eq!(code(ping(&good).basic_auth("ada", Some("wrong"))).await, None, "what the call says counts");
    assert_eq!(code(ping("u=ada&p=wrong").basic_auth("ada", Some(&password))).await, Some(40));
    assert_eq!(code(ping("").basic_auth("ada", Some("wrong"))).await, Some(40));
    let elsewhere = ping("").basic_auth("ada", Some(&password)).header("sec-fetch-site", "cross-site");
    assert_eq!(code(elsewhere).await, Some(50), "a browser sends it by itself");
    let elsewhere = ping(&good).header("sec-fetch-site", "cross-site").header(header::ORIGIN, "https://player.example");
    assert_eq!(code(elsewhere).await, None, "a player in a browser sends it on purpose");
    node.stop().await;
}

#[tokio::test]
async fn an_app_password_opens_nothing_else_of_the_node() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let client = Client::new();
    for path in ["/api/v1/account", "/api/v1/app-passwords", "/komga/api/v1/libraries"] {
        let url = format!("{}{path}", node.url);
        let basic = client.get(&url).basic_auth("ada", Some(&password)).send().await.unwrap();
        let bearer = client.get(&url).bearer_auth(&password).send().await.unwrap();
        let query = client.get(format!("{url}?u=ada&p={password}")).send().await.unwrap();
        let statuses = [basic, bearer, query].map(|answer| answer.status().as_u16());
        assert_eq!(statuses, [401, 401, 401], "{path}");
    }
    assert_eq!(node.browser().sign_in("ada", &password).await.status(), 401);
    node.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_what_is_right_is_not() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let guess = App::with(&node, "u=ada&p=guess");
    for _ in 0..5 {
        assert_eq!(guess.fault("ping").await, 40);
    }
    let slowed = guess.json("ping").await;
    assert_eq!(slowed["error"]["code"], 0, "{slowed}");
    assert!(slowed["error"]["message"].as_str().unwrap().contains("try again in"), "{slowed}");
    App::with(&node, &format!("u=ada&p={password}")).ok("ping").await;
    App::with(&node, &format!("u=ada&{}", token(&password, "z"))).ok("ping").await;
    node.stop().await;
}

#[tokio::test]
async fn who_was_refused_is_in_the_audit_and_secrets_are_not() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    App::with(&node, &format!("u=ada&p={password}x")).fault("getUser.view").await;
    App::with(&node, &format!("u=mallory&{}", token(&password, "pepper"))).fault("ping").await;
    App::with(&node, &format!("apiKey={password}y")).fault("ping").await;
    App::with(&node, "").fault("ping").await;
    let ada = node.signed_in("ada").await;
    let lines = loop {
        let lines: Value = ada.get("/api/v1/audit").send().await.unwrap().json().await.unwrap();
        if lines.as_array().unwrap().len() >= 4 {
            break lines;
        }
        tokio::task::yield_now().await;
    };
    let told: Vec<(Option<&str>, &str, &str)> = lines
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|line| (line["account"].as_str(), line["path"].as_str().unwrap(), line["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("ada"), "/rest/getUser.view", "wrong_password"),
            (Some("mallory"), "/rest/ping", "wrong_password"),
            (None, "/rest/ping", "wrong_password"),
            (None, "/rest/ping", "unauthenticated"),
        ]
    );
    let text = lines.to_string();
    assert!(!text.contains(&password) && !text.contains("pepper"), "{text}");
    node.stop().await;
}

#[tokio::test]
async fn app_passwords_survive_a_restart_and_end_with_the_login_password_they_were_made_under() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let query = format!("u=ada&{}", token(&password, "x"));
    App::with(&node, &query).ok("ping").await;
    let node = node.restart().await;
    App::with(&node, &query).ok("ping").await;
    let accounts = node.node().accounts();
    let ada = accounts.named("ada").unwrap().id;
    let used = accounts.app_passwords(&ada);
    assert!(used.len() == 1 && used[0].used_at.is_some());
    let change = AccountChange { password: Some("another password".into()), ..AccountChange::default() };
    accounts.update(&ada, change, &Caller::local()).await.unwrap();
    assert_eq!(App::with(&node, &query).fault("ping").await, 40);
    node.stop().await;
}

#[tokio::test]
async fn the_database_alone_tells_no_app_password() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let bare = password.replace('-', "");
    let data = node.data();
    let mut node = Some(node.halt().await);
    for file in ["catalog.db", "catalog.db-wal"] {
        let bytes = std::fs::read(data.join(file)).unwrap_or_default();
        for secret in [password.as_bytes(), bare.as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
        }
    }
    std::fs::remove_file(data.join("apps.key")).unwrap();
    let node = node.take().unwrap().wake(|_| {}).await;
    assert_eq!(
        App::with(&node, &format!("u=ada&p={password}")).fault("ping").await,
        40,
        "without its key it is worth nothing"
    );
    let ada = node.signed_in("ada").await;
    let list: Value = ada.get("/api/v1/app-passwords").send().await.unwrap().json().await.unwrap();
    let id = list[0]["id"].as_str().unwrap();
    let lost = ada.get(&format!("/api/v1/app-passwords/{id}")).send().await.unwrap();
    assert_eq!(lost.status(), 409);
    assert!(lost.json::<Value>().await.unwrap()["message"].as_str().unwrap().contains("make a new one"));
    node.stop().await;
}

#[tokio::test]
async fn what_is_known_beyond_the_old_protocol_is_told_to_anyone() {
    let node = TestNode::start(&[]).await;
    let names = [
        "apiKeyAuthentication",
        "formPost",
        "getPodcastEpisode",
        "indexBasedQueue",
        "playbackReport",
        "songLyrics",
        "topSongsByArtistId",
        "transcodeOffset",
        "transcoding",
    ];
    let wanted = json!(names.map(|name| json!({"name": name, "versions": [1]})));
    for credentials in ["", "u=ada&p=wrong", "u=ada", "apiKey=x&u=y"] {
        for call in ["getOpenSubsonicExtensions", "getOpenSubsonicExtensions.view"] {
            assert_eq!(App::with(&node, credentials).ok(call).await["openSubsonicExtensions"], wanted, "{credentials}");
        }
    }
    let answer = App::with(&node, "").get("getOpenSubsonicExtensions").await.text().await.unwrap();
    assert_eq!(tags(&answer).iter().filter(|(name, _)| name == "openSubsonicExtensions").count(), names.len());
    assert!(answer.contains("<versions>1</versions>"), "{answer}");
    node.stop().await;
}

#[tokio::test]
async fn a_key_tells_whose_it_is() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let told = App::with(&node, &format!("apiKey={password}")).ok("tokenInfo").await;
    assert_eq!(told["tokenInfo"], json!({"username": "ada"}));
    assert_eq!(App::with(&node, "apiKey=nonsense").fault("tokenInfo").await, 44);
    assert_eq!(App::with(&node, &format!("u=ada&p={password}")).fault("tokenInfo").await, 44);
    node.stop().await;
}
