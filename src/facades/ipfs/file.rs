//! Files and folders as browsers and players want them.
use std::sync::Arc;

use ::bytes::Bytes;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderValue, Method, StatusCode};

use super::found::Found;
use super::request::Query;
use super::sniff::{self, HEAD};
use super::{GatewayRequest, block, data, listing};
use crate::blocks::BlockError;
use crate::blocks::dag::file::{self, Kind};
use crate::blocks::dag::{DagError, Source, folder};
use crate::content::Cid;
use crate::content::cid::inline;
use crate::facades::bytes::{self, Disposition, Shown};

/// A file whose bytes can be read.
struct File {
    cid: Cid,
    size: u64,
    /// Read from the library's file, which needs no look at its nodes.
    local: bool,
}

/// What is at the end of the path.
pub(super) async fn answer(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let cid = found.last();
    if let Some(size) = local(found, &cid).await? {
        let name = query.filename.as_deref().or(found.name.as_deref());
        return send(found, request, query, &File { cid, size, local: true }, &cid, name).await;
    }
    let block = found.seen.block(&cid).await?;
    match file::kind(&cid, &block)? {
        Kind::File(size) => {
            let name = query.filename.as_deref().or(found.name.as_deref());
            send(found, request, query, &File { cid, size, local: false }, &cid, name).await
        }
        Kind::Folder => in_folder(found, request, query).await,
        Kind::Symlink(target) => {
            let tag = bytes::etag(&cid, "");
            let (content_type, disposition) = ("inode/symlink", Disposition::Inline(None));
            let shown = Shown { tag: &tag, content_type, disposition, cache: found.cache };
            Ok(sandboxed(request, block::in_memory(request.method, request.headers, &shown, target)))
        }
        Kind::Data => data::plain(found, request, query).await,
    }
}

/// What is at the end of a path, without giving it.
pub(super) enum Told {
    File { size: u64, media_type: String },
    Folder,
    Other,
}

/// Says what is at the end of the path.
pub(super) async fn told(found: &Found) -> Result<Told, DagError> {
    let cid = found.last();
    let file = match local(found, &cid).await? {
        Some(size) => File { cid, size, local: true },
        None => match file::kind(&cid, &found.seen.block(&cid).await?)? {
            Kind::File(size) => File { cid, size, local: false },
            Kind::Folder => return Ok(Told::Folder),
            Kind::Symlink(_) | Kind::Data => return Ok(Told::Other),
        },
    };
    let media_type = media_type(found, &file, found.name.as_deref()).await?;
    Ok(Told::File { size: file.size, media_type })
}

/// By its name, and where that says nothing by its first bytes.
async fn media_type(found: &Found, file: &File, name: Option<&str>) -> Result<String, DagError> {
    match name.and_then(sniff::by_name) {
        Some(kind) => Ok(kind),
        None => Ok(sniff::by_bytes(&head(found, file).await?).to_owned()),
    }
}

/// Bytes of a library's file, or of a part of one, that the CID names; `None` for anything else.
async fn local(found: &Found, cid: &Cid) -> Result<Option<u64>, DagError> {
    if !found.here || inline(cid).is_some() {
        return Ok(None);
    }
    match found.seen.blocks().file_size(cid).await {
        Ok(size) => Ok(Some(size)),
        Err(BlockError::NotFound(_) | BlockError::NotAFile(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A folder's `index.html`, or a page of what is in it, at the address that ends with a slash.
async fn in_folder(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    if !request.ends_with_slash() {
        return Ok(to_slash(request));
    }
    let (folder, source) = (found.last(), Arc::clone(&found.seen));
    let cid = match folder::find(&*source, folder, "index.html", &mut Vec::new()).await {
        Ok(cid) => cid,
        Err(DagError::NoName { .. }) => return listing::of_folder(found, request).await,
        Err(error) => return Err(error),
    };
    // One that cannot be had now is no reason for a listing, which caches would keep in its place.
    match file::kind(&cid, &source.block(&cid).await?) {
        Ok(Kind::File(size)) => {
            let file = File { cid, size, local: false };
            send(found, request, query, &file, &folder, query.filename.as_deref().or(Some("index.html"))).await
        }
        _ => listing::of_folder(found, request).await,
    }
}

fn to_slash(request: &GatewayRequest<'_>) -> Response {
    let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    bytes::set(&mut response, LOCATION, &format!("{}/{query}", request.address()));
    response
}

/// The file, whole or in part; `tagged` is what its entity tag names.
async fn send(
    found: &Found,
    request: &GatewayRequest<'_>,
    query: &Query,
    file: &File,
    tagged: &Cid,
    name: Option<&str>,
) -> Result<Response, DagError> {
    let tag = bytes::etag(tagged, "");
    if bytes::not_modified(request.headers, &tag) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    let kind = media_type(found, file, name).await?;
    let cid = file.cid.to_string();
    let disposition = match query.download {
        true => Disposition::Attachment(name.unwrap_or(&cid)),
        false => Disposition::Inline(query.filename.as_deref().or(found.name.as_deref())),
    };
    let shown = Shown { tag: &tag, content_type: &kind, disposition, cache: found.cache };
    let head = request.method == Method::HEAD;
    let range = bytes::range(request.method, request.headers, &tag, file.size);
    let body = match range.filter(|range| !head && !range.is_empty()) {
        Some(range) => block::begun(read(found, file, range)).await?,
        None => Body::empty(),
    };
    let response = bytes::part(request.method, request.headers, &shown, file.size, |_| body);
    Ok(sandboxed(request, response))
}

fn read(found: &Found, file: &File, range: std::ops::Range<u64>) -> BoxStream<'static, Result<Bytes, DagError>> {
    match file.local {
        true => found.seen.blocks().read(&file.cid, range).map_err(DagError::from).boxed(),
        false => file::read(Arc::clone(&found.seen) as Arc<dyn Source>, file.cid, range),
    }
}

/// The first bytes of a file.
async fn head(found: &Found, file: &File) -> Result<Vec<u8>, DagError> {
    let (mut head, mut pieces) = (Vec::new(), read(found, file, 0..file.size.min(HEAD as u64)));
    while let Some(piece) = pieces.try_next().await? {
        head.extend_from_slice(&piece);
    }
    Ok(head)
}

/// A film may be an HTML file in truth. It must not run as a page of this node; where its root has an origin of its own, it may.
pub(super) fn sandboxed(request: &GatewayRequest<'_>, mut response: Response) -> Response {
    let policy = if request.own_origin { "frame-ancestors 'self'" } else { "sandbox" };
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
