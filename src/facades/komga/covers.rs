//! The covers of a series, a book or a list, one by one: what was found with it, and what people put up.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::multipart::Form;
use super::{lists, thumbnails};
use crate::accounts::Caller;
use crate::catalog::shelves::{CoverOf, ListKind, Shelf, ShelfCover};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, IfNoneMatch, Path};
use crate::library::ItemChange;
use crate::media::book::{PictureType, picture_dimensions, picture_kind};
use crate::node::NodeEvent;

/// Bytes at the beginning of a picture that tell its size.
const HEAD: u64 = 256 * 1024;

/// What covers are of, by its place in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Series,
    Book,
    Collection,
    ReadList,
}

impl Kind {
    fn list(self) -> Option<ListKind> {
        match self {
            Self::Series | Self::Book => None,
            Self::Collection => Some(ListKind::Collection),
            Self::ReadList => Some(ListKind::ReadList),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Series => "seriesId",
            Self::Book => "bookId",
            Self::Collection => "collectionId",
            Self::ReadList => "readListId",
        }
    }

    /// The thing with this id that a caller may see.
    async fn thing(self, app: &App, caller: &Caller, id: &str) -> Result<CoverOf, Refusal> {
        if let Some(kind) = self.list() {
            lists::seen(app, caller, kind, id).await?;
            return Ok(CoverOf::List(id.to_owned()));
        }
        let here = app.node().catalog().shelved(id).await?.ok_or_else(Refusal::not_found)?;
        let shelf = if self == Self::Series { Shelf::Series } else { Shelf::Books };
        if here.shelf == shelf && caller.may_see(&here.library) {
            Ok(CoverOf::Item(here.id))
        } else {
            Err(Refusal::not_found())
        }
    }
}

fn shape(kind: Kind, id: &str, cover: &ShelfCover) -> Value {
    let mut shape = json!({
        "id": cover.id,
        "type": "USER_UPLOADED",
        "selected": cover.selected,
        "mediaType": "image/jpeg",
        "fileSize": cover.size,
        "width": cover.width,
        "height": cover.height,
    });
    shape[kind.field()] = id.into();
    shape
}

/// What was found goes by the id of the thing it is of.
async fn found(app: &App, kind: Kind, id: &str, selected: bool) -> Result<Option<Value>, Refusal> {
    if kind.list().is_some() {
        return Ok(None);
    }
    let Some((path, beside)) = app.node().catalog().found_cover(id).await? else { return Ok(None) };
    let looked = tokio::task::spawn_blocking(move || look(&path)).await;
    let Ok(Ok((size, media_type, (width, height)))) = looked else { return Ok(None) };
    let mut shape = json!({
        "id": id,
        "type": if beside { "SIDECAR" } else { "GENERATED" },
        "selected": selected,
        "mediaType": media_type,
        "fileSize": size,
        "width": width,
        "height": height,
    });
    shape[kind.field()] = id.into();
    Ok(Some(shape))
}

fn look(path: &std::path::Path) -> std::io::Result<(u64, &'static str, (u32, u32))> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // Without O_NONBLOCK a named pipe would hold the thread until someone writes to it.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let size = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    let kind = picture_kind(&head);
    let dimensions = kind.and_then(|kind| picture_dimensions(kind, &head)).unwrap_or((0, 0));
    Ok((size, kind.map_or("application/octet-stream", PictureType::media_type), dimensions))
}

async fn all(app: &App, caller: &Caller, kind: Kind, id: &str) -> Result<Answer<Vec<Value>>, Refusal> {
    let covers = app.node().catalog().covers(kind.thing(app, caller, id).await?).await?;
    let selected = !covers.iter().any(|cover| cover.selected);
    let mut all: Vec<Value> = found(app, kind, id, selected).await?.into_iter().collect();
    all.extend(covers.iter().map(|cover| shape(kind, id, cover)));
    Ok(Answer(all))
}

async fn show(
    app: &App,
    caller: &Caller,
    kind: Kind,
    (id, cover): &(String, String),
    known: &IfNoneMatch,
) -> Result<Response, Refusal> {
    let thing = kind.thing(app, caller, id).await?;
    let path = if cover == id && kind.list().is_none() {
        app.node().catalog().found_cover(id).await?.map(|(path, _)| path)
    } else {
        let covers = app.node().catalog().covers(thing).await?;
        covers.into_iter().find(|one| one.id == *cover).map(|one| one.path)
    };
    let path = path.ok_or_else(Refusal::not_found)?;
    thumbnails::answer(app, path, known, "max-age=0, must-revalidate, private").await
}

