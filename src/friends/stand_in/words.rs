//! What a home and its stand-in say to each other.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::Resident;
use crate::catalog::Fact;

/// `GET /stand-in`.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Question {
    /// `next` of the last answer; 0 at first.
    pub since: i64,
    /// What tells how the stand-in stood by the last answer, `hosts` and `digest` with a dash between: another is news.
    pub known: Option<String>,
    /// Seconds to wait for something new, 0 to 60.
    pub wait: Option<u64>,
}

/// What a stand-in knows of a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// Its owner lets the home's people sign in.
    pub hosts: bool,
    /// X25519, base64url: what is told is sealed with it.
    pub sealing_key: String,
    /// Of the accounts that it was told last.
    pub revision: Option<i64>,
    /// Of the accounts that it knows.
    pub digest: Option<String>,
    /// Up to which revision it knows the home's facts.
    pub taken: i64,
}

impl Standing {
    /// See [`Question::known`].
    #[must_use]
    pub fn word(&self) -> String {
        format!("{}-{}", self.hosts, self.digest.as_deref().unwrap_or_default())
    }
}

/// What a stand-in has for a home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct News {
    pub standing: Standing,
    /// How far the home's people watched, as far as it was written there after `since`.
    pub facts: Vec<Fact>,
    /// Pass as `since` the next time.
    pub next: i64,
    /// There is more now.
    pub more: bool,
}

/// What a home tells its stand-in: never in the clear.
#[derive(Serialize, Deserialize)]
pub(super) struct Parcel {
    /// All that may sign in; absent where the stand-in knows them.
    pub accounts: Option<Residents>,
    /// Written after what the stand-in knows, ...
    pub facts: Vec<Fact>,
    /// ... up to this revision.
    pub next: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Residents {
    /// Later than all before.
    pub revision: i64,
    pub people: Vec<Resident>,
}
