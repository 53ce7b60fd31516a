//! Songs for programs that keep them: archives of albums, folders and playlists, and HLS.
use std::fs;

use potluck::library::ScanState;
use potluck::media::book::{Limits, list_zip, read_page};
use potluck::node::NodeEvent;
use reqwest::Client;

use super::App;
use super::music::{songs, text, with_music};
use crate::fixtures::clip;
use crate::harness::TestNode;
use crate::sound::decoded;

/// Names and bytes of what is in an archive.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let entries = list_zip(&file, &Limits::default()).unwrap();
    let read = |entry: potluck::media::book::Entry| (entry.name, read_page(&file, &entry.place, u64::MAX).unwrap());
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
        (text(&made["playlist"], "id"), vec![("A_B/001 2.mp3", "Ann/Red/2.mp3"), ("A_B/002 2.mp3", "Ann/Red/2.mp3")]),
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
    for (app, call) in
        [(&ben, format!("download?id={id}")), (&ada, "download?id=pl-99".into()), (&ada, "download?id=di-99999".into())]
    {
        assert!(app.get(&call).await.text().await.unwrap().contains("code=\"70\""), "{call}");
    }
    // A song that is away is left out, and an album without any is none.
    let folder = node.data().with_file_name("music").join("Ann/Red");
    fs::remove_file(folder.join("1.mp3")).unwrap();
    let mut events = node.node().events();
    ada.ok("startScan").await;
    let done =
        |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    let left = archive(&ada, &id).await;
    assert_eq!(left.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Ann - Red/2.mp3"]);
    node.stop().await;
}

/// Addresses in a playlist: those that stand alone, and that of the beginning.
fn addresses(text: &str) -> Vec<String> {
    let map =
        text.lines().filter_map(|line| line.strip_prefix("#EXT-X-MAP:URI=\"")).map(|rest| rest.trim_end_matches('"'));
    map.chain(text.lines().filter(|line| !line.starts_with('#'))).map(str::to_owned).collect()
}

/// All that a playlist of parts leads to, as a file, and how many parts there are.
async fn joined(base: &str, playlist: &str) -> (Vec<u8>, usize) {
    let parts = addresses(playlist);
    let mut bytes = Vec::new();
    for part in &parts {
        let answer = Client::new().get(format!("{base}/{part}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"audio/mp4".parse().unwrap()),
            "{part}"
        );
        bytes.extend(answer.bytes().await.unwrap());
    }
    (bytes, parts.len())
}

#[tokio::test]
async fn a_song_is_heard_by_hls_at_the_bit_rates_that_are_asked_for() {
    let node = TestNode::start(&[]).await;
    let folder = node.data().with_file_name("music").join("Sounds");
    fs::create_dir_all(&folder).unwrap();
    let noise = ["-f", "lavfi", "-i", "anoisesrc=d=20:a=0.3:r=44100:s=7", "-ac", "2", "-metadata", "title=Long"];
    fs::copy(clip("noise20.flac", &noise), folder.join("long.flac")).unwrap();
    let aac = ["-f", "lavfi", "-i", "sine=d=20:r=44100", "-ac", "2", "-b:a", "128k", "-metadata", "title=Copied"];
    fs::copy(clip("sine20.m4a", &aac), folder.join("copied.m4a")).unwrap();
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let found = ada.ok("search3?query=long&artistCount=0&albumCount=0").await;
    let song = text(&found["searchResult3"]["song"][0], "id");
    let base = format!("{}/rest", node.url);
    let get = async |call: String| {
        let answer = ada.get(&call).await;
        assert_eq!(answer.headers()["content-type"], "application/vnd.apple.mpegurl", "{call}");
        answer.text().await.unwrap()
    };

    let several = get(format!("hls.m3u8?id={song}&bitRate=96&bitRate=256&bitRate=0")).await;
    let variants = addresses(&several);
    let rates: Vec<&str> =
        several.lines().filter_map(|line| line.split("AVERAGE-BANDWIDTH=").nth(1)?.split(',').next()).collect();
    assert_eq!((variants.len(), &rates[..2]), (3, &["96000", "256000"][..]), "{several}");
    let codecs: Vec<&str> = several.lines().filter_map(|line| line.split("CODECS=").nth(1)).collect();
    assert_eq!(codecs, ["\"mp4a.40.2\"", "\"mp4a.40.2\"", "\"fLaC\""], "without a limit it is sent as it is");
    let mut sizes = Vec::new();
    for variant in variants {
        let playlist = Client::new().get(format!("{base}/{variant}")).send().await.unwrap().text().await.unwrap();
        let (bytes, parts) = joined(&base, &playlist).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        let seconds = decoded(file.path(), 2)[0].len() as f64 / 44_100.0;
        assert!((seconds - 20.0).abs() < 0.1 && parts > 3, "{seconds} s in {parts} parts");
        sizes.push(bytes.len());
    }
    assert!(sizes[0] < 96 * 125 * 20 * 5 / 4 && sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");

    let copied = ada.ok("search3?query=copied&artistCount=0&albumCount=0").await;
    let copied = text(&copied["searchResult3"]["song"][0], "id");
    assert!(get(format!("hls.m3u8?id={copied}")).await.contains("rendition=a0&part=0"), "AAC is sent as it is");
    assert!(get(format!("hls.m3u8?id={copied}&bitRate=64")).await.contains("rendition=a0-aac2-64&part=0"));

    let one = get(format!("hls.view?id={song}&bitRate=64@480x360")).await;
    assert!(one.contains("#EXT-X-ENDLIST") && one.contains("part=init"), "{one}");
    for wrong in [
        "hls.m3u8?id=tr-99999".to_owned(),
        "hls.m3u8?id=x&bitRate=x".into(),
        format!("hls.m3u8?id={song}&bitRate=x"),
        format!("hls.m3u8?id={song}&rendition=..%2Fv0"),
        format!("hls.m4s?id={song}&rendition=a0-aac2&part=99999"),
        format!("hls.m4s?id={song}&rendition=a0-aac2&part=x"),
        format!("hls.m4s?id={song}&rendition=a0-aac2-97&part=init"),
        format!("hls.m4s?id={song}"),
    ] {
        let answer = ada.get(&wrong).await;
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(answer.status() == 200 && kind.starts_with("text/xml"), "{wrong}: {kind}");
    }
    node.stop().await;
}
