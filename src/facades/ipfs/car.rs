//! A DAG as a stream of CAR sections, several blocks fetched ahead.
use std::ops::Range;
use std::sync::Arc;

use ::bytes::Bytes;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use http::{HeaderValue, StatusCode};

use super::GatewayRequest;
use super::found::Found;
use super::refusal::refusal;
use super::request::Query;
use crate::blocks::dag::{DagError, Scope, Source as _, Walk, WalkOptions, file};
use crate::content::car::{header, section_prefix};
use crate::content::cid::{canonical, inline, sha256};
use crate::content::ranges;
use crate::facades::bytes::{self, Disposition};

/// Blocks that are fetched at the same time.
const AHEAD: usize = 16;

/// The CAR that proves the path and holds what is below its end.
pub(super) async fn answer(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let cid = found.last();
    let tag = bytes::etag(&found.led.cids[0], &form(found, query));
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let range = match &query.entity_bytes {
        Some(text) => match range(found, text).await? {
            Some(range) => Some(range),
            None => return Ok(refusal(StatusCode::BAD_REQUEST, "entity-bytes is from:to")),
        },
        None => None,
    };
    let body = if request.method == Method::HEAD { Body::empty() } else { body(found, query, range).await? };
    let mut response = Response::new(body);
    let name = query.filename.clone().unwrap_or_else(|| format!("{}.car", canonical(&cid)));
    bytes::set(&mut response, ETAG, &tag);
    bytes::set(&mut response, CONTENT_DISPOSITION, &bytes::disposition(Disposition::Attachment(&name)));
    bytes::set(&mut response, CONTENT_TYPE, &content_type(query));
    response.headers_mut().insert(CACHE_CONTROL, found.cache.header());
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    Ok(response)
}

/// The order is always the same; who would take any is told what was asked for.
fn content_type(query: &Query) -> String {
    let (order, dups) = (if query.any_order { "unk" } else { "dfs" }, if query.again { "y" } else { "n" });
    format!("application/vnd.ipld.car; version=1; order={order}; dups={dups}")
}

/// The part of the entity tag that tells one CAR of a CID from another.
fn form(found: &Found, query: &Query) -> String {
    let what = format!("{:?} {:?} {:?} {}", found.led.cids, query.scope, query.entity_bytes, query.again);
    format!(".car.{}", data_encoding::BASE32_NOPAD.encode(&sha256(what.as_bytes())[..10]).to_lowercase())
}

/// The bytes of a file that `entity-bytes` asks for; a folder is one whatever is asked.
async fn range(found: &Found, text: &str) -> Result<Option<Range<u64>>, DagError> {
    let cid = found.last();
    match file::kind(&cid, &found.seen.block(&cid).await?) {
        Ok(file::Kind::File(size)) => Ok(ranges::entity_bytes(text, size)),
        _ => Ok(Some(0..u64::MAX)),
    }
}

/// The first block is read before it is begun.
async fn body(found: &Found, query: &Query, range: Option<Range<u64>>) -> Result<Body, DagError> {
    let mut begin = vec![Bytes::from(header(&found.led.cids[..1]))];
    for (cid, block) in found.led.proof.iter().filter(|(cid, _)| inline(cid).is_none()) {
        begin.extend([section_prefix(cid, block.len()).into(), block.clone()]);
    }
    // What lies in no range is the root alone.
    let scope = if range.as_ref().is_some_and(Range::is_empty) { Scope::Block } else { query.scope };
    let options = WalkOptions { scope, range, ahead: AHEAD, again: query.again, strict: false };
    let mut walk = Walk::new(Arc::clone(&found.seen) as _, found.last(), options);
    begin.extend(section(&mut walk).await?.into_iter().flatten());
    let rest = stream::try_unfold(walk, |mut walk| async move {
        let next = section(&mut walk).await?;
        Ok::<_, DagError>(next.map(|section| (stream::iter(section.map(Ok::<_, DagError>)), walk)))
    });
    Ok(Body::from_stream(stream::iter(begin.into_iter().map(Ok)).chain(rest.try_flatten())))
}

/// What comes before a block, and the block. What is in its own name has no section.
async fn section(walk: &mut Walk) -> Result<Option<[Bytes; 2]>, DagError> {
    while let Some(step) = walk.next().await? {
        if inline(&step.cid).is_none() {
            return Ok(Some([section_prefix(&step.cid, step.block.len()).into(), step.block]));
        }
    }
    Ok(None)
}
