//! Opens SQLite files: one writer and a few readers over a WAL, migrations at open.
//!
//! It knows nothing of what the tables hold: whoever owns a database passes its migrations, and runs its statements in
//! closures on a blocking thread. A [`Database`] is a cheap handle; the connections close when the last handle goes.
pub mod migrations;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

/// How safely a commit reaches the disk before it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `synchronous=FULL`: for what a person made. A commit survives a power cut.
    Full,
    /// `synchronous=NORMAL`: for what can be derived again. Never corrupt; the last commits may be lost.
    Normal,
}

/// Settings of one database file.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// See [`Durability`].
    pub durability: Durability,
    /// Read connections kept open; reads beyond that wait. At least 1.
    pub readers: usize,
    /// Page cache of each connection in KiB. Nothing is mapped into memory beside it: `docs/performance.md` has what that
    /// would bring and weigh.
    pub cache_kib: u32,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { durability: Durability::Full, readers: 3, cache_kib: 2048 }
    }
}

/// Why a database call did not give an answer.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A statement failed.
    #[error("the database answered with an error")]
    Sqlite(#[from] rusqlite::Error),
    /// The schema could not be brought up to date, for instance because a newer Potluck wrote the file.
    #[error("the database's schema could not be brought up to date")]
    Migration(#[from] rusqlite_migration::Error),
    /// The node is stopping and the blocking thread was cancelled.
    #[error("the database call was cancelled")]
    Cancelled,
}

/// Prepared statements that a connection keeps: writing down one track alone takes some sixty.
const STATEMENTS: usize = 128;

struct Shared {
    /// Before `writer`, so that they close first: the last to close empties the WAL, and a reader could not.
    readers: Vec<Mutex<Connection>>,
    writer: Mutex<Connection>,
    next_reader: AtomicUsize,
}

/// A cheap handle to one open SQLite file.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

impl Database {
    /// Opens or makes the file and applies the missing `migrations` (SQL texts, oldest first, never edited once
    /// released).
    ///
    /// # Errors
    /// [`DatabaseError::Sqlite`] when the file cannot be opened, [`DatabaseError::Migration`] when it is newer than us.
    pub fn open(path: &Path, options: &DatabaseOptions, migrations: &[&'static str]) -> Result<Self, DatabaseError> {
        let mut writer = Connection::open(path)?;
        prepare(&writer, options)?;
        Migrations::new(migrations.iter().map(|sql| M::up(sql)).collect()).to_latest(&mut writer)?;
        let readers = (0..options.readers.max(1))
            .map(|_| {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let reader = Connection::open_with_flags(path, flags)?;
                prepare(&reader, options)?;
                Ok(Mutex::new(reader))
            })
            .collect::<Result<_, rusqlite::Error>>()?;
        let shared = Shared { writer: Mutex::new(writer), readers, next_reader: AtomicUsize::new(0) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `f` on a read connection, on a blocking thread.
    pub async fn read<T, F>(&self, f: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.read_blocking(f)).await.map_err(|_| DatabaseError::Cancelled)?
    }

    /// Runs `f` in one immediate transaction on the write connection, on a blocking thread; commits when it returns `Ok`.
    pub async fn write<T, F>(&self, f: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.write_blocking(f)).await.map_err(|_| DatabaseError::Cancelled)?
    }

    /// [`Database::read`] for a caller that is on a blocking thread already.
    pub fn read_blocking<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, DatabaseError> {
        let readers = &self.shared.readers;
        if let Some(free) = readers.iter().find_map(Mutex::try_lock) {
            return Ok(f(&free)?);
        }
        let turn = self.shared.next_reader.fetch_add(1, Ordering::Relaxed) % readers.len();
        Ok(f(&readers[turn].lock())?)
    }

    /// [`Database::write`] for a caller that is on a blocking thread already.
    pub fn write_blocking<T>(
        &self,
        f: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, DatabaseError> {
        let mut writer = self.shared.writer.lock();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = f(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

fn prepare(connection: &Connection, options: &DatabaseOptions) -> Result<(), rusqlite::Error> {
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if !connection.is_readonly("main")? {
        connection.pragma_update(None, "journal_mode", "WAL")?;
    }
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE dish (name TEXT PRIMARY KEY) STRICT;";

    #[tokio::test]
    async fn a_committed_write_is_read_back_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let database = Database::open(&path, &DatabaseOptions::default(), &[TABLE]).unwrap();
        database.write(|t| t.execute("INSERT INTO dish VALUES ('soup')", [])).await.unwrap();
        drop(database);
        let database = Database::open(&path, &DatabaseOptions::default(), &[TABLE]).unwrap();
        let name: String = database.read(|c| c.query_row("SELECT name FROM dish", [], |r| r.get(0))).await.unwrap();
        assert_eq!(name, "soup");
    }

    #[tokio::test]
    async fn a_failed_transaction_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.db"), &DatabaseOptions::default(), &[TABLE]).unwrap();
        let failed = database
            .write(|t| {
                t.execute("INSERT INTO dish VALUES ('soup')", [])?;
                t.execute("INSERT INTO nothing VALUES (1)", [])
            })
            .await;
        assert!(matches!(failed, Err(DatabaseError::Sqlite(_))));
        let count: i64 = database.read(|c| c.query_row("SELECT count(*) FROM dish", [], |r| r.get(0))).await.unwrap();
        assert_eq!(count, 0);
    }

    #[test]
    fn a_file_written_by_a_newer_potluck_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        Database::open(&path, &DatabaseOptions::default(), &[TABLE, "CREATE TABLE more (n INTEGER);"]).unwrap();
        let older = Database::open(&path, &DatabaseOptions::default(), &[TABLE]);
        assert!(matches!(older, Err(DatabaseError::Migration(_))));
    }
}
