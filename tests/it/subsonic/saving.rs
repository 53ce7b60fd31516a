//! Songs for programs that keep them: archives of albums, folders and playlists.
use std::fs;

use potluck::library::ScanState;
use potluck::media::book::{Limits, list_zip, read_page};
use potluck::node::NodeEvent;
use reqwest::Client;

use super::App;
use super::music::{songs, text, with_music};
use crate::harness::TestNode;

/// Names and bytes of what is in an archive.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let entries = list_zip(&file, &Limits::default()).unwrap();
    let read = |entry: potluck::media::book::Entry| {
        (entry.name, read_page(&file, &entry.place, u64::MAX).unwrap())
    };
    entries.into_iter().map(read).collect()
}

/// An archive, of the length that was told.
async fn archive(app: &App, id: &str) -> Vec<(String, Vec<u8>)> {
    let answer = app.get(&format!("download?id={id}")).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((answer.status().as_u16(), header("content-type").as_str()), (200, "application/zip"));
    assert!(header("content-disposition").starts_with("attachment") && header("content-disposition").contains(".zip"));
    let length: usize = header("content-length").parse().unwrap();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len(), length);
    unpacked(&bytes)
}

#[tokio::test]
async fn albums_folders_artists_and_playlists_are_saved_as_archives() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let red = songs(&ada, "Red").await;
    let folder = node.data().with_file_name("music");
    let bytes = |place: &str| fs::read(folder.join(place)).unwrap();
    let made = ada.ok(&format!("createPlaylist?name=A%2FB&songId={0}&songId={0}", text(&red[1], "id"))).await;
    let artist_folder = ada.ok(&format!("getMusicDirectory?id={}", text(&red[0], "parent"))).await;
    let above = text(&artist_folder["directory"], "parent");
    for (id, wanted) in [
        (text(&red[0], "albumId"), vec![("Ann - Red/1.mp3", "Ann/Red/1.mp3"), ("Ann - Red/2.mp3", "Ann/Red/2.mp3")]),
        (text(&red[0], "parent"), vec![("Red/1.mp3", "Ann/Red/1.mp3"), ("Red/2.mp3", "Ann/Red/2.mp3")]),
        (
            above,
            vec![
                ("Ann/Blue/1.mp3", "Ann/Blue/1.mp3"),
                ("Ann/Red/1.mp3", "Ann/Red/1.mp3"),
                ("Ann/Red/2.mp3", "Ann/Red/2.mp3"),
            ],
        ),
        (
            text(&red[0], "artistId"),
            vec![
                ("Ann/Red/1.mp3", "Ann/Red/1.mp3"),
                ("Ann/Red/2.mp3", "Ann/Red/2.mp3"),
                ("Ann/Blue/1.mp3", "Ann/Blue/1.mp3"),
            ],
        ),
        (
            text(&made["playlist"], "id"),
            vec![("A_B/001 2.mp3", "Ann/Red/2.mp3"), ("A_B/002 2.mp3", "Ann/Red/2.mp3")],
        ),
    ] {
        let wanted: Vec<(String, Vec<u8>)> =
            wanted.into_iter().map(|(name, place)| (name.to_owned(), bytes(place))).collect();
        let found = archive(&ada, &id).await;
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&wanted), "{id}");
        assert!(found == wanted, "{id}: other bytes");
    }
    node.stop().await;
}

#[tokio::test]
async fn an_archive_is_for_who_may_see_its_songs_and_a_look_at_it_reads_nothing() {
    let node = TestNode::start(&[]).await;
    let library = with_music(&node).await;
    node.account("ben", Some(Vec::new())).await;
    let (ada, ben) = (App::new(&node, "ada").await, App::new(&node, "ben").await);
    let id = text(&songs(&ada, "Red").await[0], "albumId");
    let whole = ada.get(&format!("download?id={id}")).await;
    let seen = Client::new().head(whole.url().clone()).send().await.unwrap();
    assert_eq!(seen.headers()["content-length"], whole.headers()["content-length"]);
    for (app, call) in [(&ben, format!("download?id={id}")), (&ada, "download?id=pl-99".into()), (&ada, "download?id=di-99999".into())] {
        assert!(app.get(&call).await.text().await.unwrap().contains("code=\"70\""), "{call}");
    }
    // A song that is away is left out, and an album without any is none.
    let folder = node.data().with_file_name("music").join("Ann/Red");
    fs::remove_file(folder.join("1.mp3")).unwrap();
    let mut events = node.node().events();
    ada.ok("startScan").await;
    let done = |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    let left = archive(&ada, &id).await;
    assert_eq!(left.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Ann - Red/2.mp3"]);
    node.stop().await;
}
