//! Series: lists of them, one, its books.
use axum::Json as Answer;
use axum::extract::State;
use serde_json::Value;

use super::filters::{filter, of_books, of_series, search};
use super::paging::{Page, Paging, order, order_in};
use super::params::Params;
use super::shapes::{BookDto, SeriesDto, book, series};
use super::{conditions, lists};
use crate::accounts::Caller;
use crate::catalog::shelves::{Condition, ListKind, Order, ShelfFilter, ShelfSort};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path, SeenItem};

/// A page of series.
pub(super) type SeriesPage = Result<Answer<Page<SeriesDto>>, Refusal>;

pub(super) async fn page(app: &App, caller: &Caller, paging: Paging, filter: ShelfFilter) -> SeriesPage {
    let filter = ShelfFilter { page: paging.part(), ..filter };
    let found = app.node().catalog().series_list(filter).await?;
    let admin = caller.is_admin();
    Ok(Answer(paging.page(found, |row| series(row, admin))))
}

/// Those that the query asks for.
pub(in crate::facades) async fn list(State(app): State<App>, Asker(caller): Asker, params: Params) -> SeriesPage {
    let order = order(&params, search(&params));
    let filter = ShelfFilter { order, ..filter(&app, &caller, of_series(&params)?).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// Those that the conditions of the body ask for.
pub(in crate::facades) async fn find(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
    Json(body): Json<Value>,
) -> SeriesPage {
    let (condition, typed) = conditions::of_body(&body)?;
    let order = order_in(&params, typed.as_deref(), conditions::list_of(&condition));
    let filter = ShelfFilter { order, ..filter(&app, &caller, condition).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

async fn newest(app: &App, caller: &Caller, params: &Params, by: ShelfSort, more: Option<Condition>) -> SeriesPage {
    let order = vec![Order { by, descending: true }];
    let condition = Condition::All(more.into_iter().chain([of_series(params)?]).collect());
    let filter = ShelfFilter { order, ..filter(app, caller, condition).await? };
    page(app, caller, Paging::of(params), filter).await
}

/// Those that came last.
pub(in crate::facades) async fn new(State(app): State<App>, Asker(caller): Asker, params: Params) -> SeriesPage {
    newest(&app, &caller, &params, ShelfSort::Added, None).await
}

/// Those that changed last.
pub(in crate::facades) async fn latest(State(app): State<App>, Asker(caller): Asker, params: Params) -> SeriesPage {
    newest(&app, &caller, &params, ShelfSort::Changed, None).await
}

/// Those that were here already and got something new.
pub(in crate::facades) async fn updated(State(app): State<App>, Asker(caller): Asker, params: Params) -> SeriesPage {
    newest(&app, &caller, &params, ShelfSort::Changed, Some(Condition::Updated)).await
}

/// One.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<SeriesDto>, Refusal> {
    let row = app.node().catalog().one_series(&id, caller.id()).await?;
    Ok(Answer(series(row, caller.is_admin())))
}

/// Its books, by number where no other order is asked for.
pub(in crate::facades) async fn books(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    params: Params,
) -> Result<Answer<Page<BookDto>>, Refusal> {
    // What is no series has no books.
    app.node().catalog().one_series(&item.item.id, caller.id()).await?;
    let condition = Condition::All(vec![Condition::Series(item.item.id.clone()), of_books(&params)?]);
    let paging = Paging::of(&params);
    let filter = filter(&app, &caller, condition).await?;
    let filter = ShelfFilter { order: order(&params, search(&params)), page: paging.part(), ..filter };
    let found = app.node().catalog().book_list(filter).await?;
    let admin = caller.is_admin();
    Ok(Answer(paging.page(found, |row| book(row, admin))))
}

/// The collections that it is in.
pub(in crate::facades) async fn collections(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Vec<Value>>, Refusal> {
    app.node().catalog().one_series(&id, caller.id()).await?;
    lists::holding(&app, &caller, ListKind::Collection, id).await.map(Answer)
}
