//! Which episodes are fetched, and what became of that.
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Episode, EpisodeFile, PodcastStatus, episodes};
use crate::catalog::{Catalog, CatalogError};

impl Catalog {
    /// Has an episode fetched, because somebody wants it; one that is here stays as it is.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn want_episode(&self, number: i64) -> Result<(), CatalogError> {
        let sql = "UPDATE podcast_episode SET status = CASE status WHEN 'completed' THEN status ELSE 'downloading' END, \
            error = NULL, asked = 1, tries = 0, due_at = 0 WHERE n = ?1";
        match self.database.write(move |t| t.execute(sql, [number])).await? {
            0 => Err(CatalogError::NotFound("episode")),
            _ => Ok(()),
        }
    }

    /// The episode to be fetched next, besides those that are being fetched; it may be due later.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn next_download(&self, besides: Vec<i64>) -> Result<Option<Episode>, CatalogError> {
        let besides = serde_json::Value::from(besides).to_string();
        let condition = "WHERE e.status = 'downloading' AND e.n NOT IN (SELECT value FROM json_each(:value)) \
            ORDER BY e.due_at, e.n LIMIT 1";
        Ok(self.database.read(move |c| episodes(c, condition, "", besides)).await?.into_iter().next())
    }

    /// What the part of an episode that is here is told by, as long as somebody wants the episode. Returns whether that is so.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_begun(&self, number: i64, validator: Option<String>) -> Result<bool, CatalogError> {
        let sql = "UPDATE podcast_episode SET validator = ?2 WHERE n = ?1 AND status = 'downloading'";
        Ok(self.database.write(move |t| t.execute(sql, params![number, validator])).await? > 0)
    }

    /// Fetching it failed `tries` times, and is tried again at `due_at` (Unix milliseconds).
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn put_episode_off(&self, number: i64, tries: u32, due_at: i64) -> Result<(), CatalogError> {
        let sql = "UPDATE podcast_episode SET tries = ?2, due_at = ?3 WHERE n = ?1 AND status = 'downloading'";
        self.database.write(move |t| t.execute(sql, params![number, tries, due_at])).await?;
        Ok(())
    }

    /// It is not fetched: `Error` or `Skipped`, and why.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_is(&self, number: i64, status: PodcastStatus, why: String) -> Result<(), CatalogError> {
        let sql = "UPDATE podcast_episode SET status = ?2, error = ?3 WHERE n = ?1 AND status = 'downloading'";
        self.database.write(move |t| t.execute(sql, params![number, status.word(), why])).await?;
        Ok(())
    }

    /// All of it is here. Returns whether somebody still wants it.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_completed(&self, number: i64, file: EpisodeFile) -> Result<bool, CatalogError> {
        let facts = serde_json::to_string(&file.facts).unwrap_or_default();
        let write = move |t: &Transaction<'_>| {
            let sql = "UPDATE podcast_episode SET status = 'completed', error = NULL, validator = NULL, tries = 0, file = ?2, size = ?3, \
                cid = ?4, facts = ?5, seconds = CASE WHEN ?6 > 0 THEN ?6 ELSE seconds END WHERE n = ?1 AND status = 'downloading'";
            let size = i64::try_from(file.size).unwrap_or(i64::MAX);
            t.execute(sql, params![number, file.name, size, file.cid.to_string(), facts, file.facts.duration])
        };
        Ok(self.database.write(write).await? > 0)
    }

    /// Takes the file of an episode from it, and what is fetched of it. Returns the name of the file, if it was here.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn delete_episode(&self, number: i64) -> Result<Option<String>, CatalogError> {
        let write = move |t: &Transaction<'_>| {
            let sql = "SELECT file FROM podcast_episode WHERE n = ?1";
            let found: Option<Option<String>> = t.query_row(sql, [number], |r| r.get(0)).optional()?;
            let sql = "UPDATE podcast_episode SET status = 'deleted', error = NULL, validator = NULL, file = NULL, size = 0, cid = NULL, \
                facts = NULL WHERE n = ?1";
            t.execute(sql, [number])?;
            Ok(found)
        };
        self.database.write(write).await?.ok_or(CatalogError::NotFound("episode"))
    }

    /// The files of all episodes that are here, with the numbers of these.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_files(&self) -> Result<Vec<(i64, EpisodeFile)>, CatalogError> {
        let found = self.database.read(move |c| episodes(c, "WHERE e.file IS NOT NULL AND :value", "", true)).await?;
        Ok(found.into_iter().filter_map(|episode| Some((episode.number, episode.file?))).collect())
    }

    /// Bytes that all of them take.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn podcasts_size(&self) -> Result<u64, CatalogError> {
        let sql = "SELECT ifnull(sum(size), 0) FROM podcast_episode WHERE file IS NOT NULL";
        Ok(self.database.read(move |c| c.query_row(sql, [], |r| r.get::<_, i64>(0))).await?.cast_unsigned())
    }
}
