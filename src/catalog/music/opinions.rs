//! What accounts think of music, and how often they heard it.
use rusqlite::{Connection, Transaction, named_params, params};

use super::Hearer;

/// What an opinion is of: the number of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A track or an album.
    Item(i64),
    /// Whoever made some.
    Artist(i64),
    /// A folder.
    Directory(i64),
}

impl Target {
    /// The words of its row in `opinion`: `kind` and `target`.
    pub(in crate::catalog) fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Item(n) => ("item", n),
            Self::Artist(n) => ("artist", n),
            Self::Directory(n) => ("directory", n),
        }
    }

    /// The query that tells whether a hearer may see it: its number in `:target`.
    fn seen(self) -> &'static str {
        match self {
            Self::Item(_) => {
                "SELECT n FROM item WHERE n = :target AND kind IN ('track', 'album') AND library IN (SELECT value FROM json_each(:libraries))"
            }
            Self::Artist(_) => {
                "SELECT a.n FROM artist AS a WHERE a.n = :target AND EXISTS (SELECT 1 FROM credit AS k JOIN item AS i ON i.n = k.item \
                WHERE k.artist = a.n AND i.library IN (SELECT value FROM json_each(:libraries)))"
            }
            Self::Directory(_) => {
                "SELECT n FROM directory WHERE n = :target AND library IN (SELECT value FROM json_each(:libraries))"
            }
        }
    }
}

/// Stars things, or takes the stars away. What cannot be seen is left out. Returns how many were found.
pub(super) fn star(
    t: &Transaction<'_>,
    hearer: &Hearer,
    targets: &[Target],
    starred_at: Option<i64>,
) -> rusqlite::Result<usize> {
    let mut found = 0;
    for target in targets {
        let (kind, number) = target.parts();
        // Starred again, a thing keeps the time of its first star.
        let sql = format!(
            "INSERT INTO opinion (account, kind, target, starred_at) SELECT :account, :kind, n, :at FROM ({}) WHERE TRUE \
            ON CONFLICT (account, kind, target) DO UPDATE SET \
            starred_at = CASE WHEN excluded.starred_at IS NULL THEN NULL ELSE ifnull(starred_at, excluded.starred_at) END",
            target.seen()
        );
        found += t.prepare_cached(&sql)?.execute(named_params! {
            ":account": hearer.account, ":kind": kind, ":target": number, ":libraries": hearer.libraries(), ":at": starred_at,
        })?;
    }
    Ok(found)
}

/// Rates a thing, 1 to 5, or not any more. Whether it was found.
pub(super) fn rate(t: &Transaction<'_>, hearer: &Hearer, target: Target, rating: Option<u8>) -> rusqlite::Result<bool> {
    let (kind, number) = target.parts();
    let sql = format!(
        "INSERT INTO opinion (account, kind, target, rating) SELECT :account, :kind, n, :rating FROM ({}) WHERE TRUE \
        ON CONFLICT (account, kind, target) DO UPDATE SET rating = excluded.rating",
        target.seen()
    );
    let changed = t.prepare_cached(&sql)?.execute(named_params! {
        ":account": hearer.account, ":kind": kind, ":target": number, ":libraries": hearer.libraries(), ":rating": rating,
    })?;
    Ok(changed > 0)
}

/// A track was heard: counted for it, its album and its artists. Whether it was found.
pub(super) fn heard(t: &Transaction<'_>, hearer: &Hearer, track: i64, at: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT show FROM item WHERE n = ?1 AND kind = 'track' AND library IN (SELECT value FROM json_each(?2))";
    let found: Option<Option<i64>> = {
        use rusqlite::OptionalExtension as _;
        t.prepare_cached(sql)?.query_row(params![track, hearer.libraries()], |r| r.get(0)).optional()?
    };
    let Some(album) = found else { return Ok(false) };
    let sql = "SELECT DISTINCT artist FROM credit WHERE item = ?1 AND role = 'artist'";
    let artists = t.prepare_cached(sql)?.query_map([track], |r| r.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let items = [Some(track), album].into_iter().flatten().map(Target::Item);
    for target in items.chain(artists.into_iter().map(Target::Artist)) {
        let (kind, number) = target.parts();
        let sql = "INSERT INTO opinion (account, kind, target, plays, played_at) VALUES (?1, ?2, ?3, 1, ?4) \
            ON CONFLICT (account, kind, target) DO UPDATE SET plays = plays + 1, played_at = max(ifnull(played_at, 0), excluded.played_at)";
        t.prepare_cached(sql)?.execute(params![hearer.account, kind, number, at])?;
    }
    Ok(true)
}

/// The numbers of artists that somebody starred, latest first.
pub(super) fn starred_artists(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT target FROM opinion WHERE account = ?1 AND kind = 'artist' AND starred_at IS NOT NULL ORDER BY starred_at DESC, target";
    c.prepare_cached(sql)?.query_map([&hearer.account], |r| r.get(0))?.collect()
}

/// Forgets all that an account added to music.
pub(in crate::catalog) fn forget_account(t: &Transaction<'_>, account: &str) -> rusqlite::Result<()> {
    for (table, column) in [
        ("opinion", "account"),
        ("playlist", "owner"),
        ("play_queue", "account"),
        ("bookmark", "account"),
        ("share", "owner"),
        ("moved_fact", "account"),
        ("listen", "account"),
        ("podcast_place", "account"),
    ] {
        t.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [account])?;
    }
    Ok(())
}
