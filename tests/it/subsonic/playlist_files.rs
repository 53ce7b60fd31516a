//! Playlists that lie in a library as files.
use std::fs;

use potluck::library::ScanState;
use potluck::node::NodeEvent;
use serde_json::{Value, json};

use super::App;
use super::music::{each, text, with_music};
use crate::harness::TestNode;
use crate::tunes::of_album;

async fn scanned(node: &TestNode, ada: &App, library: &str) {
    let mut events = node.node().events();
    ada.ok("startScan").await;
    let done =
        |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
}

async fn lists(app: &App) -> Vec<Value> {
    app.ok("getPlaylists").await["playlists"]["playlist"].as_array().cloned().unwrap_or_default()
}

async fn titles(app: &App, list: &Value) -> Vec<String> {
    let list = app.ok(&format!("getPlaylist?id={}", text(list, "id"))).await;
    each(&list["playlist"]["entry"], "title").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_playlist_follows_its_file_and_is_changed_by_it_alone() {
    let node = TestNode::start(&[]).await;
    let folder = node.data().with_file_name("music");
    fs::create_dir_all(folder.join("Lists")).unwrap();
    let lines = "#EXTM3U\n#PLAYLIST:Party\n#EXTINF:1,Ann - Second\n../Ann/Red/2.mp3\nC:\\Songs\\Ann\\Red\\1.mp3\n\
        http://radio.example/live\n../Ann/later.mp3\n../../etc/passwd\n../Ann/never.mp3\n../Ann/Red/2.mp3\n";
    fs::write(folder.join("Lists/party.m3u"), lines).unwrap();
    fs::write(folder.join("broken.m3u8"), b"\0\0\0").unwrap();
    let library = with_music(&node).await;
    node.account("ben", Some(Vec::new())).await;
    node.account("cleo", Some(vec![library.clone()])).await;
    let (ada, ben, cleo) = (App::new(&node, "ada").await, App::new(&node, "ben").await, App::new(&node, "cleo").await);

    let found = lists(&cleo).await;
    assert_eq!(each(&Value::from(found.clone()), "name"), ["Party"]);
    assert_eq!((&found[0]["readonly"], &found[0]["public"]), (&json!(true), &json!(true)));
    assert_eq!(titles(&cleo, &found[0]).await, ["Second", "First", "Second"]);
    assert!(lists(&ben).await.is_empty(), "it is of a library that he does not see");
    let id = text(&found[0], "id");
    assert_eq!(ben.fault(&format!("getPlaylist?id={id}")).await, 70);
    for call in ["updatePlaylist?name=Mine&playlistId", "createPlaylist?songId=tr-1&playlistId", "deletePlaylist?id"] {
        assert_eq!(ada.fault(&format!("{call}={id}")).await, 50, "{call}");
    }

    fs::write(folder.join("Ann/later.mp3"), of_album(9, "Later", "Ann", "Red")).unwrap();
    scanned(&node, &ada, &library).await;
    assert_eq!(titles(&ada, &found[0]).await, ["Second", "First", "Later", "Second"], "what it names came");
    fs::rename(folder.join("Ann/Red/1.mp3"), folder.join("Ann/moved.mp3")).unwrap();
    scanned(&node, &ada, &library).await;
    assert_eq!(titles(&ada, &found[0]).await, ["Second", "First", "Later", "Second"], "a song keeps its place");
    fs::write(folder.join("Lists/party.m3u"), "../Ann/Blue/1.mp3\n").unwrap();
    scanned(&node, &ada, &library).await;
    let changed = lists(&ada).await;
    assert_eq!((each(&Value::from(changed.clone()), "name"), text(&changed[0], "id")), (vec!["party"], id.clone()));
    assert_eq!(titles(&ada, &changed[0]).await, ["Third"]);
    fs::remove_file(folder.join("Lists/party.m3u")).unwrap();
    scanned(&node, &ada, &library).await;
    assert!(lists(&ada).await.is_empty());
    node.stop().await;
}
