//! What Komga has and a node has not: lists that are empty, in the shape that its programs read.
use axum::Json as Answer;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::paging::{Page, Paging};
use super::params::Params;
use crate::catalog::shelves::ShelfPage;

/// News of Komga's makers.
pub(in crate::facades) async fn announcements() -> Answer<Value> {
    Answer(json!({
        "version": "https://jsonfeed.org/version/1",
        "title": "Announcements",
        "home_page_url": null,
        "description": null,
        "items": [],
    }))
}

/// They are read, as there are none.
pub(in crate::facades) async fn read_announcements() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A list of which there is nothing.
pub(in crate::facades) async fn list() -> Answer<[(); 0]> {
    Answer([])
}

/// Pages of one.
pub(in crate::facades) async fn pages(params: Params) -> Answer<Page<Value>> {
    Answer(Paging::of(&params).page(ShelfPage { rows: Vec::new(), total: 0 }, |row| row))
}
