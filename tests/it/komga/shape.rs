//! Whether an answer has every field, each of its type: its clients refuse one that lacks any.
use serde_json::{Value, json};

use super::{Reader, book_ids, scene, series_id};

/// Holds a value against a shape: words name types (`?` allows null), a list holds the shape of its items, an object has these
/// fields at least. Returns what is wrong.
pub fn faults(shape: &Value, value: &Value, at: &str) -> Vec<String> {
    match shape {
        Value::String(word) => {
            let (word, nullable) = word.strip_suffix('?').map_or((word.as_str(), false), |word| (word, true));
            let right = match word {
                "string" => value.is_string(),
                "int" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                "bool" => value.is_boolean(),
                "instant" => value.as_str().is_some_and(is_instant),
                other => panic!("no such type: {other}"),
            };
            if right || nullable && value.is_null() { vec![] } else { vec![format!("{at} is {value}, not {word}")] }
        }
        Value::Array(items) => match value.as_array() {
            Some(values) => values.iter().flat_map(|value| faults(&items[0], value, &format!("{at}[]"))).collect(),
            None => vec![format!("{at} is no list")],
        },
        Value::Object(fields) => {
            let field = |(name, shape): (&String, &Value)| match value.get(name) {
                Some(value) => faults(shape, value, &format!("{at}.{name}")),
                None => vec![format!("{at}.{name} is missing")],
            };
            fields.iter().flat_map(field).collect()
        }
        other => panic!("no shape: {other}"),
    }
}

