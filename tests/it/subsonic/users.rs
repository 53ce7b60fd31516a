//! Accounts as the protocol has them.
use reqwest::Client;
use serde_json::{Value, json};

use super::{App, status_of};
use crate::harness::{PASSWORD, TestNode};

/// An admin at a program that has a key of the node's own API.
async fn admin(node: &TestNode) -> impl AsyncFn(&str) -> Value + use<> {
    let accounts = node.node().accounts();
    let key = accounts.add_api_key(&accounts.named("ada").unwrap().id, "test").await.unwrap().1;
    let (client, url) = (Client::new(), node.url.clone());
    async move |call: &str| {
        let joint = if call.contains('?') { '&' } else { '?' };
        let answer =
            client.get(format!("{url}/rest/{call}{joint}c=test&f=json")).bearer_auth(&key).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["subsonic-response"].take()
    }
}

#[tokio::test]
async fn an_account_sees_itself_and_a_program_is_shown_no_more_than_it_may_do() {
    let node = TestNode::start(&[]).await;
    node.account("bob", Some(vec![])).await;
    let (ada, bob, manager) = (App::new(&node, "ada").await, App::new(&node, "bob").await, admin(&node).await);
    let own = bob.ok("getUser?username=BOB").await["user"].clone();
    assert_eq!((&own["username"], &own["adminRole"], &own["folder"]), (&json!("bob"), &json!(false), &json!([])));
    assert_eq!(own.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("Role")).count(), 12);
    assert_eq!(ada.ok("getUser?username=ada").await["user"]["adminRole"], false, "not by an app password");
    let told = manager("getUser?username=ada").await;
    assert_eq!(told["user"]["adminRole"], true);
    for (call, code) in
        [("getUser?username=ada", 50), ("getUser?username=nobody", 50), ("getUser", 10), ("getUsers", 50)]
    {
        assert_eq!(bob.fault(call).await, code, "{call}");
    }
    assert_eq!(manager("getUser?username=nobody").await["error"]["code"], 70);
    let all = manager("getUsers").await["users"]["user"].clone();
    assert_eq!(
        all.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ada", "bob"]
    );
    node.stop().await;
}

#[tokio::test]
async fn an_admin_makes_changes_and_removes_accounts_but_no_app_password_does() {
    let node = TestNode::start(&[]).await;
    let (ada, manager) = (App::new(&node, "ada").await, admin(&node).await);
    let create = "createUser?username=cleo&password=enc:636c656f736563726574&email=c@example.org&adminRole=false&streamRole=false";
    for call in [create, "updateUser?username=ada&adminRole=false", "deleteUser?username=ada", "getUsers"] {
        assert_eq!(ada.fault(call).await, 50, "{call}");
    }
    assert_eq!(ada.fault("changePassword?username=ada&password=something+else").await, 50);
    assert_eq!(manager(create).await["status"], "ok");
    assert_eq!(node.browser().sign_in("cleo", "cleosecret").await.status(), 200);
    assert_eq!(
        manager("updateUser?username=cleo&maxBitRate=320&adminRole=true&password=another+secret").await["status"],
        "ok"
    );
    let cleo = manager("getUser?username=cleo").await["user"].clone();
    assert_eq!((&cleo["maxBitRate"], &cleo["adminRole"]), (&json!(320), &json!(true)));
    assert_eq!(node.browser().sign_in("cleo", "another secret").await.status(), 200);
    assert_eq!(manager("updateUser?username=cleo&maxBitRate=0").await["status"], "ok");
    assert!(manager("getUser?username=cleo").await["user"].get("maxBitRate").is_none());
    assert_eq!(manager("changePassword?username=cleo&password=enc:6120746869726420736563726574").await["status"], "ok");
    assert_eq!(node.browser().sign_in("cleo", "a third secret").await.status(), 200);
    assert_eq!(manager("deleteUser?username=cleo").await["status"], "ok");
    for (call, code) in [
        ("deleteUser?username=cleo", 70),
        ("deleteUser?username=ada", 0),
        ("createUser?username=ada&password=12345678", 0),
        ("createUser?username=dan&password=short", 0),
        ("createUser?username=dan", 10),
        ("createUser?username=dan&password=12345678&musicFolderId=7", 70),
        ("createUser?username=dan&password=12345678&musicFolderId=x", 0),
        ("updateUser?username=ada&maxBitRate=-1", 0),
        ("updateUser?username=ada&maxBitRate=9223372036854775807", 0),
    ] {
        assert_eq!(manager(call).await["error"]["code"], code, "{call}");
    }
    assert_eq!(node.browser().sign_in("ada", PASSWORD).await.status(), 200, "and nothing happened to her");
    node.stop().await;
}

