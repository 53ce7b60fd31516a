//! Music by the node's own API: artists, lyrics, loudness, stars, playlists and the queue, and that programs see the same.
use potluck::facades::native::model::{
    ArtistDetail, ArtistList, ItemDetail, ItemPage, ItemSummary, Lyrics, PlayQueue, PlaylistDetail, PlaylistSummary,
    Starred,
};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::friends_share::Pair;
use crate::harness::{Browser, TestNode};
use crate::street::until;
use crate::subsonic::App;
use crate::subsonic::music::with_music;

struct Scene {
    node: TestNode,
    library: String,
    ada: Browser,
}

impl Scene {
    async fn new() -> Self {
        let node = TestNode::start(&[]).await;
        let library = with_music(&node).await;
        let ada = node.signed_in("ada").await;
        Self { node, library, ada }
    }

    async fn titled(&self, kind: &str, title: &str) -> ItemSummary {
        let page: ItemPage = told(&self.ada, &format!("/api/v1/items?kind={kind}")).await;
        page.items.into_iter().find(|item| item.title == title).unwrap()
    }

    async fn artist(&self, name: &str) -> ArtistDetail {
        let list: ArtistList = told(&self.ada, "/api/v1/artists").await;
        let id = list.artists.into_iter().find(|artist| artist.name == name).unwrap().id;
        told(&self.ada, &format!("/api/v1/artists/{id}")).await
    }
}

