//! The numbers of albums and tracks in a list, in its order. What is shown of them is read by [`super::rows`].
use rusqlite::{Connection, named_params};

use super::Hearer;
use crate::catalog::sorting::fold;

/// By what albums are ordered, and which are in the list at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlbumOrder {
    Title,
    Artist,
    /// Newest first.
    Added,
    Random,
    /// Those that the hearer rated, best first.
    Rating,
    /// Those that the hearer heard, most first.
    Plays,
    /// Those that the hearer heard, latest first.
    Played,
    /// Those that the hearer starred, latest first.
    Starred,
    /// Oldest first.
    Year,
    /// Newest first.
    YearDescending,
}

/// Which albums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlbumFilter {
    pub genre: Option<String>,
    /// At least.
    pub from_year: Option<i32>,
    /// At most.
    pub to_year: Option<i32>,
}

/// Which tracks, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackFilter {
    pub genre: Option<String>,
    /// At least.
    pub from_year: Option<i32>,
    /// At most.
    pub to_year: Option<i32>,
    /// By an artist with this number.
    pub artist: Option<i64>,
    /// That the hearer starred, latest first.
    pub starred: bool,
    /// In no order at all; else those heard most by the hearer come first, then by album and place.
    pub random: bool,
}

/// What every list has.
const SEEN: &str = "i.library IN (SELECT value FROM json_each(:libraries)) AND i.state <> 'trashed'";
/// The same for lists of albums, which are read in their order by an index of their own, and end with the part that is asked for. The
/// index of the libraries would bring all albums to be put in order.
const SEEN_IN_ORDER: &str = "+i.library IN (SELECT value FROM json_each(:libraries)) AND i.state <> 'trashed'";

/// Albums of an artist, and those with a track of its.
pub(super) fn albums_of(c: &Connection, hearer: &Hearer, artist: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = format!(
        "SELECT i.n FROM item AS i WHERE i.n IN (SELECT CASE e.kind WHEN 'track' THEN e.show ELSE e.n END FROM credit AS k \
        JOIN item AS e ON e.n = k.item WHERE k.artist = :artist AND k.role IN ('artist', 'albumartist') AND e.state <> 'trashed') \
        AND i.kind = 'album' AND {SEEN} ORDER BY ifnull(i.year, 9999), i.sort_key, i.n"
    );
    let values = named_params! {":artist": artist, ":libraries": hearer.libraries()};
    c.prepare_cached(&sql)?.query_map(values, |r| r.get(0))?.collect()
}

pub(super) fn albums(
    c: &Connection,
    hearer: &Hearer,
    order: AlbumOrder,
    filter: &AlbumFilter,
    count: u32,
    offset: u64,
) -> rusqlite::Result<Vec<i64>> {
    let opinion = "JOIN opinion AS o ON o.account = :account AND o.kind = 'item' AND o.target = i.n";
    let opinion = format!("item AS i {opinion}");
    let opinion = opinion.as_str();
    let (from, wanted, by) = match order {
        AlbumOrder::Title => ("item AS i", "TRUE", "i.sort_key, i.n"),
        AlbumOrder::Artist => {
            ("album AS b CROSS JOIN item AS i ON i.n = b.item", "TRUE", "b.artist_key, i.sort_key, i.n")
        }
        AlbumOrder::Added => ("item AS i", "TRUE", "i.added_at DESC, i.n DESC"),
        AlbumOrder::Random => ("item AS i INDEXED BY album_by_year", "TRUE", "random()"),
        AlbumOrder::Rating => (opinion, "o.rating IS NOT NULL", "o.rating DESC, i.sort_key, i.n"),
        AlbumOrder::Plays => (opinion, "o.plays > 0", "o.plays DESC, o.played_at DESC, i.n"),
        AlbumOrder::Played => (opinion, "o.played_at IS NOT NULL", "o.played_at DESC, i.n"),
        AlbumOrder::Starred => (opinion, "o.starred_at IS NOT NULL", "o.starred_at DESC, i.n"),
        AlbumOrder::Year => ("item AS i", "i.year IS NOT NULL", "i.year, i.sort_key, i.n"),
        AlbumOrder::YearDescending => ("item AS i", "i.year IS NOT NULL", "i.year DESC, i.sort_key, i.n"),
    };
    let sql = format!(
        "SELECT i.n FROM {from} WHERE i.kind = 'album' AND {SEEN_IN_ORDER} AND {wanted} \
        AND (:genre IS NULL OR i.n IN (SELECT item FROM genre_of WHERE genre IN (SELECT n FROM genre WHERE key = :genre))) \
        AND (:from IS NULL OR i.year >= :from) AND (:to IS NULL OR i.year <= :to) AND :account IS :account \
        ORDER BY {by} LIMIT :count OFFSET :offset"
    );
    let values = named_params! {
        ":libraries": hearer.libraries(), ":account": hearer.account, ":genre": filter.genre.as_deref().map(fold),
        ":from": filter.from_year, ":to": filter.to_year, ":count": count, ":offset": offset.cast_signed(),
    };
    c.prepare_cached(&sql)?.query_map(values, |r| r.get(0))?.collect()
}

pub(super) fn tracks_of_album(c: &Connection, album: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT n FROM item WHERE show = ?1 AND kind = 'track' AND state <> 'trashed' ORDER BY sort_key, n";
    c.prepare_cached(sql)?.query_map([album], |r| r.get(0))?.collect()
}

pub(super) fn tracks(
    c: &Connection,
    hearer: &Hearer,
    filter: &TrackFilter,
    count: u32,
    offset: u64,
) -> rusqlite::Result<Vec<i64>> {
    let by = match (filter.random, filter.starred) {
        (true, _) => "random()",
        (false, true) => "o.starred_at DESC, i.n",
        (false, false) if filter.artist.is_some() => "ifnull(o.plays, 0) DESC, i.sort_key, i.n",
        (false, false) => "i.sort_key, i.n",
    };
    let starred = if filter.starred { "o.starred_at IS NOT NULL" } else { "TRUE" };
    let sql = format!(
        "SELECT i.n FROM item AS i LEFT JOIN opinion AS o ON o.account = :account AND o.kind = 'item' AND o.target = i.n \
        WHERE i.kind = 'track' AND {SEEN} AND {starred} \
        AND (:genre IS NULL OR i.n IN (SELECT item FROM genre_of WHERE genre IN (SELECT n FROM genre WHERE key = :genre))) \
        AND (:artist IS NULL OR i.n IN (SELECT item FROM credit WHERE artist = :artist AND role = 'artist')) \
        AND (:from IS NULL OR i.year >= :from) AND (:to IS NULL OR i.year <= :to) \
        ORDER BY {by} LIMIT :count OFFSET :offset"
    );
    let values = named_params! {
        ":libraries": hearer.libraries(), ":account": hearer.account, ":genre": filter.genre.as_deref().map(fold),
        ":artist": filter.artist, ":from": filter.from_year, ":to": filter.to_year, ":count": count,
        ":offset": offset.cast_signed(),
    };
    c.prepare_cached(&sql)?.query_map(values, |r| r.get(0))?.collect()
}
