//! What the worker asked Kademlia, and who waits for the answer.
use std::collections::{HashMap, HashSet};

use ::libp2p::PeerId;
use ::libp2p::kad::{
    AddProviderError, GetProvidersOk, GetRecordOk, ProgressStep, PutRecordError, QueryId, QueryResult,
};
use tokio::sync::oneshot;

use super::options::{Libp2pError, RecordCheck};
use crate::content::Cid;

/// Providers of one block that are asked for it.
pub(super) const PROVIDERS_MAX: usize = 20;
/// Roots that are looked for at a time.
const SEARCHES_MAX: usize = 32;
/// Records of one key that are compared.
const RECORDS_MAX: usize = 16;

type Answer<T> = oneshot::Sender<Result<T, Libp2pError>>;

/// One query.
pub(super) enum Query {
    Provide(Answer<()>),
    Put(Answer<()>),
    Get {
        found: Vec<Vec<u8>>,
        answer: Answer<Vec<Vec<u8>>>,
    },
    Providers {
        found: HashSet<PeerId>,
        answer: Answer<Vec<PeerId>>,
    },
    /// For Bitswap, which wants blocks of this root.
    Search(Cid),
}

/// What is to be done after a step of a query.
pub(super) enum Next {
    /// To wait for more.
    More,
    /// The query has what it needs.
    Enough,
    /// These are said to have the root.
    Found(Cid, Vec<PeerId>),
}

/// All that are under way.
#[derive(Default)]
pub(super) struct Queries {
    open: HashMap<QueryId, Query>,
}

impl Queries {
    pub fn add(&mut self, id: QueryId, query: Query) {
        self.open.insert(id, query);
    }

    /// Whether one more root may be looked for.
    pub fn may_search(&self) -> bool {
        self.open.values().filter(|query| matches!(query, Query::Search(_))).count() < SEARCHES_MAX
    }

    /// A step of a query came; `answered` says how many nodes took part in it.
    pub fn step(
        &mut self,
        id: QueryId,
        result: QueryResult,
        step: &ProgressStep,
        answered: u32,
        check: &RecordCheck,
    ) -> Next {
        let Some(mut query) = self.open.remove(&id) else { return Next::More };
        let next = query.take(&result, check);
        match next {
            Next::Enough => query.end(result, answered),
            _ if step.last => query.end(result, answered),
            _ => drop(self.open.insert(id, query)),
        }
        next
    }
}

impl Query {
    fn take(&mut self, result: &QueryResult, check: &RecordCheck) -> Next {
        match (self, result) {
            (Self::Get { found, .. }, QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(record)))) => {
                let record = &record.record;
                if check(record.key.as_ref(), &record.value, None) {
                    found.push(record.value.clone());
                }
                if found.len() < RECORDS_MAX { Next::More } else { Next::Enough }
            }
            (
                Self::Providers { found, .. },
                QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })),
            ) => {
                found.extend(providers);
                if found.len() < PROVIDERS_MAX { Next::More } else { Next::Enough }
            }
            (Self::Search(root), QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. }))) => {
                Next::Found(*root, providers.iter().copied().take(PROVIDERS_MAX).collect())
            }
            _ => Next::More,
        }
    }

    fn end(self, result: QueryResult, answered: u32) {
        let told = |text: String| Err(Libp2pError::Routing(text));
        // Who asked may have gone.
        match (self, result) {
            (Self::Provide(answer), QueryResult::StartProviding(Err(error @ AddProviderError::Timeout { .. }))) => {
                let _ = answer.send(told(error.to_string()));
            }
            // Kademlia is content with having told nobody.
            (Self::Provide(answer), _) if answered == 0 => drop(answer.send(told("no other node answered".to_owned()))),
            (Self::Provide(answer), _) => drop(answer.send(Ok(()))),
            (Self::Put(answer), QueryResult::PutRecord(Err(error))) => drop(answer.send(put(&error))),
            (Self::Put(answer), _) => drop(answer.send(Ok(()))),
            (Self::Get { found, answer }, _) => drop(answer.send(Ok(found))),
            (Self::Providers { found, answer }, _) => drop(answer.send(Ok(found.into_iter().collect()))),
            (Self::Search(_), _) => {}
        }
    }
}

/// A record that some took is there, even if fewer did than were asked.
fn put(error: &PutRecordError) -> Result<(), Libp2pError> {
    match error {
        PutRecordError::QuorumFailed { success, .. } | PutRecordError::Timeout { success, .. }
            if !success.is_empty() =>
        {
            Ok(())
        }
        _ => Err(Libp2pError::Routing(error.to_string())),
    }
}
