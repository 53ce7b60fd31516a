//! Feeds that are asked for again, and files that come in pieces.
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header;
use potluck::node::PodcastsOptions;
use serde_json::json;

use super::studio::{Page, Studio};
use super::{channel, episode, fetched, files, follow, once, options, refused, settled, sound, started, with};
use crate::subsonic::App;
use crate::subsonic::music::text;

#[tokio::test]
async fn an_episode_that_breaks_off_goes_on_where_it_was() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    let whole = sound("one");
    let half = whole.len() / 2;
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Cut(whole.clone(), half));
    follow(&ada, &studio).await;
    let id = text(&episode(&ada, "One").await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    assert_eq!(studio.next("/1.mp3").await.get(header::RANGE), None);
    let again = studio.next("/1.mp3").await;
    let from: usize = again[header::RANGE].to_str().unwrap()["bytes=".len()..].trim_end_matches('-').parse().unwrap();
    assert!(from > 0 && from <= half && again.contains_key(header::IF_RANGE), "{again:?}");
    studio.put("/1.mp3", Page::Bytes(whole.clone()));
    once(&ada, "One", "completed").await;
    assert_eq!(ada.get(&format!("stream?id={id}")).await.bytes().await.unwrap(), whole);
    node.stop().await;
}

#[tokio::test]
async fn a_file_that_changed_in_between_is_fetched_from_its_beginning() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    let (first, second) = (sound("one"), sound("another"));
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Cut(first.clone(), first.len() / 2));
    follow(&ada, &studio).await;
    let id = text(&episode(&ada, "One").await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    studio.next("/1.mp3").await;
    studio.put("/1.mp3", Page::Bytes(second.clone()));
    once(&ada, "One", "completed").await;
    assert_eq!(ada.get(&format!("stream?id={id}")).await.bytes().await.unwrap(), second);
    node.stop().await;
}

#[tokio::test]
async fn what_is_under_way_goes_on_after_a_restart() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    let whole: Bytes = [sound("one"), sound("one"), vec![0; 600_000].into()].concat().into();
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Stalled(whole.clone(), 550_000));
    follow(&ada, &studio).await;
    let id = text(&episode(&ada, "One").await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    let part = node.data().join("podcasts/1.part");
    while std::fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        tokio::task::yield_now().await;
    }
    let halted = node.halt().await;
    while studio.asked.try_recv().is_ok() {}
    studio.put("/1.mp3", Page::Bytes(whole.clone()));
    let node = halted.wake(|wish| wish.podcasts = options()).await;
    let ada = App::new(&node, "ada").await;
    assert!(studio.next("/1.mp3").await.contains_key(header::RANGE));
    once(&ada, "One", "completed").await;
    assert_eq!(ada.get(&format!("stream?id={id}")).await.bytes().await.unwrap(), whole);
    node.stop().await;
}

#[tokio::test]
async fn what_is_deleted_is_gone_also_in_the_middle() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    let whole: Bytes = vec![0; 600_000].into();
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3"), ("Three", "/3.mp3")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    for path in ["/2.mp3", "/3.mp3"] {
        studio.put(path, Page::Stalled(whole.clone(), 550_000));
    }
    follow(&ada, &studio).await;
    let one = text(&fetched(&ada, "One").await, "id");
    for title in ["Two", "Three"] {
        let id = text(&episode(&ada, title).await, "id");
        ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    }
    while files(&node).iter().filter(|name| name.ends_with(".part")).count() < 2 {
        tokio::task::yield_now().await;
    }
    ada.ok(&format!("deletePodcastEpisode?id={one}")).await;
    assert_eq!(
        (text(&episode(&ada, "One").await, "status"), ada.fault(&format!("stream?id={one}")).await),
        ("deleted".into(), 70)
    );
    let two = text(&episode(&ada, "Two").await, "id");
    ada.ok(&format!("deletePodcastEpisode?id={two}")).await;
    while files(&node).iter().any(|name| name == "2.part") {
        tokio::task::yield_now().await;
    }
    assert_eq!(episode(&ada, "Two").await["status"], "deleted");
    // A refresh does not bring back what somebody deleted; who wants it again says so.
    ada.ok("refreshPodcasts").await;
    settled(&ada).await;
    assert_eq!(episode(&ada, "One").await["status"], "deleted");
    fetched(&ada, "One").await;
    let feed = text(&channel(&ada).await, "id");
    ada.ok(&format!("deletePodcastChannel?id={feed}")).await;
    assert_eq!(ada.ok("getPodcasts").await["podcasts"]["channel"], json!([]));
    while !files(&node).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ada.fault(&format!("deletePodcastChannel?id={feed}")).await, 70);
    node.stop().await;
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_until_it_is_given_up() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Status(503));
    follow(&ada, &studio).await;
    let id = text(&episode(&ada, "One").await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    for _ in 0..3 {
        studio.next("/1.mp3").await;
    }
    let given_up = once(&ada, "One", "error").await;
    assert!(text(&given_up, "errorMessage").contains("503"));
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    fetched(&ada, "One").await;
    node.stop().await;
}

