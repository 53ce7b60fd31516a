//! Answers with the bytes of a file from verified blocks: `Range`, `If-Range`, `If-None-Match`, `HEAD` (RFC 9110).
//!
//! The entity tag is the CID, so an answer can be resumed from another node, and a cached one is right for ever. The
//! first block is read before the status is sent: what cannot be served is an error, not a broken 200.
use std::ops::Range;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream::StreamExt;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::blocks::{BlockError, Blocks};
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::content::ranges::{Wanted, wanted};

/// Letters that RFC 8187 allows unencoded in an extended header value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who may keep a copy of an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// The caller's own browser, which asks each time whether it is still the same: for a URL that names an item, whose
    /// file may change.
    Revalidate,
    /// The caller's own browser, for ever: for a URL that names a CID.
    Private,
    /// Proxies too, for ever.
    Public,
    /// For a URL that names what stands for something else tomorrow.
    Named {
        /// Proxies too.
        public: bool,
        /// Until it is asked for again.
        seconds: u32,
    },
    /// For a page that this node writes about what does not change, and writes in another way some day.
    Page {
        /// Proxies too.
        public: bool,
    },
}

impl Cache {
    /// The `Cache-Control` value.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        if let Self::Named { public, seconds } = self {
            let who = if public { "public" } else { "private" };
            let text = format!("{who}, max-age={seconds}");
            return HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("no-store"));
        }
        HeaderValue::from_static(match self {
            Self::Named { .. } => "no-store",
            Self::Page { public: true } => "public, max-age=604800, stale-while-revalidate=2678400",
            Self::Page { public: false } => "private, max-age=604800, stale-while-revalidate=2678400",
            Self::Revalidate => "private, no-cache",
            Self::Private => "private, max-age=29030400, immutable",
            Self::Public => "public, max-age=29030400, immutable",
        })
    }
}

impl Cache {
    /// Whether proxies may keep it.
    #[must_use]
    pub fn is_public(self) -> bool {
        match self {
            Self::Public => true,
            Self::Revalidate | Self::Private => false,
            Self::Named { public, .. } | Self::Page { public } => public,
        }
    }

    /// Of a page about what is kept like this.
    #[must_use]
    pub fn of_page(self) -> Self {
        match self {
            Self::Public => Self::Page { public: true },
            Self::Private => Self::Page { public: false },
            other => other,
        }
    }
}

/// Whether the answer is shown or saved, and under which file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition<'a> {
    /// Shown; the name is for a later "save as".
    Inline(Option<&'a str>),
    /// Saved.
    Attachment(&'a str),
}

/// A file as it is answered.
#[derive(Debug, Clone)]
pub struct FileAnswer<'a> {
    /// Root of its DAG.
    pub cid: Cid,
    /// MIME type.
    pub content_type: &'a str,
    /// See [`Disposition`].
    pub disposition: Disposition<'a>,
    /// See [`Cache`].
    pub cache: Cache,
}

/// What is told of bytes, whole or in part.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Entity tag, with its quotes.
    pub tag: &'a str,
    /// MIME type.
    pub content_type: &'a str,
    /// See [`Disposition`].
    pub disposition: Disposition<'a>,
    /// See [`Cache`].
    pub cache: Cache,
}

/// Answers a `GET` or `HEAD` for a whole file or the part its headers ask for: 200, 206, 304 or 416. Whether the caller
/// may see it was decided before.
///
/// # Errors
/// What is wrong with the file's first block that is needed; nothing was sent then.
pub async fn file(
    blocks: &Blocks,
    answer: FileAnswer<'_>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, BlockError> {
    let size = blocks.file_size(&answer.cid).await?;
    let tag = etag(&answer.cid, "");
    if not_modified(headers, &tag) {
        return Ok(unchanged(&tag, answer.cache));
    }
    let FileAnswer { cid, content_type, disposition, cache } = answer;
    let body = match range(method, headers, &tag, size).filter(|range| method != Method::HEAD && !range.is_empty()) {
        Some(range) => body(blocks, &cid, range).await?,
        None => Body::empty(),
    };
    let mut response = part(method, headers, &Shown { tag: &tag, content_type, disposition, cache }, size, |_| body);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The bytes of an entity of `size` bytes that are to be sent; `None` where nothing of what is asked is there.
#[must_use]
pub fn range(method: &Method, headers: &HeaderMap, tag: &str, size: u64) -> Option<Range<u64>> {
    match asked(method, headers, tag, size) {
        Wanted::Unsatisfiable => None,
        Wanted::Whole => Some(0..size),
        Wanted::Part(range) => Some(range),
    }
}

/// Answers with an entity of `size` bytes, whole or the part that is asked for: 200, 206 or 416. `body` gives the bytes of that part;
/// for `HEAD` they are not sent.
#[must_use]
pub fn part(
    method: &Method,
    headers: &HeaderMap,
    shown: &Shown<'_>,
    size: u64,
    body: impl FnOnce(Range<u64>) -> Body,
) -> Response {
    let asked = asked(method, headers, shown.tag, size);
    let range = match &asked {
        Wanted::Unsatisfiable => return unsatisfiable(size),
        Wanted::Whole => 0..size,
        Wanted::Part(range) => range.clone(),
    };
    let (start, end) = (range.start, range.end);
    let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { body(range) });
    if let Wanted::Part(_) = asked {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(&mut response, CONTENT_RANGE, &format!("bytes {start}-{}/{size}", end.saturating_sub(1)));
    }
    set(&mut response, ETAG, shown.tag);
    set(&mut response, CONTENT_TYPE, shown.content_type);
    set(&mut response, CONTENT_DISPOSITION, &disposition(shown.disposition));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, (end - start).into());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, shown.cache.header());
    response
}

