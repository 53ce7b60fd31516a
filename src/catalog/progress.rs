//! How far each account has watched: facts that several nodes may write, and that come to the same everywhere.
//!
//! A fact takes the place of another of the same account and item where its [`Version`] is later. A node that writes gives a
//! later version than the one it knows, whatever its clock says: so what was known when somebody watched on never wins over
//! it, and any order in which nodes tell each other ends with the same. An item and its twins are the same film: a fact of one
//! is written for all of them.
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::items::number_of;
use super::model::{Id, Progress};

/// Facts of one page at most.
pub const FACTS_MAX: usize = 500;
/// Facts of one friend's people that are kept at most.
const KEPT_MAX: i64 = 200_000;
/// Latest time of a fact: far away from where a later one could not be given any more.
const TIME_MAX: i64 = 1 << 52;

/// What a node tells another of how far somebody watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fact {
    /// Account at its home.
    pub account: Id,
    pub item: Id,
    /// Seconds. 0 and not completed: never watched.
    pub position: f64,
    pub completed: bool,
    /// Unix milliseconds, by the clock of the node that wrote it.
    pub watched_at: i64,
    /// With `origin`: which of two facts is later.
    pub time: i64,
    pub origin: String,
}

/// Facts after a revision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// In the order in which they were written.
    pub facts: Vec<Fact>,
    /// The revision to go on from.
    pub next: i64,
    /// There is more now.
    pub more: bool,
}

/// Whose facts a friend's node tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of its people, whom we host.
    Theirs,
    /// Those of our people, whom it hosts.
    Ours,
}

impl Whose {
    fn word(self) -> &'static str {
        match self {
            Self::Theirs => "theirs",
            Self::Ours => "ours",
        }
    }
}

/// An account's id here, and its id at its home.
pub type Known = (Id, Id);

/// How far an account came in items of one show or series, or in one that is in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progressed {
    pub account: Id,
    /// Library of the items.
    pub library: Id,
    /// The show or series.
    pub show: Option<Id>,
    /// Each with whether it counts as never watched now.
    pub items: Vec<(Id, bool)>,
}

/// Steps in the order in which they were made; the revision to go on from; whether there are more.
pub(super) type Steps = (Vec<Progressed>, i64, bool);

type Version = (i64, String);

impl Fact {
    fn version(&self) -> Version {
        (self.time, self.origin.clone())
    }

    /// Whether it can be believed to be one.
    fn is_sane(&self) -> bool {
        let seconds = self.position.is_finite() && self.position >= 0.0;
        let id = uuid::Uuid::try_parse(&self.item).is_ok_and(|id| id.hyphenated().to_string() == self.item);
        let origin = self.origin.len() <= 64 && self.origin.bytes().all(|b| b.is_ascii_alphanumeric());
        seconds && id && origin && (0..TIME_MAX).contains(&self.time) && self.watched_at >= 0
    }
}

/// The place within a page or a chapter, as the program that reads names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    /// JSON.
    pub place: String,
    /// JSON.
    pub device: String,
    /// Unix milliseconds, by the clock of the device.
    pub modified_at: i64,
}

/// Writes the place that an account's progress in an item, as it was just written, has.
pub(super) fn locate(t: &Transaction<'_>, account: &str, item: &str, at: &Locator) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO locator SELECT p.account, p.item, p.position, p.watched_at, ?3, ?4, ?5 FROM progress AS p \
        WHERE p.account = ?1 AND p.item = {} \
        ON CONFLICT DO UPDATE SET position = excluded.position, watched_at = excluded.watched_at, place = excluded.place, \
        device = excluded.device, modified_at = excluded.modified_at",
        number_of("?2")
    );
    t.prepare_cached(&sql)?.execute(params![account, item, at.place, at.device, at.modified_at]).map(|_| ())
}

/// The place of an account's progress in an item; `None` where it read on without naming one.
pub(super) fn located(c: &Connection, account: &str, item: &str) -> rusqlite::Result<Option<Locator>> {
    let sql = format!(
        "SELECT l.place, l.device, l.modified_at FROM locator AS l JOIN progress AS p \
        ON p.account = l.account AND p.item = l.item AND p.position = l.position AND p.watched_at = l.watched_at \
        WHERE l.account = ?1 AND l.item = {}",
        number_of("?2")
    );
    let locator = |r: &Row<'_>| Ok(Locator { place: r.get(0)?, device: r.get(1)?, modified_at: r.get(2)? });
    c.prepare_cached(&sql)?.query_row([account, item], locator).optional()
}

/// Remembers how far an account was at a time, which wins over all that was known by now. `false`: no such item.
pub(super) fn set(
    t: &Transaction<'_>,
    account: &str,
    item: &str,
    progress: Progress,
    (at, now): (i64, i64),
) -> rusqlite::Result<bool> {
    let same = same_as(t, item)?;
    if same.is_empty() {
        return Ok(false);
    }
    let mut time = now;
    for item in &same {
        time = version(t, account, item)?.map_or(time, |(known, _)| time.max(known + 1));
    }
    let origin: String = t.query_row("SELECT name FROM origin", [], |r| r.get(0))?;
    let Progress { position, completed } = progress;
    for item in same {
        let (account, origin) = (account.to_owned(), origin.clone());
        write(t, &Fact { account, item, position, completed, watched_at: at, time, origin })?;
    }
    Ok(true)
}

