//! Reads artists, albums and tracks: all that is known of each.
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::Hearer;
use crate::catalog::items::{broken, path};
use crate::catalog::model::Id;
use crate::media::music::{Lyrics, Told};

/// What an account thinks of something, and how often it heard it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opinion {
    /// Unix milliseconds.
    pub starred_at: Option<i64>,
    /// 1 to 5.
    pub rating: Option<u8>,
    pub plays: u32,
    /// Unix milliseconds.
    pub played_at: Option<i64>,
}

/// Who made something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtistRef {
    pub number: i64,
    pub id: Id,
    pub name: String,
    /// `artist`, `albumartist`, `composer`, ...
    pub role: String,
    /// Such as a performer's instrument; empty for none.
    pub part: String,
}

/// Whoever made albums or tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artist {
    pub number: i64,
    pub id: Id,
    pub name: String,
    /// Without case, accents and article: what lists are ordered by.
    pub sort_key: String,
    /// Of MusicBrainz; empty where unknown.
    pub mbid: String,
    /// Of its own that the hearer may see.
    pub albums: u32,
    /// Picture of its first album. Absolute.
    pub poster: Option<PathBuf>,
    /// That album.
    pub cover: Option<Id>,
    pub opinion: Opinion,
}

/// Tracks that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Album {
    pub number: i64,
    pub id: Id,
    pub library: Id,
    pub title: String,
    pub sort_title: String,
    /// As shown.
    pub artist: String,
    /// See [`ArtistRef`].
    pub artists: Vec<ArtistRef>,
    pub year: Option<i32>,
    pub genres: Vec<String>,
    /// Tracks that can be seen.
    pub songs: u32,
    pub seconds: f64,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
    pub compilation: bool,
    /// Absolute.
    pub poster: Option<PathBuf>,
    /// What the tags of its first track say.
    pub told: Told,
    /// The folder of its first track.
    pub directory: Option<i64>,
    pub opinion: Opinion,
}

/// A piece of music.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    pub number: i64,
    pub id: Id,
    pub library: Id,
    /// Unique on this node.
    pub library_name: String,
    pub title: String,
    pub album: Option<i64>,
    pub album_id: Option<Id>,
    pub album_title: String,
    /// As shown.
    pub album_artist: String,
    /// As shown.
    pub artist: String,
    /// See [`ArtistRef`]: of the track and of its album.
    pub artists: Vec<ArtistRef>,
    pub disc: Option<i32>,
    pub track: Option<i32>,
    pub year: Option<i32>,
    pub genres: Vec<String>,
    pub seconds: f64,
    /// The word of `media::music::Format`.
    pub format: String,
    /// kbit/s; 0 where unknown.
    pub bit_rate: u32,
    /// Hz; 0 where unknown.
    pub sample_rate: u32,
    /// 0 where it has none.
    pub bit_depth: u32,
    pub channels: u32,
    /// Bytes.
    pub size: u64,
    /// Below its library's root.
    pub place: PathBuf,
    /// Absolute.
    pub path: PathBuf,
    pub directory: Option<i64>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// It can be played now.
    pub present: bool,
    /// Absolute.
    pub poster: Option<PathBuf>,
    /// What its tags say.
    pub told: Told,
    /// Its tags hold some.
    pub has_lyrics: bool,
    /// Names of files beside it.
    pub sidecars: Vec<PathBuf>,
    /// Of the hearer: Unix milliseconds in the track.
    pub bookmark_ms: Option<u64>,
    pub opinion: Opinion,
}

const OPINION: &str = "o.starred_at, o.rating, ifnull(o.plays, 0) AS plays, o.played_at";

fn opinion(r: &Row<'_>) -> rusqlite::Result<Opinion> {
    Ok(Opinion {
        starred_at: r.get("starred_at")?,
        rating: r.get("rating")?,
        plays: r.get("plays")?,
        played_at: r.get("played_at")?,
    })
}

