//! Reads one file: asks the media worker what it is, hashes it into the block index, decides which item it is, writes it
//! down. A kill between any two steps costs no more than that step: what is hashed is not hashed again.
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::context::{Context, JobError};
use super::folder_books::{self, FolderRead, stat_at};
use super::identify::{Candidate, Identified, Whereabouts, by_content};
use super::report::Report;
use super::scan::{Folder, Found, stat_of};
use super::titles::kind_of;
use super::{ItemChange, artwork, describe, hashing};
use crate::blocks::{BoundFile, ImportError, Imported};
use crate::catalog::record::{BookFile, Description, Known, Place, Record, Stat, Touched};
use crate::catalog::{Library, LibraryState};
use crate::content::Cid;
use crate::media::book::{self, BookError, decode_pages};
use crate::media::protocol::{BookFacts, PictureForm, PicturePage, TrackFacts};
use crate::media::{Facts, MediaError, StreamKind};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is this item now.
    Item(i64),
    /// It is being written; come back when it is quiet.
    Busy,
    /// It went away.
    Gone,
}

/// A file to read.
pub(super) struct Task<'a> {
    pub library: &'a Library,
    pub folder: &'a Arc<Folder>,
    pub found: &'a Found,
    /// The item at its place, if any.
    pub here: Option<&'a Known>,
}

impl Task<'_> {
    pub fn place(&self) -> PathBuf {
        self.folder.place.join(&self.found.name)
    }

    pub fn path(&self) -> PathBuf {
        self.library.path.join(self.place())
    }
}

/// What reading a file gave.
pub(super) enum Reading {
    /// A video or a book with all its bytes hashed.
    Whole {
        content: Content,
        cid: Cid,
        stat: Stat,
    },
    /// Not a video, or not readable now; `retry` where the reason may pass without the file changing.
    Problem {
        problem: String,
        retry: bool,
    },
    Busy,
    Gone,
}

/// What a picture of a file is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Still {
    /// A film.
    Frame,
    /// A book, and where its cover is in it.
    Cover(Option<book::Place>),
    /// A track that holds a picture.
    Sleeve,
    /// What holds none.
    Nothing,
}

/// What a file is.
pub(super) struct Content {
    facts: Facts,
    book: Option<BookFile>,
    music: Option<TrackFacts>,
    still: Still,
    /// Worth telling a person, although it can be read.
    problem: Option<String>,
    /// Of a folder: the files that it is made of.
    bound: Option<Vec<BoundFile>>,
}

/// Reads a file and writes it down.
///
/// # Errors
/// Only what stops the whole scan: see [`JobError`].
pub(super) async fn import(context: &Context, task: &Task<'_>, report: &Report) -> Result<Outcome, JobError> {
    match look(context, task, report).await? {
        Look::Busy => Ok(Outcome::Busy),
        Look::Gone => Ok(Outcome::Gone),
        Look::Read(read) => {
            let poster = match &read.content {
                Ok((content, cid)) => picture(context, &task.path(), cid, content.still).await,
                Err(_) => None,
            };
            let cids: Vec<Cid> = read.cid().into_iter().collect();
            let known = context.catalog.known_by_cids(cids).await?.pop().unwrap_or_default();
            let mut description = context.describe(task.library, task.folder, &task.found.name).await;
            description.poster = description.poster.or(poster);
            let prepared = prepare(context, task, read, known, description, &HashSet::new()).await?;
            let touched = context.catalog.record(prepared.record.clone()).await?;
            finish(context, task, report, &prepared, &touched).await?;
            Ok(Outcome::Item(touched.number))
        }
    }
}

/// What looking at a file gave.
pub(super) enum Look {
    Read(Read),
    Busy,
    Gone,
}

impl Look {
    /// Root of a file that can be read.
    pub fn cid(&self) -> Option<Cid> {
        match self {
            Self::Read(read) => read.cid(),
            Self::Busy | Self::Gone => None,
        }
    }
}

/// What is in a file and its root, or why that cannot be told and whether the reason may pass.
pub(super) struct Read {
    content: Result<(Content, Cid), (String, bool)>,
    stat: Stat,
}

impl Read {
    /// Root of one that can be read.
    pub fn cid(&self) -> Option<Cid> {
        self.content.as_ref().ok().map(|(_, cid)| *cid)
    }

