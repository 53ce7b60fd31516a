//! What a book's file says of it and its series, whatever form it says it in: what the catalog is written from.
use serde::{Deserialize, Serialize};

use super::people::Author;
use super::{Book, ComicInfo, Direction, Epub};

/// An address with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Shown to people.
    pub label: String,
    /// Absolute, `http` or `https`.
    pub url: String,
}

/// Everything that was found; what the file does not say is absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// Of the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// In the series, as written: `10.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// `yyyy-mm-dd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    /// Thirteen digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isbn: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Author>,
    /// Of the book.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where more is told of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Name of the series; what follows is of it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Who published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_rating: Option<u32>,
    /// What it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub genres: Vec<String>,
    /// Which way pages are turned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Books of the series that there are in the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_books: Option<u32>,
    /// An EPUB whose pages are single pictures.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub divina_compatible: bool,
}

impl Book {
    /// What `ComicInfo.xml` says, and where that says nothing, the EPUB's own package document.
    #[must_use]
    pub fn told(&self) -> Told {
        let comic = self.comic_info.as_ref().map(of_comic).unwrap_or_default();
        let epub = self.epub.as_ref().map(of_epub).unwrap_or_default();
        Told {
            title: comic.title.or(epub.title),
            number: comic.number.or(epub.number),
            summary: comic.summary.or(epub.summary),
            release_date: comic.release_date.or(epub.release_date),
            isbn: comic.isbn.or(epub.isbn),
            authors: first(comic.authors, epub.authors),
            tags: first(comic.tags, epub.tags),
            links: comic.links,
            series: comic.series.or(epub.series),
            publisher: comic.publisher.or(epub.publisher),
            language: comic.language.or(epub.language),
            age_rating: comic.age_rating,
            genres: comic.genres,
            direction: self.direction(),
            total_books: comic.total_books,
            divina_compatible: epub.divina_compatible,
        }
    }
}

fn first<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
    if one.is_empty() { other } else { one }
}

fn of_comic(comic: &ComicInfo) -> Told {
    let link = |url: &String| {
        let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(url);
        Link { label: host.to_owned(), url: url.clone() }
    };
    Told {
        title: comic.title.clone(),
        number: comic.number.clone(),
        summary: comic.summary.clone(),
        release_date: comic.release_date(),
        isbn: comic.isbn.clone(),
        authors: comic.authors.clone(),
        tags: comic.tags.clone(),
        links: comic.web.iter().map(link).collect(),
        series: comic.series.clone(),
        publisher: comic.publisher.clone(),
        language: comic.language.clone(),
        age_rating: comic.age_rating.map(u32::from),
        genres: comic.genres.clone(),
        total_books: comic.count,
        ..Told::default()
    }
}

fn of_epub(epub: &Epub) -> Told {
    let whole_date = |date: &String| match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.clone(),
    };
    Told {
        title: epub.title.clone(),
        number: epub.series_index.clone(),
        summary: epub.description.clone(),
        release_date: epub.date.as_ref().map(whole_date),
        isbn: epub.isbn.clone(),
        authors: epub.authors.clone(),
        tags: epub.subjects.clone(),
        series: epub.series.clone(),
        publisher: epub.publisher.clone(),
        language: epub.language.clone(),
        divina_compatible: epub.divina_compatible,
        ..Told::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    #[test]
    fn what_comic_info_says_stands_over_the_epubs_own_words_and_leaves_the_rest() {
        let comic = ComicInfo {
            title: Some("Comic".into()),
            year: Some(2012),
            web: vec!["https://example.org/a".into()],
            ..ComicInfo::default()
        };
        let epub = Epub { title: Some("Epub".into()), publisher: Some("P".into()), ..Epub::default() };
        let book = Book {
            format: Format::Epub,
            pages: Vec::new(),
            faults: Vec::new(),
            comic_info: Some(comic),
            epub: Some(epub),
        };
        let told = book.told();
        assert_eq!((told.title.as_deref(), told.publisher.as_deref()), (Some("Comic"), Some("P")));
        assert_eq!(told.release_date.as_deref(), Some("2012-01-01"));
        assert_eq!(told.links, [Link { label: "example.org".into(), url: "https://example.org/a".into() }]);
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Told>(&text).unwrap(), told);
    }
}