async fn told<T: DeserializeOwned>(browser: &Browser, path: &str) -> T {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn status(browser: &Browser, method: Method, path: &str, body: Option<Value>) -> u16 {
    let request = browser.request(method, path);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    request.send().await.unwrap().status().as_u16()
}

fn titles(items: &[ItemSummary]) -> Vec<&str> {
    items.iter().map(|item| item.title.as_str()).collect()
}

#[tokio::test]
async fn artists_are_listed_with_their_albums_and_those_on_which_they_play() {
    let scene = Scene::new().await;
    let all: ArtistList = told(&scene.ada, "/api/v1/artists").await;
    let names: Vec<_> = all.artists.iter().map(|artist| (artist.name.as_str(), artist.album_count)).collect();
    assert_eq!((names, all.total), (vec![("Ann", 2), ("Dora", 1), ("Various Artists", 1)], Some(3)));
    let part: ArtistList = told(&scene.ada, "/api/v1/artists?offset=1&limit=1").await;
    assert_eq!((part.artists.len(), part.artists[0].name.as_str(), part.total), (1, "Dora", Some(3)));
    let found: ArtistList = told(&scene.ada, "/api/v1/artists?q=do").await;
    assert_eq!(found.artists.iter().map(|artist| artist.name.as_str()).collect::<Vec<_>>(), ["Dora"]);
    let ann = scene.artist("Ann").await;
    assert_eq!((titles(&ann.albums), ann.appears_on.len()), (vec!["Red", "Blue"], 0));
    let poster = ann.summary.poster.unwrap();
    assert_eq!(scene.ada.status(&poster).await, 200);
    // Who plays on others' albums only is found by the track.
    let track: ItemDetail = told(&scene.ada, &format!("/api/v1/items/{}", scene.titled("track", "x").await.id)).await;
    let bob = track.music.unwrap().artists.into_iter().find(|maker| maker.role == "artist").unwrap();
    assert_eq!(bob.name, "Bob");
    let bob: ArtistDetail = told(&scene.ada, &format!("/api/v1/artists/{}", bob.id)).await;
    assert_eq!((bob.albums.len(), titles(&bob.appears_on)), (0, vec!["Hits"]));
    for bad in ["?limit=0", "?limit=501", "?limit=x", "?offset=-1"] {
        assert_eq!(scene.ada.status(&format!("/api/v1/artists{bad}")).await, 400, "{bad}");
    }
    assert_eq!(scene.ada.status("/api/v1/artists/nobody").await, 404);
    scene.node.stop().await;
}

#[tokio::test]
async fn lyrics_have_times_where_a_file_beside_the_track_has_and_a_track_tells_how_loud_it_is() {
    let scene = Scene::new().await;
    let first = scene.titled("track", "First").await.id;
    let lyrics: Vec<Lyrics> = told(&scene.ada, &format!("/api/v1/items/{first}/lyrics")).await;
    let lines: Vec<_> = lyrics[0].lines.iter().map(|line| (line.start_ms, line.text.as_str())).collect();
    assert_eq!((lyrics[0].synced, lines), (true, vec![(Some(1000), "one"), (Some(2500), "two")]));
    assert_eq!((lyrics[1].synced, lyrics[1].lines[0].start_ms), (false, None));
    let detail: ItemDetail = told(&scene.ada, &format!("/api/v1/items/{first}")).await;
    let music = detail.music.unwrap();
    assert_eq!((music.gain.unwrap().track_gain, music.sample_rate, music.lyrics), (Some(-7.5), Some(44_100), true));
    let third = scene.titled("track", "Third").await.id;
    let none: Vec<Lyrics> = told(&scene.ada, &format!("/api/v1/items/{third}/lyrics")).await;
    let detail: ItemDetail = told(&scene.ada, &format!("/api/v1/items/{third}")).await;
    let music = detail.music.unwrap();
    assert_eq!((none.len(), music.gain.is_none(), music.lyrics), (0, true, false));
    scene.node.stop().await;
}

#[tokio::test]
async fn what_is_starred_and_rated_here_is_so_for_programs_and_the_other_way_round() {
    let scene = Scene::new().await;
    let program = App::new(&scene.node, "ada").await;
    let (track, album) = (scene.titled("track", "First").await.id, scene.titled("album", "Blue").await.id);
    let ann = scene.artist("Ann").await.summary.id;
    for path in [format!("items/{track}"), format!("items/{album}"), format!("artists/{ann}")] {
        let (star, rating) = (format!("/api/v1/{path}/star"), format!("/api/v1/{path}/rating"));
        assert_eq!(status(&scene.ada, Method::PUT, &star, None).await, 204);
        assert_eq!(status(&scene.ada, Method::PUT, &rating, Some(json!({"rating": 4}))).await, 204);
        for bad in [json!({"rating": 0}), json!({"rating": 6}), json!({"rating": -1}), json!({})] {
            assert_eq!(status(&scene.ada, Method::PUT, &rating, Some(bad)).await, 400);
        }
    }
    let starred: Starred = told(&scene.ada, "/api/v1/starred").await;
    assert_eq!((titles(&starred.albums), titles(&starred.tracks)), (vec!["Blue"], vec!["First"]));
    assert_eq!((starred.artists[0].name.as_str(), starred.artists[0].rating), ("Ann", Some(4)));
    let listed = scene.titled("track", "First").await;
    assert_eq!((listed.starred_at.is_some(), listed.rating), (true, Some(4)));
    let seen = program.ok("getStarred2").await;
    assert_eq!(seen["starred2"]["song"][0]["title"], "First");
    assert_eq!(
        (&seen["starred2"]["album"][0]["name"], &seen["starred2"]["artist"][0]["userRating"]),
        (&json!("Blue"), &json!(4))
    );
    let song = seen["starred2"]["song"][0]["id"].as_str().unwrap();
    program.ok(&format!("unstar?id={song}")).await;
    assert_eq!(scene.titled("track", "First").await.starred_at, None);
    assert_eq!(status(&scene.ada, Method::DELETE, &format!("/api/v1/artists/{ann}/star"), None).await, 204);
    assert_eq!(status(&scene.ada, Method::DELETE, &format!("/api/v1/items/{track}/rating"), None).await, 204);
    assert_eq!(scene.titled("track", "First").await.rating, None);
    let starred: Starred = told(&scene.ada, "/api/v1/starred").await;
    assert_eq!((starred.artists.len(), starred.tracks.len(), starred.albums.len()), (0, 0, 1));
    // Heard in the page is heard.
    let progress = json!({"position": 1.0, "completed": true});
    assert_eq!(status(&scene.ada, Method::PUT, &format!("/api/v1/items/{track}/progress"), Some(progress)).await, 204);
    assert_eq!(program.ok(&format!("getSong?id={song}")).await["song"]["playCount"], 1);
    scene.node.stop().await;
}

#[tokio::test]
async fn a_playlist_is_made_put_in_order_and_changed_by_whom_it_belongs_to_alone() {
    let scene = Scene::new().await;
    let (red, third) = (scene.titled("album", "Red").await.id, scene.titled("track", "Third").await.id);
    let new = json!({"name": " Evening ", "items": [third, red, third, "nothing"]});
    let made = scene.ada.post("/api/v1/playlists").json(&new).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let made: PlaylistDetail = made.json().await.unwrap();
    assert_eq!((made.summary.name.as_str(), made.summary.own, made.summary.tracks), ("Evening", true, 4));
    assert_eq!(titles(&made.items), ["Third", "First", "Second", "Third"]);
    assert_eq!(scene.ada.status(&made.summary.poster.unwrap()).await, 200);
    let path = format!("/api/v1/playlists/{}", made.summary.id);
    let change = |body: Value| scene.ada.request(Method::PATCH, &path).json(&body).send();
    let changed: PlaylistDetail = change(json!({"move": {"from": 0, "to": 2}})).await.unwrap().json().await.unwrap();
    assert_eq!(titles(&changed.items), ["First", "Second", "Third", "Third"]);
    let body = json!({"remove": [0, 3], "add": [third], "name": "Night", "comment": "late"});
    let changed: PlaylistDetail = change(body).await.unwrap().json().await.unwrap();
    assert_eq!((titles(&changed.items), changed.summary.name.as_str()), (vec!["Second", "Third", "Third"], "Night"));
    for bad in [json!({"name": " "}), json!({"name": "x".repeat(201)}), json!({"comment": "x".repeat(4001)}), json!([])]
    {
        assert_eq!(change(bad).await.unwrap().status().as_u16(), 400);
    }
    let program = App::new(&scene.node, "ada").await;
    let seen = program.ok("getPlaylists").await;
    assert_eq!(seen["playlists"]["playlist"][0]["name"], "Night");
    // Others see it once it is for all, and may not change it.
    scene.node.account("bob", Some(vec![scene.library.clone()])).await;
    let bob = scene.node.signed_in("bob").await;
    assert_eq!(bob.status(&path).await, 404);
    assert_eq!(status(&bob, Method::DELETE, &path, None).await, 404);
    assert_eq!(change(json!({"public": true})).await.unwrap().status().as_u16(), 200);
    let lists: Vec<PlaylistSummary> = told(&bob, "/api/v1/playlists").await;
    assert_eq!((lists[0].owner.as_str(), lists[0].own, lists[0].tracks), ("ada", false, 3));
    assert_eq!(status(&bob, Method::PATCH, &path, Some(json!({"name": "Mine"}))).await, 403);
    assert_eq!(status(&bob, Method::DELETE, &path, None).await, 403);
    assert_eq!(status(&scene.ada, Method::DELETE, &path, None).await, 204);
    assert_eq!(scene.ada.status(&path).await, 404);
    scene.node.stop().await;
}

#[tokio::test]
async fn a_queue_goes_on_at_another_device_or_program() {
    let scene = Scene::new().await;
    assert_eq!(scene.ada.status("/api/v1/play-queue").await, 204);
    let (first, third) = (scene.titled("track", "First").await.id, scene.titled("track", "Third").await.id);
    let body = json!({"items": ["gone", first, third], "current": 2, "position_ms": 1500});
    assert_eq!(status(&scene.ada, Method::PUT, "/api/v1/play-queue", Some(body)).await, 204);
    let queue: PlayQueue = told(&scene.ada, "/api/v1/play-queue").await;
    assert_eq!((titles(&queue.items), queue.current, queue.position_ms), (vec!["First", "Third"], Some(1), 1500));
    let program = App::new(&scene.node, "ada").await;
    let seen = program.ok("getPlayQueue").await;
    assert_eq!(
        (seen["playQueue"]["entry"].as_array().unwrap().len(), &seen["playQueue"]["position"]),
        (2, &json!(1500))
    );
    let bad = json!({"items": [first], "current": 1});
    assert_eq!(status(&scene.ada, Method::PUT, "/api/v1/play-queue", Some(bad)).await, 400);
    assert_eq!(status(&scene.ada, Method::PUT, "/api/v1/play-queue", Some(json!({"items": []}))).await, 204);
    assert_eq!(scene.ada.status("/api/v1/play-queue").await, 204);
    scene.node.stop().await;
}

#[tokio::test]
async fn music_of_a_library_that_somebody_may_not_see_is_in_nothing_that_is_told() {
    let scene = Scene::new().await;
    let (track, ann) = (scene.titled("track", "First").await.id, scene.artist("Ann").await.summary.id);
    let new = json!({"name": "All", "items": [track]});
    let made: PlaylistDetail =
        scene.ada.post("/api/v1/playlists").json(&new).send().await.unwrap().json().await.unwrap();
    let path = format!("/api/v1/playlists/{}", made.summary.id);
    assert_eq!(status(&scene.ada, Method::PATCH, &path, Some(json!({"public": true}))).await, 200);
    scene.node.account("eve", Some(vec![])).await;
    let eve = scene.node.signed_in("eve").await;
    let list: ArtistList = told(&eve, "/api/v1/artists").await;
    assert_eq!((list.artists.len(), list.total), (0, Some(0)));
    let found: ArtistList = told(&eve, "/api/v1/artists?q=ann").await;
    assert_eq!(found.artists.len(), 0);
    for hidden in [format!("/api/v1/artists/{ann}"), format!("/api/v1/items/{track}/lyrics")] {
        assert_eq!(eve.status(&hidden).await, 404, "{hidden}");
    }
    for hidden in [format!("/api/v1/artists/{ann}/star"), format!("/api/v1/items/{track}/star")] {
        assert_eq!(status(&eve, Method::PUT, &hidden, None).await, 404, "{hidden}");
    }
    let empty: PlaylistDetail = told(&eve, &path).await;
    assert_eq!((empty.items.len(), empty.summary.tracks, empty.summary.poster), (0, 0, None));
    let body = json!({"items": [track], "current": 0});
    assert_eq!(status(&eve, Method::PUT, "/api/v1/play-queue", Some(body)).await, 204);
    assert_eq!(eve.status("/api/v1/play-queue").await, 204);
    let own = json!({"name": "Mine", "items": [track]});
    let own: PlaylistDetail = eve.post("/api/v1/playlists").json(&own).send().await.unwrap().json().await.unwrap();
    assert_eq!(own.items.len(), 0);
    scene.node.stop().await;
}

async fn friends(browser: &Browser, title: &str) -> Option<ItemSummary> {
    let page: ItemPage = told(browser, "/api/v1/items?kind=track").await;
    page.items.into_iter().find(|item| item.title == title && item.friend.is_some())
}

#[tokio::test]
async fn a_friends_track_is_starred_and_put_into_a_playlist_and_its_lyrics_are_asked_of_the_friend() {
    let pair = Pair::new().await;
    let library = with_music(&pair.bob).await;
    pair.share(vec![library]).await;
    let ada = pair.ann.signed_in("ada").await;
    let track = until(&pair.ann, || friends(&ada, "First")).await;
    let path = format!("/api/v1/items/{}", track.id);
    let lyrics: Vec<Lyrics> = told(&ada, &format!("{path}/lyrics")).await;
    assert_eq!((lyrics[0].synced, lyrics[0].lines[1].text.as_str()), (true, "two"));
    assert_eq!(status(&ada, Method::PUT, &format!("{path}/star"), None).await, 204);
    let starred: Starred = told(&ada, "/api/v1/starred").await;
    assert_eq!(titles(&starred.tracks), ["First"]);
    assert!(starred.tracks[0].friend.is_some() && starred.tracks[0].starred_at.is_some());
    let new = json!({"name": "Of Bob's", "items": [track.show.unwrap()]});
    let made: PlaylistDetail = ada.post("/api/v1/playlists").json(&new).send().await.unwrap().json().await.unwrap();
    assert_eq!((titles(&made.items), made.summary.tracks), (vec!["First", "Second"], 2));
    let body = json!({"items": [track.id], "current": 0, "position_ms": 7});
    assert_eq!(status(&ada, Method::PUT, "/api/v1/play-queue", Some(body)).await, 204);
    let queue: PlayQueue = told(&ada, "/api/v1/play-queue").await;
    assert_eq!((titles(&queue.items), queue.position_ms), (vec!["First"], 7));
    // Stars are no business of the friend's.
    let bobs = pair.bob.signed_in("ada").await;
    let at_bobs: Starred = told(&bobs, "/api/v1/starred").await;
    assert_eq!(at_bobs.tracks.len(), 0);
    pair.stop().await;
}
