//! A library of music by the protocol: browsing by tags and by folders, lists, search, and what people add to it.
use std::fs;

use potluck::library::ScanState;
use potluck::node::NodeEvent;
use serde_json::{Value, json};

use super::App;
use super::schema::Specification;
use crate::harness::TestNode;
use crate::tunes::{of_album, tune, tune_with_picture};

/// A node with a library of three albums in folders; the second value is its id.
pub async fn with_music(node: &TestNode) -> String {
    let folder = node.data().with_file_name("music");
    let one = |track: &str, title: &str| {
        tune_with_picture(
            &[
                ("TRCK", track),
                ("TIT2", title),
                ("TPE1", "Ann"),
                ("TPE2", "Ann"),
                ("TALB", "Red"),
                ("TDRC", "2001"),
                ("TCON", "Jazz"),
                ("TCOM", "Cleo"),
                ("TXXX:REPLAYGAIN_TRACK_GAIN", "-7.5 dB"),
                ("USLT", "eng\u{0}la la"),
            ],
            3,
        )
    };
    let files = [
        ("Ann/Red/1.mp3", one("1", "First")),
        ("Ann/Red/2.mp3", one("2", "Second")),
        ("Ann/Blue/1.mp3", of_album(1, "Third", "Ann", "Blue")),
        ("hits/1.mp3", tune(&[("TIT2", "x"), ("TPE1", "Bob"), ("TALB", "Hits"), ("TDRC", "1990")])),
        ("hits/2.mp3", tune(&[("TIT2", "y"), ("TPE1", "Cleo"), ("TALB", "Hits"), ("TDRC", "1990")])),
        ("loose.mp3", of_album(1, "Loose", "Dora", "Alone")),
    ];
    for (place, bytes) in files {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(folder.join("Ann/Red/1.lrc"), "[00:01.00]one\n[00:02.50]two\n").unwrap();
    let mut events = node.node().events();
    let body = json!({"name": "Music", "kind": "music", "path": folder});
    let ada = node.signed_in("ada").await;
    let made: Value = ada.post("/api/v1/libraries").json(&body).send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    let done = |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == id && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    id
}

/// The value of a member of each, in order.
pub fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().map(|one| one[member].as_str().unwrap()).collect()
}

async fn album(ada: &App, name: &str) -> Value {
    let list = ada.ok("getAlbumList2?type=alphabeticalByName").await;
    let albums = list["albumList2"]["album"].as_array().unwrap();
    albums.iter().find(|album| album["name"] == name).unwrap().clone()
}

