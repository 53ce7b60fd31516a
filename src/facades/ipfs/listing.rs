//! Pages that the gateway writes itself: what is in a folder, and what data is. Without scripts, pictures or anything from outside.
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::found::Found;
use super::{GatewayRequest, encode};
use crate::blocks::dag::{DagError, Source, folder};
use crate::content::cid::canonical;
use crate::content::ipld::DAG_CBOR;
use crate::content::unixfs::node::Link;
use crate::facades::bytes;

/// Entries that a page shows.
const ENTRIES: usize = 10_000;
/// Changes with the look of the page, so that none of an older look is kept.
const LOOK: &str = "1";
/// Of a name, what addresses do not have as it is.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// It shows itself and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;\
color:#222;background:#fff;color-scheme:light dark}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8cf}}\
table{border-collapse:collapse;width:100%}td{padding:.2rem .5rem .2rem 0;overflow-wrap:anywhere}\
td.size{text-align:right;white-space:nowrap}td.hash{font:12px monospace}";

/// The page of a folder.
pub(super) async fn of_folder(found: &Found, request: &GatewayRequest<'_>) -> Result<Response, DagError> {
    let cid = canonical(&found.last());
    let tag = format!("\"DirIndex-{LOOK}_CID-{cid}\"");
    // Also who has the folder itself has what this page tells.
    if [&tag, &bytes::etag(&cid, "")].into_iter().any(|tag| bytes::not_modified(request.headers, tag)) {
        return Ok(bytes::unchanged(&tag, found.cache.of_page()));
    }
    let listing = folder::list(Arc::clone(&found.seen) as Arc<dyn Source>, found.last(), ENTRIES).await?;
    let mut body = format!("<p>{}</p>\n<table>\n", crumbs(request));
    let base = request.address();
    if !request.path.trim_matches('/').is_empty() {
        let _ = writeln!(body, "<tr><td><a href=\"{}..\">..</a></td><td></td><td></td></tr>", escape(&base));
    }
    for entry in &listing.entries {
        row(&mut body, &base, entry, request.own_origin);
    }
    body.push_str("</table>\n");
    if listing.more {
        let _ = writeln!(body, "<p>There are more than {ENTRIES}: ask for each by its name.</p>");
    }
    let title = format!("Index of {}", request.content_path_decoded());
    Ok(page(request, &tag, found.cache.of_page().header(), &title, &body))
}

/// The page about data that is no file.
pub(super) fn of_data(found: &Found, request: &GatewayRequest<'_>) -> Response {
    let cid = canonical(&found.last());
    let tag = format!("\"DagIndex-{LOOK}_CID-{cid}\"");
    if bytes::not_modified(request.headers, &tag) {
        return of_no_age(found, bytes::unchanged(&tag, found.cache.of_page()));
    }
    let codec = if cid.codec() == DAG_CBOR { "DAG-CBOR" } else { "DAG-JSON" };
    let mut body = format!("<p>{}</p>\n<p>{codec}, <code>{cid}</code></p>\n<ul>\n", crumbs(request));
    for format in ["dag-json", "dag-cbor", "raw", "car"] {
        let _ = writeln!(body, "<li><a href=\"{}?format={format}\">{format}</a></li>", escape(&request.address()));
    }
    body.push_str("</ul>\n");
    let mut response = page(request, &tag, found.cache.of_page().header(), &format!("{codec} {cid}"), &body);
    // Without a character set, which the page tells itself, as other gateways have it.
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    of_no_age(found, response)
}

/// Data has its own address in each form; the page about it is told nothing of caches. Where it is not for anyone, they are kept off.
fn of_no_age(found: &Found, mut response: Response) -> Response {
    if found.cache.is_public() {
        response.headers_mut().remove(CACHE_CONTROL);
    }
    response
}

impl GatewayRequest<'_> {
    fn content_path_decoded(&self) -> String {
        let path = self.path.trim_matches('/');
        format!("/{}/{}/{path}", self.namespace.name(), self.root).trim_end_matches('/').to_owned()
    }
}

/// The path, each name of it a link to what is there.
fn crumbs(request: &GatewayRequest<'_>) -> String {
    let space = request.namespace.name();
    let mut at = if request.own_origin { String::new() } else { encode(&format!("/{space}/{}", request.root)) };
    let home = if at.is_empty() { "/" } else { &at };
    let mut text = format!("/{space}/<a href=\"{}\">{}</a>", escape(home), escape(request.root));
    for name in request.path.split('/').filter(|name| !name.is_empty()) {
        let _ = write!(at, "/{}", encode(name));
        let _ = write!(text, "/<a href=\"{}\">{}</a>", escape(&at), escape(name));
    }
    text
}

fn row(body: &mut String, base: &str, entry: &Link, own_origin: bool) {
    let address = format!("{base}{}", utf8_percent_encode(&entry.name, NAME));
    let name = escape(&entry.name);
    let _ = write!(body, "<tr><td><a href=\"{}\">{name}</a></td><td class=\"hash\">", escape(&address));
    let filename = utf8_percent_encode(&entry.name, NAME);
    let _ = match own_origin {
        true => write!(body, "{}", entry.cid),
        false => write!(
            body,
            "<a class=\"ipfs-hash\" translate=\"no\" href=\"/ipfs/{0}?filename={filename}\">{0}</a>",
            entry.cid
        ),
    };
    let _ = writeln!(body, "</td><td class=\"size\">{}</td></tr>", size(entry.tsize));
}

/// Of the whole DAG below, as its maker tells.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = (bytes.ilog2() / 10) as usize;
    let tenths = u128::from(bytes) * 10 / (1u128 << (10 * power));
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power - 1])
}

fn page(request: &GatewayRequest<'_>, tag: &str, cache: HeaderValue, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         {body}</body>\n</html>\n"
    );
    let len = html.len();
    let mut response = Response::new(if request.method == Method::HEAD { Body::empty() } else { Body::from(html) });
    bytes::set(&mut response, ETAG, tag);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, len.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, cache);
    response
}

/// Text within HTML, also within a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            // A name could turn the rest of the page around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_more_than_a_name() {
        let entry = Link { cid: crate::content::cid::of_raw(b""), name: "<script>\"'&\u{202e}\n/é".into(), tsize: 0 };
        let mut body = String::new();
        row(&mut body, "/ipfs/x/", &entry, false);
        assert!(body.contains(">&lt;script&gt;&#34;&#39;&amp;\u{fffd}\u{fffd}/é</a>"), "{body}");
        assert!(body.contains("href=\"/ipfs/x/%3Cscript%3E%22%27%26%E2%80%AE%0A%2F%C3%A9\""), "{body}");
    }

    #[test]
    fn sizes_are_told_in_units() {
        let texts = [0, 1023, 1024, 1536, 1 << 20, u64::MAX].map(size);
        assert_eq!(texts, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "15.9 EiB"]);
    }
}
