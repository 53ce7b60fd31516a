//! Writes what a friend's node tells of its libraries, under the friend's own ids.
//!
//! The invariant: only rows of this friend's libraries are touched. An id that is ours, or another friend's, is refused,
//! whatever is said of it. What a friend takes back goes, but an item in which somebody here has progress stays as a husk
//! that nobody sees, so that the progress is there when the item comes back.
use std::collections::HashSet;

use rusqlite::{OptionalExtension, Transaction, params};

use super::{BookNumber, Touched, books, shows, twins, write};
use crate::catalog::model::{Id, ItemKind};
use crate::catalog::shared::{Changes, RemovedItem, SharedItem, SharedLibrary};
use crate::catalog::sorting;

/// What came of a page of a friend's changes.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// Libraries that came, went or have another name.
    pub libraries: Vec<Id>,
    /// Items that are new here.
    pub added: Vec<Touched>,
    /// Items that are different, or hidden or shown now.
    pub changed: Vec<Touched>,
    /// Items that went.
    pub removed: Vec<Touched>,
    /// Entries that were not believed or over the limit.
    pub refused: u64,
}

/// A page that is being taken in.
struct Taking<'a> {
    t: &'a Transaction<'a>,
    friend: &'a str,
    items_max: u64,
    now: i64,
    taken: Taken,
    /// Items to settle among twins.
    touched: Vec<i64>,
}

/// See [`super::Catalog::take_changes`].
pub(super) fn take(
    t: &Transaction<'_>,
    friend: &str,
    page: &Changes,
    items_max: u64,
    now: i64,
) -> rusqlite::Result<Taken> {
    let mut taking = Taking { t, friend, items_max, now, taken: Taken::default(), touched: Vec::new() };
    let accepted = taking.libraries(&page.libraries)?;
    for removed in &page.removed {
        taking.remove(removed)?;
    }
    let mut count = count(t, friend)?;
    for item in &page.items {
        taking.item(item, &accepted, &mut count)?;
    }
    for number in twins::settle(t, std::mem::take(&mut taking.touched))? {
        let touched = shows::touched(t, number)?;
        if !taking.taken.added.contains(&touched) && !taking.taken.changed.contains(&touched) {
            taking.taken.changed.push(touched);
        }
    }
    let sql = "INSERT INTO friend_cursor VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET cursor = excluded.cursor, synced_at = excluded.synced_at";
    t.execute(sql, params![friend, page.next, now])?;
    Ok(taking.taken)
}

/// Items of a friend's libraries, husks too.
fn count(t: &Transaction<'_>, friend: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT ifnull(sum(items), 0) FROM tally WHERE library IN (SELECT id FROM library WHERE friend = ?1)";
    Ok(t.query_row(sql, [friend], |r| r.get::<_, i64>(0))?.max(0).cast_unsigned())
}

