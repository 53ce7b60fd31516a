//! `potluck replicate`.
use std::time::Duration;

use anyhow::{anyhow, bail};
use axum::http::Method;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;

use super::control::{Control, running};
use super::{Format, Place, output};
use crate::facades::native::model::{
    ItemPage, Library, NewReplica, Replica, ReplicaChange, ReplicaChoice, ReplicaPolicy, ReplicaState, Replicas,
};

/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Keep a library, a series or a film of a friend's on this disk
#[derive(Debug, Args)]
#[command(
    after_help = "What is kept are ordinary files, in a library of this node's own; see [replicas] in node.toml for where and how much.

Examples:
  potluck replicate Bob Films                        all of a library, now and later
  potluck replicate Bob 'The Long Show' --policy unwatched --user ada
  potluck replicate Bob Films --policy copies --copies 3
  potluck replicate --list
  potluck replicate Bob Films --pause                or --resume, --remove, --remove --files
  potluck replicate Bob Films --wait                 with a bar, until all is here"
)]
pub(super) struct Replicate {
    /// The friend's name
    #[arg(required_unless_present = "list")]
    friend: Option<String>,
    /// Name of a library, a series or a film of theirs, or its id; without it, their only library
    title: Option<String>,
    /// Which items are kept
    #[arg(long, value_enum)]
    policy: Option<Policy>,
    /// With --policy unwatched: whose progress counts
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// With --policy copies: how many nodes shall hold each file, this one among them
    #[arg(long, value_name = "COUNT")]
    copies: Option<u32>,
    /// Say what is kept, and how far it is
    #[arg(long)]
    list: bool,
    /// Fetch and remove nothing by this rule for now
    #[arg(long, conflicts_with_all = ["resume", "remove"])]
    pause: bool,
    /// Go on with a rule that is paused
    #[arg(long, conflicts_with = "remove")]
    resume: bool,
    /// End this rule; its files stay
    #[arg(long)]
    remove: bool,
    /// With --remove: remove its files too
    #[arg(long, requires = "remove")]
    files: bool,
    /// Wait until all is here; the node must run
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// All that is there, now and later
    Everything,
    /// What somebody has not watched to its end; it goes a day after they did
    Unwatched,
    /// What fewer nodes hold than --copies says
    Copies,
}

impl Replicate {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        if self.wait && running(place).await.is_none() {
            bail!("the node does not run, so nothing is fetched: start it with potluck serve");
        }
        let node = Control::open(place).await?;
        let done = self.with(&node).await;
        node.close().await;
        done
    }

    async fn with(self, node: &Control) -> anyhow::Result<()> {
        let (false, Some(friend)) = (self.list, &self.friend) else { return list(node, &self.format).await };
        let target = target(node, friend, self.title.as_deref()).await?;
        let known = all(node).await?.rules.into_iter().find(|rule| rule.target == target);
        if self.remove {
            return self.end(node, known.ok_or_else(not_kept)?).await;
        }
        let rule = self.keep(node, target, known).await?;
        let rule = if self.wait { wait(node, &rule.id).await? } else { rule };
        if self.format.json {
            return output::json(&rule);
        }
        Ok(output::line(row(&rule))?)
    }

    /// Makes the rule, or changes the one that there is.
    async fn keep(&self, node: &Control, target: String, known: Option<Replica>) -> anyhow::Result<Replica> {
        let policy = self.policy.map(|policy| match policy {
            Policy::Everything => ReplicaPolicy::Everything,
            Policy::Unwatched => ReplicaPolicy::Unwatched,
            Policy::Copies => ReplicaPolicy::Copies,
        });
        let choice = ReplicaChoice { policy, account: self.user.clone(), copies: self.copies };
        match known {
            Some(rule) => {
                let paused = (self.pause || self.resume).then_some(self.pause);
                let path = format!("/api/v1/replicas/{}", rule.id);
                node.call(Method::PATCH, &path, Some(&ReplicaChange { choice, paused })).await
            }
            None if self.pause || self.resume => Err(not_kept()),
            None => {
                let new = NewReplica { target, choice, paused: false };
                node.call(Method::POST, "/api/v1/replicas", Some(&new)).await
            }
        }
    }

    async fn end(&self, node: &Control, rule: Replica) -> anyhow::Result<()> {
        let path = format!("/api/v1/replicas/{}?files={}", rule.id, self.files);
        node.call::<()>(Method::DELETE, &path, None::<&()>).await?;
        let files = if self.files { "its files were removed" } else { "its files stay" };
        Ok(output::line(format_args!("{} is not kept any more; {files}.", rule.title))?)
    }
}

