//! What whoever writes a feed may try.
use std::io::Write as _;

use axum::body::Bytes;
use potluck::node::PodcastsOptions;
use serde_json::json;

use super::studio::{Page, Studio};
use super::{channel, fetched, files, follow, message, options, refused, settled, sound, started, with};
use crate::subsonic::music::text;

#[tokio::test]
async fn redirects_are_followed_but_not_for_ever() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    studio.put_feed(&[("One", "/moved.mp3"), ("Two", "/round")]);
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    studio.put("/old", Page::To(format!("{}/feed", studio.url)));
    studio.put("/moved.mp3", Page::To("/further.mp3".into()));
    studio.put("/further.mp3", Page::To("1.mp3".into()));
    studio.put("/round", Page::To("/round".into()));
    ada.ok(&format!("createPodcastChannel?url={}/old", studio.url)).await;
    fetched(&ada, "One").await;
    assert!(refused(&ada, "Two").await.contains("again and again"));
    for (to, why) in [
        ("/round", "again and again"),
        ("file:///etc/passwd", "not the address"),
        ("http://ada:secret@127.0.0.1/", "not the address"),
        ("http://", "not the address"),
    ] {
        studio.put("/odd", Page::To(to.into()));
        let told = message(&ada, &format!("createPodcastChannel?url={}/odd", studio.url)).await;
        assert!(told.contains(why), "{to}: {told}");
    }
    node.stop().await;
}

#[tokio::test]
async fn nothing_is_fetched_from_this_machine_or_its_networks() {
    let mut hidden = Studio::at("127.0.0.2:0").await;
    hidden.put_feed(&[("One", "/1.mp3")]);
    let port = hidden.url.rsplit(':').next().unwrap().to_owned();
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    // By every way of writing the address, by a redirect, and by what a feed names.
    for address in ["127.0.0.2", "0x7f.2", "2130706434", "[::ffff:127.0.0.2]"] {
        let told = message(&ada, &format!("createPodcastChannel?url=http://{address}:{port}/feed")).await;
        assert!(told.contains("private network"), "{address}: {told}");
    }
    studio.put("/away", Page::To(format!("{}/feed", hidden.url)));
    let told = message(&ada, &format!("createPodcastChannel?url={}/away", studio.url)).await;
    assert!(told.contains("private network"), "{told}");
    studio.put_feed(&[("One", &format!("{}/1.mp3", hidden.url)), ("Two", "/2.mp3")]);
    studio.put("/2.mp3", Page::To(format!("{}/1.mp3", hidden.url)));
    studio.put("/cover", Page::To(format!("{}/1.mp3", hidden.url)));
    follow(&ada, &studio).await;
    for title in ["One", "Two"] {
        assert!(refused(&ada, title).await.contains("private network"));
    }
    settled(&ada).await;
    assert!(hidden.asked.try_recv().is_err(), "nobody came");
    node.stop().await;
    // Without a setting, nowhere.
    let (node, ada) = with(PodcastsOptions { private_networks: Vec::new(), ..options() }).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"] {
        let told = message(&ada, &format!("createPodcastChannel?url=http://{host}:{port}/feed")).await;
        assert!(told.contains("private network"), "{host}: {told}");
    }
    assert!(hidden.asked.try_recv().is_err());
    node.stop().await;
}

#[tokio::test]
async fn feeds_that_are_no_feeds_or_bombs_are_refused() {
    let (studio, (node, ada)) = (Studio::open().await, started().await);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        packer.write_all(&vec![b' '; 1_000_000]).unwrap();
    }
    for (page, why) in [
        (Page::Status(404), "answered 404"),
        (Page::Status(500), "answered 500"),
        (Page::Bytes("hello".into()), "no podcast"),
        (Page::Bytes(Bytes::new()), "no podcast"),
        (Page::Bytes(vec![0xff; 5000].into()), "no podcast"),
        (Page::Endless, "longer than"),
        (Page::Packed(packer.finish().unwrap().into()), "no podcast"),
    ] {
        studio.put("/feed", page);
        let told = message(&ada, &format!("createPodcastChannel?url={}/feed", studio.url)).await;
        assert!(told.contains(why), "{why}: {told}");
    }
    assert_eq!(ada.ok("getPodcasts").await["podcasts"]["channel"], json!([]), "nothing is kept of them");
    for odd in ["x", "ftp://a.example/", "http://ada:x@127.0.0.1/", "http://", "file:///etc/passwd"] {
        assert!(message(&ada, &format!("createPodcastChannel?url={odd}")).await.contains("not the address"), "{odd}");
    }
    assert!(message(&ada, "createPodcastChannel?url=http://127.0.0.1:1/").await.contains("cannot be reached"));
    let entities: String =
        (1..20).map(|n| format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10))).collect();
    let feed = studio.feed(&[("One", "/1.mp3")]).replace("Dough", "Dough&a19;");
    let bomb = format!("<!DOCTYPE rss [<!ENTITY a0 \"lol\">{entities}]>{feed}");
    studio.put("/feed", Page::Bytes(bomb.into()));
    follow(&ada, &studio).await;
    assert_eq!(channel(&ada).await["title"], "Dough", "nothing grows");
    assert!(message(&ada, &format!("createPodcastChannel?url={}/feed", studio.url)).await.contains("already"));
    node.stop().await;
}

#[tokio::test]
async fn files_that_are_too_large_or_no_sound_are_not_kept() {
    let studio = Studio::open().await;
    let small =
        PodcastsOptions { episode_max: 1_000_000, quota: Some(sound("one").len() as u64 + 20_000), ..options() };
    let (node, ada) = with(small).await;
    studio.put_feed(&[
        ("Large", "/l.mp3"),
        ("Endless", "/e.mp3"),
        ("Page", "/p.mp3"),
        ("Gone", "/g.mp3"),
        ("Empty", "/0.mp3"),
        ("Packed", "/z.mp3"),
        ("One", "/1.mp3"),
        ("Two", "/2.mp3"),
    ]);
    studio.put("/l.mp3", Page::Bytes(vec![0; 1_000_001].into()));
    studio.put("/e.mp3", Page::Endless);
    studio.put("/p.mp3", Page::Bytes("<html>not here</html>".into()));
    studio.put("/0.mp3", Page::Bytes(Bytes::new()));
    studio.put("/z.mp3", Page::Packed(sound("z")));
    studio.put("/1.mp3", Page::Bytes(sound("one")));
    studio.put("/2.mp3", Page::Bytes([sound("two"), vec![0; 20_001].into()].concat().into()));
    follow(&ada, &studio).await;
    for (title, why) in [
        ("Large", "podcasts.episode_mib"),
        ("Endless", "podcasts."),
        ("Page", "neither sound nor film"),
        ("Gone", "answered 404"),
        ("Empty", "empty"),
        ("Packed", "packed"),
    ] {
        let told = refused(&ada, title).await;
        assert!(told.contains(why), "{title}: {told}");
    }
    let kept = text(&fetched(&ada, "One").await, "id").replace("pe-", "") + ".mp3";
    assert!(refused(&ada, "Two").await.contains("podcasts.quota_gib"), "there is no room beside the first");
    let left = files(&node);
    assert_eq!(left.iter().filter(|name| !name.starts_with("cover")).collect::<Vec<_>>(), [&kept]);
    node.stop().await;
}
