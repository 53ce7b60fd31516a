//! The files of an EPUB. They are a stranger's: nothing of them runs, and nothing is sent as what would.
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::outline;
use crate::content::ranges::Wanted;
use crate::facades::App;
use crate::facades::bytes;
use crate::facades::error::Refusal;
use crate::facades::extract::{IfNoneMatch, Path, SeenItem};

/// What a document may load: its book's other files. No script, no form, no frame, and nothing from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline' data:; font-src 'self' data:; \
     media-src 'self'; script-src 'none'; object-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'; \
     sandbox allow-same-origin",
);
/// Types that are sent as they are.
const TYPES: &[&str] = &[
    "application/xhtml+xml",
    "text/html",
    "text/css",
    "text/plain",
    "application/x-dtbncx+xml",
    "application/smil+xml",
    "application/pls+xml",
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/svg+xml",
    "font/otf",
    "font/ttf",
    "font/woff",
    "font/woff2",
    "application/vnd.ms-opentype",
    "application/font-sfnt",
    "application/font-woff",
    "application/x-font-ttf",
    "application/x-font-otf",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "video/mp4",
    "video/webm",
];

/// One of them, by its name in the archive, or the part of it that is asked for: programs that play a recording go to places in it.
/// It is read wholly for that too: an archive has one checksum for a file, and what is deflated has no places to begin at.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Path((_, name)): Path<(String, String)>,
    known: IfNoneMatch,
    method: Method,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let (source, outline) = outline(&app, &item).await?;
    let file = outline.file(&name).ok_or_else(|| Refusal::absent("the book has no such file"))?;
    let tag = format!("\"{}.{}\"", source.cid, at(&outline.spine, &outline.resources, &name));
    let mut response = if known.has(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let contents = app.node().playback().epub_file(&source, file).await;
        let contents = contents.map_err(|error| Refusal::from(error).as_absent())?;
        let wanted = bytes::asked(&method, &asked, &tag, contents.len() as u64);
        part(contents, wanted, sent_as(&file.media_type))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0, must-revalidate, private"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// All of a file's bytes, or some.
fn part(contents: Bytes, wanted: Wanted, media_type: &'static str) -> Response {
    let size = contents.len();
    let place = |at: u64| usize::try_from(at).unwrap_or(size).min(size);
    let mut response = match wanted {
        Wanted::Unsatisfiable => return bytes::unsatisfiable(size as u64),
        Wanted::Whole => contents.into_response(),
        Wanted::Part(range) => {
            let part = contents.slice(place(range.start)..place(range.end));
            let mut response = (StatusCode::PARTIAL_CONTENT, part).into_response();
            let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            bytes::set(&mut response, header::CONTENT_RANGE, &told);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// Its number, which is shorter than its name and says as much.
fn at(spine: &[crate::media::book::EpubFile], resources: &[crate::media::book::EpubFile], name: &str) -> usize {
    spine.iter().chain(resources).position(|file| file.name == name).unwrap_or_default()
}

fn sent_as(told: &str) -> &'static str {
    let found = TYPES.iter().find(|kind| kind.eq_ignore_ascii_case(told.trim()));
    found.copied().unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_what_nobody_knows_are_bytes_alone() {
        for kind in ["text/javascript", "application/javascript", "text/html; x", "", "application/x-shockwave-flash"] {
            assert_eq!(sent_as(kind), "application/octet-stream", "{kind}");
        }
        assert_eq!(sent_as("Application/XHTML+xml"), "application/xhtml+xml");
    }
}
