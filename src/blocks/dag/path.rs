//! Follows a path from a root: through folders by their names, through data by its links.
use bytes::Bytes;

use super::{DagError, Source, folder};
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::content::ipld::{self, Followed};

/// Longest path that is followed, in names.
pub const NAMES_MAX: usize = 64;

/// Where a path led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// The CID of each name that has one, the root first.
    pub cids: Vec<Cid>,
    /// Blocks that were read on the way, without that of the last CID: they prove where the path leads.
    pub proof: Vec<(Cid, Bytes)>,
}

impl Led {
    /// The end of the path.
    #[must_use]
    pub fn last(&self) -> Cid {
        self.cids[self.cids.len() - 1]
    }
}

/// The names of a path.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// Follows a path. The block at its end is not read, and may not be there.
///
/// # Errors
/// [`DagError::NoName`] where there is no such name, [`DagError::Within`] where it ends within a block, [`DagError::Limit`] for more
/// than [`NAMES_MAX`] names, and whatever reading a block gives.
pub async fn resolve(source: &dyn Source, root: Cid, path: &str) -> Result<Led, DagError> {
    let names: Vec<&str> = names(path).take(NAMES_MAX + 1).collect();
    if names.len() > NAMES_MAX {
        return Err(DagError::Limit(root, "the beginning of too long a path"));
    }
    let mut led = Led { cids: vec![root], proof: Vec::new() };
    let mut rest = &names[..];
    while let [name, after @ ..] = rest {
        let at = led.last();
        match canonical(&at).codec() {
            codec @ (ipld::DAG_CBOR | ipld::DAG_JSON) => {
                let block = source.block(&at).await?;
                match ipld::follow(codec, &block, rest).map_err(|error| DagError::ipld(&at, error))? {
                    Followed::Link(cid, used) => {
                        led.proof.push((at, block));
                        led.cids.push(cid);
                        rest = rest.get(used..).unwrap_or_default();
                    }
                    Followed::Within => return Err(DagError::Within(at)),
                    Followed::Nowhere => return Err(DagError::NoName { folder: at, name: (*name).to_owned() }),
                }
            }
            _ => {
                let child = folder::find(source, at, name, &mut led.proof).await?;
                led.cids.push(child);
                rest = after;
            }
        }
    }
    Ok(led)
}
