//! The page, embedded in the binary, and `/healthz`.
//!
//! Files with a hash in their name (`assets/`) may be kept for ever; the rest is asked for again each time. A path that
//! names no file is the page itself: its router reads the path.
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::Refusal;
use super::extract::IfNoneMatch;

/// What `make web` built. Absent in a build without it, which then serves [`UNBUILT`].
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Shown where the page was not built in.
const UNBUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Potluck</title>\
    <h1>The page is not built in</h1><p>This node runs, but was built without its page. \
    Run <code>make web</code> and build the node again.</p>";

/// No inline scripts, nothing from other hosts. Style attributes are how a page sets positions and sizes.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
    connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the name of the worker that draws styled subtitles begins with, as the page's build gives it.
const WASM_WORKER: &str = "/assets/wasm-worker-";

/// Of that worker, which alone may compile WebAssembly; a worker's policy comes with its own file.
const WASM_WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/// `GET /healthz`: the node answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The page and its files.
pub(super) async fn page(uri: Uri, headers: HeaderMap, known: IfNoneMatch) -> Response {
    let gzip = takes_gzip(&headers);
    let path = uri.path().trim_start_matches('/');
    let of_a_program = |prefix: &str| path == prefix.trim_end_matches('/') || path.starts_with(prefix);
    if of_a_program("api/") || of_a_program("ipfs/") {
        return Refusal::not_found().into_response();
    }
    if let Some(found) = Files::get(path).filter(|_| !path.is_empty()) {
        return file(path, found, &known, gzip);
    }
    // A file that is not there is not the page: a script that gets HTML fails in ways nobody understands.
    if path.starts_with("assets/") {
        return Refusal::not_found().into_response();
    }
    match Files::get("index.html") {
        Some(found) => file("index.html", found, &known, gzip),
        None => (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], UNBUILT).into_response(),
    }
}

/// Whether the client reads gzip (RFC 9110, 12.5.3), in the forms that browsers and tools send.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// A file, or the form of it that was compressed when the page was built.
fn file(path: &str, plain: EmbeddedFile, known: &IfNoneMatch, gzip: bool) -> Response {
    let zipped = if gzip { Files::get(&format!("{path}.gz")) } else { None };
    let encoded = zipped.is_some();
    let found = zipped.unwrap_or(plain);
    let etag = format!("\"{}\"", HEXLOWER.encode(&found.metadata.sha256_hash()[..16]));
    let mut response = if known.has(&etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let text = kind.type_() == "text" || kind.subtype() == "javascript";
        let kind = if text { format!("{kind}; charset=utf-8") } else { kind.to_string() };
        ([(header::CONTENT_TYPE, kind)], found.data.into_owned()).into_response()
    };
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).expect("hexadecimal and quotes"));
    response
}

/// What protects the page and whatever else a browser shows from this origin. A handler that sets a stricter policy
/// keeps it.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let policy = content_security_policy(request.uri().path());
    let mut response = next.run(request).await;
    let rules: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, rule) in rules {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(rule));
    }
    response
}

fn content_security_policy(path: &str) -> &'static str {
    if path.starts_with(WASM_WORKER) { WASM_WORKER_POLICY } else { CONTENT_SECURITY_POLICY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_subtitle_worker_may_compile_webassembly() {
        assert!(content_security_policy("/assets/wasm-worker-x.js").contains("wasm-unsafe-eval"));
        for path in ["/", "/play/x", "/assets/index-x.js", "/api/v1/account"] {
            assert!(!content_security_policy(path).contains("unsafe-eval"), "{path}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_ask_for_it() {
        let ask = |value: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(ask("gzip, deflate, br"));
        assert!(ask("br;q=1.0, GZIP;q=0.8"));
        assert!(!ask("gzip;q=0, br"));
        assert!(!ask("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
