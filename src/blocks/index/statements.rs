//! Statements that need a connection or a transaction of the [`super::Index`], and how its rows are read.
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{Object, Origin, Placed};
use crate::blocks::Recipe;
use crate::blocks::bound::Bound;
use crate::content::Cid;
use crate::content::cid::Digest;
use crate::content::unixfs::{LINKS_MAX, Position, Profile, Shape};

pub(super) const OBJECT: &str =
    "o.id, o.root, o.size, o.path, o.modified_ns, o.inode, o.device, o.source, o.detail, o.bound";

/// Writes the last blocks of an object and makes it alive: see [`super::Index::publish`].
pub(super) fn publish(
    t: &Transaction<'_>,
    id: Option<i64>,
    blocks: &[Placed],
    root: &Digest,
    size: u64,
    origin: &Origin,
) -> Result<(i64, Vec<i64>), rusqlite::Error> {
    let gone = match origin {
        Origin::File { path, .. } => retire_file(t, path)?,
        Origin::Derived(recipe) => retire_derived(t, &recipe.source, Some(&recipe.detail))?,
    };
    let id = insert_object(t, id, root, size, origin)?;
    insert_blocks(t, id, blocks)?;
    insert_keys(t, id, &[(Shape::new(Profile::V1_2025, size).root(), *root)])?;
    Ok((id, gone))
}

fn insert_object(
    t: &Transaction<'_>,
    id: Option<i64>,
    root: &Digest,
    size: u64,
    origin: &Origin,
) -> Result<i64, rusqlite::Error> {
    let (mut path, mut modified, mut inode, mut device) = (None, None, None, None);
    let source;
    let (mut detail, mut bound) = (None, None);
    match origin {
        Origin::File { path: p, modified_ns, inode: i, device: d, of, bound: b } => {
            bound = b.as_ref().map(|bound| bound.encode());
            source = of.map(|of| of.to_bytes());
            path = Some(bytes_of(p));
            modified = Some(*modified_ns);
            inode = Some(i.cast_signed());
            device = Some(d.cast_signed());
        }
        Origin::Derived(recipe) => {
            source = Some(recipe.source.to_bytes());
            detail = Some(&recipe.detail);
        }
    }
    if let Some(id) = id
        && t.execute("DELETE FROM object WHERE id = ?1 AND state = 0", [id])? == 0
    {
        // Another process that opened the index took it for a leftover.
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    let sql = "INSERT INTO object (id, state, root, size, path, modified_ns, inode, device, source, detail, bound)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![id, root, to_i64(size), path, modified, inode, device, source, detail, bound];
    t.prepare_cached(sql)?.execute(values)?;
    Ok(t.last_insert_rowid())
}

pub(super) fn insert_blocks(t: &Transaction<'_>, id: i64, blocks: &[Placed]) -> Result<(), rusqlite::Error> {
    let mut run = t.prepare_cached("INSERT INTO run (object, level, first, digests) VALUES (?1, ?2, ?3, ?4)")?;
    for blocks in runs(blocks) {
        let (first, digests) = (blocks[0].0, blocks.iter().flat_map(|(_, digest)| *digest).collect::<Vec<u8>>());
        run.execute(params![id, first.level, to_i64(first.number), digests])?;
    }
    insert_keys(t, id, blocks)
}

fn insert_keys(t: &Transaction<'_>, id: i64, blocks: &[Placed]) -> Result<(), rusqlite::Error> {
    // In the order of the tree, which is several times faster than the order of the file.
    let mut keys: Vec<_> = blocks.iter().map(|(at, digest)| (prefix(digest), *at)).collect();
    keys.sort_unstable();
    let mut key =
        t.prepare_cached("INSERT OR IGNORE INTO key (prefix, object, level, number) VALUES (?1, ?2, ?3, ?4)")?;
    for (prefix, at) in keys {
        key.execute(params![prefix, id, at.level, to_i64(at.number)])?;
    }
    Ok(())
}

/// Groups blocks that follow each other in one level, at most 1024 together.
fn runs(blocks: &[Placed]) -> impl Iterator<Item = &[Placed]> {
    let follows = |a: &Placed, b: &Placed| a.0.level == b.0.level && a.0.number + 1 == b.0.number;
    blocks.chunk_by(follows).flat_map(|run| run.chunks(LINKS_MAX))
}

pub(super) fn digest_at(c: &Connection, object: &Object, at: Position) -> Result<Option<Digest>, rusqlite::Error> {
    if at == object.shape().root() {
        return Ok(Some(object.root));
    }
    c.prepare_cached(
        "SELECT substr(digests, 1 + 32 * (?3 - first), 32) FROM run
         WHERE object = ?1 AND level = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
    )?
    .query_row(params![object.id, at.level, to_i64(at.number)], |row| row.get::<_, Vec<u8>>(0))
    .optional()
    .map(|digest| digest.and_then(|d| Digest::try_from(d).ok()))
}

pub(super) fn retire_file(t: &Transaction<'_>, path: &Path) -> Result<Vec<i64>, rusqlite::Error> {
    t.prepare_cached("UPDATE object SET state = 2 WHERE path = ?1 AND state = 1 RETURNING id")?
        .query_map([bytes_of(path)], |row| row.get(0))?
        .collect()
}

fn retire_derived(t: &Transaction<'_>, source: &Cid, detail: Option<&[u8]>) -> Result<Vec<i64>, rusqlite::Error> {
    t.prepare_cached(
        "UPDATE object SET state = 2 WHERE source = ?1 AND (?2 IS NULL OR detail = ?2) AND state = 1 RETURNING id",
    )?
    .query_map(params![source.to_bytes(), detail], |row| row.get(0))?
    .collect()
}

/// Removes one run and its keys; `false` when there was none.
pub(super) fn purge_run(t: &Transaction<'_>, id: i64) -> Result<bool, rusqlite::Error> {
    let run = t
        .prepare_cached("SELECT level, first, digests FROM run WHERE object = ?1 LIMIT 1")?
        .query_row([id], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?)))
        .optional()?;
    let Some((level, first, digests)) = run else { return Ok(false) };
    let mut key = t.prepare_cached("DELETE FROM key WHERE prefix = ?1 AND object = ?2")?;
    for digest in digests.chunks_exact(32).filter_map(|d| Digest::try_from(d).ok()) {
        key.execute(params![prefix(&digest), id])?;
    }
    t.execute("DELETE FROM run WHERE object = ?1 AND level = ?2 AND first = ?3", params![id, level, first])?;
    Ok(true)
}

