//! Derived objects: the index knows their blocks, the [`Producer`] makes their bytes again.
//!
//! A player asks for the blocks of a segment one by one, so the last few objects are kept, and one object is never made
//! twice at the same time. What was made is hashed leaf by leaf like anything else.
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::index::{Index, Object, Origin, Placed};
use super::{BlockError, Producer, Recipe};
use crate::content::cid::{Digest, RAW, digest_of, of_digest, sha256};
use crate::content::unixfs::{Layout, Position, Profile, Shape};

/// Bytes of made objects that are kept.
const KEPT_MAX: usize = 16 * 1024 * 1024;

/// Remembers the blocks of a derived object, if they are not known yet. Blocking.
pub(super) fn record(index: &Index, recipe: Recipe, layout: &Layout) -> Result<i64, BlockError> {
    let root = digest_of(&layout.root).ok_or(BlockError::NotFound(layout.root))?;
    if let Some(known) = index.derived_by(&recipe)?
        && known.root == root
    {
        return Ok(known.id);
    }
    let shape = Shape::new(Profile::V1_2025, layout.size);
    let leaves = layout.leaves.iter().enumerate().map(|(n, (cid, _))| (Position::leaf(n as u64), cid));
    let places = (1..=shape.root().level)
        .flat_map(|level| (0..shape.count(level)).map(move |number| Position { level, number }));
    let nodes = places.zip(&layout.nodes).map(|(at, (cid, _))| (at, cid));
    let placed = leaves.chain(nodes).filter(|(at, _)| *at != shape.root());
    let blocks: Vec<Placed> = placed.filter_map(|(at, cid)| Some((at, digest_of(cid)?))).collect();
    let (id, gone) = index.publish(None, &blocks, &root, layout.size, &Origin::Derived(recipe))?;
    index.purge(gone)?;
    Ok(id)
}

#[derive(Default)]
pub(super) struct Kitchen {
    producer: Mutex<Option<Arc<dyn Producer>>>,
    kept: Mutex<VecDeque<(i64, Bytes)>>,
    /// One lock for each object that is being made.
    making: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
}

impl Kitchen {
    pub fn set_producer(&self, producer: Arc<dyn Producer>) {
        *self.producer.lock() = Some(producer);
    }

    /// Remembers the bytes of an object for a while.
    pub fn keep(&self, id: i64, bytes: Bytes) {
        let mut kept = self.kept.lock();
        kept.retain(|(other, _)| *other != id);
        kept.push_back((id, bytes));
        // The last one stays whatever its size: its other blocks are asked for next.
        while kept.len() > 1 && kept.iter().map(|(_, b)| b.len()).sum::<usize>() > KEPT_MAX {
            kept.pop_front();
        }
    }

    /// A leaf of a derived object, checked.
    pub async fn leaf(&self, object: &Object, number: u64, digest: &Digest) -> Result<Bytes, BlockError> {
        let cid = of_digest(RAW, digest);
        let underived = |reason: String| BlockError::Underived { cid, reason };
        let bytes = self.object(object).await.map_err(underived)?;
        let span = object.shape().span(Position::leaf(number)).ok_or(BlockError::NotFound(cid))?;
        let span = usize::try_from(span.start).unwrap_or(usize::MAX)..usize::try_from(span.end).unwrap_or(usize::MAX);
        if span.end > bytes.len() || sha256(&bytes[span.clone()]) != *digest {
            self.forget(object.id);
            return Err(underived("it came out with other bytes".to_owned()));
        }
        Ok(bytes.slice(span))
    }

    async fn object(&self, object: &Object) -> Result<Bytes, String> {
        let Origin::Derived(recipe) = &object.origin else { return Err("it is not derived".to_owned()) };
        if let Some(bytes) = self.kept(object.id) {
            return Ok(bytes);
        }
        let producer = self.producer.lock().clone().ok_or("nobody makes derived objects yet")?;
        let lock = Arc::clone(self.making.lock().entry(object.id).or_default());
        let _turn = lock.lock().await;
        if let Some(bytes) = self.kept(object.id) {
            return Ok(bytes);
        }
        let made = producer.produce(recipe.clone()).await;
        self.making.lock().remove(&object.id);
        let bytes = made?;
        if bytes.len() as u64 != object.size {
            return Err(format!("it came out with {} bytes instead of {}", bytes.len(), object.size));
        }
        self.keep(object.id, bytes.clone());
        Ok(bytes)
    }

    fn kept(&self, id: i64) -> Option<Bytes> {
        self.kept.lock().iter().find(|(other, _)| *other == id).map(|(_, bytes)| bytes.clone())
    }

    fn forget(&self, id: i64) {
        self.kept.lock().retain(|(other, _)| *other != id);
    }
}
