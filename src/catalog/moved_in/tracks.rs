//! Where tracks lie and what their tags say, to find which is which.
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::catalog::items::path;
use crate::catalog::sorting::fold;

/// A track's file, and what tells it from others.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackPlace {
    /// Number of the track.
    pub item: i64,
    /// Number of its album.
    pub album_item: Option<i64>,
    /// Below the library's root.
    pub place: PathBuf,
    pub title: String,
    /// As shown.
    pub artist: String,
    /// Title of its album; empty without one.
    pub album: String,
    pub disc: Option<u32>,
    pub track: Option<u32>,
    pub seconds: Option<f64>,
    /// MusicBrainz' ids: of the recording, and of its place on a release. Empty where unknown.
    pub recording: String,
    pub release_track: String,
}

/// All that lie in a library.
pub(super) fn places(c: &Connection, library: &str) -> rusqlite::Result<Vec<TrackPlace>> {
    let sql = "SELECT i.n, i.show, f.place, i.title, t.artist, ifnull(s.title, ''), i.season, i.episode, i.duration, \
        ifnull(t.told ->> '$.musicbrainz.recording', ''), ifnull(t.told ->> '$.musicbrainz.track', '') \
        FROM file AS f JOIN item AS i ON i.n = f.item JOIN track AS t ON t.item = i.n LEFT JOIN item AS s ON s.n = i.show \
        WHERE f.library = ?1 AND f.place IS NOT NULL AND f.gone = 0 ORDER BY i.n";
    let track = |r: &Row<'_>| {
        Ok(TrackPlace {
            item: r.get(0)?,
            album_item: r.get(1)?,
            place: path(r.get(2)?),
            title: r.get(3)?,
            artist: r.get(4)?,
            album: r.get(5)?,
            disc: number(r, 6)?,
            track: number(r, 7)?,
            seconds: r.get(8)?,
            recording: r.get(9)?,
            release_track: r.get(10)?,
        })
    };
    c.prepare_cached(sql)?.query_map([library], track)?.collect()
}

fn number(r: &Row<'_>, column: usize) -> rusqlite::Result<Option<u32>> {
    Ok(r.get::<_, Option<i64>>(column)?.and_then(|number| u32::try_from(number).ok()))
}

/// The numbers of artists, each by its name or else by MusicBrainz' id.
pub(super) fn artists(c: &Connection, named: &[(String, String)]) -> rusqlite::Result<Vec<Option<i64>>> {
    let (by_name, by_id) = ("SELECT n FROM artist WHERE key = ?1", "SELECT n FROM artist WHERE mbid = ?1 LIMIT 1");
    let find = |(name, id): &(String, String)| {
        let named = c.prepare_cached(by_name)?.query_row([fold(name.trim())], |r| r.get(0)).optional()?;
        if named.is_some() || id.is_empty() {
            return Ok(named);
        }
        c.prepare_cached(by_id)?.query_row([id], |r| r.get(0)).optional()
    };
    named.iter().map(find).collect()
}