/// Artists of albums in order; or the one with a number, whatever its role.
pub(super) fn artists(c: &Connection, hearer: &Hearer, one: Option<i64>) -> rusqlite::Result<Vec<Artist>> {
    let seen = "i.library IN (SELECT value FROM json_each(:libraries)) AND i.state <> 'trashed'";
    let albums = format!(
        "SELECT k.artist, count(*) AS albums, min(CASE WHEN i.poster IS NOT NULL THEN i.n END) AS first FROM credit AS k JOIN item AS i ON i.n = k.item \
        WHERE k.role = 'albumartist' AND i.kind = 'album' AND {seen} GROUP BY k.artist"
    );
    let (joined, wanted) = match one {
        None => ("JOIN", "TRUE".to_owned()),
        Some(_) => {
            let any =
                format!("SELECT 1 FROM credit AS k JOIN item AS i ON i.n = k.item WHERE k.artist = a.n AND {seen}");
            ("LEFT JOIN", format!("a.n = :one AND EXISTS ({any})"))
        }
    };
    let albums = if one.is_some() { albums.replace("WHERE", "WHERE k.artist = :one AND") } else { albums };
    let sql = format!(
        "SELECT a.n, a.id, a.name, a.sort_key, a.mbid, ifnull(s.albums, 0) AS albums, \
        (SELECT p.poster FROM item AS p WHERE p.n = s.first) AS poster, \
        (SELECT p.id FROM item AS p WHERE p.n = s.first) AS cover, {OPINION} \
        FROM artist AS a {joined} ({albums}) AS s ON s.artist = a.n \
        LEFT JOIN opinion AS o ON o.account = :account AND o.kind = 'artist' AND o.target = a.n \
        WHERE {wanted} AND :one IS :one ORDER BY a.sort_key, a.n"
    );
    let values = named_params! {":libraries": hearer.libraries(), ":account": hearer.account, ":one": one};
    c.prepare_cached(&sql)?.query_map(values, artist)?.collect()
}

fn artist(r: &Row<'_>) -> rusqlite::Result<Artist> {
    Ok(Artist {
        number: r.get("n")?,
        id: r.get("id")?,
        name: r.get("name")?,
        sort_key: r.get("sort_key")?,
        mbid: r.get("mbid")?,
        albums: r.get("albums")?,
        poster: r.get::<_, Option<Vec<u8>>>("poster")?.map(path),
        cover: r.get("cover")?,
        opinion: opinion(r)?,
    })
}

/// The albums with these numbers that may be seen, in this order.
pub(super) fn albums(c: &Connection, hearer: &Hearer, numbers: &[i64]) -> rusqlite::Result<Vec<Album>> {
    let sql = format!(
        "SELECT i.n, i.id, i.library, i.title, i.sort_title, b.artist, i.year, i.genres, b.songs, b.seconds, i.added_at, \
        b.changed_at, b.compilation, i.poster, b.told, \
        (SELECT t.directory FROM item AS e JOIN track AS t ON t.item = e.n WHERE e.show = i.n AND e.state <> 'trashed' \
            ORDER BY e.sort_key LIMIT 1) AS directory, {OPINION} \
        FROM item AS i JOIN album AS b ON b.item = i.n \
        LEFT JOIN opinion AS o ON o.account = :account AND o.kind = 'item' AND o.target = i.n \
        WHERE i.n = :n AND i.kind = 'album' AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(:libraries))"
    );
    let (mut statement, libraries) = (c.prepare_cached(&sql)?, hearer.libraries());
    let mut found = Vec::with_capacity(numbers.len());
    for n in numbers {
        let values = named_params! {":n": n, ":account": hearer.account, ":libraries": libraries};
        if let Some(mut album) = statement.query_row(values, album).optional()? {
            album.artists = credits(c, *n)?;
            found.push(album);
        }
    }
    Ok(found)
}

fn album(r: &Row<'_>) -> rusqlite::Result<Album> {
    Ok(Album {
        number: r.get("n")?,
        id: r.get("id")?,
        library: r.get("library")?,
        title: r.get("title")?,
        sort_title: r.get("sort_title")?,
        artist: r.get("artist")?,
        artists: Vec::new(),
        year: r.get("year")?,
        genres: json(r, "genres")?,
        songs: r.get("songs")?,
        seconds: r.get("seconds")?,
        added_at: r.get("added_at")?,
        changed_at: r.get("changed_at")?,
        compilation: r.get("compilation")?,
        poster: r.get::<_, Option<Vec<u8>>>("poster")?.map(path),
        told: json(r, "told")?,
        directory: r.get("directory")?,
        opinion: opinion(r)?,
    })
}

