//! Nodes of this process that reach each other by their friends' keys, each in a manner that a test chooses.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use parking_lot::Mutex;
use potluck::accounts::{Friend, FriendChange, NewFriend};
use potluck::exchange::{Body, Responder};
use potluck::facades::NodeRouter;
use potluck::friends::{Dial, DialError, FriendsOptions};
use potluck::node::Node;
use tokio::sync::watch;

use crate::harness::TestNode;

/// What a friend's node does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Its router answers.
    Honest,
    /// Its router answers, but blocks are as many other bytes.
    Lies,
    /// Its router answers, but blocks stop in the middle.
    Stalls,
    /// It is off, and somebody says so.
    Off,
    /// Nothing comes back.
    Silent,
}

/// Reaches nodes of this process by their keys, and knows what each was asked for.
pub struct Street {
    houses: Mutex<HashMap<String, (Node, Manner)>>,
    asked: Mutex<Vec<(String, String)>>,
    /// Key of the node that asks.
    own: &'static str,
    /// Blocks that are answered; further ones wait.
    pub allowed: watch::Sender<u64>,
}

impl Street {
    pub fn new(own: &'static str) -> Arc<Self> {
        let allowed = watch::Sender::new(u64::MAX);
        Arc::new(Self { houses: Mutex::default(), asked: Mutex::default(), own, allowed })
    }

    pub fn set(&self, key: &str, node: &TestNode, manner: Manner) {
        self.houses.lock().insert(key.to_owned(), (node.node().clone(), manner));
    }

    /// Blocks that anybody was asked for.
    pub fn asked(&self) -> u64 {
        self.count(|_, path| is_block(path))
    }

    pub fn asked_of(&self, key: &str) -> u64 {
        self.count(|asked, path| asked == key && is_block(path))
    }

    /// Questions for a path that ends so.
    pub fn asked_for(&self, end: &str) -> u64 {
        self.count(|_, path| path.ends_with(end))
    }

    fn count(&self, which: impl Fn(&str, &str) -> bool) -> u64 {
        self.asked.lock().iter().filter(|(key, path)| which(key, path)).count() as u64
    }
}

impl Dial for Street {
    fn request(
        &self,
        friend: &Friend,
        request: http::Request<Body>,
    ) -> BoxFuture<'static, Result<http::Response<Body>, DialError>> {
        let house = self.houses.lock().get(&friend.endpoint).cloned();
        let Some((node, manner)) = house.filter(|(_, manner)| *manner != Manner::Off) else {
            return async { Err(DialError("nobody answers".to_owned())) }.boxed();
        };
        let block = is_block(request.uri().path());
        self.asked.lock().push((friend.endpoint.clone(), request.uri().path().to_owned()));
        let (number, mut allowed) = (self.asked(), self.allowed.subscribe());
        let caller = node.accounts().by_endpoint(self.own, [127, 0, 0, 1].into());
        let router = NodeRouter::local(node);
        async move {
            if block {
                let _ = allowed.wait_for(|allowed| *allowed >= number).await;
            }
            match manner {
                Manner::Silent => std::future::pending().await,
                Manner::Lies if block => Ok(lie(router.respond(caller, request).await).await),
                Manner::Stalls if block => Ok(stall(router.respond(caller, request).await).await),
                _ => Ok(router.respond(caller, request).await),
            }
        }
        .boxed()
    }
}

fn is_block(path: &str) -> bool {
    path.starts_with("/ipfs/") || path.contains("/blocks/")
}

async fn lie(answer: http::Response<Body>) -> http::Response<Body> {
    let length = answer.into_body().collect().await.unwrap().to_bytes().len();
    let body = Full::new(Bytes::from(vec![7; length])).map_err(|never| match never {});
    http::Response::new(body.boxed_unsync())
}

async fn stall(answer: http::Response<Body>) -> http::Response<Body> {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let half = stream::iter([Ok(Frame::data(bytes.slice(..bytes.len() / 2)))]).chain(stream::pending());
    http::Response::new(StreamBody::new(half).boxed_unsync())
}

/// Followers that lose no time; nobody rings in such a street.
pub fn options() -> FriendsOptions {
    FriendsOptions {
        quiet: Duration::from_millis(1),
        quiet_max: Duration::from_millis(100),
        retry_first: Duration::from_millis(20),
        retry_last: Duration::from_millis(50),
        ..FriendsOptions::default()
    }
}

/// Makes the node with this key a friend of `node`. Returns its id there.
pub async fn befriend(node: &TestNode, name: &str, key: &str) -> String {
    let new = NewFriend { name: name.to_owned(), endpoint: key.to_owned(), addresses: Vec::new() };
    node.node().accounts().add_friend(new).await.unwrap().id
}

/// `host` shares its library with this friend.
pub async fn share(host: &TestNode, guest: &str) {
    share_only(host, guest, vec![host.library.clone()]).await;
}

/// `host` shares these libraries with this friend and no others.
pub async fn share_only(host: &TestNode, guest: &str, libraries: Vec<String>) {
    let change = FriendChange { libraries: Some(libraries), ..FriendChange::default() };
    host.node().accounts().update_friend(guest, change).await.unwrap();
}

/// Looks again whenever a node tells of anything, until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(node: &TestNode, look: impl Fn() -> F) -> T {
    let mut events = node.node().events();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        let _ = events.recv().await;
    }
}
