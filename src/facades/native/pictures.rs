//! Posters and backdrops: small files from a library or from the artwork folder.
//!
//! What lies in a library may be anything, also a link to a secret: only regular files of a sane size that begin as a
//! picture does are sent.
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::model::Problem;
use crate::accounts::Caller;
use crate::catalog::Item;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, IfNoneMatch, SeenItem};
use crate::facades::{App, forward};
use crate::friends::{FriendPicture, PictureKind};
use crate::media::picture_type;

/// Largest picture, bytes.
const SIZE_MAX: u64 = 32 * 1024 * 1024;

/// The poster of an item.
#[utoipa::path(get, path = "/api/v1/items/{id}/poster", tag = "items", params(("id" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 304), (status = 404, body = Problem)))]
pub(in crate::facades) async fn poster(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    if item.item.friend.is_some() {
        return of_friend(&app, &caller, &item.item, PictureKind::Poster, &known).await;
    }
    picture(item.item.artwork.poster.clone(), known).await
}

/// The picture behind an item's page.
#[utoipa::path(get, path = "/api/v1/items/{id}/backdrop", tag = "items", params(("id" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 304), (status = 404, body = Problem)))]
pub(in crate::facades) async fn backdrop(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    if item.item.friend.is_some() {
        return of_friend(&app, &caller, &item.item, PictureKind::Backdrop, &known).await;
    }
    picture(item.item.artwork.backdrop.clone(), known).await
}

async fn of_friend(
    app: &App,
    caller: &Caller,
    item: &Item,
    kind: PictureKind,
    known: &IfNoneMatch,
) -> Result<Response, Refusal> {
    let FriendPicture { tag, bytes } = forward::picture(app, caller, item, kind).await?;
    let content = if known.has(&tag) { None } else { picture_type(&bytes).map(|kind| (kind, bytes)) };
    let mut response = answer(Picture { etag: tag, content });
    // What a friend sends is shown by our page, and never is a page itself.
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    Ok(response)
}

pub(super) async fn picture(path: Option<PathBuf>, known: IfNoneMatch) -> Result<Response, Refusal> {
    let path = path.ok_or_else(Refusal::not_found)?;
    let read = tokio::task::spawn_blocking(move || read(&path, &known)).await;
    match read.map_err(|error| Refusal::internal(&error))? {
        Ok(picture) => Ok(answer(picture)),
        Err(error) => {
            tracing::debug!(error = %error, "a picture cannot be read");
            Err(Refusal::not_found())
        }
    }
}

struct Picture {
    etag: String,
    /// `None` where the caller has it already.
    content: Option<(&'static str, Bytes)>,
}

fn read(path: &Path, known: &IfNoneMatch) -> io::Result<Picture> {
    // Without O_NONBLOCK a named pipe would hold the thread until someone writes to it.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > SIZE_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file of a picture's size"));
    }
    let etag = format!("\"{:x}-{:x}-{:x}-{:x}\"", meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec());
    if known.has(&etag) {
        return Ok(Picture { etag, content: None });
    }
    let bytes = read_all(file, meta.len())?;
    let kind = picture_type(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a picture"))?;
    Ok(Picture { etag, content: Some((kind, bytes.into())) })
}

fn read_all(file: File, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(SIZE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn answer(picture: Picture) -> Response {
    let mut response = match picture.content {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        None => StatusCode::NOT_MODIFIED.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=300"));
    // A friend may have given none.
    if let Some(tag) = HeaderValue::from_str(&picture.etag).ok().filter(|tag| !tag.is_empty()) {
        headers.insert(header::ETAG, tag);
    }
    response
}
