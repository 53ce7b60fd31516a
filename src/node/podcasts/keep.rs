//! The two tasks: one asks for feeds as they are due, one fetches episodes. Each sleeps until something is to be done.
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::{Podcasts, log, milliseconds, now};
use crate::catalog::podcasts::Episode;

/// Episodes that are fetched at once.
const DOWNLOADS: usize = 2;
/// Feeds that are asked for at once.
const FEEDS: usize = 4;

impl Podcasts {
    /// Asks for feeds as they are due, until it is stopped.
    pub(in crate::node) async fn keep_feeds(&self, stop: CancellationToken) {
        log(self.catalog.resume_podcasts().await.map_err(Into::into));
        loop {
            let next = tokio::select! {
                next = self.ask_due() => next,
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.feeds.notified() => {}
                () = until(next) => {}
            }
        }
    }

    /// Asks for all that are due; returns when the next is.
    async fn ask_due(&self) -> Option<i64> {
        let every = self.options.refresh.map(milliseconds);
        let until = every.map_or(0, |every| now() - every);
        match self.catalog.podcasts_due(until).await {
            Ok(due) => futures_util::stream::iter(due).for_each_concurrent(FEEDS, |channel| self.ask(channel)).await,
            Err(error) => log(Err(error.into())),
        }
        let asked = self.catalog.podcast_asked().await.ok().flatten();
        // Never at once again, also where nothing can be written down.
        every.map(|every| (asked.unwrap_or_else(now) + every).max(now() + 1000))
    }

    /// Fetches what is to be fetched, until it is stopped.
    pub(in crate::node) async fn keep_episodes(&self, stop: CancellationToken) {
        tokio::select! {
            () = self.settle() => {}
            () = stop.cancelled() => return,
        }
        let mut running = FuturesUnordered::new();
        loop {
            let mut next = None;
            while running.len() < DOWNLOADS {
                let Some(episode) = self.next().await else { break };
                if episode.due_at > now() {
                    next = Some(episode.due_at);
                    break;
                }
                let token = CancellationToken::new();
                self.running.lock().insert(episode.number, token.clone());
                running.push(self.fetch(episode, token));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.episodes.notified() => {}
                Some(()) = running.next() => {}
                () = until(next) => {}
            }
        }
    }

    async fn next(&self) -> Option<Episode> {
        let running = self.running.lock().keys().copied().collect();
        let next = self.catalog.next_download(running).await;
        next.inspect_err(|error| tracing::warn!(%error, "podcasts could not be read")).ok().flatten()
    }

    /// Takes in again what is here, where the folder lies elsewhere than it did.
    async fn settle(&self) {
        let files = match self.catalog.episode_files().await {
            Ok(files) => files,
            Err(error) => return log(Err(error.into())),
        };
        for (number, file) in files {
            let path = self.folder.join(&file.name);
            let known = self.blocks.unchanged(&path).await.ok().flatten().is_some_and(|known| known.cid == file.cid);
            if known || !tokio::fs::try_exists(&path).await.unwrap_or(false) {
                continue;
            }
            let cancel = CancellationToken::new();
            let _guard = cancel.clone().drop_guard();
            match self.blocks.import(&path, |_| (), &cancel).await {
                Ok(imported) if imported.cid == file.cid => {}
                _ => tracing::warn!(episode.id = number, "the file of an episode is not as it was fetched"),
            }
        }
    }
}

async fn until(at: Option<i64>) {
    match at {
        Some(at) => tokio::time::sleep(Duration::from_millis((at - now()).max(1).cast_unsigned())).await,
        None => std::future::pending().await,
    }
}
