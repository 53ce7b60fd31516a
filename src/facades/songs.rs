//! A song as an answer, for every dialect that has songs: its file as it is, and its cover. Whether the caller may have it was decided
//! before.
use std::path::Path;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, Crc, write::ZlibEncoder};

use super::App;
use super::bytes::{self, Cache, Disposition, FileAnswer};
use super::error::Refusal;
use crate::catalog::music::Track;

const COVER_CACHE: &str = "private, max-age=86400";
/// Pixels of the plain picture's side.
const PLAIN_SIDE: u32 = 64;
/// Content types by the endings of names.
const TYPES: &[(&str, &str)] = &[
    ("mp3", "audio/mpeg"),
    ("mp2", "audio/mpeg"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("spx", "audio/ogg"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("alac", "audio/mp4"),
    ("aac", "audio/aac"),
    ("wav", "audio/wav"),
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("aifc", "audio/aiff"),
    ("wma", "audio/x-ms-wma"),
    ("ape", "audio/x-ape"),
    ("wv", "audio/x-wavpack"),
    ("mpc", "audio/x-musepack"),
    ("dsf", "audio/x-dsf"),
    ("tta", "audio/x-tta"),
    ("mka", "audio/x-matroska"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
];

/// The ending of a track's name, in small letters.
pub(super) fn suffix(track: &Track) -> String {
    track.place.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// MIME type of files with such an ending.
pub(super) fn content_type(suffix: &str) -> &'static str {
    TYPES.iter().find(|(ending, _)| *ending == suffix).map_or("application/octet-stream", |(_, name)| name)
}

/// The file, or the part of it that is asked for. `account` is whose it is to be seen by.
///
/// # Errors
/// Not found where the file is away, and what is wrong with it.
pub(super) async fn file(
    app: &App,
    account: &str,
    track: &Track,
    save: bool,
    (method, headers): (&Method, &HeaderMap),
) -> Result<Response, Refusal> {
    let item = app.node().catalog().item(&track.id, account).await?;
    let cid = item.item.file.as_ref().and_then(|file| file.cid).filter(|_| track.present);
    let name = track.place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let answer = FileAnswer {
        cid: cid.ok_or_else(Refusal::not_found)?,
        content_type: content_type(&suffix(track)),
        disposition: if save { Disposition::Attachment(&name) } else { Disposition::Inline(Some(&name)) },
        cache: Cache::Revalidate,
    };
    Ok(bytes::file(app.node().blocks(), answer, method, headers).await?)
}

/// The picture at a path as JPEG of at most so many pixels; a plain one where there is none.
pub(super) async fn cover(app: &App, path: Option<&Path>, side: u32, headers: &HeaderMap) -> Response {
    let (playback, Some(path)) = (app.node().playback(), path) else { return plain() };
    let Ok(cover) = playback.cover(path, side).await else { return plain() };
    let mut response = if bytes::not_modified(headers, &cover.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match playback.draw(&cover).await {
            Ok(jpeg) => ([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response(),
            Err(_) => return plain(),
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(COVER_CACHE));
    bytes::set(&mut response, header::ETAG, &cover.tag);
    response
}

/// A grey square.
fn plain() -> Response {
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=300")];
    (headers, plain_png()).into_response()
}

fn plain_png() -> Vec<u8> {
    use std::io::Write as _;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = PLAIN_SIDE.to_be_bytes().to_vec();
    head.extend(PLAIN_SIDE.to_be_bytes());
    // Eight bits, grey, and the only ways of packing, filtering and interlacing.
    head.extend([8, 0, 0, 0, 0]);
    let row = [&[0][..], &[0x60; PLAIN_SIDE as usize]].concat();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..PLAIN_SIDE {
        // Into memory, where nothing fails.
        let _ = packed.write_all(&row);
    }
    for (name, bytes) in [(b"IHDR", head), (b"IDAT", packed.finish().unwrap_or_default()), (b"IEND", Vec::new())] {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(&bytes);
        png.extend(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
        png.extend(name);
        png.extend(bytes);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_picture_is_one() {
        let shown = image::load_from_memory(&plain_png()).unwrap();
        assert_eq!((shown.width(), shown.height(), shown.to_luma8().get_pixel(5, 5).0), (64, 64, [0x60]));
    }
}
