//! OPDS 2 at `/komga/opds/v2`: Cantook, Thorium, KOReader and others. Feeds, publications, manifests, and how far one read.
//!
//! ```text
//! visit (who, which library, addresses) ──► shelves, lists (feeds) ──► publication (a book in one) ──► manifest (its pages)
//! ```
//! Pictures, pages and files are those of the API. Whoever did not sign in is told how ([`auth`]).
pub mod auth;
mod feed;
pub mod lists;
pub mod manifest;
pub mod progression;
mod publication;
pub mod shelves;
mod visit;
