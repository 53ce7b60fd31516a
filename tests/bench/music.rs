//! A large library of music: how fast it is read, looked through and listed, and what the node weighs with it, beside Supysonic
//! with the same files and the same questions.
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::api::Api;
use crate::node::{PASSWORD, SETTLED, Served, init, percentiles};
use crate::supysonic::{Scanned, Serving, Supysonic};
use crate::table::Table;
use crate::tracks::Sounds;

/// Tracks that are scanned, looked through again and asked for.
const TRACKS: u64 = 100_000;
/// Tracks of the scan that is weighed, those among them.
const ALL: u64 = 150_000;
const ROUNDS: usize = 300;
/// Times that Supysonic is asked where it takes long.
const FEWER: usize = 20;
const SONGS: u64 = 500;
/// Albums that somebody has an opinion of: enough for the lists that go by that.
const FAVOURITES: u32 = 200;
/// Every list of albums there is, the part in the middle.
const ALBUM_LISTS: [&str; 11] = [
    "random",
    "newest",
    "highest",
    "frequent",
    "recent",
    "starred",
    "alphabeticalByName",
    "alphabeticalByArtist",
    "byYear&fromYear=1970&toYear=1990",
    "byYear&fromYear=1990&toYear=1970",
    "byGenre&genre=Genre%207",
];
/// How often the workers' weight is looked at.
const LOOK: Duration = Duration::from_millis(100);
const NOT_HERE: &str = "Supysonic is not here (POTLUCK_BENCH_SUPYSONIC)";

/// `POTLUCK_BENCH_ITEMS` makes it smaller, for a quick try.
fn at_most(count: u64) -> u64 {
    std::env::var("POTLUCK_BENCH_ITEMS").ok().and_then(|n| n.parse().ok()).map_or(count, |most: u64| count.min(most))
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(run(table))
}

async fn run(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (music, tracks, all) = (folder.path().join("music"), at_most(TRACKS), at_most(TRACKS) + at_most(ALL - TRACKS));
    let first = music.join("first");
    let sounds = Sounds::new(folder.path())?;
    sounds.write(&first, 0..tracks)?;
    let peer = Supysonic::new(&folder.path().join("supysonic"), &first)?;
    let data = folder.path().join("data");
    init(&data)?;
    let password = scans(table, &data, &first, tracks, peer.as_ref()).await?;
    ask(table, &data, tracks, &password, peer.as_ref()).await?;
    sounds.write(&music.join("more"), tracks..all)?;
    largest(table, &folder.path().join("largest"), &music, all).await
}

/// Scans everything for the first time and again. Returns an app password.
async fn scans(
    table: &mut Table,
    data: &Path,
    music: &Path,
    tracks: u64,
    peer: Option<&Supysonic>,
) -> anyhow::Result<String> {
    let node = Api::sign_in(Served::start(data)?).await?;
    let begun = Instant::now();
    let library = add(&node, music).await?;
    let took = scanned(&node, &library, None, || ()).await?.duration_since(begun);
    let known = node.get(&library).await?["items"].as_u64();
    let password = node.post("/api/v1/app-passwords", json!({"name": "bench"})).await?["password"].take();
    let password = password.as_str().context("it is told")?.to_owned();
    let before = node.get(&library).await?["scanned_at"].as_i64();
    let theirs = peer.map(|peer| Ok::<_, anyhow::Error>((peer.scan()?, peer.scan()?))).transpose()?;
    let rate = |took: Duration| format!("{:.0} tracks/s", tracks as f64 / took.as_secs_f64());
    table.row(
        &format!("first scan of {} tracks from the system's cache", known.unwrap_or(tracks)),
        rate(took),
        "at least 1,000 tracks/s",
        theirs.as_ref().map_or(NOT_HERE.to_owned(), |(first, _)| {
            format!("Supysonic: {}, peak {}", rate(first.took), megabytes(first.peak))
        }),
    );
    let begun = Instant::now();
    node.post(&format!("{library}/scan"), Value::Null).await?;
    let took = scanned(&node, &library, before, || ()).await?.duration_since(begun);
    let again = |scan: &Scanned| format!("Supysonic: {:.1} s", scan.took.as_secs_f64());
    table.row(
        &format!("scan of {tracks} unchanged tracks"),
        format!("{:.2} s", took.as_secs_f64()),
        "under 5 s",
        theirs.as_ref().map_or(NOT_HERE.to_owned(), |(_, second)| again(second)),
    );
    Ok(password)
}

/// Adds a library; returns its path.
async fn add(node: &Api, music: &Path) -> anyhow::Result<String> {
    let made = node.post("/api/v1/libraries", json!({"name": "Music", "kind": "music", "path": music})).await?;
    Ok(format!("/api/v1/libraries/{}", made["id"].as_str().context("it has an id")?))
}

/// Waits for the end of a scan, looking at something meanwhile.
async fn scanned(node: &Api, library: &str, before: Option<i64>, mut look: impl FnMut()) -> anyhow::Result<Instant> {
    loop {
        let now = node.get(library).await?;
        let running = matches!(now["scan"]["state"].as_str(), Some("queued" | "listing" | "importing"));
        if now["scanned_at"].is_i64() && now["scanned_at"].as_i64() != before && !running {
            return Ok(Instant::now());
        }
        look();
        tokio::time::sleep(LOOK).await;
    }
}

