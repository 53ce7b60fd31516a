//! Books as Readium's web publications: what is in one, its files, and how far somebody is, to a place within a chapter.
//!
//! Sources: Readium Web Publication Manifest, Readium Locators, and what Komga answers.
mod manifest;
pub(super) mod positions;
pub(super) mod progression;
mod resource;

pub(in crate::facades) use manifest::{any, divina, epub, pdf};
pub(in crate::facades) use positions::list as positions;
pub(in crate::facades) use progression::{set as set_progression, show as progression, told};
pub(in crate::facades) use resource::show as resource;

use std::sync::Arc;

use super::base::Base;
use crate::catalog::shelves::ShelfBook;
use crate::catalog::{ItemState, Listed};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::proxies::Front;
use crate::media::book::{Format, MediaProfile, Outline};
use crate::node::source_of;
use crate::playback::Source;

/// Where the API of the caller's own way here begins: a program keeps these addresses apart from that of the manifest.
fn address(front: Option<&Front>) -> String {
    front.map(Base::of).unwrap_or_default().at("/api/v1")
}

fn profile(book: &ShelfBook) -> Option<MediaProfile> {
    book.format.as_deref().and_then(Format::named).map(Format::media_profile)
}

/// The file of a book that can be read now.
fn file_of(item: &Listed) -> Result<Source, Refusal> {
    let item = &item.item;
    let now = (item.book.is_some() && item.state == ItemState::Present).then(|| source_of(item)).flatten();
    let why = || item.problem.clone().unwrap_or_else(|| "the file is not there now".to_owned());
    now.ok_or_else(|| Refusal::absent(why()))
}

/// What is in the EPUB behind an item.
pub(super) async fn outline(app: &App, item: &Listed) -> Result<(Source, Arc<Outline>), Refusal> {
    let source = file_of(item)?;
    if source.facts.container != "epub" {
        return Err(Refusal::invalid("profile: this book is no EPUB"));
    }
    let outline = app.node().playback().outline(&source).await.map_err(|error| Refusal::from(error).as_absent())?;
    Ok((source, outline))
}
