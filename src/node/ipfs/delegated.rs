//! Servers that are asked who has a block, and what a name stands for: Delegated Routing V1 HTTP API.
//!
//! None is asked where none is set. What they say is believed by nobody: blocks are hashed, records are checked. They name other
//! nodes, and a server of the internet could so have this one knock at doors of its own house: those are passed over.
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use url::Url;

use super::near::is_in_house;
use super::providers::{self, Provider};
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::content::ipns::{Name, RECORD_MAX};
use crate::exchange::libp2p::Libp2p;
use crate::node::web::{self, Got, Reach, Web, WebError};

/// A root is asked for this often at most.
const AGAIN: Duration = Duration::from_secs(30);
/// Roots that are remembered to have been asked for.
const ASKED_MAX: usize = 1024;
/// Nodes that are connected to for one root.
const PEERS_MAX: usize = 8;
/// A whole question, and connecting to a node.
const PATIENCE: Duration = Duration::from_secs(15);
const LISTS: &str = "application/x-ndjson, application/json;q=0.9";
const RECORD: &str = "application/vnd.ipfs.ipns-record";
/// What an address may end with that is a server.
const PREFIX: &str = "/routing/v1";

/// Whether a text is the address of such a server.
#[must_use]
pub fn is_router(text: &str) -> bool {
    server(text).is_some()
}

/// The address without what the paths begin with.
fn server(text: &str) -> Option<Url> {
    let plain = text.trim().trim_end_matches('/');
    let url = web::address(plain.strip_suffix(PREFIX).unwrap_or(plain)).ok()?;
    (url.query().is_none() && url.fragment().is_none()).then_some(url)
}

/// A server did not take a record now.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// See [`WebError`].
    #[error(transparent)]
    Web(#[from] WebError),
    /// It failed.
    #[error("{0} answered {1}")]
    Failed(String, StatusCode),
}

/// The servers that are set.
pub(super) struct Routers {
    web: Web,
    servers: Vec<Url>,
    asked: Mutex<VecDeque<(Cid, Instant)>>,
}

/// Somebody asks for a root. Where that is given up, the next one may ask at once.
struct Turn<'a> {
    routers: &'a Routers,
    root: Cid,
    done: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.routers.asked.lock().retain(|(root, _)| *root != self.root);
        }
    }
}

impl Routers {
    /// Those at these addresses; what is no address is left out.
    pub fn new(addresses: &[String]) -> Self {
        let servers = addresses.iter().filter_map(|text| server(text)).collect();
        Self { web: Web::new(Reach::Everywhere), servers, asked: Mutex::default() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Waits for what is fetched; beside that, those who have the root are looked for, where that was not done a moment ago.
    pub async fn beside<T>(&self, libp2p: &Libp2p, root: &Cid, fetching: impl Future<Output = T>) -> T {
        let Some(mut turn) = self.turn(root) else { return fetching.await };
        tokio::pin!(fetching);
        let got = tokio::select! {
            biased;
            got = &mut fetching => Some(got),
            () = self.find(libp2p, root) => None,
        };
        turn.done = true;
        match got {
            Some(got) => got,
            None => fetching.await,
        }
    }

    fn turn(&self, root: &Cid) -> Option<Turn<'_>> {
        if self.servers.is_empty() {
            return None;
        }
        let (root, mut asked) = (canonical(root), self.asked.lock());
        asked.retain(|(_, since)| since.elapsed() < AGAIN);
        if asked.iter().any(|(other, _)| *other == root) {
            return None;
        }
        if asked.len() >= ASKED_MAX {
            asked.pop_front();
        }
        asked.push_back((root, Instant::now()));
        Some(Turn { routers: self, root, done: false })
    }

    /// Connects to nodes that are said to have a root, and has them asked for it.
    async fn find(&self, libp2p: &Libp2p, root: &Cid) {
        let seen = &Mutex::new(HashSet::from([libp2p.id()]));
        join_all(self.servers.iter().map(|server| async move {
            let found = self.providers(server, root).await;
            let found = found.inspect_err(|error| tracing::debug!(%error, "a delegated router says nothing"));
            let mut found = found.unwrap_or_default();
            found.retain(|provider| {
                let mut seen = seen.lock();
                seen.len() <= PEERS_MAX && seen.insert(provider.peer)
            });
            join_all(found.iter().map(|provider| connect(libp2p, root, provider))).await;
        }))
        .await;
    }

    async fn providers(&self, server: &Url, root: &Cid) -> Result<Vec<Provider>, RouterError> {
        let until = tokio::time::Instant::now() + PATIENCE;
        let house = is_in_house(server).await;
        let cid = Cid::new_v1(root.codec(), *root.hash());
        let got =
            self.ask(server, Method::GET, &format!("providers/{cid}"), headers(ACCEPT, LISTS), Bytes::new()).await?;
        match got.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            status => return Err(RouterError::Failed(server.to_string(), status)),
        }
        Ok(providers::read(got, house, PEERS_MAX, until).await?)
    }

