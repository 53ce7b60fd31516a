//! `potluck scrub`.
use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use axum::http::Method;
use clap::Args;
use serde::Serialize;

use super::control::Control;
use super::{Format, Place, output};
use crate::facades::native::model::{DueFile, Healed, Verdict, VerifyProgress};

/// How often the bar moves.
const MOMENT: Duration = Duration::from_millis(500);

/// Read every file again, check it against its CID, and repair what is damaged from another copy or a friend's node
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when anything stays damaged. Damaged files are never served. Friends' nodes are asked only where the node runs.\n\n\
        Each file that was read is remembered: after Ctrl-C, --older-than 1 goes on with what was not read within a day."
)]
pub(super) struct Scrub {
    /// Only files that were not read for so many days, and those that are damaged
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Read at most so many MiB a second
    #[arg(long, value_name = "MIB")]
    rate: Option<NonZeroU32>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Default, Serialize)]
struct Outcome {
    /// Files that are as they were.
    verified: u64,
    /// Bytes of them.
    bytes: u64,
    /// Damaged files that are right again.
    healed: Vec<Repair>,
    damaged: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Repair {
    item: String,
    title: String,
    blocks: u64,
    /// Friends whose nodes gave them; empty where another copy here did.
    friends: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Problem {
    item: String,
    title: String,
    problem: String,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.friends.is_empty() { "another copy here".to_owned() } else { self.friends.join(", ") };
        write!(f, "{}: {} damaged blocks were repaired from {from}", self.title, self.blocks)
    }
}

impl Scrub {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let node = Control::open(place).await?;
        let outcome = scrub(&node, &self).await;
        node.close().await;
        let outcome = outcome?;
        if self.format.json {
            output::json(&outcome)?;
        } else {
            output::line(format_args!("{} files ({}) are right.", outcome.verified, output::bytes(outcome.bytes)))?;
            for repair in &outcome.healed {
                output::line(repair)?;
            }
            for problem in &outcome.damaged {
                output::line(format_args!("{}: {}", problem.title, problem.problem))?;
            }
        }
        if outcome.damaged.is_empty() { Ok(()) } else { bail!("{} files are not right", outcome.damaged.len()) }
    }
}

async fn scrub(node: &Control, wish: &Scrub) -> anyhow::Result<Outcome> {
    let files = due(node, wish.older_than).await?;
    let bar = output::byte_bar();
    bar.set_length(files.iter().map(|file| file.size).sum());
    let mut outcome = Outcome::default();
    for file in files {
        bar.set_message(file.title.clone());
        let before = bar.position();
        let verdict = verify(node, &file, wish.rate, |read| bar.set_position(before + read)).await?;
        bar.set_position(before + file.size);
        outcome.add(file, verdict);
    }
    bar.finish_and_clear();
    Ok(outcome)
}

impl Outcome {
    fn add(&mut self, DueFile { item, title, size, .. }: DueFile, verdict: Verdict) {
        if let Some(Healed { blocks, friends }) = verdict.healed {
            self.healed.push(Repair { item: item.clone(), title: title.clone(), blocks, friends });
        }
        match verdict.problem {
            None => {
                self.verified += 1;
                self.bytes += size;
            }
            Some(problem) => self.damaged.push(Problem { item, title, problem }),
        }
    }
}

/// Has a file read, and tells every moment how many of its bytes were.
async fn verify(
    node: &Control,
    file: &DueFile,
    rate: Option<NonZeroU32>,
    tell: impl Fn(u64),
) -> anyhow::Result<Verdict> {
    let path = format!("/api/v1/items/{}/verify", file.item);
    let paced = rate.map(|rate| format!("?rate_mib={rate}")).unwrap_or_default();
    let (asked, none) = (format!("{path}{paced}"), None::<&()>);
    let mut verdict = pin!(node.call(Method::POST, &asked, none));
    loop {
        tokio::select! {
            verdict = &mut verdict => return verdict,
            () = tokio::time::sleep(MOMENT) => {
                let progress: VerifyProgress = node.get(&path).await?;
                tell(progress.bytes.unwrap_or_default().min(file.size));
            }
        }
    }
}

/// One file for each content.
async fn due(node: &Control, older_than: Option<u32>) -> anyhow::Result<Vec<DueFile>> {
    let hours = older_than.map(|days| format!("?older_than_hours={}", days.saturating_mul(24))).unwrap_or_default();
    let mut files: Vec<DueFile> = node.get(&format!("/api/v1/scrub/due{hours}")).await?;
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.cid.clone()));
    Ok(files)
}
