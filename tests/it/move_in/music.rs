//! Moving in from Navidrome: a library of music, a database as Navidrome leaves it, and what programs are told afterwards.
use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use super::navidrome::{Navidrome, Version, place};
use super::put;
use crate::harness::TestNode;
use crate::subsonic::App;
use crate::tunes::{of_album, tune};

const EVE: &str = "2JNmuXVKk5RYxWCXVpCYrY";
const KID: &str = "0b0f1a5e-8b1c-4f5e-9d1a-1a2b3c4d5e6f";
const SONGS: [(&str, &str, &str, u32, &str); 4] = [
    ("s1", "Ann", "Red", 1, "One"),
    ("s2", "Ann", "Red", 2, "Two"),
    ("s3", "Ann", "Blue", 1, "Three"),
    ("s4", "Ben", "Sea", 1, "Four"),
];

/// A node, a folder of music that it does not know yet, and Navidrome's database of it.
struct Scene {
    node: TestNode,
    navidrome: Navidrome,
    music: PathBuf,
}

impl Scene {
    /// Four songs, an admin and somebody else, with what they think of them.
    async fn new(version: Version) -> Self {
        let node = TestNode::start(&[]).await;
        let folder = node.data().parent().unwrap().to_owned();
        let music = folder.join("my music");
        let navidrome = Navidrome::new(&folder.join("navidrome"), music.to_str().unwrap(), version);
        for (id, artist, album, track, title) in SONGS {
            put(&music.join(place(artist, album, track, title)), &of_album(track, title, artist, album));
            navidrome.song(id, artist, album, track, title);
        }
        navidrome.user(EVE, "Eve", true);
        navidrome.user(KID, "kid", false);
        let star = Some("2021-05-06 07:08:09.5+02:00");
        navidrome.opinion(EVE, "media_file", "s1", star, 4, (3, "2022-01-02 03:04:05+00:00"));
        navidrome.opinion(EVE, "media_file", "s2", None, 0, (2, "2022-01-03 03:04:05+00:00"));
        navidrome.opinion(EVE, "album", "red", star, 0, (5, "2022-01-03 03:04:05+00:00"));
        navidrome.opinion(EVE, "artist", "ben", star, 2, (0, ""));
        navidrome.opinion(KID, "media_file", "s4", None, 1, (1, "2022-01-04 03:04:05+00:00"));
        navidrome.opinion(KID, "media_file", "gone", star, 1, (1, ""));
        navidrome.playlist("pl1", (EVE, "Eve"), "Mix", true, &["s3", "s1", "gone", "s3"]);
        navidrome.playlist("pl2", (KID, "kid"), "Mine", false, &["s4"]);
        navidrome.bookmark(EVE, "s1", 500, "2022-02-02 02:02:02+00:00");
        navidrome.queue(EVE, &["s2", "gone", "s4", "s4"], 2, 700, "2022-02-03 02:02:02+00:00");
        Self { node, navidrome, music }
    }

