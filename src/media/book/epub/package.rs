//! The package document: metadata, manifest and spine (EPUB 3.3, sections 5.5 to 5.7).
use super::super::markup::{self, Element};
use super::super::people::{Author, role_of_relator};
use super::super::{Direction, isbn13};
use super::Epub;

/// A file that the manifest names.
#[derive(Default)]
pub(super) struct Item {
    id: String,
    pub href: String,
    pub media_type: String,
    properties: String,
}

/// A `meta` of either version: EPUB 2 has `name` and `content`, EPUB 3 `property` and text, and may refine another.
struct Meta {
    id: String,
    name: String,
    value: String,
    refines: Option<String>,
}

struct Person {
    id: String,
    name: String,
    role: Option<String>,
    /// Not only a contributor.
    creator: bool,
}

/// What is written in the document, as it is.
#[derive(Default)]
pub(super) struct Package {
    /// What is taken over without a thought.
    plain: Epub,
    people: Vec<Person>,
    metas: Vec<Meta>,
    manifest: Vec<Item>,
    /// Identifiers of items, and whether each is part of the reading order proper.
    spine: Vec<(String, bool)>,
}

impl Package {
    /// What can be read of a document.
    pub fn parse(text: &str) -> Self {
        let mut package = Self::default();
        markup::walk(text, |element, above| {
            if above.iter().any(|open| open.name == "metadata") {
                package.metadata(element);
                return;
            }
            match element.name.as_str() {
                "item" => package.manifest.extend(item(element)),
                "itemref" => {
                    let linear = element.attribute("linear") != Some("no");
                    package.spine.extend(element.attribute("idref").map(|id| (id.to_owned(), linear)));
                }
                "spine" => package.plain.direction = direction(element.attribute("page-progression-direction")),
                _ => {}
            }
        });
        package
    }

    fn metadata(&mut self, element: &Element) {
        if element.name == "meta" {
            self.metas.extend(meta(element));
            return;
        }
        let Some(text) = element.line() else { return };
        let plain = &mut self.plain;
        match element.name.as_str() {
            "title" => plain.title = plain.title.take().or(Some(text)),
            "publisher" => plain.publisher = plain.publisher.take().or(Some(text)),
            "language" => plain.language = plain.language.take().or(Some(text)),
            "date" => plain.date = plain.date.take().or_else(|| date(&text)),
            "description" => plain.description = plain.description.take().or_else(|| description(&element.text)),
            "subject" if !plain.subjects.contains(&text) => plain.subjects.push(text),
            "identifier" => {
                plain.isbn = plain.isbn.take().or_else(|| isbn13(&text));
                plain.identifiers.push(text);
            }
            "creator" | "contributor" => {
                let id = element.attribute("id").unwrap_or_default().to_owned();
                let role = element.attribute("role").map(str::to_owned);
                self.people.push(Person { id, name: text, role, creator: element.name == "creator" });
            }
            _ => {}
        }
    }

    /// All that needs no look at the archive.
    pub fn epub(&self) -> Epub {
        let (series, series_index) = self.series();
        let told = |name: &str, value: &str| self.metas.iter().any(|meta| meta.name == name && meta.value == value);
        let fixed_layout = told("rendition:layout", "pre-paginated") || told("fixed-layout", "true");
        Epub { authors: self.authors(), series, series_index, fixed_layout, ..self.plain.clone() }
    }

    /// The cover picture: as EPUB 3 says, as EPUB 2 said, or the picture that is named so.
    pub fn cover(&self) -> Option<&Item> {
        let pictures = || self.manifest.iter().filter(|item| item.media_type.starts_with("image/"));
        let marked = |item: &&Item| item.properties.split_whitespace().any(|property| property == "cover-image");
        let told = self.value("cover");
        let named =
            |item: &&Item| [&item.id, &item.href].iter().any(|text| text.to_ascii_lowercase().contains("cover"));
        pictures()
            .find(marked)
            .or_else(|| pictures().find(|item| told == Some(&item.id)))
            .or_else(|| pictures().find(named))
    }

    /// The documents in reading order.
    pub fn spine(&self) -> impl Iterator<Item = (&Item, bool)> {
        let by_id: std::collections::HashMap<&str, &Item> =
            self.manifest.iter().map(|item| (item.id.as_str(), item)).collect();
        self.spine.iter().filter_map(move |(id, linear)| Some((*by_id.get(id.as_str())?, *linear)))
    }

    /// All files that it names.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.manifest.iter()
    }

    /// The navigation document of an EPUB 3.
    pub fn navigation(&self) -> Option<&Item> {
        self.manifest.iter().find(|item| item.properties.split_whitespace().any(|property| property == "nav"))
    }

    /// The contents of an EPUB 2.
    pub fn ncx(&self) -> Option<&Item> {
        self.manifest.iter().find(|item| item.media_type == "application/x-dtbncx+xml")
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.metas.iter().find(|meta| meta.name == name).map(|meta| meta.value.as_str())
    }

    /// What refines the element of that identifier.
    fn refined(&self, id: &str, name: &str) -> Option<&str> {
        let refines = |meta: &&Meta| meta.name == name && meta.refines.as_deref() == Some(id);
        self.metas.iter().find(refines).map(|meta| meta.value.as_str())
    }

    fn authors(&self) -> Vec<Author> {
        let author = |person: &Person| {
            let code = person.role.as_deref().or_else(|| self.refined(&person.id, "role"));
            let role = code.and_then(role_of_relator).or(person.creator.then_some("writer"))?;
            Some(Author { name: person.name.clone(), role: role.to_owned() })
        };
        self.people.iter().filter_map(author).collect()
    }

    /// As calibre writes it, else the first collection that is not said to be anything but a series.
    fn series(&self) -> (Option<String>, Option<String>) {
        if let Some(series) = self.value("calibre:series") {
            return (Some(series.to_owned()), self.value("calibre:series_index").map(str::to_owned));
        }
        let is_series = |meta: &&Meta| {
            meta.name == "belongs-to-collection"
                && self.refined(&meta.id, "collection-type").is_none_or(|kind| kind == "series")
        };
        let Some(collection) = self.metas.iter().find(is_series) else { return (None, None) };
        let position = self.refined(&collection.id, "group-position");
        (Some(collection.value.clone()), position.map(str::to_owned))
    }
}

