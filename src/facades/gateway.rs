//! Mounts the IPFS gateway: `/ipfs/{cid}` and `/ipfs/{cid}/{*path}`.
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;

use super::App;
use super::extract::{Path, SeenContent};
use super::ipfs::{GatewayRequest, get};

/// `GET /ipfs/{cid}`.
pub(super) async fn root(
    State(app): State<App>,
    SeenContent(gate): SeenContent,
    Path(cid): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let asked = GatewayRequest { method, headers, query: query.as_deref(), cid: &cid, path: "" };
    get(app.node().blocks(), &*gate, asked).await
}

/// `GET /ipfs/{cid}/{*path}`.
pub(super) async fn below(
    State(app): State<App>,
    SeenContent(gate): SeenContent,
    Path((cid, path)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let asked = GatewayRequest { method, headers, query: query.as_deref(), cid: &cid, path: &path };
    get(app.node().blocks(), &*gate, asked).await
}