fn is_instant(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

pub fn page_of(content: Value) -> Value {
    let sort = json!({"empty": "bool", "sorted": "bool", "unsorted": "bool"});
    json!({"content": [content], "pageable": {"pageNumber": "int", "pageSize": "int", "sort": sort, "offset": "int",
        "paged": "bool", "unpaged": "bool"}, "last": "bool", "totalElements": "int", "totalPages": "int", "first": "bool",
        "size": "int", "number": "int", "sort": sort, "numberOfElements": "int", "empty": "bool"})
}

pub fn series() -> Value {
    let mut metadata = json!({"created": "instant", "lastModified": "instant", "alternateTitles": [{"label": "string", "title": "string"}],
        "links": [{"label": "string", "url": "string"}], "genres": ["string"], "tags": ["string"], "sharingLabels": ["string"],
        "ageRating": "int?", "totalBookCount": "int?"});
    for name in ["status", "title", "titleSort", "summary", "readingDirection", "publisher", "language"] {
        metadata[name] = "string".into();
    }
    for name in [
        "status",
        "title",
        "titleSort",
        "summary",
        "readingDirection",
        "publisher",
        "ageRating",
        "language",
        "genres",
        "tags",
        "totalBookCount",
        "sharingLabels",
        "links",
        "alternateTitles",
    ] {
        metadata[format!("{name}Lock")] = "bool".into();
    }
    json!({"id": "string", "libraryId": "string", "name": "string", "url": "string", "created": "instant", "lastModified": "instant",
        "fileLastModified": "instant", "booksCount": "int", "booksReadCount": "int", "booksUnreadCount": "int",
        "booksInProgressCount": "int", "metadata": metadata, "deleted": "bool", "oneshot": "bool",
        "booksMetadata": {"authors": [{"name": "string", "role": "string"}], "tags": ["string"], "releaseDate": "string?",
            "summary": "string", "summaryNumber": "string", "created": "instant", "lastModified": "instant"}})
}

pub fn book() -> Value {
    let mut metadata = json!({"title": "string", "summary": "string", "number": "string", "numberSort": "number",
        "releaseDate": "string?", "authors": [{"name": "string", "role": "string"}], "tags": ["string"], "isbn": "string",
        "links": [{"label": "string", "url": "string"}], "created": "instant", "lastModified": "instant"});
    for name in ["title", "summary", "number", "numberSort", "releaseDate", "authors", "tags", "isbn", "links"] {
        metadata[format!("{name}Lock")] = "bool".into();
    }
    json!({"id": "string", "seriesId": "string", "seriesTitle": "string", "libraryId": "string", "name": "string", "url": "string",
        "number": "int", "created": "instant", "lastModified": "instant", "fileLastModified": "instant", "sizeBytes": "int",
        "size": "string", "deleted": "bool", "fileHash": "string", "oneshot": "bool", "metadata": metadata,
        "media": {"status": "string", "mediaType": "string", "pagesCount": "int", "comment": "string",
            "epubDivinaCompatible": "bool", "epubIsKepub": "bool", "mediaProfile": "string"}})
}

pub fn progress() -> Value {
    json!({"page": "int", "completed": "bool", "readDate": "instant", "created": "instant", "lastModified": "instant",
        "deviceId": "string", "deviceName": "string"})
}

pub fn collection() -> Value {
    json!({"id": "string", "name": "string", "ordered": "bool", "seriesIds": ["string"], "createdDate": "instant",
        "lastModifiedDate": "instant", "filtered": "bool"})
}

pub fn read_list() -> Value {
    json!({"id": "string", "name": "string", "summary": "string", "ordered": "bool", "bookIds": ["string"],
        "createdDate": "instant", "lastModifiedDate": "instant", "filtered": "bool"})
}

pub fn library() -> Value {
    let mut shape = json!({"id": "string", "name": "string", "root": "string", "scanInterval": "string",
        "scanDirectoryExclusions": ["string"], "seriesCover": "string", "oneshotsDirectory": "string?"});
    for name in [
        "importComicInfoBook",
        "importComicInfoSeries",
        "importComicInfoCollection",
        "importComicInfoReadList",
        "importComicInfoSeriesAppendVolume",
        "importEpubBook",
        "importEpubSeries",
        "importMylarSeries",
        "importLocalArtwork",
        "importBarcodeIsbn",
        "scanForceModifiedTime",
        "scanOnStartup",
        "scanCbx",
        "scanPdf",
        "scanEpub",
        "repairExtensions",
        "convertToCbz",
        "emptyTrashAfterScan",
        "hashFiles",
        "hashPages",
        "hashKoreader",
        "analyzeDimensions",
        "unavailable",
    ] {
        shape[name] = "bool".into();
    }
    assert_eq!(shape.as_object().unwrap().len(), 30);
    shape
}

async fn check(reader: &Reader, path: &str, shape: Value) {
    let value = reader.json(path).await;
    assert_eq!(faults(&shape, &value, path), Vec::<String>::new());
}

#[tokio::test]
async fn every_answer_has_every_field_of_its_type() {
    let (node, reader) = scene().await;
    let id = series_id(&reader, "Étoile").await;
    let books = book_ids(&reader, &id).await;
    let words = json!(["string"]);
    let author = json!({"name": "string", "role": "string"});
    for (path, shape) in [
        ("/api/v1/libraries".to_owned(), json!([library()])),
        ("/api/v1/series".to_owned(), page_of(series())),
        ("/api/v1/series?unpaged=true".to_owned(), page_of(series())),
        (format!("/api/v1/series/{id}"), series()),
        (format!("/api/v1/series/{id}/books?unpaged=true&media_status=READY&deleted=false"), page_of(book())),
        (format!("/api/v1/series/{id}/collections"), json!([collection()])),
        ("/api/v1/books".to_owned(), page_of(book())),
        (format!("/api/v1/books/{}", books[0]), book()),
        (
            format!("/api/v1/books/{}/pages", books[0]),
            json!([{"number": "int", "fileName": "string", "mediaType": "string", "width": "int?", "height": "int?",
                "sizeBytes": "int?", "size": "string"}]),
        ),
        ("/api/v1/collections?unpaged=true".to_owned(), page_of(collection())),
        ("/api/v1/readlists".to_owned(), page_of(read_list())),
        ("/api/v1/genres".to_owned(), words.clone()),
        ("/api/v1/tags".to_owned(), words.clone()),
        ("/api/v1/publishers".to_owned(), words.clone()),
        ("/api/v1/languages".to_owned(), words.clone()),
        ("/api/v1/age-ratings".to_owned(), words.clone()),
        ("/api/v1/series/release-dates".to_owned(), words),
        ("/api/v1/authors".to_owned(), json!([author])),
        ("/api/v2/authors".to_owned(), page_of(author)),
        (
            "/api/v2/users/me".to_owned(),
            json!({"id": "string", "email": "string", "roles": ["string"], "sharedAllLibraries": "bool",
                "sharedLibrariesIds": ["string"], "labelsAllow": ["string"], "labelsExclude": ["string"], "ageRestriction": "int?"}),
        ),
        (
            format!("/api/v2/series/{id}/read-progress/tachiyomi"),
            json!({"booksCount": "int", "booksReadCount": "int", "booksUnreadCount": "int", "booksInProgressCount": "int",
                "lastReadContinuousNumberSort": "number", "maxNumberSort": "number"}),
        ),
    ] {
        check(&reader, &path, shape).await;
    }
    let one = reader.json(&format!("/api/v1/books/{}", books[0])).await;
    assert!(one["readProgress"].is_null() && one.get("readProgress").is_some(), "null is sent");
    node.stop().await;
}

#[test]
fn a_missing_field_and_a_wrong_type_are_found() {
    let shape = json!({"a": "int", "b": ["string?"], "c": "instant"});
    let value = json!({"a": 1.5, "b": ["x", null, 3], "c": "2026-01-01T10:00:00Z"});
    assert_eq!(faults(&shape, &value, "").len(), 2);
    assert_eq!(faults(&shape, &json!({"a": 1, "b": []}), "").len(), 1);
}
