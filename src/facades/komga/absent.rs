//! What is below `/komga` and is no call of the API: links that apps open in a browser, and all that is not covered.
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{BASE, covered};
use crate::facades::error::Refusal;
use crate::facades::extract::Path;

/// No such part of Komga's API.
pub(in crate::facades) async fn absent(request: Request) -> Refusal {
    Refusal::absent(covered::reason(request.uri().path().trim_start_matches(BASE)))
}

/// The page of a series or a book, as Komga's own address of it: our page of the same.
pub(in crate::facades) async fn shown(Path(id): Path<String>) -> Response {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    (StatusCode::FOUND, [(header::LOCATION, format!("/item/{id}"))]).into_response()
}
