//! What every answer below `/komga` has in common: errors in Komga's form, a tag that follows from the body, compression, the
//! cookies of whoever came in.
use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::base::Base;
use super::{BASE, Entered, dates, kobo, opds2};
use crate::facades::App;
use crate::facades::bytes::not_modified;
use crate::facades::error::{Denied, Told};
use crate::facades::proxies::Front;

/// Bytes of a body that are worth compressing.
const GZIP_MIN: usize = 1024;
/// Of what may be kept, and asked for again each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("max-age=0, must-revalidate, private");

/// What an answer depends on, taken before the request is consumed.
pub(in crate::facades) struct Asked {
    path: String,
    method: Method,
    conditions: HeaderMap,
    gzip: bool,
    /// Another page's script asks: a challenge would open a window over it.
    script: bool,
    /// Something was brought to be recognised by.
    tried: bool,
    /// A reader whose key is in the path.
    kobo: bool,
    base: Base,
}

impl Asked {
    /// Of a request below `/komga`.
    pub fn of(request: &Request, front: Option<&Front>) -> Self {
        let headers = request.headers();
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kobo = kobo::key_of(request.uri().path()).is_some();
        let conditions = headers.iter().filter(|(name, _)| *name == header::IF_NONE_MATCH);
        Self {
            path: kobo::without_key(request.uri().path()).strip_prefix(BASE).unwrap_or_default().to_owned(),
            method: request.method().clone(),
            conditions: conditions.map(|(name, value)| (name.clone(), value.clone())).collect(),
            gzip: text("accept-encoding").split(',').any(|part| {
                let (coding, quality) = part.split_once(';').unwrap_or((part, ""));
                coding.trim().eq_ignore_ascii_case("gzip") && !["q=0", "q=0.0"].contains(&quality.trim())
            }),
            script: text("x-requested-with").eq_ignore_ascii_case("XMLHttpRequest"),
            tried: kobo || headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key"),
            kobo,
            base: front.map(Base::of).unwrap_or_default(),
        }
    }
}

/// Gives an answer its form.
pub(in crate::facades) async fn finish(
    app: &App,
    asked: Asked,
    entered: Option<Entered>,
    response: Response,
) -> Response {
    let mut response = if response.status().is_client_error() || response.status().is_server_error() {
        told(app, &asked, response)
    } else {
        tagged(&asked, response).await
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        if !asked.tried {
            // The first call of such programs brings nothing, to be asked: nobody tried anything.
            response.extensions_mut().remove::<Denied>();
        }
        if !asked.script && !asked.kobo {
            let realm = HeaderValue::from_static("Basic realm=\"Potluck\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        if opds2::auth::is_ours(&asked.path) {
            response = opds2::auth::told(&asked.base, asked.method == Method::HEAD, response);
        }
    }
    if let Some(entered) = entered {
        entered.leave(&mut response);
    }
    response
}

/// An error as Komga tells it; one that names a parameter also as a violation.
fn told(app: &App, asked: &Asked, response: Response) -> Response {
    let status = response.status();
    let message = response.extensions().get::<Told>().map(|told| told.0.clone());
    let message = message.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    let mut body = json!({
        "timestamp": dates::stamp(app.node().accounts().now()),
        "status": status.as_u16(),
        "error": status.canonical_reason().unwrap_or_default(),
        "message": message,
        "path": asked.path,
    });
    if asked.kobo && status == StatusCode::UNAUTHORIZED {
        body = json!({});
    }
    let field =
        message.split_once(": ").filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if let Some((name, what)) = field.filter(|_| status == StatusCode::BAD_REQUEST) {
        body["violations"] = json!([{"fieldName": name, "message": what}]);
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let made = if asked.method == Method::HEAD { Body::empty() } else { Json(body).into_response().into_body() };
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, made)
}

/// A JSON answer or a feed with its tag, or 304 for whoever has it. Others have tags of their own.
async fn tagged(asked: &Asked, response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let made = kind == "application/json" || kind.ends_with("+json") || kind == "application/atom+xml";
    let plain = made && response.status() == StatusCode::OK;
    if asked.method != Method::GET || !plain || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let hash = HEXLOWER.encode(&digest(&SHA256, &body).as_ref()[..16]);
    let packed = asked.gzip && body.len() >= GZIP_MIN;
    let tag = if packed { format!("\"{hash}-gzip\"") } else { format!("\"{hash}\"") };
    parts.headers.insert(header::CACHE_CONTROL, REVALIDATE);
    parts.headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    if not_modified(&asked.conditions, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    match if packed { gzip(body.clone()).await } else { None } {
        Some(short) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(short))
        }
        None => Response::from_parts(parts, Body::from(body)),
    }
}

async fn gzip(body: Bytes) -> Option<Vec<u8>> {
    let pack = move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
        encoder.write_all(&body).ok()?;
        encoder.finish().ok()
    };
    tokio::task::spawn_blocking(pack).await.ok().flatten()
}