/// Remembers how far an account was in a book elsewhere, and when: that it read, and that this was written, in Unix milliseconds.
/// `false` where what is known is as late.
pub(super) fn take_own(
    t: &Transaction<'_>,
    account: &str,
    item: &str,
    progress: Progress,
    (watched_at, time): (i64, i64),
) -> rusqlite::Result<bool> {
    let same = same_as(t, item)?;
    for item in &same {
        if version(t, account, item)?.is_some_and(|(known, _)| known >= time) {
            return Ok(false);
        }
    }
    let origin: String = t.query_row("SELECT name FROM origin", [], |r| r.get(0))?;
    let Progress { position, completed } = progress;
    for item in same {
        let (account, origin) = (account.to_owned(), origin.clone());
        write(t, &Fact { account, item, position, completed, watched_at, time, origin })?;
    }
    Ok(true)
}

/// Forgets all that an account watched.
pub(super) fn forget_account(t: &Transaction<'_>, account: &str) -> rusqlite::Result<usize> {
    t.execute("DELETE FROM watched WHERE account = ?1", [account])?;
    t.execute("DELETE FROM locator WHERE account = ?1", [account])?;
    t.execute("DELETE FROM progress WHERE account = ?1", [account])
}

/// Facts of these accounts that were written after a revision, each under its account's id at home.
pub(super) fn since(c: &Connection, accounts: &[Known], since: i64, limit: usize) -> rusqlite::Result<Facts> {
    let newest = newest(c)?;
    // A revision that was not given yet: our database is an older copy of itself. Everything is told again.
    let since = if (0..=newest).contains(&since) { since } else { 0 };
    let ids: Vec<&str> = accounts.iter().map(|(here, _)| here.as_str()).collect();
    let sql = "SELECT revision, account, item, position, completed, watched_at, time, origin FROM watched \
        WHERE revision > ?1 AND account IN (SELECT value FROM json_each(?2)) ORDER BY revision LIMIT ?3";
    let values = params![since, serde_json::Value::from(ids).to_string(), limit as i64];
    let mut statement = c.prepare_cached(sql)?;
    let rows: Vec<(i64, Fact)> = statement.query_map(values, told)?.collect::<Result<_, _>>()?;
    let last = rows.last().filter(|_| rows.len() >= limit).map(|(revision, _)| *revision);
    let at_home = |mut fact: Fact| {
        let home = accounts.iter().find(|(here, _)| *here == fact.account);
        fact.account = home.map(|(_, home)| home.clone()).unwrap_or_default();
        fact
    };
    let facts = rows.into_iter().map(|(_, fact)| at_home(fact)).collect();
    Ok(Facts { facts, next: last.unwrap_or(newest), more: last.is_some_and(|last| last < newest) })
}

/// The last revision that was given.
pub(super) fn newest(c: &Connection) -> rusqlite::Result<i64> {
    c.query_row("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'watched'", [], |r| r.get(0))
}

/// How far anybody came in items that are known here, after a revision.
pub(super) fn steps(c: &Connection, since: i64, limit: usize) -> rusqlite::Result<Steps> {
    let newest = newest(c)?;
    let sql = "SELECT w.revision, w.account, i.library, s.id, w.item, w.position = 0 AND NOT w.completed FROM watched AS w \
        JOIN item AS i ON i.id = w.item LEFT JOIN item AS s ON s.n = i.show WHERE w.revision > ?1 ORDER BY w.revision LIMIT ?2";
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query(params![since, limit as i64])?;
    let (mut steps, mut last, mut read): (Vec<Progressed>, _, _) = (Vec::new(), since, 0);
    while let Some(row) = rows.next()? {
        (last, read) = (row.get(0)?, read + 1);
        let step = Progressed { account: row.get(1)?, library: row.get(2)?, show: row.get(3)?, items: Vec::new() };
        let item = (row.get(4)?, row.get(5)?);
        match steps.last_mut().filter(|before| before.show.is_some() && before.same(&step)) {
            Some(before) => before.items.push(item),
            None => steps.push(Progressed { items: vec![item], ..step }),
        }
    }
    Ok(if read < limit { (steps, newest.max(last), false) } else { (steps, last, true) })
}

impl Progressed {
    fn same(&self, other: &Self) -> bool {
        (&self.account, &self.library, &self.show) == (&other.account, &other.library, &other.show)
    }
}

fn told(r: &Row<'_>) -> rusqlite::Result<(i64, Fact)> {
    let fact = Fact {
        account: r.get(1)?,
        item: r.get(2)?,
        position: r.get(3)?,
        completed: r.get(4)?,
        watched_at: r.get(5)?,
        time: r.get(6)?,
        origin: r.get(7)?,
    };
    Ok((r.get(0)?, fact))
}