pub async fn songs(ada: &App, name: &str) -> Vec<Value> {
    let id = album(ada, name).await["id"].as_str().unwrap().to_owned();
    ada.ok(&format!("getAlbum?id={id}")).await["album"]["song"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_answer_about_music_is_as_the_specification_says() {
    let Some(specification) = Specification::read() else { return };
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let song = songs(&ada, "Red").await[0].clone();
    let (id, album, artist, folder) =
        (text(&song, "id"), text(&song, "albumId"), text(&song, "artistId"), text(&song, "parent"));
    let made = ada.ok(&format!("createPlaylist?name=Mine&songId={id}&songId={id}")).await;
    let list = text(&made["playlist"], "id");
    let calls = [
        "getIndexes".to_owned(),
        "getArtists".to_owned(),
        "getGenres".to_owned(),
        "getPlaylists".to_owned(),
        format!("getMusicDirectory?id={folder}"),
        format!("getMusicDirectory?id={album}"),
        format!("getMusicDirectory?id={artist}"),
        format!("getArtist?id={artist}"),
        format!("getAlbum?id={album}"),
        format!("getSong?id={id}"),
        format!("getArtistInfo?id={artist}"),
        format!("getArtistInfo2?id={artist}"),
        format!("getAlbumInfo?id={album}"),
        format!("getAlbumInfo2?id={album}"),
        "getAlbumList?type=newest".to_owned(),
        "getAlbumList2?type=random".to_owned(),
        "getRandomSongs".to_owned(),
        "getSongsByGenre?genre=jazz".to_owned(),
        "getTopSongs?artist=ann".to_owned(),
        format!("getSimilarSongs?id={id}"),
        format!("getSimilarSongs2?id={artist}"),
        "search2?query=".to_owned(),
        "search3?query=first".to_owned(),
        "search?any=first".to_owned(),
        format!("getLyricsBySongId?id={id}"),
        "getLyrics?artist=Ann&title=Second".to_owned(),
        format!("star?id={id}&albumId={album}&artistId={artist}"),
        format!("star?id={folder}"),
        "getStarred".to_owned(),
        "getStarred2".to_owned(),
        format!("setRating?id={id}&rating=4"),
        format!("scrobble?id={id}&submission=false"),
        "getNowPlaying".to_owned(),
        format!("scrobble?id={id}"),
        format!("reportPlayback?mediaId={id}&mediaType=song&positionMs=900&state=stopped"),
        format!("savePlayQueue?id={id}&id={id}&current={id}&position=5"),
        "getPlayQueue".to_owned(),
        format!("savePlayQueueByIndex?id={id}&id={id}&currentIndex=1&position=5"),
        "getPlayQueueByIndex".to_owned(),
        format!("createBookmark?id={id}&position=500&comment=here"),
        "getBookmarks".to_owned(),
        format!("getPlaylist?id={list}"),
        format!("updatePlaylist?playlistId={list}&songIndexToRemove=0"),
        "getMusicFolders".to_owned(),
        "getScanStatus".to_owned(),
    ];
    let mut wrong = Vec::new();
    for call in calls {
        let answer = ada.ok(&call).await;
        let method = call.split('?').next().unwrap();
        let faults = specification.faults(method, &json!({"subsonic-response": answer})).unwrap_or_default();
        wrong.extend(faults.into_iter().map(|fault| format!("{call}: {fault}\n    {answer}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    node.stop().await;
}

pub fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member}: {value}")).to_owned()
}

#[tokio::test]
async fn tags_are_browsed_from_the_artist_to_the_song() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let artists = ada.ok("getArtists").await;
    let index = artists["artists"]["index"].as_array().unwrap();
    let names: Vec<&str> = index.iter().flat_map(|letter| each(&letter["artist"], "name")).collect();
    assert_eq!(names, ["Ann", "Dora", "Various Artists"]);
    let ann = text(&index[0]["artist"][0], "id");
    let albums = ada.ok(&format!("getArtist?id={ann}")).await;
    assert_eq!(
        each(&albums["artist"]["album"], "name"),
        ["Red", "Blue"],
        "the oldest first, those without a year last"
    );
    let song = &songs(&ada, "Red").await[0];
    let told = ["title", "artist", "album", "suffix", "contentType", "path", "genre", "displayComposer"]
        .map(|name| text(song, name));
    assert_eq!(told, ["First", "Ann", "Red", "mp3", "audio/mpeg", "Music/Ann/Red/1.mp3", "Jazz", "Cleo"]);
    assert_eq!((&song["track"], &song["year"], &song["isDir"]), (&json!(1), &json!(2001), &json!(false)));
    assert_eq!(song["replayGain"]["trackGain"], json!(-7.5));
    assert_eq!(song["coverArt"], song["albumId"], "all songs of an album have one picture");
    node.stop().await;
}

#[tokio::test]
async fn real_folders_are_browsed_as_they_are_on_disk() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let top = ada.ok("getIndexes").await;
    let index = top["indexes"]["index"].as_array().unwrap();
    let folders: Vec<&str> = index.iter().flat_map(|letter| each(&letter["artist"], "name")).collect();
    assert_eq!(folders, ["Ann", "hits"]);
    assert_eq!(each(&top["indexes"]["child"], "title"), ["Loose"]);
    let ann = ada.ok(&format!("getMusicDirectory?id={}", text(&index[0]["artist"][0], "id"))).await;
    assert_eq!(each(&ann["directory"]["child"], "title"), ["Blue", "Red"]);
    assert!(ann["directory"].get("parent").is_none(), "nothing is above the top");
    let red = ada.ok(&format!("getMusicDirectory?id={}", text(&ann["directory"]["child"][1], "id"))).await;
    assert_eq!(each(&red["directory"]["child"], "title"), ["First", "Second"]);
    assert_eq!(red["directory"]["parent"], ann["directory"]["id"]);
    assert_eq!(ada.fault("getMusicDirectory?id=di-99999").await, 70);
    node.stop().await;
}

#[tokio::test]
async fn lists_are_in_the_order_that_was_asked_for() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let list = async |rest: &str| {
        let answer = ada.ok(&format!("getAlbumList2?type={rest}")).await;
        each(&answer["albumList2"]["album"], "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list("alphabeticalByName").await, ["Alone", "Blue", "Hits", "Red"]);
    assert_eq!(list("alphabeticalByArtist").await, ["Blue", "Red", "Alone", "Hits"]);
    assert_eq!(list("byYear&fromYear=1980&toYear=2010").await, ["Hits", "Red"]);
    assert_eq!(list("byYear&fromYear=2010&toYear=1980").await, ["Red", "Hits"]);
    assert_eq!(list("byGenre&genre=JAZZ").await, ["Red"]);
    assert_eq!(list("alphabeticalByName&size=2&offset=1").await, ["Blue", "Hits"]);
    assert_eq!(list("frequent").await, Vec::<String>::new());
    let song = text(&songs(&ada, "Blue").await[0], "id");
    ada.ok(&format!("scrobble?id={song}")).await;
    assert_eq!(list("frequent").await, ["Blue"]);
    assert_eq!(list("recent").await, ["Blue"]);
    assert_eq!(ada.fault("getAlbumList2?type=nonsense").await, 0);
    node.stop().await;
}

#[tokio::test]
async fn stars_ratings_and_plays_are_ones_own() {
    let node = TestNode::start(&[]).await;
    let library = with_music(&node).await;
    node.account("ben", Some(vec![library])).await;
    let (ada, ben) = (App::new(&node, "ada").await, App::new(&node, "ben").await);
    let song = songs(&ada, "Red").await[0].clone();
    let id = text(&song, "id");
    ada.ok(&format!("star?id={id}&albumId={}&artistId={}", text(&song, "albumId"), text(&song, "artistId"))).await;
    ada.ok(&format!("star?id={}", text(&song, "parent"))).await;
    ada.ok(&format!("setRating?id={id}&rating=5")).await;
    ada.ok(&format!("scrobble?id={id}&time=1700000000000&id={id}&time=1700000001000")).await;
    let now = ada.ok(&format!("getSong?id={id}")).await["song"].clone();
    assert!(now["starred"].is_string());
    assert_eq!(
        (&now["userRating"], &now["playCount"], &now["played"]),
        (&json!(5), &json!(2), &json!("2023-11-14T22:13:21Z"))
    );
    let starred = ada.ok("getStarred").await["starred"].clone();
    assert_eq!(
        (starred["artist"].as_array().unwrap().len(), each(&starred["album"], "title")),
        (1, vec!["Red", "Red"])
    );
    let of_ben = ben.ok(&format!("getSong?id={id}")).await["song"].clone();
    assert!(of_ben.get("starred").is_none() && of_ben.get("userRating").is_none());
    ada.ok(&format!("unstar?id={id}")).await;
    ada.ok(&format!("setRating?id={id}&rating=0")).await;
    let now = ada.ok(&format!("getSong?id={id}")).await["song"].clone();
    assert!(now.get("starred").is_none() && now.get("userRating").is_none());
    assert_eq!(ada.fault(&format!("setRating?id={id}&rating=6")).await, 0);
    assert_eq!(ada.fault("setRating?id=tr-99999&rating=1").await, 70);
    node.stop().await;
}

#[tokio::test]
async fn playlists_keep_their_order_and_belong_to_who_made_them() {
    let node = TestNode::start(&[]).await;
    let library = with_music(&node).await;
    node.account("ben", Some(vec![library])).await;
    let (ada, ben) = (App::new(&node, "ada").await, App::new(&node, "ben").await);
    let red = songs(&ada, "Red").await;
    let (first, second) = (text(&red[0], "id"), text(&red[1], "id"));
    let made = ada.ok(&format!("createPlaylist?name=Mine&songId={second}&songId={first}&songId={second}")).await;
    let list = text(&made["playlist"], "id");
    assert_eq!(each(&made["playlist"]["entry"], "title"), ["Second", "First", "Second"]);
    assert_eq!(ben.fault(&format!("getPlaylist?id={list}")).await, 70, "nobody else sees it");
    // DSub writes a whole list over: all places away, and all songs again.
    let over = format!(
        "updatePlaylist?playlistId={list}&songIndexToRemove=0&songIndexToRemove=1&songIndexToRemove=2&songIdToAdd={first}&public=true&name=Ours"
    );
    ada.ok(&over).await;
    let now = ben.ok(&format!("getPlaylist?id={list}")).await["playlist"].clone();
    assert_eq!(
        (each(&now["entry"], "title"), &now["name"], &now["owner"]),
        (vec!["First"], &json!("Ours"), &json!("ada"))
    );
    assert_eq!(ben.fault(&format!("updatePlaylist?playlistId={list}&name=Ben")).await, 50);
    assert_eq!(ben.fault(&format!("deletePlaylist?id={list}")).await, 50);
    ada.ok(&format!("deletePlaylist?id={list}")).await;
    assert_eq!(ada.fault(&format!("getPlaylist?id={list}")).await, 70);
    node.stop().await;
}

#[tokio::test]
async fn the_queue_and_bookmarks_are_there_at_the_next_device() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let red = songs(&ada, "Red").await;
    let (first, second) = (text(&red[0], "id"), text(&red[1], "id"));
    let empty = ada.xml("getPlayQueue").await;
    let (_, queue) = empty.iter().find(|(name, _)| name == "playQueue").unwrap();
    assert!(queue.contains_key("position") && queue.contains_key("changed"), "DSub dies without");
    ada.ok(&format!("savePlayQueue?id={first}&id={second}&current={second}&position=1500")).await;
    let queue = ada.ok("getPlayQueue").await["playQueue"].clone();
    assert_eq!(
        (each(&queue["entry"], "id"), &queue["current"], &queue["position"]),
        (vec![first.as_str(), &second], &json!(second), &json!(1500))
    );
    assert_eq!(ada.ok("getPlayQueueByIndex").await["playQueueByIndex"]["currentIndex"], json!(1));
    ada.ok("savePlayQueue").await;
    assert!(ada.ok("getPlayQueue").await["playQueue"]["entry"].as_array().is_none_or(Vec::is_empty));
    ada.ok(&format!("createBookmark?id={first}&position=0&comment=start")).await;
    let marks = ada.xml("getBookmarks").await;
    let (_, mark) = marks.iter().find(|(name, _)| name == "bookmark").unwrap();
    assert_eq!((mark["position"].as_str(), mark["comment"].as_str()), ("0", "start"));
    ada.ok(&format!("deleteBookmark?id={first}")).await;
    assert!(ada.ok("getBookmarks").await["bookmarks"]["bookmark"].as_array().is_none_or(Vec::is_empty));
    node.stop().await;
}

#[tokio::test]
async fn songs_come_as_they_are_or_encoded_and_covers_come_with_them() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let song = songs(&ada, "Red").await[0].clone();
    let id = text(&song, "id");
    let file = fs::read(node.data().with_file_name("music").join("Ann/Red/1.mp3")).unwrap();
    let whole = ada.get(&format!("stream?id={id}")).await;
    assert_eq!((whole.status().as_u16(), &whole.headers()["content-type"]), (200, &"audio/mpeg".parse().unwrap()));
    assert_eq!(whole.bytes().await.unwrap(), file);
    let client = reqwest::Client::new();
    let url = ada.get(&format!("stream?id={id}")).await.url().clone();
    let part = client.get(url).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, &file[10..20]));
    let encoded = ada.get(&format!("stream?id={id}&format=opus&maxBitRate=64")).await;
    assert_eq!(
        (encoded.status().as_u16(), encoded.headers()["content-type"].to_str().unwrap().starts_with("audio/")),
        (200, true)
    );
    assert!(encoded.bytes().await.unwrap().starts_with(b"OggS"));
    let saved = ada.get(&format!("download?id={id}")).await;
    assert!(saved.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(saved.bytes().await.unwrap(), file);
    for (cover, side) in [(text(&song, "coverArt"), 64), (text(&song, "artistId"), 64), (text(&song, "parent"), 64)] {
        let picture = ada.get(&format!("getCoverArt?id={cover}&size=300")).await;
        assert_eq!(picture.headers()["content-type"], "image/jpeg", "{cover}");
        assert_eq!(image::load_from_memory(&picture.bytes().await.unwrap()).unwrap().width(), side);
    }
    let none = text(&album(&ada, "Blue").await, "coverArt");
    assert_eq!(ada.get(&format!("getCoverArt?id={none}")).await.headers()["content-type"], "image/png");
    for wrong in ["stream?id=tr-99999", "download?id=al-1x", "getCoverArt?id=xx"] {
        let answer = ada.get(wrong).await;
        assert!(
            answer.headers()["content-type"].to_str().unwrap().starts_with("text/xml"),
            "{wrong}: DSub would keep it as a song"
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn lyrics_come_from_beside_the_song_and_from_its_tags() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let red = songs(&ada, "Red").await;
    let lyrics = ada.ok(&format!("getLyricsBySongId?id={}", text(&red[0], "id"))).await;
    let synced = &lyrics["lyricsList"]["structuredLyrics"][0];
    assert_eq!(
        (&synced["synced"], &synced["line"][1]["start"], &synced["line"][1]["value"]),
        (&json!(true), &json!(2500), &json!("two"))
    );
    assert_eq!(ada.ok("getLyrics?artist=ann&title=first").await["lyrics"]["value"], "one\ntwo");
    node.stop().await;
}

#[tokio::test]
async fn dsub_reads_no_element_for_another() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let dsub = App::with(&node, &format!("u=ada&p={}&c=DSub", super::app_password(&node, "ada").await));
    let ada = App::new(&node, "ada").await;
    let id = text(&album(&ada, "Red").await, "id");
    let url = format!("getAlbum?id={id}");
    let names = |tags: Vec<super::Tag>| tags.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(dsub.xml(&url).await), ["subsonic-response", "album", "song", "song"]);
    assert!(names(ada.xml(&url).await).contains(&"contributors".to_owned()), "others are told more");
    node.stop().await;
}

#[tokio::test]
async fn who_may_not_see_a_library_finds_nothing_of_it() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    node.account("ben", Some(Vec::new())).await;
    let (ada, ben) = (App::new(&node, "ada").await, App::new(&node, "ben").await);
    let song = songs(&ada, "Red").await[0].clone();
    for (method, member) in [
        ("getSong", "id"),
        ("getAlbum", "albumId"),
        ("getArtist", "artistId"),
        ("getMusicDirectory", "parent"),
        ("getLyricsBySongId", "id"),
    ] {
        assert_eq!(ben.fault(&format!("{method}?id={}", text(&song, member))).await, 70, "{method}");
    }
    for method in ["stream", "download", "getCoverArt"] {
        let answer = ben.get(&format!("{method}?id={}", text(&song, "id"))).await;
        assert!(answer.text().await.unwrap().contains("code=\"70\""), "{method}");
    }
    assert!(ben.ok("search3?query=").await["searchResult3"]["song"].as_array().is_none_or(Vec::is_empty));
    ben.ok(&format!("star?id={}", text(&song, "id"))).await;
    assert!(ben.ok("getStarred2").await["starred2"]["song"].as_array().is_none_or(Vec::is_empty));
    node.stop().await;
}
