//! Data that is no file: DAG-CBOR, DAG-JSON and their plain forms, as they are or in another form.
use ::bytes::Bytes;
use axum::response::Response;

use super::found::Found;
use super::refusal::refusal;
use super::request::{Format, Query};
use super::{GatewayRequest, block, file, listing};
use crate::blocks::dag::{DagError, Source as _};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, RAW, canonical};
use crate::content::ipld::{self, CBOR, DAG_CBOR, DAG_JSON, IpldError, JSON};
use crate::facades::bytes::{self, Disposition, Shown};

/// The data at the end of the path in the form that is asked for.
pub(super) async fn answer(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let codec = canonical(&found.last()).codec();
    // A file is JSON or is not, whatever is asked for.
    if matches!(query.format, Format::Json | Format::Cbor) && matches!(codec, RAW | DAG_PB) {
        return file::answer(found, request, query).await;
    }
    let to = match query.format {
        Format::DagCbor | Format::Cbor => DAG_CBOR,
        _ => DAG_JSON,
    };
    let as_is = matches!((query.format, codec), (Format::Json, JSON) | (Format::Cbor, CBOR));
    shown(found, request, query, if as_is { None } else { Some(to) }, query.format).await
}

/// The data at the end of the path as it is, or a page about it where a browser asks.
pub(super) async fn plain(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let format = match canonical(&found.last()).codec() {
        DAG_CBOR => Format::DagCbor,
        DAG_JSON => Format::DagJson,
        CBOR => Format::Cbor,
        _ => Format::Json,
    };
    if query.html && matches!(format, Format::DagCbor | Format::DagJson) {
        return Ok(listing::of_data(found, request));
    }
    shown(found, request, query, None, format).await
}

async fn shown(
    found: &Found,
    request: &GatewayRequest<'_>,
    query: &Query,
    to: Option<u64>,
    format: Format,
) -> Result<Response, DagError> {
    let cid = found.last();
    let form = if query.format == Format::Plain { String::new() } else { format!(".{}", format.name()) };
    let tag = bytes::etag(&cid, &form);
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let block = found.seen.block(&cid).await?;
    let content = match to.map(|to| convert(&cid, &block, to)).transpose() {
        Ok(converted) => converted.unwrap_or(block),
        Err(IpldError::UnknownCodec(_) | IpldError::Reserved) => {
            return Ok(refusal(http::StatusCode::NOT_ACCEPTABLE, "this data cannot be given in that form"));
        }
        Err(error) => return Err(DagError::Malformed { cid, reason: error.to_string() }),
    };
    let json = matches!(format, Format::Json | Format::DagJson);
    let usual = format!("{}.{}", canonical(&cid), if json { "json" } else { "cbor" });
    let name = query.filename.as_deref().unwrap_or(&usual);
    let disposition =
        if json && !query.download { Disposition::Inline(Some(name)) } else { Disposition::Attachment(name) };
    let shown = Shown { tag: &tag, content_type: format.media_type(), disposition, cache: found.cache };
    Ok(file::sandboxed(request, block::in_memory(request.method, request.headers, &shown, content)))
}

fn convert(cid: &Cid, block: &[u8], to: u64) -> Result<Bytes, IpldError> {
    ipld::convert(canonical(cid).codec(), block, to).map(Bytes::from)
}
