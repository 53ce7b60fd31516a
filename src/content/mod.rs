//! What a thing is called and what its parts are: CIDs, UnixFS DAGs, CARs, byte ranges. Pure: no IO, no clock.
//!
//! Everything here that reads bytes reads bytes of strangers: it takes limits, gives an error, and never panics.
pub mod car;
pub mod cid;
pub mod ipld;
pub mod ipns;
pub mod ranges;
pub mod stored_zip;
pub mod unixfs;
pub mod zip;

pub use ::cid::Cid;
