//! `ComicInfo.xml`: what a person or a tool has written down of a comic (ComicInfo v2.0 and the draft of v2.1, schemas of
//! the anansi-project). Read leniently: unknown elements are passed over, values that make no sense are absent.
use serde::{Deserialize, Serialize};

use super::pages::Entry;
use super::people::{Author, add_all, listed};
use super::{BookError, Direction, isbn13, markup};

/// What the file says. Absent or empty fields were not written or make no sense.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComicInfo {
    /// Of the book.
    pub title: Option<String>,
    /// Name of the series.
    pub series: Option<String>,
    /// In the series; text, since there are such as `10.5` and `1.MU`.
    pub number: Option<String>,
    /// Books in the series.
    pub count: Option<u32>,
    /// Of the series; some write its first year.
    pub volume: Option<i32>,
    /// Another series that the book is part of.
    pub alternate_series: Option<String>,
    /// Its number there.
    pub alternate_number: Option<String>,
    /// What it is about; may have several lines.
    pub summary: Option<String>,
    /// Whatever the tool wrote.
    pub notes: Option<String>,
    /// Of release.
    pub year: Option<u16>,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
    /// In the order of the file, each once for a role.
    pub authors: Vec<Author>,
    /// Who published it.
    pub publisher: Option<String>,
    /// Under what name.
    pub imprint: Option<String>,
    /// Genres.
    pub genres: Vec<String>,
    /// Lower case.
    pub tags: Vec<String>,
    /// Links that are `http` or `https`.
    pub web: Vec<String>,
    /// As the file says; [`super::Book::pages`] knows better.
    pub page_count: Option<u32>,
    /// BCP 47.
    pub language: Option<String>,
    /// Such as `Annual` or `TPB`.
    pub format: Option<String>,
    /// `YesAndRightToLeft` and `No` tell one; `Yes` does not.
    pub direction: Option<Direction>,
    /// Collections of series.
    pub series_groups: Vec<String>,
    /// Story arcs, each with the book's number in it where the file has as many numbers.
    pub story_arcs: Vec<(String, Option<u32>)>,
    /// Years, as Komga counts the ratings.
    pub age_rating: Option<u8>,
    /// Thirteen digits, where the GTIN is an ISBN.
    pub isbn: Option<String>,
    /// What is said of single pages.
    pub pages: Vec<ComicPage>,
}

/// What is said of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComicPage {
    /// From 0 on, in the order of the archive's pages.
    pub image: u32,
    /// `FrontCover`, `InnerCover`, `Story`, ...; a list with spaces.
    pub kind: Option<String>,
    /// Two pages in one picture.
    pub double_page: bool,
}

/// From a book's files: the `ComicInfo.xml` that is least deep in folders. One that cannot be read is none.
pub(super) fn of_entries(entries: &[Entry], read: impl Fn(&Entry) -> Result<Vec<u8>, BookError>) -> Option<ComicInfo> {
    let ranked = entries.iter().filter_map(|entry| Some((rank(&entry.name)?, entry)));
    let (_, found) = ranked.min_by_key(|(rank, _)| *rank)?;
    read(found).ok().map(|bytes| ComicInfo::parse(&bytes))
}

/// How deep in folders a file of that name is, if it is a `ComicInfo.xml`: of several the least deep counts.
#[must_use]
pub fn rank(name: &str) -> Option<usize> {
    let own_name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let counts = own_name.eq_ignore_ascii_case("comicinfo.xml") && !name.contains("__MACOSX");
    counts.then(|| name.split(['/', '\\']).count())
}

