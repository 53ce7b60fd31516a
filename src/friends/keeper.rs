//! Keeps one follower for each friend that is switched on, and forgets those that are friends no more.
use std::collections::HashMap;

use tokio_util::sync::CancellationToken;

use super::follow::follow;
use super::{FriendState, Friends, FriendsEvent};
use crate::accounts::Friend;
use crate::catalog::Id;

/// Runs until the friends are stopped.
pub(super) async fn keep(friends: Friends) {
    let mut changed = friends.inner.accounts.revoked();
    let mut followers: HashMap<Id, (Friend, CancellationToken)> = HashMap::new();
    loop {
        let known = friends.inner.accounts.friends();
        drop_others(&friends, &known, &mut followers).await;
        for friend in known.into_iter().filter(|friend| friend.enabled) {
            if !followers.contains_key(&friend.id) {
                friends.set_offered(&friend.id).await;
            }
            followers.entry(friend.id.clone()).or_insert_with(|| {
                let stop = friends.inner.stop.child_token();
                friends.inner.tasks.spawn(follow(friends.clone(), friend.id.clone(), stop.clone()));
                (friend, stop)
            });
        }
        tokio::select! {
            tick = changed.changed() => if tick.is_err() { return },
            () = friends.inner.stop.cancelled() => return,
        }
    }
}

/// Ends the followers of those that are switched off or gone, and forgets what those that are gone told.
async fn drop_others(friends: &Friends, known: &[Friend], followers: &mut HashMap<Id, (Friend, CancellationToken)>) {
    let on = |id: &Id| known.iter().any(|friend| friend.id == *id && friend.enabled);
    let off: Vec<Id> = followers.keys().filter(|id| !on(id)).cloned().collect();
    for id in off {
        if let Some((_, stop)) = followers.remove(&id) {
            stop.cancel();
        }
        let problem = Some("switched off on this node".to_owned());
        friends.set_state(&id, FriendState { problem, ..FriendState::default() }).await;
    }
    let told = friends.inner.catalog.friends_known().await.unwrap_or_default();
    for gone in told.into_iter().filter(|id| !known.iter().any(|friend| friend.id == *id)) {
        match friends.inner.catalog.forget_friend(&gone).await {
            Ok(libraries) => libraries.into_iter().for_each(|library| friends.tell(FriendsEvent::Library(library))),
            Err(error) => tracing::error!(friend.id = %gone, error = %error, "a friend could not be forgotten"),
        }
        friends.forget_pictures(&gone, None).await;
        friends.inner.states.lock().remove(&gone);
        friends.inner.distrust.lock().remove(&gone);
        friends.inner.contacts.lock().remove(&gone);
        friends.inner.bells.remove(&gone);
    }
}