#[tokio::test]
async fn nobody_without_an_account_and_no_other_does_what_admins_do() {
    let node = TestNode::start(&[]).await;
    node.account("bob", None).await;
    let (bob, nobody) = (App::new(&node, "bob").await, App::with(&node, ""));
    for call in [
        "getUsers",
        "createUser?username=x&password=12345678",
        "deleteUser?username=ada",
        "startScan",
        "updateUser?username=ada",
        "changePassword?username=ada&password=12345678",
    ] {
        assert_eq!(bob.fault(call).await, 50, "{call}");
        let answer = nobody.get(call).await.text().await.unwrap();
        assert_eq!(status_of(&answer), 401, "{call}");
    }
    let ada = App::new(&node, "ada").await;
    assert_eq!(ada.ok("startScan").await["scanStatus"], json!({"scanning": false, "count": 0, "folderCount": 0}));
    node.stop().await;
}

/// A library of music without files; its id, and its number as an account is told.
async fn music(node: &TestNode, app: &App) -> (String, i64) {
    let folder = node.data().with_file_name("music");
    std::fs::create_dir(&folder).unwrap();
    let body = json!({"name": "Music", "kind": "music", "path": folder});
    let made = node.signed_in("ada").await.post("/api/v1/libraries").json(&body).send().await.unwrap();
    let id = made.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let folders = app.ok("getMusicFolders").await["musicFolders"]["musicFolder"].clone();
    assert_eq!((folders.as_array().unwrap().len(), &folders[0]["name"]), (1, &json!("Music")), "films are none");
    (id, folders[0]["id"].as_i64().unwrap())
}

#[tokio::test]
async fn folders_are_the_libraries_of_music_that_an_account_may_see() {
    let node = TestNode::start(&[]).await;
    let (ada, manager) = (App::new(&node, "ada").await, admin(&node).await);
    let (id, number) = music(&node, &ada).await;
    assert!((1..=0x7fff_ffff).contains(&number));
    assert_eq!(ada.ok("startScan").await["scanStatus"]["folderCount"], 1);
    assert_eq!(ada.ok("getUser?username=ada").await["user"]["folder"], json!([number]));
    node.account("bob", Some(vec![node.library.clone()])).await;
    let bob = App::new(&node, "bob").await;
    assert_eq!(bob.ok("getMusicFolders").await["musicFolders"]["musicFolder"], json!([]));

    assert_eq!(manager(&format!("updateUser?username=bob&musicFolderId={number}")).await["status"], "ok");
    let libraries = node.node().accounts().named("bob").unwrap().libraries;
    assert_eq!(libraries, Some(vec![node.library.clone(), id.clone()]), "films stay as they were");
    assert_eq!(bob.ok("getMusicFolders").await["musicFolders"]["musicFolder"][0]["id"], number);
    assert_eq!(
        manager(&format!("createUser?username=cleo&password=12345678&musicFolderId={number}")).await["status"],
        "ok"
    );
    assert_eq!(node.node().accounts().named("cleo").unwrap().libraries, Some(vec![id]));
    node.stop().await;
}
