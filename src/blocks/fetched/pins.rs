//! What is kept whatever the quota says: the blocks of a CAR that somebody imported.
//!
//! A pin is one file: a line of JSON that says what it is, then the multihash of each of its blocks on a line of its own. It is
//! written when all its blocks are on the disk.
use std::collections::HashSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::shelf::Key;
use crate::content::Cid;
use crate::content::cid::canonical;

/// What somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// What it is about.
    #[serde(with = "texts")]
    pub roots: Vec<Cid>,
    /// What it was called, such as the file it came from.
    pub name: String,
    /// Milliseconds since the Unix epoch.
    pub added_at: i64,
    /// Blocks that it holds.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub bytes: u64,
}

/// A pin and the keys of its blocks.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub pin: Pin,
    pub keys: Arc<HashSet<Key>>,
}

impl Held {
    /// Under which name its file lies.
    pub fn file(&self) -> String {
        self.pin.roots.first().map(|root| canonical(root).to_string()).unwrap_or_default()
    }

    pub fn is_of(&self, root: &Cid) -> bool {
        self.pin.roots.iter().any(|other| canonical(other) == canonical(root))
    }

    pub fn write(&self, disk: &Disk) -> io::Result<()> {
        let mut content = serde_json::to_vec(&self.pin).map_err(io::Error::other)?;
        for key in self.keys.iter() {
            content.push(b'\n');
            content.extend_from_slice(disk.name(key).as_bytes());
        }
        disk.keep_pin(&self.file(), &content)
    }
}

/// Every pin; one that cannot be read is told and left where it is.
pub(super) fn all(disk: &Disk) -> io::Result<Vec<Held>> {
    let mut all = Vec::new();
    for file in fs::read_dir(disk.pins())? {
        let path = file?.path();
        match read(disk, &path) {
            Ok(held) => all.push(held),
            Err(error) => tracing::error!(path = %path.display(), %error, "a pin cannot be read; its blocks may go"),
        }
    }
    all.sort_by_key(|held| held.pin.added_at);
    Ok(all)
}

fn read(disk: &Disk, path: &std::path::Path) -> io::Result<Held> {
    let mut lines = BufReader::new(fs::File::open(path)?).lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let pin = serde_json::from_str(&first)?;
    let mut keys = HashSet::new();
    for line in lines {
        keys.insert(disk.key(&line?).ok_or(io::ErrorKind::InvalidData)?);
    }
    Ok(Held { pin, keys: Arc::new(keys) })
}

/// CIDs as text.
mod texts {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::content::{Cid, cid};

    pub fn serialize<S: Serializer>(cids: &[Cid], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(cids.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cid>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| cid::parse(text).map_err(D::Error::custom)).collect()
    }
}