/// The tracks with these numbers that may be seen, in this order.
pub(super) fn tracks(c: &Connection, hearer: &Hearer, numbers: &[i64]) -> rusqlite::Result<Vec<Track>> {
    let sql = format!(
        "SELECT i.n, i.id, i.library, i.title, i.show, s.id AS album_id, ifnull(s.title, '') AS album_title, \
        ifnull(b.artist, '') AS album_artist, t.artist, i.season, i.episode, i.year, i.genres, ifnull(i.duration, 0.0) AS seconds, \
        t.format, t.bit_rate, t.sample_rate, t.bit_depth, t.channels, f.size, f.place, l.path AS root, l.name AS library_name, t.directory, i.added_at, \
        i.state = 'present' AND l.state = 'available' AS present, coalesce(i.poster, s.poster) AS poster, t.told, \
        octet_length(t.lyrics) > length('[]') AS has_lyrics, f.sidecars, m.position_ms AS bookmark_ms, {OPINION} \
        FROM item AS i JOIN track AS t ON t.item = i.n JOIN file AS f ON f.item = i.n JOIN library AS l ON l.id = i.library \
        LEFT JOIN item AS s ON s.n = i.show LEFT JOIN album AS b ON b.item = i.show \
        LEFT JOIN bookmark AS m ON m.account = :account AND m.item = i.n \
        LEFT JOIN opinion AS o ON o.account = :account AND o.kind = 'item' AND o.target = i.n \
        WHERE i.n = :n AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(:libraries))"
    );
    let (mut statement, libraries) = (c.prepare_cached(&sql)?, hearer.libraries());
    let mut of_albums: HashMap<i64, Vec<ArtistRef>> = HashMap::new();
    let mut found = Vec::with_capacity(numbers.len());
    for n in numbers {
        let values = named_params! {":n": n, ":account": hearer.account, ":libraries": libraries};
        let Some(mut track) = statement.query_row(values, track).optional()? else { continue };
        track.artists = credits(c, *n)?;
        if let Some(album) = track.album {
            let artists = match of_albums.entry(album) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(credits(c, album)?),
            };
            track.artists.extend_from_slice(artists);
        }
        found.push(track);
    }
    Ok(found)
}

fn track(r: &Row<'_>) -> rusqlite::Result<Track> {
    let place = path(r.get::<_, Option<Vec<u8>>>("place")?.unwrap_or_default());
    Ok(Track {
        number: r.get("n")?,
        id: r.get("id")?,
        library: r.get("library")?,
        library_name: r.get("library_name")?,
        title: r.get("title")?,
        album: r.get("show")?,
        album_id: r.get("album_id")?,
        album_title: r.get("album_title")?,
        album_artist: r.get("album_artist")?,
        artist: r.get("artist")?,
        artists: Vec::new(),
        disc: r.get("season")?,
        track: r.get("episode")?,
        year: r.get("year")?,
        genres: json(r, "genres")?,
        seconds: r.get("seconds")?,
        format: r.get("format")?,
        bit_rate: r.get("bit_rate")?,
        sample_rate: r.get("sample_rate")?,
        bit_depth: r.get("bit_depth")?,
        channels: r.get("channels")?,
        size: r.get::<_, i64>("size")?.cast_unsigned(),
        path: path(r.get("root")?).join(&place),
        place,
        directory: r.get("directory")?,
        added_at: r.get("added_at")?,
        present: r.get("present")?,
        poster: r.get::<_, Option<Vec<u8>>>("poster")?.map(path),
        told: json(r, "told")?,
        has_lyrics: r.get("has_lyrics")?,
        sidecars: crate::catalog::items::split_names(&r.get::<_, Vec<u8>>("sidecars")?),
        bookmark_ms: r.get::<_, Option<i64>>("bookmark_ms")?.map(i64::cast_unsigned),
        opinion: opinion(r)?,
    })
}

/// What the tags of a track hold to be sung. Lists of tracks do without: it may be longer than all else.
pub(super) fn lyrics(c: &Connection, track: i64) -> rusqlite::Result<Vec<Lyrics>> {
    let found = c.prepare_cached("SELECT lyrics FROM track WHERE item = ?1")?.query_row([track], |r| json(r, "lyrics"));
    Ok(found.optional()?.unwrap_or_default())
}

/// Who made an item.
fn credits(c: &Connection, item: i64) -> rusqlite::Result<Vec<ArtistRef>> {
    let sql = "SELECT a.n, a.id, a.name, k.role, k.part FROM credit AS k JOIN artist AS a ON a.n = k.artist \
        WHERE k.item = ?1 ORDER BY k.place";
    let read = |r: &Row<'_>| {
        Ok(ArtistRef { number: r.get(0)?, id: r.get(1)?, name: r.get(2)?, role: r.get(3)?, part: r.get(4)? })
    };
    c.prepare_cached(sql)?.query_map([item], read)?.collect()
}

fn json<T: for<'a> serde::Deserialize<'a>>(r: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    serde_json::from_str(r.get_ref(column)?.as_str()?).map_err(|error| broken(column, error))
}
