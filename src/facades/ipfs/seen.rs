//! Blocks for one caller: what is in libraries that the caller may see, and what is from elsewhere, as far as the caller may go.
//!
//! Each block is asked about anew: a folder from elsewhere may link to a file of a private library, and opens nothing by that.
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{Gate, Sight};
use crate::blocks::dag::{DagError, Source};
use crate::blocks::{Blocks, Session};
use crate::content::Cid;
use crate::content::cid::{self, DAG_PB, canonical};

/// Where a block is for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a library, or in its own name.
    Here {
        /// Whether it is for anyone.
        public: bool,
    },
    /// It is a folder's node for anyone.
    Folder(Bytes),
    /// Not in what the caller may see of libraries.
    Elsewhere,
}

/// See the module.
pub(super) struct Seen {
    blocks: Blocks,
    gate: Arc<dyn Gate>,
    session: Option<Session>,
    /// What the gate said of these files, during one request.
    sights: Mutex<HashMap<Vec<Cid>, Sight>>,
}

impl Seen {
    pub fn new(blocks: Blocks, gate: Arc<dyn Gate>, session: Option<Session>) -> Self {
        Self { blocks, gate, session, sights: Mutex::default() }
    }

    /// What is in libraries. To be read only where [`Place::Here`] was said.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Where a block is.
    pub async fn place(&self, cid: &Cid) -> Result<Place, DagError> {
        if cid::inline(cid).is_some() {
            return Ok(Place::Here { public: true });
        }
        let roots = self.blocks.stat(cid).await?.map(|stat| stat.roots).unwrap_or_default();
        if roots.is_empty()
            && canonical(cid).codec() == DAG_PB
            && let Some(node) = self.gate.folder(cid).await
        {
            return Ok(Place::Folder(node));
        }
        Ok(match self.sight(roots).await {
            Sight::Hidden => Place::Elsewhere,
            Sight::Private => Place::Here { public: false },
            Sight::Public => Place::Here { public: true },
        })
    }

    async fn sight(&self, roots: Vec<Cid>) -> Sight {
        if roots.is_empty() {
            return Sight::Hidden;
        }
        let known = self.sights.lock().get(&roots).copied();
        match known {
            Some(sight) => sight,
            None => {
                let sight = self.gate.sight(&roots).await;
                self.sights.lock().insert(roots, sight);
                sight
            }
        }
    }

    async fn get(&self, cid: &Cid) -> Result<Bytes, DagError> {
        if let Some(bytes) = cid::inline(cid) {
            return Ok(Bytes::copy_from_slice(bytes));
        }
        match (self.place(cid).await?, &self.session) {
            (Place::Here { .. }, _) => Ok(self.blocks.get(cid).await?),
            (Place::Folder(node), _) => Ok(node),
            (Place::Elsewhere, Some(session)) => session.block(cid).await,
            (Place::Elsewhere, None) => Err(DagError::NotFound(*cid)),
        }
    }
}

impl Source for Seen {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        self.get(cid).boxed()
    }
}
