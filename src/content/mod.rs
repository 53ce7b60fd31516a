//! What a thing is called and what its parts are: CIDs, UnixFS DAGs, CARs, byte ranges. Pure: no IO, no clock.
pub use ::cid::Cid;
pub mod unixfs;
