//! The IPFS gateway: `/ipfs/{cid}` and `/ipfs/{cid}/{path}`, trustless (`raw`, `car`) and plain.
//!
//! Source: the "HTTP gateway" specifications of IPFS (path gateway, trustless gateway, IPIP-402 for `dag-scope` and
//! `entity-bytes`).
//!
//! The invariant: **who may not see a block learns nothing**. What is not here, what is here but hidden, and a path that
//! leads nowhere get one and the same 404; permission is asked before any file is touched, and before entity tags are
//! compared.
mod car;
mod request;

use ::bytes::Bytes;
use axum::body::Body;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, RETRY_AFTER, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::bytes::{self, Cache, Disposition, FileAnswer};
use crate::blocks::{BlockError, Blocks};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, canonical};
use crate::content::unixfs::folder::{self, Step};
use crate::content::unixfs::node;
use request::{Format, Query};

pub use request::Scope;

/// Longest path that is followed, in names.
const NAMES_MAX: usize = 64;

/// What a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing: for this caller it does not exist.
    Hidden,
    /// It is for this caller.
    Private,
    /// It is for anyone.
    Public,
}

/// Decides what the caller of one request may see.
pub trait Gate: Send + Sync {
    /// `roots` are the library files that a block belongs to ([`crate::blocks::BlockStat::roots`]); none for a block that
    /// is not here.
    fn sight<'a>(&'a self, roots: &'a [Cid]) -> BoxFuture<'a, Sight>;
}

/// One `GET` or `HEAD` of the gateway.
#[derive(Debug, Clone, Copy)]
pub struct GatewayRequest<'a> {
    /// `GET` or `HEAD`.
    pub method: &'a Method,
    /// Of the request.
    pub headers: &'a HeaderMap,
    /// What stands after `?`.
    pub query: Option<&'a str>,
    /// The first name after `/ipfs/`.
    pub cid: &'a str,
    /// The rest, percent-decoded, without a leading slash; may be empty.
    pub path: &'a str,
}

/// Answers one request.
pub async fn get(blocks: &Blocks, gate: &dyn Gate, request: GatewayRequest<'_>) -> Response {
    let asked = crate::content::cid::parse(request.cid).map_err(|_| "this is not a CID");
    let parsed = asked.and_then(|cid| Ok((cid, Query::read(request.query, request.headers)?)));
    let (root, query) = match parsed {
        Ok(parsed) => parsed,
        Err(reason) => return refusal(StatusCode::BAD_REQUEST, reason),
    };
    match answer(blocks, gate, &request, root, &query).await {
        Ok(response) => response,
        Err(error) => failure(&error),
    }
}

