//! Blocks that are not here: the store of those that were fetched before, and behind it whoever can bring more.
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;

use super::dag::{DagError, Source};
use super::{Fetched, FetchedError, Names};
use crate::content::Cid;
use crate::content::cid::{self, CidError};
use crate::content::unixfs::node::NODE_MAX;

/// A block that nobody brought in this time is not waited for any longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Why a block was not brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nobody who was asked has it, or nobody can be asked.
    #[error("nobody has it")]
    NotFound,
    /// Nobody brought it in time.
    #[error("nobody brought it in time")]
    TimedOut,
    /// It is not fetched: why.
    #[error("{0}")]
    Refused(String),
    /// The node is stopping.
    #[error("fetching was cancelled")]
    Cancelled,
}

/// Brings blocks from other nodes. What it brings is checked. Dropping what it returns ends the asking.
pub trait Fetch: Send + Sync {
    /// One block.
    fn fetch<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, FetchError>>;

    /// The same for blocks of the DAG below `root`: who has that is asked first. Ends when it is dropped.
    fn session(&self, root: &Cid) -> Arc<dyn Fetch>;
}

/// Everything that is not in libraries: a cheap handle.
#[derive(Clone)]
pub struct Elsewhere {
    fetched: Fetched,
    fetch: Arc<RwLock<Option<Arc<dyn Fetch>>>>,
    names: Arc<RwLock<Option<Arc<dyn Names>>>>,
    patience: Duration,
}

impl Elsewhere {
    /// With nobody to ask yet.
    #[must_use]
    pub fn new(fetched: Fetched) -> Self {
        Self { fetched, fetch: Arc::default(), names: Arc::default(), patience: PATIENCE }
    }

    /// Who is asked from now on; `None` for nobody.
    pub fn set_fetch(&self, fetch: Option<Arc<dyn Fetch>>) {
        *self.fetch.write() = fetch;
    }

    /// Who looks names up from now on; `None` for nobody.
    pub fn set_names(&self, names: Option<Arc<dyn Names>>) {
        *self.names.write() = names;
    }

    /// Who looks names up.
    #[must_use]
    pub fn names(&self) -> Option<Arc<dyn Names>> {
        self.names.read().clone()
    }

    /// What was fetched and pinned.
    #[must_use]
    pub fn fetched(&self) -> &Fetched {
        &self.fetched
    }

    /// Reads blocks of the DAG below `root`.
    #[must_use]
    pub fn session(&self, root: Cid, may: May) -> Session {
        Session { elsewhere: self.clone(), root, may, fetch: OnceLock::new() }
    }
}

/// How far a reader may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// Nothing of it is for this reader.
    Nothing,
    /// What is pinned.
    Pinned,
    /// What was fetched before, too.
    Kept,
    /// Whatever others bring.
    Fetch,
}

/// See [`Elsewhere::session`].
pub struct Session {
    elsewhere: Elsewhere,
    root: Cid,
    may: May,
    /// Begun with the first block that is not here.
    fetch: OnceLock<Option<Arc<dyn Fetch>>>,
}

impl Session {
    fn sees(&self, cid: &Cid) -> bool {
        match self.may {
            May::Nothing => false,
            May::Pinned => self.elsewhere.fetched.is_pinned(cid),
            May::Kept | May::Fetch => true,
        }
    }

    async fn get(&self, cid: &Cid) -> Result<Bytes, DagError> {
        if let Some(bytes) = cid::inline(cid) {
            return Ok(Bytes::copy_from_slice(bytes));
        }
        if self.sees(cid) {
            match self.elsewhere.fetched.get(cid).await {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => {}
                Err(FetchedError::Wrong(wrong)) => return Err(wrong.into()),
                Err(error) => tracing::error!(%error, "a fetched block could not be read"),
            }
        }
        if self.may != May::Fetch {
            return Err(DagError::NotFound(*cid));
        }
        self.ask(cid).await
    }

    async fn ask(&self, cid: &Cid) -> Result<Bytes, DagError> {
        // Whatever came could not be told from what was asked for.
        if !cid::is_verifiable(cid) {
            return Err(CidError::UnsupportedHash(cid.hash().code()).into());
        }
        let begin = || self.elsewhere.fetch.read().as_ref().map(|fetch| fetch.session(&self.root));
        let Some(fetch) = self.fetch.get_or_init(begin) else { return Err(DagError::NotFound(*cid)) };
        let asked = tokio::time::timeout(self.elsewhere.patience, fetch.fetch(cid)).await;
        let bytes = match asked.unwrap_or(Err(FetchError::TimedOut)) {
            Ok(bytes) => bytes,
            Err(FetchError::NotFound) => return Err(DagError::NotFound(*cid)),
            Err(error) => return Err(DagError::Unfetched(*cid, error)),
        };
        if bytes.len() > NODE_MAX {
            return Err(DagError::TooLarge(*cid));
        }
        cid::verify(cid, &bytes)?;
        let kept = self.elsewhere.fetched.put(cid, bytes.clone()).await;
        if let Err(error @ (FetchedError::Full | FetchedError::Io(_))) = kept {
            // The reader has it nevertheless.
            tracing::warn!(%error, "a fetched block was not kept");
        }
        Ok(bytes)
    }
}

