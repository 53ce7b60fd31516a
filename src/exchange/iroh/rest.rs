//! Links that rest: closed for want of use, so that they weigh nothing, while both sides take each other for there.
//!
//! Whoever has something to say dials again; a request does so by itself and waits for it. Where that fails, the node is
//! gone. Only a link without an exchange is put to rest, and from then on none begins on it: what the other side
//! had just sent was not looked at, and is sent once more by it (`letter.rs`).
//!
//! The word that a link rests is one packet, and may be lost. The other side goes on taking the link for open then, until the
//! next packet on it is answered with a stateless reset, and takes the node for resting from there on. What it had sent on
//! that link is sent once more if that can do no harm: the link may have ended in another way, after it was looked at.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Iroh;
use super::links::{Links, Reason, Standing};

/// The nodes whose links rest.
#[derive(Default)]
pub(super) struct Resting {
    /// Each with what is cancelled when it does not rest any more.
    nodes: HashMap<String, CancellationToken>,
    /// Nodes that could not be woken, and when, until they are dialed with success.
    missed: HashMap<String, Instant>,
}

impl Resting {
    pub fn begin(&mut self, node: &str) {
        self.nodes.entry(node.to_owned()).or_default();
    }

    /// Whether it rested.
    pub fn end(&mut self, node: &str) -> bool {
        self.nodes.remove(node).is_some_and(|over| {
            over.cancel();
            true
        })
    }

    pub fn get(&self, node: &str) -> Option<CancellationToken> {
        self.nodes.get(node).cloned()
    }

    /// It was dialed, and was there.
    pub fn found(&mut self, node: &str) {
        self.missed.remove(node);
    }
}

/// A node with links on which nothing is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// Its public key.
    pub node: String,
    /// When anything was under way last.
    pub since: Instant,
    /// Whether this side made the link.
    pub dialed: bool,
    /// When this side tried to wake the node in vain and did not reach it since.
    pub missed: Option<Instant>,
}

impl<C: Clone> Links<C> {
    /// Known nodes with an open link.
    pub fn awake(&self) -> usize {
        self.table.lock().open.values().filter(|links| links.iter().any(|link| link.is_known())).count()
    }

    /// Of these, those on whose links nothing is under way.
    pub fn idle(&self) -> Vec<Idle> {
        let table = self.table.lock();
        let idle = table.open.iter().filter_map(|(node, links)| {
            let newest = links.last().filter(|link| link.is_known())?;
            let uses: Option<Vec<Instant>> = links.iter().map(|link| link.idle_since()).collect();
            let since = uses?.into_iter().max()?;
            let missed = table.resting.missed.get(node).copied();
            Some(Idle { node: node.clone(), since, dialed: newest.dialed, missed })
        });
        idle.collect()
    }

    /// Puts a node's links to rest where nothing was under way on any for that long. Whether that was so.
    pub fn rest(&self, node: &str, unused: Duration) -> bool {
        let mut table = self.table.lock();
        let Some(links) = table.open.get(node) else { return false };
        // Held together, so that nothing begins on one while another is looked at.
        let mut usages: Vec<_> = links.iter().map(|link| link.usage.lock()).collect();
        if usages.iter().any(|usage| usage.open > 0 || usage.last.elapsed() < unused) {
            return false;
        }
        usages.iter_mut().for_each(|usage| usage.over = true);
        drop(usages);
        let links = table.open.remove(node).unwrap_or_default();
        // Before they are closed: whoever sees that sees why.
        table.resting.begin(node);
        drop(table);
        links.iter().for_each(|link| link.close(Reason::Resting));
        self.tick(false);
        true
    }

    /// A node was dialed and not reached.
    pub fn missed(&self, node: &str) {
        let mut table = self.table.lock();
        if table.resting.end(node) {
            table.resting.missed.insert(node.to_owned(), Instant::now());
            drop(table);
            self.tick(true);
        }
    }
}

impl<C: Clone + Send + Sync + 'static> Iroh<C> {
    /// Whether the link to a node rests.
    #[must_use]
    pub fn rests(&self, endpoint: &str) -> bool {
        match self.inner.links.standing(endpoint) {
            Standing::Rests(_) => true,
            // Put to rest by the other side, and not noted yet.
            Standing::Linked(link) => link.rests(),
            Standing::Away => false,
        }
    }

    /// Comes back when a node's link does not rest (any more): it is there, or the node is gone.
    pub async fn woken(&self, endpoint: &str) {
        while let Standing::Rests(over) = self.inner.links.standing(endpoint) {
            over.cancelled().await;
        }
    }

    /// Nodes that are linked and known, without those whose links rest.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.inner.links.awake()
    }

    /// Of these, those on whose links nothing is under way.
    #[must_use]
    pub fn idle(&self) -> Vec<Idle> {
        self.inner.links.idle()
    }

    /// Puts the link to a node to rest, unless something is under way on it or was within `unused`. Whether it rests now.
    #[must_use]
    pub fn rest(&self, endpoint: &str, unused: Duration) -> bool {
        self.inner.links.rest(endpoint, unused)
    }

    /// Forgets that links rest, of all nodes but those that `stays` picks.
    pub fn forget_resting(&self, stays: impl Fn(&str) -> bool) {
        let mut table = self.inner.links.table.lock();
        let gone: Vec<String> = table.resting.nodes.keys().filter(|node| !stays(node)).cloned().collect();
        for node in &gone {
            table.resting.end(node);
        }
        table.resting.missed.retain(|node, _| stays(node));
        drop(table);
        if !gone.is_empty() {
            self.inner.links.tick(true);
        }
    }
}
