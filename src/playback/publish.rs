//! Publishing: a folder with the playlists and all segments of some renditions, which plays from any IPFS gateway.
//!
//! What is written stays, so publishing the same again goes on where it ended. The folder's name follows from what is in
//! it; its files are the node's own, visible to whoever may see the film.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::choice::Choice;
use super::{Capabilities, Playback, PlaybackError, Rendition, Source, SubtitleId, SubtitleInfo, Watcher};
use super::{playlists, subtitle_tracks};
use crate::blocks::BlockError;
use crate::content::Cid;
use crate::content::cid::of_raw;
use crate::content::unixfs::folder::FolderEntry;
use crate::content::unixfs::{Layout, Profile};
use crate::media::subtitles::SubtitleFormat;

/// Where all admissions are taken, it is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Renditions of one folder.
const RENDITIONS_MAX: usize = 64;

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishProgress {
    /// Pieces that are written.
    pub done: u64,
    /// Pieces in all.
    pub total: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The rendition that is being made.
    pub rendition: String,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Root CID of the folder.
    pub root: Cid,
    /// Where it is.
    pub folder: PathBuf,
}

/// What is to be published.
struct Selection {
    choice: Choice,
    texts: Vec<SubtitleInfo>,
}

impl Selection {
    /// Pieces in all: segments with an initialisation section, pieces of text, playlists.
    fn total(&self, source: &Source) -> u64 {
        let segments: usize = self.choice.renditions().map(|r| r.segments.len() + 2).sum();
        let texts = self.texts.len() * (super::subtitles::pieces(source.facts.duration).len() + 1);
        (segments + texts + 1) as u64
    }

    /// Equal for equal contents.
    fn name(&self, item: &str) -> String {
        let keys: Vec<&str> = self.choice.renditions().map(|r| r.key.as_str()).collect();
        let texts: Vec<String> = self.texts.iter().map(|t| t.id.to_string()).collect();
        let hash = of_raw(format!("{}|{}", keys.join(","), texts.join(",")).as_bytes()).to_string();
        let item: String = item.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        format!("{item}-{}", &hash[hash.len() - 12..])
    }
}

/// Writes one folder and tells how far it is.
struct Writer<'a, F> {
    playback: &'a Playback,
    source: &'a Source,
    folder: PathBuf,
    progress: PublishProgress,
    tell: F,
    cancel: &'a CancellationToken,
    /// Name and size of each file, by its folder.
    files: BTreeMap<String, Vec<FolderEntry>>,
}

impl Playback {
    /// Writes renditions of a file into a folder, imports it and gives its root. `ids` are of renditions and subtitles; without any: the
    /// best rung or the copy, all sounds, all text subtitles. `item` begins the folder's name.
    ///
    /// # Errors
    /// As [`Playback::segment`], but it waits where the node is busy. What was written stays.
    pub async fn publish(
        &self,
        source: &Source,
        item: &str,
        ids: &[String],
        tell: impl FnMut(PublishProgress) + Send,
        cancel: &CancellationToken,
    ) -> Result<Published, PlaybackError> {
        let all = self.inner.options.published.clone().ok_or(PlaybackError::NotFound)?;
        let selection = self.selection(source, ids).await?;
        let folder = all.join(selection.name(item));
        let progress = PublishProgress { total: selection.total(source), ..PublishProgress::default() };
        let files = BTreeMap::new();
        let mut writer = Writer { playback: self, source, folder, progress, tell, cancel, files };
        writer.write(&selection).await
    }

    async fn selection(&self, source: &Source, ids: &[String]) -> Result<Selection, PlaybackError> {
        if ids.len() > RENDITIONS_MAX {
            return Err(PlaybackError::NotFound);
        }
        let plain = Capabilities { bit_rate_max: None, ..Capabilities::default() };
        let mut choice = self.choice(source, &plain).await?;
        let texts = subtitle_tracks(source).into_iter().filter(|t| t.format != SubtitleFormat::Picture);
        if ids.is_empty() {
            choice.films.truncate(1);
            return Ok(Selection { choice, texts: texts.collect() });
        }
        let (mut films, mut sounds) = (Vec::new(), Vec::new());
        for id in ids.iter().filter(|id| id.parse::<SubtitleId>().is_err()) {
            let rendition = self.rendition(source, id, &Watcher::default()).await?;
            if rendition.typed.is_film() { films.push(rendition) } else { sounds.push(rendition) }
        }
        (choice.films, choice.sounds) = (films, sounds);
        let wanted: Vec<SubtitleId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let texts: Vec<SubtitleInfo> = texts.filter(|t| wanted.contains(&t.id)).collect();
        if texts.len() < wanted.len() || choice.films.is_empty() && choice.sounds.is_empty() {
            return Err(PlaybackError::NotFound);
        }
        Ok(Selection { choice, texts })
    }
}

