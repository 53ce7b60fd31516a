//! Episodes in lists and players.
use axum::body::Bytes;
use axum::http::header;
use serde_json::json;

use super::studio::{Page, Studio};
use super::{channel, episode, fetched, files, follow, refused, settled, sound, started};
use crate::comics::picture;
use crate::harness::TestNode;
use crate::subsonic::music::{each, text};
use crate::subsonic::schema::Specification;
use crate::subsonic::{App, app_password};

#[tokio::test]
async fn a_podcast_is_followed_and_its_episodes_are_heard_as_songs_are() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    studio.put("/cover", Page::Bytes(picture(9, 80, 80, image::ImageFormat::Png).into()));
    follow(&ada, &studio).await;
    let sent = studio.next("/feed").await;
    let names: Vec<&str> = sent.keys().map(header::HeaderName::as_str).collect();
    assert_eq!(names, ["host", "user-agent", "accept", "accept-encoding"], "nothing tells who asks");
    let found = channel(&ada).await;
    assert_eq!((text(&found, "title"), text(&found, "description")), ("Dough".into(), "About bread".into()));
    assert_eq!(each(&found["episode"], "title"), ["Two", "One"], "the newest first");
    let one = episode(&ada, "One").await;
    let told = ["status", "description", "publishDate", "type", "suffix", "contentType"].map(|name| text(&one, name));
    assert_eq!(told, ["new", "About One", "2025-03-01T10:00:00Z", "podcast", "mp3", "audio/mpeg"]);
    assert_eq!((&one["duration"], one.get("streamId")), (&json!(60), None));
    let id = text(&one, "id");
    assert_eq!(ada.fault(&format!("stream?id={id}")).await, 70, "it is not here");
    let one = fetched(&ada, "One").await;
    assert_eq!((&one["streamId"], &one["duration"], &one["size"]), (&json!(id), &json!(1), &json!(sound("one").len())));
    let whole = ada.get(&format!("stream?id={id}")).await;
    assert_eq!((whole.status().as_u16(), &whole.headers()["content-type"]), (200, &"audio/mpeg".parse().unwrap()));
    assert_eq!(whole.bytes().await.unwrap(), sound("one"));
    let part = part(&node, &format!("download?id={id}"), "bytes=10-19").await;
    assert_eq!(part, sound("one").slice(10..20));
    let opus = ada.get(&format!("stream?id={id}&format=opus")).await;
    assert_eq!(opus.headers()["content-type"], "audio/ogg");
    assert!(opus.bytes().await.unwrap().starts_with(b"OggS"));
    let playlist = ada.get(&format!("hls.m3u8?id={id}")).await.text().await.unwrap();
    assert!(playlist.contains("#EXT-X-ENDLIST"), "{playlist}");
    node.stop().await;
}

/// A part of what a call answers, by its headers.
async fn part(node: &TestNode, call: &str, range: &str) -> Bytes {
    let password = app_password(node, "ada").await;
    let url = format!("{}/rest/{call}&u=ada&p={password}&c=test", node.url);
    let answer = reqwest::Client::new().get(url).header("range", range).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 206);
    answer.bytes().await.unwrap()
}

#[tokio::test]
async fn every_answer_about_podcasts_is_as_the_specification_says() {
    let Some(specification) = Specification::read() else { return };
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    follow(&ada, &studio).await;
    let (one, two) = (text(&fetched(&ada, "One").await, "id"), text(&episode(&ada, "Two").await, "id"));
    refused(&ada, "Two").await;
    let feed = text(&channel(&ada).await, "id");
    ada.ok(&format!("createBookmark?id={one}&position=500")).await;
    for (method, call) in [
        ("getPodcasts", "getPodcasts".to_owned()),
        ("getPodcasts", format!("getPodcasts?id={feed}")),
        ("getPodcasts", "getPodcasts?includeEpisodes=false".to_owned()),
        ("getNewestPodcasts", "getNewestPodcasts?count=1".to_owned()),
        ("getPodcastEpisode", format!("getPodcastEpisode?id={one}")),
        ("getPodcastEpisode", format!("getPodcastEpisode?id={two}")),
        ("refreshPodcasts", "refreshPodcasts".to_owned()),
        ("downloadPodcastEpisode", format!("downloadPodcastEpisode?id={one}")),
        ("getSong", format!("getSong?id={one}")),
        ("getMusicDirectory", format!("getMusicDirectory?id={feed}")),
        ("getBookmarks", "getBookmarks".to_owned()),
        ("deletePodcastEpisode", format!("deletePodcastEpisode?id={one}")),
        ("deletePodcastChannel", format!("deletePodcastChannel?id={feed}")),
    ] {
        let answer = ada.ok(&call).await;
        let faults = specification.faults(method, &json!({"subsonic-response": answer})).unwrap();
        assert!(faults.is_empty(), "{call}: {faults:?}\n{answer}");
    }
    node.stop().await;
}

