//! What of friends' libraries is kept on this disk: the rules, and the files that were made by them.
//!
//! The files are ordinary ones of a library of ours, which the importer takes in. The rows here say which friend's item each is
//! made of, so that it is known as that item's replica whatever either is called now, and so that nothing else is ever removed.
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Id, LibraryState};
use super::{Catalog, CatalogError, Library, items, libraries, new_id, now};
use crate::content::Cid;

/// How much a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaScope {
    /// All that is in a library, now and later.
    Library,
    /// All episodes of a show, now and later.
    Series,
    /// One item.
    Item,
}

/// What of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaPolicy {
    /// Everything.
    Everything,
    /// What this account has not watched to its end.
    Unwatched(Id),
    /// What fewer nodes than this hold, ours among them.
    Copies(u32),
}

/// A rule: what of a friend's shall be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// UUID.
    pub id: Id,
    /// Whose it is.
    pub friend: Id,
    /// See [`ReplicaScope`].
    pub scope: ReplicaScope,
    /// The library or item.
    pub target: Id,
    /// What it was called when the rule was made.
    pub title: String,
    /// See [`ReplicaPolicy`].
    pub policy: ReplicaPolicy,
    /// Nothing is fetched or removed by it.
    pub paused: bool,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// An item that a rule is about, as its friend offers it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Item id.
    pub item: Id,
    /// Root of its file.
    pub cid: Cid,
    /// Bytes of its file.
    pub size: u64,
    /// Unix milliseconds when the account of the rule watched it to the end.
    pub watched_at: Option<i64>,
    /// Friends that share the same file. Only read for [`ReplicaPolicy::Copies`].
    pub holders: Vec<Id>,
    /// The same file is in a library of ours, and not by replication.
    pub own: bool,
}

/// A file that was made by a rule, or is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The friend's item that it is made of.
    pub item: Id,
    /// The rule that has it made.
    pub replica: Id,
    /// The library of ours that holds it.
    pub library: Id,
    /// Its root, absolute.
    pub root: PathBuf,
    /// Whether that is there.
    pub library_state: LibraryState,
    /// Below the library's root.
    pub place: PathBuf,
    /// Root of the DAG of what is there, or shall be.
    pub cid: Cid,
    /// Bytes.
    pub size: u64,
    /// It was whole once.
    pub done: bool,
    /// SHA-256 of the NFO that was written beside it.
    pub described: Option<String>,
}

impl Kept {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.place)
    }
}

impl ReplicaScope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Series => "series",
            Self::Item => "item",
        }
    }

    fn named(word: &str) -> Self {
        match word {
            "library" => Self::Library,
            "series" => Self::Series,
            _ => Self::Item,
        }
    }
}

impl ReplicaPolicy {
    fn columns(&self) -> (&'static str, Option<&str>, Option<u32>) {
        match self {
            Self::Everything => ("everything", None, None),
            Self::Unwatched(account) => ("unwatched", Some(account), None),
            Self::Copies(copies) => ("copies", None, Some(*copies)),
        }
    }

    fn of(word: &str, account: Option<Id>, copies: Option<u32>) -> Self {
        match (word, account, copies) {
            ("unwatched", Some(account), _) => Self::Unwatched(account),
            ("copies", _, Some(copies)) => Self::Copies(copies),
            _ => Self::Everything,
        }
    }
}

