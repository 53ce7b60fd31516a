//! What of friends' libraries is kept here.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Holder;
use crate::catalog::replicas::ReplicaScope;

/// `GET /replicas` (admin).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replicas {
    /// Where they are put.
    pub folder: String,
    /// Bytes that all together may take; absent without a limit.
    pub quota: Option<u64>,
    /// Bytes that they take.
    pub used: u64,
    /// Bytes that are free on their disk.
    pub free: u64,
    /// Bytes of that which are left free.
    pub spare: u64,
    /// Bytes that friends' nodes gave since this node started.
    pub fetched: u64,
    /// Why nothing is fetched now, for people.
    pub problem: Option<String>,
    /// What is fetched now.
    pub current: Option<ReplicaCurrent>,
    /// Oldest first.
    pub rules: Vec<Replica>,
}

/// A file that is being fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplicaCurrent {
    /// Id of the rule that wants it.
    pub replica: String,
    /// The friend's item.
    pub item: String,
    /// As shown.
    pub title: String,
    /// Bytes.
    pub size: u64,
    /// Bytes of it that are here.
    pub there: u64,
}

/// A rule: what of a friend's is kept here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replica {
    /// UUID.
    pub id: String,
    /// Whose it is; absent where the friendship ended.
    pub friend: Option<Holder>,
    pub scope: ReplicaScope,
    /// Id of the library, show or item.
    pub target: String,
    /// What that was called when the rule was made.
    pub title: String,
    pub policy: ReplicaPolicy,
    /// With `unwatched`: name of the account whose progress counts.
    pub account: Option<String>,
    /// With `copies`: how many nodes shall hold each file, this one among them.
    pub copies: Option<u32>,
    pub state: ReplicaState,
    /// What is in its way, for people.
    pub problem: Option<String>,
    /// Items that it wants here.
    pub items: u64,
    /// Of them, those that are here whole.
    pub items_done: u64,
    /// Bytes of those that it wants.
    pub bytes: u64,
    /// Bytes of those that are here whole, and of what is fetched now.
    pub bytes_done: u64,
    /// Items that the quota has no room for.
    pub over_quota: u64,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// Which items a rule wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaPolicy {
    /// All.
    Everything,
    /// Those that an account has not watched to their end; they go a day after it did.
    Unwatched,
    /// Those that fewer nodes hold than `copies` says.
    Copies,
}

/// How a rule is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaState {
    /// All that it wants is here.
    Done,
    /// Something of it is fetched now.
    Fetching,
    /// Something of it is missing, and waits for its turn, its friend or room.
    Waiting,
    /// Nothing is fetched or removed by it.
    Paused,
}

/// `POST /replicas` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewReplica {
    /// Id of a friend's library, show or item.
    pub target: String,
    #[serde(flatten)]
    pub choice: ReplicaChoice,
    #[serde(default)]
    pub paused: bool,
}

/// Which items a rule shall want.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplicaChoice {
    /// Default: everything.
    pub policy: Option<ReplicaPolicy>,
    /// With `unwatched`: name or id of the account; the caller's where it is absent.
    pub account: Option<String>,
    /// With `copies`: 1 to 100.
    pub copies: Option<u32>,
}

/// `PATCH /replicas/{id}` (admin). What is absent stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplicaChange {
    #[serde(flatten)]
    pub choice: ReplicaChoice,
    pub paused: Option<bool>,
}

/// `DELETE /replicas/{id}` (admin).
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReplicaRemoval {
    /// Remove the files too that it made. Without it they stay, as ordinary ones.
    #[serde(default)]
    pub files: bool,
}
