//! A large library of comics: 100,000 books in 5,000 series, one of them with 5,000 chapters. The files are there, but were
//! put into the catalog without being read: what is measured is what a household does every day.
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use potluck::catalog::record::{BookFile, BookNumber, Description, Place, Record, ShowName, Stat};
use potluck::catalog::{Catalog, ItemKind, LibraryKind, Visibility};
use potluck::database::{Database, DatabaseOptions, Durability, migrations};
use potluck::media::Facts;
use serde_json::{Value, json};

use crate::api::Api;
use crate::node::{PASSWORD, SETTLED, Served, init};
use crate::table::Table;

const SERIES: u64 = 5000;
const BOOKS: u64 = 100_000;
/// Chapters of the first series.
const LONG: u64 = 5000;
const ROUNDS: usize = 200;

/// `POTLUCK_BENCH_ITEMS` makes it smaller, for a quick try.
fn books() -> u64 {
    let most = std::env::var("POTLUCK_BENCH_ITEMS").ok().and_then(|n| n.parse().ok()).unwrap_or(BOOKS);
    BOOKS.min(most).max(2 * SERIES.min(most / 2))
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(run(table))
}

async fn run(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, comics, pages) =
        (folder.path().join("data"), folder.path().join("comics"), folder.path().join("pages/Pages"));
    init(&data)?;
    let series = fill(&data, &comics).await?;
    fs::create_dir_all(&pages)?;
    comic(&pages)?;
    let node = Api::sign_in(Served::start(&data)?).await?;
    let body = json!({"name": "Pages", "kind": "comics", "path": pages.parent()});
    let library = node.post("/api/v1/libraries", body).await?["id"].take();
    let library = library.as_str().context("it has an id")?;
    let book =
        node.until(&format!("/api/v1/items?library={library}"), |all| all["items"][0]["state"] == "present").await?;
    let book = book["items"][0]["id"].as_str().context("it has an id")?.to_owned();
    scans(table, &node).await?;
    lists(table, &node, &series).await?;
    page(table, &node, &book).await?;
    weight(table, &node).await
}

/// The most that the node weighed in all that, and what it weighs when that is over.
async fn weight(table: &mut Table, node: &Api) -> anyhow::Result<()> {
    let peak = node.node.peak()?;
    tokio::time::sleep(SETTLED).await;
    table.row(
        &format!("peak of the node with {} books in all that, RSS", books()),
        format!("{:.1} MB", peak as f64 / 1e6),
        "under 250 MB",
        format!("idle after it {:.1} MB", node.node.resident()? as f64 / 1e6),
    );
    Ok(())
}

/// Files, and what the catalog knows of them. Returns the id of the long series.
async fn fill(data: &Path, comics: &Path) -> anyhow::Result<String> {
    let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
    let catalog = Catalog::new(Database::open(&data.join("catalog.db"), &options, migrations::CATALOG)?);
    fs::create_dir(comics)?;
    let library = catalog.add_library("Comics", LibraryKind::Comics, comics, Visibility::Private).await?;
    let long = LONG.min(books() / 20);
    let mut first = None;
    for n in 0..books() {
        let (series, chapter) =
            if n < long { (0, n) } else { (1 + (n - long) % (SERIES - 1), (n - long) / (SERIES - 1)) };
        let (folder, name) = (format!("Series {series:04}"), format!("Chapter {chapter:04}.cbz"));
        let place = Path::new(&folder).join(&name);
        fs::create_dir_all(comics.join(&folder))?;
        fs::write(comics.join(&place), n.to_string())?;
        let meta = fs::metadata(comics.join(&place))?;
        let modified_ns = meta.mtime() * 1_000_000_000 + meta.mtime_nsec();
        let stat = Stat { size: meta.len(), modified_ns, inode: meta.ino(), device: meta.dev() };
        let show = ShowName {
            key: format!("/{folder}"),
            title: folder.clone(),
            year: None,
            place: Some(folder.into()),
            renamed_from: None,
        };
        let record = Record {
            item: None,
            place: Place { library: library.id.clone(), path: place },
            kind: ItemKind::Book,
            stat,
            cid: None,
            facts: Some(Facts { container: "zip".to_owned(), pages: Some(20), ..Facts::default() }),
            book: Some(BookFile { pages: 20, page_list: vec![1, 0], ..BookFile::default() }),
            music: None,
            problem: None,
            retry: false,
            description: Description {
                title: format!("Chapter {chapter}"),
                show: Some(show),
                number: Some(BookNumber { text: chapter.to_string(), sort: chapter as f64 }),
                ..Description::default()
            },
        };
        let touched = catalog.record(record).await?;
        if first.is_none() {
            first = catalog.item(&touched.id, "").await?.item.show;
        }
    }
    first.context("there is a series")
}

