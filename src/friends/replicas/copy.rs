//! Makes one replica: finds its place in a library of ours, writes down that it is begun, puts beside it what describes it, has
//! its blocks fetched, and hands it to the importer.
//!
//! Each step can be done again: a process that ends anywhere begins at the first one and finds what was done.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::modest::Modest;
use super::plan::Next;
use super::{Current, Replicas, files, pictures, subtitles};
use crate::accounts::{AccountChange, Caller, Friend};
use crate::blocks::{GatherError, Gathering};
use crate::catalog::replicas::Kept;
use crate::catalog::{CatalogError, Library, Listed, Visibility};
use crate::friends::{Friends, Holders};
use crate::library::newcomer::{NewShow, Newcomer, file_name};

/// Letters of a friend's name, and of a library's, in that of a library of replicas.
const NAME_MAX: usize = 28;
/// Names that are tried for a file, a library, a folder.
const NAMES_MAX: u32 = 99;

/// Why there is no replica.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    /// The friend does not offer it any more, or as something else.
    #[error("it is another one now")]
    Other,
    /// Nobody who has it is there.
    #[error("nobody who has it is there now")]
    Nobody,
    /// The folder for replicas, or that of the library, is not there: a disk that is not mounted.
    #[error("the folder {0} is not there")]
    Folder(PathBuf),
    /// Something could not be written.
    #[error("{path} cannot be written")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// No name is left for it.
    #[error("there are too many of its name")]
    Names,
    #[error(transparent)]
    Gather(#[from] GatherError),
    #[error("the catalog could not be read or written")]
    Catalog(#[from] CatalogError),
    #[error("the node is stopping")]
    Stopped,
}

/// What a replica is made of.
struct Original {
    listed: Listed,
    library: Library,
    friend: Friend,
    newcomer: Newcomer,
}

impl Replicas {
    /// See the module.
    pub(super) async fn copy(
        &self,
        friends: &Friends,
        next: &Next,
        cancel: &CancellationToken,
    ) -> Result<(), CopyError> {
        let original = self.original(next).await?;
        let holders = friends.holders(&next.cid).await?;
        if !holders.reachable() {
            return Err(CopyError::Nobody);
        }
        let library = self.library_for(&original).await?;
        let (kept, replaced) = self.begin(next, &original, &library).await?;
        let kept = self.describe(friends, &original, kept).await?;
        if !self.holds(&kept, next).await {
            self.gather(friends, holders, &kept, next, &original.listed.item.title, cancel).await?;
        }
        if let Some(replaced) = replaced {
            let _ = tokio::fs::remove_file(replaced).await;
        }
        let kept = Kept { done: true, cid: next.cid, size: next.size, ..kept };
        self.inner.catalog.keep(kept.clone()).await?;
        self.look(&kept);
        tracing::info!(file.path = %kept.path().display(), file.cid = %kept.cid, "a replica is whole");
        Ok(())
    }

    /// Reads the item again: it may be another one since the plan was made.
    async fn original(&self, next: &Next) -> Result<Original, CopyError> {
        let catalog = &self.inner.catalog;
        let listed = catalog.item(&next.item, "").await.map_err(or_other)?;
        let cid = listed.item.file.as_ref().and_then(|file| file.cid);
        let friend = listed.item.friend.as_ref().and_then(|id| self.inner.accounts.friend(id).ok());
        let friend = friend.filter(|_| cid == Some(next.cid)).ok_or(CopyError::Other)?;
        let library = catalog.library(&listed.item.library).await.map_err(or_other)?;
        let show = match &listed.item.show {
            Some(show) => Some(catalog.item(show, "").await.map_err(or_other)?),
            None => None,
        };
        let newcomer = newcomer(&listed, show.as_ref());
        Ok(Original { listed, library, friend, newcomer })
    }

    /// The library of ours that holds what is kept of the friend's: found, or made.
    async fn library_for(&self, original: &Original) -> Result<Library, CopyError> {
        let origin = &original.library;
        if let Some(library) = self.inner.catalog.replica_library(&origin.id).await? {
            return if library.path.is_dir() { Ok(library) } else { Err(CopyError::Folder(library.path)) };
        }
        // A folder that somebody named is there, or its disk is away.
        if self.inner.options.folder.is_some() && !self.inner.folder.is_dir() {
            return Err(CopyError::Folder(self.inner.folder.clone()));
        }
        for nth in 1..=NAMES_MAX {
            let behind = if nth > 1 { format!(" {nth}") } else { String::new() };
            let (friend, shown) = (short(&original.friend.name), short(&origin.name));
            let name = format!("{shown} of {friend}{behind}");
            let path = self.inner.folder.join(file_name(&friend)).join(file_name(&format!("{shown}{behind}")));
            make_folder(&path).await?;
            match self.inner.catalog.add_library(&name, origin.kind, &path, Visibility::Private).await {
                Ok(library) => {
                    self.inner.catalog.set_replica_library(&origin.id, &library.id).await?;
                    self.open_to_those_of(&origin.id, &library.id).await;
                    let _ = self.inner.importer.reload().await;
                    return Ok(library);
                }
                Err(CatalogError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CopyError::Names)
    }

    /// Who may see the friend's library may see what is kept of it.
    async fn open_to_those_of(&self, origin: &str, library: &str) {
        for account in self.inner.accounts.list() {
            let Some(mut libraries) = account.libraries.filter(|all| all.iter().any(|id| id == origin)) else {
                continue;
            };
            libraries.push(library.to_owned());
            let change = AccountChange { libraries: Some(Some(libraries)), ..AccountChange::default() };
            if let Err(error) = self.inner.accounts.update(&account.id, change, &Caller::local()).await {
                tracing::warn!(account.name = account.name, %error, "an account could not be given a library of replicas");
            }
        }
    }

    /// Writes down where the replica will be. Gives also the file that goes when it is whole.
    async fn begin(
        &self,
        next: &Next,
        original: &Original,
        library: &Library,
    ) -> Result<(Kept, Option<PathBuf>), CopyError> {
        let all = self.inner.catalog.kept().await?;
        let before = all.iter().find(|kept| kept.item == next.item);
        let place = original.newcomer.place(library.kind, 1);
        if let Some(kept) = before.filter(|kept| kept.place.extension() == place.extension()) {
            let kept = Kept { replica: next.replica.clone(), ..kept.clone() };
            // While an old one is there, the row is about that one.
            let kept = if kept.done { kept } else { Kept { cid: next.cid, size: next.size, ..kept } };
            self.inner.catalog.keep(kept.clone()).await?;
            return Ok((kept, None));
        }
        let place = self.free_place(next, original, library, &all).await?;
        let kept = Kept {
            item: next.item.clone(),
            replica: next.replica.clone(),
            library: library.id.clone(),
            root: library.path.clone(),
            library_state: library.state,
            place,
            cid: next.cid,
            size: next.size,
            done: false,
            described: None,
        };
        if before.is_none() {
            self.inner.catalog.keep(kept.clone()).await?;
        }
        Ok((kept, before.filter(|kept| kept.done).map(Kept::path)))
    }

    /// The first place where nothing is, or this file already.
    async fn free_place(
        &self,
        next: &Next,
        original: &Original,
        library: &Library,
        all: &[Kept],
    ) -> Result<PathBuf, CopyError> {
        for nth in 1..=NAMES_MAX {
            let place = original.newcomer.place(library.kind, nth);
            let lower = place.to_string_lossy().to_lowercase();
            let taken =
                |kept: &&Kept| kept.library == library.id && kept.place.to_string_lossy().to_lowercase() == lower;
            let path = library.path.join(&place);
            let there = tokio::fs::try_exists(&path).await.unwrap_or(true);
            if all.iter().find(taken).is_none() && (!there || self.is(&path, next).await) {
                return Ok(place);
            }
        }
        Err(CopyError::Names)
    }

    /// Whether the file was there when a process ended before it could say so.
    async fn holds(&self, kept: &Kept, next: &Next) -> bool {
        self.is(&kept.path(), next).await
    }

    /// Whether a file is the one that is wanted: as the index has it, or read again.
    async fn is(&self, path: &Path, next: &Next) -> bool {
        let size = tokio::fs::metadata(path).await.map(|meta| meta.len());
        if size.ok() != Some(next.size) {
            return false;
        }
        let imported = self.inner.blocks.import(path, |_| (), &self.inner.stop).await;
        imported.is_ok_and(|imported| imported.cid == next.cid)
    }

    /// Puts beside it what the friend says of it, and its pictures.
    async fn describe(&self, friends: &Friends, original: &Original, kept: Kept) -> Result<Kept, CopyError> {
        let path = kept.path();
        let folder = path.parent().unwrap_or(&kept.root).to_owned();
        make_folder(&folder).await?;
        let (item, friend) = (&original.listed.item, original.friend.id.as_str());
        let nfo = original.newcomer.nfo(original.library.kind);
        let (at, before) = (files::beside(&path, ".nfo"), kept.described.clone());
        let described = blocking(&path, move || files::write_nfo(&at, &nfo, before.as_deref())).await?;
        if item.artwork.poster.is_some() && item.show.is_none() {
            pictures::put(friends, friend, &item.id, "poster", |e| files::beside(&path, &format!("-poster.{e}"))).await;
        }
        if item.artwork.backdrop.is_some() {
            pictures::put(friends, friend, &item.id, "backdrop", |e| files::beside(&path, &format!("-fanart.{e}")))
                .await;
        }
        subtitles::put(friends, friend, &item.id, &path).await;
        if let (Some(id), Some(show)) = (&item.show, &original.newcomer.show) {
            self.describe_show(friends, friend, id, show, &kept).await?;
        }
        let kept = Kept { described, ..kept };
        if kept.done {
            // The row is about the file that is there until now.
            return Ok(kept);
        }
        self.inner.catalog.keep(kept.clone()).await?;
        Ok(kept)
    }

    async fn describe_show(
        &self,
        friends: &Friends,
        friend: &str,
        id: &str,
        show: &NewShow,
        kept: &Kept,
    ) -> Result<(), CopyError> {
        let Some(name) = kept.place.components().next() else { return Ok(()) };
        let folder = kept.root.join(name);
        let (nfo, text) = (folder.join("tvshow.nfo"), show.nfo());
        blocking(&folder, move || files::write_nfo(&nfo, &text, None)).await?;
        for (which, name) in [("poster", "poster"), ("backdrop", "fanart")] {
            pictures::put(friends, friend, id, which, |ending| folder.join(format!("{name}.{ending}"))).await;
        }
        Ok(())
    }

    async fn gather(
        &self,
        friends: &Friends,
        holders: Holders,
        kept: &Kept,
        next: &Next,
        title: &str,
        cancel: &CancellationToken,
    ) -> Result<(), CopyError> {
        let (options, mut before) = (&self.inner.options, 0);
        self.update(|live| {
            before = live.fetched;
            live.current = Some(Current {
                replica: next.replica.clone(),
                item: next.item.clone(),
                title: title.to_owned(),
                size: next.size,
                there: 0,
            });
        });
        let supplier = Arc::new(Modest::new(friends.clone(), holders, options.rate, options.flights));
        let gathering = Gathering { size: next.size, flights: options.flights, spare: options.spare };
        let (path, progress) = (kept.path(), self.progress(before));
        let work = self.inner.blocks.gather(&next.cid, &path, supplier, gathering, progress, cancel);
        let gathered = work.await;
        self.update(|live| live.current = None);
        gathered.map(|_| ()).map_err(CopyError::from)
    }
}

/// A name in so few letters that two of them make one, and ending with a whole word where it can.
fn short(name: &str) -> String {
    let Some((end, _)) = name.char_indices().nth(NAME_MAX) else { return name.to_owned() };
    let cut = &name[..end];
    let whole = cut.rfind(' ').filter(|at| at * 2 > end).map_or(cut, |at| &cut[..at]);
    whole.trim_end().to_owned()
}

fn or_other(error: CatalogError) -> CopyError {
    match error {
        CatalogError::NotFound(_) => CopyError::Other,
        error => error.into(),
    }
}

async fn make_folder(path: &Path) -> Result<(), CopyError> {
    let made = tokio::fs::create_dir_all(path).await;
    made.map_err(|source| CopyError::Write { path: path.to_owned(), source })
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, CopyError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| CopyError::Stopped)?;
    done.map_err(|source| CopyError::Write { path: path.to_owned(), source })
}

fn newcomer(listed: &Listed, show: Option<&Listed>) -> Newcomer {
    let item = &listed.item;
    let name = item.file.as_ref().and_then(|file| file.path.file_name());
    Newcomer {
        title: item.title.clone(),
        sort_title: item.sort_title.clone(),
        year: item.year,
        show: show.map(|show| NewShow {
            title: show.item.title.clone(),
            sort_title: show.item.sort_title.clone(),
            year: show.item.year,
            overview: show.item.overview.clone(),
            genres: show.item.genres.clone(),
        }),
        season: item.season,
        episode: item.episode,
        episode_end: item.episode_end,
        overview: item.overview.clone(),
        genres: item.genres.clone(),
        file_name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}