impl Catalog {
    /// All rules, oldest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn replicas(&self) -> Result<Vec<Replica>, CatalogError> {
        Ok(self.database.read(all).await?)
    }

    /// Adds a rule about a friend's library, show or item.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where the friend shares no such thing, [`CatalogError::Conflict`] where there is a rule about it.
    pub async fn add_replica(
        &self,
        target: &str,
        policy: ReplicaPolicy,
        paused: bool,
    ) -> Result<Replica, CatalogError> {
        let (target, id, now) = (target.to_owned(), new_id(), now());
        let added = self.database.write(move |t| add(t, &target, id, policy, paused, now)).await?;
        added.inspect(|_| self.written.send_replace(()))
    }

    /// Changes a rule.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn change_replica(
        &self,
        id: &str,
        policy: Option<ReplicaPolicy>,
        paused: Option<bool>,
    ) -> Result<Replica, CatalogError> {
        let id = id.to_owned();
        let changed = self.database.write(move |t| change(t, &id, policy, paused)).await?;
        changed.ok_or(CatalogError::NotFound("replica"))
    }

    /// Forgets a rule, and which files it made: they are ordinary ones from then on.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_replica(&self, id: &str) -> Result<Replica, CatalogError> {
        let id = id.to_owned();
        let removed = self.database.write(move |t| remove(t, &id)).await?;
        removed.ok_or(CatalogError::NotFound("replica"))
    }

    /// The items that a rule is about and that can be fetched, in the order of their titles.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn offered(&self, replica: &Replica) -> Result<Vec<Offered>, CatalogError> {
        let replica = replica.clone();
        Ok(self.database.read(move |c| offered(c, &replica)).await?)
    }

    /// All files that were made by rules, or are being made.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn kept(&self) -> Result<Vec<Kept>, CatalogError> {
        Ok(self.database.read(kept).await?)
    }

    /// Writes down that a file is being made, or is whole.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn keep(&self, file: Kept) -> Result<(), CatalogError> {
        let now = now();
        self.write(move |t| keep(t, &file, now)).await
    }

    /// Forgets that files were made by a rule.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn let_go(&self, items: Vec<Id>) -> Result<(), CatalogError> {
        self.write(move |t| let_go(t, &items)).await
    }

    /// The library of ours that holds what is kept of a friend's.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn replica_library(&self, origin: &str) -> Result<Option<Library>, CatalogError> {
        let origin = origin.to_owned();
        Ok(self.database.read(move |c| library_of(c, &origin)).await?)
    }

    /// Says which library of ours holds what is kept of a friend's.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn set_replica_library(&self, origin: &str, library: &str) -> Result<(), CatalogError> {
        let (origin, library) = (origin.to_owned(), library.to_owned());
        let sql = "INSERT OR REPLACE INTO replica_library VALUES (?1, ?2)";
        self.write(move |t| t.execute(sql, [origin, library]).map(|_| ())).await
    }
}

const COLUMNS: &str = "id, friend, scope, target, title, policy, account, copies, paused, created_at";

fn replica(row: &Row<'_>) -> rusqlite::Result<Replica> {
    let (scope, policy): (String, String) = (row.get(2)?, row.get(5)?);
    Ok(Replica {
        id: row.get(0)?,
        friend: row.get(1)?,
        scope: ReplicaScope::named(&scope),
        target: row.get(3)?,
        title: row.get(4)?,
        policy: ReplicaPolicy::of(&policy, row.get(6)?, row.get(7)?),
        paused: row.get(8)?,
        created_at: row.get(9)?,
    })
}

fn all(c: &Connection) -> rusqlite::Result<Vec<Replica>> {
    let sql = format!("SELECT {COLUMNS} FROM replica ORDER BY created_at, id");
    c.prepare_cached(&sql)?.query_map([], replica)?.collect()
}

fn one(c: &Connection, id: &str) -> rusqlite::Result<Option<Replica>> {
    let sql = format!("SELECT {COLUMNS} FROM replica WHERE id = ?1");
    c.prepare_cached(&sql)?.query_row([id], replica).optional()
}

/// Something that a friend shares.
struct Target {
    friend: Id,
    scope: ReplicaScope,
    title: String,
    /// It is for some people here only.
    limited: bool,
}