fn not_kept() -> anyhow::Error {
    anyhow!("that is not kept: see potluck replicate --list")
}

async fn all(node: &Control) -> anyhow::Result<Replicas> {
    node.get("/api/v1/replicas").await
}

/// Id of what a friend calls so.
async fn target(node: &Control, friend: &str, title: Option<&str>) -> anyhow::Result<String> {
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let libraries: Vec<Library> = node.get("/api/v1/libraries").await?;
    let theirs = |library: &&Library| library.friend.as_ref().is_some_and(|holder| same(&holder.name, friend));
    let theirs: Vec<&Library> = libraries.iter().filter(theirs).collect();
    let Some(title) = title else {
        return match &theirs[..] {
            [only] => Ok(only.id.clone()),
            [] => Err(anyhow!("no friend named {friend} shares a library with this node")),
            _ => Err(anyhow!("{friend} shares several libraries; say which")),
        };
    };
    if let Some(library) = theirs.iter().find(|library| library.id == title || same(&library.name, title)) {
        return Ok(library.id.clone());
    }
    for library in theirs {
        if let Some(item) = item(node, &library.id, title).await? {
            return Ok(item);
        }
    }
    bail!("{friend} shares nothing that is called {title}")
}

/// Id of a show or item of a library that is called so.
async fn item(node: &Control, library: &str, title: &str) -> anyhow::Result<Option<String>> {
    let words = percent_encoding::utf8_percent_encode(title, percent_encoding::NON_ALPHANUMERIC).to_string();
    for kind in ["&kind=show", ""] {
        let path = format!("/api/v1/items?library={library}&limit=500{kind}");
        for path in [format!("{path}&q={words}"), path] {
            let page: ItemPage = node.get(&path).await?;
            let found = page
                .items
                .into_iter()
                .find(|item| item.id == title || item.title.to_lowercase() == title.to_lowercase());
            if let Some(found) = found {
                return Ok(Some(found.id));
            }
        }
    }
    Ok(None)
}

async fn list(node: &Control, format: &Format) -> anyhow::Result<()> {
    let all = all(node).await?;
    if format.json {
        return output::json(&all);
    }
    for rule in &all.rules {
        output::line(row(rule))?;
    }
    let quota = all.quota.map_or_else(|| "no quota".to_owned(), |quota| format!("of {}", output::bytes(quota)));
    output::line(format_args!("{} used, {quota}, in {}", output::bytes(all.used), all.folder))?;
    if let Some(problem) = &all.problem {
        output::line(format_args!("Nothing is fetched: {problem}."))?;
    }
    Ok(())
}

fn row(rule: &Replica) -> String {
    let friend = rule.friend.as_ref().map_or("(no friend any more)", |friend| &friend.name);
    let state = match rule.state {
        ReplicaState::Done => "done",
        ReplicaState::Fetching => "fetching",
        ReplicaState::Waiting => "waiting",
        ReplicaState::Paused => "paused",
    };
    let over = if rule.over_quota > 0 { format!(", {} over the quota", rule.over_quota) } else { String::new() };
    let problem = rule.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
    let (done, all) = (output::bytes(rule.bytes_done), output::bytes(rule.bytes));
    format!(
        "{:<16} {:<24} {state:<9} {}/{} items, {done} of {all}{over}{problem}",
        friend, rule.title, rule.items_done, rule.items
    )
}

/// Shows a bar until all that a rule wants is here, or nothing more of it will come.
async fn wait(node: &Control, id: &str) -> anyhow::Result<Replica> {
    let bar = output::byte_bar();
    loop {
        let all = all(node).await?;
        let title = all.current.as_ref().map(|current| current.title.clone()).unwrap_or_default();
        let rule = all.rules.into_iter().find(|rule| rule.id == id).ok_or_else(not_kept)?;
        show(&bar, &rule, title);
        match rule.state {
            ReplicaState::Done => {
                bar.finish_and_clear();
                return Ok(rule);
            }
            ReplicaState::Paused => bail!("{} is paused", rule.title),
            ReplicaState::Waiting if rule.over_quota > 0 && rule.items_done + rule.over_quota >= rule.items => {
                bail!("the quota has no room for {} items of {}", rule.over_quota, rule.title)
            }
            ReplicaState::Fetching | ReplicaState::Waiting => tokio::time::sleep(LOOK).await,
        }
    }
}

fn show(bar: &ProgressBar, rule: &Replica, title: String) {
    bar.set_prefix(format!("{} {}/{}", rule.title, rule.items_done, rule.items));
    bar.set_length(rule.bytes);
    bar.set_position(rule.bytes_done);
    bar.set_message(title);
}