    /// Of a track that can be read: its album as the tags have it, and whether it holds a picture.
    pub fn sleeve(&self) -> Option<(Option<&str>, &Cid)> {
        let (content, cid) = self.content.as_ref().ok()?;
        let music = content.music.as_ref().filter(|_| matches!(content.still, Still::Sleeve))?;
        Some((music.told.album.as_deref(), cid))
    }
}

/// Reads a file, and tells of what is wrong with it.
pub(super) async fn look(context: &Context, task: &Task<'_>, report: &Report) -> Result<Look, JobError> {
    let reading = match open(context, task).await? {
        Ok(mut content) => {
            let bound = content.bound.take();
            whole(content, hashing::hash(context, &task.path(), &task.found.stat, bound, report).await)?
        }
        Err(reading) => reading,
    };
    Ok(tell(task, reading, report))
}

/// Tells of what is wrong with a file that was read.
pub(super) fn tell(task: &Task<'_>, reading: Reading, report: &Report) -> Look {
    match reading {
        Reading::Busy => Look::Busy,
        Reading::Gone => Look::Gone,
        Reading::Whole { content, cid, stat } => {
            if let Some(problem) = &content.problem {
                tracing::warn!(file.path = %task.path().display(), problem, "a part of a book cannot be read");
            }
            Look::Read(Read { content: Ok((content, cid)), stat })
        }
        Reading::Problem { problem, retry } => {
            tracing::warn!(file.path = %task.path().display(), problem, "a file cannot be played");
            report.update(|progress| progress.problems += 1);
            Look::Read(Read { content: Err((problem, retry)), stat: task.found.stat })
        }
    }
}

/// Whether it was written less than `settle` ago. A time in the future says nothing.
fn is_busy(stat: &Stat, settle: Duration) -> bool {
    let written = SystemTime::UNIX_EPOCH + Duration::from_nanos(stat.modified_ns.max(0).unsigned_abs());
    SystemTime::now().duration_since(written).is_ok_and(|age| age < settle)
}

/// Asks a worker what is in a file; what became of one that is not to be hashed then.
pub(super) async fn open(context: &Context, task: &Task<'_>) -> Result<Result<Content, Reading>, JobError> {
    let problem = |problem: String, retry| Ok(Err(Reading::Problem { problem, retry }));
    if is_busy(&task.found.stat, context.options.settle) {
        return Ok(Err(Reading::Busy));
    }
    if task.found.stat.size == 0 {
        return problem("the file is empty".to_owned(), false);
    }
    let path = task.path();
    match content(context, task, &path).await {
        Ok(Some(content)) => Ok(Ok(content)),
        Ok(None) => problem("there are no moving pictures in it".to_owned(), false),
        Err(MediaError::Start(error)) => Err(JobError::Worker(error)),
        Err(MediaError::Open(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Err(Reading::Gone)),
        Err(MediaError::Open(_)) if context.cancel.is_cancelled() => Err(JobError::Cancelled),
        Err(MediaError::Open(error)) => problem(unreadable(&error), true),
        // A file that grew or shrank while it was probed is not broken.
        Err(_) if context.now_is_another(&path, &task.found.stat) => Ok(Err(Reading::Busy)),
        Err(error) => problem(error.to_string(), false),
    }
}

/// What became of a file that was hashed.
pub(super) fn whole(content: Content, hashed: Result<Imported, ImportError>) -> Result<Reading, JobError> {
    match hashed {
        Ok(Imported { cid, size, modified_ns, inode, device }) => {
            Ok(Reading::Whole { content, cid, stat: Stat { size, modified_ns, inode, device } })
        }
        Err(ImportError::Changing(_)) => Ok(Reading::Busy),
        Err(ImportError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Reading::Gone),
        Err(ImportError::Io { source, .. }) => Ok(Reading::Problem { problem: unreadable(&source), retry: true }),
        Err(ImportError::Cancelled) => Err(JobError::Cancelled),
        Err(ImportError::Index(error)) => Err(JobError::Index(error)),
    }
}

/// What a worker finds in a file; `None` in a video without pictures.
async fn content(context: &Context, task: &Task<'_>, path: &Path) -> Result<Option<Content>, MediaError> {
    let kind = task.library.kind;
    if kind.is_heard() {
        let music = context.media.track(path).await?;
        let still = if music.picture { Still::Sleeve } else { Still::Nothing };
        let facts = music.facts();
        return Ok(Some(Content { facts, book: None, music: Some(music), still, problem: None, bound: None }));
    }
    if !kind.is_read() {
        let facts = context.media.probe(path).await?;
        let moves = facts.streams.iter().any(|stream| stream.kind == StreamKind::Video);
        let still = Still::Frame;
        return Ok(moves.then_some(Content { facts, book: None, music: None, still, problem: None, bound: None }));
    }
    let (facts, page_list, bound) = match task.found.folder {
        true => folder(context, path).await?,
        false => {
            let (facts, page_list) = context.media.book(path).await?;
            (facts, page_list.into(), None)
        }
    };
    let BookFacts { format, pages, told, cover, partial_md5, problem } = facts;
    let facts = Facts { container: format.as_str().to_owned(), pages: Some(pages), ..Facts::default() };
    let book = BookFile { page_list, pages, told, partial_md5: Some(partial_md5) };
    Ok(Some(Content { facts, book: Some(book), music: None, still: Still::Cover(cover), problem, bound }))
}

/// What is in a folder of pictures. Only their first bytes are looked into, so no worker is asked.
async fn folder(context: &Context, path: &Path) -> Result<(BookFacts, Vec<u8>, Option<Vec<BoundFile>>), MediaError> {
    let (path, cancel) = (path.to_owned(), context.cancel.clone());
    let read = tokio::task::spawn_blocking(move || folder_books::read(&path, &cancel)).await;
    let FolderRead { facts, page_list, files } =
        read.map_err(|_| MediaError::Cancelled)?.map_err(|error| match error {
            BookError::Io(error) => MediaError::Open(error),
            other => MediaError::Unreadable(other.to_string()),
        })?;
    Ok((facts, page_list, Some(files)))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "the system does not let Potluck read it: check the owner and permissions of the file and its folder"
                .to_owned()
        }
        _ => format!("it cannot be read: {error}"),
    }
}

