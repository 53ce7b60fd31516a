//! Tracks, their albums, artists, genres and folders: what tags say, over what names say.
//!
//! What an album is follows from its tracks, and many change at once: one whose tracks changed is marked as stale, and [`settle`]
//! puts all such together anew before the transaction ends.
use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{Description, ShowName, shows};
use crate::catalog::items::{self, broken};
use crate::catalog::{new_id, sorting};
use crate::media::music::{Artist, Told};
use crate::media::protocol::TrackFacts;

/// The artist of albums of many.
pub const VARIOUS: &str = "Various Artists";
/// Whoever nobody names.
pub const UNKNOWN_ARTIST: &str = "Unknown Artist";
/// What is in no folder and names no album.
const UNKNOWN_ALBUM: &str = "Unknown Album";

/// Writes what the file of a track gave; nothing of it is known where it could not be read.
pub(super) fn write_file(t: &Transaction<'_>, item: i64, music: Option<&TrackFacts>) -> rusqlite::Result<()> {
    let none = TrackFacts::default();
    let music = music.unwrap_or(&none);
    let told = Told { lyrics: Vec::new(), ..music.told.clone() };
    let sql = "INSERT INTO track (item, artist, format, bit_rate, sample_rate, bit_depth, channels, pictures, lyrics, tags, told) \
        VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) \
        ON CONFLICT (item) DO UPDATE SET format = excluded.format, bit_rate = excluded.bit_rate, \
        sample_rate = excluded.sample_rate, bit_depth = excluded.bit_depth, channels = excluded.channels, \
        pictures = excluded.pictures, lyrics = excluded.lyrics, tags = excluded.tags, \
        told = excluded.told";
    t.prepare_cached(sql)?.execute(params![
        item,
        music.codec,
        music.bit_rate.unwrap_or_default(),
        music.sample_rate.unwrap_or_default(),
        music.bit_depth.unwrap_or_default(),
        music.channels.unwrap_or_default(),
        music.picture,
        json(&music.told.lyrics)?,
        json(&told)?,
    ])?;
    Ok(())
}

/// What is written of a track.
pub(super) struct Composed {
    pub description: Description,
    artist: String,
    told: Told,
}