async fn scans(table: &mut Table, node: &Api) -> anyhow::Result<()> {
    let libraries = node.get("/api/v1/libraries").await?;
    let comics = libraries.as_array().context("a list")?.iter().find(|one| one["name"] == "Comics");
    let id = comics.and_then(|one| one["id"].as_str()).context("it is there")?.to_owned();
    let path = format!("/api/v1/libraries/{id}");
    // The scan of the start, which also writes what lies beside each book.
    node.until(&path, |one| one["scanned_at"].is_i64() && !running(one)).await?;
    for _ in 0..2 {
        let before = node.get(&path).await?["scanned_at"].as_i64();
        let begun = Instant::now();
        node.post(&format!("{path}/scan"), Value::Null).await?;
        node.until(&path, |one| one["scanned_at"].as_i64() != before && !running(one)).await?;
        let took = begun.elapsed();
        let walk = Instant::now();
        let listed = Command::new("find").arg(comics_path(comics)?).args(["-type", "f", "-size", "+0"]).output()?;
        ensure!(listed.status.success(), "find failed");
        table.row(
            &format!("scan of {} unchanged books", books()),
            format!("{:.2} s", took.as_secs_f64()),
            "under 10 s",
            format!("find with sizes: {:.2} s", walk.elapsed().as_secs_f64()),
        );
    }
    Ok(())
}

fn comics_path(library: Option<&Value>) -> anyhow::Result<&str> {
    library.and_then(|one| one["path"].as_str()).context("an admin sees it")
}

fn running(library: &Value) -> bool {
    matches!(library["scan"]["state"].as_str(), Some("queued" | "listing" | "importing"))
}

async fn lists(table: &mut Table, node: &Api, series: &str) -> anyhow::Result<()> {
    let long = format!("/komga/api/v1/series/{series}/books?unpaged=true&media_status=READY&deleted=false");
    let begun = Instant::now();
    let answer = node.client.get(format!("{}{long}", node.node.url)).basic_auth("ada", Some(PASSWORD)).send().await?;
    let first = begun.elapsed();
    let bytes = answer.error_for_status()?.bytes().await?.len();
    table.row(
        &format!("unpaged list of {} chapters, first byte", LONG.min(books() / 20)),
        format!("{:.0} ms", first.as_secs_f64() * 1e3),
        "under 1 s",
        format!("all {} kB: {:.0} ms", bytes / 1000, begun.elapsed().as_secs_f64() * 1e3),
    );
    for (what, path, asked) in [
        ("series page", "/komga/api/v1/series?page=7&size=20&deleted=false", "p99 under 50 ms"),
        ("search", "/komga/api/v1/series?search=series%20042&size=20&deleted=false", "p99 under 100 ms"),
        ("native series page", "/api/v1/items?kind=series&limit=50", "-"),
    ] {
        let (mut times, mut reference) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            times.push(node.timed(path).await?);
            reference.push(node.timed("/healthz").await?);
        }
        table.row(what, percentiles(times), asked, format!("/healthz: {}", percentiles(reference)));
    }
    Ok(())
}

/// Pages of a real comic, with nothing else going on, and while the large library is scanned.
async fn page(table: &mut Table, node: &Api, book: &str) -> anyhow::Result<()> {
    let path = |n: usize| format!("/api/v1/items/{book}/pages/{}", n % 60 + 1);
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        times.push(node.timed(&path(n)).await?);
    }
    table.row("page from a CBZ, warm", percentiles(times), "p50 under 5 ms", "-".into());
    let libraries = node.get("/api/v1/libraries").await?;
    let comics = libraries.as_array().context("a list")?.iter().find(|one| one["name"] == "Comics").cloned();
    let library = format!("/api/v1/libraries/{}", comics.context("it is there")?["id"].as_str().unwrap_or_default());
    node.post(&format!("{library}/scan"), Value::Null).await?;
    let mut times = Vec::new();
    while running(&node.get(&library).await?) {
        times.push(node.timed(&path(times.len())).await?);
    }
    ensure!(times.len() > 20, "the scan was over too soon: {} pages", times.len());
    table.row("page from a CBZ while a scan runs", percentiles(times), "p99 under 30 ms", "-".into());
    Ok(())
}

/// 60 pages of about 300 kB.
fn comic(folder: &Path) -> anyhow::Result<()> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "mandelbrot=size=900x1350:rate=1",
        "-frames:v",
        "60",
        "-q:v",
        "3",
    ]);
    ensure!(ffmpeg.arg(folder.join("%03d.jpg")).status()?.success(), "ffmpeg failed");
    let mut zip = Command::new("sh");
    zip.current_dir(folder).args(["-c", "zip -q -0 book.cbz *.jpg && rm *.jpg"]);
    ensure!(zip.status()?.success(), "zip failed");
    Ok(())
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}
