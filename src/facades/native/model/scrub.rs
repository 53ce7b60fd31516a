//! Reading files again: what is due, how far it is, and what it showed.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /scrub/due` (admin).
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DueQuery {
    /// Only files that were not read to their end for so many hours, and those that are damaged; absent for all.
    pub older_than_hours: Option<u32>,
}

/// A file of ours that can be read again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DueFile {
    /// Item id.
    pub item: String,
    pub title: String,
    pub cid: String,
    /// Bytes.
    pub size: u64,
}

/// `POST /items/{id}/verify` (admin).
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// MiB a second at most; absent for as fast as the disk is.
    pub rate_mib: Option<u32>,
}

/// `GET /items/{id}/verify` (admin): how far the reading of a file is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifyProgress {
    /// Absent where it is not read now.
    pub bytes: Option<u64>,
}

/// `POST /items/{id}/verify` (admin): what reading the whole file again showed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Absent where every block is right (now).
    pub problem: Option<String>,
    /// Present where it was damaged and was repaired.
    pub healed: Option<Healed>,
}

/// How a file was repaired.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Healed {
    /// Blocks that were wrong.
    pub blocks: u64,
    /// Names of the friends whose nodes gave them; empty where another copy here did.
    pub friends: Vec<String>,
}
