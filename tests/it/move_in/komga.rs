//! A database like Komga's, for tests: the tables and columns that it has, made anew for each test.
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

/// Which of Komga's versions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Of 2020: no trash, read lists, API keys, or fields that came later.
    First,
    /// Of 2025.
    Late,
}

const FIRST: &str = "
    CREATE TABLE LIBRARY (ID varchar NOT NULL PRIMARY KEY, NAME varchar NOT NULL, ROOT varchar NOT NULL);
    CREATE TABLE USER (ID varchar NOT NULL PRIMARY KEY, EMAIL varchar NOT NULL UNIQUE, PASSWORD varchar NOT NULL,
        SHARED_ALL_LIBRARIES boolean NOT NULL DEFAULT 1, ROLE_ADMIN boolean NOT NULL DEFAULT 0,
        ROLE_FILE_DOWNLOAD boolean NOT NULL DEFAULT 1, ROLE_PAGE_STREAMING boolean NOT NULL DEFAULT 1);
    CREATE TABLE USER_LIBRARY_SHARING (USER_ID varchar NOT NULL, LIBRARY_ID varchar NOT NULL);
    CREATE TABLE SERIES (ID varchar NOT NULL PRIMARY KEY, CREATED_DATE datetime, LAST_MODIFIED_DATE datetime,
        NAME varchar NOT NULL, URL varchar NOT NULL, LIBRARY_ID varchar NOT NULL);
    CREATE TABLE SERIES_METADATA (STATUS varchar NOT NULL DEFAULT 'ONGOING', STATUS_LOCK boolean NOT NULL DEFAULT 0,
        TITLE varchar NOT NULL, TITLE_LOCK boolean NOT NULL DEFAULT 0, TITLE_SORT varchar NOT NULL DEFAULT '',
        TITLE_SORT_LOCK boolean NOT NULL DEFAULT 0, SERIES_ID varchar NOT NULL PRIMARY KEY);
    CREATE TABLE BOOK (ID varchar NOT NULL PRIMARY KEY, CREATED_DATE datetime, LAST_MODIFIED_DATE datetime,
        NAME varchar NOT NULL, URL varchar NOT NULL, SERIES_ID varchar NOT NULL, FILE_SIZE int8 NOT NULL DEFAULT 0,
        NUMBER int NOT NULL DEFAULT 0, LIBRARY_ID varchar NOT NULL);
    CREATE TABLE MEDIA (MEDIA_TYPE varchar, STATUS varchar NOT NULL DEFAULT 'READY', BOOK_ID varchar NOT NULL PRIMARY KEY,
        PAGE_COUNT int NOT NULL DEFAULT 0);
    CREATE TABLE BOOK_METADATA (NUMBER varchar NOT NULL DEFAULT '', NUMBER_LOCK boolean NOT NULL DEFAULT 0,
        NUMBER_SORT real NOT NULL DEFAULT 0, NUMBER_SORT_LOCK boolean NOT NULL DEFAULT 0, RELEASE_DATE date,
        RELEASE_DATE_LOCK boolean NOT NULL DEFAULT 0, SUMMARY varchar NOT NULL DEFAULT '', SUMMARY_LOCK boolean NOT NULL DEFAULT 0,
        TITLE varchar NOT NULL, TITLE_LOCK boolean NOT NULL DEFAULT 0, AUTHORS_LOCK boolean NOT NULL DEFAULT 0,
        BOOK_ID varchar NOT NULL PRIMARY KEY);
    CREATE TABLE BOOK_METADATA_AUTHOR (NAME varchar NOT NULL, ROLE varchar NOT NULL, BOOK_ID varchar NOT NULL);
    CREATE TABLE READ_PROGRESS (BOOK_ID varchar NOT NULL, USER_ID varchar NOT NULL, CREATED_DATE datetime,
        LAST_MODIFIED_DATE datetime, PAGE int NOT NULL, COMPLETED boolean NOT NULL, PRIMARY KEY (BOOK_ID, USER_ID));
    CREATE TABLE COLLECTION (ID varchar NOT NULL PRIMARY KEY, NAME varchar NOT NULL, ORDERED boolean NOT NULL DEFAULT 0,
        CREATED_DATE datetime, LAST_MODIFIED_DATE datetime);
    CREATE TABLE COLLECTION_SERIES (COLLECTION_ID varchar NOT NULL, SERIES_ID varchar NOT NULL, NUMBER int NOT NULL);
";

