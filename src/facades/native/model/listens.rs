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
}

impl From<ListensState> for ListenBrainz {
    fn from(state: ListensState) -> Self {
        Self { connected: true, name: state.name, refused: state.refused, waiting: state.waiting }
    }
}