/// Removes an object without runs; gives what was derived from it, when no other file has the same bytes.
pub(super) fn purge_object(t: &Transaction<'_>, id: i64) -> Result<Vec<i64>, rusqlite::Error> {
    let sql = format!("SELECT {OBJECT} FROM object o WHERE o.id = ?1 AND length(o.root) = 32");
    let gone = t.prepare_cached(&sql)?.query_row([id], object).optional()?;
    t.execute("DELETE FROM object WHERE id = ?1", [id])?;
    let Some(gone) = gone else { return Ok(Vec::new()) };
    t.execute("DELETE FROM key WHERE prefix = ?1 AND object = ?2", params![prefix(&gone.root), id])?;
    if matches!(gone.origin, Origin::Derived(_)) {
        return Ok(Vec::new());
    }
    let copy: bool = t
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM key k JOIN object o ON o.id = k.object
             WHERE k.prefix = ?1 AND o.root = ?2 AND o.state = 1 AND o.path IS NOT NULL)",
        )?
        .query_row(params![prefix(&gone.root), gone.root], |row| row.get(0))?;
    if copy {
        return Ok(Vec::new());
    }
    t.execute("DELETE FROM folder WHERE source = ?1", [gone.cid().to_bytes()])?;
    retire_derived(t, &gone.cid(), None)
}

/// The file that is alive at a path.
pub(super) fn file_at(c: &Connection, path: &Path) -> Result<Option<Object>, rusqlite::Error> {
    let sql = format!("SELECT {OBJECT} FROM object o WHERE o.path = ?1 AND o.state = 1");
    c.prepare_cached(&sql)?.query_row([bytes_of(path)], object).optional()
}

/// Reads the columns of [`OBJECT`].
pub(super) fn object(row: &Row<'_>) -> Result<Object, rusqlite::Error> {
    let broken = |e| rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Blob, Box::new(e));
    let source: Option<Vec<u8>> = row.get(7)?;
    let source = source.map(|bytes| Cid::try_from(bytes.as_slice())).transpose().map_err(broken)?;
    let path: Option<Vec<u8>> = row.get(3)?;
    let origin = match (path, source) {
        (None, Some(source)) => Origin::Derived(Recipe { source, detail: row.get(8)? }),
        (path, of) => {
            let path = PathBuf::from(OsStr::from_bytes(&path.unwrap_or_default()));
            let (modified_ns, inode, device) = (row.get(4)?, get_u64(row, 5)?, get_u64(row, 6)?);
            Origin::File { path, modified_ns, inode, device, of, bound: bound(row)? }
        }
    };
    Ok(Object { id: row.get(0)?, root: row.get(1)?, size: get_u64(row, 2)?, origin })
}

fn bound(row: &Row<'_>) -> Result<Option<Arc<Bound>>, rusqlite::Error> {
    let Some(kept) = row.get_ref(9)?.as_blob_or_null()? else { return Ok(None) };
    let broken = || rusqlite::Error::InvalidColumnType(9, "bound".to_owned(), rusqlite::types::Type::Blob);
    Bound::decode(kept).map(|bound| Some(Arc::new(bound))).ok_or_else(broken)
}

pub(super) fn prefix(digest: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

// SQLite's integers are signed; sizes and numbers keep their bits.
pub(super) fn to_i64(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn get_u64(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