impl Taking<'_> {
    /// Writes the libraries that are shared now and takes back the others. Returns those that items may be in.
    fn libraries(&mut self, told: &[SharedLibrary]) -> rusqlite::Result<HashSet<Id>> {
        let mut accepted = HashSet::new();
        for library in told {
            match self.owner(&library.id)? {
                None => self.add_library(library)?,
                Some(Some(friend)) if friend == self.friend => self.change_library(library)?,
                Some(_) => {
                    self.taken.refused += 1;
                    continue;
                }
            }
            accepted.insert(library.id.clone());
        }
        let sql = "SELECT id FROM library WHERE friend = ?1 AND withdrawn = 0";
        let shared: Vec<Id> = self.t.prepare(sql)?.query_map([self.friend], |r| r.get(0))?.collect::<Result<_, _>>()?;
        for library in shared.into_iter().filter(|library| !accepted.contains(library)) {
            withdraw(self.t, &library)?;
            self.taken.libraries.push(library);
        }
        Ok(accepted)
    }

    /// Whose library this is; `Some(None)` for ours.
    fn owner(&self, library: &str) -> rusqlite::Result<Option<Option<Id>>> {
        let sql = "SELECT friend FROM library WHERE id = ?1";
        self.t.prepare_cached(sql)?.query_row([library], |r| r.get(0)).optional()
    }

    fn add_library(&mut self, new: &SharedLibrary) -> rusqlite::Result<()> {
        let name = format!("friend:{}/{}", self.friend, new.id);
        let sql = "INSERT INTO library (id, name, kind, path, visibility, state, friend, shown, people) \
            VALUES (?1, ?2, ?3, CAST(?2 AS BLOB), 'private', ?4, ?5, ?6, ?7)";
        self.t.execute(sql, params![new.id, name, new.kind, new.state, self.friend, new.name, people(new)])?;
        self.taken.libraries.push(new.id.clone());
        Ok(())
    }

    fn change_library(&mut self, told: &SharedLibrary) -> rusqlite::Result<()> {
        let sql = "UPDATE library SET shown = ?2, kind = ?3, state = ?4, people = ?5, withdrawn = 0 \
            WHERE id = ?1 AND (shown IS NOT ?2 OR kind <> ?3 OR state <> ?4 OR people IS NOT ?5 OR withdrawn = 1)";
        if self.t.execute(sql, params![told.id, told.name, told.kind, told.state, people(told)])? > 0 {
            self.taken.libraries.push(told.id.clone());
        }
        Ok(())
    }

    fn remove(&mut self, told: &RemovedItem) -> rusqlite::Result<()> {
        let sql = "SELECT i.n FROM item AS i JOIN library AS l ON l.id = i.library \
            WHERE i.id = ?1 AND i.library = ?2 AND l.friend = ?3";
        let values = params![told.id, told.library, self.friend];
        let found: Option<i64> = self.t.prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()?;
        let Some(number) = found else { return Ok(()) };
        self.taken.removed.push(shows::touched(self.t, number)?);
        self.touched.extend(twins::behind(self.t, number)?);
        let show: Option<i64> = self.t.query_row("SELECT show FROM item WHERE n = ?1", [number], |r| r.get(0))?;
        if watched(self.t, number)? {
            let sql = "UPDATE remote SET state = 'trashed', twin = NULL WHERE item = ?1";
            self.t.prepare_cached(sql)?.execute([number])?;
            self.t.prepare_cached("UPDATE item SET state = 'trashed' WHERE n = ?1")?.execute([number])?;
            shows::write_text(self.t, number)?;
        } else {
            self.t.prepare_cached("DELETE FROM item WHERE n = ?1")?.execute([number])?;
        }
        show.map_or(Ok(()), |show| shows::refresh_state(self.t, show))
    }

    fn item(&mut self, told: &SharedItem, accepted: &HashSet<Id>, count: &mut u64) -> rusqlite::Result<()> {
        let known = self.known(&told.id)?;
        let theirs = known.as_ref().is_none_or(|(_, kind, owner)| {
            owner.as_deref() == Some(self.friend) && kind.is_group() == told.kind.is_group()
        });
        let room = known.is_some() || *count < self.items_max;
        if told.check().is_err() || !accepted.contains(&told.library) || !theirs || !room {
            self.taken.refused += 1;
            return Ok(());
        }
        let Ok(show) = self.show_of(told)? else {
            self.taken.refused += 1;
            return Ok(());
        };
        let before: Option<i64> = match &known {
            Some((number, ..)) => self.t.query_row("SELECT show FROM item WHERE n = ?1", [number], |r| r.get(0))?,
            None => None,
        };
        let number = match known {
            Some((number, ..)) => number,
            None => {
                *count += 1;
                self.insert(&told.id, &told.library, told.kind, told.added_at)?
            }
        };
        self.write(number, told, show)?;
        for show in [before, show].into_iter().flatten() {
            shows::refresh_state(self.t, show)?;
        }
        self.touched.push(number);
        let touched = shows::touched(self.t, number)?;
        if known.is_some() {
            self.taken.changed.push(touched)
        } else {
            self.taken.added.push(touched)
        }
        Ok(())
    }

    /// Number, kind and owner of an item.
    fn known(&self, id: &str) -> rusqlite::Result<Option<(i64, ItemKind, Option<Id>)>> {
        let sql = "SELECT i.n, i.kind, l.friend FROM item AS i JOIN library AS l ON l.id = i.library WHERE i.id = ?1";
        self.t.prepare_cached(sql)?.query_row([id], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()
    }

    /// The row of an episode's show: found, or made with what the episode says of it until the show itself comes.
    /// `Err` where that id is something else.
    fn show_of(&self, told: &SharedItem) -> rusqlite::Result<Result<Option<i64>, ()>> {
        let (Some(id), Some(group)) = (&told.show, told.kind.group()) else { return Ok(Ok(None)) };
        if let Some((number, kind, owner)) = self.known(id)? {
            let fits = kind == group && owner.as_deref() == Some(self.friend);
            return Ok(fits.then_some(Some(number)).ok_or(()));
        }
        let number = self.insert(id, &told.library, group, told.added_at)?;
        let title = told.show_title.clone().unwrap_or_default();
        let sort_title = sorting::sort_title(&title);
        let sql = "UPDATE item SET title = ?2, sort_title = ?3, sort_key = ?4 WHERE n = ?1";
        self.t.execute(sql, params![number, title, sort_title, sorting::sort_key(&sort_title)])?;
        shows::write_text(self.t, number)?;
        Ok(Ok(Some(number)))
    }

    fn insert(&self, id: &str, library: &str, kind: ItemKind, added_at: i64) -> rusqlite::Result<i64> {
        // A clock that is ahead does not put its items before all others for ever.
        let added_at = added_at.min(self.now);
        let sql = "INSERT INTO item (id, library, kind, state, title, sort_title, sort_key, added_at) \
            VALUES (?1, ?2, ?3, 'present', '', '', '', ?4)";
        self.t.prepare_cached(sql)?.execute(params![id, library, kind, added_at])?;
        let number = self.t.last_insert_rowid();
        self.t.prepare_cached("INSERT INTO remote (item, state) VALUES (?1, 'present')")?.execute([number])?;
        Ok(number)
    }

    fn write(&self, number: i64, told: &SharedItem, show: Option<i64>) -> rusqlite::Result<()> {
        let sort_title = told.sort_title.clone().unwrap_or_else(|| sorting::sort_title(&told.title));
        let sort_key = match show {
            Some(show) => {
                let sql = "SELECT sort_title FROM item WHERE n = ?1";
                let show: String = self.t.prepare_cached(sql)?.query_row([show], |r| r.get(0))?;
                match told.kind {
                    ItemKind::Book => sorting::book_key(&show, book_number(told).sort, &sort_title),
                    _ => sorting::episode_key(&show, told.season, told.episode, &sort_title),
                }
            }
            None => sorting::sort_key(&sort_title),
        };
        let file = told.file.as_ref().filter(|_| !told.kind.is_group());
        let picture = |there: bool, name: &'static str| there.then_some(name.as_bytes());
        let sql = "UPDATE item SET library = ?2, kind = ?3, state = ?4, title = ?5, sort_title = ?6, sort_key = ?7, year = ?8, \
            show = ?9, season = ?10, episode = ?11, episode_end = ?12, genres = ?13, duration = ?14, problem = ?15, \
            poster = ?16, backdrop = ?17, size = ?18 WHERE n = ?1";
        self.t.prepare_cached(sql)?.execute(params![
            number,
            told.library,
            told.kind,
            told.state,
            told.title,
            sort_title,
            sort_key,
            told.year,
            show,
            told.season,
            told.episode,
            told.episode_end,
            serde_json::Value::from(told.genres.clone()).to_string(),
            told.duration,
            told.problem,
            picture(told.poster, "friend:poster"),
            picture(told.backdrop, "friend:backdrop"),
            file.map_or(0, |file| file.size.cast_signed()),
        ])?;
        self.write_file(number, told)?;
        if told.kind == ItemKind::Book {
            let pages = file.and_then(|file| file.facts.as_ref()?.pages);
            books::write_remote(self.t, number, pages.unwrap_or(0), &book_number(told), self.now)?;
        }
        shows::write_overview(self.t, number, told.overview.as_deref())?;
        if told.kind.is_group() {
            shows::sort_episodes(self.t, number, &sort_title)
        } else {
            shows::write_text(self.t, number)
        }
    }

    fn write_file(&self, number: i64, told: &SharedItem) -> rusqlite::Result<()> {
        let file = told.file.as_ref().filter(|_| !told.kind.is_group());
        let facts = file.and_then(|file| file.facts.as_ref());
        let video = facts.and_then(write::first_video);
        let sql = "UPDATE remote SET state = ?2, cid = ?3, size = ?4, width = ?5, height = ?6, hdr = ?7, name = ?8, facts = ?9 \
            WHERE item = ?1";
        self.t.prepare_cached(sql)?.execute(params![
            number,
            told.state,
            file.and_then(|file| file.cid.as_deref()),
            file.map(|file| file.size.cast_signed()),
            video.and_then(|video| video.width),
            video.and_then(|video| video.height),
            video.and_then(|video| video.hdr).and_then(write::hdr_word),
            file.map(|file| file.name.as_str()),
            facts.and_then(|facts| serde_json::to_string(facts).ok()),
        ])?;
        Ok(())
    }
}

