//! Plays that are still to be told elsewhere, as they were known when they happened: what is removed here meanwhile was heard all the
//! same.
use rusqlite::{Connection, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Hearer, Track, rows};
use crate::catalog::items::broken;
use crate::catalog::model::Id;
use crate::catalog::{Catalog, CatalogError};

/// Plays of an account that wait at most; the oldest go first.
const WAITING_MAX: u32 = 10_000;

/// A track as it is told elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    pub title: String,
    /// As shown.
    pub artist: String,
    /// Empty without one.
    pub album: String,
    /// On its disc.
    pub number: Option<i32>,
    pub seconds: f64,
    /// MusicBrainz' ids.
    pub recording: Option<String>,
    pub release: Option<String>,
    pub release_track: Option<String>,
    pub artists: Vec<String>,
    /// The program that played it; empty where unknown.
    pub program: String,
}

impl Heard {
    /// This track, played by that program.
    #[must_use]
    pub fn of(track: &Track, program: &str) -> Self {
        let ids = &track.told.musicbrainz;
        Self {
            title: track.title.clone(),
            artist: track.artist.clone(),
            album: track.album_title.clone(),
            number: track.track,
            seconds: track.seconds,
            recording: ids.recording.clone(),
            release: ids.release.clone(),
            release_track: ids.track.clone(),
            artists: ids.artists.clone(),
            program: program.to_owned(),
        }
    }
}

/// A play that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    pub number: i64,
    pub account: Id,
    /// Unix milliseconds.
    pub at: i64,
    pub heard: Heard,
    /// Times that it could not be told.
    pub tries: u32,
}

/// Writes down what is to be told.
pub(super) fn wait(t: &Transaction<'_>, hearer: &Hearer, tracks: &[(i64, i64)], program: &str) -> rusqlite::Result<()> {
    for (number, at) in tracks {
        for track in rows::tracks(t, hearer, &[*number])? {
            let told = serde_json::to_string(&Heard::of(&track, program));
            let told = told.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            // Those that wait already go first.
            let sql = "INSERT INTO listen (account, at, told, due_at) VALUES (?1, ?2, ?3, \
                (SELECT ifnull(max(due_at), 0) FROM listen WHERE account = ?1))";
            t.prepare_cached(sql)?.execute(params![hearer.account, at, told])?;
        }
    }
    let sql = "DELETE FROM listen WHERE account = ?1 AND n NOT IN (SELECT n FROM listen WHERE account = ?1 ORDER BY n DESC LIMIT ?2)";
    t.prepare_cached(sql)?.execute(params![hearer.account, WAITING_MAX]).map(|_| ())
}

fn due(c: &Connection, now: i64, count: u32) -> rusqlite::Result<Vec<Listen>> {
    let sql = "SELECT n, account, at, told, tries FROM listen WHERE account = \
        (SELECT account FROM listen WHERE due_at <= ?1 ORDER BY due_at, n LIMIT 1) AND due_at <= ?1 ORDER BY n LIMIT ?2";
    let listen = |r: &Row<'_>| {
        let heard = serde_json::from_str(r.get_ref(3)?.as_str()?).map_err(|error| broken("told", error))?;
        Ok(Listen { number: r.get(0)?, account: r.get(1)?, at: r.get(2)?, heard, tries: r.get(4)? })
    };
    c.prepare_cached(sql)?.query_map(params![now, count], listen)?.collect()
}

impl Catalog {
    /// Plays of one account that may be told now, oldest first; those of the account that waits longest.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn listens_due(&self, now: i64, count: u32) -> Result<Vec<Listen>, CatalogError> {
        Ok(self.database.read(move |c| due(c, now, count)).await?)
    }

    /// When the next play may be told, in Unix milliseconds.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn next_listen(&self) -> Result<Option<i64>, CatalogError> {
        Ok(self.database.read(|c| c.query_row("SELECT min(due_at) FROM listen", [], |r| r.get(0))).await?)
    }

    /// How many plays of an account wait.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn listens_waiting(&self, account: &str) -> Result<u64, CatalogError> {
        let account = account.to_owned();
        let sql = "SELECT count(*) FROM listen WHERE account = ?1";
        let read = move |c: &Connection| c.query_row(sql, [account], |r| r.get::<_, i64>(0));
        Ok(self.database.read(read).await?.cast_unsigned())
    }

    /// These were told, or never can be.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn listens_told(&self, numbers: Vec<i64>) -> Result<(), CatalogError> {
        let write = move |t: &Transaction<'_>| {
            for number in &numbers {
                t.prepare_cached("DELETE FROM listen WHERE n = ?1")?.execute([number])?;
            }
            Ok(())
        };
        Ok(self.database.write(write).await?)
    }

    /// Nothing of an account's is told before a time; with `tried`, because it could not be.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn put_listens_off(&self, account: &str, until: i64, tried: bool) -> Result<(), CatalogError> {
        let account = account.to_owned();
        let sql = "UPDATE listen SET due_at = ?2, tries = CASE WHEN ?3 THEN tries + 1 ELSE 0 END WHERE account = ?1";
        let write = move |t: &Transaction<'_>| t.execute(sql, params![account, until, tried]);
        self.database.write(write).await?;
        Ok(())
    }

    /// Forgets what waits of an account.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn forget_listens(&self, account: &str) -> Result<(), CatalogError> {
        let account = account.to_owned();
        let write = move |t: &Transaction<'_>| t.execute("DELETE FROM listen WHERE account = ?1", [account]);
        self.database.write(write).await?;
        Ok(())
    }
}
