//! The words by which lists are filtered.
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::filters::wanted_ids;
use super::paging::{Page, Paging};
use super::params::Params;
use crate::accounts::Caller;
use crate::catalog::shelves::{Shelf, WordField, WordFilter};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;

/// The libraries that are asked for and may be seen, and what else narrows the words.
async fn filter(app: &App, caller: &Caller, params: &Params) -> Result<WordFilter, Refusal> {
    let libraries = wanted_ids(app, caller, params).await?;
    let one = |name: &str| params.one(name).filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(WordFilter {
        libraries,
        series: one("series_id"),
        collection: one("collection_id"),
        list: one("readlist_id"),
        shelf: None,
        role: one("role"),
        text: one("search"),
    })
}

async fn words(
    app: &App,
    caller: &Caller,
    params: &Params,
    field: WordField,
    shelf: Option<Shelf>,
) -> Result<Vec<(String, String)>, Refusal> {
    let filter = WordFilter { shelf, ..filter(app, caller, params).await? };
    Ok(app.node().catalog().shelf_words(field, filter).await?)
}

/// Words without their roles, each once; several spellings are several words.
async fn plain(
    app: &App,
    caller: &Caller,
    params: &Params,
    field: WordField,
    shelf: Option<Shelf>,
) -> Result<Json<Vec<String>>, Refusal> {
    let mut words: Vec<String> =
        words(app, caller, params, field, shelf).await?.into_iter().map(|(word, _)| word).collect();
    words.dedup();
    Ok(Json(words))
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident $field:ident $shelf:expr;)*) => {$(
        $(#[$doc])*
        pub(in crate::facades) async fn $name(
            State(app): State<App>,
            Asker(caller): Asker,
            params: Params,
        ) -> Result<Json<Vec<String>>, Refusal> {
            plain(&app, &caller, &params, WordField::$field, $shelf).await
        }
    )*};
}

lists! {
    /// Genres of series.
    genres Genre None;
    /// Tags of series and of books.
    tags Tag None;
    /// Tags of series.
    series_tags Tag Some(Shelf::Series);
    /// Tags of books.
    book_tags Tag Some(Shelf::Books);
    /// Publishers of series.
    publishers Publisher None;
    /// Languages of series.
    languages Language None;
    /// For whom series are.
    labels Label None;
    /// Names of those who made books.
    author_names Author None;
}

/// Those who made books, with what they did.
pub(in crate::facades) async fn authors(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Json<Vec<Value>>, Refusal> {
    let found = words(&app, &caller, &params, WordField::Author, None).await?;
    Ok(Json(found.into_iter().map(author).collect()))
}

/// The same, in pages.
pub(in crate::facades) async fn author_pages(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Json<Page<Value>>, Refusal> {
    let paging = Paging::of(&params);
    let found = words(&app, &caller, &params, WordField::Author, None).await?;
    Ok(Json(paging.page(paging.cut(found), author)))
}

fn author((name, role): (String, String)) -> Value {
    json!({"name": name, "role": role})
}

/// What people do for books.
pub(in crate::facades) async fn roles(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Json<Vec<String>>, Refusal> {
    let found = words(&app, &caller, &params, WordField::Author, None).await?;
    let mut roles: Vec<String> = found.into_iter().map(|(_, role)| role).collect();
    roles.sort();
    roles.dedup();
    Ok(Json(roles))
}

/// Age ratings; `None` is what has none.
pub(in crate::facades) async fn age_ratings(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Json<Vec<String>>, Refusal> {
    let libraries = filter(&app, &caller, &params).await?.libraries;
    let ratings = app.node().catalog().age_ratings(libraries).await?;
    Ok(Json(ratings.into_iter().map(|years| years.to_string()).collect()))
}

/// Years in which books came out, latest first.
pub(in crate::facades) async fn release_years(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Json<Vec<String>>, Refusal> {
    let libraries = filter(&app, &caller, &params).await?.libraries;
    Ok(Json(app.node().catalog().release_years(libraries).await?))
}
