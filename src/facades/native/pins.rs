//! Content from elsewhere that is kept: CARs come in, and are given back.
use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::model::{Pin, Problem};
use crate::blocks;
use crate::content::cid::parse;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Path, Query};

/// Pieces of a body that wait to be written.
const WAITING: usize = 16;
/// Letters of a name.
const NAME_MAX: usize = 255;

/// What to call a pin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(in crate::facades) struct Named {
    /// Such as the name of the file.
    name: String,
}

/// Everything that is pinned, oldest first.
#[utoipa::path(get, path = "/api/v1/pins", tag = "content", responses((status = 200, body = Vec<Pin>)))]
pub(in crate::facades) async fn list(State(app): State<App>) -> axum::Json<Vec<Pin>> {
    axum::Json(app.node().elsewhere().fetched().pins().into_iter().map(shape).collect())
}

/// Takes a CAR in, version 1 or 2, and keeps what is in it. Of one that is not right, nothing is kept.
#[utoipa::path(post, path = "/api/v1/pins", tag = "content", params(Named),
    request_body(content = Vec<u8>, content_type = "application/vnd.ipld.car"),
    responses((status = 201, body = Pin), (status = 400, body = Problem), (status = 507, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Query(named): Query<Named>,
    body: Body,
) -> Result<(StatusCode, axum::Json<Pin>), Refusal> {
    let (sender, mut receiver) = mpsc::channel::<io::Result<bytes::Bytes>>(WAITING);
    let fetched = app.node().elsewhere().fetched().clone();
    let name: String = named.name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    let now = jiff::Timestamp::now().as_millisecond();
    let taking =
        tokio::task::spawn_blocking(move || fetched.take(std::iter::from_fn(|| receiver.blocking_recv()), name, now));
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        // Who takes it in may have found out already that it is not right.
        if sender.send(piece.map_err(io::Error::other)).await.is_err() {
            break;
        }
    }
    drop(sender);
    let pin = taking.await.map_err(|_| Refusal::unavailable("the node is stopping"))??;
    Ok((StatusCode::CREATED, axum::Json(shape(pin))))
}

/// Gives back what was kept under this root.
#[utoipa::path(delete, path = "/api/v1/pins/{cid}", tag = "content", params(("cid" = String, Path)),
    responses((status = 200, body = Pin), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(
    State(app): State<App>,
    Path(cid): Path<String>,
) -> Result<axum::Json<Pin>, Refusal> {
    let cid = parse(&cid).map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(axum::Json(shape(app.node().elsewhere().fetched().unpin(&cid).await?)))
}

fn shape(pin: blocks::Pin) -> Pin {
    let blocks::Pin { roots, name, added_at, blocks, bytes } = pin;
    let roots: Vec<String> = roots.iter().map(ToString::to_string).collect();
    Pin { cid: roots.first().cloned().unwrap_or_default(), roots, name, added_at, blocks, bytes }
}
