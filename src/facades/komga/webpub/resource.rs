//! The files of an EPUB. They are a stranger's: nothing of them runs, and nothing is sent as what would.
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::outline;
use crate::facades::App;
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

/// One of them, by its name in the archive.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Path((_, name)): Path<(String, String)>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let (source, outline) = outline(&app, &item).await?;
    let file = outline.file(&name).ok_or_else(|| Refusal::absent("the book has no such file"))?;
    let tag = format!("\"{}.{}\"", source.cid, at(&outline.spine, &outline.resources, &name));
    let mut response = if known.has(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = app.node().playback().epub_file(&source, file).await;
        let bytes = bytes.map_err(|error| Refusal::from(error).as_absent())?;
        ([(header::CONTENT_TYPE, sent_as(&file.media_type))], bytes).into_response()
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
