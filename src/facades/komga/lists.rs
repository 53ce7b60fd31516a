//! Collections of series and read lists of books. Everybody sees what they may see of them; admins change them.
use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::books::{self, BookPage};
use super::filters::{filter, of_books, of_series, search, seen_ids, wanted_ids};
use super::paging::{Page, Paging, order};
use super::params::Params;
use super::series::{self, SeriesPage};
use super::shapes::BookDto;
use super::{dates, shapes};
use crate::accounts::Caller;
use crate::catalog::shelves::{Condition, ListChange, ListKind, NewList, Order, ShelfFilter, ShelfList, ShelfSort};
use crate::catalog::sorting::fold;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};
use crate::library::ItemChange;
use crate::node::NodeEvent;

use ListKind::{Collection, ReadList};

/// Longest body of a list, bytes: some 50,000 ids.
const BODY_MAX: usize = 4 * 1024 * 1024;

fn shape(kind: ListKind, list: ShelfList) -> Value {
    let (created, changed) = (dates::instant(list.created_at), dates::instant(list.changed_at));
    let mut shape = json!({"id": list.id, "name": list.name, "ordered": list.ordered, "createdDate": created,
        "lastModifiedDate": changed, "filtered": list.filtered});
    match kind {
        Collection => shape["seriesIds"] = list.items.into(),
        ReadList => {
            shape["bookIds"] = list.items.into();
            shape["summary"] = list.summary.into();
        }
    }
    shape
}

/// The lists that hold an item.
pub(super) async fn holding(app: &App, caller: &Caller, kind: ListKind, item: String) -> Result<Vec<Value>, Refusal> {
    let libraries = seen_ids(app, caller).await?;
    let lists = app.node().catalog().lists(kind, libraries, Some(item)).await?;
    Ok(lists.into_iter().map(|list| shape(kind, list)).collect())
}

/// A list that the caller may see.
pub(super) async fn seen(app: &App, caller: &Caller, kind: ListKind, id: &str) -> Result<ShelfList, Refusal> {
    let libraries = seen_ids(app, caller).await?;
    Ok(app.node().catalog().list(kind, id, libraries).await?)
}

async fn all(app: &App, caller: &Caller, kind: ListKind, params: &Params) -> Result<Answer<Page<Value>>, Refusal> {
    let libraries = wanted_ids(app, caller, params).await?;
    let mut lists = app.node().catalog().lists(kind, libraries, None).await?;
    if let Some(text) = search(params) {
        let text = fold(text);
        lists.retain(|list| text.split_whitespace().all(|word| fold(&list.name).contains(word)));
    }
    if kind == ReadList {
        sort(&mut lists, params);
    }
    let paging = Paging::of(params);
    Ok(Answer(paging.page(paging.cut(lists), |list| shape(kind, list))))
}

fn sort(lists: &mut [ShelfList], params: &Params) {
    let Some(first) = order(params, None).into_iter().next() else { return };
    match first.by {
        ShelfSort::Added => lists.sort_by_key(|list| list.created_at),
        ShelfSort::Changed => lists.sort_by_key(|list| list.changed_at),
        ShelfSort::Title => {}
        _ => return,
    }
    if first.descending {
        lists.reverse();
    }
}

