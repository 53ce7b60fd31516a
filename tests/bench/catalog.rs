//! Lists of a large catalog, and a scan of many small files that did not change.
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use potluck::blocks::{Blocks, BlocksOptions};
use potluck::catalog::record::{Description, Place, Record, ShowName, Stat};
use potluck::catalog::{Catalog, ItemFilter, ItemKind, LibraryKind, Progress, ProgressFilter, Sort, Visibility};
use potluck::content::cid;
use potluck::database::{Database, DatabaseOptions, Durability, migrations};
use potluck::library::{Importer, ImporterOptions};
use potluck::media::{Chapter, Facts, Media, MediaOptions};

use crate::table::Table;

/// Items of the generated catalog, files of the scan.
const ITEMS: u64 = 100_000;
/// Times that each list is asked for.
const ROUNDS: u32 = 200;

/// `POTLUCK_BENCH_ITEMS` makes it smaller, for a quick try.
fn items() -> u64 {
    std::env::var("POTLUCK_BENCH_ITEMS").ok().and_then(|n| n.parse().ok()).unwrap_or(ITEMS)
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(lists(table))?;
    runtime.block_on(rescan(table))
}

fn open(folder: &Path) -> anyhow::Result<(Database, Catalog)> {
    let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
    let database = Database::open(&folder.join("catalog.db"), &options, migrations::CATALOG)?;
    Ok((database.clone(), Catalog::new(database)))
}

const WORDS: &[&str] = &[
    "amber", "bridge", "castle", "distant", "empire", "forest", "garden", "harbour", "island", "journey", "kingdom",
    "lantern", "mountain", "night", "ocean", "palace", "quiet", "river", "silver", "tower", "under", "valley",
    "winter", "yellow",
];

fn title(n: u64) -> String {
    let word = |by: u64| WORDS[usize::try_from(n.wrapping_mul(2_654_435_761) / by % WORDS.len() as u64).unwrap_or(0)];
    format!("The {} {} {} {n}", word(7), word(191), word(5003))
}

/// Half films, a quarter episodes of shows of 50, a quarter clips, with facts as large as a real file's.
async fn fill(catalog: &Catalog, count: u64) -> anyhow::Result<()> {
    let kinds = [
        (LibraryKind::Movies, ItemKind::Movie),
        (LibraryKind::Shows, ItemKind::Episode),
        (LibraryKind::Videos, ItemKind::Video),
    ];
    let mut libraries = Vec::new();
    for (name, (kind, item)) in ["films", "shows", "clips"].into_iter().zip(kinds) {
        let path = PathBuf::from(format!("/srv/{name}"));
        libraries.push((catalog.add_library(name, kind, &path, Visibility::Private).await?, item));
    }
    let chapter = |n: u32| Chapter { start: f64::from(n), end: f64::from(n + 1), title: Some(format!("Chapter {n}")) };
    let facts =
        Facts { container: "matroska".to_owned(), chapters: (0..30).map(chapter).collect(), ..Facts::default() };
    for n in 0..count {
        let (library, kind) = &libraries[[0, 1, 0, 2][usize::try_from(n % 4)?]];
        let show = (*kind == ItemKind::Episode).then(|| ShowName {
            key: format!("show {}", n / 200),
            title: title(n / 200),
            year: None,
            place: None,
            renamed_from: None,
        });
        let number = i32::try_from(n % 200)?;
        let description = Description {
            title: title(n),
            year: Some(1950 + i32::try_from(n % 75)?),
            season: show.is_some().then_some(number / 20),
            episode: show.is_some().then_some(number % 20),
            show,
            overview: Some("Somebody goes somewhere and comes back another. ".repeat(4)),
            ..Description::default()
        };
        let record = Record {
            item: None,
            place: Place { library: library.id.clone(), path: PathBuf::from(format!("{}.mkv", title(n))) },
            kind: *kind,
            stat: Stat { size: 1_000_000 + n, modified_ns: 1, inode: n, device: 1 },
            cid: Some(cid::of_raw(&n.to_le_bytes())),
            facts: Some(Facts { duration: 60.0 + f64::from(number), ..facts.clone() }),
            book: None,
            music: None,
            problem: None,
            retry: false,
            description,
        };
        let touched = catalog.record(record).await?;
        if n % 100 == 0 {
            catalog.set_progress("ann", &touched.id, Progress { position: 60.0, completed: n % 200 == 0 }).await?;
        }
    }
    Ok(())
}