fn target_of(c: &Connection, id: &str) -> rusqlite::Result<Option<Target>> {
    let sql = "SELECT friend, 'library', shown, people IS NOT NULL FROM library WHERE id = ?1 AND friend IS NOT NULL AND withdrawn = 0 \
        UNION ALL SELECT l.friend, i.kind, i.title, l.people IS NOT NULL FROM item AS i JOIN library AS l ON l.id = i.library \
        JOIN remote AS r ON r.item = i.n WHERE i.id = ?1 AND l.friend IS NOT NULL AND l.withdrawn = 0 AND r.state <> 'trashed'";
    let found = c.prepare_cached(sql)?.query_row([id], |r| {
        let scope = match r.get_ref(1)?.as_str()? {
            "library" => ReplicaScope::Library,
            "show" => ReplicaScope::Series,
            _ => ReplicaScope::Item,
        };
        Ok(Target { friend: r.get(0)?, scope, title: r.get(2)?, limited: r.get(3)? })
    });
    found.optional()
}

fn add(
    t: &Transaction<'_>,
    target: &str,
    id: Id,
    policy: ReplicaPolicy,
    paused: bool,
    now: i64,
) -> rusqlite::Result<Result<Replica, CatalogError>> {
    let Some(Target { friend, scope, title, limited }) = target_of(t, target)? else {
        return Ok(Err(CatalogError::NotFound("library or item of a friend's")));
    };
    if limited {
        let reason =
            format!("{title} is for some people of this node only, so it is not kept: a copy would be for all");
        return Ok(Err(CatalogError::Invalid(reason)));
    }
    let (word, account, copies) = policy.columns();
    let sql =
        "INSERT INTO replica VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (friend, target) DO NOTHING";
    let values = params![id, friend, scope.as_str(), target, title, word, account, copies, paused, now];
    if t.execute(sql, values)? == 0 {
        return Ok(Err(CatalogError::Conflict(format!("{title} is kept already; change that rule instead"))));
    }
    Ok(one(t, &id)?.ok_or(CatalogError::NotFound("replica")))
}

fn change(
    t: &Transaction<'_>,
    id: &str,
    policy: Option<ReplicaPolicy>,
    paused: Option<bool>,
) -> rusqlite::Result<Option<Replica>> {
    if let Some(policy) = policy {
        let (word, account, copies) = policy.columns();
        let sql = "UPDATE replica SET policy = ?2, account = ?3, copies = ?4 WHERE id = ?1";
        t.execute(sql, params![id, word, account, copies])?;
    }
    if let Some(paused) = paused {
        t.execute("UPDATE replica SET paused = ?2 WHERE id = ?1", params![id, paused])?;
    }
    one(t, id)
}