/// The picture taken from a file that is known: the one made before, or a new one; none where that is not possible.
pub(super) async fn frame(context: &Context, item: i64, path: &Path, cid: &Cid) -> Option<PathBuf> {
    let pages = context.catalog.page_list(item).await.unwrap_or_default();
    let first = |list: Vec<u8>| Still::Cover(decode_pages(&list).ok().and_then(|pages| Some(pages.first()?.place)));
    let still = match context.catalog.holds_picture(item).await.unwrap_or_default() {
        Some(true) => Still::Sleeve,
        Some(false) => Still::Nothing,
        None => pages.map_or(Still::Frame, first),
    };
    picture(context, path, cid, still).await
}

/// The same of a file of which is known what to take it from.
pub(super) async fn picture(context: &Context, path: &Path, cid: &Cid, still: Still) -> Option<PathBuf> {
    let target = artwork::frame_path(&context.options.artwork, cid);
    if tokio::fs::try_exists(&target).await.unwrap_or(false) {
        return Some(target);
    }
    let jpeg = match still {
        Still::Cover(cover) => {
            let (own, place) = context.page_file(path, cover?).await?;
            let plan = PicturePage { place, side: Some(artwork::COVER_SIDE), form: PictureForm::Jpeg };
            context.media.picture_page(own.as_deref().unwrap_or(path), plan).await.map(Into::into)
        }
        Still::Sleeve => context.media.track_picture(path, artwork::COVER_SIDE).await.map(Into::into),
        Still::Nothing => return None,
        Still::Frame => context.media.poster(path, artwork::FRAME_WIDTH).await,
    };
    let jpeg = match jpeg {
        Ok(jpeg) => jpeg,
        Err(error) => {
            tracing::debug!(file.path = %path.display(), %error, "no picture could be taken from a video");
            return None;
        }
    };
    let written = target.clone();
    match tokio::task::spawn_blocking(move || artwork::write_frame(&written, &jpeg)).await {
        Ok(Ok(())) => Some(target),
        Ok(Err(error)) => {
            tracing::warn!(file.path = %target.display(), %error, "a picture could not be kept");
            None
        }
        Err(_) => None,
    }
}

/// What is to be written of a file, and which item it is.
pub(super) struct Prepared {
    pub record: Record,
    identified: Identified,
    candidates: Vec<Candidate>,
}

