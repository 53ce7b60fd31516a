//! Mounts the IPFS gateway: `/ipfs/{cid}` and `/ipns/{name}`, each with a path or without, and what opens `ipfs://` addresses.
use axum::Extension;
use axum::extract::{RawPathParams, RawQuery, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, LOCATION,
};
use http::{HeaderName, HeaderValue, StatusCode};

use super::App;
use super::error::Refusal;
use super::extract::SeenContent;
use super::ipfs::{Gateway, GatewayRequest, Namespace, opened};
use super::origins::OwnOrigin;

impl App {
    /// Everything that the gateway gives.
    pub(super) fn gateway(&self) -> Gateway {
        Gateway::new(self.node().blocks().clone(), Some(self.node().elsewhere().clone()))
    }
}

/// `GET` of `/ipfs/{cid}` or `/ipns/{name}`, with a path, with a slash alone, or without.
pub(super) async fn content(
    State(app): State<App>,
    SeenContent(gate): SeenContent,
    params: RawPathParams,
    RawQuery(query): RawQuery,
    own: Option<Extension<OwnOrigin>>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (namespace, root) = match param("name") {
        Some(name) => (Namespace::Ipns, name),
        None => (Namespace::Ipfs, param("cid").unwrap_or_default()),
    };
    let path = match param("path") {
        Some(path) => path,
        None if request.uri.path().ends_with('/') => "/",
        None => "",
    };
    let (method, headers, query, own_origin) = (&request.method, &request.headers, query.as_deref(), own.is_some());
    let asked = GatewayRequest { method, headers, query, namespace, root, path, own_origin };
    open(app.gateway().get(gate, asked).await)
}

/// `GET /ipfs/` and `/ipns/`: nothing, or where the address in `uri` is found.
pub(super) async fn address(RawQuery(query): RawQuery) -> Response {
    let Some(path) = opened(query.as_deref()).and_then(|path| HeaderValue::try_from(path).ok()) else {
        let what = "a CID or a name is missing: /ipfs/{cid}, /ipns/{name} or /ipfs/?uri=ipfs://...";
        return Refusal::invalid(what).into_response();
    };
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, path)]).into_response()
}

/// `OPTIONS`, which a page of another site asks before it reads.
pub(super) async fn preflight() -> Response {
    open(StatusCode::NO_CONTENT.into_response())
}

/// Pages of other sites may read what is for anyone: credentials do not come with what they ask for, and
/// `Authorization` is not among the headers that they may send.
fn open(mut response: Response) -> Response {
    const METHODS: &str = "GET, HEAD, OPTIONS";
    const ASKED: &str = "Accept, Cache-Control, Content-Type, Range, User-Agent, X-Requested-With";
    // What other gateways show; two of them are never sent here.
    const SHOWN: &str = "Content-Length, Content-Location, Content-Range, ETag, Ipfs-Uri, X-Chunked-Output, X-Ipfs-Path, \
                         X-Ipfs-Roots, X-Stream-Output";
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, ASKED),
        (ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if headers.get(CACHE_CONTROL).is_some_and(|rule| rule.as_bytes().starts_with(b"public")) {
        let name = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(name, HeaderValue::from_static("cross-origin"));
    }
    response
}
