//! Which friends' nodes can answer for an item, in the order in which they are asked.
use axum::http::Uri;

use super::App;
use super::error::Refusal;
use crate::accounts::Caller;
use crate::catalog::{Item, ItemState};

/// A friend's node that holds an item's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The friend.
    pub friend: String,
    /// The item's id there.
    pub item: String,
}

impl Way {
    /// What is asked of the item `id` here, as it is asked there.
    pub fn uri(&self, uri: &Uri, id: &str) -> Uri {
        let text = uri.to_string().replacen(id, &self.item, 1);
        text.parse().unwrap_or_else(|_| uri.clone())
    }
}

/// Who holds a friend's item: that friend, then others with the very same bytes in a library that the caller may see.
/// Those whose nodes are away come last. None of an item of ours.
pub(super) async fn ways(app: &App, caller: &Caller, item: &Item) -> Result<Vec<Way>, Refusal> {
    let Some(friend) = &item.friend else { return Ok(Vec::new()) };
    let mut ways = vec![Way { friend: friend.clone(), item: item.id.clone() }];
    let online = |friend: &str| app.node().friends().is_some_and(|friends| friends.state(friend).online);
    let cid = item.file.as_ref().and_then(|file| file.cid).map(|cid| cid.to_string());
    for twin in app.node().catalog().twins(&item.id).await? {
        if cid.is_some() && twin.cid == cid && twin.state == ItemState::Present && caller.may_see(&twin.library) {
            ways.push(Way { friend: twin.friend, item: twin.item });
        }
    }
    ways.sort_by_key(|way| !online(&way.friend));
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_the_item_as_its_holder_does() {
        let way = Way { friend: "f".to_owned(), item: "theirs".to_owned() };
        let uri = Uri::from_static("/api/v1/items/ours/renditions/ours/segments?from=0");
        assert_eq!(way.uri(&uri, "ours"), "/api/v1/items/theirs/renditions/ours/segments?from=0");
    }
}
