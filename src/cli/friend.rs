//! `potluck friend`.
use anyhow::anyhow;
use axum::http::Method;
use clap::{Args, Subcommand};

use super::control::Control;
use super::{Format, Place, library, output};
use crate::facades::native::model::{self, AcceptInvite, FriendChange, FriendState, NewInvite};

/// Link this node with friends' nodes, and share libraries with them
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Nothing is shared by linking: share says what. Both nodes must run while an invite is accepted.

Examples:
  potluck friend invite --name Bob               prints a code: send it to Bob, it works once and for 72 hours
  potluck friend accept potluck1ak3...           on Bob's side, with the code he was sent
  potluck friend share Bob Films Shows           these libraries and no others; without any: nothing
  potluck friend share Bob Films --for anna,ben  Films for these people at Bob's only; the rest stays as it is
  potluck friend share Bob Films --for everyone  and for all of them again
  potluck friend limit Bob 5000                  kilobits a second that Bob may take; 0: the node's setting
  potluck friend stand-in Bob                    your people can sign in at Bob's while this node is away; --off: not any more
  potluck friend host Bob                        Bob's people may sign in here; --off: not any more
  potluck friend list
  potluck friend revoke Bob                      at once, in the middle of what he watches"
)]
pub(super) enum Friend {
    /// Make an invite: a code that links one other node with this one, once
    Invite(Invite),
    /// Accept the invite of a friend
    Accept(Accept),
    /// List friends, how their nodes are, and what is shared with them
    List(Format),
    /// Say which libraries are shared with a friend
    Share(Share),
    /// Limit what a friend may take from this node
    Limit(Limit),
    /// Let your people sign in at a friend's node while this one is away
    StandIn(Switch),
    /// Let a friend's people sign in here while theirs is away
    Host(Switch),
    /// End a friendship at once
    Revoke(Named),
}

#[derive(Debug, Args)]
pub(super) struct Invite {
    /// What the friend shall be called here; without it, the name that their node gives itself
    #[arg(long)]
    name: Option<String>,
    /// How long the invite is good for
    #[arg(long, value_name = "HOURS")]
    hours: Option<u32>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Accept {
    /// As the friend sent it
    #[arg(required = true)]
    code: Vec<String>,
    /// What the friend shall be called here; without it, the name that their node gives itself
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Share {
    /// The friend's name
    name: String,
    /// Libraries to share: these and no others. Without any: nothing
    library: Vec<String>,
    /// Share these libraries with these people at the friend's node only, by the names they sign in with there; or with
    /// `everyone`. The other libraries stay as they are
    #[arg(long = "for", value_name = "NAMES", value_delimiter = ',', requires = "library")]
    people: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Limit {
    /// The friend's name
    name: String,
    /// Kilobits a second; 0 for the setting that counts for all friends
    #[arg(value_name = "KBIT")]
    kilobits: u64,
}

#[derive(Debug, Args)]
pub(super) struct Switch {
    /// The friend's name
    name: String,
    /// Not any more
    #[arg(long)]
    off: bool,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The friend's name
    name: String,
}

impl Friend {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let links = matches!(self, Self::Invite(_) | Self::Accept(_));
        let node = Control::open(place).await?;
        let done = match if links { node.link().await } else { Ok(()) } {
            Ok(()) => self.with(&node).await,
            Err(error) => Err(error),
        };
        node.close().await;
        done
    }

    async fn with(self, node: &Control) -> anyhow::Result<()> {
        match self {
            Self::Invite(invite) => invite.run(node).await,
            Self::Accept(accept) => accept.run(node).await,
            Self::List(format) => list(node, &format).await,
            Self::Share(share) => share.run(node).await,
            Self::Limit(limit) => limit.run(node).await,
            Self::StandIn(switch) => switch.stand_in(node).await,
            Self::Host(switch) => switch.host(node).await,
            Self::Revoke(named) => named.revoke(node).await,
        }
    }
}

impl Invite {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let new = NewInvite { name: self.name, hours: self.hours };
        let made: model::Invite = node.call(Method::POST, "/api/v1/friends/invites", Some(&new)).await?;
        if self.format.json {
            return output::json(&made);
        }
        let hours = (made.expires_at - made.created_at) / 3_600_000;
        eprintln!("Send this to your friend. It links one node with yours, once, within {hours} hours:");
        output::line(made.code.unwrap_or_default())?;
        Ok(())
    }
}

impl Accept {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        // A messenger may have broken the code into several words.
        let invite = AcceptInvite { code: self.code.concat(), name: self.name };
        let friend: model::Friend = node.call(Method::POST, "/api/v1/friends/accept", Some(&invite)).await?;
        if self.format.json {
            return output::json(&friend);
        }
        output::line(format_args!("Linked with {}. Nothing is shared yet: potluck friend share ...", friend.name))?;
        Ok(())
    }
}