impl ComicInfo {
    /// What can be read of a file's bytes, in UTF-8, UTF-16 or the encoding that it declares.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut comic = Self::default();
        let (mut arcs, mut arc_numbers) = (String::new(), String::new());
        markup::walk(&markup::decode(bytes), |element, above| match above {
            [root] if root.name == "ComicInfo" => match element.name.as_str() {
                "StoryArc" => arcs.clone_from(&element.text),
                "StoryArcNumber" => arc_numbers.clone_from(&element.text),
                name => comic.set(name, element.text.trim()),
            },
            [root, list] if root.name == "ComicInfo" && list.name == "Pages" => comic.pages.extend(page(element)),
            _ => {}
        });
        comic.story_arcs = story_arcs(&arcs, &arc_numbers);
        comic
    }

    /// The day of release as `2012-01-31`; the first of what is not told.
    #[must_use]
    pub fn release_date(&self) -> Option<String> {
        let (year, month, day) = (self.year?, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        Some(format!("{year:04}-{month:02}-{:02}", day.min(last)))
    }

    /// Lists that the book is on, with its place in each: the alternate series, then the story arcs.
    #[must_use]
    pub fn read_lists(&self) -> Vec<(String, Option<u32>)> {
        let number = self.alternate_number.as_ref().and_then(|number| number.parse().ok());
        let series = self.alternate_series.iter().map(|name| (name.clone(), number));
        series.chain(self.story_arcs.iter().cloned()).collect()
    }

    fn set(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        match field {
            "Count" => self.count = number(text, 1..=100_000),
            "Volume" => self.volume = text.parse().ok().filter(|volume| *volume >= 0),
            "Year" => self.year = number(text, 1..=9999),
            "Month" => self.month = number(text, 1..=12),
            "Day" => self.day = number(text, 1..=31),
            "PageCount" => self.page_count = number(text, 1..=1_000_000),
            "Manga" => self.direction = direction(text),
            "AgeRating" => self.age_rating = age_rating(text),
            "GTIN" => self.isbn = isbn13(text),
            "Genre" => self.genres = each_once(text),
            "Tags" => self.tags = each_once(&text.to_lowercase()),
            "SeriesGroup" => self.series_groups = each_once(text),
            "Web" => {
                self.web = text.split([' ', ',', '\n', '\t']).filter(|link| is_link(link)).map(str::to_owned).collect()
            }
            _ => match (role(field), self.text_field(field)) {
                (Some(role), _) => add_all(&mut self.authors, text, role),
                (None, Some(place)) => *place = Some(text.to_owned()),
                (None, None) => {}
            },
        }
    }

    fn text_field(&mut self, field: &str) -> Option<&mut Option<String>> {
        let place = match field {
            "Title" => &mut self.title,
            "Series" => &mut self.series,
            "Number" => &mut self.number,
            "AlternateSeries" => &mut self.alternate_series,
            "AlternateNumber" => &mut self.alternate_number,
            "Summary" => &mut self.summary,
            "Notes" => &mut self.notes,
            "Publisher" => &mut self.publisher,
            "Imprint" => &mut self.imprint,
            "LanguageISO" => &mut self.language,
            "Format" => &mut self.format,
            _ => return None,
        };
        Some(place)
    }
}

fn number<T: std::str::FromStr + PartialOrd>(text: &str, range: std::ops::RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|number| range.contains(number))
}

fn each_once(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in listed(text) {
        if !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    found
}

fn is_link(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

fn direction(text: &str) -> Option<Direction> {
    match text {
        "YesAndRightToLeft" => Some(Direction::Rtl),
        "No" => Some(Direction::Ltr),
        _ => None,
    }
}

/// The role that an element of people stands for, in Komga's words.
fn role(field: &str) -> Option<&'static str> {
    match field {
        "Writer" => Some("writer"),
        "Penciller" => Some("penciller"),
        "Inker" => Some("inker"),
        "Colorist" => Some("colorist"),
        "Letterer" => Some("letterer"),
        "CoverArtist" => Some("cover"),
        "Editor" => Some("editor"),
        "Translator" => Some("translator"),
        _ => None,
    }
}

/// Years of the schema's ratings, as Komga maps them. `Unknown` and `Rating Pending` have none.
fn age_rating(text: &str) -> Option<u8> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match text.to_ascii_lowercase().as_str() {
        "everyone" | "g" => Some(0),
        "earlychildhood" => Some(3),
        "kidstoadults" => Some(6),
        "pg" => Some(8),
        "everyone10+" => Some(10),
        "teen" => Some(13),
        "ma15+" => Some(15),
        "m" | "mature17+" => Some(17),
        "adultsonly18+" | "r18+" | "x18+" => Some(18),
        _ => None,
    }
}

/// Arcs with their numbers; as Komga does, numbers count only as far as arcs have them, if there are any at all.
fn story_arcs(arcs: &str, numbers: &str) -> Vec<(String, Option<u32>)> {
    let named = arcs.split(',').map(str::trim);
    let numbers: Vec<Option<u32>> = numbers.split(',').map(|number| number.trim().parse().ok()).collect();
    let numbered = numbers.iter().any(Option::is_some);
    let all = named.enumerate().map(|(n, arc)| (arc.to_owned(), numbers.get(n).copied().flatten()));
    all.filter(|(arc, number)| !arc.is_empty() && (!numbered || number.is_some())).collect()
}

