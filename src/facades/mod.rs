//! Speak a dialect over HTTP.
pub mod native;
