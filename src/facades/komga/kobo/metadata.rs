//! Books as a Kobo knows them: what is said of one, its file and its cover.
use std::path::Path as FilePath;

use axum::Json as Answer;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::Home;
use crate::accounts::Caller;
use crate::catalog::Listed;
use crate::catalog::shelves::{ShelfBook, ShelfSeries};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, IfNoneMatch, Path, SeenItem};
use crate::facades::komga::{dates, files, thumbnails};
use crate::media::book::Format;

/// A category and a genre, which Kobo has and we do not.
const NO_CATEGORY: &str = "00000000-0000-0000-0000-000000000001";
/// Sizes of covers that are made, pixels of the longer side: devices have many, and each would be kept.
const SIDES: [u32; 4] = [300, 600, 1200, 1900];

/// An EPUB that the caller may see.
pub(super) async fn epub(app: &App, caller: &Caller, item: &Listed) -> Result<ShelfBook, Refusal> {
    let book = app.node().catalog().one_book(&item.item.id, caller.id()).await?;
    match book.format.as_deref().and_then(Format::named) {
        Some(Format::Epub) => Ok(book),
        _ => Err(Refusal::absent("only EPUBs are for Kobo readers")),
    }
}

/// What is said of a book, as a list of one.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    home: Home,
) -> Result<Answer<[Value; 1]>, Refusal> {
    let book = epub(&app, &caller, &item).await?;
    let series = app.node().catalog().one_series(&book.series, caller.id()).await.ok();
    Ok(Answer([said(&home, &book, series.as_ref())]))
}

/// The file, as it is on disk: `convert_kepub` is not looked at.
pub(in crate::facades) async fn file(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    request: Request,
) -> Result<Response, Refusal> {
    epub(&app, &caller, &item).await?;
    files::show(State(app), SeenItem(item), request).await
}

/// The cover, in colour whatever was asked for: devices show it in their own greys.
pub(in crate::facades) async fn image(
    State(app): State<App>,
    SeenItem(seen): SeenItem,
    Path(places): Path<std::collections::HashMap<String, String>>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let cover = thumbnails::cover(&seen.item).ok_or_else(|| Refusal::absent("there is no cover"))?;
    let pixels = |name: &str| places.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    let side = side_of(pixels("width"), pixels("height"));
    thumbnails::sized(&app, cover, side, &known, "max-age=0, must-revalidate, private").await
}

fn side_of(width: u32, height: u32) -> u32 {
    let wanted = width.max(height);
    SIDES.into_iter().find(|side| *side >= wanted).unwrap_or(SIDES[SIDES.len() - 1])
}

/// `BookMetadata`.
pub(super) fn said(home: &Home, book: &ShelfBook, series: Option<&ShelfSeries>) -> Value {
    let id = &book.id;
    let names = names(book);
    let mut said = json!({
        "Categories": [NO_CATEGORY],
        "ContributorRoles": names.iter().map(|name| json!({"Name": name})).collect::<Vec<_>>(),
        "Contributors": names,
        "CoverImageId": id,
        "CrossRevisionId": id,
        "CurrentDisplayPrice": {"CurrencyCode": "USD", "TotalAmount": 0},
        "CurrentLoveDisplayPrice": {"TotalAmount": 0},
        "Description": book.summary,
        "DownloadUrls": [{
            "Format": format(&book.path, book.divina_compatible),
            "Size": book.size,
            "Url": home.at(&format!("/v1/books/{id}/file/epub")),
            "DrmType": "None",
            "Platform": "Generic",
        }],
        "EntitlementId": id,
        "ExternalIds": [],
        "Genre": NO_CATEGORY,
        "IsEligibleForKoboLove": false,
        "IsInternetArchive": false,
        "IsPreOrder": false,
        "IsSocialEnabled": true,
        "Language": language(series.map_or("", |series| &series.language)),
        "PhoneticPronunciations": {},
        "Publisher": {"Imprint": "", "Name": series.map_or("", |series| &series.publisher)},
        "RevisionId": id,
        "Title": book.title,
        "WorkId": id,
    });
    if !book.isbn.is_empty() {
        said["Isbn"] = book.isbn.as_str().into();
    }
    if let Some(date) = book.released.as_deref().filter(|date| date.len() == 10) {
        said["PublicationDate"] = format!("{date}T00:00:00Z").into();
    }
    if !book.one_shot && !book.series.is_empty() {
        let number = if book.number.is_empty() { book.place.to_string() } else { book.number.clone() };
        said["Series"] =
            json!({"Id": book.series, "Name": book.series_title, "Number": number, "NumberFloat": book.number_sort});
    }
    said
}

/// Who wrote it; where nobody did, all who made it.
fn names(book: &ShelfBook) -> Vec<&str> {
    let named = |wrote: bool| {
        let mut names: Vec<&str> = Vec::new();
        for author in
            book.authors.iter().filter(|author| !wrote || ["writer", "author"].contains(&author.role.as_str()))
        {
            if !names.contains(&author.name.as_str()) {
                names.push(&author.name);
            }
        }
        names
    };
    Some(named(true)).filter(|names| !names.is_empty()).unwrap_or_else(|| named(false))
}

/// What is said of a book that is gone: no more than that there was one.
pub(super) fn gone(id: &str) -> Value {
    json!({"CoverImageId": id, "CrossRevisionId": id, "EntitlementId": id, "RevisionId": id, "WorkId": id, "Title": id,
        "DownloadUrls": [], "Contributors": [], "ContributorRoles": []})
}

/// `BookEntitlement`: that the account has it.
pub(super) fn entitlement(id: &str, (added_at, modified_at): (i64, i64), now: i64, removed: bool) -> Value {
    json!({
        "Accessibility": "Full",
        "ActivePeriod": {"From": dates::instant(now)},
        "Created": dates::instant(added_at),
        "CrossRevisionId": id,
        "Id": id,
        "IsHiddenFromArchive": false,
        "IsLocked": false,
        "IsRemoved": removed,
        "LastModified": dates::instant(modified_at),
        "OriginCategory": "Imported",
        "RevisionId": id,
        "Status": "Active",
    })
}

/// A file that somebody made for Kobos has their own name for it; one of pictures is shown over the whole screen.
fn format(path: &FilePath, pictures: bool) -> &'static str {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match name.ends_with(".kepub.epub") || name.ends_with(".kepub") {
        true => "KEPUB",
        false if pictures => "EPUB3FL",
        false => "EPUB3",
    }
}

/// Two letters.
fn language(tag: &str) -> String {
    let first: String = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if first.len() == 2 && first.bytes().all(|b| b.is_ascii_lowercase()) { first } else { "en".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_what_the_device_reads_it_as() {
        for (name, pictures, wanted) in [
            ("a.epub", false, "EPUB3"),
            ("a.epub", true, "EPUB3FL"),
            ("b/A.Kepub.EPUB", true, "KEPUB"),
            ("", false, "EPUB3"),
        ] {
            assert_eq!(format(FilePath::new(name), pictures), wanted, "{name}");
        }
    }

    #[test]
    fn a_language_has_two_letters_and_a_cover_one_of_a_few_sizes() {
        assert_eq!(["de-AT", "FR", "", "deu", "é"].map(language), ["de", "fr", "en", "en", "en"]);
        assert_eq!(
            [(0, 0), (355, 530), (1072, 1448), (u32::MAX, 1)].map(|(w, h)| side_of(w, h)),
            [300, 600, 1900, 1900]
        );
    }
}
