//! The JSON shapes of the native API, the one description that OpenAPI and the page's TypeScript are made from.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod accounts;
mod friends;
mod held;
mod ipfs;
mod items;
mod libraries;
mod listens;
mod move_in;
mod music;
mod playback;
mod remote_pins;
mod replicas;
mod scrub;
mod status;

pub use accounts::*;
pub use friends::*;
pub use held::*;
pub use ipfs::*;
pub use items::*;
pub use libraries::*;
pub use listens::*;
pub use move_in::*;
pub use music::*;
pub use playback::*;
pub use remote_pins::*;
pub use replicas::*;
pub use scrub::*;
pub use status::*;

/// Body of every refusal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable word for programs: `not_found`, `invalid`, `unauthenticated`, `forbidden`, `conflict`, `rate_limited`, ...
    pub error: String,
    /// One sentence for people: what happened and what to do.
    pub message: String,
}

/// Tells `null` from absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