async fn add(app: &App, caller: &Caller, kind: Kind, id: &str, form: &Form) -> Result<Answer<Value>, Refusal> {
    let thing = kind.thing(app, caller, id).await?;
    let picture = form.field("file").cloned().ok_or_else(|| Refusal::invalid("file: must be given"))?;
    let selected = form.field("selected").is_none_or(|text| text.trim_ascii() != b"false");
    let added = app.node().add_cover(thing.clone(), picture, selected).await?;
    tell(app, kind, &thing, true, added.selected).await?;
    Ok(Answer(shape(kind, id, &added)))
}

async fn select(app: &App, caller: &Caller, kind: Kind, (id, cover): &(String, String)) -> Result<StatusCode, Refusal> {
    let thing = kind.thing(app, caller, id).await?;
    let own = cover == id && kind.list().is_none();
    app.node().catalog().select_cover(thing.clone(), (!own).then(|| cover.clone())).await?;
    tell(app, kind, &thing, true, true).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn remove(app: &App, caller: &Caller, kind: Kind, (id, cover): &(String, String)) -> Result<StatusCode, Refusal> {
    let thing = kind.thing(app, caller, id).await?;
    if cover == id {
        return Err(Refusal::invalid("thumbnailId: what was found with a book stays"));
    }
    let selected = app.node().remove_cover(thing.clone(), cover).await?;
    tell(app, kind, &thing, false, selected).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Programs that show events of covers, and pages that show items, look again.
async fn tell(app: &App, kind: Kind, of: &CoverOf, added: bool, selected: bool) -> Result<(), Refusal> {
    app.node().announce_cover(of.clone(), kind.list(), added, selected);
    if let CoverOf::Item(id) = of
        && let Some(here) = app.node().catalog().shelved(id).await?
    {
        let show = (here.shelf == Shelf::Books).then_some(here.series);
        let (id, library) = (id.clone(), here.library);
        app.node().announce(NodeEvent::Item { id, library, show, change: ItemChange::Changed });
    }
    Ok(())
}

macro_rules! covers {
    ($kind:ident $all:ident $show:ident $add:ident $select:ident $remove:ident) => {
        /// All covers of one.
        pub(in crate::facades) async fn $all(
            State(app): State<App>,
            Asker(caller): Asker,
            Path(id): Path<String>,
        ) -> Result<Answer<Vec<Value>>, Refusal> {
            all(&app, &caller, Kind::$kind, &id).await
        }

        /// One of them, small.
        pub(in crate::facades) async fn $show(
            State(app): State<App>,
            Asker(caller): Asker,
            Path(ids): Path<(String, String)>,
            known: IfNoneMatch,
        ) -> Result<Response, Refusal> {
            show(&app, &caller, Kind::$kind, &ids, &known).await
        }

        /// Puts one up.
        pub(in crate::facades) async fn $add(
            State(app): State<App>,
            Asker(caller): Asker,
            Path(id): Path<String>,
            form: Form,
        ) -> Result<Answer<Value>, Refusal> {
            add(&app, &caller, Kind::$kind, &id, &form).await
        }

        /// Shows one from now on.
        pub(in crate::facades) async fn $select(
            State(app): State<App>,
            Asker(caller): Asker,
            Path(ids): Path<(String, String)>,
        ) -> Result<StatusCode, Refusal> {
            select(&app, &caller, Kind::$kind, &ids).await
        }

        /// Removes one that somebody put up.
        pub(in crate::facades) async fn $remove(
            State(app): State<App>,
            Asker(caller): Asker,
            Path(ids): Path<(String, String)>,
        ) -> Result<StatusCode, Refusal> {
            remove(&app, &caller, Kind::$kind, &ids).await
        }
    };
}

covers! { Series series one_of_series add_to_series select_of_series remove_of_series }
covers! { Book book one_of_book add_to_book select_of_book remove_of_book }
covers! { Collection collection one_of_collection add_to_collection select_of_collection remove_of_collection }
covers! { ReadList read_list one_of_read_list add_to_read_list select_of_read_list remove_of_read_list }