async fn all(node: &Control) -> anyhow::Result<Vec<model::Friend>> {
    node.get("/api/v1/friends").await
}

async fn list(node: &Control, format: &Format) -> anyhow::Result<()> {
    let all = all(node).await?;
    if format.json {
        return output::json(&all);
    }
    let libraries: Vec<model::Library> = node.get("/api/v1/libraries").await?;
    for friend in &all {
        output::line(row(friend, &libraries))?;
    }
    if all.is_empty() {
        eprintln!("There are no friends yet. Invite one: potluck friend invite --name NAME");
    }
    Ok(())
}

fn row(friend: &model::Friend, libraries: &[model::Library]) -> String {
    let name_of = |id: &String| libraries.iter().find(|library| library.id == *id).map(|library| library.name.as_str());
    let shared: Vec<String> =
        friend.libraries.iter().filter_map(|id| Some(for_whom(name_of(id)?, friend, id))).collect();
    let shared = if shared.is_empty() { "nothing shared".to_owned() } else { format!("shares {}", shared.join(", ")) };
    let state = match friend.state {
        FriendState::Online if friend.relayed => "relayed",
        FriendState::Online => "direct",
        FriendState::Resting => "resting",
        FriendState::Off => "off",
        FriendState::Refused => "refused",
        FriendState::Disabled => "disabled",
    };
    let stand_in = friend.stand_in.as_ref().map(|told| match told.synced_at {
        Some(_) if told.problem.is_none() => ", stands in",
        _ => ", does not stand in yet",
    });
    let hosts = if friend.hosts.is_some() { ", is hosted" } else { "" };
    let address = friend.address.as_deref().unwrap_or("-");
    let trouble = friend.trouble.as_ref().map(trouble).unwrap_or_default();
    format!("{:<20} {state:<9} {address:<28} {shared}{}{hosts}{trouble}", friend.name, stand_in.unwrap_or_default())
}

/// What a friend's node did that it should not, and when, in a line of its own.
fn trouble(trouble: &model::FriendTrouble) -> String {
    let (at, until) = (clock(trouble.at), clock(trouble.until));
    let now = if trouble.until > now() { format!("is not asked until {until}") } else { "is asked again".to_owned() };
    format!("\n{:<20} {now}: {} ({at})", "", trouble.reason)
}

/// The time of this machine's day.
fn clock(milliseconds: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M").to_string()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A library's name, with whom it is for where that is not everybody.
fn for_whom(name: &str, friend: &model::Friend, library: &str) -> String {
    match friend.people.get(library) {
        Some(people) => format!("{name} (for {})", people.join(", ")),
        None => name.to_owned(),
    }
}

async fn named(node: &Control, name: &str) -> anyhow::Result<model::Friend> {
    let same = |friend: &model::Friend| friend.id == name || friend.name.to_lowercase() == name.to_lowercase();
    all(node).await?.into_iter().find(same).ok_or_else(|| anyhow!("there is no friend named {name}"))
}

impl Share {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let friend = named(node, &self.name).await?;
        let all: Vec<model::Library> = node.get("/api/v1/libraries").await?;
        let shared: Vec<&model::Library> =
            self.library.iter().map(|name| library::named(&all, name)).collect::<Result<_, _>>()?;
        let ids: Vec<String> = shared.iter().map(|library| library.id.clone()).collect();
        let change = self.change(&friend, ids);
        let path = format!("/api/v1/friends/{}", friend.id);
        let friend: model::Friend = node.call(Method::PATCH, &path, Some(&change)).await?;
        let names: Vec<String> = shared.iter().map(|library| for_whom(&library.name, &friend, &library.id)).collect();
        let what = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        output::line(format_args!("{} sees {what}.", friend.name))?;
        Ok(())
    }

    /// With names, only these libraries are another's business; without, these are all.
    fn change(&self, friend: &model::Friend, ids: Vec<String>) -> FriendChange {
        if self.people.is_empty() {
            return FriendChange { libraries: Some(ids), ..FriendChange::default() };
        }
        let names = (self.people != ["everyone"]).then(|| self.people.clone());
        let people = ids.iter().map(|id| (id.clone(), names.clone())).collect();
        let others = friend.libraries.iter().filter(|id| !ids.contains(id)).cloned();
        FriendChange { libraries: Some(others.chain(ids.clone()).collect()), people, ..FriendChange::default() }
    }
}

