//! Speak a dialect over HTTP.
pub mod bytes;
pub mod ipfs;
pub mod native;
