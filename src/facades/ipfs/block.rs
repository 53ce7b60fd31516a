//! One block, as it is.
use ::bytes::Bytes;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::{HeaderMap, Method};

use super::GatewayRequest;
use super::found::Found;
use super::request::{Format, Query};
use crate::blocks::dag::{DagError, Source as _};
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::facades::bytes::{self, Cache, Disposition, Shown};

/// The block at the end of the path.
pub(super) async fn raw(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let cid = found.last();
    let tag = bytes::etag(&cid, ".raw");
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let block = found.seen.block(&cid).await?;
    let name = query.filename.clone().unwrap_or_else(|| format!("{}.bin", canonical(&cid)));
    Ok(attachment(request, &tag, found.cache, Format::Raw.media_type(), &name, block))
}

/// Bytes that are in memory, to be saved and not to be shown.
pub(super) fn attachment(
    request: &GatewayRequest<'_>,
    tag: &str,
    cache: Cache,
    kind: &str,
    name: &str,
    content: Bytes,
) -> Response {
    let shown = Shown { tag, content_type: kind, disposition: Disposition::Attachment(name), cache };
    in_memory(request.method, request.headers, &shown, content)
}

/// Bytes that are in memory, whole or in part.
pub(super) fn in_memory(method: &Method, headers: &HeaderMap, shown: &Shown<'_>, content: Bytes) -> Response {
    let size = content.len() as u64;
    bytes::part(method, headers, shown, size, |range| {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
        Body::from(content.slice(place(range.start)..place(range.end)))
    })
}

/// A stream that begins with what was read of it already.
pub(super) fn begun(
    mut pieces: BoxStream<'static, Result<Bytes, DagError>>,
) -> futures_util::future::BoxFuture<'static, Result<Body, DagError>> {
    Box::pin(async move {
        let first = pieces.next().await.transpose()?;
        Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(pieces)))
    })
}

/// The answer with a block that came from elsewhere and was checked, to one who may see it.
#[must_use]
pub fn block(cid: &Cid, block: Bytes) -> Response {
    let name = format!("{}.bin", canonical(cid));
    let tag = bytes::etag(cid, ".raw");
    let (content_type, disposition) = (Format::Raw.media_type(), Disposition::Attachment(&name));
    let shown = Shown { tag: &tag, content_type, disposition, cache: Cache::Private };
    in_memory(&Method::GET, &HeaderMap::new(), &shown, block)
}

/// The answer to one who may see a block and has it already.
#[must_use]
pub fn block_unchanged(cid: &Cid, headers: &HeaderMap) -> Option<Response> {
    let tag = bytes::etag(cid, ".raw");
    bytes::not_modified(headers, &tag).then(|| bytes::unchanged(&tag, Cache::Private))
}