fn remove(t: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Replica>> {
    let found = one(t, id)?;
    t.execute("DELETE FROM replica WHERE id = ?1", [id])?;
    Ok(found)
}

fn offered(c: &Connection, replica: &Replica) -> rusqlite::Result<Vec<Offered>> {
    let within = match replica.scope {
        ReplicaScope::Library => "i.library = :target",
        ReplicaScope::Series => "i.show = (SELECT s.n FROM item AS s WHERE s.id = :target)",
        ReplicaScope::Item => "i.id = :target",
    };
    let (account, holders) = match &replica.policy {
        ReplicaPolicy::Everything => ("", "NULL"),
        ReplicaPolicy::Unwatched(account) => (account.as_str(), "NULL"),
        ReplicaPolicy::Copies(_) => ("", HOLDERS),
    };
    let sql = format!(
        "SELECT i.id, r.cid, r.size, p.watched_at, {holders}, {OWN} FROM item AS i JOIN library AS l ON l.id = i.library \
        JOIN remote AS r ON r.item = i.n LEFT JOIN progress AS p ON p.item = i.n AND p.account = :account AND p.completed = 1 \
        WHERE {within} AND i.kind NOT IN ('show', 'series', 'album') AND l.friend = :friend AND l.withdrawn = 0 AND l.people IS NULL AND r.state = 'present' \
        AND r.cid IS NOT NULL ORDER BY i.sort_key, i.n"
    );
    let values = named_params! { ":target": replica.target, ":friend": replica.friend, ":account": account };
    let mut statement = c.prepare_cached(&sql)?;
    let rows = statement.query_map(values, |r| {
        let holders: Option<String> = r.get(4)?;
        Ok(Offered {
            item: r.get(0)?,
            cid: cid(r, 1)?,
            size: r.get::<_, i64>(2)?.cast_unsigned(),
            watched_at: r.get(3)?,
            holders: holders.unwrap_or_default().split_terminator(',').map(str::to_owned).collect(),
            own: r.get(5)?,
        })
    })?;
    rows.collect()
}

/// Ids of the friends that share the same file and say that it is right.
const HOLDERS: &str = "(SELECT group_concat(DISTINCT hl.friend) FROM remote AS h JOIN item AS hi ON hi.n = h.item \
    JOIN library AS hl ON hl.id = hi.library WHERE h.cid = r.cid AND h.state = 'present' AND hl.withdrawn = 0 AND hl.people IS NULL)";

const OWN: &str = "EXISTS (SELECT 1 FROM file AS f JOIN item AS o ON o.n = f.item WHERE f.cid = r.cid AND o.state = 'present' \
    AND NOT EXISTS (SELECT 1 FROM replica_file AS k WHERE k.library = f.library AND k.place = f.place))";

fn cid(row: &Row<'_>, column: usize) -> rusqlite::Result<Cid> {
    let text: String = row.get(column)?;
    Cid::try_from(text.as_str()).map_err(|error| items::broken("cid", error))
}

fn kept(c: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let sql = "SELECT k.item, k.library, l.path, l.state, k.place, k.cid, k.size, k.done_at IS NOT NULL, k.described, k.replica \
        FROM replica_file AS k JOIN library AS l ON l.id = k.library ORDER BY k.item";
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([], |r| {
        Ok(Kept {
            item: r.get(0)?,
            library: r.get(1)?,
            root: items::path(r.get(2)?),
            library_state: r.get(3)?,
            place: items::path(r.get(4)?),
            cid: cid(r, 5)?,
            size: r.get::<_, i64>(6)?.cast_unsigned(),
            done: r.get(7)?,
            described: r.get(8)?,
            replica: r.get(9)?,
        })
    })?;
    rows.collect()
}

fn keep(t: &Transaction<'_>, file: &Kept, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO replica_file (item, library, place, cid, size, done_at, described, replica) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (item) DO UPDATE SET replica = excluded.replica, library = excluded.library, place = excluded.place, cid = excluded.cid, \
        size = excluded.size, done_at = excluded.done_at, described = excluded.described";
    t.execute(
        sql,
        params![
            file.item,
            file.library,
            items::bytes(&file.place),
            file.cid.to_string(),
            file.size.cast_signed(),
            file.done.then_some(now),
            file.described,
            file.replica,
        ],
    )
    .map(|_| ())
}

fn let_go(t: &Transaction<'_>, items: &[Id]) -> rusqlite::Result<()> {
    for item in items {
        t.execute("DELETE FROM replica_file WHERE item = ?1", [item])?;
    }
    Ok(())
}

fn library_of(c: &Connection, origin: &str) -> rusqlite::Result<Option<Library>> {
    let sql = "SELECT library FROM replica_library WHERE origin = ?1";
    let id: Option<Id> = c.prepare_cached(sql)?.query_row([origin], |r| r.get(0)).optional()?;
    id.map_or(Ok(None), |id| libraries::one(c, &id))
}

/// Row of our item that was made of a friend's, unless it is gone.
pub(super) fn replica_of(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT i.n FROM item AS o JOIN replica_file AS k ON k.item = o.id \
        JOIN file AS f ON f.library = k.library AND f.place = k.place AND f.gone = 0 JOIN item AS i ON i.n = f.item \
        WHERE o.n = ?1 AND k.done_at IS NOT NULL AND i.state <> 'trashed'";
    t.prepare_cached(sql)?.query_row([item], |r| r.get(0)).optional()
}
