//! Telling ListenBrainz what one hears.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::node::ListensState;

/// `PUT /listenbrainz`.
#[derive(Clone, Deserialize, ToSchema)]
pub struct ConnectListenBrainz {
    /// From the settings of the account there.
    pub token: String,
}

/// How it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListenBrainz {
    /// What is heard is told.
    pub connected: bool,
    /// What the account is called there.
    pub name: String,
    /// The token is not taken there any more: another one is needed.
    pub refused: bool,
    /// Plays that are still to be told.
    pub waiting: u64,
    /// Plays that were told.
    pub told: u64,
    /// When the last of them was: Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<i64>,
    /// When telling failed, as long as nothing was told after it: Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<i64>,
    /// Why it did, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl From<ListensState> for ListenBrainz {
    fn from(state: ListensState) -> Self {
        let ListensState { name, refused, waiting, told, told_at, failure } = state;
        let (failed_at, failure) = failure.unzip();
        Self { connected: true, name, refused, waiting, told, told_at, failed_at, failure }
    }
}