impl<F: FnMut(PublishProgress) + Send> Writer<'_, F> {
    async fn write(&mut self, selection: &Selection) -> Result<Published, PlaybackError> {
        for rendition in selection.choice.renditions() {
            self.rendition(rendition).await?;
        }
        for text in &selection.texts {
            self.text(text.id).await?;
        }
        let master = playlists::master(&selection.choice, &selection.texts);
        self.put("", "master.m3u8", master.into()).await?;
        let root = self.folders().await?;
        Ok(Published { root, folder: self.folder.clone() })
    }

    async fn rendition(&mut self, rendition: &Rendition) -> Result<(), PlaybackError> {
        self.progress.rendition.clone_from(&rendition.id);
        let (playback, source, watcher) = (self.playback, self.source, Watcher::default());
        let init = playback.init(source, &rendition.id, &watcher).await?;
        self.put(&rendition.id, "init.mp4", init.bytes).await?;
        for n in 0..rendition.segments.len() {
            let name = format!("{n}.m4s");
            let bytes = match self.written(&rendition.id, &name).await {
                Some(bytes) => bytes,
                None => self.made(rendition, n as u64).await?,
            };
            self.put(&rendition.id, &name, bytes).await?;
        }
        self.put(&rendition.id, "index.m3u8", playlists::media(rendition).into()).await
    }

    /// What an earlier time left: whole, because it was given its name when it was.
    async fn written(&self, folder: &str, name: &str) -> Option<Bytes> {
        let bytes = tokio::fs::read(self.folder.join(folder).join(name)).await.ok()?;
        (!bytes.is_empty()).then(|| bytes.into())
    }

    /// A segment, waiting for its turn where others watch.
    async fn made(&self, rendition: &Rendition, n: u64) -> Result<Bytes, PlaybackError> {
        let watcher = Watcher { viewer: "publisher".to_owned(), bit_rate_max: None };
        loop {
            let made = tokio::select! {
                made = self.playback.segment(self.source, &rendition.id, n, &watcher) => made,
                () = self.cancel.cancelled() => return Err(BlockError::Cancelled.into()),
            };
            match made {
                Ok(segment) => return Ok(segment.bytes),
                Err(PlaybackError::Busy(_)) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn text(&mut self, id: SubtitleId) -> Result<(), PlaybackError> {
        let (playback, source, folder) = (self.playback, self.source, id.to_string());
        self.progress.rendition.clone_from(&folder);
        for n in 0..super::subtitles::pieces(source.facts.duration).len() {
            let piece = playback.subtitles_piece(source, id, n as u64).await?;
            self.put(&folder, &format!("{n}.vtt"), piece.into()).await?;
        }
        let playlist = playback.subtitles_playlist(source, id).await?;
        self.put(&folder, "index.m3u8", playlist.into()).await
    }

    /// Writes a file where it is not there yet, and imports it.
    async fn put(&mut self, folder: &str, name: &str, bytes: Bytes) -> Result<(), PlaybackError> {
        if self.cancel.is_cancelled() {
            return Err(BlockError::Cancelled.into());
        }
        let path = self.folder.join(folder).join(name);
        let there = tokio::fs::read(&path).await.is_ok_and(|there| there == bytes);
        if !there {
            write(&path, &bytes).await.map_err(BlockError::from)?;
        }
        let layout = Layout::of(&bytes, Profile::V1_2025);
        let blocks = &self.playback.inner.shop.blocks;
        let known = blocks.imported(&path).await.map_err(BlockError::from)?;
        if !there || known.is_none_or(|known| known.cid != layout.root) {
            let imported = blocks.import_made(&path, self.source.cid, self.cancel).await;
            imported.map_err(|error| BlockError::Io(std::io::Error::other(error)))?;
        }
        let tsize = layout.size + layout.nodes.iter().map(|(_, node)| node.len() as u64).sum::<u64>();
        let entry = FolderEntry { name: name.to_owned(), cid: layout.root, tsize };
        self.files.entry(folder.to_owned()).or_default().push(entry);
        self.progress.done += 1;
        self.progress.bytes += layout.size;
        (self.tell)(self.progress.clone());
        Ok(())
    }

    /// Keeps the folders; gives the root.
    async fn folders(&mut self) -> Result<Cid, PlaybackError> {
        let blocks = &self.playback.inner.shop.blocks;
        let mut files = std::mem::take(&mut self.files);
        let mut top = files.remove("").unwrap_or_default();
        for (name, entries) in files {
            let built = blocks.put_folder(self.source.cid, entries).await?;
            top.push(FolderEntry { name, ..built });
        }
        Ok(blocks.put_folder(self.source.cid, top).await?.cid)
    }
}

async fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let new = path.with_extension("new");
    tokio::fs::write(&new, bytes).await?;
    tokio::fs::rename(&new, path).await
}