impl Limit {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let friend = named(node, &self.name).await?;
        let rate = (self.kilobits > 0).then(|| self.kilobits.saturating_mul(1000));
        let change = FriendChange { upload_rate: Some(rate), ..FriendChange::default() };
        let path = format!("/api/v1/friends/{}", friend.id);
        node.call::<model::Friend>(Method::PATCH, &path, Some(&change)).await?;
        let what = rate.map_or("what the node's setting allows".to_owned(), |_| format!("{} kbit/s", self.kilobits));
        output::line(format_args!("{} may take {what}.", friend.name))?;
        Ok(())
    }
}

impl Switch {
    async fn stand_in(self, node: &Control) -> anyhow::Result<()> {
        let change = FriendChange { stand_in: Some(!self.off), ..FriendChange::default() };
        let friend = self.change(node, &change).await?;
        let line = match self.off {
            true => format!("Nobody can sign in at {friend}'s node any more; it is told to forget your accounts."),
            false => {
                format!("Your people can sign in at {friend}'s node, once {friend} allows it: potluck friend host ...")
            }
        };
        output::line(line)?;
        Ok(())
    }

    async fn host(self, node: &Control) -> anyhow::Result<()> {
        let change = FriendChange { hosts: Some(!self.off), ..FriendChange::default() };
        let friend = self.change(node, &change).await?;
        let may = if self.off {
            "may not sign in here"
        } else {
            "may sign in here, where they chose this node as a stand-in"
        };
        output::line(format_args!("{friend}'s people {may}."))?;
        Ok(())
    }

    /// Returns the friend's name.
    async fn change(&self, node: &Control, change: &FriendChange) -> anyhow::Result<String> {
        let path = format!("/api/v1/friends/{}", named(node, &self.name).await?.id);
        Ok(node.call::<model::Friend>(Method::PATCH, &path, Some(change)).await?.name)
    }
}

impl Named {
    async fn revoke(self, node: &Control) -> anyhow::Result<()> {
        let friend = named(node, &self.name).await?;
        let path = format!("/api/v1/friends/{}", friend.id);
        node.call::<()>(Method::DELETE, &path, None::<&()>).await?;
        output::line(format_args!("{} is no friend of this node any more.", friend.name))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_friend_did_wrong_is_shown_with_its_time() {
        let friend = |until: i64| model::Friend {
            id: "id".to_owned(),
            name: "Mallory".to_owned(),
            endpoint: "key".to_owned(),
            libraries: Vec::new(),
            people: std::collections::BTreeMap::new(),
            created_at: 0,
            upload_rate: None,
            state: FriendState::Online,
            address: None,
            relayed: false,
            rtt_ms: None,
            detail: None,
            trouble: Some(model::FriendTrouble {
                kind: model::FriendFault::Stall,
                reason: "it stopped".to_owned(),
                count: 1,
                at: 0,
                until,
            }),
            stand_in: None,
            hosts: None,
        };
        let (at, later) = (clock(0), now() + 60_000);
        let resting = row(&friend(later), &[]);
        let line = format!("is not asked until {}: it stopped ({at})", clock(later));
        assert!(resting.lines().nth(1).unwrap().ends_with(&line), "{resting}");
        assert!(row(&friend(0), &[]).ends_with(&format!("is asked again: it stopped ({at})")));
    }
}