/// Decides which item it is, but none of `taken`: of those that are `known` to have the same content, or a new one.
pub(super) async fn prepare(
    context: &Context,
    task: &Task<'_>,
    read: Read,
    known: Vec<Known>,
    mut description: Description,
    taken: &HashSet<i64>,
) -> Result<Prepared, JobError> {
    let (place, cid) = (task.place(), read.cid());
    let mut candidates = candidates(context, known, task).await?;
    candidates.retain(|candidate| !taken.contains(&candidate.known.item));
    // Its item may have gone to another file just now.
    let here = task.here.filter(|here| !taken.contains(&here.item));
    let identified = by_content(&place, cid.as_ref(), here, &candidates);
    let item = match identified {
        Identified::Same(item) | Identified::Moved(item) | Identified::Edited(item) => Some(item),
        Identified::New => None,
    };
    context.keep_show(item, &mut description).await?;
    let (facts, book, music, problem, retry) = match read.content {
        Ok((content, _)) => (Some(content.facts), content.book, content.music, None, false),
        Err((problem, retry)) => (None, None, None, Some(problem), retry),
    };
    let place = Place { library: task.library.id.clone(), path: place };
    let kind = kind_of(task.library.kind);
    let stat = read.stat;
    let record = Record { item, place, kind, stat, cid, facts, book, music, problem, retry, description };
    Ok(Prepared { record, identified, candidates })
}

/// What follows when it is written.
pub(super) async fn finish(
    context: &Context,
    task: &Task<'_>,
    report: &Report,
    prepared: &Prepared,
    touched: &Touched,
) -> Result<(), JobError> {
    let Prepared { identified, candidates, .. } = prepared;
    context.unforce(&task.path());
    if let Identified::Moved(item) = identified {
        forget_old_place(context, candidates.iter().find(|c| c.known.item == *item)).await?;
    }
    let change = if *identified == Identified::New { ItemChange::Added } else { ItemChange::Changed };
    report.item(touched, change);
    report.update(|progress| match identified {
        Identified::New => progress.added += 1,
        Identified::Moved(_) => progress.moved += 1,
        Identified::Edited(_) => progress.changed += 1,
        Identified::Same(_) => {}
    });
    Ok(())
}

async fn candidates(context: &Context, known: Vec<Known>, task: &Task<'_>) -> Result<Vec<Candidate>, JobError> {
    let here = task.here.map(|here| here.item);
    context.with_whereabouts(known.into_iter().filter(|known| Some(known.item) != here).collect()).await
}

/// The index need not keep the path that a file moved from, once nothing is there.
async fn forget_old_place(context: &Context, moved: Option<&Candidate>) -> Result<(), JobError> {
    let Some(moved) = moved else { return Ok(()) };
    let old = context.indexed_path(&moved.known).await?;
    if !tokio::fs::try_exists(&old).await.unwrap_or(true) {
        context.blocks.forget(&old).await?;
    }
    Ok(())
}

impl Context {
    /// What is said of a video, read on a blocking thread.
    pub(super) async fn describe(
        &self,
        library: &Library,
        folder: &Arc<Folder>,
        name: &std::ffi::OsStr,
    ) -> Description {
        let (titles, library, folder) = (Arc::clone(&self.titles), library.clone(), Arc::clone(folder));
        let name = name.to_owned();
        let work = move || describe::describe(&titles, &library, &folder, &name);
        tokio::task::spawn_blocking(work).await.unwrap_or_default()
    }

