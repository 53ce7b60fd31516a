//! Pictures of a friend's films are kept here: they are there when the friend is away, and are not fetched again and again.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use potluck::facades::native::model::{ItemPage, ItemSummary};
use potluck::friends::{Dial, FriendsOptions};

use crate::fixtures::film;
use crate::harness::{Browser, TestNode};
use crate::street::{Manner, Street, befriend, options, share, share_only, until};

/// A picture as far as anybody looks, unlike others by its last byte.
fn jpeg(last: u8) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0][..], &[0; 1000], &[last]].concat()
}

/// Ann's node, and Bob's, which shares two films with a poster each.
struct Pair {
    ann: TestNode,
    bob: TestNode,
    street: Arc<Street>,
    ada: Browser,
    /// Bob's account at Ann's, and Ann's at Bob's.
    friend: String,
    guest: String,
    items: Vec<ItemSummary>,
}

impl Pair {
    async fn new(wish: FriendsOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bob = TestNode::start(&films(folder.path())).await;
        let ann = TestNode::start(&[]).await;
        bob.imported().await;
        let friend = befriend(&ann, "Bob", "bob").await;
        let guest = befriend(&bob, "Ann", "ann").await;
        share(&bob, &guest).await;
        let street = Street::new("ann");
        street.set("bob", &bob, Manner::Honest);
        ann.node().start_friends(wish, Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        let ada = ann.signed_in("ada").await;
        let all = |items: Vec<ItemSummary>| (items.len() == 2).then_some(items);
        let items = until(&ann, || async { all(listed(&ada).await) }).await;
        Self { ann, bob, street, ada, friend, guest, items }
    }

    /// Status, entity tag and bytes of a film's poster.
    async fn poster(&self, film: usize) -> (u16, String, Bytes) {
        let answer = self.ada.get(self.items[film].poster.as_ref().unwrap()).send().await.unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag.unwrap_or_default(), answer.bytes().await.unwrap())
    }

    fn asked(&self) -> u64 {
        self.street.asked_for("/poster")
    }

    fn bob_is(&self, manner: Manner) {
        self.street.set("bob", &self.bob, manner);
    }

    fn kept(&self) -> PathBuf {
        self.ann.data().join("friends-pictures").join(&self.friend)
    }

    async fn until_gone(&self, path: &Path) {
        while path.exists() {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) {
        self.ann.stop().await;
        self.bob.stop().await;
    }
}

fn films(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (name, last) in [("One", 1), ("Two", 2)] {
        let (video, picture) = (folder.join(format!("{name}.mp4")), folder.join(format!("{name}-poster.jpg")));
        let mut bytes = std::fs::read(film()).unwrap();
        // Bytes that no player reads: two films, not one.
        bytes.extend_from_slice(&[0, 0, 0, 9, b'f', b'r', b'e', b'e', last]);
        std::fs::write(&video, bytes).unwrap();
        std::fs::write(&picture, jpeg(last)).unwrap();
        files.extend([video, picture]);
    }
    files
}

async fn listed(browser: &Browser) -> Vec<ItemSummary> {
    browser.get("/api/v1/items").send().await.unwrap().json::<ItemPage>().await.unwrap().items
}

#[tokio::test]
async fn a_poster_is_fetched_once_and_is_there_when_the_friend_is_away() {
    let pair = Pair::new(options()).await;
    let (status, tag, bytes) = pair.poster(0).await;
    assert_eq!((status, &bytes[..]), (200, &jpeg(1)[..]));
    pair.bob_is(Manner::Off);
    assert_eq!(pair.poster(0).await, (200, tag.clone(), bytes));
    assert_eq!(pair.asked(), 1);
    let again = pair.ada.get(pair.items[0].poster.as_ref().unwrap()).header("if-none-match", &tag);
    assert_eq!(again.send().await.unwrap().status(), 304);
    assert_eq!(pair.poster(1).await.0, 503, "what nobody looked at before is not here");
    pair.stop().await;
}

#[tokio::test]
async fn a_poster_that_the_friend_changed_is_another_after_a_while() {
    let pair = Pair::new(FriendsOptions { pictures_fresh: Duration::ZERO, ..options() }).await;
    let (_, tag, bytes) = pair.poster(0).await;
    std::fs::write(pair.bob.films().join("One-poster.jpg"), jpeg(9)).unwrap();
    assert_eq!(pair.poster(0).await, (200, tag.clone(), bytes), "what is kept is shown at once");
    let mut now = pair.poster(0).await;
    while now.1 == tag {
        now = pair.poster(0).await;
    }
    assert_eq!(&now.2[..], &jpeg(9)[..]);
    pair.stop().await;
}

#[tokio::test]
async fn pictures_take_no_more_room_than_they_may() {
    let pair = Pair::new(FriendsOptions { pictures_room: 1500, ..options() }).await;
    for film in [0, 1] {
        assert_eq!(pair.poster(film).await.0, 200);
    }
    pair.bob_is(Manner::Off);
    assert_eq!(pair.poster(1).await.0, 200);
    assert_eq!(pair.poster(0).await.0, 503, "the one that was looked at last is there");
    pair.stop().await;
}

#[tokio::test]
async fn what_is_not_shared_any_more_leaves_no_picture_here() {
    let pair = Pair::new(options()).await;
    pair.poster(0).await;
    let library = pair.kept().join(&pair.bob.library);
    assert!(library.is_dir());
    share_only(&pair.bob, &pair.guest, Vec::new()).await;
    pair.until_gone(&library).await;
    assert_eq!(pair.poster(0).await.0, 404);
    share(&pair.bob, &pair.guest).await;
    until(&pair.ann, || async { (pair.poster(0).await.0 == 200).then_some(()) }).await;
    pair.ann.node().accounts().remove_friend(&pair.friend).await.unwrap();
    pair.until_gone(&pair.kept()).await;
    pair.stop().await;
}
