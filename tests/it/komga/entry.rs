//! Who may come in, and by what: each row of the contract's table of authentication.
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Reader, scene};
use crate::harness::{PASSWORD, TestNode, client};

const ME: &str = "/api/v2/users/me";

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// The value of a cookie that an answer sets.
fn cookie(answer: &Response, name: &str) -> Option<String> {
    let all = cookies(answer.headers());
    let found = all.iter().find_map(|cookie| cookie.strip_prefix(&format!("{name}=")))?;
    found.split(';').next().map(str::to_owned)
}

/// Calls with these headers and no memory of cookies.
async fn call(node: &TestNode, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut request = client.request(method, format!("{}/komga{path}", node.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn basic(password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("ada:{password}").as_bytes()))
}

async fn key(reader: &Reader) -> Value {
    let (status, key) = reader.send(Method::POST, &format!("{ME}/api-keys"), &json!({"comment": "phone"})).await;
    assert_eq!(status, 200);
    key
}

#[tokio::test]
async fn without_credentials_it_is_401_with_a_challenge_and_nobody_failed() {
    let node = TestNode::start(&[]).await;
    for _ in 0..30 {
        let answer = call(&node, Method::GET, ME, &[("user-agent", "Mozilla/5.0 TachiyomiKomga/68")]).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm=\""));
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["status"], &body["error"], &body["path"]), (&401.into(), &"Unauthorized".into(), &ME.into()));
    }
    let script = call(&node, Method::GET, ME, &[("x-requested-with", "XMLHttpRequest")]).await;
    assert_eq!((script.status().as_u16(), script.headers().get("www-authenticate")), (401, None));
    assert_eq!(Reader::new(&node).status(ME).await, 200, "none of it counts as a failed attempt");
    let accounts = node.node().accounts().clone();
    node.stop().await;
    assert_eq!(accounts.audit_lines(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_password_and_a_key_each_begin_a_session_whose_cookie_alone_goes_on() {
    let node = TestNode::start(&[]).await;
    let key = key(&Reader::new(&node)).await;
    let secret = key["key"].as_str().unwrap().to_owned();
    assert!(secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    for proof in [("authorization", basic(PASSWORD)), ("x-api-key", secret)] {
        let proof = (proof.0, proof.1.as_str());
        let first = call(&node, Method::GET, ME, &[proof]).await;
        assert_eq!(first.status(), 200);
        let set = cookies(first.headers());
        assert_eq!(set.len(), 1, "{set:?}");
        assert!(
            set[0].starts_with("KOMGA-SESSION=") && set[0].ends_with("; Path=/komga; HttpOnly; SameSite=Lax"),
            "{set:?}"
        );
        let session = format!("KOMGA-SESSION={}", cookie(&first, "KOMGA-SESSION").unwrap());
        let alone = call(&node, Method::GET, ME, &[("cookie", &session)]).await;
        assert_eq!((alone.status().as_u16(), cookies(alone.headers()).len()), (200, 0));
        let both = call(&node, Method::GET, ME, &[("cookie", &session), proof]).await;
        assert_eq!((both.status().as_u16(), cookies(both.headers()).len()), (200, 0));
        assert_eq!(both.json::<Value>().await.unwrap()["email"], "ada");
        let stale = [("cookie", "KOMGA-SESSION=of-another-komga; a=b"), proof];
        let again = call(&node, Method::GET, ME, &stale).await;
        assert_eq!(again.status(), 200);
        assert!(cookie(&again, "KOMGA-SESSION").is_some());
        let two = format!("KOMGA-SESSION=of-another-komga; {session}");
        assert_eq!(call(&node, Method::GET, ME, &[("cookie", &two)]).await.status(), 200);
    }
    let foreign = call(&node, Method::GET, ME, &[("cookie", "KOMGA-SESSION=of-another-komga")]).await;
    assert_eq!(foreign.status(), 401);
    node.stop().await;
}

#[tokio::test]
async fn wrong_credentials_are_401_and_never_open_by_their_cookie() {
    let node = TestNode::start(&[]).await;
    for proof in [
        ("authorization", basic("wrong password")),
        ("authorization", "Basic !!!".to_owned()),
        ("authorization", "Bearer nothing".to_owned()),
        ("x-api-key", "0123456789abcdef0123456789abcdef".to_owned()),
        ("x-api-key", String::new()),
    ] {
        let answer = call(&node, Method::GET, ME, &[(proof.0, &proof.1)]).await;
        assert_eq!(answer.status(), 401, "{proof:?}");
        assert_eq!(cookies(answer.headers()).len(), 0);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_session_opens_nothing_but_what_is_below_komga_and_the_pages_opens_nothing_there() {
    let node = TestNode::start(&[]).await;
    let first = call(&node, Method::GET, ME, &[("authorization", &basic(PASSWORD))]).await;
    let token = cookie(&first, "KOMGA-SESSION").unwrap();
    for name in ["KOMGA-SESSION", "potluck_session", "komga-remember-me"] {
        let answer = client().get(format!("{}/api/v1/account", node.url)).header("cookie", format!("{name}={token}"));
        assert_eq!(answer.send().await.unwrap().status(), 401, "{name}");
    }
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    let page = node.node().accounts().sign_in("ada", PASSWORD, here).await.unwrap().token;
    for name in ["KOMGA-SESSION", "potluck_session", "komga-remember-me"] {
        let cookie = format!("{name}={page}");
        assert_eq!(call(&node, Method::GET, ME, &[("cookie", &cookie)]).await.status(), 401, "{name}");
    }
    node.stop().await;
}

#[tokio::test]
async fn another_sites_page_changes_nothing_with_a_session() {
    let node = TestNode::start(&[]).await;
    let first = call(&node, Method::GET, ME, &[("authorization", &basic(PASSWORD))]).await;
    let session = format!("KOMGA-SESSION={}", cookie(&first, "KOMGA-SESSION").unwrap());
    for other in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let headers = [("cookie", session.as_str()), other];
        assert_eq!(call(&node, Method::POST, "/api/v1/series/list", &headers).await.status(), 403, "{other:?}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_header_can_stand_for_the_cookie_and_become_one() {
    let node = TestNode::start(&[]).await;
    let first = call(&node, Method::GET, ME, &[("authorization", &basic(PASSWORD)), ("x-auth-token", "")]).await;
    let token = first.headers()["x-auth-token"].to_str().unwrap().to_owned();
    assert_eq!(cookies(first.headers()).len(), 0);
    let told = [("x-auth-token", token.as_str())];
    assert_eq!(call(&node, Method::GET, ME, &told).await.status(), 200);
    let turned = call(&node, Method::GET, "/api/v1/login/set-cookie", &told).await;
    assert_eq!((turned.status().as_u16(), cookie(&turned, "KOMGA-SESSION")), (204, Some(token)));
    node.stop().await;
}

#[tokio::test]
async fn a_program_that_is_remembered_comes_in_again_after_a_restart_until_it_leaves() {
    let node = TestNode::start(&[]).await;
    let first =
        call(&node, Method::GET, &format!("{ME}?remember-me=true"), &[("authorization", &basic(PASSWORD))]).await;
    let remember = cookie(&first, "komga-remember-me").unwrap();
    assert!(cookies(first.headers()).iter().any(|cookie| cookie.contains("; Path=/komga; Max-Age=31536000; HttpOnly")));
    let node = node.restart().await;
    let cookies_sent = format!("komga-remember-me={remember}");
    let again = call(&node, Method::GET, ME, &[("cookie", &cookies_sent)]).await;
    let session = cookie(&again, "KOMGA-SESSION").unwrap();
    assert_eq!(again.status(), 200);
    let both = format!("KOMGA-SESSION={session}; {cookies_sent}");
    let left = call(&node, Method::POST, "/api/logout", &[("cookie", &both)]).await;
    assert_eq!(left.status(), 204);
    let expired = cookies(left.headers());
    assert!(expired.len() == 2 && expired.iter().all(|cookie| cookie.contains("Max-Age=0")), "{expired:?}");
    assert_eq!(call(&node, Method::GET, ME, &[("cookie", &both)]).await.status(), 401);
    assert_eq!(call(&node, Method::GET, "/api/logout", &[]).await.status(), 204, "of nobody too");
    node.stop().await;
}

#[tokio::test]
async fn a_program_without_cookies_gets_one_session_and_a_revoked_key_ends_those_it_began() {
    let node = TestNode::start(&[]).await;
    let reader = Reader::new(&node);
    let key = key(&reader).await;
    let proof = [("x-api-key", key["key"].as_str().unwrap())];
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(cookie(&call(&node, Method::GET, ME, &proof).await, "KOMGA-SESSION").unwrap());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
    let listed = reader.json(&format!("{ME}/api-keys")).await;
    assert_eq!(
        (&listed[0]["key"], &listed[0]["comment"], &listed[0]["userId"]),
        (&"******".into(), &"phone".into(), &key["userId"])
    );
    let path = format!("{ME}/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(reader.call(Method::DELETE, &path).send().await.unwrap().status(), 204);
    let session = format!("KOMGA-SESSION={}", sessions[0]);
    assert_eq!(call(&node, Method::GET, ME, &[("cookie", &session)]).await.status(), 401);
    assert_eq!(call(&node, Method::GET, ME, &proof).await.status(), 401);
    node.stop().await;
}

#[tokio::test]
async fn what_is_public_is_answered_to_anyone() {
    let node = TestNode::start(&[]).await;
    for (path, body) in [
        ("/api/v1/claim", json!({"isClaimed": true})),
        ("/api/v1/oauth2/providers", json!([])),
        ("/actuator/health", json!({"status": "UP"})),
    ] {
        let answer = call(&node, Method::GET, path, &[("accept", "text/plain;q=0.1")]).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap(), body);
    }
    let again =
        call(&node, Method::POST, "/api/v1/claim", &[("x-komga-email", "a@b"), ("x-komga-password", "x")]).await;
    assert_eq!(again.status(), 400);
    node.stop().await;
}

#[tokio::test]
async fn an_account_sees_its_own_libraries_alone_and_changes_nothing() {
    let (node, ada) = scene().await;
    node.account("ben", Some(Vec::new())).await;
    node.account("ann@example.org", None).await;
    let (ben, ann) = (Reader::named(&node, "ben"), Reader::named(&node, "ann@example.org"));
    let series = super::series_id(&ada, "Saga").await;
    assert_eq!(ben.json("/api/v1/series").await["totalElements"], 0);
    assert_eq!(ben.json("/api/v1/libraries").await, json!([]));
    assert_eq!(ben.json("/api/v1/genres").await, json!([]));
    assert_eq!(ben.status(&format!("/api/v1/series/{series}")).await, 404);
    assert_eq!(ben.json(ME).await["sharedAllLibraries"], false);
    let seen = ann.json(&format!("/api/v1/series/{series}")).await;
    assert_eq!(seen["url"], "", "where it lies is for admins");
    assert_eq!(
        ann.json(ME).await["roles"],
        json!(["USER", "FILE_DOWNLOAD", "PAGE_STREAMING", "KOBO_SYNC", "KOREADER_SYNC"])
    );
    let (status, told) =
        ann.send(Method::POST, "/api/v1/collections", &json!({"name": "x", "seriesIds": [series]})).await;
    assert_eq!((status, &told["error"]), (403, &"Forbidden".into()));
    node.stop().await;
}