/// Puts together what a track's name and its tags say of it.
pub(super) fn compose(t: &Transaction<'_>, item: i64, named: &Description) -> rusqlite::Result<Composed> {
    let sql = "SELECT t.tags, f.place FROM track AS t JOIN file AS f ON f.item = t.item WHERE t.item = ?1";
    let (told, place): (String, Option<Vec<u8>>) =
        t.prepare_cached(sql)?.query_row([item], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let mut told: Told = serde_json::from_str(&told).map_err(|e| broken("told", e))?;
    let of_name = named.music.clone().unwrap_or_default();
    if told.artists.is_empty() {
        told.artists = of_name.artist.into_iter().map(named_artist).collect();
    }
    if told.album.is_none() {
        told.album = of_name.album;
        told.year = told.year.or(of_name.year.and_then(|year| year.try_into().ok()));
        if told.album_artists.is_empty() {
            told.album_artists = of_name.album_artist.into_iter().map(named_artist).collect();
        }
    }
    let folder = items::path(place.unwrap_or_default()).parent().map(album_folder).unwrap_or_default();
    let description = Description {
        title: told.title.clone().unwrap_or_else(|| named.title.clone()),
        sort_title: told.sort_title.as_deref().map(sorting::sort_title),
        year: told.year.map(i32::from),
        season: told.disc.and_then(|disc| disc.try_into().ok()).or(named.season),
        episode: told.track.and_then(|track| track.try_into().ok()).or(named.episode),
        show: Some(album_name(&told, &folder)),
        genres: told.genres.clone(),
        ..named.clone()
    };
    let artist =
        shown_artist(told.display_artist.as_deref(), &told.artists).unwrap_or_else(|| UNKNOWN_ARTIST.to_owned());
    Ok(Composed { description, artist, told })
}

fn named_artist(name: String) -> Artist {
    Artist { name, sort_name: None, mbid: None }
}

/// How artists are shown: as the tags write them, or one after the other.
fn shown_artist(display: Option<&str>, artists: &[Artist]) -> Option<String> {
    let joined = || artists.iter().map(|artist| artist.name.as_str()).collect::<Vec<_>>().join(" • ");
    let shown = display.map_or_else(joined, str::to_owned);
    (!shown.trim().is_empty()).then_some(shown)
}

/// The folder of an album: of a disc's folder the one above.
fn album_folder(folder: &Path) -> std::path::PathBuf {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let disc = crate::media::music::is_disc_folder(&name);
    folder.parent().filter(|above| disc && *above != Path::new("")).unwrap_or(folder).to_owned()
}

/// By what a track finds its album: the release, else artist and title; and the folder, where nobody says whose it is.
fn album_name(told: &Told, folder: &Path) -> ShowName {
    let of_folder = || folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let title = told.album.clone().or_else(of_folder).unwrap_or_else(|| UNKNOWN_ALBUM.to_owned());
    let album = sorting::fold(&title);
    let by: Vec<String> = told.album_artists.iter().map(|artist| sorting::fold(&artist.name)).collect();
    let key = match (&told.musicbrainz.release, told.album.is_some() && !by.is_empty()) {
        (Some(release), _) => format!("mb|{release}"),
        (None, true) => format!("by|{}|{album}", by.join("|")),
        (None, false) => format!("in|{}|{album}", folder.to_string_lossy()),
    };
    ShowName { key, title, year: told.year.map(i32::from), place: None, renamed_from: None }
}

/// Writes what only tracks have.
pub(super) fn write(t: &Transaction<'_>, item: i64, new: &Composed, now: i64) -> rusqlite::Result<()> {
    t.prepare_cached("UPDATE track SET artist = ?2, told = ?3 WHERE item = ?1")?.execute(params![
        item,
        new.artist,
        json(&new.told)?
    ])?;
    let others: Vec<Artist> = new.told.contributors.iter().map(|other| named_artist(other.name.clone())).collect();
    let parts =
        new.told.contributors.iter().map(|other| (other.role.as_str(), other.sub_role.as_deref().unwrap_or_default()));
    let artists = new.told.artists.iter().map(|artist| ("artist", artist, ""));
    let composers = new.told.composers.iter().map(|artist| ("composer", artist, ""));
    let others = others.iter().zip(parts).map(|(artist, (role, part))| (role, artist, part));
    write_credits(t, item, artists.chain(composers).chain(others))?;
    write_genres(t, item, &new.told.genres)?;
    house(t, item, now)
}

/// A track that is back from the trash lies in its folder again.
pub(super) fn come_home(t: &Transaction<'_>, item: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM track AS k JOIN item AS i ON i.n = k.item JOIN file AS f ON f.item = i.n \
        WHERE k.item = ?1 AND k.directory IS NULL AND i.state <> 'trashed')";
    if t.prepare_cached(sql)?.query_row([item], |r| r.get(0))? { house(t, item, now) } else { Ok(()) }
}

/// Puts a track into its folder.
fn house(t: &Transaction<'_>, item: i64, now: i64) -> rusqlite::Result<()> {
    let sql =
        "SELECT f.library, f.place, k.directory FROM file AS f JOIN track AS k ON k.item = f.item WHERE f.item = ?1";
    let (library, place, before): (String, Option<Vec<u8>>, Option<i64>) =
        t.prepare_cached(sql)?.query_row([item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let Some(place) = place.map(items::path) else { return Ok(()) };
    let directory = directory(t, &library, place.parent().unwrap_or(Path::new("")), now)?;
    if before == Some(directory) {
        return Ok(());
    }
    t.prepare_cached("UPDATE track SET directory = ?2 WHERE item = ?1")?.execute([item, directory])?;
    before.map_or(Ok(()), |before| follow(t, before, directory, now))
}

/// What people think of a folder goes along when it gets another name: when the last track below it has left for a folder that was
/// made for them just now. The same goes for the folders above, up to the one that was renamed.
fn follow(t: &Transaction<'_>, old: i64, new: i64, now: i64) -> rusqlite::Result<()> {
    let any = "SELECT EXISTS (SELECT 1 FROM opinion WHERE kind = 'directory')";
    if !t.prepare_cached(any)?.query_row([], |r| r.get::<_, bool>(0))? {
        return Ok(());
    }
    let (mut old, mut new) = (old, new);
    loop {
        let sql = "WITH RECURSIVE below (n) AS (VALUES (?1) UNION SELECT d.n FROM directory AS d JOIN below AS b ON d.parent = b.n) \
            SELECT o.parent, d.parent, o.name = d.name FROM directory AS o JOIN directory AS d ON d.n = ?2 AND d.library = o.library \
            WHERE o.n = ?1 AND o.n <> d.n AND o.parent IS NOT NULL AND o.added_at < d.added_at AND d.added_at = ?3 \
            AND NOT EXISTS (SELECT 1 FROM track AS k JOIN below AS b ON k.directory = b.n)";
        let left: Option<(Option<i64>, Option<i64>, bool)> =
            t.prepare_cached(sql)?.query_row([old, new, now], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
        let Some((above, above_new, same_name)) = left else { return Ok(()) };
        let sql = "UPDATE OR IGNORE opinion SET target = ?2 WHERE kind = 'directory' AND target = ?1";
        t.prepare_cached(sql)?.execute([old, new])?;
        match above.zip(above_new) {
            Some(parents) if same_name => (old, new) = parents,
            _ => return Ok(()),
        }
    }
}

/// The row of a folder, made with those above it.
fn directory(t: &Transaction<'_>, library: &str, place: &Path, now: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT n FROM directory WHERE library = ?1 AND place = ?2";
    let known: Option<i64> =
        t.prepare_cached(sql)?.query_row(params![library, items::bytes(place)], |r| r.get(0)).optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    let parent = place.parent().map(|above| directory(t, library, above, now)).transpose()?;
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let sort_key = sorting::sort_key(&sorting::sort_title(&name));
    let sql =
        "INSERT INTO directory (library, place, parent, name, sort_key, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    t.prepare_cached(sql)?.execute(params![library, items::bytes(place), parent, name, sort_key, now])?;
    Ok(t.last_insert_rowid())
}

fn write_credits<'a>(
    t: &Transaction<'_>,
    item: i64,
    credits: impl Iterator<Item = (&'a str, &'a Artist, &'a str)>,
) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM credit WHERE item = ?1")?.execute([item])?;
    for (place, (role, credited, part)) in credits.enumerate() {
        let Some(artist) = artist(t, credited)? else { continue };
        let sql = "INSERT INTO credit (item, role, place, artist, part) VALUES (?1, ?2, ?3, ?4, ?5)";
        t.prepare_cached(sql)?.execute(params![item, role, place as i64, artist, part])?;
    }
    Ok(())
}

/// The row of an artist, found by name or made; `None` for a name without a letter.
fn artist(t: &Transaction<'_>, credited: &Artist) -> rusqlite::Result<Option<i64>> {
    let name = credited.name.trim();
    let key = sorting::fold(name);
    if key.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT n, mbid FROM artist WHERE key = ?1";
    let known: Option<(i64, String)> =
        t.prepare_cached(sql)?.query_row([&key], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let mbid = credited.mbid.as_deref().unwrap_or_default();
    if let Some((known, before)) = known {
        if before.is_empty() && !mbid.is_empty() {
            t.prepare_cached("UPDATE artist SET mbid = ?2 WHERE n = ?1")?.execute(params![known, mbid])?;
        }
        return Ok(Some(known));
    }
    let sort = credited.sort_name.as_deref().unwrap_or(name);
    let sort_key = sorting::sort_key(&sorting::sort_title(sort));
    let sql = "INSERT INTO artist (id, name, key, sort_key, mbid) VALUES (?1, ?2, ?3, ?4, ?5)";
    t.prepare_cached(sql)?.execute(params![new_id(), name, key, sort_key, mbid])?;
    Ok(Some(t.last_insert_rowid()))
}

fn write_genres(t: &Transaction<'_>, item: i64, genres: &[String]) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM genre_of WHERE item = ?1")?.execute([item])?;
    for genre in genres {
        let (name, key) = (genre.trim(), sorting::fold(genre.trim()));
        if key.is_empty() {
            continue;
        }
        t.prepare_cached("INSERT OR IGNORE INTO genre (name, key) VALUES (?1, ?2)")?.execute([name, &key])?;
        let sql = "INSERT OR IGNORE INTO genre_of SELECT ?1, n FROM genre WHERE key = ?2";
        t.prepare_cached(sql)?.execute(params![item, key])?;
    }
    Ok(())
}

/// An album is to be put together anew before this transaction ends.
pub(super) fn mark(t: &Transaction<'_>, album: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO album (item, changed_at) SELECT n, ?2 FROM item WHERE n = ?1 AND kind = 'album' \
        AND library IN (SELECT id FROM library WHERE friend IS NULL) \
        ON CONFLICT (item) DO UPDATE SET changed_at = excluded.changed_at, stale = 1";
    t.prepare_cached(sql)?.execute(params![album, now]).map(|_| ())
}

/// The last track left an album for another one that came after it and all of its tracks: the same album under another name, and so
/// its id stays. What was an album of its own before stays one, whoever comes to it.
pub(super) fn take_over(t: &Transaction<'_>, old: i64, new: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM item AS o JOIN item AS a ON a.n = ?2 AND a.library = o.library \
        WHERE o.n = ?1 AND o.kind = 'album' AND a.kind = 'album' AND a.n > o.n \
        AND NOT EXISTS (SELECT 1 FROM item AS e WHERE e.show = o.n) \
        AND NOT EXISTS (SELECT 1 FROM item AS e WHERE e.show = a.n AND e.n > a.n) \
        AND NOT EXISTS (SELECT 1 FROM opinion AS p WHERE p.kind = 'item' AND p.target = a.n))";
    if !t.prepare_cached(sql)?.query_row([old, new], |r| r.get::<_, bool>(0))? {
        return Ok(false);
    }
    let sql = "SELECT show_key, title, sort_title, sort_key, year, poster FROM item WHERE n = ?1";
    let row: (Option<String>, String, String, String, Option<i32>, Option<Vec<u8>>) = t
        .prepare_cached(sql)?
        .query_row([new], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)))?;
    t.prepare_cached("UPDATE item SET show = ?1 WHERE show = ?2")?.execute([old, new])?;
    t.prepare_cached("DELETE FROM item WHERE n = ?1")?.execute([new])?;
    let sql = "UPDATE item SET show_key = ?2, title = ?3, sort_title = ?4, sort_key = ?5, year = ?6, poster = ?7 WHERE n = ?1";
    t.prepare_cached(sql)?.execute(params![old, row.0, row.1, row.2, row.3, row.4, row.5])?;
    shows::write_text(t, old)?;
    Ok(true)
}

/// Before a transaction ends: puts albums together anew whose tracks changed.
pub(in crate::catalog) fn settle(t: &Transaction<'_>) -> rusqlite::Result<()> {
    let stale: Vec<i64> = t
        .prepare_cached("SELECT item FROM album WHERE stale = 1")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    for album in stale {
        refresh(t, album)?;
    }
    Ok(())
}

/// Folders in which nothing is any more are forgotten, unless somebody starred one: it may come back. What is in the trash is in none.
pub(in crate::catalog) fn tidy(t: &Transaction<'_>, library: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE track SET directory = NULL WHERE directory IN (SELECT n FROM directory WHERE library = ?1) \
        AND item IN (SELECT n FROM item WHERE library = ?1 AND state = 'trashed')";
    t.execute(sql, [library])?;
    let empty = "DELETE FROM directory WHERE library = ?1 AND NOT EXISTS (SELECT 1 FROM track AS t WHERE t.directory = directory.n) \
        AND NOT EXISTS (SELECT 1 FROM directory AS d WHERE d.parent = directory.n) \
        AND NOT EXISTS (SELECT 1 FROM opinion AS o WHERE o.kind = 'directory' AND o.target = directory.n)";
    while t.execute(empty, [library])? > 0 {}
    Ok(())
}

/// What an album is, from its tracks.
fn refresh(t: &Transaction<'_>, album: i64) -> rusqlite::Result<()> {
    let sql = "SELECT k.told FROM item AS i JOIN track AS k ON k.item = i.n WHERE i.show = ?1 AND i.state <> 'trashed' \
        ORDER BY i.sort_key LIMIT 1";
    let first: Option<String> = t.prepare_cached(sql)?.query_row([album], |r| r.get(0)).optional()?;
    let told: Told = serde_json::from_str(first.as_deref().unwrap_or("{}")).map_err(|e| broken("told", e))?;
    let sums = Sums::of(t, album)?;
    let artists = album_artists(t, album, &told, &sums)?;
    let artist =
        shown_artist(told.display_album_artist.as_deref().filter(|_| !told.album_artists.is_empty()), &artists)
            .unwrap_or_else(|| UNKNOWN_ARTIST.to_owned());
    let sort = artists.first().and_then(|first| first.sort_name.clone()).unwrap_or_else(|| artist.clone());
    let sql = "UPDATE album SET artist = ?2, artist_key = ?3, compilation = ?4, songs = ?5, seconds = ?6, told = ?7, stale = 0 \
        WHERE item = ?1";
    t.prepare_cached(sql)?.execute(params![
        album,
        artist,
        sorting::sort_key(&sorting::sort_title(&sort)),
        told.compilation || artist == VARIOUS,
        sums.songs,
        sums.seconds,
        first.as_deref().unwrap_or("{}"),
    ])?;
    let sort_title = told.sort_album.as_deref().map(sorting::sort_title);
    retitle(t, album, told.album.as_deref(), sort_title, &sums)?;
    write_credits(t, album, artists.iter().map(|artist| ("albumartist", artist, "")))?;
    let genres = genres_of_tracks(t, album)?;
    t.prepare_cached("UPDATE item SET genres = ?2 WHERE n = ?1 AND genres <> ?2")?
        .execute(params![album, serde_json::Value::from(genres.clone()).to_string()])?;
    write_genres(t, album, &genres)?;
    shows::write_text(t, album)
}

/// What the tracks of an album come to.
struct Sums {
    songs: i64,
    seconds: f64,
    year: Option<i32>,
    poster: Option<Vec<u8>>,
}

impl Sums {
    fn of(t: &Transaction<'_>, album: i64) -> rusqlite::Result<Self> {
        let sql =
            "SELECT count(*), ifnull(sum(duration), 0.0), max(year) FROM item WHERE show = ?1 AND state <> 'trashed'";
        let (songs, seconds, year) =
            t.prepare_cached(sql)?.query_row([album], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let sql = "SELECT poster FROM item WHERE show = ?1 AND state <> 'trashed' AND poster IS NOT NULL ORDER BY sort_key LIMIT 1";
        let poster = t.prepare_cached(sql)?.query_row([album], |r| r.get(0)).optional()?.flatten();
        Ok(Self { songs, seconds, year, poster })
    }
}

/// The artists of an album: as its tags say; else the one of all its tracks; else many.
fn album_artists(t: &Transaction<'_>, album: i64, told: &Told, sums: &Sums) -> rusqlite::Result<Vec<Artist>> {
    if !told.album_artists.is_empty() {
        return Ok(told.album_artists.clone());
    }
    let sql = "SELECT count(DISTINCT k.artist) FROM item AS i JOIN track AS k ON k.item = i.n WHERE i.show = ?1 AND i.state <> 'trashed'";
    let different: i64 = t.prepare_cached(sql)?.query_row([album], |r| r.get(0))?;
    if told.compilation || different > 1 && sums.songs > 1 {
        return Ok(vec![named_artist(VARIOUS.to_owned())]);
    }
    Ok(told.artists.clone())
}

/// The album's title as its first track has it, its year and its picture. Its tracks are found by the title too.
fn retitle(
    t: &Transaction<'_>,
    album: i64,
    title: Option<&str>,
    sort_title: Option<String>,
    sums: &Sums,
) -> rusqlite::Result<()> {
    let sql = "SELECT title, sort_title FROM item WHERE n = ?1";
    let before: (String, String) = t.prepare_cached(sql)?.query_row([album], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let title = title.unwrap_or(&before.0);
    let sort_title = sort_title.unwrap_or_else(|| sorting::sort_title(title));
    let sql = "UPDATE item SET title = ?2, sort_title = ?3, sort_key = ?4, year = ?5, poster = ?6, duration = ?7 WHERE n = ?1";
    let key = sorting::sort_key(&sort_title);
    t.prepare_cached(sql)?.execute(params![album, title, sort_title, key, sums.year, sums.poster, sums.seconds])?;
    if before != (title.to_owned(), sort_title.clone()) {
        shows::sort_episodes(t, album, &sort_title)?;
    }
    Ok(())
}

fn genres_of_tracks(t: &Transaction<'_>, album: i64) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT g.name FROM item AS i JOIN genre_of AS o ON o.item = i.n JOIN genre AS g ON g.n = o.genre \
        WHERE i.show = ?1 AND i.state <> 'trashed' ORDER BY g.key";
    t.prepare_cached(sql)?.query_map([album], |r| r.get(0))?.collect()
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