async fn answer(
    blocks: &Blocks,
    gate: &dyn Gate,
    request: &GatewayRequest<'_>,
    root: Cid,
    query: &Query,
) -> Result<Response, BlockError> {
    let found = resolve(blocks, gate, root, request.path).await?;
    let mut response = match query.format {
        Format::Raw => raw(blocks, &found, request).await?,
        Format::Car => car(blocks, &found, request, query).await?,
        Format::Plain => plain(blocks, &found, request, query).await?,
    };
    let path = [request.cid, request.path].join("/");
    bytes::set(&mut response, HeaderName::from_static("x-ipfs-path"), &format!("/ipfs/{}", encode(&path)));
    bytes::set(&mut response, HeaderName::from_static("x-ipfs-roots"), &found.roots());
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept, authorization, cookie"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Where a path led.
struct Resolved {
    /// The CID of each name, the requested one first.
    cids: Vec<Cid>,
    /// Blocks that were read on the way, without the last CID's own: a CAR proves the path with them.
    proof: Vec<(Cid, Bytes)>,
    cache: Cache,
    /// The last name, for guessing a type.
    name: Option<String>,
}

impl Resolved {
    fn last(&self) -> Cid {
        self.cids[self.cids.len() - 1]
    }

    fn roots(&self) -> String {
        self.cids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Follows a path name by name, asking at each step whether the caller may see it.
async fn resolve(blocks: &Blocks, gate: &dyn Gate, root: Cid, path: &str) -> Result<Resolved, BlockError> {
    let mut cache = seen(blocks, gate, &root).await?;
    let (mut cids, mut proof, mut last) = (vec![root], Vec::new(), None);
    for (count, name) in path.split('/').filter(|name| !name.is_empty()).enumerate() {
        if count == NAMES_MAX {
            return Err(BlockError::NotFound(root));
        }
        let folder = cids[cids.len() - 1];
        let child = child(blocks, folder, name, &mut proof).await?;
        cache = seen(blocks, gate, &child).await?;
        cids.push(child);
        last = Some(name.to_owned());
    }
    Ok(Resolved { cids, proof, cache, name: last })
}

async fn seen(blocks: &Blocks, gate: &dyn Gate, cid: &Cid) -> Result<Cache, BlockError> {
    let roots = blocks.stat(cid).await?.map(|stat| stat.roots).unwrap_or_default();
    match gate.sight(&roots).await {
        _ if roots.is_empty() => Err(BlockError::NotFound(*cid)),
        Sight::Hidden => Err(BlockError::NotFound(*cid)),
        Sight::Private => Ok(Cache::Private),
        Sight::Public => Ok(Cache::Public),
    }
}

/// The CID under a name of a folder, through as many shards as it takes.
async fn child(blocks: &Blocks, folder: Cid, name: &str, proof: &mut Vec<(Cid, Bytes)>) -> Result<Cid, BlockError> {
    let nowhere = || BlockError::NotFound(folder);
    let mut at = folder;
    for depth in 0..folder::DEPTH_MAX {
        if canonical(&at).codec() != DAG_PB {
            return Err(nowhere());
        }
        let bytes = blocks.get(&at).await?;
        let node = node::decode(&bytes).map_err(|_| nowhere())?;
        proof.push((at, bytes));
        match folder::find(&node, name, depth) {
            Some(Step::Entry(cid)) => return Ok(cid),
            Some(Step::Shard(cid)) => at = cid,
            None => return Err(nowhere()),
        }
    }
    Err(nowhere())
}

async fn raw(blocks: &Blocks, found: &Resolved, request: &GatewayRequest<'_>) -> Result<Response, BlockError> {
    let cid = found.last();
    let tag = bytes::etag(&cid, ".raw");
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let response = whole_block(&cid, blocks.get(&cid).await?, found.cache);
    Ok(if request.method == Method::HEAD { response.map(|_| Body::empty()) } else { response })
}

fn whole_block(cid: &Cid, block: Bytes, cache: Cache) -> Response {
    let len = block.len();
    let mut response = Response::new(Body::from(block));
    response.headers_mut().insert(CONTENT_LENGTH, len.into());
    let name = format!("{}.bin", canonical(cid));
    trustless(&mut response, cache, &bytes::etag(cid, ".raw"), "application/vnd.ipld.raw", &name);
    response
}

/// The answer with a block that came from elsewhere and was checked, to one who may see it.
#[must_use]
pub fn block(cid: &Cid, block: Bytes) -> Response {
    whole_block(cid, block, Cache::Private)
}

/// The answer to one who may see a block and has it already.
#[must_use]
pub fn block_unchanged(cid: &Cid, headers: &HeaderMap) -> Option<Response> {
    let tag = bytes::etag(cid, ".raw");
    bytes::not_modified(headers, &tag).then(|| bytes::unchanged(&tag, Cache::Private))
}

async fn car(
    blocks: &Blocks,
    found: &Resolved,
    request: &GatewayRequest<'_>,
    query: &Query,
) -> Result<Response, BlockError> {
    let cid = found.last();
    let tag = bytes::etag(&found.cids[0], &car::form(found, query));
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let range = match &query.entity_bytes {
        Some(text) => match car::range(blocks, &cid, text).await? {
            Some(range) => Some(range),
            None => return Ok(refusal(StatusCode::BAD_REQUEST, "entity-bytes is from:to")),
        },
        None => None,
    };
    let body = match *request.method {
        Method::HEAD => Body::empty(),
        _ => car::body(blocks, found, query.scope, range).await?,
    };
    let mut response = Response::new(body);
    let name = format!("{}.car", canonical(&cid));
    trustless(&mut response, found.cache, &tag, "application/vnd.ipld.car; version=1; order=dfs; dups=y", &name);
    Ok(response)
}

fn trustless(response: &mut Response, cache: Cache, tag: &str, content_type: &'static str, name: &str) {
    bytes::set(response, ETAG, tag);
    bytes::set(response, CONTENT_DISPOSITION, &bytes::disposition(Disposition::Attachment(name)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, cache.header());
}

async fn plain(
    blocks: &Blocks,
    found: &Resolved,
    request: &GatewayRequest<'_>,
    query: &Query,
) -> Result<Response, BlockError> {
    let name = query.filename.as_deref().or(found.name.as_deref());
    let guess = name.and_then(|name| mime_guess::from_path(name).first_raw());
    let cid = found.last().to_string();
    let disposition = match query.download {
        true => Disposition::Attachment(name.unwrap_or(&cid)),
        false => Disposition::Inline(name),
    };
    let answer = FileAnswer {
        cid: found.last(),
        content_type: guess.unwrap_or("application/octet-stream"),
        disposition,
        cache: found.cache,
    };
    let mut response = bytes::file(blocks, answer, request.method, request.headers).await?;
    // A film may be an HTML file in truth. It must not run as a page of this node.
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    Ok(response)
}

/// What an error says to someone who may see the content; to all others it is the 404 before.
fn failure(error: &BlockError) -> Response {
    match error {
        BlockError::NotFound(_) | BlockError::NotAFile(_) => refusal(StatusCode::NOT_FOUND, "not found"),
        BlockError::Changed { .. } | BlockError::Cancelled => {
            let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, "the file is being read again");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
            response
        }
        BlockError::Damaged { .. } => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the file is damaged"),
        BlockError::Underived { .. } | BlockError::Io(_) | BlockError::Index(_) => {
            tracing::error!(%error, "a block could not be served");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "the block could not be read")
        }
    }
}

fn refusal(status: StatusCode, reason: &'static str) -> Response {
    let mut response = Response::new(Body::from(format!("{reason}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn encode(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    percent_encoding::utf8_percent_encode(path.trim_end_matches('/'), KEPT).to_string()
}