    /// Records of a name that the servers have; nobody checked them yet.
    pub async fn records(&self, name: Name) -> Vec<Vec<u8>> {
        let asked = self.servers.iter().map(|server| async move {
            let got =
                self.ask(server, Method::GET, &record_of(name), headers(ACCEPT, RECORD), Bytes::new()).await.ok()?;
            let found = got.status == StatusCode::OK;
            let all = tokio::time::timeout(PATIENCE, got.body.all(RECORD_MAX)).await.ok()?.ok()?;
            found.then(|| all.to_vec())
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Gives a record to all servers. Those that take none, of anybody, are no failure.
    ///
    /// # Errors
    /// [`RouterError`], where one of them may take it later.
    pub async fn put(&self, name: Name, record: &[u8]) -> Result<(), RouterError> {
        let record = Bytes::copy_from_slice(record);
        let given = self.servers.iter().map(|server| {
            let record = record.clone();
            async move {
                let headers = headers(CONTENT_TYPE, RECORD);
                let got = self.ask(server, Method::PUT, &record_of(name), headers, record).await?;
                match got.status.as_u16() {
                    429 | 500 | 502..=599 => Err(RouterError::Failed(server.to_string(), got.status)),
                    200..=299 => Ok(()),
                    status => {
                        tracing::debug!(%server, status, "a delegated router does not take the node's IPNS record");
                        Ok(())
                    }
                }
            }
        });
        join_all(given).await.into_iter().collect()
    }

    async fn ask(
        &self,
        server: &Url,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Got, WebError> {
        let text = format!("{}{PREFIX}/{path}", server.as_str().trim_end_matches('/'));
        self.web.send(&web::address(&text)?, method, &headers, body).await
    }
}

/// Names are written as CIDs in base 36, as the specification of IPNS has it.
fn record_of(name: Name) -> String {
    format!("ipns/{name}")
}

fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

async fn connect(libp2p: &Libp2p, root: &Cid, provider: &Provider) {
    let connecting = libp2p.connect_at(provider.peer, &provider.addresses);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(())) => libp2p.provides(root, provider.peer),
        Ok(Err(error)) => {
            tracing::debug!(peer = %provider.peer, %error, "a node that a delegated router named is away")
        }
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_address_with_and_without_the_prefix() {
        for (text, expected) in [
            ("https://router.example", Some("https://router.example/")),
            ("https://router.example/routing/v1/", Some("https://router.example/")),
            ("http://127.0.0.1:8080/a", Some("http://127.0.0.1:8080/a")),
            ("router.example", None),
            ("https://router.example/?x", None),
            ("https://ada:x@router.example", None),
        ] {
            assert_eq!(server(text).as_ref().map(Url::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_root_is_asked_for_once_in_a_while_and_again_where_that_was_given_up() {
        let routers = Routers::new(&["http://127.0.0.1:1".to_owned()]);
        let root = crate::content::cid::of_raw(b"x");
        drop(routers.turn(&root).expect("given up"));
        let mut turn = routers.turn(&root).expect("the next one asks");
        assert!(routers.turn(&root).is_none());
        turn.done = true;
        drop(turn);
        assert!(routers.turn(&root).is_none(), "asked a moment ago");
        for number in 0..2 * ASKED_MAX {
            routers.turn(&crate::content::cid::of_raw(&number.to_be_bytes())).unwrap().done = true;
        }
        assert_eq!(routers.asked.lock().len(), ASKED_MAX);
        assert!(Routers::new(&[]).turn(&root).is_none());
    }
}
