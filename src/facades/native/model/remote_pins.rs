//! Pinning services, and what they keep.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A pinning service. Its token is shown to nobody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PinService {
    pub id: String,
    pub name: String,
    /// What the paths of its API come after.
    pub url: String,
    /// Unix milliseconds.
    pub added_at: i64,
    /// The token cannot be read any more: the service has to be added again.
    pub token_lost: bool,
    /// Libraries that it shall keep as they change.
    pub libraries: Vec<PinnedLibrary>,
}

/// A library that a service shall keep.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PinnedLibrary {
    /// Id of the library.
    pub library: String,
    /// Of the pin.
    pub name: String,
    /// Id of the pin there; absent where there is none now.
    pub request_id: Option<String>,
    /// CID of the folder that is pinned.
    pub cid: Option<String>,
    /// As the service told it last.
    pub status: Option<RemotePinStatus>,
    /// Why it is not as it should be: one sentence.
    pub problem: Option<String>,
}

/// `POST /pin-services`
#[derive(Deserialize, Serialize, ToSchema)]
pub struct NewPinService {
    pub name: String,
    /// `https://...`: what `/pins` comes after.
    pub url: String,
    /// As the service gave it.
    pub token: String,
}

/// How a pin stands at its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemotePinStatus {
    /// It waits.
    Queued,
    /// It is being fetched.
    Pinning,
    /// It is there.
    Pinned,
    /// It could not be fetched.
    Failed,
}

/// A pin of a service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RemotePin {
    /// Its id there.
    pub request_id: String,
    pub status: RemotePinStatus,
    pub cid: String,
    pub name: Option<String>,
    /// When (RFC 3339), as the service says.
    pub created: String,
    /// What else the service says of it.
    pub info: BTreeMap<String, String>,
    /// Id of the library that is pinned by it as it changes.
    pub library: Option<String>,
}

/// `GET /pin-services/{id}/pins`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RemotePins {
    /// Pins from these on to the oldest.
    pub total: u64,
    /// Newest first.
    pub pins: Vec<RemotePin>,
}

/// Which pins are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RemotePinQuery {
    /// Those that came before this: `created` of the last one of a page, for the next.
    pub before: Option<String>,
    /// 1 to 1000; default 100.
    pub limit: Option<u32>,
}

/// `POST /pin-services/{id}/pins`: one of `library`, `item` and `cid`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct NewRemotePin {
    /// Id of a public library, which stays pinned as it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Id of an item of a public library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Of something in a public library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// What it is called there; without it, what the library or item is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