    async fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_potluck"));
        command.arg("--data").arg(self.node.data()).args(["import", "navidrome"]).args(arguments);
        command.output().await.unwrap()
    }

    /// What is told of it as JSON.
    async fn import(&self, more: &[&str]) -> Value {
        let database = self.navidrome.path.to_str().unwrap();
        let output = self.command(&[&[database, "--json"], more].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a program of this account is told of the song with this title.
    async fn song(&self, app: &App, title: &str) -> Value {
        let found = app.ok(&format!("search3?query={title}")).await["searchResult3"]["song"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{title}: {found}");
        found[0].clone()
    }
}

fn titles(list: &Value) -> Vec<&str> {
    list.as_array().map(|all| all.iter().map(|one| one["title"].as_str().unwrap()).collect()).unwrap_or_default()
}

/// All that came along, asked for as programs ask.
async fn all_is_here(scene: &Scene) {
    let eve = App::new(&scene.node, "Eve").await;
    let one = scene.song(&eve, "One").await;
    assert_eq!((&one["userRating"], &one["playCount"]), (&json!(4), &json!(3)), "{one}");
    assert_eq!((&one["starred"], &one["played"]), (&json!("2021-05-06T05:08:09Z"), &json!("2022-01-02T03:04:05Z")));
    let two = scene.song(&eve, "Two").await;
    assert!(two["playCount"] == 2 && two.get("starred").is_none() && two.get("userRating").is_none(), "{two}");
    let starred = eve.ok("getStarred2").await["starred2"].clone();
    assert_eq!((starred["album"][0]["name"].as_str(), &starred["album"][0]["playCount"]), (Some("Red"), &json!(5)));
    assert_eq!((&starred["artist"][0]["name"], &starred["artist"][0]["userRating"]), (&json!("Ben"), &json!(2)));
    let lists = eve.ok("getPlaylists").await["playlists"]["playlist"].clone();
    assert_eq!(lists.as_array().unwrap().len(), 1, "{lists}");
    let list = eve.ok(&format!("getPlaylist?id={}", lists[0]["id"].as_str().unwrap())).await["playlist"].clone();
    assert_eq!(titles(&list["entry"]), ["Three", "One", "Three"]);
    assert_eq!((&list["name"], &list["comment"], &list["public"]), (&json!("Mix"), &json!("of Mix"), &json!(true)));
    assert_eq!((&list["created"], &list["owner"]), (&json!("2021-03-04T05:06:07Z"), &json!("Eve")));
    let mark = eve.ok("getBookmarks").await["bookmarks"]["bookmark"][0].clone();
    assert_eq!((&mark["position"], &mark["entry"]["title"]), (&json!(500), &json!("One")));
    assert_eq!((&mark["comment"], &mark["changed"]), (&json!("here"), &json!("2022-02-02T02:02:02Z")));
    let queue = eve.ok("getPlayQueue").await["playQueue"].clone();
    assert_eq!((titles(&queue["entry"]), &queue["position"]), (vec!["Two", "Four", "Four"], &json!(700)));
    assert_eq!((&queue["current"], &queue["changedBy"]), (&queue["entry"][1]["id"], &json!("DSub")));
    let kid = App::new(&scene.node, "kid").await;
    let four = scene.song(&kid, "Four").await;
    assert_eq!((&four["userRating"], &four["playCount"]), (&json!(1), &json!(1)));
    let lists = kid.ok("getPlaylists").await["playlists"]["playlist"].clone();
    assert_eq!(lists.as_array().unwrap().len(), 2, "one's own, and what everybody sees");
    assert!(titles(&kid.ok("getPlayQueue").await["playQueue"]["entry"]).is_empty());
}

#[tokio::test]
async fn what_people_made_of_their_music_in_navidrome_is_here() {
    let scene = Scene::new(Version::Late).await;
    let plan = scene.import(&["--dry-run"]).await;
    assert_eq!((&plan["dry_run"], &plan["libraries"][0]["state"]), (&json!(true), &json!("new")));
    assert_eq!((&plan["libraries"][0]["items"], &plan["libraries"][0]["files"]), (&json!(4), &json!(4)));
    assert!(scene.node.node().accounts().named("Eve").is_err());
    let report = scene.import(&[]).await;
    assert_eq!(report["libraries"][0]["state"], "added", "{report}");
    assert_eq!((&report["tracks"]["by_path"], &report["tracks"]["not_here"]), (&json!(4), &json!(0)), "{report}");
    assert_eq!(
        report["opinions"],
        json!({"stars": 3, "ratings": 3, "plays": 11, "known": 0, "not_here": 1}),
        "{report}"
    );
    assert_eq!((&report["playlists"]["added"], &report["playlists"]["not_here"]), (&json!(2), &json!(1)));
    assert_eq!((&report["bookmarks"]["taken"], &report["queues"]["taken"]), (&json!(1), &json!(1)));
    all_is_here(&scene).await;
    scene.node.stop().await;
}

#[tokio::test]
async fn an_old_database_with_whole_paths_and_without_libraries_is_read_as_well() {
    let scene = Scene::new(Version::First).await;
    let report = scene.import(&[]).await;
    assert_eq!(
        (&report["libraries"][0]["state"], &report["tracks"]["by_path"]),
        (&json!("added"), &json!(4)),
        "{report}"
    );
    all_is_here(&scene).await;
    scene.node.stop().await;
}

#[tokio::test]
async fn accounts_come_without_passwords_and_see_what_they_saw() {
    let scene = Scene::new(Version::Late).await;
    scene.navidrome.user("u3", "nobody", false);
    scene.navidrome.user("u4", "ADA", false);
    scene.navidrome.sql("DELETE FROM user_library WHERE user_id = 'u3'");
    let report = scene.import(&[]).await;
    let library = report["libraries"][0]["library"].as_str().unwrap().to_owned();
    let accounts = scene.node.node().accounts();
    let sees = |name: &str| accounts.named(name).unwrap().libraries;
    assert!(accounts.named("Eve").unwrap().admin && sees("Eve").is_none());
    assert_eq!((sees("kid"), sees("nobody")), (Some(vec![library]), Some(vec![])));
    assert!(accounts.named("ada").unwrap().admin, "who was here keeps her rights");
    for password in ["", "c2VhbGVk"] {
        assert_ne!(scene.node.browser().sign_in("kid", password).await.status(), 200, "{password}");
    }
    let notes = report["accounts"]["notes"].to_string();
    assert!(notes.contains("kid: its password cannot be checked here; set another"), "{notes}");
    assert!(notes.contains("ADA: an account here has this name"), "{notes}");
    scene.node.stop().await;
}

#[tokio::test]
async fn a_second_time_takes_only_what_is_new_there_and_leaves_what_was_changed_here() {
    let scene = Scene::new(Version::Late).await;
    scene.import(&[]).await;
    let again = scene.import(&[]).await;
    assert_eq!(again["opinions"], json!({"stars": 0, "ratings": 0, "plays": 0, "known": 5, "not_here": 1}), "{again}");
    assert_eq!((&again["playlists"]["same"], &again["bookmarks"]["known"]), (&json!(2), &json!(1)));
    assert_eq!((&again["queues"]["known"], &again["accounts"]["added"]), (&json!(1), &json!(0)));
    all_is_here(&scene).await;
    // Here: heard, rated and not starred any more; a list got another name, a bookmark was removed.
    let eve = App::new(&scene.node, "Eve").await;
    let one = scene.song(&eve, "One").await["id"].as_str().unwrap().to_owned();
    eve.ok(&format!("scrobble?id={one}")).await;
    eve.ok(&format!("unstar?id={one}")).await;
    eve.ok(&format!("setRating?id={one}&rating=5")).await;
    eve.ok(&format!("deleteBookmark?id={one}")).await;
    let list = eve.ok("getPlaylists").await["playlists"]["playlist"][0]["id"].as_str().unwrap().to_owned();
    eve.ok(&format!("updatePlaylist?playlistId={list}&name=Ours")).await;
    // There: heard once more and rated otherwise, another one starred, the lists changed, a later queue.
    let star = Some("2021-05-06 07:08:09.5+02:00");
    scene.navidrome.opinion(EVE, "media_file", "s1", star, 3, (4, "2022-03-02 03:04:05+00:00"));
    scene.navidrome.opinion(EVE, "media_file", "s2", star, 0, (2, "2022-01-03 03:04:05+00:00"));
    scene.navidrome.opinion(EVE, "artist", "ben", None, 2, (0, ""));
    scene.navidrome.playlist("pl1", (EVE, "Eve"), "Mix", true, &["s1"]);
    scene.navidrome.playlist("pl2", (KID, "kid"), "Mine", false, &["s4", "s1"]);
    scene.navidrome.queue(EVE, &["s3"], 0, 10, "2023-02-03 02:02:02+00:00");
    let third = scene.import(&[]).await;
    assert_eq!(third["opinions"], json!({"stars": 2, "ratings": 0, "plays": 1, "known": 2, "not_here": 1}), "{third}");
    assert_eq!((&third["playlists"]["changed"], &third["playlists"]["refused"]), (&json!(1), &json!(1)), "{third}");
    let conflicts = third["conflicts"]["first"].to_string();
    assert!(
        conflicts.contains("Ann - One: rated here too")
            && conflicts.contains("playlist Mix: it was changed here since")
    );
    let now = scene.song(&eve, "One").await;
    assert_eq!((&now["userRating"], &now["playCount"], now.get("starred")), (&json!(5), &json!(5), None));
    assert!(scene.song(&eve, "Two").await["starred"].is_string());
    let starred = eve.ok("getStarred2").await["starred2"].clone();
    assert!(starred.get("artist").is_none_or(|artists| artists.as_array().unwrap().is_empty()), "{starred}");
    assert_eq!(titles(&eve.ok("getPlayQueue").await["playQueue"]["entry"]), ["Three"]);
    assert!(
        eve.ok("getBookmarks").await["bookmarks"].get("bookmark").is_none_or(|all| all.as_array().unwrap().is_empty())
    );
    let lists = eve.ok(&format!("getPlaylist?id={list}")).await["playlist"].clone();
    assert_eq!((&lists["name"], titles(&lists["entry"])), (&json!("Ours"), vec!["Three", "One", "Three"]));
    // What was removed here stays away.
    eve.ok(&format!("deletePlaylist?id={list}")).await;
    assert_eq!(scene.import(&[]).await["playlists"]["removed"], 1);
    scene.node.stop().await;
}

#[tokio::test]
async fn files_that_moved_are_known_by_musicbrainz_and_by_tags() {
    let scene = Scene::new(Version::Late).await;
    let moved = |from: &str, to: &str| {
        std::fs::create_dir_all(scene.music.join(to).parent().unwrap()).unwrap();
        std::fs::rename(scene.music.join(from), scene.music.join(to)).unwrap();
    };
    moved("Ann/Red/01 One.mp3", "elsewhere/x.mp3");
    moved("Ann/Red/02 Two.mp3", "elsewhere/y.mp3");
    std::fs::remove_file(scene.music.join("Ann/Blue/01 Three.mp3")).unwrap();
    // Tagged anew, but by the same recording.
    let recording = "c2fb3ae5-6ef8-4a53-8a5a-0b9f1ad4a2a1";
    std::fs::remove_file(scene.music.join("Ben/Sea/01 Four.mp3")).unwrap();
    put(
        &scene.music.join("new.mp3"),
        &tune(&[("TIT2", "Quatre"), ("TPE1", "Benoît"), ("TXXX:MusicBrainz Track Id", recording)]),
    );
    scene.navidrome.sql(&format!("UPDATE media_file SET mbz_recording_id = '{recording}' WHERE id = 's4'"));
    // Where it ran, the folder had another path.
    scene.navidrome.sql("UPDATE library SET path = '/music'; UPDATE media_file SET missing = TRUE WHERE id = 's2'");
    let map = format!("/music={}", scene.music.display());
    let report = scene.import(&["--map", &map]).await;
    let tracks =
        json!({"total": 3, "by_path": 0, "by_musicbrainz": 1, "by_tags": 1, "not_here": 1, "missing_there": 1});
    assert_eq!(report["tracks"], tracks, "{report}");
    assert_eq!(report["not_matched"]["first"], json!(["/music/Ann/Blue/01 Three.mp3"]));
    let eve = App::new(&scene.node, "Eve").await;
    assert_eq!(scene.song(&eve, "One").await["userRating"], 4);
    assert_eq!(scene.song(&eve, "Two").await["playCount"], 2);
    let starred = eve.ok("getStarred2").await["starred2"].clone();
    assert_eq!(starred["album"][0]["name"], "Red", "an album is what its tracks are");
    let kid = App::new(&scene.node, "kid").await;
    assert_eq!(scene.song(&kid, "Quatre").await["userRating"], 1);
    scene.node.stop().await;
}

#[tokio::test]
async fn what_is_not_navidromes_is_refused_and_what_is_odd_does_no_harm() {
    let scene = Scene::new(Version::Late).await;
    let folder = scene.node.data().with_file_name("files");
    put(&folder.join("text.db"), b"not a database at all");
    rusqlite::Connection::open(folder.join("other.db")).unwrap().execute_batch("CREATE TABLE media_file (id)").unwrap();
    for name in ["text", "other"] {
        let refused = scene.command(&[folder.join(format!("{name}.db")).to_str().unwrap()]).await;
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{name}: {told}");
        assert!(told.contains("not a database of Navidrome's"), "{name}: {told}");
    }
    let long = "x".repeat(200_000);
    scene.navidrome.sql(&format!(
        "INSERT INTO media_file (id, path, title, duration, track_number, library_id) VALUES ('', '', '', -1, -5, 1), ('o1', '../../etc/passwd', x'ff', 9e999, 1e300, 7),
            ('o2', '{long}', '{long}', 'long', 'x', 'y'), ('o3', '/', 'a', 1, 1, 1);
         INSERT INTO library (name, path) VALUES ('{long}', ''), ('root', '/'), ('fd', '/proc/self/fd');
         INSERT INTO user (id, user_name) VALUES ('', ''), ('a/b', 'slash'), ('u8', 'a:b'), ('u9', '{long}');
         INSERT INTO annotation (user_id, item_type, item_id, play_count, play_date, rating, starred, starred_at) VALUES
            ('{EVE}', 'media_file', 's3', 1e300, 'never', 77, 'yes', x'00'), ('nobody', 'album', 'red', 1, NULL, 1, 1, NULL),
            ('{EVE}', 'planet', 's3', 1, NULL, 1, 1, NULL), ('{EVE}', 'album', 'blue', 4294967295, '9999-01-01 00:00:00', -3, 1, '9999-01-01 00:00:00');
         INSERT INTO playlist (id, name, owner_id, rules) VALUES ('', '', '', ''), ('p/1', 'slash', '{EVE}', NULL), ('p3', '', '{EVE}', NULL), ('p4', 'lost', 'nobody', '{{}}');
         INSERT INTO playlist_tracks VALUES ('x', 'pl1', 's1'), (-7, 'pl1', ''), (9e18, 'none', 's1');
         INSERT INTO bookmark VALUES ('{EVE}', 's2', 'media_file', NULL, -5, NULL, 'x', 'y'), ('{EVE}', 's3', 'media_file', '{long}', 9e18, NULL, NULL, 1e18);
         INSERT INTO playqueue VALUES ('q', '{KID}', 99999999999, -1, NULL, ',,,s4,', NULL, 'soon'), ('r', '{KID}', -1, NULL, NULL, '{long}', NULL, NULL);
         INSERT INTO share VALUES ('a'); INSERT INTO radio VALUES ('r', 'R', 'http://x/');",
    ));
    let report = scene.import(&[]).await;
    assert_eq!(report["tracks"]["by_path"], 4, "{report}");
    let rest = report["not_carried"].to_string();
    assert!(
        rest.contains("1 shares") && rest.contains("1 radio stations") && rest.contains("1 rules of playlists"),
        "{rest}"
    );
    let eve = App::new(&scene.node, "Eve").await;
    assert_eq!(scene.song(&eve, "One").await["userRating"], 4);
    let blue = eve.ok("search3?query=Blue").await["searchResult3"]["album"][0].clone();
    assert!(blue["playCount"].is_u64() && blue.get("userRating").is_none(), "{blue}");
    let again = scene.import(&[]).await;
    assert_eq!((&again["opinions"]["plays"], &again["opinions"]["stars"]), (&json!(0), &json!(0)), "{again}");
    scene.node.stop().await;
}
