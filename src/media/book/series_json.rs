//! Mylar's `series.json` (schema 1.0.2, documented in Mylar3's wiki under "series.json schema"): what is known of a
//! series, in its folder.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::BookError;
use super::place::within;

/// Bytes of the largest file.
const FILE_MAX: usize = 4 * 1024 * 1024;

/// Whether more books of a series are to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeriesStatus {
    /// `Continuing`.
    Ongoing,
    /// `Ended`.
    Ended,
}

impl SeriesStatus {
    /// The word for it in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ongoing => "ONGOING",
            Self::Ended => "ENDED",
        }
    }
}

/// What the file says. Absent fields were not written or make no sense.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesJson {
    /// `comicSeries`.
    pub kind: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Under what name.
    pub imprint: Option<String>,
    /// Of the series.
    pub name: Option<String>,
    /// Number at Comic Vine.
    pub comic_id: Option<String>,
    /// Of the first book.
    pub year: Option<u16>,
    /// What it is about.
    pub description_text: Option<String>,
    /// The same with its paragraphs.
    pub description_formatted: Option<String>,
    /// Of the series.
    pub volume: Option<u32>,
    /// `Print`, `OneShot`, `TPB`, `GN`.
    pub book_type: Option<String>,
    /// Years, as Komga counts the ratings.
    pub age_rating: Option<u8>,
    /// Address of a picture.
    pub comic_image: Option<String>,
    /// Books in the series.
    pub total_issues: Option<u32>,
    /// Such as `May 2012 - Present`.
    pub publication_run: Option<String>,
    /// Whether it goes on.
    pub status: Option<SeriesStatus>,
}

impl SeriesJson {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// `TooLarge`, and `Broken` where it is no JSON or has no `metadata`.
    pub fn parse(bytes: &[u8]) -> Result<Self, BookError> {
        within("series.json", bytes.len() as u64, FILE_MAX as u64)?;
        let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        let whole: Value = serde_json::from_slice(bytes).map_err(|_| BookError::Broken("series.json is not JSON"))?;
        let metadata = whole.get("metadata").and_then(Value::as_object);
        metadata.map(Self::of).ok_or(BookError::Broken("series.json has no metadata"))
    }

    fn of(metadata: &Map<String, Value>) -> Self {
        let field = |name: &str| text(metadata.get(name)?);
        Self {
            kind: field("type"),
            publisher: field("publisher"),
            imprint: field("imprint"),
            name: field("name"),
            comic_id: field("comicid").or_else(|| field("cid")),
            year: field("year").and_then(|year| year.parse().ok()).filter(|year| (1..=9999).contains(year)),
            description_text: field("description_text"),
            description_formatted: field("description_formatted"),
            volume: field("volume").and_then(|volume| volume.parse().ok()),
            book_type: field("booktype"),
            age_rating: field("age_rating").and_then(|rating| age_rating(&rating)),
            comic_image: field("ComicImage"),
            total_issues: field("total_issues").and_then(|total| total.parse().ok()).filter(|total| *total > 0),
            publication_run: field("publication_run"),
            status: field("status").and_then(|status| status_of(&status)),
        }
    }

    /// The series' name, with the year where there are several of that name, as Komga shows it.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        match (self.volume, self.year) {
            (Some(volume), Some(year)) if volume != 1 => Some(format!("{name} ({year})")),
            _ => Some(name.clone()),
        }
    }
}

/// Text or a number as text: writers of the file do not agree on which it is.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn status_of(text: &str) -> Option<SeriesStatus> {
    match text.to_ascii_lowercase().as_str() {
        "continuing" => Some(SeriesStatus::Ongoing),
        "ended" => Some(SeriesStatus::Ended),
        _ => None,
    }
}

fn age_rating(text: &str) -> Option<u8> {
    match text.to_ascii_lowercase().as_str() {
        "all" => Some(0),
        "9+" => Some(9),
        "12+" => Some(12),
        "15+" => Some(15),
        "17+" => Some(17),
        "adult" => Some(18),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"{"version":"1.0.2","metadata":{"type":"comicSeries","publisher":"House","imprint":null,"name":"Some Series",
            "comicid":12345,"year":"2012","description_text":"About.","description_formatted":"About.\n","volume":2,"booktype":"Print",
            "age_rating":"15+","ComicImage":"https://example.org/1.jpg","total_issues":24,"publication_run":"May 2012 - Present","status":"Continuing"}}"#;
        let series = SeriesJson::parse(text.as_bytes()).unwrap();
        assert_eq!(series.title().as_deref(), Some("Some Series (2012)"));
        assert_eq!(
            (series.comic_id.as_deref(), series.year, series.total_issues),
            (Some("12345"), Some(2012), Some(24))
        );
        assert_eq!((series.age_rating, series.status, series.imprint), (Some(15), Some(SeriesStatus::Ongoing), None));
        assert_eq!(serde_json::to_value(series.status).unwrap(), "ONGOING");
    }

    #[test]
    fn what_makes_no_sense_is_absent_or_an_error() {
        let series =
            SeriesJson::parse(br#"{"metadata":{"year":"?","volume":[],"status":"x","name":" ","total_issues":0}}"#);
        assert_eq!(series.unwrap(), SeriesJson::default());
        for bytes in [&b""[..], b"{}", b"[1]", b"{\"metadata\":3}"] {
            assert!(matches!(SeriesJson::parse(bytes), Err(BookError::Broken(_))));
        }
    }
}
