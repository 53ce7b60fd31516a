//! Mounts the IPFS gateway: `/ipfs/{cid}` and `/ipns/{name}`, each with a path or without, and what opens `ipfs://` addresses.
use axum::Extension;
use axum::extract::{RawPathParams, RawQuery, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, LOCATION,
};
use http::request::Parts;
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

/// `GET /ipfs/{cid}`, `/ipfs/{cid}/` and `/ipfs/{cid}/{*path}`.
pub(super) async fn content(
    state: State<App>,
    gate: SeenContent,
    params: RawPathParams,
    query: RawQuery,
    own: Option<Extension<OwnOrigin>>,
    request: Request,
) -> Response {
    answer(state, gate, Namespace::Ipfs, &params, query, own.is_some(), &request.into_parts().0).await
}

/// `GET /ipns/{name}`, `/ipns/{name}/` and `/ipns/{name}/{*path}`.
pub(super) async fn named(
    state: State<App>,
    gate: SeenContent,
    params: RawPathParams,
    query: RawQuery,
    own: Option<Extension<OwnOrigin>>,
    request: Request,
) -> Response {
    answer(state, gate, Namespace::Ipns, &params, query, own.is_some(), &request.into_parts().0).await
}

async fn answer(
    State(app): State<App>,
    SeenContent(gate): SeenContent,
    namespace: Namespace,
    params: &RawPathParams,
    RawQuery(query): RawQuery,
    own_origin: bool,
    request: &Parts,
) -> Response {
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let root = param("cid").or(param("name")).unwrap_or_default();
    let path = match param("path") {
        Some(path) => path,
        None if request.uri.path().ends_with('/') => "/",
        None => "",
    };
    let (method, headers, query) = (&request.method, &request.headers, query.as_deref());
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
    let mut response = open(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers
        .insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Accept, Cache-Control, Content-Type, Range"));
    response
}

/// Pages of other sites may read what is for anyone: credentials do not come with what they ask for.
fn open(mut response: Response) -> Response {
    const SHOWN: &str = "Content-Length, Content-Location, Content-Range, ETag, X-Ipfs-Path, X-Ipfs-Roots";
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    if headers.get(CACHE_CONTROL).is_some_and(|rule| rule.as_bytes().starts_with(b"public")) {
        let name = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(name, HeaderValue::from_static("cross-origin"));
    }
    response
}
