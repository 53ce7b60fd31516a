//! Import: how fast a file in the page cache gets into the index, beside what one core hashes; memory; index size.
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use potluck::blocks::{Blocks, BlocksOptions};
use tokio_util::sync::CancellationToken;

use crate::table::Table;

const MIB: usize = 1024 * 1024;

/// GiB of the file that is imported: `POTLUCK_BENCH_GIB`, 4 if it is not set.
fn gib() -> usize {
    std::env::var("POTLUCK_BENCH_GIB").ok().and_then(|v| v.parse().ok()).unwrap_or(4)
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("film");
    write(&path, gib() * 1024)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(import(table, folder.path(), &path))
}

async fn import(table: &mut Table, folder: &Path, path: &Path) -> anyhow::Result<()> {
    let bytes = fs::metadata(path)?.len() as f64;
    let (mut best, mut hashed, mut over_idle) = (Duration::MAX, 0.0f64, 0);
    let mut index_bytes = 0;
    for turn in 0..3 {
        let database = folder.join(format!("blocks-{turn}.db"));
        let blocks = Blocks::open(BlocksOptions { path: database.clone() })?;
        hashed = hashed.max(one_core(Duration::from_secs(1)));
        let idle = reset_peak()?;
        let begin = Instant::now();
        blocks.import(path, |_| {}, &CancellationToken::new()).await?;
        best = best.min(begin.elapsed());
        over_idle = over_idle.max(status("VmHWM")?.saturating_sub(idle));
        drop(blocks);
        index_bytes = fs::metadata(&database)?.len();
    }
    let rate = bytes / best.as_secs_f64();
    table.row(
        &format!("import of {} GiB from the page cache", gib()),
        format!("{:.0} MB/s, {:.0} % of one core's SHA-256", rate / 1e6, 100.0 * rate / hashed),
        "at least 80 %",
        format!("one core hashes {:.0} MB/s", hashed / 1e6),
    );
    table.row("memory of that import over idle", format!("{over_idle} KiB"), "at most 64 MiB", String::new());
    let leaves = (bytes / MIB as f64).max(1.0);
    let per_leaf = index_bytes as f64 / leaves;
    table.row("index on disk", format!("{per_leaf:.0} bytes a leaf"), "at most 120", format!("{leaves} leaves"));
    Ok(())
}

/// A file of which no two MiB are alike.
fn write(path: &Path, mib: usize) -> anyhow::Result<()> {
    let mut piece: Vec<u8> = (0..MIB).map(|n| (n * 31 + n / 251) as u8).collect();
    let mut file = File::create(path)?;
    for number in 0..mib {
        piece[..8].copy_from_slice(&number.to_le_bytes());
        file.write_all(&piece)?;
    }
    // What is still dirty would be written to the disk while we measure.
    file.sync_all()?;
    Ok(())
}

/// Bytes a second that one core hashes from memory.
fn one_core(at_least: Duration) -> f64 {
    let piece = vec![7u8; MIB];
    let (begin, mut count) = (Instant::now(), 0u64);
    while begin.elapsed() < at_least {
        std::hint::black_box(digest(&SHA256, &piece));
        count += 1;
    }
    (count * MIB as u64) as f64 / begin.elapsed().as_secs_f64()
}

/// Forgets the highest memory use so far; gives the present one in KiB.
fn reset_peak() -> anyhow::Result<u64> {
    fs::write("/proc/self/clear_refs", "5")?;
    status("VmRSS")
}

/// A figure of `/proc/self/status` in KiB.
fn status(name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(name)).context("the kernel does not say")?;
    Ok(line.split_whitespace().nth(1).context("the kernel says it otherwise")?.parse()?)
}
