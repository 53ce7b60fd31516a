//! Opens another program's database without touching it: while that program runs, and from a folder that cannot be written to.
//!
//! SQLite makes files beside a database in WAL mode even when it only reads, and they would be ours, which that program could not
//! write any more. So where they are not there already, the database is opened as one that nobody changes, or a copy of it is.
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};

/// First bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Byte of the header that says by which journal it is read; 2: by a WAL.
const READ_VERSION: usize = 19;
/// A copy whose database was written into meanwhile is made again, this often.
const COPIES: u32 = 5;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// What tells the databases of one program from others.
pub(super) struct Program {
    pub name: &'static str,
    /// Where a person finds its database.
    pub place: &'static str,
    /// Whether a database has its tables.
    pub is: fn(&Connection) -> rusqlite::Result<bool>,
}

/// Why a database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The file cannot be opened.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{path} is not a database of {program}'s: {why}; {place}")]
    Other {
        /// Which.
        path: PathBuf,
        /// Whose it should be.
        program: &'static str,
        /// What it is, or has not.
        why: String,
        /// Where a person finds the right one.
        place: &'static str,
    },
    /// It is damaged, or locked.
    #[error("the database {path} cannot be read")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

/// An open database, with the copy that it is, if any.
pub(super) struct Opened {
    pub connection: Connection,
    /// Removed when it is dropped, after the connection.
    _copy: Option<Copy>,
}

struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opens it; a copy, where one has to be made, is put into a folder below `scratch`.
pub(super) fn open(path: &Path, scratch: &Path, program: &Program) -> Result<Opened, ForeignError> {
    let Program { name, place, is } = *program;
    let unreadable = |source| ForeignError::Unreadable { path: path.to_owned(), source };
    let other = |why: String| ForeignError::Other { path: path.to_owned(), program: name, why, place };
    let real = path.canonicalize().map_err(unreadable)?;
    let mut header = Vec::new();
    File::open(&real).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(unreadable)?;
    if !header.starts_with(MAGIC) {
        return Err(other("it is no SQLite database".to_owned()));
    }
    let wal = header.get(READ_VERSION) == Some(&2);
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", real.display()));
    let written = fs::metadata(beside("-wal")).is_ok_and(|meta| meta.len() > 0);
    let shared = beside("-wal").exists() && beside("-shm").exists();
    let opened = match (wal, shared, written) {
        (false, ..) => usable(&real, "mode=ro"),
        // The program runs, or ended early.
        (true, true, _) => usable(&real, "mode=ro").or_else(|_| copied(&real, scratch)),
        (true, false, true) => copied(&real, scratch),
        (true, false, false) => usable(&real, "mode=ro&immutable=1"),
    };
    let broken = |source| ForeignError::Database { path: path.to_owned(), source };
    let opened = opened.map_err(broken)?;
    if is(&opened.connection).map_err(broken)? {
        Ok(opened)
    } else {
        Err(other(format!("it has no tables of {name}'s")))
    }
}

fn usable(path: &Path, mode: &str) -> rusqlite::Result<Opened> {
    use std::os::unix::ffi::OsStrExt as _;
    let uri = format!("file:{}?{mode}", percent_encode(path.as_os_str().as_bytes(), PLAIN));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    harden(&connection)?;
    // All that follows is read from this one state.
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_master")?;
    Ok(Opened { connection, _copy: None })
}

/// Nothing in the database is run, and nothing is written.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(20))?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON")
}

/// Opens a copy of the database with its WAL.
fn copied(path: &Path, scratch: &Path) -> rusqlite::Result<Opened> {
    let copy = Copy(scratch.join(format!("moving-in-{:016x}", rand::random::<u64>())));
    let place = copy.0.join("database.sqlite");
    copy_all(path, &copy.0, &place).map_err(|error| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        rusqlite::Error::SqliteFailure(code, Some(format!("it could not be copied: {error}")))
    })?;
    let connection = Connection::open(&place)?;
    harden(&connection)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_master")?;
    Ok(Opened { connection, _copy: Some(copy) })
}

/// Copies database and WAL as they were at one time.
fn copy_all(path: &Path, folder: &Path, place: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().mode(0o700).recursive(true).create(folder)?;
    let wal = PathBuf::from(format!("{}-wal", path.display()));
    let state = || -> std::io::Result<_> {
        let of = |path: &Path| fs::metadata(path).and_then(|meta| Ok((meta.len(), meta.modified()?)));
        Ok((of(path)?, of(&wal)?))
    };
    for _ in 0..COPIES {
        let before = state()?;
        fs::copy(path, place)?;
        fs::copy(&wal, format!("{}-wal", place.display()))?;
        if state()? == before {
            return Ok(());
        }
    }
    Err(std::io::Error::other("it was written into all the time; stop the program that does first"))
}
