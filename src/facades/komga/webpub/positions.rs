//! Positions: an EPUB has a place for every 1,024 bytes of its documents, or one for each where they are laid out beforehand.
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::outline;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::SeenItem;
use crate::media::book::Outline;

/// Bytes of a place, at least.
const BYTES: u64 = 1024;
/// Places of a book at most: of a longer one, each is longer.
const PLACES_MAX: u64 = 50_000;

/// How many places each document of a book has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facades::komga) struct Positions(Vec<u64>);

impl Positions {
    pub fn of(outline: &Outline) -> Self {
        if outline.fixed_layout {
            return Self(vec![1; outline.spine.len()]);
        }
        let all: u64 = outline.spine.iter().fold(0, |sum, file| sum.saturating_add(file.size));
        let bytes = BYTES.max(all.div_ceil(PLACES_MAX));
        Self(outline.spine.iter().map(|file| file.size.div_ceil(bytes).max(1)).collect())
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The position (from 1 on) of a part of a document, and the part of the whole book that lies before that part.
    pub fn at(&self, document: usize, part: f64) -> (u64, f64) {
        let before: u64 = self.0.iter().take(document).sum();
        let here = self.0.get(document).copied().unwrap_or(1);
        let within = part.clamp(0.0, 1.0) * here as f64;
        let place = before + (within as u64).min(here - 1);
        (place + 1, (before as f64 + within) / self.total().max(1) as f64)
    }

    /// The document that a part of the whole book lies in, and the part of it that lies before that.
    pub fn document(&self, total: f64) -> (usize, f64) {
        let mut before = total.clamp(0.0, 1.0) * self.total() as f64;
        for (document, places) in self.0.iter().enumerate() {
            let places = *places as f64;
            if before < places {
                return (document, before / places);
            }
            before -= places;
        }
        (self.0.len().saturating_sub(1), 1.0)
    }
}

/// All of them.
pub(in crate::facades) async fn list(State(app): State<App>, SeenItem(item): SeenItem) -> Result<Response, Refusal> {
    let (_, outline) = outline(&app, &item).await?;
    let positions = Positions::of(&outline);
    let mut all: Vec<Value> = Vec::new();
    for (n, (file, places)) in outline.spine.iter().zip(&positions.0).enumerate() {
        for place in 0..*places {
            let part = place as f64 / *places as f64;
            let (position, total) = positions.at(n, part);
            let locations =
                json!({"fragments": [], "position": position, "progression": part, "totalProgression": total});
            all.push(json!({"href": file.name, "type": file.media_type, "title": null, "locations": locations, "text": null}));
        }
    }
    let body = json!({"total": all.len(), "positions": all}).to_string();
    Ok(([(header::CONTENT_TYPE, "application/vnd.readium.position-list+json")], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::book::{EpubFile, Place};

    fn outline(sizes: &[u64], fixed_layout: bool) -> Outline {
        let file = |size: &u64| EpubFile {
            name: String::new(),
            media_type: String::new(),
            linear: true,
            size: *size,
            place: Place::Whole { size: *size },
        };
        Outline { fixed_layout, spine: sizes.iter().map(file).collect(), ..Outline::default() }
    }

    #[test]
    fn a_long_document_has_many_places_and_a_short_one_has_one() {
        let positions = Positions::of(&outline(&[3000, 0, 100], false));
        assert_eq!(positions, Positions(vec![3, 1, 1]));
        assert_eq!(positions.at(0, 0.0), (1, 0.0));
        assert_eq!(positions.at(0, 0.5), (2, 0.3));
        assert_eq!(positions.at(0, 7.0), (3, 0.6));
        assert_eq!(positions.at(2, 1.0), (5, 1.0));
        assert_eq!(Positions::of(&outline(&[3000, 9000], true)), Positions(vec![1, 1]));
    }

    #[test]
    fn a_book_that_says_it_is_endless_has_no_endless_places() {
        let positions = Positions::of(&outline(&[u64::MAX, u64::MAX, 1], false));
        assert!(positions.total() <= 2 * PLACES_MAX + 3, "{positions:?}");
        assert_eq!(Positions::of(&outline(&[], false)).at(3, 0.5), (1, 0.5));
    }
}
