//! A data folder, a folder of videos and an importer over both: what the tests of the library are made of.
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use potluck::blocks::{Blocks, BlocksOptions};
use potluck::catalog::{Catalog, Item, ItemFilter, ItemKind, ItemState, Library, LibraryKind, Visibility};
use potluck::database::{Database, DatabaseOptions, migrations};
use potluck::library::{Importer, ImporterOptions, LibraryEvent, ScanProgress, ScanState};
use potluck::media::Media;

use crate::fixtures;

/// The account whose progress the tests keep.
pub const ACCOUNT: &str = "0190-someone";

/// A video of a second, 128x72, H.264 without sound. `tag` is in its bytes, and nothing else differs.
pub fn video(tag: &str) -> Vec<u8> {
    let arguments = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=128x72:rate=8:duration=1",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
    ];
    let mut bytes = fs::read(fixtures::clip("tiny.mp4", &arguments)).unwrap();
    // A `free` box at the end is legal and played by nobody.
    let mut free = tag.as_bytes().to_vec();
    free.resize(free.len().max(64), b' ');
    bytes.extend((u32::try_from(free.len()).unwrap() + 8).to_be_bytes());
    bytes.extend(b"free");
    bytes.extend(free);
    bytes
}

pub struct Shelf {
    /// Where libraries are.
    pub videos: tempfile::TempDir,
    data: tempfile::TempDir,
    pub catalog: Catalog,
    pub blocks: Blocks,
    pub media: Media,
    pub importer: Importer,
    watch: bool,
}

impl Shelf {
    /// An importer that scans when it is asked.
    pub async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), false).await
    }

    /// An importer that watches.
    pub async fn watching() -> Self {
        Self::open(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), true).await
    }

    async fn open(videos: tempfile::TempDir, data: tempfile::TempDir, watch: bool) -> Self {
        let options = DatabaseOptions::default();
        let database = Database::open(&data.path().join("catalog.db"), &options, migrations::CATALOG).unwrap();
        let catalog = Catalog::new(database);
        let blocks = Blocks::open(BlocksOptions { path: data.path().join("blocks.db") }).unwrap();
        let media = fixtures::media();
        let options = Self::options(data.path(), watch);
        let (c, b, m) = (catalog.clone(), blocks.clone(), media.clone());
        let importer = if watch {
            Importer::start(options, c, b, m).await.unwrap()
        } else {
            Importer::on_demand(options, c, b, m).await.unwrap()
        };
        Self { videos, data, catalog, blocks, media, importer, watch }
    }

    pub fn options(data: &Path, watch: bool) -> ImporterOptions {
        ImporterOptions {
            artwork: data.join("artwork"),
            watch,
            rescan: None,
            settle: Duration::ZERO,
            keep_trashed: Duration::from_secs(3600),
        }
    }

    /// Stops everything and opens it again, as a restart of the node does.
    pub async fn restart(self) -> Self {
        let Self { videos, data, catalog, blocks, media, importer, watch } = self;
        importer.stop().await;
        media.stop().await;
        drop((catalog, blocks, media, importer));
        Self::open(videos, data, watch).await
    }

    /// The same, with the block index lost.
    pub async fn restart_without_blocks(self) -> Self {
        let Self { videos, data, catalog, blocks, media, importer, watch } = self;
        importer.stop().await;
        media.stop().await;
        drop((catalog, blocks, media, importer));
        for name in ["blocks.db", "blocks.db-wal", "blocks.db-shm"] {
            fs::remove_file(data.path().join(name)).ok();
        }
        Self::open(videos, data, watch).await
    }

    pub fn path(&self, place: &str) -> PathBuf {
        self.videos.path().join(place)
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Writes a video that differs from others by `tag`, replacing what is there in place.
    pub fn put(&self, place: &str, tag: &str) -> PathBuf {
        self.write(place, &video(tag))
    }

    pub fn write(&self, place: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// A library at a folder of this name.
    pub async fn library(&self, name: &str, kind: LibraryKind) -> Library {
        fs::create_dir_all(self.path(name)).unwrap();
        self.catalog.add_library(name, kind, &self.path(name), Visibility::Private).await.unwrap()
    }

    /// Scans a library to the end.
    pub async fn scan(&self, library: &Library) -> ScanProgress {
        self.importer.scan(&library.id).await.unwrap();
        self.importer.idle().await;
        let last = self.importer.last(&library.id).unwrap();
        assert_eq!(last.state, ScanState::Done, "{last:?}");
        last
    }

    /// All items of a kind but those in the trash, by title; everything playable without a kind.
    pub async fn items(&self, kind: Option<ItemKind>) -> Vec<Item> {
        let filter = ItemFilter { kind, limit: 500, account: ACCOUNT.to_owned(), ..ItemFilter::default() };
        let page = self.catalog.items(filter).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        page.items.into_iter().map(|listed| listed.item).collect()
    }

    /// The item that plays this file.
    pub async fn at(&self, place: &str) -> Item {
        let path = self.path(place);
        let found = self.items(None).await.into_iter().find(|item| item.file.as_ref().is_some_and(|f| f.path == path));
        let found = found.unwrap_or_else(|| panic!("no item at {place}"));
        self.catalog.item(&found.id, ACCOUNT).await.unwrap().item
    }

    /// Where the file of an item is.
    pub async fn at_id(&self, id: &str) -> PathBuf {
        self.catalog.item(id, ACCOUNT).await.unwrap().item.file.unwrap().path
    }

    pub async fn state(&self, id: &str) -> ItemState {
        self.catalog.item(id, ACCOUNT).await.unwrap().item.state
    }

    /// All bytes of an item, as its blocks give them.
    pub async fn bytes(&self, item: &Item) -> Vec<u8> {
        use futures_util::TryStreamExt;
        let file = item.file.as_ref().unwrap();
        let pieces: Vec<_> = self.blocks.read(&file.cid.unwrap(), 0..file.size).try_collect().await.unwrap();
        pieces.concat()
    }
}

/// Waits for an event that `wanted` takes.
pub async fn event<T>(
    events: &mut tokio::sync::broadcast::Receiver<LibraryEvent>,
    mut wanted: impl FnMut(LibraryEvent) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            match events.recv().await {
                Ok(event) => {
                    if let Some(found) = wanted(event) {
                        return found;
                    }
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(error) => panic!("no more events: {error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the event did not come")
}
