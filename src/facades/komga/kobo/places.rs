//! A place in an EPUB as a Kobo names it, and as Readium does: what is kept here is the latter, with the Kobo's own word beside it.
use serde::Deserialize;
use serde_json::{Value, json};

use crate::facades::komga::webpub::positions::Positions;
use crate::facades::komga::webpub::progression::{Locations, Place, name_of, of_document};
use crate::media::book::{EpubFile, Outline};

/// Longest word of a device for a place, in bytes.
const WORD_MAX: usize = 512;

/// `CurrentBookmark`: percents of the book, and of the document that `Location` names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Bookmark {
    #[serde(default)]
    pub last_modified: Option<String>,
    #[serde(default)]
    progress_percent: Option<f64>,
    #[serde(default)]
    content_source_progress_percent: Option<f64>,
    #[serde(default)]
    location: Option<Location>,
}

/// `Location`: a document of the EPUB, and a place that the device's renderer counted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Location {
    #[serde(default)]
    source: Option<String>,
    #[serde(default, rename = "Type")]
    kind: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

/// A document of a book, and the part of it that lies before the place.
#[derive(Debug)]
pub(super) struct Found {
    /// From 0 on.
    pub document: usize,
    pub place: Place,
}

impl Bookmark {
    /// Whether it names a place at all.
    pub fn names_a_place(&self) -> bool {
        self.progress_percent.is_some() || self.location.as_ref().is_some_and(|location| location.source.is_some())
    }

    /// The place in a book; `None` where its document is not of the book and no part of the whole is told.
    pub fn find(&self, outline: &Outline) -> Option<Found> {
        let total = self.progress_percent.map(part);
        let source = self.location.as_ref().and_then(|location| location.source.as_deref());
        let named = source.and_then(|source| document_of(&outline.spine, source));
        let (document, within) = match (named, total) {
            (Some(document), _) => (document, self.content_source_progress_percent.map_or(0.0, part)),
            (None, Some(total)) => Positions::of(outline).document(total),
            (None, None) => return None,
        };
        let span = self.location.as_ref().filter(|location| named.is_some() && location.is_span());
        let mut place = place(outline, document, within)?;
        place.kobo_span = span.and_then(|location| location.value.clone()).filter(|value| value.len() <= WORD_MAX);
        if let (Some(total), Some(locations)) = (total, place.locations.as_mut()) {
            locations.total_progression = Some(total);
        }
        Some(Found { document, place })
    }
}

impl Location {
    fn is_span(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("kobospan"))
    }
}

/// The end of a book. A device that finished one names its beginning.
pub(super) fn end(outline: &Outline) -> Option<Found> {
    let document = outline.spine.len().checked_sub(1)?;
    Some(Found { document, place: place(outline, document, 1.0)? })
}

fn place(outline: &Outline, document: usize, within: f64) -> Option<Place> {
    let file = outline.spine.get(document)?;
    Some(of_document(outline, document, within, Place::of(file.name.clone(), file.media_type.clone())))
}

/// Of percents, from 0 to 1.
fn part(percent: f64) -> f64 {
    if percent.is_finite() { (percent / 100.0).clamp(0.0, 1.0) } else { 0.0 }
}

/// By its name in the archive, or by one that is relative to the package document, if that names one alone.
fn document_of(spine: &[EpubFile], source: &str) -> Option<usize> {
    let (plain, name) = (source.split('#').next().unwrap_or_default(), name_of(source));
    if let Some(document) = spine.iter().position(|file| file.name == plain || file.name == name) {
        return Some(document);
    }
    let end = format!("/{name}");
    let mut alike = spine.iter().enumerate().filter(|(_, file)| !name.is_empty() && file.name.ends_with(&end));
    let (document, _) = alike.next()?;
    alike.next().is_none().then_some(document)
}

