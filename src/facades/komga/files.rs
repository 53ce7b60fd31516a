//! The file of a book, whole or in parts.
use axum::extract::{Request, State};
use axum::response::Response;

use crate::catalog::{ItemKind, ItemState};
use crate::facades::App;
use crate::facades::bytes::{self, Cache, Disposition, FileAnswer};
use crate::facades::error::Refusal;
use crate::facades::extract::SeenItem;
use crate::media::book::Format;

/// The bytes as they are on disk; of a folder of pictures, an archive of them. They come from verified blocks, so their tag is that of the content.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(seen): SeenItem,
    request: Request,
) -> Result<Response, Refusal> {
    let item = &seen.item;
    let file = item.file.as_ref().filter(|_| item.kind == ItemKind::Book && item.friend.is_none());
    let file = file.ok_or_else(Refusal::not_found)?;
    if item.state != ItemState::Present {
        let why = item.problem.clone().unwrap_or_else(|| "the file is not there now".to_owned());
        return Err(Refusal::absent(why));
    }
    let cid = file.cid.ok_or_else(|| Refusal::absent("the file was not read yet"))?;
    let format = file.facts.as_ref().and_then(|facts| Format::named(&facts.container));
    let name = Format::file_name(format, &file.path);
    let answer = FileAnswer {
        cid,
        content_type: format.map_or("application/octet-stream", Format::media_type),
        disposition: Disposition::Attachment(&name),
        cache: Cache::Revalidate,
    };
    let sent = bytes::file(app.node().blocks(), answer, request.method(), request.headers()).await;
    sent.map_err(|error| Refusal::from(error).as_absent())
}