const LATER: &str = "
    ALTER TABLE SERIES ADD COLUMN DELETED_DATE datetime;
    ALTER TABLE BOOK ADD COLUMN DELETED_DATE datetime;
    ALTER TABLE BOOK ADD COLUMN FILE_HASH varchar NOT NULL DEFAULT '';
    ALTER TABLE READ_PROGRESS ADD COLUMN READ_DATE datetime;
    ALTER TABLE READ_PROGRESS ADD COLUMN device_name varchar DEFAULT '';
    ALTER TABLE SERIES_METADATA ADD COLUMN SUMMARY varchar NOT NULL DEFAULT '';
    ALTER TABLE SERIES_METADATA ADD COLUMN SUMMARY_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN PUBLISHER varchar NOT NULL DEFAULT '';
    ALTER TABLE SERIES_METADATA ADD COLUMN PUBLISHER_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN LANGUAGE varchar NOT NULL DEFAULT '';
    ALTER TABLE SERIES_METADATA ADD COLUMN LANGUAGE_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN READING_DIRECTION varchar;
    ALTER TABLE SERIES_METADATA ADD COLUMN READING_DIRECTION_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN AGE_RATING int;
    ALTER TABLE SERIES_METADATA ADD COLUMN AGE_RATING_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN TOTAL_BOOK_COUNT int;
    ALTER TABLE SERIES_METADATA ADD COLUMN TOTAL_BOOK_COUNT_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN GENRES_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE SERIES_METADATA ADD COLUMN LINKS_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE BOOK_METADATA ADD COLUMN ISBN varchar NOT NULL DEFAULT '';
    ALTER TABLE BOOK_METADATA ADD COLUMN ISBN_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE BOOK_METADATA ADD COLUMN TAGS_LOCK boolean NOT NULL DEFAULT 0;
    ALTER TABLE USER ADD COLUMN AGE_RESTRICTION integer;
    CREATE TABLE SERIES_METADATA_GENRE (GENRE varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE SERIES_METADATA_TAG (TAG varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE SERIES_METADATA_SHARING (LABEL varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE SERIES_METADATA_LINK (LABEL varchar NOT NULL, URL varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE SERIES_METADATA_ALTERNATE_TITLE (LABEL varchar NOT NULL, TITLE varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE BOOK_METADATA_TAG (TAG varchar NOT NULL, BOOK_ID varchar NOT NULL);
    CREATE TABLE BOOK_METADATA_LINK (LABEL varchar NOT NULL, URL varchar NOT NULL, BOOK_ID varchar NOT NULL);
    CREATE TABLE READLIST (ID varchar NOT NULL PRIMARY KEY, NAME varchar NOT NULL, SUMMARY varchar NOT NULL DEFAULT '',
        ORDERED boolean NOT NULL DEFAULT 1, CREATED_DATE datetime, LAST_MODIFIED_DATE datetime);
    CREATE TABLE READLIST_BOOK (READLIST_ID varchar NOT NULL, BOOK_ID varchar NOT NULL, NUMBER int NOT NULL);
    CREATE TABLE USER_ROLE (USER_ID varchar NOT NULL, ROLE varchar NOT NULL, PRIMARY KEY (USER_ID, ROLE));
    CREATE TABLE USER_SHARING (LABEL varchar NOT NULL, ALLOW boolean NOT NULL, USER_ID varchar NOT NULL);
    CREATE TABLE USER_API_KEY (ID varchar NOT NULL PRIMARY KEY, USER_ID varchar NOT NULL, CREATED_DATE datetime,
        API_KEY varchar NOT NULL UNIQUE, COMMENT varchar NOT NULL);
    CREATE TABLE THUMBNAIL_BOOK (ID varchar NOT NULL PRIMARY KEY, THUMBNAIL blob, URL varchar, SELECTED boolean NOT NULL DEFAULT 0,
        TYPE varchar NOT NULL, BOOK_ID varchar NOT NULL);
    CREATE TABLE THUMBNAIL_SERIES (ID varchar NOT NULL PRIMARY KEY, THUMBNAIL blob, URL varchar, SELECTED boolean NOT NULL DEFAULT 0,
        TYPE varchar NOT NULL, SERIES_ID varchar NOT NULL);
    CREATE TABLE THUMBNAIL_COLLECTION (ID varchar NOT NULL PRIMARY KEY, THUMBNAIL blob NOT NULL, SELECTED boolean NOT NULL DEFAULT 0,
        TYPE varchar NOT NULL, COLLECTION_ID varchar NOT NULL);
    CREATE TABLE THUMBNAIL_READLIST (ID varchar NOT NULL PRIMARY KEY, THUMBNAIL blob NOT NULL, SELECTED boolean NOT NULL DEFAULT 0,
        TYPE varchar NOT NULL, READLIST_ID varchar NOT NULL);
    ALTER TABLE USER DROP COLUMN ROLE_ADMIN;
    ALTER TABLE USER DROP COLUMN ROLE_FILE_DOWNLOAD;
    ALTER TABLE USER DROP COLUMN ROLE_PAGE_STREAMING;
";

/// When everything came to Komga.
pub const CREATED: &str = "2021-02-03 04:05:06.789";

pub struct Komga {
    pub path: PathBuf,
    pub db: Connection,
    version: Version,
}

impl Komga {
    /// In a folder that is made, in WAL mode as Komga has it.
    pub fn new(folder: &Path, version: Version) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join("database.sqlite");
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch(FIRST).unwrap();
        if version == Version::Late {
            db.execute_batch(LATER).unwrap();
        }
        Self { path, db, version }
    }

    pub fn sql(&self, sql: &str) {
        self.db.execute_batch(sql).unwrap();
    }

    pub fn library(&self, id: &str, root: &str) {
        self.db
            .execute("INSERT INTO LIBRARY VALUES (?1, ?2, ?3)", params![id, format!("Lib {id}"), url(root, true)])
            .unwrap();
    }

    pub fn series(&self, id: &str, library: &str, folder: &str) {
        let name = folder.rsplit('/').next().unwrap();
        let sql = "INSERT INTO SERIES (ID, CREATED_DATE, LAST_MODIFIED_DATE, NAME, URL, LIBRARY_ID) VALUES (?1, ?2, ?2, ?3, ?4, ?5)";
        self.db.execute(sql, params![id, CREATED, name, url(folder, true), library]).unwrap();
        self.db.execute("INSERT INTO SERIES_METADATA (TITLE, SERIES_ID) VALUES (?1, ?2)", params![name, id]).unwrap();
    }

    pub fn book(&self, id: &str, series: &str, library: &str, file: &str, size: usize) {
        let name = file.rsplit('/').next().unwrap().rsplit_once('.').unwrap().0;
        let sql = "INSERT INTO BOOK (ID, CREATED_DATE, LAST_MODIFIED_DATE, NAME, URL, SERIES_ID, FILE_SIZE, LIBRARY_ID) \
            VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.db.execute(sql, params![id, CREATED, name, url(file, false), series, size as i64, library]).unwrap();
        self.db.execute("INSERT INTO BOOK_METADATA (TITLE, BOOK_ID) VALUES (?1, ?2)", params![name, id]).unwrap();
        self.db
            .execute("INSERT INTO MEDIA (BOOK_ID, MEDIA_TYPE, PAGE_COUNT) VALUES (?1, 'application/zip', 3)", [id])
            .unwrap();
    }

    /// With the roles that are given when nobody says otherwise.
    pub fn user(&self, id: &str, email: &str, password: &str, admin: bool) {
        // Komga's cost is 10; the form is the same.
        let hash = bcrypt::hash(password, 4).unwrap().replacen("$2b$", "$2a$", 1);
        self.db
            .execute("INSERT INTO USER (ID, EMAIL, PASSWORD) VALUES (?1, ?2, ?3)", params![id, email, hash])
            .unwrap();
        match self.version {
            Version::First => {
                self.db.execute("UPDATE USER SET ROLE_ADMIN = ?2 WHERE ID = ?1", params![id, admin]).unwrap();
            }
            Version::Late => {
                let roles = ["FILE_DOWNLOAD", "PAGE_STREAMING"].into_iter().chain(admin.then_some("ADMIN"));
                for role in roles {
                    self.db.execute("INSERT INTO USER_ROLE VALUES (?1, ?2)", [id, role]).unwrap();
                }
            }
        }
    }

    /// Of `book`, `series`, `collection` or `readlist`.
    pub fn cover(&self, of: &str, thing: &str, id: &str, kind: &str, selected: bool, picture: &[u8]) {
        let sql =
            format!("INSERT INTO THUMBNAIL_{of} (ID, THUMBNAIL, SELECTED, TYPE, {of}_ID) VALUES (?1, ?2, ?3, ?4, ?5)");
        self.db.execute(&sql, params![id, picture, selected, kind, thing]).unwrap();
    }

    pub fn key(&self, id: &str, user: &str, secret: &str) {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, secret.as_bytes());
        let hash = data_encoding::HEXLOWER.encode(hash.as_ref());
        let sql = "INSERT INTO USER_API_KEY VALUES (?1, ?2, ?3, ?4, 'my phone')";
        self.db.execute(sql, params![id, user, CREATED, hash]).unwrap();
    }

    pub fn read(&self, book: &str, user: &str, page: u32, completed: bool, at: &str) {
        let sql = "INSERT OR REPLACE INTO READ_PROGRESS (BOOK_ID, USER_ID, CREATED_DATE, LAST_MODIFIED_DATE, PAGE, COMPLETED) \
            VALUES (?1, ?2, ?5, ?5, ?3, ?4)";
        self.db.execute(sql, params![book, user, page, completed, at]).unwrap();
    }
}

/// As Komga writes where something lies.
pub fn url(path: &str, folder: bool) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-');
    let end = if folder { "/" } else { "" };
    format!("file:{}{end}", percent_encoding::utf8_percent_encode(path, KEPT))
}