/// All collections.
pub(in crate::facades) async fn collections(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Answer<Page<Value>>, Refusal> {
    all(&app, &caller, Collection, &params).await
}

/// All read lists.
pub(in crate::facades) async fn read_lists(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Answer<Page<Value>>, Refusal> {
    all(&app, &caller, ReadList, &params).await
}

/// One collection.
pub(in crate::facades) async fn collection(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    Ok(Answer(shape(Collection, seen(&app, &caller, Collection, &id).await?)))
}

/// One read list.
pub(in crate::facades) async fn read_list(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    Ok(Answer(shape(ReadList, seen(&app, &caller, ReadList, &id).await?)))
}

/// The series of a collection, in its order or by title.
pub(in crate::facades) async fn series_of(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    params: Params,
) -> SeriesPage {
    let list = seen(&app, &caller, Collection, &id).await?;
    let by = if list.ordered { ShelfSort::Place(id.clone()) } else { ShelfSort::Title };
    let condition = Condition::All(vec![Condition::Collection(id), of_series(&params)?]);
    let order = vec![Order { by, descending: false }];
    let filter = ShelfFilter { order, ..filter(&app, &caller, condition).await? };
    series::page(&app, &caller, Paging::of(&params), filter).await
}

async fn books_filter(app: &App, caller: &Caller, list: &ShelfList, more: Condition) -> Result<ShelfFilter, Refusal> {
    let by = if list.ordered { ShelfSort::Place(list.id.clone()) } else { ShelfSort::Released };
    let condition = Condition::All(vec![Condition::ReadList(list.id.clone()), more]);
    let order = vec![Order { by, descending: false }];
    Ok(ShelfFilter { order, ..filter(app, caller, condition).await? })
}

/// The books of a read list, in its order or by date of release.
pub(in crate::facades) async fn books_of(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    params: Params,
) -> BookPage {
    let list = seen(&app, &caller, ReadList, &id).await?;
    let filter = books_filter(&app, &caller, &list, of_books(&params)?).await?;
    books::page(&app, &caller, Paging::of(&params), filter).await
}

/// The book before one in a read list; 404 for the first.
pub(in crate::facades) async fn previous(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(ids): Path<(String, String)>,
) -> Result<Answer<BookDto>, Refusal> {
    beside(&app, &caller, &ids, |at| at.checked_sub(1)).await
}

/// The book after one in a read list; 404 for the last.
pub(in crate::facades) async fn next(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(ids): Path<(String, String)>,
) -> Result<Answer<BookDto>, Refusal> {
    beside(&app, &caller, &ids, |at| at.checked_add(1)).await
}

async fn beside(
    app: &App,
    caller: &Caller,
    (id, book): &(String, String),
    step: impl Fn(usize) -> Option<usize>,
) -> Result<Answer<BookDto>, Refusal> {
    let list = seen(app, caller, ReadList, id).await?;
    // By whichever of its ids it was asked for.
    let here = app.node().catalog().one_book(book, caller.id()).await?.id;
    let at = list.items.iter().position(|item| *item == here).ok_or_else(Refusal::not_found)?;
    let wanted = step(at).and_then(|at| list.items.get(at)).ok_or_else(Refusal::not_found)?;
    let row = app.node().catalog().one_book(wanted, caller.id()).await?;
    Ok(Answer(shapes::book(row, caller.is_admin())))
}

/// What is said of a list; absent stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct Body {
    name: Option<String>,
    summary: Option<String>,
    ordered: Option<bool>,
    series_ids: Option<Vec<String>>,
    book_ids: Option<Vec<String>>,
}

impl Body {
    fn items(&mut self, kind: ListKind) -> Option<Vec<String>> {
        match kind {
            Collection => self.series_ids.take(),
            ReadList => self.book_ids.take(),
        }
    }
}

async fn add(app: &App, caller: &Caller, kind: ListKind, mut body: Body) -> Result<Answer<Value>, Refusal> {
    let items = body.items(kind).unwrap_or_default();
    let new = NewList {
        name: body.name.ok_or_else(|| Refusal::invalid("name: must not be empty"))?,
        summary: body.summary.unwrap_or_default(),
        ordered: body.ordered.unwrap_or(kind == ReadList),
        items,
    };
    let id = app.node().catalog().add_list(kind, new).await?;
    tell(app, kind, &id, ItemChange::Added).await?;
    Ok(Answer(shape(kind, seen(app, caller, kind, &id).await?)))
}

async fn change(app: &App, kind: ListKind, id: &str, mut body: Body) -> Result<StatusCode, Refusal> {
    let items = body.items(kind);
    let change = ListChange { name: body.name, summary: body.summary, ordered: body.ordered, items };
    app.node().catalog().change_list(kind, id, change).await?;
    tell(app, kind, id, ItemChange::Changed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(app: &App, kind: ListKind, id: &str) -> Result<StatusCode, Refusal> {
    let items = Arc::new(app.node().catalog().list_places(id).await?);
    app.node().catalog().remove_list(kind, id).await?;
    app.node().announce(NodeEvent::List { kind, id: id.to_owned(), items, change: ItemChange::Removed });
    Ok(StatusCode::NO_CONTENT)
}

async fn tell(app: &App, kind: ListKind, id: &str, change: ItemChange) -> Result<(), Refusal> {
    let items = Arc::new(app.node().catalog().list_places(id).await?);
    app.node().announce(NodeEvent::List { kind, id: id.to_owned(), items, change });
    Ok(())
}

macro_rules! changes {
    ($kind:ident $add:ident $change:ident $remove:ident) => {
        /// Makes one.
        pub(in crate::facades) async fn $add(
            State(app): State<App>,
            Asker(caller): Asker,
            Json(body): Json<Body, BODY_MAX>,
        ) -> Result<Answer<Value>, Refusal> {
            add(&app, &caller, $kind, body).await
        }

        /// Changes one.
        pub(in crate::facades) async fn $change(
            State(app): State<App>,
            Path(id): Path<String>,
            Json(body): Json<Body, BODY_MAX>,
        ) -> Result<StatusCode, Refusal> {
            change(&app, $kind, &id, body).await
        }

        /// Forgets one; what is in it stays.
        pub(in crate::facades) async fn $remove(
            State(app): State<App>,
            Path(id): Path<String>,
        ) -> Result<StatusCode, Refusal> {
            remove(&app, $kind, &id).await
        }
    };
}

changes! { Collection add_collection change_collection remove_collection }
changes! { ReadList add_read_list change_read_list remove_read_list }