/// Takes in what a friend's node tells of these accounts, and how far it is known now. Returns how many were later than what
/// was known.
pub(super) fn take(
    t: &Transaction<'_>,
    (friend, whose): (&str, Whose),
    accounts: &[Known],
    page: &Facts,
    now: i64,
) -> rusqlite::Result<usize> {
    let ids: Vec<&str> = accounts.iter().map(|(here, _)| here.as_str()).collect();
    let sql = "SELECT count(*) FROM watched WHERE account IN (SELECT value FROM json_each(?1))";
    let mut kept: i64 = t.query_row(sql, [serde_json::Value::from(ids).to_string()], |r| r.get(0))?;
    let mut later = 0;
    for fact in page.facts.iter().filter(|fact| fact.is_sane()) {
        let Some((here, _)) = accounts.iter().find(|(_, home)| *home == fact.account) else { continue };
        // A clock that is ahead does not put its films before all others for ever.
        let fact = Fact { account: here.clone(), watched_at: fact.watched_at.min(now), ..fact.clone() };
        let mut items = same_as(t, &fact.item)?;
        if items.is_empty() {
            items.push(fact.item.clone());
        }
        for item in items {
            let known = version(t, here, &item)?;
            if known.is_some() || kept < KEPT_MAX {
                kept += i64::from(known.is_none());
                later += usize::from(merge(t, &Fact { item, ..fact.clone() }, known)?);
            }
        }
    }
    let sql = "INSERT INTO watched_cursor VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET taken = excluded.taken";
    t.execute(sql, params![friend, whose.word(), page.next])?;
    Ok(later)
}

/// Up to which revision a friend's facts are known here.
pub(super) fn taken(c: &Connection, friend: &str, whose: Whose) -> rusqlite::Result<i64> {
    let sql = "SELECT taken FROM watched_cursor WHERE friend = ?1 AND whose = ?2";
    Ok(c.query_row(sql, params![friend, whose.word()], |r| r.get(0)).optional()?.unwrap_or(0))
}

/// Two items turned out to be the same: of each account's facts the later one counts for both.
pub(super) fn join(t: &Transaction<'_>, one: i64, other: i64) -> rusqlite::Result<()> {
    let sql = "SELECT w.revision, w.account, w.item, w.position, w.completed, w.watched_at, w.time, w.origin \
        FROM item AS i JOIN watched AS w ON w.item = i.id WHERE i.n IN (?1, ?2)";
    let facts: Vec<(i64, Fact)> = t.prepare_cached(sql)?.query_map([one, other], told)?.collect::<Result<_, _>>()?;
    if facts.is_empty() {
        return Ok(());
    }
    let mut ids = t.prepare_cached("SELECT id FROM item WHERE n IN (?1, ?2)")?;
    let ids: Vec<Id> = ids.query_map([one, other], |r| r.get(0))?.collect::<Result<_, _>>()?;
    for (_, fact) in &facts {
        for item in ids.iter().filter(|id| **id != fact.item) {
            let known = version(t, &fact.account, item)?;
            merge(t, &Fact { item: item.clone(), ..fact.clone() }, known)?;
        }
    }
    Ok(())
}

/// Writes a fact where it is later than what is known.
fn merge(t: &Transaction<'_>, fact: &Fact, known: Option<Version>) -> rusqlite::Result<bool> {
    let later = known.is_none_or(|known| known < fact.version());
    if later {
        write(t, fact)?;
    }
    Ok(later)
}

fn write(t: &Transaction<'_>, fact: &Fact) -> rusqlite::Result<()> {
    // Deleted and inserted: it takes a new revision.
    let sql = "DELETE FROM watched WHERE account = ?1 AND item = ?2";
    t.prepare_cached(sql)?.execute(params![fact.account, fact.item])?;
    let sql = "INSERT INTO watched (account, item, position, completed, watched_at, time, origin) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Fact { account, item, position, completed, watched_at, time, origin } = fact;
    t.prepare_cached(sql)?.execute(params![account, item, position, completed, watched_at, time, origin])?;
    Ok(())
}

fn version(t: &Transaction<'_>, account: &str, item: &str) -> rusqlite::Result<Option<Version>> {
    let sql = "SELECT time, origin FROM watched WHERE account = ?1 AND item = ?2";
    t.prepare_cached(sql)?.query_row([account, item], |r| Ok((r.get(0)?, r.get(1)?))).optional()
}

/// Ids of an item and its twins; none where there is no such item.
fn same_as(t: &Transaction<'_>, item: &str) -> rusqlite::Result<Vec<Id>> {
    let sql = format!(
        "WITH first (n) AS (SELECT ifnull(r.twin, i.n) FROM item AS i LEFT JOIN remote AS r ON r.item = i.n WHERE i.n = {}) \
        SELECT id FROM item WHERE n IN (SELECT n FROM first UNION SELECT item FROM remote WHERE twin IN (SELECT n FROM first))",
        number_of("?1")
    );
    t.prepare_cached(&sql)?.query_map([item], |r| r.get(0))?.collect()
}