fn book_number(told: &SharedItem) -> BookNumber {
    books::numbered(told.number.as_deref().unwrap_or_default())
}

/// For whom a library is, as it is kept.
fn people(told: &SharedLibrary) -> Option<String> {
    told.people.clone().map(|names| serde_json::Value::from(names).to_string())
}

fn watched(t: &Transaction<'_>, item: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM progress WHERE item = ?1)";
    t.prepare_cached(sql)?.query_row([item], |r| r.get(0))
}

/// Takes a library back: nothing of it is seen any more.
fn withdraw(t: &Transaction<'_>, library: &str) -> rusqlite::Result<()> {
    let hidden = twins::behind_library(t, library)?;
    let unwatched = "DELETE FROM item WHERE library = ?1 AND kind NOT IN ('show', 'series', 'album') \
        AND NOT EXISTS (SELECT 1 FROM progress AS p WHERE p.item = item.n)";
    t.execute(unwatched, [library])?;
    let empty = "DELETE FROM item WHERE library = ?1 AND kind IN ('show', 'series', 'album') \
        AND NOT EXISTS (SELECT 1 FROM item AS e WHERE e.show = item.n)";
    t.execute(empty, [library])?;
    let husks =
        "UPDATE remote SET state = 'trashed', twin = NULL WHERE item IN (SELECT n FROM item WHERE library = ?1)";
    t.execute(husks, [library])?;
    // A word in the text index is one for each row that is shown: of husks there is none.
    let text = "DELETE FROM item_text WHERE rowid IN (SELECT n FROM item WHERE library = ?1)";
    t.execute(text, [library])?;
    t.execute("UPDATE item SET state = 'trashed' WHERE library = ?1", [library])?;
    let left = "SELECT EXISTS (SELECT 1 FROM item WHERE library = ?1)";
    if t.query_row(left, [library], |r| r.get(0))? {
        t.execute("UPDATE library SET withdrawn = 1 WHERE id = ?1", [library])?;
    } else {
        t.execute("DELETE FROM library WHERE id = ?1", [library])?;
    }
    twins::settle(t, hidden).map(|_| ())
}

/// See [`super::Catalog::forget_friend`].
pub(super) fn forget(t: &Transaction<'_>, friend: &str) -> rusqlite::Result<Vec<Id>> {
    let sql = "SELECT id FROM library WHERE friend = ?1";
    let libraries: Vec<Id> = t.prepare(sql)?.query_map([friend], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let mut hidden = Vec::new();
    for library in &libraries {
        hidden.extend(twins::behind_library(t, library)?);
        t.execute("DELETE FROM watched WHERE item IN (SELECT id FROM item WHERE library = ?1)", [library])?;
        t.execute("DELETE FROM library WHERE id = ?1", [library])?;
    }
    twins::settle(t, hidden)?;
    t.execute("DELETE FROM watched_cursor WHERE friend = ?1", [friend])?;
    t.execute("DELETE FROM friend_cursor WHERE friend = ?1", [friend])?;
    Ok(libraries)
}
