//! Series, books and pages in Komga's shapes. Every field is sent, `null` too: its clients refuse what lacks one.
use std::path::Path;

use serde::Serialize;

use super::dates::{instant, size};
use crate::catalog::ItemState;
use crate::catalog::shelves::{ShelfBook, ShelfSeries};
use crate::catalog::sorting::sort_title;
use crate::media::book::{Author, Format, Link, MediaProfile, Page};

/// A title of a series besides its own.
#[derive(Debug, Serialize)]
struct OtherTitle {
    label: String,
    title: String,
}

/// `SeriesDto`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct SeriesDto {
    id: String,
    library_id: String,
    name: String,
    url: String,
    created: String,
    last_modified: String,
    file_last_modified: String,
    books_count: u32,
    books_read_count: u32,
    books_unread_count: u32,
    books_in_progress_count: u32,
    metadata: SeriesMetadata,
    books_metadata: BooksMetadata,
    deleted: bool,
    oneshot: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SeriesMetadata {
    status: String,
    status_lock: bool,
    title: String,
    title_lock: bool,
    title_sort: String,
    title_sort_lock: bool,
    summary: String,
    summary_lock: bool,
    reading_direction: &'static str,
    reading_direction_lock: bool,
    publisher: String,
    publisher_lock: bool,
    age_rating: Option<u32>,
    age_rating_lock: bool,
    language: String,
    language_lock: bool,
    genres: Vec<String>,
    genres_lock: bool,
    tags: Vec<String>,
    tags_lock: bool,
    total_book_count: Option<u32>,
    total_book_count_lock: bool,
    sharing_labels: Vec<String>,
    sharing_labels_lock: bool,
    links: Vec<Link>,
    links_lock: bool,
    alternate_titles: Vec<OtherTitle>,
    alternate_titles_lock: bool,
    created: String,
    last_modified: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BooksMetadata {
    authors: Vec<Author>,
    tags: Vec<String>,
    release_date: Option<String>,
    summary: String,
    summary_number: String,
    created: String,
    last_modified: String,
}

/// A series. Only admins are told where it lies.
pub(super) fn series(row: ShelfSeries, admin: bool) -> SeriesDto {
    let (created, last_modified) = (instant(row.added_at), instant(row.changed_at));
    let name = row.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let locked = |field: &str| row.locks.iter().any(|lock| lock == field);
    SeriesDto {
        books_metadata: BooksMetadata {
            authors: row.authors,
            tags: row.book_tags,
            release_date: row.released,
            summary: row.book_summary.text,
            summary_number: row.book_summary.number,
            created: created.clone(),
            last_modified: last_modified.clone(),
        },
        metadata: SeriesMetadata {
            status_lock: locked("status"),
            title_lock: locked("title"),
            title_sort: if sort_title(&row.title) == row.sort_title { row.title.clone() } else { row.sort_title },
            title_sort_lock: locked("sort_title"),
            summary_lock: locked("summary"),
            reading_direction: direction(&row.direction),
            reading_direction_lock: locked("direction"),
            publisher_lock: locked("publisher"),
            age_rating_lock: locked("age_rating"),
            language_lock: locked("language"),
            genres_lock: locked("genres"),
            tags_lock: locked("tags"),
            total_book_count: row.total_books,
            total_book_count_lock: locked("total_books"),
            sharing_labels: row.labels,
            sharing_labels_lock: locked("labels"),
            links_lock: locked("links"),
            alternate_titles: row.titles.into_iter().map(|(label, title)| OtherTitle { label, title }).collect(),
            alternate_titles_lock: locked("titles"),
            status: row.status,
            title: row.title,
            summary: row.summary,
            publisher: row.publisher,
            age_rating: row.age_rating,
            language: row.language,
            genres: row.genres,
            tags: row.tags,
            links: row.links,
            created: created.clone(),
            last_modified: last_modified.clone(),
        },
        id: row.id,
        library_id: row.library_shown,
        name,
        url: if admin { shown(&row.path) } else { String::new() },
        created,
        last_modified,
        file_last_modified: instant(row.modified_at),
        books_count: row.books,
        books_read_count: row.read,
        books_unread_count: row.books.saturating_sub(row.read + row.started),
        books_in_progress_count: row.started,
        deleted: row.trashed,
        oneshot: row.one_shot,
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Komga's word for a direction; empty where nobody says.
pub(super) fn direction(word: &str) -> &'static str {
    match word {
        "ltr" => "LEFT_TO_RIGHT",
        "rtl" => "RIGHT_TO_LEFT",
        "vertical" => "VERTICAL",
        "webtoon" => "WEBTOON",
        _ => "",
    }
}

/// `BookDto`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct BookDto {
    id: String,
    series_id: String,
    series_title: String,
    library_id: String,
    name: String,
    url: String,
    number: u32,
    created: String,
    last_modified: String,
    file_last_modified: String,
    size_bytes: u64,
    size: String,
    media: Media,
    metadata: BookMetadata,
    read_progress: Option<ReadProgress>,
    deleted: bool,
    file_hash: &'static str,
    oneshot: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Media {
    status: &'static str,
    media_type: &'static str,
    pages_count: u32,
    comment: String,
    epub_divina_compatible: bool,
    epub_is_kepub: bool,
    media_profile: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BookMetadata {
    title: String,
    title_lock: bool,
    summary: String,
    summary_lock: bool,
    number: String,
    number_lock: bool,
    number_sort: f64,
    number_sort_lock: bool,
    release_date: Option<String>,
    release_date_lock: bool,
    authors: Vec<Author>,
    authors_lock: bool,
    tags: Vec<String>,
    tags_lock: bool,
    isbn: String,
    isbn_lock: bool,
    links: Vec<Link>,
    links_lock: bool,
    created: String,
    last_modified: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadProgress {
    page: u32,
    completed: bool,
    read_date: String,
    created: String,
    last_modified: String,
    device_id: &'static str,
    device_name: &'static str,
}

/// A book. Others than admins are told the name of its file alone.
pub(super) fn book(row: ShelfBook, admin: bool) -> BookDto {
    let (created, last_modified) = (instant(row.added_at), instant(row.changed_at));
    let locked = |field: &str| row.locks.iter().any(|lock| lock == field);
    let file = row.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let format = row.format.as_deref().and_then(Format::named);
    let stem = if format == Some(Format::Folder) { row.path.file_name() } else { row.path.file_stem() };
    let name = stem.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = if row.number.is_empty() { row.place.to_string() } else { row.number.clone() };
    BookDto {
        media: media(&row),
        metadata: BookMetadata {
            title_lock: locked("title"),
            summary_lock: locked("summary"),
            number,
            number_lock: locked("number"),
            number_sort: row.number_sort,
            number_sort_lock: locked("number_sort"),
            release_date_lock: locked("release_date"),
            authors_lock: locked("authors"),
            tags_lock: locked("tags"),
            isbn_lock: locked("isbn"),
            links_lock: locked("links"),
            title: row.title,
            summary: row.summary,
            release_date: row.released,
            authors: row.authors,
            tags: row.tags,
            isbn: row.isbn,
            links: row.links,
            created: created.clone(),
            last_modified: last_modified.clone(),
        },
        read_progress: row.reading.map(|reading| {
            let at = instant(reading.read_at);
            ReadProgress {
                page: if reading.completed && reading.page == 0 { row.pages } else { reading.page },
                completed: reading.completed,
                read_date: at.clone(),
                created: at.clone(),
                last_modified: at,
                device_id: "",
                device_name: "",
            }
        }),
        id: row.id,
        series_id: row.series,
        series_title: row.series_title,
        library_id: row.library_shown,
        name,
        url: if admin { shown(&row.path) } else { file },
        number: row.place,
        created,
        last_modified,
        file_last_modified: instant(row.modified_at),
        size_bytes: row.size,
        size: size(row.size),
        deleted: row.state == ItemState::Trashed,
        file_hash: "",
        oneshot: row.one_shot,
    }
}

fn media(row: &ShelfBook) -> Media {
    let format = row.format.as_deref().and_then(Format::named);
    let broken = matches!(row.state, ItemState::Unreadable | ItemState::Damaged) || row.problem.is_some();
    Media {
        status: if broken { "ERROR" } else { "READY" },
        media_type: format.map_or("", Format::media_type),
        pages_count: row.pages,
        comment: row.problem.clone().unwrap_or_default(),
        epub_divina_compatible: row.divina_compatible,
        epub_is_kepub: false,
        media_profile: format.map_or("", |format| match format.media_profile() {
            MediaProfile::Divina => "DIVINA",
            MediaProfile::Pdf => "PDF",
            MediaProfile::Epub => "EPUB",
        }),
    }
}

/// `PageDto`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct PageDto {
    number: u32,
    file_name: String,
    media_type: &'static str,
    width: Option<u32>,
    height: Option<u32>,
    size_bytes: Option<u64>,
    size: String,
}

/// A page of a book.
pub(super) fn page(page: Page) -> PageDto {
    PageDto {
        number: page.number,
        file_name: page.name,
        media_type: page.media_type.media_type(),
        width: page.width,
        height: page.height,
        size_bytes: Some(page.size),
        size: size(page.size),
    }
}
