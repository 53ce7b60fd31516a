//! From a CID to checked bytes: which objects hold it, which of them is right, and the stream over a file's leaves.
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use super::by_reference::read_leaf;
use super::index::Object;
use super::{BlockError, Blocks, Finding, READ_AHEAD};
use crate::content::Cid;
use crate::content::cid::{self, Digest};
use crate::content::unixfs::{LINKS_MAX, Position};
use crate::database::DatabaseError;

impl Blocks {
    pub(super) async fn locate(&self, digest: &Digest) -> Result<Vec<(Object, Position)>, DatabaseError> {
        let digest = *digest;
        self.with_index(move |index| index.locate(&digest)).await
    }

    /// The object that a CID names a part of, and which of its bytes.
    pub(super) async fn part(&self, root: &Cid) -> Result<(Object, Range<u64>), BlockError> {
        let digest = cid::digest_of(root).ok_or(BlockError::NotFound(*root))?;
        let (object, at) = self.locate(&digest).await?.into_iter().next().ok_or(BlockError::NotFound(*root))?;
        // A leaf may hold bytes that look like a node, but they are a file's bytes, not ours to follow.
        let codec = if at.level == 0 { cid::RAW } else { cid::DAG_PB };
        if cid::canonical(root).codec() != codec {
            return Err(BlockError::NotAFile(*root));
        }
        let span = object.shape().span(at).ok_or(BlockError::NotFound(*root))?;
        Ok((object, span))
    }

    /// Bytes `range` of an object, leaf by leaf, reading a little ahead.
    pub(super) fn pieces(
        &self,
        object: Object,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, BlockError>> + use<> {
        let shape = object.shape();
        let leaves = shape.leaves_of(&range);
        let this = self.clone();
        let runs = stream::iter(leaves.clone().step_by(LINKS_MAX)).map(move |start| {
            let end = (start + LINKS_MAX as u64).min(leaves.end);
            (this.clone(), object.clone(), start..end)
        });
        let numbered = runs.then(|(this, object, numbers)| this.numbered(object, numbers)).try_flatten();
        let this = self.clone();
        let read = numbered.map_ok(move |(object, number, digest)| {
            let (this, range) = (this.clone(), range.clone());
            async move {
                let leaf = this.leaf(&object, number, &digest).await?;
                Ok(cut(leaf, shape.span(Position::leaf(number)), &range))
            }
        });
        read.try_buffered(READ_AHEAD)
    }

    /// Leaves of an object with their digests.
    async fn numbered(
        self,
        object: Object,
        numbers: Range<u64>,
    ) -> Result<impl Stream<Item = Result<(Object, u64, Digest), BlockError>>, BlockError> {
        let (asked, wanted) = (object.clone(), numbers.clone());
        let digests = self.with_index(move |index| index.digests(&asked, 0, wanted)).await?;
        // Fewer when the file was imported again meanwhile: what is left of the old one cannot be told any more.
        if digests.len() as u64 != numbers.end - numbers.start {
            return Err(BlockError::NotFound(object.cid()));
        }
        Ok(stream::iter(numbers.zip(digests).map(move |(number, digest)| Ok((object.clone(), number, digest)))))
    }

    /// A leaf from this object or, when it is not right there, from any other that has it.
    async fn leaf(&self, object: &Object, number: u64, digest: &Digest) -> Result<Bytes, BlockError> {
        match self.block(object, Position::leaf(number), digest).await {
            Ok(bytes) => Ok(bytes),
            Err(wrong) => self.get(&cid::of_digest(cid::RAW, digest)).await.map_err(|_| wrong),
        }
    }

    /// One block of one object, checked.
    pub(super) async fn block(&self, object: &Object, at: Position, digest: &Digest) -> Result<Bytes, BlockError> {
        if at.level == 0 && object.imported().is_none() {
            return self.inner.kitchen.leaf(object, at.number, digest).await;
        }
        let _permit = self.inner.reads.acquire().await.map_err(|_| BlockError::Cancelled)?;
        let (this, object, digest) = (self.clone(), object.clone(), *digest);
        let task = move || {
            if at.level == 0 {
                let leaf = read_leaf(&object, at.number, &digest).inspect_err(|e| this.find(e))?;
                return leaf.ok_or(BlockError::NotFound(cid::of_digest(cid::RAW, &digest)));
            }
            this.node(&object, at, &digest)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// An interior node, written again from its children's digests. Blocking.
    fn node(&self, object: &Object, at: Position, digest: &Digest) -> Result<Bytes, BlockError> {
        let missing = || BlockError::NotFound(cid::of_digest(cid::DAG_PB, digest));
        let children = object.shape().children(at).ok_or_else(missing)?;
        let digests = self.inner.index.digests(object, at.level - 1, children)?;
        let bytes = object.shape().encode(at, &digests).ok_or_else(missing)?;
        if cid::sha256(&bytes) == *digest { Ok(bytes.into()) } else { Err(missing()) }
    }

    /// Tells what an error says about a file.
    pub(super) fn find(&self, error: &BlockError) {
        let finding = match error {
            BlockError::Changed { path } => Finding::Changed(path.clone()),
            BlockError::Damaged { path } => Finding::Damaged(path.clone()),
            _ => return,
        };
        if self.inner.found.lock().insert(finding.clone()) {
            // Nobody listens in tools; the finding is in the error too.
            let _ = self.inner.findings.send(finding);
        }
    }
}

/// The bytes of a leaf that lie in `range`.
fn cut(leaf: Bytes, span: Option<Range<u64>>, range: &Range<u64>) -> Bytes {
    let span = span.unwrap_or(0..0);
    let inside = |at: u64| usize::try_from(at.saturating_sub(span.start)).unwrap_or(usize::MAX).min(leaf.len());
    let (start, end) = (inside(range.start), inside(range.end));
    leaf.slice(start..end.max(start))
}
