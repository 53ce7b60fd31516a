//! A book as OPDS 2 and Readium's manifests tell it: what it is called, who made it, where its file, cover and pages are.
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::feed::{AUTHENTICATION, DIVINA, FEED, Link, PROGRESSION, PUBLICATION, WEBPUB};
use super::visit::ROOT;
use crate::catalog::shelves::ShelfBook;
use crate::facades::komga::base::Base;
use crate::facades::komga::dates;
use crate::media::book::{Author, Format, MediaProfile};

const CONTEXT: &str = "https://readium.org/webpub-manifest/context.jsonld";
/// How far somebody read, as Cantook's programs ask for it.
const PROGRESSION_REL: &str = "http://www.cantook.com/api/progression";
const ACQUISITION_REL: &str = "http://opds-spec.org/acquisition";

/// The address of something of a book.
pub(super) fn of_book(base: &Base, book: &ShelfBook, below: &str) -> String {
    base.at(&format!("{ROOT}/books/{}/{below}", book.id))
}

pub(super) fn format(book: &ShelfBook) -> Option<Format> {
    book.format.as_deref().and_then(Format::named)
}

pub(super) fn profile(book: &ShelfBook) -> MediaProfile {
    format(book).map_or(MediaProfile::Divina, Format::media_profile)
}

/// Whether its pages are pictures, one by one.
pub(super) fn has_pages(book: &ShelfBook) -> bool {
    book.pages > 0 && (profile(book) != MediaProfile::Epub || book.divina_compatible)
}

/// As it stands in a feed.
pub(super) fn publication(base: &Base, book: &ShelfBook) -> Value {
    json!({
        "@context": CONTEXT,
        "metadata": metadata(base, book),
        "links": links(base, book),
        "images": images(base, book),
    })
}

/// Its covers: small, and as large as it is.
pub(super) fn images(base: &Base, book: &ShelfBook) -> Vec<Link> {
    let mut images = vec![Link::to(of_book(base, book, "thumbnail"), "image/jpeg")];
    if has_pages(book) {
        images.push(Link::to(of_book(base, book, "pages/1?convert=jpeg"), "image/jpeg"));
    }
    images.into_iter().map(|link| guarded(base, link)).collect()
}

/// Says where to read how to sign in.
fn guarded(base: &Base, link: Link) -> Link {
    let properties = json!({"authenticate": {"href": base.at(&format!("{ROOT}/auth")), "type": AUTHENTICATION}});
    Link { properties: Some(properties), ..link }
}

/// To its manifests, its file, and how far it was read.
pub(super) fn links(base: &Base, book: &ShelfBook) -> Vec<Link> {
    let own = match profile(book) {
        MediaProfile::Divina => DIVINA,
        MediaProfile::Pdf => WEBPUB,
        MediaProfile::Epub => PUBLICATION,
    };
    let mut links = vec![Link::to(of_book(base, book, "manifest"), own).rel("self")];
    if own != DIVINA && has_pages(book) {
        links.push(Link::to(of_book(base, book, "manifest/divina"), DIVINA).rel("alternate"));
    }
    links.push(file(base, book).rel(ACQUISITION_REL));
    links.push(Link::to(of_book(base, book, "progression"), PROGRESSION).rel(PROGRESSION_REL));
    links.into_iter().map(|link| guarded(base, link)).collect()
}

/// Its file, whole.
pub(super) fn file(base: &Base, book: &ShelfBook) -> Link {
    let name = Format::file_name(format(book), &book.path);
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    Link::to(of_book(base, book, &format!("file/{name}")), format(book).map_or("application/octet-stream", file_kind))
}

/// The media type by which readers know a comic from any archive.
fn file_kind(format: Format) -> &'static str {
    match format {
        Format::Zip | Format::Folder => "application/vnd.comicbook+zip",
        Format::Rar4 | Format::Rar5 => "application/vnd.comicbook-rar",
        Format::SevenZip => "application/x-cb7",
        Format::Tar => "application/x-cbt",
        Format::Pdf | Format::Epub => format.media_type(),
    }
}

/// What it is called, who made it and where it belongs.
pub(super) fn metadata(base: &Base, book: &ShelfBook) -> Map<String, Value> {
    let isbn = Some(&book.isbn).filter(|isbn| !isbn.is_empty());
    let series = json!([{
        "name": book.series_title,
        "position": book.number_sort,
        "links": [{"href": base.at(&format!("{ROOT}/series/{}", book.series)), "type": FEED}],
    }]);
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            metadata.insert(name.to_owned(), value);
        }
    };
    put("@type", "http://schema.org/Book".into());
    put("title", book.title.as_str().into());
    put("identifier", isbn.map_or_else(|| format!("urn:uuid:{}", book.id), |isbn| format!("urn:isbn:{isbn}")).into());
    put("modified", dates::instant(book.changed_at).into());
    put("published", book.released.clone().into());
    put("description", book.summary.as_str().into());
    put("subject", book.tags.clone().into());
    put("numberOfPages", (book.pages > 0).then_some(book.pages).into());
    put("belongsTo", json!({"series": series}));
    contributors(&book.authors).into_iter().for_each(|(role, names)| put(role, names.into()));
    metadata
}

/// Names by what Readium calls what they did. Whoever did something that it has no word for is a contributor with that role.
fn contributors(authors: &[Author]) -> Vec<(&'static str, Vec<Value>)> {
    let mut all: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for author in authors {
        let (word, value) = match word(&author.role) {
            Some(word) => (word, Value::from(author.name.as_str())),
            None => ("contributor", json!({"name": author.name, "role": author.role})),
        };
        match all.iter_mut().find(|(known, _)| *known == word) {
            Some((_, names)) if names.contains(&value) => {}
            Some((_, names)) => names.push(value),
            None => all.push((word, vec![value])),
        }
    }
    all
}

fn word(role: &str) -> Option<&'static str> {
    Some(match role {
        "writer" | "author" => "author",
        "penciller" | "penciler" => "penciler",
        "translator" => "translator",
        "editor" => "editor",
        "artist" => "artist",
        "illustrator" => "illustrator",
        "letterer" => "letterer",
        "colorist" => "colorist",
        "inker" => "inker",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_by_what_they_did_and_each_once() {
        let by = |name: &str, role: &str| Author { name: name.into(), role: role.into() };
        let told =
            contributors(&[by("Ann", "writer"), by("Joe", "penciller"), by("Ann", "author"), by("Ann", "cover")]);
        let wanted = vec![
            ("author", vec!["Ann".into()]),
            ("penciler", vec!["Joe".into()]),
            ("contributor", vec![json!({"name": "Ann", "role": "cover"})]),
        ];
        assert_eq!(told, wanted);
    }
}
