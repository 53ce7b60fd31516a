//! Playlists that follow files. What such a file says is what its playlist holds; people change the file, or a copy of the playlist.
use std::collections::HashSet;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::PLAYLIST_MAX;
use crate::catalog::items::{bytes, path};
use crate::catalog::{Catalog, CatalogError, new_id, now};

/// A file that a playlist follows, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistFile {
    /// Below its library's root.
    pub place: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified_ns: i64,
    /// All that it names was there.
    pub whole: bool,
}

/// What such a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistRead {
    /// See [`PlaylistFile`].
    pub place: PathBuf,
    /// See [`PlaylistFile`].
    pub size: u64,
    /// See [`PlaylistFile`].
    pub modified_ns: i64,
    pub name: String,
    /// For each of its lines where the track may be, below the library's root, the likeliest first.
    pub entries: Vec<Vec<PathBuf>>,
}

impl Catalog {
    /// The files of a library that playlists follow.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn playlist_files(&self, library: &str) -> Result<Vec<PlaylistFile>, CatalogError> {
        let library = library.to_owned();
        Ok(self.database.read(move |c| known(c, &library)).await?)
    }

    /// Has a playlist hold what its file says; a new one where there was none. Returns how many tracks were found.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn follow_playlist_file(&self, library: &str, read: PlaylistRead) -> Result<usize, CatalogError> {
        let library = library.to_owned();
        Ok(self.database.write(move |t| follow(t, &library, &read, now())).await?)
    }

    /// Forgets the playlists of files that are gone.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn forget_playlist_files(&self, library: &str, places: Vec<PathBuf>) -> Result<(), CatalogError> {
        let library = library.to_owned();
        let write = move |t: &Transaction<'_>| {
            let mut delete = t.prepare_cached("DELETE FROM playlist_file WHERE library = ?1 AND place = ?2")?;
            places.iter().try_for_each(|place| delete.execute(params![library, bytes(place)]).map(|_| ()))
        };
        Ok(self.database.write(write).await?)
    }
}

fn known(c: &Connection, library: &str) -> rusqlite::Result<Vec<PlaylistFile>> {
    let sql = "SELECT place, size, modified_ns, wanted <= (SELECT count(*) FROM playlist_track AS k WHERE k.playlist = f.playlist) \
        FROM playlist_file AS f WHERE library = ?1 ORDER BY place";
    let read = |r: &rusqlite::Row<'_>| {
        let size = r.get::<_, i64>(1)?.cast_unsigned();
        Ok(PlaylistFile { place: path(r.get(0)?), size, modified_ns: r.get(2)?, whole: r.get(3)? })
    };
    c.prepare_cached(sql)?.query_map([library], read)?.collect()
}

/// A track's place is the number of its line, so that those of an unchanged file stay when what was not there is looked for again: they
/// may be called otherwise by now.
fn follow(t: &Transaction<'_>, library: &str, read: &PlaylistRead, now: i64) -> rusqlite::Result<usize> {
    let (number, unchanged) = playlist(t, library, read, now)?;
    if !unchanged {
        t.prepare_cached("DELETE FROM playlist_track WHERE playlist = ?1")?.execute([number])?;
    }
    let mut held = lines(t, number)?;
    let mut add = t.prepare_cached("INSERT INTO playlist_track VALUES (?1, ?2, ?3)")?;
    for (line, places) in (0..).zip(read.entries.iter().take(PLAYLIST_MAX)) {
        if held.contains(&line) {
            continue;
        }
        if let Some(track) = found(t, library, places)? {
            add.execute(params![number, line, track])?;
            held.insert(line);
        }
    }
    let sql = "INSERT INTO playlist_file (playlist, library, place, size, modified_ns, wanted) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT (playlist) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns, wanted = excluded.wanted";
    let (size, wanted) = (read.size.cast_signed(), read.entries.len().min(PLAYLIST_MAX) as i64);
    t.prepare_cached(sql)?.execute(params![number, library, bytes(&read.place), size, read.modified_ns, wanted])?;
    Ok(held.len())
}

/// The lines whose tracks are there.
fn lines(t: &Transaction<'_>, playlist: i64) -> rusqlite::Result<HashSet<i64>> {
    let sql = "SELECT place FROM playlist_track WHERE playlist = ?1";
    t.prepare_cached(sql)?.query_map([playlist], |r| r.get(0))?.collect()
}

/// The first track that is at one of these places.
fn found(t: &Transaction<'_>, library: &str, places: &[PathBuf]) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT i.n FROM file AS f JOIN item AS i ON i.n = f.item WHERE f.library = ?1 AND f.place = ?2 AND i.kind = 'track'";
    let mut find = t.prepare_cached(sql)?;
    for place in places {
        let track = find.query_row(params![library, bytes(place)], |r| r.get(0)).optional()?;
        if track.is_some() {
            return Ok(track);
        }
    }
    Ok(None)
}

/// The playlist of a file, with its name and time, and whether the file is as it was when it was read last; made where there is none.
fn playlist(t: &Transaction<'_>, library: &str, read: &PlaylistRead, now: i64) -> rusqlite::Result<(i64, bool)> {
    let sql = "SELECT playlist, size, modified_ns FROM playlist_file WHERE library = ?1 AND place = ?2";
    let stat = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, (r.get(1)?, r.get(2)?)));
    let known: Option<(i64, (i64, i64))> =
        t.prepare_cached(sql)?.query_row(params![library, bytes(&read.place)], stat).optional()?;
    let (changed_at, comment) = (read.modified_ns / 1_000_000, read.place.to_string_lossy());
    let Some((known, stat)) = known else {
        let sql = "INSERT INTO playlist (id, owner, name, comment, public, created_at, changed_at) VALUES (?1, '', ?2, ?3, 1, ?4, ?5)";
        t.prepare_cached(sql)?.execute(params![new_id(), read.name, comment, now, changed_at])?;
        return Ok((t.last_insert_rowid(), false));
    };
    let sql = "UPDATE playlist SET name = ?2, changed_at = ?3 WHERE n = ?1";
    t.prepare_cached(sql)?.execute(params![known, read.name, changed_at])?;
    Ok((known, stat == (read.size.cast_signed(), read.modified_ns)))
}