async fn lists(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (database, catalog) = open(folder.path())?;
    fill(&catalog, items()).await?;
    let clips = catalog.libraries().await?.remove(0).id;
    let all = || ItemFilter { account: "ann".to_owned(), limit: 50, ..ItemFilter::default() };
    let text = |text: &str| ItemFilter { text: Some(text.to_owned()), ..all() };
    let cases: Vec<(&str, ItemFilter)> = vec![
        ("by title", all()),
        ("newest", ItemFilter { sort: Sort::Added, ..all() }),
        ("by year, newest", ItemFilter { sort: Sort::YearDescending, ..all() }),
        ("shortest", ItemFilter { sort: Sort::Duration, ..all() }),
        ("films from r", ItemFilter { from: Some("r".to_owned()), kind: Some(ItemKind::Movie), ..all() }),
        ("shows", ItemFilter { kind: Some(ItemKind::Show), ..all() }),
        ("one library of three", ItemFilter { libraries: Some(vec![clips]), ..all() }),
        ("continue watching", ItemFilter { sort: Sort::Watched, progress: Some(ProgressFilter::Started), ..all() }),
        ("last watched, then the rest", ItemFilter { sort: Sort::Watched, ..all() }),
        ("unwatched", ItemFilter { progress: Some(ProgressFilter::Unwatched), ..all() }),
        ("search: one item", text("12345")),
        ("search: a word", text("harbour")),
        ("search: two starts of words", text("har isl")),
        ("search: one letter", text("h")),
        ("search: what all have", text("the")),
        ("search: what all have, films", ItemFilter { kind: Some(ItemKind::Movie), ..text("the") }),
    ];
    let reference = percentiles(ROUNDS, || {
        let database = database.clone();
        async move { Ok(database.read(|c| c.query_row("SELECT 1", [], |r| r.get::<_, i64>(0))).await.map(|_| ())?) }
    })
    .await?;
    for (what, filter) in cases {
        let first = percentiles(ROUNDS, || one(&catalog, filter.clone())).await?;
        let what = format!("items?limit=50 of {}: {what}", items());
        table.row(&what, show(first), "p99 < 20 ms", format!("SELECT 1: {}", show(reference)));
    }
    let deep = deep_page(&catalog, all()).await?;
    let page = percentiles(ROUNDS, || one(&catalog, deep.clone())).await?;
    let what = format!("items?limit=50 of {}: a page in the middle", items());
    table.row(&what, show(page), "p99 < 20 ms", format!("SELECT 1: {}", show(reference)));
    Ok(())
}

async fn one(catalog: &Catalog, filter: ItemFilter) -> anyhow::Result<()> {
    let page = catalog.items(filter).await?;
    anyhow::ensure!(!page.items.is_empty(), "an empty list measures nothing");
    Ok(())
}

/// The same list, after its first 10,000 items.
async fn deep_page(catalog: &Catalog, mut filter: ItemFilter) -> anyhow::Result<ItemFilter> {
    for _ in 0..20 {
        filter.limit = 500;
        match catalog.items(filter.clone()).await?.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    filter.limit = 50;
    Ok(filter)
}

async fn percentiles<F>(rounds: u32, mut work: impl FnMut() -> F) -> anyhow::Result<(Duration, Duration)>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let mut times = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        let start = Instant::now();
        work().await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
}

fn show((p50, p99): (Duration, Duration)) -> String {
    format!("p50 {:.2} ms, p99 {:.2} ms", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3)
}

/// Files that are no videos, so that the first scan is quick; the second finds all unchanged.
async fn rescan(table: &mut Table) -> anyhow::Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for n in 0..items() {
        let below = folder.path().join(format!("{:03}", n / 1000));
        fs::create_dir_all(&below)?;
        fs::write(below.join(format!("{}.mp4", title(n))), b"")?;
    }
    let (_, catalog) = open(data.path())?;
    let blocks = Blocks::open(BlocksOptions { path: data.path().join("blocks.db") })?;
    let media = Media::new(MediaOptions::new(PathBuf::from("/nonexistent")));
    let options = ImporterOptions {
        artwork: data.path().join("artwork"),
        watch: false,
        rescan: None,
        settle: Duration::ZERO,
        keep_trashed: Duration::from_secs(3600),
    };
    let library = catalog.add_library("many", LibraryKind::Videos, folder.path(), Visibility::Private).await?;
    let importer = Importer::on_demand(options, catalog.clone(), blocks, media).await?;
    let before = resident();
    let first = scan(&importer, &library.id).await?;
    let second = scan(&importer, &library.id).await?;
    let grown = resident().saturating_sub(before) / 1024;
    let start = Instant::now();
    let walked = walk(folder.path())?;
    let walk = start.elapsed();
    anyhow::ensure!(walked == items() && catalog.totals(&library.id).await?.items == items());
    let reference = format!("walk and stat alone: {:.2} s", walk.as_secs_f64());
    let figure = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    table.row(&format!("first scan of {} small files", items()), figure(first), "", reference.clone());
    table.row(&format!("scan of {} unchanged files", items()), figure(second), "", reference);
    table.row("memory grown by both scans", format!("{grown} MiB"), "", "the process before them".to_owned());
    importer.stop().await;
    Ok(())
}

async fn scan(importer: &Importer, library: &str) -> anyhow::Result<Duration> {
    let start = Instant::now();
    importer.scan(library).await?;
    importer.idle().await;
    Ok(start.elapsed())
}

fn walk(folder: &Path) -> anyhow::Result<u64> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if fs::metadata(&path)?.is_dir() {
            count += walk(&path)?;
        } else {
            count += 1;
        }
    }
    Ok(count)
}

/// KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
