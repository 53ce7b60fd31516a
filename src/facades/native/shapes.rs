//! From the words of the lower layers to the shapes of the API.
use std::collections::HashSet;

use super::{hearers, model};
use crate::accounts::{self, Caller};
use crate::catalog::{File, Held, Item, ItemState, Library, Listed};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::holders;
use crate::library::{self, ItemChange};
use crate::media::book::Format;
use crate::node::source_of;
use crate::playback::{Capabilities, Decision, Method, Source};

impl From<accounts::Invite> for model::Invite {
    fn from(invite: accounts::Invite) -> Self {
        let accounts::Invite { id, name, created_at, expires_at } = invite;
        Self { id, name, created_at, expires_at, code: None }
    }
}

impl From<accounts::Account> for model::Account {
    fn from(account: accounts::Account) -> Self {
        let libraries = if account.admin { None } else { account.libraries };
        let accounts::Account { id, name, admin, max_bit_rate, home, .. } = account;
        Self { id, name, admin, libraries, max_bit_rate, home }
    }
}

impl From<accounts::ApiKey> for model::ApiKey {
    fn from(key: accounts::ApiKey) -> Self {
        Self { id: key.id, name: key.name, created_at: key.created_at, used_at: key.used_at, key: None }
    }
}

impl From<accounts::AppPassword> for model::AppPassword {
    fn from(app: accounts::AppPassword) -> Self {
        Self { id: app.id, name: app.name, created_at: app.created_at, used_at: app.used_at, password: None }
    }
}

impl From<accounts::AuditLine> for model::AuditLine {
    fn from(line: accounts::AuditLine) -> Self {
        Self {
            at: line.at,
            account: line.account,
            address: line.address,
            method: line.method,
            path: line.path,
            status: line.status,
            reason: line.reason,
        }
    }
}

impl From<library::ScanProgress> for model::ScanProgress {
    fn from(progress: library::ScanProgress) -> Self {
        Self {
            library: progress.library,
            state: match progress.state {
                library::ScanState::Queued => model::ScanState::Queued,
                library::ScanState::Listing => model::ScanState::Listing,
                library::ScanState::Importing => model::ScanState::Importing,
                library::ScanState::Done => model::ScanState::Done,
                library::ScanState::Failed => model::ScanState::Failed,
            },
            files_total: progress.files_total,
            files_done: progress.files_done,
            bytes_total: progress.bytes_total,
            bytes_done: progress.bytes_done,
            added: progress.added,
            changed: progress.changed,
            moved: progress.moved,
            trashed: progress.trashed,
            problems: progress.problems,
            current: progress.current,
        }
    }
}

/// The word of an `item` event.
pub(super) fn change_word(change: ItemChange) -> &'static str {
    match change {
        ItemChange::Added => "added",
        ItemChange::Changed => "changed",
        ItemChange::Removed => "removed",
    }
}

/// The libraries that a caller may see.
pub(super) async fn libraries(app: &App, caller: &Caller) -> Result<Vec<model::Library>, Refusal> {
    let mut seen = Vec::new();
    for library in app.node().catalog().libraries().await? {
        if caller.may_see(&library.id) && !(caller.is_node() && library.friend.is_some()) {
            seen.push(self::library(app, caller, library).await?);
        }
    }
    Ok(seen)
}

/// One library as a caller sees it.
pub(super) async fn library(app: &App, caller: &Caller, library: Library) -> Result<model::Library, Refusal> {
    let totals = app.node().catalog().totals(&library.id).await?;
    let scan = app.node().importer().progress(&library.id).filter(|_| !caller.is_node());
    let scan = scan.map(model::ScanProgress::from);
    Ok(model::Library {
        scan,
        path: (caller.is_admin() && library.friend.is_none()).then(|| library.path.display().to_string()),
        friend: library.friend.as_deref().map(|friend| holder(app, friend)),
        id: library.id,
        name: library.name,
        kind: library.kind,
        visibility: library.visibility,
        state: library.state,
        items: totals.items,
        bytes: totals.bytes,
        scanned_at: library.scanned_at,
    })
}

/// A friend as one sees it beside what it holds.
pub(super) fn holder(app: &App, friend: &str) -> model::Holder {
    let name = app.node().accounts().friend(friend).map(|friend| friend.name).unwrap_or_default();
    model::Holder { id: friend.to_owned(), name, online: holders::online(app, friend) }
}

/// An item as a list shows it: as of the node that would play it now, which is this one where it has the same bytes.
pub(super) async fn summary(app: &App, caller: &Caller, listed: Listed) -> Result<model::ItemSummary, Refusal> {
    let friend = holders::player(app, caller, &listed).await?.map(|friend| holder(app, &friend));
    let elsewhere = friend.is_some() != listed.item.friend.is_some();
    let state = if elsewhere { ItemState::Present } else { listed.item.state };
    Ok(model::ItemSummary { friend, state, ..listed.into() })
}

/// Who holds an item, of those whose libraries the caller may see. The same bytes on this disk come first.
pub(super) async fn sources(app: &App, caller: &Caller, listed: &Listed) -> Result<Vec<model::ItemSource>, Refusal> {
    let item = &listed.item;
    let itself = model::ItemSource {
        friend: item.friend.as_deref().map(|friend| holder(app, friend)),
        item: item.id.clone(),
        state: item.state,
        cid: item.file.as_ref().and_then(|file| file.cid).map(|cid| cid.to_string()),
    };
    let here = model::ItemSource { friend: None, state: ItemState::Present, ..itself.clone() };
    let here = listed.here.then_some(here);
    let others = others(app, caller, item).await?.into_iter().map(|held| model::ItemSource {
        friend: Some(holder(app, &held.friend)),
        item: held.item,
        state: held.state,
        cid: held.cid,
    });
    Ok(here.into_iter().chain([itself]).chain(others).collect())
}

