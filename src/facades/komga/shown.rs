//! Addresses of Komga's pages that apps open in a browser: our page of the same, or a plain one where ours has none.
use std::fmt::Write as _;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

use super::absent::to_page;
use super::lists;
use crate::accounts::Caller;
use crate::catalog::shelves::{ListKind, ShelfList};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Path};
use crate::facades::proxies::Front;

/// Items of a list that are named.
const NAMED_MAX: usize = 500;

/// The page of a series or a book, as Komga's own address of it: our page of the same.
pub(in crate::facades) async fn item(
    State(app): State<App>,
    front: Option<Extension<Front>>,
    Path(id): Path<String>,
) -> Response {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    to_page(&app, front, &format!("/item/{id}"))
}

/// What is in a read list, with links to our page of each.
pub(in crate::facades) async fn read_list(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    list(&app, &caller, ListKind::ReadList, &id).await
}

/// The same of a collection.
pub(in crate::facades) async fn collection(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    list(&app, &caller, ListKind::Collection, &id).await
}

/// Whoever sees nothing of it is told nothing of it, not even that it is there.
async fn list(app: &App, caller: &Caller, kind: ListKind, id: &str) -> Result<Response, Refusal> {
    let seen = match caller.account {
        Some(_) => lists::seen(app, caller, kind, id).await.ok(),
        None => None,
    };
    let body = match seen {
        Some(list) => contents(app, caller, &list).await?,
        None => "<p>This list is shown in your reading app. <a href=\"/\">Open the library</a>.</p>".to_owned(),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Potluck</title></head><body>{body}</body></html>"
    );
    let mut response = Html(page).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn contents(app: &App, caller: &Caller, list: &ShelfList) -> Result<String, Refusal> {
    let mut body = format!("<h1>{}</h1><p>{}</p><ol>", escaped(&list.name), escaped(&list.summary));
    for id in list.items.iter().take(NAMED_MAX) {
        let item = app.node().catalog().item(id, caller.id()).await?.item;
        // Writing into a text cannot fail.
        let _ = write!(body, "<li><a href=\"/item/{}\">{}</a></li>", escaped(&item.id), escaped(&item.title));
    }
    body.push_str("</ol>");
    Ok(body)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
