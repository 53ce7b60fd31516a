//! App passwords on the node's own API.
use reqwest::Method;
use serde_json::{Value, json};

use super::App;
use crate::harness::{Browser, TestNode};

async fn list(browser: &Browser, path: &str) -> Value {
    browser.get(path).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn one_is_made_shown_again_to_its_owner_and_revoked() {
    let node = TestNode::start(&[]).await;
    let ada = node.signed_in("ada").await;
    let made = ada.post("/api/v1/app-passwords").json(&json!({"name": "DSub on the phone"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let (id, password) = (made["id"].as_str().unwrap(), made["password"].as_str().unwrap());
    let app = App::with(&node, &format!("u=ada&p={password}"));
    app.ok("ping").await;

    let listed = list(&ada, "/api/v1/app-passwords").await;
    assert_eq!((&listed[0]["name"], listed[0].get("password")), (&json!("DSub on the phone"), None));
    assert!(listed[0]["used_at"].is_i64());
    let path = format!("/api/v1/app-passwords/{id}");
    assert_eq!(list(&ada, &path).await["password"], password);
    node.account("bob", None).await;
    let bob = node.signed_in("bob").await;
    assert_eq!(bob.status(&path).await, 404);
    assert_eq!(bob.request(Method::DELETE, &path).send().await.unwrap().status(), 404);
    let key =
        node.node().accounts().add_api_key(&node.node().accounts().named("ada").unwrap().id, "x").await.unwrap().1;
    let by_key = node.browser().get(&path).bearer_auth(&key).send().await.unwrap();
    assert_eq!(by_key.status(), 403, "a key that is stolen shows no more than it opens");

    assert_eq!(ada.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(app.fault("ping").await, 40);
    assert_eq!(ada.status(&path).await, 404);
    for name in ["", " ", &"x".repeat(65), "a\u{7}"] {
        let refused = ada.post("/api/v1/app-passwords").json(&json!({"name": name})).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{name:?}");
    }
    node.stop().await;
}

#[tokio::test]
async fn an_admin_revokes_those_of_others_and_sees_none() {
    let node = TestNode::start(&[]).await;
    let bob = node.account("bob", None).await.id;
    let app = App::new(&node, "bob").await;
    let ada = node.signed_in("ada").await;
    let path = format!("/api/v1/accounts/{bob}/app-passwords");
    let listed = list(&ada, &path).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let id = listed[0]["id"].as_str().unwrap();
    assert!(listed[0].get("password").is_none());
    assert_eq!(ada.status(&format!("/api/v1/app-passwords/{id}")).await, 404, "it is shown to its owner alone");
    assert_eq!(node.signed_in("bob").await.status(&path).await, 403);
    assert_eq!(ada.request(Method::DELETE, &format!("{path}/{id}")).send().await.unwrap().status(), 204);
    assert_eq!(app.fault("ping").await, 40);
    assert_eq!(ada.request(Method::DELETE, &format!("{path}/{id}")).send().await.unwrap().status(), 404);
    node.stop().await;
}

#[tokio::test]
async fn there_is_an_end_of_how_many_an_account_has() {
    let node = TestNode::start(&[]).await;
    let accounts = node.node().accounts();
    let ada = accounts.named("ada").unwrap().id;
    for n in 0..50 {
        accounts.add_app_password(&ada, &n.to_string()).await.unwrap();
    }
    let refused = accounts.add_app_password(&ada, "one more").await.unwrap_err();
    assert!(refused.to_string().contains("at most 50"), "{refused}");
    node.stop().await;
}
