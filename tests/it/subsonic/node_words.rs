//! What the node itself keeps for such programs: radio stations and messages.
use serde_json::json;

use super::App;
use crate::harness::TestNode;

#[tokio::test]
async fn stations_are_made_changed_and_removed_by_admins_and_seen_by_all() {
    let node = TestNode::start(&[]).await;
    node.account("bob", None).await;
    let (ada, bob) = (App::new(&node, "ada").await, App::new(&node, "bob").await);
    ada.ok("createInternetRadioStation?streamUrl=http://radio.example/live&name=Jazz+%26+more&homepageUrl=https://radio.example").await;
    ada.ok("createInternetRadioStation?streamUrl=http://radio.example/b&name=Blues").await;
    let stations = bob.ok("getInternetRadioStations").await["internetRadioStations"]["internetRadioStation"].clone();
    let first = stations[1]["id"].as_str().unwrap().to_owned();
    let jazz = json!({"id": first, "name": "Jazz & more", "streamUrl": "http://radio.example/live", "homePageUrl": "https://radio.example"});
    assert_eq!(stations[1], jazz);
    assert_eq!(stations[0]["name"], "Blues");
    assert!(stations[0].get("homePageUrl").is_none());

    ada.ok(&format!("updateInternetRadioStation?id={first}&streamUrl=http://radio.example/new&name=Jazz")).await;
    assert_eq!(bob.fault(&format!("deleteInternetRadioStation?id={first}")).await, 50);
    assert_eq!(bob.fault("createInternetRadioStation?streamUrl=http://a.example&name=a").await, 50);
    let node = node.restart().await;
    let ada = App::new(&node, "ada").await;
    let stations = ada.ok("getInternetRadioStations").await["internetRadioStations"]["internetRadioStation"].clone();
    assert_eq!(stations[1], json!({"id": first, "name": "Jazz", "streamUrl": "http://radio.example/new"}));
    ada.ok(&format!("deleteInternetRadioStation?id={first}")).await;
    for (call, code) in [
        (format!("deleteInternetRadioStation?id={first}"), 70),
        ("updateInternetRadioStation?id=nonsense&streamUrl=http://a.example&name=a".to_owned(), 70),
        ("createInternetRadioStation?name=a".to_owned(), 10),
        ("createInternetRadioStation?name=a&streamUrl=file:///etc/passwd".to_owned(), 0),
    ] {
        assert_eq!(ada.fault(&call).await, code, "{call}");
    }
    node.stop().await;
}

#[tokio::test]
async fn messages_are_heard_once_by_who_asks_for_those_since_the_last() {
    let node = TestNode::start(&[]).await;
    node.account("bob", None).await;
    let (ada, bob) = (App::new(&node, "ada").await, App::new(&node, "bob").await);
    ada.ok("addChatMessage?message=Dinner%3F").await;
    bob.ok("addChatMessage?message=At+eight").await;
    let heard = ada.ok("getChatMessages").await["chatMessages"]["chatMessage"].clone();
    assert_eq!((&heard[0]["username"], &heard[0]["message"]), (&json!("ada"), &json!("Dinner?")));
    let since = heard[0]["time"].as_i64().unwrap();
    let news = ada.ok(&format!("getChatMessages?since={since}")).await["chatMessages"]["chatMessage"].clone();
    assert_eq!(news, json!([{"username": "bob", "time": heard[1]["time"], "message": "At eight"}]));
    assert_eq!(ada.fault("getChatMessages?since=yesterday").await, 0);
    node.stop().await;
}
