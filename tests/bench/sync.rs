//! How long a node takes to know all that a friend's shares, and what it costs when nothing changed.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use potluck::accounts::{AccountsOptions, Friend, FriendChange, NewAccount, NewFriend};
use potluck::catalog::record::{Description, Place, Record, Stat};
use potluck::catalog::{Catalog, ItemKind, LibraryKind, Seen, Visibility};
use potluck::content::cid;
use potluck::exchange::Body;
use potluck::exchange::iroh::IrohOptions;
use potluck::facades::NodeRouter;
use potluck::friends::FriendsOptions;
use potluck::friends::links::LinksOptions;
use potluck::friends::replicas::ReplicasOptions;
use potluck::media::{Chapter, Facts, MediaOptions};
use potluck::node::{ListensOptions, Node, NodeOptions, PodcastsOptions, ScrubOptions, Store};
use potluck::playback::PlaybackOptions;

use crate::table::Table;

/// Items of the library that is shared.
const ITEMS: u64 = 100_000;

/// `POTLUCK_BENCH_ITEMS` makes it smaller, for a quick try.
fn items() -> u64 {
    std::env::var("POTLUCK_BENCH_ITEMS").ok().and_then(|n| n.parse().ok()).unwrap_or(ITEMS)
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(sync(table))
}

async fn sync(table: &mut Table) -> anyhow::Result<()> {
    let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (sharer, follower) = (node(one.path(), items()).await?, node(two.path(), 0).await?);
    let library = sharer.catalog().libraries().await?.remove(0).id;
    let guest = add(&sharer, &follower).await?;
    let change = FriendChange { libraries: Some(vec![library]), ..FriendChange::default() };
    sharer.accounts().update_friend(&guest.id, change).await?;

    let friends = follower.friends().context("they were started")?;
    let mut events = friends.events();
    let begun = Instant::now();
    let friend = add(&follower, &sharer).await?;
    while !friends.state(&friend.id).synced {
        // What was missed is in the state.
        let _ = events.recv().await;
    }
    let first = begun.elapsed();
    let known = follower.catalog().changes(Seen::default(), String::new(), 1).await?;
    anyhow::ensure!(known.items.is_empty(), "what is a friend's is not passed on");

    let read = Instant::now();
    let (mut since, mut count) = (String::new(), 0);
    loop {
        let page = sharer.catalog().changes(Seen::default(), since, 1000).await?;
        count += page.items.len() as u64;
        since = page.next;
        if !page.more {
            break;
        }
    }
    anyhow::ensure!(count == items(), "{count} items were told");
    let what = format!("first sync of {} items of a friend's", items());
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    table.row(&what, seconds(first), "at most 60 s", format!("reading them alone: {}", seconds(read.elapsed())));

    let cursor = follower.catalog().friend_cursor(&friend.id).await?;
    let nothing = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
    let request = http::Request::get(format!("/api/v1/changes?since={cursor}")).body(nothing)?;
    let links = follower.links().context("they were started")?;
    let moved = || links.iroh().state().bytes_sent + links.iroh().state().bytes_received;
    let before = moved();
    let answer = links.send(&friend, request).await?.into_body().collect().await;
    answer.map_err(|error| anyhow::anyhow!(error))?;
    let what = format!("asking again when none of {} items changed", items());
    let figure = format!("{} bytes", moved() - before);
    table.row(&what, figure, "under 10 KB", "question and answer, with their heads".to_owned());
    follower.stop().await;
    sharer.stop().await;
    Ok(())
}

/// Has a node know another as its friend.
async fn add(node: &Node, other: &Node) -> anyhow::Result<Friend> {
    let addresses = other.links().context("they were started")?.iroh().addresses();
    let new = NewFriend { name: "the other".to_owned(), endpoint: other.id().to_owned(), addresses };
    Ok(node.accounts().add_friend(new).await?)
}

fn links() -> LinksOptions {
    let iroh = IrohOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..IrohOptions::default() };
    LinksOptions { name: "a node".to_owned(), keep: true, awake_max: 0, unused: Duration::ZERO, ipfs: None, iroh }
}

/// A node with one library of that many films, with facts as large as a real file's.
async fn node(data: &Path, count: u64) -> anyhow::Result<Node> {
    let admin = NewAccount {
        name: "ada".to_owned(),
        password: "a pinch of salt".to_owned(),
        admin: true,
        libraries: None,
        max_bit_rate: None,
    };
    let data = data.join("data");
    let store = Store::create(&data, AccountsOptions::default(), admin).await?;
    if count > 0 {
        fill(&store.catalog, count).await?;
    }
    store.close().await;
    let options = NodeOptions {
        data,
        accounts: AccountsOptions::default(),
        watch: false,
        rescan: None,
        settle: Duration::ZERO,
        keep_trashed: Duration::from_secs(3600),
        media: MediaOptions::new(PathBuf::from("/nonexistent")),
        playback: PlaybackOptions::default(),
        webrtc: None,
        links: Some(links()),
        friends: FriendsOptions::default(),
        scrub: ScrubOptions::default(),
        ipfs: None,
        replicas: ReplicasOptions::default(),
        listens: ListensOptions::default(),
        podcasts: PodcastsOptions::default(),
        fetched_bytes: 64 * 1024 * 1024,
    };
    let node = Node::start(options).await?;
    node.start_links(Arc::new(NodeRouter::local(node.clone()))).await?;
    Ok(node)
}

async fn fill(catalog: &Catalog, count: u64) -> anyhow::Result<()> {
    let path = Path::new("/nowhere/films");
    let library = catalog.add_library("Films", LibraryKind::Movies, path, Visibility::Private).await?;
    let chapter = |n: u32| Chapter { start: f64::from(n), end: f64::from(n + 1), title: Some(format!("Chapter {n}")) };
    let facts =
        Facts { container: "matroska".to_owned(), chapters: (0..30).map(chapter).collect(), ..Facts::default() };
    for n in 0..count {
        let title = format!("Title {n}");
        let overview = Some("A keeper of an unlit lighthouse finds that the ships still come.".repeat(5));
        let record = Record {
            item: None,
            place: Place { library: library.id.clone(), path: PathBuf::from(format!("{title}.mkv")) },
            kind: ItemKind::Movie,
            stat: Stat { size: 1_000_000 + n, modified_ns: 1, inode: n, device: 1 },
            cid: Some(cid::of_raw(&n.to_le_bytes())),
            facts: Some(facts.clone()),
            book: None,
            music: None,
            problem: None,
            retry: false,
            description: Description { title, year: Some(1999), overview, ..Description::default() },
        };
        catalog.record(record).await?;
    }
    Ok(())
}