#[tokio::test]
async fn a_refresh_finds_new_episodes_and_tells_what_went_wrong() {
    let (mut studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3")]);
    follow(&ada, &studio).await;
    studio.next("/feed").await;
    let known = studio.next("/feed").await;
    assert!(known.contains_key(header::IF_NONE_MATCH), "its version is told, so that it is not sent again");
    assert_eq!(settled(&ada).await["status"], "completed");
    let before = text(&episode(&ada, "One").await, "id");
    studio.put_feed(&[("One", "/other.mp3"), ("Two", "/2.mp3")]);
    ada.ok("refreshPodcasts").await;
    studio.next("/feed").await;
    while channel(&ada).await["episode"].as_array().unwrap().len() < 2 {}
    assert_eq!(text(&episode(&ada, "One").await, "id"), before, "what is known keeps its id");
    for (page, why) in [
        (Page::Status(404), "404"),
        (Page::Bytes("<html>gone</html>".into()), "no podcast"),
        (Page::Cut(vec![b'x'; 1000].into(), 10), "cannot be reached"),
    ] {
        studio.put("/feed", page);
        settled(&ada).await;
        ada.ok("refreshPodcasts").await;
        loop {
            let found = channel(&ada).await;
            if found["status"] == "error" && text(&found, "errorMessage").contains(why) {
                assert_eq!(found["episode"].as_array().unwrap().len(), 2, "what was known is kept");
                break;
            }
        }
    }
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3"), ("Three", "/3.mp3")]);
    ada.ok("refreshPodcasts").await;
    while channel(&ada).await["status"] != "completed" {}
    let found = channel(&ada).await;
    assert_eq!((found["episode"].as_array().unwrap().len(), found.get("errorMessage")), (3, None));
    node.stop().await;
}

#[tokio::test]
async fn feeds_are_asked_for_by_a_schedule_and_the_newest_come_by_themselves() {
    let mut studio = Studio::open().await;
    let large = Bytes::from(vec![0; 2_000_000]);
    let often =
        PodcastsOptions { refresh: Some(Duration::from_millis(30)), newest: 1, episode_max: 1_000_000, ..options() };
    let (node, ada) = with(often).await;
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3")]);
    studio.put("/2.mp3", Page::Bytes(sound("two")));
    studio.put("/3.mp3", Page::Bytes(large));
    follow(&ada, &studio).await;
    once(&ada, "Two", "completed").await;
    assert_eq!(episode(&ada, "One").await["status"], "skipped");
    studio.put_feed(&[("One", "/1.mp3"), ("Two", "/2.mp3"), ("Three", "/3.mp3")]);
    studio.next("/3.mp3").await;
    let three = once(&ada, "Three", "skipped").await;
    assert!(text(&three, "errorMessage").contains("podcasts.episode_mib"), "nobody wanted it: {three}");
    assert_eq!(refused(&ada, "Three").await, text(&three, "errorMessage"), "and now somebody did");
    node.stop().await;
}

#[tokio::test]
async fn episodes_are_found_again_where_their_folder_was_moved() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/1.mp3")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    follow(&ada, &studio).await;
    let id = text(&fetched(&ada, "One").await, "id");
    let (before, after) = (node.data().join("podcasts"), node.data().with_file_name("casts"));
    let halted = node.halt().await;
    std::fs::rename(before, &after).unwrap();
    let moved = PodcastsOptions { folder: Some(after), ..options() };
    let node = halted.wake(|wish| wish.podcasts = moved).await;
    let ada = App::new(&node, "ada").await;
    loop {
        let answer = ada.get(&format!("stream?id={id}")).await;
        if answer.headers()["content-type"] == "audio/mpeg" {
            assert_eq!(answer.bytes().await.unwrap(), sound("one"));
            break;
        }
    }
    node.stop().await;
}
