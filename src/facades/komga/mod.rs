//! Komga's API below `/komga`, for the programs that speak it: Mihon first. A series or book goes by the id that Komga gave it
//! where it was moved in from there, and by its own otherwise; it is found by either.
//!
//! ```text
//! entry (who: Basic, key, cookies) ──► routes (may they) ──► a handler here ──► catalog::shelves
//!                                                                 │
//! answer (Komga's errors, tags, cookies) ◄────────────────────────┘
//! ```
//! Komga's words stay in this folder. Only series and books of libraries on this machine are shown. What is not covered is in
//! [`covered`], and answers 404.
mod absent;
mod answer;
mod base;
pub mod books;
pub mod chores;
pub mod client_settings;
mod conditions;
pub mod covered;
pub mod covers;
mod dates;
mod entry;
pub mod events;
pub mod files;
mod filters;
mod herald;
pub mod kobo;
pub mod koreader;
pub mod libraries;
pub mod lists;
pub mod metadata;
mod multipart;
pub mod none;
pub mod opds;
pub mod opds2;
pub mod pages;
mod paging;
mod params;
pub mod people;
pub mod progress;
pub mod series;
pub mod settings;
mod shapes;
pub mod shown;
pub mod thumbnails;
pub mod users;
pub mod webpub;
pub mod words;

pub(super) use absent::{absent, front_page};
pub(super) use answer::{Asked, finish};
pub(super) use base::below;
pub(super) use entry::{Entered, Readers, enter};
pub(super) use events::Streams;
pub(super) use kobo::{is_for_nobody, without_key};

/// Where everything of Komga's lies.
pub(super) const BASE: &str = "/komga";

/// Whether a path is one of Komga's.
pub(super) fn is_below(path: &str) -> bool {
    path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
