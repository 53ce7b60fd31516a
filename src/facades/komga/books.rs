//! Books: lists of them, one, those beside it.
use axum::Json as Answer;
use axum::extract::State;
use serde_json::Value;

use super::filters::{filter, of_books, search};
use super::paging::{Page, Paging, order, order_in};
use super::params::Params;
use super::shapes::{BookDto, book};
use super::{conditions, lists};
use crate::accounts::Caller;
use crate::catalog::shelves::{Condition, ListKind, Order, ShelfFilter, ShelfSort};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// A page of books.
pub(super) type BookPage = Result<Answer<Page<BookDto>>, Refusal>;

pub(super) async fn page(app: &App, caller: &Caller, paging: Paging, filter: ShelfFilter) -> BookPage {
    let filter = ShelfFilter { page: paging.part(), ..filter };
    let found = app.node().catalog().book_list(filter).await?;
    let admin = caller.is_admin();
    Ok(Answer(paging.page(found, |row| book(row, admin))))
}

/// Those that the query asks for.
pub(in crate::facades) async fn list(State(app): State<App>, Asker(caller): Asker, params: Params) -> BookPage {
    let order = order(&params, search(&params));
    let filter = ShelfFilter { order, ..filter(&app, &caller, of_books(&params)?).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// Those that the conditions of the body ask for.
pub(in crate::facades) async fn find(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
    Json(body): Json<Value>,
) -> BookPage {
    let (condition, typed) = conditions::of_body(&body)?;
    let order = order_in(&params, typed.as_deref(), conditions::list_of(&condition));
    let filter = ShelfFilter { order, ..filter(&app, &caller, condition).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// Those that came or changed last.
pub(in crate::facades) async fn latest(State(app): State<App>, Asker(caller): Asker, params: Params) -> BookPage {
    let order = vec![Order { by: ShelfSort::Changed, descending: true }];
    let filter = ShelfFilter { order, ..filter(&app, &caller, of_books(&params)?).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// What to read next, in the series that were read last.
pub(in crate::facades) async fn on_deck(State(app): State<App>, Asker(caller): Asker, params: Params) -> BookPage {
    let order = vec![Order { by: ShelfSort::SeriesRead, descending: true }];
    let filter = ShelfFilter { order, on_deck: true, ..filter(&app, &caller, of_books(&params)?).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// Those whose bytes another one has, too, for admins; the largest first where no other order is asked for.
pub(in crate::facades) async fn duplicates(State(app): State<App>, Asker(caller): Asker, params: Params) -> BookPage {
    let mut order = order(&params, None);
    order.push(Order { by: ShelfSort::Size, descending: true });
    let condition = Condition::All(vec![Condition::Copied, Condition::Not(Box::new(Condition::Trashed))]);
    let filter = ShelfFilter { order, ..filter(&app, &caller, condition).await? };
    page(&app, &caller, Paging::of(&params), filter).await
}

/// One.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<BookDto>, Refusal> {
    let row = app.node().catalog().one_book(&id, caller.id()).await?;
    Ok(Answer(book(row, caller.is_admin())))
}

/// The one before it in its series; 404 for the first.
pub(in crate::facades) async fn previous(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<BookDto>, Refusal> {
    beside(&app, &caller, &id, -1).await
}

/// The one after it in its series; 404 for the last.
pub(in crate::facades) async fn next(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<BookDto>, Refusal> {
    beside(&app, &caller, &id, 1).await
}

async fn beside(app: &App, caller: &Caller, id: &str, step: i64) -> Result<Answer<BookDto>, Refusal> {
    let here = app.node().catalog().one_book(id, caller.id()).await?;
    let place = i64::from(here.place).checked_sub(1).and_then(|place| place.checked_add(step));
    let place = place.and_then(|place| u64::try_from(place).ok()).filter(|_| here.place > 0);
    let place = place.ok_or_else(Refusal::not_found)?;
    let trashed = Condition::Not(Box::new(Condition::Trashed));
    let condition = Condition::All(vec![Condition::Series(here.series), trashed]);
    let filter = ShelfFilter { page: Some((1, place)), ..filter(app, caller, condition).await? };
    let found = app.node().catalog().book_list(filter).await?.rows.pop().ok_or_else(Refusal::not_found)?;
    Ok(Answer(book(found, caller.is_admin())))
}

/// The read lists that it is in.
pub(in crate::facades) async fn lists(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Vec<Value>>, Refusal> {
    app.node().catalog().one_book(&id, caller.id()).await?;
    lists::holding(&app, &caller, ListKind::ReadList, id).await.map(Answer)
}
