//! Where people are in episodes: a bookmark in each, and how often they heard it.
use rusqlite::{Transaction, params};

use crate::catalog::{Catalog, CatalogError, now};

/// A bookmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeMark {
    /// Number of the episode.
    pub episode: i64,
    pub position_ms: u64,
    pub comment: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

impl Catalog {
    /// The bookmarks of an account in episodes, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_marks(&self, account: &str) -> Result<Vec<EpisodeMark>, CatalogError> {
        let account = account.to_owned();
        let sql = "SELECT episode, position_ms, comment, created_at, changed_at FROM podcast_place \
            WHERE account = ?1 AND position_ms IS NOT NULL ORDER BY changed_at DESC, episode";
        let mark = |r: &rusqlite::Row<'_>| {
            let position_ms = r.get::<_, i64>(1)?.cast_unsigned();
            let (created_at, changed_at) = (r.get(3)?, r.get(4)?);
            Ok(EpisodeMark { episode: r.get(0)?, position_ms, comment: r.get(2)?, created_at, changed_at })
        };
        Ok(self.database.read(move |c| c.prepare_cached(sql)?.query_map([account], mark)?.collect()).await?)
    }

    /// Marks a place in an episode; one was there at most.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn mark_episode(
        &self,
        account: &str,
        episode: i64,
        position_ms: u64,
        comment: String,
    ) -> Result<(), CatalogError> {
        let account = account.to_owned();
        let sql = "INSERT INTO podcast_place (account, episode, position_ms, comment, created_at, changed_at) \
            SELECT ?1, n, ?3, ?4, ?5, ?5 FROM podcast_episode WHERE n = ?2 ON CONFLICT (account, episode) DO UPDATE SET \
            created_at = CASE WHEN position_ms IS NULL THEN excluded.created_at ELSE created_at END, \
            position_ms = excluded.position_ms, comment = excluded.comment, changed_at = excluded.changed_at";
        let write = move |t: &Transaction<'_>| {
            t.execute(sql, params![account, episode, position_ms.cast_signed(), comment, now()])
        };
        if self.database.write(write).await? == 0 { Err(CatalogError::NotFound("episode")) } else { Ok(()) }
    }

    /// Forgets the mark in an episode. Without one, nothing happens.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn unmark_episode(&self, account: &str, episode: i64) -> Result<(), CatalogError> {
        let account = account.to_owned();
        let sql = "UPDATE podcast_place SET position_ms = NULL, comment = '' WHERE account = ?1 AND episode = ?2";
        self.database.write(move |t| t.execute(sql, params![account, episode])).await?;
        Ok(())
    }

    /// An account heard episodes, each at a time in Unix milliseconds. Returns how many of them there are.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn heard_episodes(&self, account: &str, heard: Vec<(i64, i64)>) -> Result<usize, CatalogError> {
        let account = account.to_owned();
        let sql = "INSERT INTO podcast_place (account, episode, plays, played_at) \
            SELECT ?1, n, 1, ?3 FROM podcast_episode WHERE n = ?2 ON CONFLICT (account, episode) DO UPDATE SET \
            plays = plays + 1, played_at = max(ifnull(played_at, 0), excluded.played_at)";
        let write = move |t: &Transaction<'_>| {
            let mut statement = t.prepare_cached(sql)?;
            heard.iter().map(|(episode, at)| statement.execute(params![account, episode, at])).sum()
        };
        Ok(self.database.write(write).await?)
    }
}
