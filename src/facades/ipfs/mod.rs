//! The IPFS gateway: `/ipfs/{cid}[/{path}]` and `/ipns/{name}[/{path}]`, trustless (`raw`, `car`, `ipns-record`) and plain.
//!
//! ```text
//!  request ─► [request] what is wanted ─► [found] where the path leads, step by step through [seen]
//!                                            └─► [block] [car] [data] [file] [listing] [tar]
//! ```
//! Source: the "HTTP gateway" specifications of IPFS (path, trustless and subdomain gateway; IPIP-402 and IPIP-412 for CARs).
//!
//! The invariant: **who may not see a block learns nothing**. What is not here, what is here but hidden, and a path that
//! leads nowhere get one and the same 404; permission is asked before any file is touched, and before entity tags are
//! compared. What is from elsewhere is only for those of whom the [`Gate`] says so.
mod block;
mod car;
mod data;
mod describe;
mod file;
mod found;
mod listing;
mod refusal;
mod request;
mod seen;
mod sniff;
pub mod subdomain;
mod tar;
mod uri;

use std::sync::Arc;

use ::bytes::Bytes;
use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LOCATION, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::bytes;
use crate::blocks::dag::DagError;
use crate::blocks::{Blocks, Elsewhere, May};
use crate::content::Cid;
use crate::content::cid::{self, canonical};
use crate::content::ipns::Name;
use found::Found;
use refusal::{of_dag, refusal};
use request::{Format, Query};

pub use block::{block, block_unchanged};
pub use describe::{Described, What};
pub use found::only_if_cached;
pub use uri::{opened, pasted};

/// Whether what is asked for is checked by who asks, and never shown by a browser.
#[must_use]
pub fn is_trustless(query: Option<&str>, headers: &HeaderMap) -> bool {
    Query::read(query, headers).is_ok_and(|query| query.format.is_trustless())
}

/// Who may open what is not in libraries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhoFetches {
    /// Every account of this node. Others see what is in libraries.
    #[default]
    Everyone,
    /// Admins; the other accounts see what is pinned.
    Admins,
    /// Nobody; all accounts see what is pinned.
    Nobody,
}

/// Settings of the gateway.
#[derive(Debug, Clone, Default)]
pub struct IpfsOptions {
    /// See [`WhoFetches`].
    pub fetch: WhoFetches,
    /// Hosts below which each root has an origin of its own: see [`subdomain`].
    pub subdomain_hosts: Vec<String>,
}

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

    /// A folder's node that is for anyone and in no library: of what is public here.
    fn folder<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        let _ = cid;
        std::future::ready(None).boxed()
    }

    /// How far beyond the libraries the caller may go.
    fn may(&self) -> May {
        May::Nothing
    }
}

/// What stands before the CID or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// A CID follows: the same for ever.
    Ipfs,
    /// A name follows, which stands for something else tomorrow.
    Ipns,
}

impl Namespace {
    /// As it is written in paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipfs => "ipfs",
            Self::Ipns => "ipns",
        }
    }
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
    /// See [`Namespace`].
    pub namespace: Namespace,
    /// The first name after the namespace: a CID, or a name of IPNS.
    pub root: &'a str,
    /// The rest, percent-decoded: empty, or what follows the slash after the root, so that `/` is a folder's own page.
    pub path: &'a str,
    /// Whether the root has an origin of its own, and the path is all that addresses have.
    pub own_origin: bool,
}

impl GatewayRequest<'_> {
    /// Whether the address ends as one of a folder does.
    fn ends_with_slash(&self) -> bool {
        self.path.ends_with('/') || self.own_origin && self.path.is_empty()
    }

    /// The name in its one form, where it is asked for in another: base 36, which also fits into a label of DNS.
    fn usual_name(&self) -> Option<String> {
        // Who asks by a host of its own was sent to the right one before.
        let name = (self.namespace == Namespace::Ipns && !self.own_origin).then(|| Name::parse(self.root).ok())??;
        Some(name.to_string()).filter(|name| name != self.root)
    }

    /// The path of the content, encoded: as addresses have it where all roots share one origin.
    fn content_path(&self) -> String {
        encode(&self.plain_path())
    }

    /// [`Self::content_path`] as it is meant.
    fn plain_path(&self) -> String {
        format!("/{}/{}{}", self.namespace.name(), self.root, self.below())
    }

    /// The address of the content on its own: `ipfs://` or `ipns://`, the root in its one form, and the path.
    fn uri(&self) -> String {
        let root = match self.namespace {
            Namespace::Ipfs => cid::parse(self.root).map(|cid| canonical(&cid).to_string()).ok(),
            Namespace::Ipns => Name::parse(self.root).map(|name| name.to_string()).ok(),
        };
        let root = root.unwrap_or_else(|| self.root.to_owned());
        format!("{}://{root}{}", self.namespace.name(), encode(&self.below()))
    }

    /// What follows the root: nothing, or a path that begins with a slash.
    fn below(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("/{}", self.path.trim_start_matches('/')) }
    }

    /// The path of its address, encoded.
    fn address(&self) -> String {
        if self.own_origin { format!("/{}", encode(self.path.trim_start_matches('/'))) } else { self.content_path() }
    }
}