/// `CurrentBookmark` of a place.
pub(super) fn told(place: Option<&Place>, completed: bool, at: &str) -> Value {
    let mut told = json!({"LastModified": at});
    let locations = place.and_then(|place| place.locations.as_ref());
    let total = if completed { Some(1.0) } else { locations.and_then(|locations| locations.total_progression) };
    if let Some(total) = total {
        told["ProgressPercent"] = percent(total).into();
    }
    if let (Some(place), Some(Locations { progression: Some(within), .. })) = (place, locations) {
        told["ContentSourceProgressPercent"] = percent(*within).into();
        told["Location"] = json!({"Source": name_of(&place.href)});
        if let Some(span) = &place.kobo_span {
            told["Location"]["Type"] = "KoboSpan".into();
            told["Location"]["Value"] = span.as_str().into();
        }
    }
    told
}

/// Of a part, with a few digits: as much as a device shows and more.
fn percent(part: f64) -> f64 {
    (part * 1_000_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::book::Place as InArchive;

    fn outline() -> Outline {
        let file = |name: &str, size| EpubFile {
            name: name.to_owned(),
            media_type: "application/xhtml+xml".into(),
            linear: true,
            size,
            place: InArchive::Whole { size },
        };
        let spine = vec![file("OEBPS/a b.xhtml", 4096), file("OEBPS/c.xhtml", 4096), file("OEBPS/x/c.xhtml", 8192)];
        Outline { spine, ..Outline::default() }
    }

    fn find(told: Value) -> Option<(usize, f64, f64)> {
        let found = serde_json::from_value::<Bookmark>(told).unwrap().find(&outline())?;
        let locations = found.place.locations.unwrap();
        Some((found.document, locations.progression.unwrap(), locations.total_progression.unwrap()))
    }

    #[test]
    fn a_place_is_found_by_its_document_or_else_by_the_part_of_the_whole() {
        let source = |source: &str| json!({"ProgressPercent": 37.5, "ContentSourceProgressPercent": 50, "Location": {"Source": source}});
        for name in ["OEBPS/a%20b.xhtml", "/OEBPS/a b.xhtml#point(/1/4)", "a b.xhtml"] {
            assert_eq!(find(source(name)), Some((0, 0.5, 0.375)), "{name}");
        }
        assert_eq!(find(source("OEBPS/x/c.xhtml")).unwrap().0, 2);
        assert_eq!(find(source("c.xhtml")), Some((1, 0.5, 0.375)), "two are called that, so the whole counts");
        assert_eq!(find(json!({"ProgressPercent": 75})), Some((2, 0.5, 0.75)));
        assert_eq!(find(json!({"ProgressPercent": 1e9})), Some((2, 1.0, 1.0)));
        assert_eq!(find(json!({"Location": {"Source": "other.xhtml"}})), None);
        assert_eq!(find(json!({"Location": {"Source": null, "Value": "kobo.1.1"}})), None);
    }

    #[test]
    fn a_place_is_told_as_it_was_taken() {
        let kept = json!({"ProgressPercent": 40, "ContentSourceProgressPercent": 12.5,
            "Location": {"Source": "OEBPS/c.xhtml", "Type": "KoboSpan", "Value": "kobo.3.2"}});
        let found = serde_json::from_value::<Bookmark>(kept.clone()).unwrap().find(&outline()).unwrap();
        let mut told = told(Some(&found.place), false, "now");
        assert_eq!(told["LastModified"].take(), "now");
        assert_eq!(
            (told["ProgressPercent"].as_f64(), told["ContentSourceProgressPercent"].as_f64()),
            (Some(40.0), Some(12.5))
        );
        assert_eq!(told["Location"], kept["Location"]);
    }

    proptest! {
        #[test]
        fn any_bookmark_is_a_place_of_the_book_or_none(total: Option<f64>, within: Option<f64>, source: Option<String>) {
            let location = Some(Location { source, ..Location::default() });
            let told = Bookmark { progress_percent: total, content_source_progress_percent: within, location, ..Bookmark::default() };
            if let Some(found) = told.find(&outline()) {
                prop_assert!(found.document < 3);
                let locations = found.place.locations.unwrap();
                prop_assert!((0.0..=1.0).contains(&locations.total_progression.unwrap()));
            }
        }
    }
}
