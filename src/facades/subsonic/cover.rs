//! Covers of whatever has an id. What has none gets a plain picture: some programs break without.
use std::path::PathBuf;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, Crc, write::ZlibEncoder};

use super::call::Call;
use super::fault::Fault;
use super::things::{Thing, hearer};
use crate::facades::bytes;

/// Pixels of the longer side where nobody says how many, and at most: originals are for nobody's telephone.
const USUAL: u32 = 1000;
const SIDE_MAX: i64 = 2000;
const CACHE: &str = "private, max-age=86400";
/// Pixels of the plain picture's side.
const PLAIN_SIDE: u32 = 64;

/// `getCoverArt`
pub(super) async fn show(call: Call) -> Result<Response, Fault> {
    let id = call.params.need("id")?;
    let side = call.params.int("size")?.filter(|side| *side > 0).map_or(USUAL, |side| side.clamp(16, SIDE_MAX) as u32);
    let thing = Thing::parse(id).ok_or_else(|| Fault::absent("cover"))?;
    let Some(path) = picture(&call, thing).await? else { return Ok(plain()) };
    let playback = call.app.node().playback();
    let Ok(cover) = playback.cover(&path, side).await else { return Ok(plain()) };
    let mut response = if bytes::not_modified(&call.headers, &cover.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match playback.draw(&cover).await {
            Ok(jpeg) => ([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response(),
            Err(_) => return Ok(plain()),
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    bytes::set(&mut response, header::ETAG, &cover.tag);
    Ok(response)
}

/// The picture of a thing, if there is one.
///
/// # Errors
/// [`Fault`] for what is not there, or may not be seen.
async fn picture(call: &Call, thing: Thing) -> Result<Option<PathBuf>, Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let absent = || Fault::absent("cover");
    Ok(match thing {
        Thing::Track(n) => {
            catalog.tracks_by_number(hearer, vec![n]).await?.into_iter().next().ok_or_else(absent)?.poster
        }
        Thing::Album(n) => {
            catalog.albums_by_number(hearer, vec![n]).await?.into_iter().next().ok_or_else(absent)?.poster
        }
        Thing::Artist(n) => catalog.artist(hearer, n).await?.poster,
        Thing::Playlist(n) => catalog.playlist_alone(hearer, n).await?.poster,
        Thing::Directory(n) => {
            let (folder, inside) = catalog.directory(hearer, n).await?;
            // A folder of albums looks like the first of them.
            folder.poster.or_else(|| inside.directories.into_iter().find_map(|below| below.poster))
        }
    })
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