fn page(element: &markup::Element) -> Option<ComicPage> {
    let image = element.attribute("Image")?.parse().ok()?;
    let kind = element.attribute("Type").map(str::to_owned);
    let double_page = matches!(element.attribute("DoublePage"), Some("true" | "True" | "1"));
    (element.name == "Page").then_some(ComicPage { image, kind, double_page })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<ComicInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x">
  <Title>The Beginning &amp; the End</Title><Series>Some Series</Series><Number>10.5</Number><Count>24</Count><Volume>2</Volume>
  <AlternateSeries>Crossover</AlternateSeries><AlternateNumber>3</AlternateNumber><Summary>First line.
Second line.</Summary><Year>2012</Year><Month>2</Month><Day>30</Day><Writer>Jane Doe, Joe Doe</Writer><Penciller>Jane Doe</Penciller>
  <CoverArtist>C</CoverArtist><Translator>T</Translator><Publisher>House</Publisher><Genre>Action, Drama,Action</Genre><Tags>Robots, SPACE</Tags>
  <Web>https://example.org/1 javascript:alert(1)</Web><PageCount>2</PageCount><LanguageISO>en</LanguageISO><Manga>YesAndRightToLeft</Manga>
  <SeriesGroup>Group</SeriesGroup><StoryArc>Arc One, Arc Two</StoryArc><StoryArcNumber>4, 5</StoryArcNumber><AgeRating>Mature 17+</AgeRating>
  <GTIN>978-0-306-40615-7</GTIN><Unknown><Title>not this</Title></Unknown>
  <Pages><Page Image="0" Type="FrontCover" /><Page Image="1" DoublePage="true"/><Page Type="Story"/></Pages>
</ComicInfo>"#;

    #[test]
    fn a_whole_file_is_read() {
        let comic = ComicInfo::parse(WHOLE.as_bytes());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        assert_eq!(text(&comic.title), "The Beginning & the End");
        assert_eq!(
            (text(&comic.series), text(&comic.number), comic.count, comic.volume),
            ("Some Series".into(), "10.5".into(), Some(24), Some(2))
        );
        assert_eq!(text(&comic.summary), "First line.\nSecond line.");
        assert_eq!(comic.release_date().as_deref(), Some("2012-02-29"));
        let authors: Vec<_> = comic.authors.iter().map(|a| format!("{}:{}", a.name, a.role)).collect();
        assert_eq!(authors, ["Jane Doe:writer", "Joe Doe:writer", "Jane Doe:penciller", "C:cover", "T:translator"]);
        assert_eq!(
            (&comic.genres[..], &comic.tags[..]),
            (&["Action".into(), "Drama".into()][..], &["robots".into(), "space".into()][..])
        );
        assert_eq!((comic.web.len(), comic.direction, comic.age_rating), (1, Some(Direction::Rtl), Some(17)));
        assert_eq!(
            comic.read_lists(),
            [("Crossover".into(), Some(3)), ("Arc One".into(), Some(4)), ("Arc Two".into(), Some(5))]
        );
        assert_eq!(comic.isbn.as_deref(), Some("9780306406157"));
        let pages: Vec<_> =
            comic.pages.iter().map(|page| (page.image, page.kind.as_deref(), page.double_page)).collect();
        assert_eq!(pages, [(0, Some("FrontCover"), false), (1, None, true)]);
    }

    #[test]
    fn values_that_make_no_sense_are_absent() {
        let text = "<ComicInfo><Count>-1</Count><Year>0</Year><Month>13</Month><Title> </Title><AgeRating>Unknown</AgeRating><Manga>Yes</Manga>";
        assert_eq!(ComicInfo::parse(text.as_bytes()), ComicInfo::default());
        assert_eq!(ComicInfo::parse(b"<html><Title>x</Title></html>"), ComicInfo::default());
    }

    #[test]
    fn arcs_without_numbers_are_kept_and_half_numbered_ones_are_not() {
        assert_eq!(story_arcs("A, ,B", ""), [("A".into(), None), ("B".into(), None)]);
        assert_eq!(story_arcs("A,B,C", "1,x"), [("A".into(), Some(1))]);
        assert_eq!(story_arcs("", "1"), []);
    }

    #[test]
    fn utf16_and_a_cut_are_survived() {
        let wide: Vec<u8> = WHOLE.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(ComicInfo::parse(&wide), ComicInfo::parse(WHOLE.as_bytes()));
        for len in (0..WHOLE.len()).filter(|len| WHOLE.is_char_boundary(*len)) {
            let _ = ComicInfo::parse(&WHOLE.as_bytes()[..len]);
        }
    }
}