    /// The same of several files of one library, in order.
    pub(super) async fn describe_several(&self, tasks: &[Task<'_>]) -> Vec<Description> {
        let Some(first) = tasks.first() else { return Vec::new() };
        let (titles, library) = (Arc::clone(&self.titles), first.library.clone());
        let files: Vec<_> = tasks.iter().map(|task| (Arc::clone(task.folder), task.found.name.clone())).collect();
        let work = move || {
            let described = files.iter().map(|(folder, name)| describe::describe(&titles, &library, folder, name));
            described.collect()
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(described) => described,
            // One name must not keep the others out.
            Err(_) => {
                let each = tasks.iter().map(|task| self.describe(task.library, task.folder, &task.found.name));
                futures_util::future::join_all(each).await
            }
        }
    }

    /// A show whose folder was renamed keeps its id: its first episode with the new name takes it along.
    pub(super) async fn keep_show(&self, item: Option<i64>, description: &mut Description) -> Result<(), JobError> {
        let (Some(item), Some(name)) = (item, &mut description.show) else { return Ok(()) };
        let Some(before) = self.catalog.show_of(item).await? else { return Ok(()) };
        let Some(place) = before.place.filter(|_| before.key != name.key) else { return Ok(()) };
        let library = self.catalog.library(&before.library).await?;
        let folder = library.path.join(place);
        if !tokio::fs::try_exists(&folder).await.unwrap_or(true) {
            name.renamed_from = Some(before.number);
        }
        Ok(())
    }

    /// Adds what is at the places of known files now.
    pub(super) async fn with_whereabouts(&self, known: Vec<Known>) -> Result<Vec<Candidate>, JobError> {
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let libraries = self.catalog.own_libraries().await?;
        let look = move || {
            let candidates = known.into_iter().map(|known| {
                let library = libraries.iter().find(|library| library.id == known.library);
                let whereabouts = library.map_or(Whereabouts::Missing, |library| whereabouts(&known, library));
                Candidate { known, whereabouts }
            });
            candidates.collect()
        };
        tokio::task::spawn_blocking(look).await.map_err(|_| JobError::Cancelled)
    }

    /// The path under which the block index holds a known file.
    pub(super) async fn indexed_path(&self, known: &Known) -> Result<PathBuf, JobError> {
        match &known.indexed_as {
            Some(path) => Ok(path.clone()),
            None => Ok(self.catalog.library(&known.library).await?.path.join(&known.place)),
        }
    }

    /// A page of a folder of pictures is in a file of its own: which, and where it is in there.
    async fn page_file(&self, path: &Path, place: book::Place) -> Option<(Option<PathBuf>, book::Place)> {
        let book::Place::Stored { offset, size } = place else { return Some((None, place)) };
        let own = self.blocks.bound_file(path, offset).await.ok()?;
        let place = if own.is_some() { book::Place::Whole { size } } else { place };
        Some((own, place))
    }

    /// Whether a path holds another file than a moment ago.
    fn now_is_another(&self, path: &Path, stat: &Stat) -> bool {
        stat_at(path).is_ok_and(|now| now != *stat)
    }
}

/// See [`Whereabouts`]. Blocking.
fn whereabouts(known: &Known, library: &Library) -> Whereabouts {
    if known.gone {
        return Whereabouts::Missing;
    }
    let path = library.path.join(&known.place);
    if fs::exists(&path).is_ok_and(|there| there) {
        let there = stat_at(&path).is_ok_and(|stat| stat.same_but_device(&known.stat));
        return if there { Whereabouts::There } else { Whereabouts::Missing };
    }
    if library.state == LibraryState::Unavailable || !super::scan::holds_anything(&library.path) {
        return Whereabouts::Away;
    }
    // Another device than the file's: its disk has another number since it was mounted anew, or is not mounted.
    let same_disk = folder_device(&library.path, &known.place) == Some(known.stat.device);
    if same_disk || !is_mount_point(library, known) { Whereabouts::Missing } else { Whereabouts::Away }
}

/// Whether the nearest folder that is left above a missing file is empty, as one is where a disk was mounted.
fn is_mount_point(library: &Library, known: &Known) -> bool {
    let above = known.place.ancestors().skip(1).map(|place| library.path.join(place)).find(|path| path.is_dir());
    above.is_some_and(|folder| !super::scan::holds_anything(&folder))
}

/// The device of the nearest folder that exists above a place. Blocking.
pub(super) fn folder_device(root: &Path, place: &Path) -> Option<u64> {
    place.ancestors().skip(1).find_map(|above| fs::metadata(root.join(above)).ok()).map(|meta| stat_of(&meta).device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_busy_until_it_was_quiet_for_the_time_to_settle() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let written = |ago: i64| Stat {
            size: 1,
            modified_ns: i64::try_from(now.as_nanos()).unwrap() - ago * 1_000_000_000,
            inode: 1,
            device: 1,
        };
        let settle = Duration::from_secs(10);
        assert!(is_busy(&written(5), settle));
        assert!(!is_busy(&written(15), settle));
        assert!(!is_busy(&written(-3600), settle), "a clock that was wrong does not hide a file");
        assert!(!is_busy(&written(0), Duration::ZERO));
    }
}