/// Friends' items that are the same film or have the same bytes. What friends hold is no business of other friends.
async fn others(app: &App, caller: &Caller, item: &Item) -> Result<Vec<Held>, Refusal> {
    if caller.is_node() {
        return Ok(Vec::new());
    }
    let mut others = app.node().catalog().twins(&item.id).await?;
    if let Some(cid) = item.file.as_ref().and_then(|file| file.cid) {
        let same = app.node().catalog().held_by_friends(&cid).await?;
        others.extend(same.into_iter().filter(|held| held.item != item.id));
    }
    let mut known = HashSet::new();
    others.retain(|held| caller.may_see(&held.library) && known.insert(held.item.clone()));
    Ok(others)
}

impl From<Listed> for model::ItemSummary {
    fn from(listed: Listed) -> Self {
        let item = listed.item;
        Self {
            friend: None,
            width: item.file.as_ref().and_then(|file| file.width),
            height: item.file.as_ref().and_then(|file| file.height),
            hdr: item.file.as_ref().and_then(|file| file.hdr),
            cid: item.file.as_ref().and_then(|file| file.cid).map(|cid| cid.to_string()),
            size: item.file.as_ref().map(|file| file.size),
            poster: item.artwork.poster.as_ref().map(|_| format!("/api/v1/items/{}/poster", item.id)),
            id: item.id,
            library: item.library,
            kind: item.kind,
            state: item.state,
            title: item.title,
            year: item.year,
            show: item.show,
            show_title: listed.show_title,
            season: item.season,
            episode: item.episode,
            episode_end: item.episode_end,
            episodes: listed.episodes,
            artist: item.artist,
            number: item.book.as_ref().map(|book| book.number.clone()).filter(|number| !number.is_empty()),
            pages: item.book.as_ref().map(|book| book.pages),
            duration: item.duration,
            progress: listed.progress,
            starred_at: listed.starred_at,
            rating: listed.rating,
            added_at: item.added_at,
        }
    }
}

/// All that is known of an item; paths for admins only.
pub(super) async fn detail(
    app: &App,
    listed: Listed,
    caller: &Caller,
    client: &Capabilities,
) -> Result<model::ItemDetail, Refusal> {
    let item = listed.item.clone();
    let sources = sources(app, caller, &listed).await?;
    let music = hearers::facts(app, caller, &listed).await?;
    let paths = caller.is_admin() && item.friend.is_none();
    let facts = item.file.as_ref().and_then(|file| file.facts.clone());
    Ok(model::ItemDetail {
        summary: summary(app, caller, listed).await?,
        sources,
        overview: item.overview,
        genres: item.genres,
        backdrop: item.artwork.backdrop.as_ref().map(|_| format!("/api/v1/items/{}/backdrop", item.id)),
        files: item.file.iter().map(|f| file(f, paths)).collect(),
        playback: facts.as_ref().map(|facts| decision(app.node().playback().decide(facts, client))),
        streams: facts.as_ref().map(|f| f.streams.clone()).unwrap_or_default(),
        chapters: facts.map(|f| f.chapters).unwrap_or_default(),
        music,
        problem: item.problem,
    })
}

fn file(file: &File, admin: bool) -> model::ItemFile {
    let format = file.facts.as_ref().and_then(|facts| Format::named(&facts.container));
    model::ItemFile {
        cid: file.cid.map(|cid| cid.to_string()),
        size: file.size,
        name: Format::file_name(format, &file.path),
        container: file.facts.as_ref().map(|facts| facts.container.clone()),
        path: admin.then(|| file.path.display().to_string()),
        verified_at: file.verified_at,
    }
}

/// How a file plays, for people.
pub(super) fn decision(decision: Decision) -> model::PlaybackDecision {
    let method = match decision.method {
        Method::Direct => model::PlaybackMethod::Direct,
        Method::Copy => model::PlaybackMethod::Copy,
        Method::Audio => model::PlaybackMethod::Audio,
        Method::Transcode => model::PlaybackMethod::Transcode,
        Method::Unsupported => model::PlaybackMethod::Unsupported,
    };
    model::PlaybackDecision { method, reason: decision.reason }
}

/// The file of an item that can be played now.
pub(in crate::facades) fn playable(listed: &Listed) -> Result<Source, Refusal> {
    let item = &listed.item;
    if item.file.is_none() {
        return Err(Refusal::not_found());
    }
    let now = (item.state == ItemState::Present).then(|| source_of(item)).flatten();
    let why = || item.problem.clone().unwrap_or_else(|| "the file is not there now".to_owned());
    now.ok_or_else(|| Refusal::unavailable(why()))
}

/// How a file was repaired, with the friends' names.
pub(super) fn healed(app: &App, healed: crate::node::Healed) -> model::Healed {
    let name = |id: String| app.node().accounts().friend(&id).map_or(id, |friend| friend.name);
    model::Healed { blocks: healed.blocks, friends: healed.friends.into_iter().map(name).collect() }
}