fn item(element: &Element) -> Option<Item> {
    let attribute = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
    let item = Item {
        id: attribute("id"),
        href: attribute("href"),
        media_type: attribute("media-type"),
        properties: attribute("properties"),
    };
    (!item.id.is_empty() && !item.href.is_empty()).then_some(item)
}

fn meta(element: &Element) -> Option<Meta> {
    let name = element.attribute("property").or_else(|| element.attribute("name"))?;
    let value = element.line().or_else(|| element.attribute("content").map(str::to_owned))?;
    let refines = element.attribute("refines").map(|id| id.trim_start_matches('#').to_owned());
    Some(Meta { id: element.attribute("id").unwrap_or_default().to_owned(), name: name.to_owned(), value, refines })
}

fn direction(text: Option<&str>) -> Option<Direction> {
    match text? {
        "rtl" => Some(Direction::Rtl),
        "ltr" => Some(Direction::Ltr),
        _ => None,
    }
}

fn description(text: &str) -> Option<String> {
    Some(markup::plain(text)).filter(|text| !text.is_empty())
}

/// The day, month or year that a date in ISO 8601 begins with.
fn date(text: &str) -> Option<String> {
    let part = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<u16>().ok().filter(|number| *number > 0)
    };
    let dash = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    part(0, 4)?;
    let month = dash(4) && part(5, 7).is_some_and(|month| month <= 12);
    let day = month && dash(7) && part(8, 10).is_some_and(|day| day <= 31);
    let len = if day { 10 } else { 4 + if month { 3 } else { 0 } };
    text.get(..len).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_version_3_is_read() {
        let text = r##"<package><metadata xmlns:dc="x"><dc:identifier>urn:uuid:1</dc:identifier><dc:identifier id="i">urn:isbn:9780306406157</dc:identifier>
            <dc:title>Title</dc:title><dc:title>Subtitle</dc:title><dc:creator id="a">Jane Doe</dc:creator><meta refines="#a" property="role" scheme="marc:relators">ill</meta>
            <dc:creator>Joe Doe</dc:creator><dc:contributor id="t">T</dc:contributor><meta refines="#t" property="role">trl</meta><dc:contributor>calibre</dc:contributor>
            <dc:description>&lt;p&gt;About &lt;i&gt;it&lt;/i&gt;.&lt;/p&gt;</dc:description><dc:date>2012-03-04T00:00:00Z</dc:date><dc:language>ja</dc:language>
            <dc:subject>Manga</dc:subject><dc:subject>Manga</dc:subject>
            <meta property="belongs-to-collection" id="s">Set</meta><meta refines="#s" property="collection-type">set</meta>
            <meta property="belongs-to-collection" id="c">Series</meta><meta refines="#c" property="collection-type">series</meta><meta refines="#c" property="group-position">2</meta>
            </metadata></package>"##;
        let epub = Package::parse(text).epub();
        assert_eq!(
            (epub.title.as_deref(), epub.isbn.as_deref(), epub.identifiers.len()),
            (Some("Title"), Some("9780306406157"), 2)
        );
        let authors: Vec<_> = epub.authors.iter().map(|a| format!("{}:{}", a.name, a.role)).collect();
        assert_eq!(authors, ["Jane Doe:penciller", "Joe Doe:writer", "T:translator"]);
        assert_eq!((epub.description.as_deref(), epub.date.as_deref()), (Some("About it."), Some("2012-03-04")));
        assert_eq!((epub.series.as_deref(), epub.series_index.as_deref()), (Some("Series"), Some("2")));
        assert_eq!((epub.subjects.len(), epub.fixed_layout, epub.direction), (1, false, None));
    }

    #[test]
    fn metadata_of_version_2_is_read() {
        let text = r#"<opf:package xmlns:opf="o"><opf:metadata><dc:creator opf:role="trl">T</dc:creator><opf:meta name="calibre:series" content="Series"/>
            <opf:meta name="calibre:series_index" content="2.0"/><opf:meta name="cover" content="c1"/></opf:metadata>
            <opf:manifest><opf:item id="x" href="cover.html" media-type="text/html"/><opf:item id="c1" href="1.jpg" media-type="image/jpeg"/></opf:manifest></opf:package>"#;
        let package = Package::parse(text);
        let epub = package.epub();
        assert_eq!((epub.series.as_deref(), epub.series_index.as_deref()), (Some("Series"), Some("2.0")));
        assert_eq!((&*epub.authors[0].role, package.cover().map(|item| &*item.href)), ("translator", Some("1.jpg")));
    }

    #[test]
    fn a_date_is_as_long_as_it_makes_sense() {
        for (text, wanted) in [
            ("2012", Some("2012")),
            ("2012-13-01", Some("2012")),
            ("2012-12", Some("2012-12")),
            ("2012-12-31 x", Some("2012-12-31")),
            ("x", None),
            ("0000", None),
        ] {
            assert_eq!(date(text).as_deref(), wanted, "{text}");
        }
    }
}
