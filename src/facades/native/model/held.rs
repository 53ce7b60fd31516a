//! What is kept of content from elsewhere.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Content that is kept whatever the cache's size is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// CID of its first root, by which it is given back.
    pub cid: String,
    /// CIDs of all its roots.
    pub roots: Vec<String>,
    /// What it was called, such as the file it came from.
    pub name: String,
    /// Milliseconds since the Unix epoch.
    pub added_at: i64,
    /// Blocks that it holds.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub bytes: u64,
}