/// A node that was started anew: its weight, and its answers.
async fn ask(
    table: &mut Table,
    data: &Path,
    tracks: u64,
    password: &str,
    peer: Option<&Supysonic>,
) -> anyhow::Result<()> {
    let node = Api::sign_in(Served::start(data)?).await?;
    let peer = peer.map(Supysonic::serve).transpose()?;
    tokio::time::sleep(SETTLED).await;
    table.row(
        &format!("idle node with {tracks} tracks, RSS"),
        format!("{}, of it own memory {}", megabytes(node.node.resident()?), megabytes(node.node.own()?)),
        "under 100 MB",
        peer.as_ref().map_or(NOT_HERE.to_owned(), |peer| format!("Supysonic: {}", megabytes(peer.resident()))),
    );
    let offset = (tracks / 2).saturating_sub(SONGS);
    let empty = format!("search3?query=&artistCount=0&albumCount=0&songCount={SONGS}&songOffset={offset}");
    let theirs = PASSWORD.replace(' ', "%20");
    opine(&node, &node.node.url, password).await?;
    if let Some(peer) = &peer {
        opine(&node, &peer.url, &theirs).await?;
    }
    let asked = ("ping", "ping?", "p50 under 1 ms");
    answers(table, (&node, peer.as_ref()), password, asked, false).await?;
    for list in ALBUM_LISTS {
        let call = format!("getAlbumList2?type={list}&size=50&offset=100");
        let asked = (&*format!("getAlbumList2 {list}, 50"), &*call, "p99 under 20 ms");
        answers(table, (&node, peer.as_ref()), password, asked, true).await?;
    }
    for (what, call, asked, fewer) in [
        ("getAlbumList2 by name, 500", "getAlbumList2?type=alphabeticalByName&size=500&offset=1000", "-", true),
        ("getArtists", "getArtists?", "-", true),
        ("search3 of nothing, 500 songs", &empty, "under 100 ms", true),
        ("search3 of a word", "search3?query=title%2077&songCount=20", "-", true),
    ] {
        answers(table, (&node, peer.as_ref()), password, (what, call, asked), fewer).await?;
    }
    table.row(
        "the node after all that, RSS",
        megabytes(node.node.resident()?),
        "-",
        peer.as_ref().map_or(NOT_HERE.to_owned(), |peer| format!("Supysonic: {}", megabytes(peer.resident()))),
    );
    Ok(())
}

async fn answers(
    table: &mut Table,
    (node, peer): (&Api, Option<&Serving>),
    password: &str,
    (what, call, asked): (&str, &str, &str),
    fewer: bool,
) -> anyhow::Result<()> {
    let theirs = peer.map(|peer| url(&peer.url, &PASSWORD.replace(' ', "%20"), call));
    let (ours, mut times, mut reference) = (url(&node.node.url, password, call), Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        times.push(answer(node, &ours).await?.0);
        // In turns, so that both meet the same machine.
        if let Some(theirs) = theirs.as_ref().filter(|_| !fewer || n < FEWER) {
            // What it does not know it refuses each time.
            reference.extend(answer(node, theirs).await.ok().map(|(took, _)| took));
        }
    }
    let reference = match theirs {
        None => NOT_HERE.to_owned(),
        Some(_) if reference.is_empty() => "Supysonic refuses it".to_owned(),
        Some(_) => format!("Supysonic: {}", percentiles(reference)),
    };
    table.row(what, percentiles(times), asked, reference);
    Ok(())
}

fn url(server: &str, password: &str, call: &str) -> String {
    format!("{server}/rest/{call}&u=ada&p={password}&v=1.12.0&c=bench&f=json")
}

async fn answer(node: &Api, url: &str) -> anyhow::Result<(Duration, Value)> {
    let begun = Instant::now();
    let body = node.client.get(url).send().await?.error_for_status()?.bytes().await?;
    let took = begun.elapsed();
    let mut answer: Value = serde_json::from_slice(&body)?;
    let answer = answer["subsonic-response"].take();
    ensure!(answer["status"] == "ok", "{url}: {}", answer["error"]);
    Ok((took, answer))
}

/// Stars, rates and hears some albums at a server.
async fn opine(node: &Api, server: &str, password: &str) -> anyhow::Result<()> {
    let ask = async |call: String| Ok::<_, anyhow::Error>(answer(node, &url(server, password, &call)).await?.1);
    let list = ask(format!("getAlbumList2?type=newest&size={FAVOURITES}")).await?;
    for (album, n) in list["albumList2"]["album"].as_array().context("a list of albums")?.iter().zip(0..) {
        let id = album["id"].as_str().context("it has an id")?;
        ask(format!("star?albumId={id}")).await?;
        let songs = ask(format!("getAlbum?id={id}")).await?;
        let song = songs["album"]["song"][0]["id"].as_str().context("it has a song")?;
        // Supysonic rates folders and songs, and takes the mean of an album's songs for the album.
        let rated = if server == node.node.url { id } else { song };
        ask(format!("setRating?id={rated}&rating={}", 1 + n % 5)).await?;
        ask(format!("scrobble?id={song}&submission=true")).await?;
    }
    Ok(())
}

/// The scan that is weighed.
async fn largest(table: &mut Table, data: &Path, music: &Path, tracks: u64) -> anyhow::Result<()> {
    init(data)?;
    let node = Api::sign_in(Served::start(data)?).await?;
    let begun = Instant::now();
    let library = add(&node, music).await?;
    let mut workers = 0;
    let took =
        scanned(&node, &library, None, || workers = workers.max(node.node.workers())).await?.duration_since(begun);
    table.row(
        &format!("peak of the node in a first scan of {tracks} tracks, RSS"),
        megabytes(node.node.peak()?),
        "under 250 MB",
        format!(
            "{:.0} tracks/s; its workers at most {}; its database {}",
            tracks as f64 / took.as_secs_f64(),
            megabytes(workers),
            megabytes(fs::metadata(data.join("catalog.db"))?.len())
        ),
    );
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