impl Source for Session {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        self.get(cid).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::blocks::FetchedOptions;
    use crate::content::cid::of_raw;

    /// Others who have these blocks; a block without bytes never comes.
    #[derive(Clone, Default)]
    struct Others {
        blocks: HashMap<Cid, Bytes>,
        asked: Arc<AtomicUsize>,
        sessions: Arc<RwLock<Vec<Cid>>>,
    }

    impl Fetch for Others {
        fn fetch<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, FetchError>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            match self.blocks.get(cid) {
                Some(bytes) if bytes.is_empty() => std::future::pending().boxed(),
                Some(bytes) => std::future::ready(Ok(bytes.clone())).boxed(),
                None => std::future::ready(Err(FetchError::NotFound)).boxed(),
            }
        }

        fn session(&self, root: &Cid) -> Arc<dyn Fetch> {
            self.sessions.write().push(*root);
            Arc::new(self.clone())
        }
    }

    fn scene(blocks: &[(Cid, &'static [u8])]) -> (tempfile::TempDir, Elsewhere, Others) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fetched");
        let options = FetchedOptions { folder: path, quota_bytes: 1000, blocks_max: 10, spare_bytes: 0 };
        let elsewhere = Elsewhere::new(Fetched::open(options).unwrap());
        let blocks = blocks.iter().map(|(cid, bytes)| (*cid, Bytes::from_static(bytes))).collect();
        let others = Others { blocks, ..Others::default() };
        elsewhere.set_fetch(Some(Arc::new(others.clone())));
        (folder, elsewhere, others)
    }

    #[tokio::test]
    async fn what_others_bring_is_kept_and_not_asked_for_again() {
        let (root, leaf) = (of_raw(b"soup"), of_raw(b"bread"));
        let (_folder, elsewhere, others) = scene(&[(root, b"soup"), (leaf, b"bread")]);
        let session = elsewhere.session(root, May::Fetch);
        for _ in 0..2 {
            assert_eq!(session.block(&root).await.unwrap(), "soup");
            assert_eq!(session.block(&leaf).await.unwrap(), "bread");
        }
        assert_eq!((others.asked.load(Ordering::Relaxed), others.sessions.read().as_slice()), (2, &[root][..]));
        let later = elsewhere.session(leaf, May::Kept);
        assert_eq!(later.block(&leaf).await.unwrap(), "bread");
        assert_eq!(others.sessions.read().len(), 1, "what is here begins no session");
    }

    #[tokio::test]
    async fn who_may_not_fetch_gets_what_is_pinned_or_nothing_and_nobody_is_asked() {
        let root = of_raw(b"soup");
        let (_folder, elsewhere, others) = scene(&[(root, b"soup")]);
        for may in [May::Nothing, May::Pinned, May::Kept] {
            let got = elsewhere.session(root, may).block(&root).await;
            assert!(matches!(got, Err(DagError::NotFound(_))), "{may:?}");
        }
        assert_eq!(others.asked.load(Ordering::Relaxed), 0);
        elsewhere.session(root, May::Fetch).block(&root).await.unwrap();
        assert!(elsewhere.session(root, May::Pinned).block(&root).await.is_err());
        let mut pinning = elsewhere.fetched().pin();
        pinning.put(&root, &Bytes::from_static(b"soup")).unwrap();
        pinning.keep(vec![root], String::new(), 0).unwrap();
        let [nothing, pinned] = [May::Nothing, May::Pinned].map(|may| elsewhere.session(root, may));
        assert!(pinned.block(&root).await.is_ok() && nothing.block(&root).await.is_err());
    }

    #[tokio::test]
    async fn wrong_bytes_are_refused_and_not_kept() {
        let root = of_raw(b"soup");
        let (_folder, elsewhere, _) = scene(&[(root, b"salt")]);
        let got = elsewhere.session(root, May::Fetch).block(&root).await;
        assert!(matches!(got, Err(DagError::Cid(_))), "{got:?}");
        assert_eq!(elsewhere.fetched().totals().blocks, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_that_does_not_come_is_given_up() {
        let root = of_raw(b"soup");
        let (_folder, elsewhere, _) = scene(&[(root, b"")]);
        let got = elsewhere.session(root, May::Fetch).block(&root).await;
        assert!(matches!(got, Err(DagError::Unfetched(_, FetchError::TimedOut))), "{got:?}");
    }

    #[tokio::test]
    async fn an_identity_cid_needs_nobody() {
        let (_folder, elsewhere, others) = scene(&[]);
        let cid = cid::parse("bafkqabtimvwgy3yk").unwrap();
        assert_eq!(elsewhere.session(cid, May::Nothing).block(&cid).await.unwrap(), "hello\n");
        assert_eq!(others.asked.load(Ordering::Relaxed), 0);
    }
}
