//! `potluck scrub`.
use std::collections::HashSet;
use std::fmt;

use anyhow::bail;
use axum::http::Method;
use clap::Args;
use serde::Serialize;

use super::control::Control;
use super::{Format, Place, output};
use crate::catalog::ItemState;
use crate::facades::native::model::{Healed, ItemPage, ItemSummary, Verdict};

/// Read every file again, check it against its CID, and repair what is damaged from another copy or a friend's node
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when anything stays damaged. Damaged files are never served. Friends' nodes are asked only where the node runs."
)]
pub(super) struct Scrub {
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
        let outcome = scrub(&node).await;
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

async fn scrub(node: &Control) -> anyhow::Result<Outcome> {
    let items = every_file(node).await?;
    let bar = output::byte_bar();
    bar.set_length(items.iter().filter_map(|item| item.size).sum());
    let mut outcome = Outcome::default();
    for item in items {
        bar.set_message(item.title.clone());
        let path = format!("/api/v1/items/{}/verify", item.id);
        let verdict: Verdict = node.call(Method::POST, &path, None::<&()>).await?;
        bar.inc(item.size.unwrap_or_default());
        let (id, title) = (item.id, item.title);
        if let Some(Healed { blocks, friends }) = verdict.healed {
            outcome.healed.push(Repair { item: id.clone(), title: title.clone(), blocks, friends });
        }
        match verdict.problem {
            None => {
                outcome.verified += 1;
                outcome.bytes += item.size.unwrap_or_default();
            }
            Some(problem) => outcome.damaged.push(Problem { item: id, title, problem }),
        }
    }
    bar.finish_and_clear();
    Ok(outcome)
}

/// One item for each content.
async fn every_file(node: &Control) -> anyhow::Result<Vec<ItemSummary>> {
    let (mut items, mut seen, mut next) = (Vec::new(), HashSet::new(), None::<String>);
    loop {
        let cursor = next.map(|cursor| format!("&cursor={}", percent(&cursor))).unwrap_or_default();
        let page: ItemPage = node.get(&format!("/api/v1/items?limit=500{cursor}")).await?;
        for item in page.items {
            let there = matches!(item.state, ItemState::Present | ItemState::Damaged);
            if there && item.cid.as_ref().is_some_and(|cid| seen.insert(cid.clone())) {
                items.push(item);
            }
        }
        next = page.next;
        if next.is_none() {
            return Ok(items);
        }
    }
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