/// The entity tag of a CID in one of its forms (`""` for its bytes, `.raw`, `.car`...).
#[must_use]
pub fn etag(cid: &Cid, form: &str) -> String {
    format!("\"{}{form}\"", canonical(cid))
}

/// Whether `If-None-Match` names this tag (weak comparison, as RFC 9110 13.1.2 wants it).
#[must_use]
pub fn not_modified(headers: &HeaderMap, tag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).any(|other| strong(other) == tag || other.trim() == "*")
}

/// 304 with the headers that a cache refreshes.
#[must_use]
pub fn unchanged(tag: &str, cache: Cache) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    set(&mut response, ETAG, tag);
    response.headers_mut().insert(CACHE_CONTROL, cache.header());
    response
}

/// `Content-Disposition` with a file name in both forms of RFC 6266.
#[must_use]
pub fn disposition(disposition: Disposition<'_>) -> String {
    let (kind, name) = match disposition {
        Disposition::Inline(None) => return "inline".to_owned(),
        Disposition::Inline(Some(name)) => ("inline", name),
        Disposition::Attachment(name) => ("attachment", name),
    };
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%/".contains(c) || c == ' ' { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, PLAIN))
}

/// Sets a header from text; text that is no header value leaves it out.
pub fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What a request's `Range` asks of an entity with this tag, where its `If-Range` allows it.
#[must_use]
pub fn asked(method: &Method, headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    // Ranges are defined for GET alone (RFC 9110, 14.2), and one header line is all that means something.
    let mut lines = headers.get_all(RANGE).iter();
    let range = match (lines.next(), lines.next()) {
        (Some(line), None) if method == Method::GET => line.to_str().ok(),
        _ => None,
    };
    // There is no Last-Modified to compare a date with, so a date never matches.
    let same = headers.get(IF_RANGE).is_none_or(|v| v.as_bytes() == tag.as_bytes());
    wanted(range.filter(|_| same), size)
}

/// 416 for an entity of so many bytes.
#[must_use]
pub fn unsatisfiable(size: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    set(&mut response, CONTENT_RANGE, &format!("bytes */{size}"));
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

async fn body(blocks: &Blocks, cid: &Cid, range: Range<u64>) -> Result<Body, BlockError> {
    let mut pieces = blocks.read(cid, range).peekable();
    if let Some(Err(_)) = std::pin::Pin::new(&mut pieces).peek().await
        && let Some(Err(error)) = pieces.next().await
    {
        return Err(error);
    }
    Ok(Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let name = "a\"b\\c\r\nSet-Cookie: x/é %.mkv";
        let value = disposition(Disposition::Attachment(name));
        assert_eq!(
            value,
            "attachment; filename=\"a_b_c__Set-Cookie: x__ _.mkv\"; \
             filename*=UTF-8''a%22b%5Cc%0D%0ASet-Cookie%3A%20x%2F%C3%A9%20%25.mkv"
        );
        assert!(HeaderValue::from_str(&value).is_ok());
        assert_eq!(disposition(Disposition::Inline(None)), "inline");
    }

    #[test]
    fn a_tag_matches_strong_weak_in_a_list_and_by_star() {
        let matches = |value: &'static str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]);
            not_modified(&headers, "\"a\"")
        };
        assert!(matches("\"a\"") && matches("W/\"a\"") && matches("\"b\", \"a\"") && matches("*"));
        assert!(!matches("\"b\"") && !matches("a") && !matches(""));
    }
}
