//! One scan of a library or a part of it, from listing to trash.
//!
//! ```text
//! list ─► unavailable? ─► lay beside the catalog ─► moves, by stat ─► read the rest ─► what is missing? ─► shows ─► purge
//! ```
//! Every step is committed when it is done, so that a scan can end anywhere and the next one goes on.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::context::{Context, JobError};
use super::folder_books::stat_at;
use super::identify::{Absence, Missing, Recognised, absence, by_stat};
use super::import::{self, Look, Outcome, Task, folder_device};
use super::report::Report;
use super::scan::{self, Listing, Scope, Unseen};
use super::sorted::{Folders, Sorted, Spot, Unexplained, sort};
use super::titles::kind_of;
use super::tracks::{self, Sleeves};
use super::{ItemChange, ScanState, along, describe, lists, relocate};
use crate::catalog::record::{Known, Moved, Place, Touched};
use crate::catalog::{ItemState, Library, LibraryState};

/// Files whose twins are looked up at once.
const BATCH: usize = 500;
/// Unchanged files that are looked for in the block index after a start.
const SAMPLE: usize = 64;

/// Scans a part of a library. Returns the part that must be looked at again, because files in it are still being written.
pub(super) async fn run(
    context: &Context,
    library: &str,
    scope: &Scope,
    report: &Report,
) -> Result<Option<Scope>, JobError> {
    let library = context.catalog.library(library).await?;
    let known = context.catalog.known(&library.id, folders_of(scope)).await?;
    let expected = known.iter().any(|known| !known.gone);
    let Some(listing) = list(context, &library, scope, report).await? else {
        return away(context, &library, report).await.map(|()| None);
    };
    if expected && listing.is_empty() && *scope == Scope::All {
        return away(context, &library, report).await.map(|()| None);
    }
    if context.catalog.set_library_state(&library.id, LibraryState::Available).await? {
        report.library(&library.id);
    }
    let Listing { folders, unseen, .. } = listing;
    let folders = Folders::new(folders);
    let sorted = sort(&library, &folders, scope, known, |path| context.is_forced(path));
    let problems = unseen.iter().inspect(|unseen| warn_unseen(&library, unseen)).count() as u64;
    report.update(|progress| {
        progress.problems += problems;
        progress.files_total = sorted.files;
        progress.files_done = sorted.files - sorted.unexplained.len() as u64;
    });
    let job = Job { context, library, scope, folders, unseen, report };
    let again = job.work(sorted).await?;
    context.catalog.set_scanned(&job.library.id).await?;
    report.library(&job.library.id);
    Ok(again)
}

/// The folders to load from the catalog; those that are not deep bring more than is needed.
fn folders_of(scope: &Scope) -> Option<Vec<PathBuf>> {
    match scope {
        Scope::Folders(folders) if !folders.keys().any(|folder| folder.as_os_str().is_empty()) => {
            Some(folders.keys().cloned().collect())
        }
        _ => None,
    }
}

/// Lists on a blocking thread; `None` where the root is not there.
async fn list(
    context: &Context,
    library: &Library,
    scope: &Scope,
    report: &Report,
) -> Result<Option<Listing>, JobError> {
    let (kind, root, scope) = (library.kind, library.path.clone(), scope.clone());
    let (cancel, reporter) = (context.cancel.clone(), report.clone());
    let found = move |files| reporter.update(|p| p.files_total = files);
    let walk = move || scan::walk(kind, &root, &scope, &cancel, found);
    match tokio::task::spawn_blocking(walk).await.map_err(|_| JobError::Cancelled)? {
        Ok(listing) => Ok(Some(listing)),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Err(JobError::Cancelled),
        Err(error) => {
            tracing::debug!(library.path = %library.path.display(), %error, "the folder of a library cannot be read");
            Ok(None)
        }
    }
}

/// The library is not there: nothing of it is forgotten.
async fn away(context: &Context, library: &Library, report: &Report) -> Result<(), JobError> {
    if context.catalog.set_library_state(&library.id, LibraryState::Unavailable).await? {
        let path = library.path.display();
        tracing::warn!(library.name = library.name, library.path = %path, "a library's folder is missing or empty");
        report.library(&library.id);
    }
    Ok(())
}

fn warn_unseen(library: &Library, unseen: &Unseen) {
    let path = library.path.join(&unseen.place);
    tracing::warn!(file.path = %path.display(), error = %unseen.reason, "a part of a library cannot be read");
}

struct Job<'a> {
    context: &'a Context,
    library: Library,
    scope: &'a Scope,
    folders: Folders,
    unseen: Vec<Unseen>,
    report: &'a Report,
}

