//! One block of an item's file, or of something that is made from it.
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::model::Problem;
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Path, SeenItem};
use crate::facades::ipfs::{Gate, Gateway, GatewayRequest, Namespace, Sight};

/// A block of the item's file, or of a segment of it, by CID. The caller checks that the bytes hash to it.
#[utoipa::path(get, path = "/api/v1/items/{id}/blocks/{cid}", tag = "playback",
    params(("id" = String, Path), ("cid" = String, Path)),
    responses((status = 200, content_type = "application/vnd.ipld.raw"), (status = 304), (status = 400),
        (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    path: Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Path((_, cid)) = path;
    let root = item.item.file.as_ref().and_then(|file| file.cid).ok_or_else(Refusal::not_found)?;
    let (method, headers) = (request.method(), request.headers());
    let (query, namespace) = (Some("format=raw"), Namespace::Ipfs);
    let asked = GatewayRequest { method, headers, query, namespace, root: &cid, path: "", own_origin: false };
    let gateway = Gateway::new(app.node().blocks().clone(), None);
    Ok(gateway.get(Arc::new(OfFile(canonical(&root))), asked).await)
}

/// Shows what belongs to one file and nothing else.
struct OfFile(Cid);

impl Gate for OfFile {
    fn sight<'a>(&'a self, roots: &'a [Cid]) -> BoxFuture<'a, Sight> {
        let belongs = roots.iter().any(|root| canonical(root) == self.0);
        async move { if belongs { Sight::Private } else { Sight::Hidden } }.boxed()
    }
}