#[tokio::test]
async fn lists_hold_what_is_asked_for_and_places_are_kept() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3"), ("Three", "/3.mp3")]);
    follow(&ada, &studio).await;
    let newest = ada.ok("getNewestPodcasts?count=2").await;
    assert_eq!(each(&newest["newestPodcasts"]["episode"], "title"), ["Three", "Two"]);
    let bare = ada.ok("getPodcasts?includeEpisodes=false").await;
    assert!(bare["podcasts"]["channel"][0].get("episode").is_none(), "{bare}");
    for (call, code) in [
        ("getPodcasts?id=pc-99", 70),
        ("getPodcasts?id=al-1", 70),
        ("getPodcastEpisode?id=pe-99", 70),
        ("getPodcastEpisode", 10),
    ] {
        assert_eq!(ada.fault(call).await, code, "{call}");
    }
    let id = text(&episode(&ada, "Two").await, "id");
    ada.ok(&format!("createBookmark?id={id}&position=1500&comment=here")).await;
    ada.ok(&format!("scrobble?id={id}")).await;
    ada.ok(&format!("scrobble?id={id}&submission=false")).await;
    ada.ok(&format!("reportPlayback?mediaId={id}&mediaType=podcast&positionMs=40000&state=stopped")).await;
    ada.ok(&format!("savePlayQueue?id={id}&current={id}&position=1")).await;
    let two = episode(&ada, "Two").await;
    assert_eq!((&two["bookmarkPosition"], &two["playCount"]), (&json!(1500), &json!(2)));
    let mark = ada.ok("getBookmarks").await["bookmarks"]["bookmark"][0].clone();
    assert_eq!((&mark["position"], &mark["comment"], &mark["entry"]["id"]), (&json!(1500), &json!("here"), &json!(id)));
    // They are Ada's own.
    node.account("bob", None).await;
    let bob = App::new(&node, "bob").await;
    assert_eq!(episode(&bob, "Two").await.get("bookmarkPosition"), None);
    ada.ok(&format!("deleteBookmark?id={id}")).await;
    assert_eq!(ada.ok("getBookmarks").await["bookmarks"]["bookmark"], json!([]));
    assert_eq!(episode(&ada, "Two").await["playCount"], 2);
    node.stop().await;
}

#[tokio::test]
async fn a_cover_is_shown_for_the_channel_and_its_episodes() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/cover", Page::Bytes(picture(9, 80, 80, image::ImageFormat::Png).into()));
    follow(&ada, &studio).await;
    studio.next("/cover").await;
    let found = settled(&ada).await;
    for id in [text(&found, "coverArt"), text(&found["episode"][0], "id")] {
        // The picture follows the feed.
        loop {
            let cover = ada.get(&format!("getCoverArt?id={id}")).await;
            if cover.headers()["content-type"] == "image/jpeg" {
                break;
            }
        }
    }
    // Whatever else is there is no picture.
    studio.put("/cover", Page::Bytes("<svg/>".into()));
    assert!(files(&node).contains(&"cover-1.jpg".to_owned()));
    node.stop().await;
}

#[tokio::test]
async fn admins_choose_and_everybody_hears() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    follow(&ada, &studio).await;
    let id = text(&fetched(&ada, "One").await, "id");
    node.account("bob", Some(Vec::new())).await;
    let bob = App::new(&node, "bob").await;
    for call in [
        "createPodcastChannel?url=http://a.example/",
        "deletePodcastChannel?id=pc-1",
        "deletePodcastEpisode?id=pe-1",
        "downloadPodcastEpisode?id=pe-1",
        "refreshPodcasts",
    ] {
        assert_eq!(bob.fault(call).await, 50, "{call}");
    }
    assert_eq!(channel(&bob).await["title"], "Dough");
    assert_eq!(bob.get(&format!("stream?id={id}")).await.bytes().await.unwrap(), sound("one"));
    let role =
        async |app: &App, name: &str| app.ok(&format!("getUser?username={name}")).await["user"]["podcastRole"].clone();
    assert_eq!((role(&ada, "ada").await, role(&bob, "bob").await), (json!(true), json!(false)));
    let told = ada.ok("getOpenSubsonicExtensions").await;
    assert!(each(&told["openSubsonicExtensions"], "name").contains(&"getPodcastEpisode"));
    node.stop().await;
}
