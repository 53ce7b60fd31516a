//! Follows podcasts: asks for their feeds by a schedule, and fetches the episodes that somebody wants.
//!
//! ```text
//! add, refresh ──► feeds task ──► feed ──► catalog ◄── episodes task ──► part ──► whole file ──► worker looks ──► blocks
//! ```
//! Owns the folder of podcasts: `N.ending` is an episode, `N.part` what is here of one, `cover-N.jpg` the picture of a channel. Whoever
//! writes a feed is a stranger: what it names is asked for in the internet alone, within limits of time and size, and is kept only where it is
//! sound or film. What is under way is written down, and goes on after a restart where it was.
mod download;
mod feed;
mod keep;
mod refresh;
mod room;

pub use download::ending;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::web::{self, Network, Reach, Web, WebError};
use crate::blocks::Blocks;
use crate::catalog::podcasts::{Channel, Episode, EpisodeFile};
use crate::catalog::{Catalog, CatalogError};
use crate::media::Media;
use crate::playback::Source;

/// Bytes of an address.
const ADDRESS_MAX: usize = 2048;

/// Settings of podcasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodcastsOptions {
    /// Where they are put; `None` for `podcasts` in the data folder.
    pub folder: Option<PathBuf>,
    /// Feeds are asked for this often; `None` for only when somebody wants it.
    pub refresh: Option<Duration>,
    /// Of what a feed tells newly, so many of the newest episodes are fetched by themselves.
    pub newest: u32,
    /// Bytes of an episode at most.
    pub episode_max: u64,
    /// Bytes of all episodes together; `None` for no limit.
    pub quota: Option<u64>,
    /// Networks that are not the internet's, from which may be fetched all the same.
    pub private_networks: Vec<Network>,
    /// How long to wait after a failure; twice as long after each further one.
    pub first_wait: Duration,
}

impl Default for PodcastsOptions {
    fn default() -> Self {
        Self {
            folder: None,
            refresh: Some(Duration::from_secs(4 * 3600)),
            newest: 0,
            episode_max: 1024 * 1024 * 1024,
            quota: Some(50 * 1024 * 1024 * 1024),
            private_networks: Vec::new(),
            first_wait: Duration::from_secs(30),
        }
    }
}

/// Why a podcast is not followed, or an episode not fetched.
#[derive(Debug, thiserror::Error)]
pub enum PodcastsError {
    /// What is there is no feed.
    #[error("{0} is no podcast: there is no feed of RSS or Atom")]
    NoFeed(String),
    /// The server answers something else.
    #[error("{0} answered {1}")]
    Status(String, http::StatusCode),
    /// It cannot be asked.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The handle.
pub struct Podcasts {
    options: PodcastsOptions,
    folder: PathBuf,
    catalog: Catalog,
    blocks: Blocks,
    media: Media,
    web: Web,
    feeds: Notify,
    episodes: Notify,
    /// Those that are being fetched.
    running: Mutex<HashMap<i64, CancellationToken>>,
}

impl Podcasts {
    pub(super) fn new(
        options: PodcastsOptions,
        data: &Path,
        catalog: Catalog,
        blocks: Blocks,
        media: Media,
    ) -> Arc<Self> {
        let folder = options.folder.clone().unwrap_or_else(|| data.join("podcasts"));
        let web = Web::new(Reach::Public(options.private_networks.clone()));
        let (feeds, episodes, running) = Default::default();
        Arc::new(Self { options, folder, catalog, blocks, media, web, feeds, episodes, running })
    }

    /// Follows the podcast whose feed is at an address, once its feed was read.
    ///
    /// # Errors
    /// See [`PodcastsError`]; nothing is kept then.
    pub async fn add(&self, address: &str) -> Result<(), PodcastsError> {
        let url = web::address(address)?;
        if url.as_str().len() > ADDRESS_MAX {
            return Err(WebError::Address(address.chars().take(200).collect()).into());
        }
        let told = self.feed(&url, None).await?.ok_or_else(|| PodcastsError::NoFeed(url.to_string()))?;
        let number = self.catalog.add_podcast(url.as_str()).await?;
        self.take(number, told).await?;
        // Its picture comes with the next look at the feed.
        self.catalog.want_podcast(number).await?;
        self.feeds.notify_one();
        Ok(())
    }

    /// Has all feeds asked for now.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn refresh(&self) -> Result<(), CatalogError> {
        self.catalog.want_podcasts().await?;
        self.feeds.notify_one();
        Ok(())
    }

    /// Follows a podcast no more, and removes what is here of it.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove(&self, channel: i64) -> Result<(), CatalogError> {
        let (episodes, files) = self.catalog.remove_podcast(channel).await?;
        for episode in episodes {
            self.give_up(episode).await;
        }
        for name in files {
            self.remove_file(&name).await;
        }
        Ok(())
    }

    /// Has an episode fetched.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn download(&self, episode: i64) -> Result<(), CatalogError> {
        self.catalog.want_episode(episode).await?;
        self.episodes.notify_one();
        Ok(())
    }

    /// Removes what is here of an episode, and fetches it no more.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn delete(&self, episode: i64) -> Result<(), CatalogError> {
        let file = self.catalog.delete_episode(episode).await?;
        self.give_up(episode).await;
        if let Some(name) = file {
            self.remove_file(&name).await;
        }
        Ok(())
    }

    /// What is played of an episode; `None` where it is not here.
    #[must_use]
    pub fn source(&self, episode: &Episode) -> Option<Source> {
        episode.file.as_ref().map(|file| source(&self.folder, file))
    }

    /// The picture of a channel, if it is here.
    #[must_use]
    pub fn picture(&self, channel: &Channel) -> Option<PathBuf> {
        channel.image.as_ref().map(|name| self.folder.join(name))
    }

    /// The folder of podcasts.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    async fn give_up(&self, episode: i64) {
        // Who fetches it removes what was fetched.
        let fetching = self.running.lock().get(&episode).map(CancellationToken::cancel);
        if fetching.is_none() {
            remove(&self.part(episode)).await;
        }
    }

    async fn remove_file(&self, name: &str) {
        let path = self.folder.join(name);
        remove(&path).await;
        if let Err(error) = self.blocks.forget(&path).await {
            tracing::warn!(%error, file.path = %path.display(), "a file of a podcast could not be forgotten");
        }
    }

    fn part(&self, episode: i64) -> PathBuf {
        self.folder.join(format!("{episode}.part"))
    }
}

/// What is played of a file in the folder of podcasts.
pub(super) fn source(folder: &Path, file: &EpisodeFile) -> Source {
    Source { cid: file.cid, path: folder.join(&file.name), facts: file.facts.clone(), sidecars: Vec::new() }
}

async fn remove(path: &Path) {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, file.path = %path.display(), "a file of a podcast could not be removed");
        }
        _ => {}
    }
}

fn log(result: Result<(), PodcastsError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "podcasts could not be read or written down");
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}