impl Job<'_> {
    async fn work(&self, mut sorted: Sorted) -> Result<Option<Scope>, JobError> {
        self.see(&mut sorted).await?;
        let mut read = self.lost(&sorted).await?;
        read.extend(self.move_recognised(&mut sorted).await?);
        read.append(&mut sorted.unexplained);
        let (again, claimed) = self.read(read).await?;
        self.miss(&sorted, &claimed).await?;
        self.describe_shows().await?;
        self.purge().await?;
        self.follow_lists().await?;
        Ok(again)
    }

    /// Playlists name tracks, which have to be there.
    async fn follow_lists(&self) -> Result<(), JobError> {
        if !self.library.kind.is_heard() {
            return Ok(());
        }
        let mut moved = false;
        self.report.update(|progress| moved = progress.added + progress.changed + progress.moved > 0);
        let found = (self.folders.lists(), &self.unseen[..]);
        lists::follow(self.context, &self.library, self.scope, found, moved).await
    }

    /// What is as it was, but for small things.
    async fn see(&self, sorted: &mut Sorted) -> Result<(), JobError> {
        for touched in self.context.catalog.seen(std::mem::take(&mut sorted.seen)).await? {
            self.report.item(&touched, ItemChange::Changed);
        }
        // A cover may be new to thousands of tracks, and what is written puts their album together anew.
        let at_once = if self.library.kind.is_heard() { tracks::BATCH } else { 1 };
        for some in std::mem::take(&mut sorted.redescribe).chunks(at_once) {
            self.redescribe(some).await?;
        }
        for known in std::mem::take(&mut sorted.damaged) {
            self.try_again(&known).await?;
        }
        Ok(())
    }

    /// What lies beside these files is not as it was.
    async fn redescribe(&self, files: &[(i64, Spot, Option<Box<Known>>)]) -> Result<(), JobError> {
        let mut described = Vec::with_capacity(files.len());
        for (item, spot, known) in files {
            let folder = self.folders.folder(*spot);
            let mut description = self.context.describe(&self.library, folder, &self.folders.found(*spot).name).await;
            self.context.keep_show(Some(*item), &mut description).await?;
            let cid = known.as_ref().and_then(|known| known.cid.as_deref());
            if let (None, Some(cid)) = (&description.poster, cid) {
                let path = self.library.path.join(self.folders.place(*spot));
                description.poster = import::frame(self.context, *item, &path, cid).await;
            }
            described.push((*item, description));
        }
        for touched in self.context.catalog.describe(described).await? {
            self.report.item(&touched, ItemChange::Changed);
        }
        Ok(())
    }

    /// A damaged file may have been repaired without its time changing.
    async fn try_again(&self, known: &Known) -> Result<(), JobError> {
        let Some(cid) = &known.cid else { return Ok(()) };
        if let Err(error) = self.context.blocks.verify(cid, &self.context.cancel).await {
            tracing::debug!(%error, "a damaged file is still damaged");
            return Ok(());
        }
        if let Some(touched) = self.context.catalog.verified(known.item).await? {
            self.report.item(&touched, ItemChange::Changed);
        }
        Ok(())
    }

    /// Files that the catalog knows and the block index does not: it lost its last commits in a power cut, or was deleted. After a
    /// start, the newest files are looked for, and some others; if one is missing, all are.
    async fn lost(&self, sorted: &Sorted) -> Result<Vec<Unexplained>, JobError> {
        let mut lost = self.reindex(sorted).await?;
        if *self.scope != Scope::All || !self.context.first_check(&self.library.id) {
            return Ok(lost);
        }
        let mut sample = sorted.unchanged.clone();
        sample.sort_unstable_by_key(|(item, _)| std::cmp::Reverse(*item));
        let step = (sample.len() / SAMPLE).max(1);
        let sample: Vec<_> =
            sample.iter().take(SAMPLE).chain(sample.iter().skip(SAMPLE).step_by(step)).copied().collect();
        let moved: HashSet<i64> = sorted.reindex.iter().map(|(_, known)| known.item).collect();
        let mut any = false;
        for (item, spot) in &sample {
            any |= !moved.contains(item) && self.is_lost(*spot).await?;
        }
        if any {
            tracing::warn!(
                library.name = self.library.name,
                "the block index misses files that the catalog knows: reading them again"
            );
            for (item, spot) in &sorted.unchanged {
                if !moved.contains(item) && self.is_lost(*spot).await? {
                    lost.push(self.as_unexplained(*spot).await?);
                }
            }
        }
        Ok(lost)
    }

    async fn is_lost(&self, spot: Spot) -> Result<bool, JobError> {
        let path = self.library.path.join(self.folders.place(spot));
        Ok(self.context.blocks.imported(&path).await?.is_none())
    }

    async fn as_unexplained(&self, spot: Spot) -> Result<Unexplained, JobError> {
        let place = Place { library: self.library.id.clone(), path: self.folders.place(spot) };
        let here = self.context.catalog.known_at(place).await?.map(Box::new);
        Ok(Unexplained { spot, here })
    }

    /// The library's folder moved: tells the block index the new paths. Returns what it does not know.
    async fn reindex(&self, sorted: &Sorted) -> Result<Vec<Unexplained>, JobError> {
        let mut moves = Vec::new();
        for (spot, known) in &sorted.reindex {
            moves.push(relocate::Path {
                from: self.context.indexed_path(known).await?,
                to: self.library.path.join(self.folders.place(*spot)),
                cid: known.cid.as_deref().copied(),
            });
        }
        let kept = relocate::relocate(&self.context.blocks, &moves).await?;
        self.context.catalog.indexed(sorted.reindex.iter().map(|(_, known)| known.item).collect()).await?;
        let lost = sorted.reindex.iter().zip(kept).filter(|(_, kept)| !kept);
        Ok(lost.map(|((spot, known), _)| Unexplained { spot: *spot, here: Some(known.clone()) }).collect())
    }

    /// Gives files that were recognised their items. Returns those whose bytes must be read after all, and takes from `sorted`
    /// what is explained.
    async fn move_recognised(&self, sorted: &mut Sorted) -> Result<Vec<Unexplained>, JobError> {
        let (mut moves, mut taken) = (Vec::new(), HashSet::new());
        let mut left = Vec::new();
        let mut unexplained = std::mem::take(&mut sorted.unexplained).into_iter();
        loop {
            let batch: Vec<Unexplained> = unexplained.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            self.recognise(batch, &mut moves, &mut taken, &mut left).await?;
        }
        // Whose item followed its file elsewhere is not held to be edited.
        for file in &mut left {
            file.here = file.here.take().filter(|here| !taken.contains(&here.item));
        }
        sorted.unexplained = left;
        sorted.missing.retain(|known| !taken.contains(&known.item));
        self.apply(moves).await
    }

    async fn recognise(
        &self,
        batch: Vec<Unexplained>,
        moves: &mut Vec<(Spot, Known)>,
        taken: &mut HashSet<i64>,
        left: &mut Vec<Unexplained>,
    ) -> Result<(), JobError> {
        let stats = batch.iter().map(|file| self.folders.found(file.spot).stat).collect();
        let twins = self.context.catalog.known_by_stat(stats).await?;
        for (file, twins) in batch.into_iter().zip(twins) {
            let place = self.folders.place(file.spot);
            let here = file.here.as_deref().filter(|here| !here.gone).map(|here| here.item);
            let twins =
                twins.into_iter().filter(|twin| Some(twin.item) != here && !taken.contains(&twin.item)).collect();
            let candidates = self.context.with_whereabouts(twins).await?;
            match by_stat(&place, &self.folders.found(file.spot).stat, None, &candidates) {
                Recognised::Moved(item) => {
                    taken.insert(item);
                    moves.extend(candidates.into_iter().find(|c| c.known.item == item).map(|c| (file.spot, c.known)));
                }
                Recognised::Same(_) | Recognised::Unknown => left.push(file),
            }
        }
        Ok(())
    }

    /// Writes the new places, in the block index first: killed in between, the next scan finds the index right already.
    async fn apply(&self, moves: Vec<(Spot, Known)>) -> Result<Vec<Unexplained>, JobError> {
        if moves.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<PathBuf> = moves.iter().map(|(spot, _)| self.folders.place(*spot)).collect();
        let moved = places.iter().zip(&moves).map(|(place, (_, known))| (place.as_path(), known));
        along::take_along(self.context, &self.library, moved).await?;
        let mut paths = Vec::with_capacity(moves.len());
        let mut written = Vec::with_capacity(moves.len());
        for (spot, known) in &moves {
            let place = self.folders.place(*spot);
            let to = self.library.path.join(&place);
            let from = self.context.indexed_path(known).await?;
            paths.push(relocate::Path { from, to: to.clone(), cid: known.cid.as_deref().copied() });
            let found = self.folders.found(*spot);
            let mut description = self.context.describe(&self.library, self.folders.folder(*spot), &found.name).await;
            self.context.keep_show(Some(known.item), &mut description).await?;
            if let (None, Some(cid)) = (&description.poster, &known.cid) {
                description.poster = import::frame(self.context, known.item, &to, cid).await;
            }
            let place = Place { library: self.library.id.clone(), path: place };
            written.push(Moved {
                item: known.item,
                place,
                kind: kind_of(self.library.kind),
                stat: found.stat,
                description,
            });
        }
        let kept = relocate::relocate(&self.context.blocks, &paths).await?;
        for touched in self.context.catalog.relocate(written).await? {
            self.report.item(&touched, ItemChange::Changed);
        }
        let count = moves.len() as u64;
        self.report.update(|progress| {
            progress.moved += count;
            progress.files_done += count;
        });
        let mut lost = Vec::new();
        for ((spot, _), _) in moves.iter().zip(kept).filter(|(_, kept)| !kept) {
            lost.push(self.as_unexplained(*spot).await?);
        }
        Ok(lost)
    }

    /// Reads files one after the other. Returns what to look at again and the items that were found.
    async fn read(&self, files: Vec<Unexplained>) -> Result<(Option<Scope>, HashSet<i64>), JobError> {
        let bytes = files.iter().map(|file| self.folders.found(file.spot).stat.size).sum();
        self.report.update(|progress| progress.bytes_total = bytes);
        self.report.turn(ScanState::Importing);
        if self.library.kind.is_heard() {
            return self.read_together(files).await;
        }
        let (mut again, mut claimed) = (HashMap::new(), HashSet::new());
        for file in files {
            if self.context.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let (folder, found) = (self.folders.folder(file.spot), self.folders.found(file.spot));
            let name = found.name.to_string_lossy().into_owned();
            self.report.update(|progress| progress.current = Some(name));
            // An item whose content turned up elsewhere in this scan is not here any more.
            let here = file.here.filter(|here| !claimed.contains(&here.item));
            let task = Task { library: &self.library, folder, found, here: here.as_deref() };
            match import::import(self.context, &task, self.report).await? {
                Outcome::Item(item) => {
                    claimed.insert(item);
                }
                Outcome::Busy => {
                    // A folder that is being filled is looked at alone.
                    again.insert(if found.folder { task.place() } else { folder.place.clone() }, false);
                    claimed.extend(here.map(|here| here.item));
                }
                Outcome::Gone => {}
            }
            self.report.update(|progress| progress.files_done += 1);
        }
        let again = (!again.is_empty()).then(|| Scope::Folders(again.into_iter().collect()));
        Ok((again, claimed))
    }

    /// The same of many small files: some are read at once, and they are written down together while the next are read.
    async fn read_together(&self, files: Vec<Unexplained>) -> Result<(Option<Scope>, HashSet<i64>), JobError> {
        let (mut again, mut claimed) = (HashMap::new(), HashSet::new());
        let (mut sleeves, mut batches) = (Sleeves::default(), files.chunks(tracks::BATCH));
        let mut next = batches.next().unwrap_or_default();
        let mut looks = self.look_together(next).await?;
        while !next.is_empty() {
            if self.context.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let batch = std::mem::replace(&mut next, batches.next().unwrap_or_default());
            let writing = self.write_together(batch, looks, &claimed, &mut sleeves);
            let (outcomes, coming) = tokio::join!(writing, self.look_together(next));
            for (file, outcome) in batch.iter().zip(outcomes?) {
                match outcome {
                    Outcome::Item(item) => {
                        claimed.insert(item);
                    }
                    Outcome::Busy => {
                        again.insert(self.folders.folder(file.spot).place.clone(), false);
                        claimed.extend(file.here.as_ref().map(|here| here.item));
                    }
                    Outcome::Gone => {}
                }
            }
            self.report.update(|progress| progress.files_done += batch.len() as u64);
            looks = coming?;
        }
        let again = (!again.is_empty()).then(|| Scope::Folders(again.into_iter().collect()));
        Ok((again, claimed))
    }

    async fn look_together(&self, batch: &[Unexplained]) -> Result<Vec<Look>, JobError> {
        let tasks: Vec<Task<'_>> = batch.iter().map(|file| self.task(file)).collect();
        let name = tasks.first().map(|task| task.found.name.to_string_lossy().into_owned());
        self.report.update(|progress| progress.current = name.or(progress.current.take()));
        tracks::look(self.context, &tasks, self.report).await
    }

    async fn write_together(
        &self,
        batch: &[Unexplained],
        looks: Vec<Look>,
        claimed: &HashSet<i64>,
        sleeves: &mut Sleeves,
    ) -> Result<Vec<Outcome>, JobError> {
        let mut tasks: Vec<Task<'_>> = batch.iter().map(|file| self.task(file)).collect();
        for task in &mut tasks {
            // An item whose content turned up elsewhere in this scan is not here any more.
            task.here = task.here.filter(|here| !claimed.contains(&here.item));
        }
        tracks::write(self.context, &tasks, looks, sleeves, self.report).await
    }

    fn task<'b>(&'b self, file: &'b Unexplained) -> Task<'b> {
        let (folder, found) = (self.folders.folder(file.spot), self.folders.found(file.spot));
        Task { library: &self.library, folder, found, here: file.here.as_deref() }
    }

    /// What was expected and not found: deleted or away.
    async fn miss(&self, sorted: &Sorted, claimed: &HashSet<i64>) -> Result<(), JobError> {
        let missing: Vec<&Known> = sorted.missing.iter().filter(|known| !claimed.contains(&known.item)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !scan::holds_anything(&self.library.path) {
            return away(self.context, &self.library, self.report).await;
        }
        let known = self.context.catalog.totals(&self.library.id).await?.items;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let mut devices = HashMap::new();
        let (mut deleted, mut doubted) = (Vec::new(), Vec::new());
        for file in &missing {
            let folder = file.place.parent().map(PathBuf::from).unwrap_or_default();
            let device = devices.entry(folder).or_insert_with(|| folder_device(&self.library.path, &file.place));
            let absent = self.absent(file, device.unwrap_or_default(), sorted);
            match absence(&absent, missing.len(), known) {
                Absence::Deleted => deleted.push(file.item),
                Absence::Away => doubted.push(file.item),
            }
        }
        for touched in self.context.catalog.doubt(doubted).await? {
            self.report.item(&touched, ItemChange::Changed);
        }
        let trashed = self.context.catalog.trash(deleted).await?;
        self.report.update(|progress| progress.trashed += trashed.len() as u64);
        for touched in trashed {
            self.report.item(&touched, ItemChange::Removed);
        }
        Ok(())
    }

    fn absent(&self, file: &Known, folder_device: u64, sorted: &Sorted) -> Missing {
        let device = file.stat.device;
        let now = jiff::Timestamp::now().as_millisecond();
        Missing {
            unreadable: self.unseen.iter().any(|unseen| file.place.starts_with(&unseen.place)),
            device,
            folder_device,
            device_gone: !sorted.devices.contains(&device) && !sorted.renumbered.contains(&device),
            missing_for: file.missing_at.filter(|_| file.state == ItemState::Unavailable).map_or(0, |at| now - at),
        }
    }

    /// Reads what lies beside shows whose folders were looked at, or that are new.
    async fn describe_shows(&self) -> Result<(), JobError> {
        for show in self.context.catalog.shows(&self.library.id).await? {
            let place = describe::show_folder(&show).to_owned();
            let looked_at = self.scope.holds(&place.join("tvshow.nfo"));
            if show.described.is_some() && show.poster && !looked_at {
                continue;
            }
            let listed = self.folders.at(&place).filter(|_| looked_at && show.place.is_some()).cloned();
            let (titles, library, number) = (Arc::clone(&self.context.titles), self.library.clone(), show.number);
            let work = move || {
                let folder = match (&show.place, listed) {
                    (None, _) => Arc::default(),
                    (Some(_), Some(folder)) => folder,
                    (Some(place), None) => Arc::new(scan::list(library.kind, &library.path, place)),
                };
                describe::describe_show(&titles, &library, &folder, &show)
            };
            let described = tokio::task::spawn_blocking(work).await.map_err(|_| JobError::Cancelled)?;
            if let Some(described) = described {
                let touched = self.context.catalog.describe_show(number, described).await?;
                self.report.item(&touched, ItemChange::Changed);
            }
        }
        Ok(())
    }

    /// Forgets what has been in the trash for long.
    async fn purge(&self) -> Result<(), JobError> {
        let kept = i64::try_from(self.context.options.keep_trashed.as_millis()).unwrap_or(i64::MAX);
        let before = jiff::Timestamp::now().as_millisecond().saturating_sub(kept);
        forget(self.context, self.context.catalog.purge(before).await?).await
    }
}

/// Has forgotten items forgotten everywhere.
pub(super) async fn forget(context: &Context, items: Vec<(Touched, PathBuf)>) -> Result<(), JobError> {
    for (touched, path) in items {
        // A folder may be there still and be no book any more.
        let gone = path.clone();
        let look = move || stat_at(&gone).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        if tokio::task::spawn_blocking(look).await.unwrap_or(false) {
            context.blocks.forget(&path).await?;
        }
        context.board.item(&touched, ItemChange::Removed);
    }
    Ok(())
}
