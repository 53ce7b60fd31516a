//! Who can answer for an item: this node, whose file has the same bytes, or friends' nodes, in the order in which they are asked.
use axum::http::Uri;

use super::App;
use super::error::Refusal;
use crate::accounts::Caller;
use crate::catalog::{Artwork, File, Item, ItemState, Listed};

/// A friend's node that holds an item's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The friend.
    pub friend: String,
    /// The item's id there.
    pub item: String,
    /// The library it is in there.
    pub library: String,
    /// For whom it is asked, where the friend shares it with some of our people only.
    pub person: Option<String>,
}

impl Way {
    /// What is asked of the item `id` here, as it is asked there.
    pub fn uri(&self, uri: &Uri, id: &str) -> Uri {
        let text = uri.to_string().replacen(id, &self.item, 1);
        text.parse().unwrap_or_else(|_| uri.clone())
    }
}

/// A friend's item as it is answered from a file of ours with the same bytes, where there is one. The caller sees the friend's
/// item and its bytes; of ours it sees no more than that, unless it may see its library too: no id, no name, no subtitles beside it.
pub(super) async fn here(app: &App, caller: &Caller, listed: &Listed) -> Result<Option<Listed>, Refusal> {
    let Some(cid) = listed.item.file.as_ref().and_then(|file| file.cid).filter(|_| listed.here) else {
        return Ok(None);
    };
    let mut own = app.node().catalog().items_of(&cid).await?;
    own.sort_by_key(|item| !caller.may_see(&item.library));
    let found = own.into_iter().find_map(|item| item.file.map(|file| (caller.may_see(&item.library), file)));
    Ok(found.map(|(seen, file)| {
        let sidecars = if seen { file.sidecars } else { Vec::new() };
        let item = Item {
            state: ItemState::Present,
            problem: None,
            friend: None,
            file: Some(File { sidecars, ..file }),
            artwork: Artwork::default(),
            ..listed.item.clone()
        };
        Listed { item, ..listed.clone() }
    }))
}

/// The friends that hold an item's file, each in a library that the caller may see: the friend whose item it is, then others
/// with the very same bytes. Those whose nodes are away come last. What friends hold is no business of other friends.
pub(super) async fn ways(app: &App, caller: &Caller, item: &Item) -> Result<Vec<Way>, Refusal> {
    if caller.is_node() {
        return Ok(Vec::new());
    }
    let person = |limited: bool| caller.person().filter(|_| limited).map(str::to_owned);
    let limited = app.node().accounts().is_limited(&item.library);
    let whose = item.friend.iter();
    let whose = whose.map(|friend| Way {
        friend: friend.clone(),
        item: item.id.clone(),
        library: item.library.clone(),
        person: person(limited),
    });
    let mut ways: Vec<Way> = whose.collect();
    if let Some(cid) = item.file.as_ref().and_then(|file| file.cid) {
        let held = app.node().catalog().held_by_friends(&cid).await?;
        let others = held.into_iter().filter(|held| held.item != item.id && caller.may_see(&held.library));
        ways.extend(others.map(|held| Way {
            friend: held.friend,
            item: held.item,
            library: held.library,
            person: person(held.limited),
        }));
    }
    ways.sort_by_key(|way| !online(app, &way.friend));
    Ok(ways)
}

/// The friend whose node plays an item to the caller now, or would if it were there; `None` where this node does.
pub(super) async fn player(app: &App, caller: &Caller, listed: &Listed) -> Result<Option<String>, Refusal> {
    match &listed.item.friend {
        Some(_) if listed.here => Ok(None),
        Some(friend) if online(app, friend) => Ok(Some(friend.clone())),
        None if listed.item.state == ItemState::Present => Ok(None),
        whose => {
            let first = ways(app, caller, &listed.item).await?.into_iter().next();
            // What is gone from our disk is a friend's only while that friend is there.
            Ok(first.map(|way| way.friend).filter(|friend| whose.is_some() || online(app, friend)))
        }
    }
}

/// Whether a friend's node is there, and is asked.
pub(super) fn online(app: &App, friend: &str) -> bool {
    app.node().friends().is_some_and(|friends| friends.state(friend).online && friends.trusts(friend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_the_item_as_its_holder_does() {
        let way = Way { friend: "f".to_owned(), item: "theirs".to_owned(), library: "l".to_owned(), person: None };
        let uri = Uri::from_static("/api/v1/items/ours/renditions/ours/segments?from=0");
        assert_eq!(way.uri(&uri, "ours"), "/api/v1/items/theirs/renditions/ours/segments?from=0");
    }
}
