//! What is below `/komga` and is no call of the API: links that apps open in a browser, and all that is not covered.
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{BASE, covered};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::proxies::{Front, Mount};

/// No such part of Komga's API.
pub(in crate::facades) async fn absent(request: Request) -> Refusal {
    Refusal::absent(covered::reason(request.uri().path().trim_start_matches(BASE)))
}

/// Where Komga has its page: our own.
pub(in crate::facades) async fn front_page(State(app): State<App>, front: Option<Extension<Front>>) -> Response {
    to_page(&app, front, "/")
}

pub(super) fn to_page(app: &App, front: Option<Extension<Front>>, path: &str) -> Response {
    let place = front.map(|Extension(front)| page_at(app, &front)).unwrap_or_default();
    (StatusCode::FOUND, [(header::LOCATION, format!("{place}{path}"))]).into_response()
}

/// Where the page begins for this caller. Whoever came to Komga's own port finds it at the node's.
fn page_at(app: &App, front: &Front) -> String {
    let host = front.host.as_deref().and_then(|host| host.parse::<axum::http::uri::Authority>().ok());
    match (front.mount, app.listeners().first(), host) {
        (Mount::Komga, Some((scheme, address)), Some(host)) => format!("{scheme}://{}:{}", host.host(), address.port()),
        _ => front.prefix.clone(),
    }
}