/// A cheap handle to everything that can be asked for.
#[derive(Clone)]
pub struct Gateway {
    blocks: Blocks,
    elsewhere: Option<Elsewhere>,
}

impl Gateway {
    /// Of what is in libraries, and of what is elsewhere.
    #[must_use]
    pub fn new(blocks: Blocks, elsewhere: Option<Elsewhere>) -> Self {
        Self { blocks, elsewhere }
    }

    /// Answers one request.
    pub async fn get(&self, gate: Arc<dyn Gate>, request: GatewayRequest<'_>) -> Response {
        if request.headers.get("service-worker").is_some_and(|value| value == "script") && !request.own_origin {
            return refusal(StatusCode::BAD_REQUEST, "a service worker would be one of the whole node");
        }
        let path = straightened(request.path);
        let request = GatewayRequest { path: &path, ..request };
        if let Some(name) = request.usual_name() {
            return moved(&request, &name);
        }
        let query = match Query::read(request.query, request.headers) {
            Ok(query) => query,
            Err(reason) => return refusal(StatusCode::BAD_REQUEST, reason),
        };
        if query.format == Format::IpnsRecord {
            return found::record(self, &*gate, &request, &query).await;
        }
        let found = match Found::look(self, gate, &request).await {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        match answer(&found, &request, &query).await {
            Ok(response) => response,
            Err(error) => of_dag(&error),
        }
    }
}

/// A path without `.`, `..` and empty names: an encoded slash parts names as any other does, so that they may come from there. Nothing
/// leads above the root: what would is left as the name of something that is not there.
fn straightened(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        match names.last() {
            Some(last) if name == ".." && *last != ".." => {
                names.pop();
            }
            _ => names.push(name),
        }
    }
    let of_folder = matches!(path.rsplit('/').next(), Some("" | "." | "..")) && !path.is_empty();
    match names.join("/") {
        path if of_folder => format!("{path}/"),
        path => path,
    }
}

/// To the same path below the name in its usual form.
fn moved(request: &GatewayRequest<'_>, name: &str) -> Response {
    let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = GatewayRequest { root: name, ..*request }.content_path();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    bytes::set(&mut response, LOCATION, &format!("{path}{query}"));
    response
}

async fn answer(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let mut response = match query.format {
        Format::Raw => block::raw(found, request, query).await?,
        Format::Car => car::answer(found, request, query).await?,
        Format::Tar => tar::answer(found, request, query).await?,
        Format::DagJson | Format::DagCbor | Format::Json | Format::Cbor => data::answer(found, request, query).await?,
        Format::Plain | Format::IpnsRecord => file::answer(found, request, query).await?,
    };
    bytes::set(&mut response, HeaderName::from_static("ipfs-uri"), &request.uri());
    // The older of the two tells the path as it is, or not at all where a header cannot hold it (IPIP-548).
    let path = request.plain_path();
    if path.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        bytes::set(&mut response, HeaderName::from_static("x-ipfs-path"), &path);
    }
    bytes::set(&mut response, HeaderName::from_static("x-ipfs-roots"), &found.roots());
    if query.negotiated && response.status().is_success() {
        bytes::set(&mut response, CONTENT_LOCATION, &location(request, query.format));
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept, authorization, cookie"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The address that gives this form whatever is accepted.
fn location(request: &GatewayRequest<'_>, format: Format) -> String {
    let pairs = request.query.unwrap_or_default().split('&');
    let kept = pairs.filter(|pair| !pair.is_empty() && *pair != "format" && !pair.starts_with("format="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("format={}", format.name())]).collect();
    format!("{}?{}", request.address(), query.join("&"))
}

pub(super) fn encode(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_above_its_root() {
        for (path, straight) in [
            ("", ""),
            ("/", "/"),
            ("a/b", "a/b"),
            ("a//b/", "a/b/"),
            ("a/../plain.txt", "plain.txt"),
            ("a/./b/..", "a/"),
            ("a/..", "/"),
            ("..", "../"),
            ("a/../../b", "../b"),
            ("../../b", "../../b"),
            ("...", "..."),
        ] {
            assert_eq!(straightened(path), straight, "{path}");
        }
    }
}
