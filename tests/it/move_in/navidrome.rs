//! A database like Navidrome's, for tests: the tables and columns that it has, made anew for each test.
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

/// Which of Navidrome's versions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Of 2021: one folder and no table of libraries, absolute paths, owners by name.
    First,
    /// Of 2025.
    Late,
}

const BOTH: &str = "
    CREATE TABLE user (id varchar(255) NOT NULL PRIMARY KEY, user_name varchar(255) NOT NULL DEFAULT '' UNIQUE,
        name varchar(255) NOT NULL DEFAULT '', email varchar(255) NOT NULL DEFAULT '', password varchar(255) NOT NULL DEFAULT '',
        is_admin bool NOT NULL DEFAULT FALSE, created_at datetime, updated_at datetime);
    CREATE TABLE album (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '');
    CREATE TABLE artist (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '');
    CREATE TABLE media_file (id varchar(255) NOT NULL PRIMARY KEY, path varchar(255) NOT NULL DEFAULT '',
        title varchar(255) NOT NULL DEFAULT '', album varchar(255) NOT NULL DEFAULT '', artist varchar(255) NOT NULL DEFAULT '',
        album_id varchar(255) NOT NULL DEFAULT '', track_number integer NOT NULL DEFAULT 0, disc_number integer NOT NULL DEFAULT 0,
        size integer NOT NULL DEFAULT 0, duration real NOT NULL DEFAULT 0);
    CREATE TABLE playlist_tracks (id integer NOT NULL DEFAULT 0, playlist_id varchar(255) NOT NULL, media_file_id varchar(255) NOT NULL);
    CREATE TABLE bookmark (user_id varchar(255) NOT NULL, item_id varchar(255) NOT NULL, item_type varchar(255) NOT NULL,
        comment varchar(255), position integer, changed_by varchar(255), created_at datetime, updated_at datetime,
        UNIQUE (user_id, item_id, item_type));
    CREATE TABLE property (id varchar(255) NOT NULL PRIMARY KEY, value varchar(255) NOT NULL DEFAULT '');
";

const FIRST: &str = "
    CREATE TABLE annotation (ann_id varchar(255) NOT NULL PRIMARY KEY, user_id varchar(255) NOT NULL DEFAULT '',
        item_id varchar(255) NOT NULL DEFAULT '', item_type varchar(255) NOT NULL DEFAULT '', play_count integer, play_date datetime,
        rating integer, starred bool NOT NULL DEFAULT FALSE, starred_at datetime, UNIQUE (user_id, item_id, item_type));
    CREATE TABLE playlist (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '',
        comment varchar(255) NOT NULL DEFAULT '', duration real NOT NULL DEFAULT 0, song_count integer NOT NULL DEFAULT 0,
        owner varchar(255) NOT NULL DEFAULT '', public bool NOT NULL DEFAULT FALSE, created_at datetime, updated_at datetime);
    CREATE TABLE playqueue (id varchar(255) NOT NULL, user_id varchar(255) NOT NULL, current varchar(255), position real,
        changed_by varchar(255), items varchar(255), created_at datetime, updated_at datetime);
";

const LATE: &str = "
    CREATE TABLE library (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE, path text NOT NULL UNIQUE);
    CREATE TABLE user_library (user_id varchar(255) NOT NULL, library_id integer NOT NULL, PRIMARY KEY (user_id, library_id));
    ALTER TABLE media_file ADD COLUMN library_id integer NOT NULL DEFAULT 1;
    ALTER TABLE media_file ADD COLUMN missing boolean NOT NULL DEFAULT FALSE;
    ALTER TABLE media_file ADD COLUMN mbz_recording_id varchar(255) NOT NULL DEFAULT '';
    ALTER TABLE media_file ADD COLUMN mbz_release_track_id varchar(255) NOT NULL DEFAULT '';
    ALTER TABLE artist ADD COLUMN mbz_artist_id varchar(255) NOT NULL DEFAULT '';
    CREATE TABLE annotation (user_id varchar(255) NOT NULL DEFAULT '', item_id varchar(255) NOT NULL DEFAULT '',
        item_type varchar(255) NOT NULL DEFAULT '', play_count integer DEFAULT 0, play_date datetime, rating integer DEFAULT 0,
        starred bool NOT NULL DEFAULT FALSE, starred_at datetime, UNIQUE (user_id, item_id, item_type));
    CREATE TABLE playlist (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '',
        comment varchar(255) NOT NULL DEFAULT '', duration real NOT NULL DEFAULT 0, song_count integer NOT NULL DEFAULT 0,
        public bool NOT NULL DEFAULT FALSE, created_at datetime, updated_at datetime, path string NOT NULL DEFAULT '',
        sync bool NOT NULL DEFAULT FALSE, rules varchar, owner_id varchar(255) NOT NULL);
    CREATE TABLE playqueue (id varchar(255) NOT NULL, user_id varchar(255) NOT NULL, current integer NOT NULL DEFAULT 0,
        position real, changed_by varchar(255), items varchar(255), created_at datetime, updated_at datetime);
    CREATE TABLE share (id varchar(255) NOT NULL PRIMARY KEY);
    CREATE TABLE radio (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255), stream_url varchar(255));
";

pub struct Navidrome {
    pub path: PathBuf,
    db: Connection,
    version: Version,
    root: String,
}

impl Navidrome {
    /// In a folder that is made, in WAL mode as Navidrome has it, with its music below `root`.
    pub fn new(folder: &Path, root: &str, version: Version) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join("navidrome.db");
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch(BOTH).unwrap();
        db.execute_batch(if version == Version::First { FIRST } else { LATE }).unwrap();
        match version {
            Version::First => {
                let id = format!("LastScan-{root}");
                db.execute("INSERT INTO property VALUES (?1, '1600000000000')", [id]).unwrap();
            }
            Version::Late => {
                db.execute("INSERT INTO library (name, path) VALUES ('Music Library', ?1)", [root]).unwrap();
            }
        }
        Self { path, db, version, root: root.to_owned() }
    }

    pub fn sql(&self, sql: &str) {
        self.db.execute_batch(sql).unwrap();
    }

    pub fn user(&self, id: &str, name: &str, admin: bool) {
        let sql = "INSERT INTO user (id, user_name, password, is_admin) VALUES (?1, ?2, 'c2VhbGVk', ?3)";
        self.db.execute(sql, params![id, name, admin]).unwrap();
        if self.version == Version::Late {
            self.db.execute("INSERT INTO user_library VALUES (?1, 1)", [id]).unwrap();
        }
    }

    /// `artist/album/NN title.mp3`; ids of artist and album are their names in small letters.
    pub fn song(&self, id: &str, artist: &str, album: &str, track: u32, title: &str) {
        let below = place(artist, album, track, title);
        let path = if self.version == Version::First { format!("{}/{below}", self.root) } else { below };
        for (table, name) in [("album", album), ("artist", artist)] {
            let sql = format!("INSERT OR IGNORE INTO {table} (id, name) VALUES (?1, ?2)");
            self.db.execute(&sql, [&name.to_lowercase(), name]).unwrap();
        }
        let sql = "INSERT INTO media_file (id, path, title, album, artist, album_id, track_number, disc_number, duration) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 1.02)";
        self.db.execute(sql, params![id, path, title, album, artist, album.to_lowercase(), track]).unwrap();
    }

    /// `kind` is `media_file`, `album` or `artist`; times as Navidrome writes them.
    pub fn opinion(
        &self,
        user: &str,
        kind: &str,
        item: &str,
        starred_at: Option<&str>,
        rating: u32,
        plays: (u32, &str),
    ) {
        let (columns, first) = if self.version == Version::First {
            ("ann_id, ", format!("'{user}{kind}{item}', "))
        } else {
            ("", String::new())
        };
        let sql = format!(
            "INSERT OR REPLACE INTO annotation ({columns}user_id, item_type, item_id, starred, starred_at, rating, play_count, play_date) \
            VALUES ({first}?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        );
        self.db
            .execute(&sql, params![user, kind, item, starred_at.is_some(), starred_at, rating, plays.0, plays.1])
            .unwrap();
    }

    /// Songs in this order.
    pub fn playlist(&self, id: &str, owner: (&str, &str), name: &str, public: bool, songs: &[&str]) {
        let (column, owner) = if self.version == Version::First { ("owner", owner.1) } else { ("owner_id", owner.0) };
        let sql = format!(
            "INSERT OR REPLACE INTO playlist (id, name, comment, {column}, public, created_at, updated_at) VALUES \
            (?1, ?2, 'of ' || ?2, ?3, ?4, '2021-03-04 05:06:07.123456789+00:00', '2021-04-04 05:06:07+00:00')"
        );
        self.db.execute(&sql, params![id, name, owner, public]).unwrap();
        self.db.execute("DELETE FROM playlist_tracks WHERE playlist_id = ?1", [id]).unwrap();
        // Written from the last to the first: the order is that of the numbers.
        for (n, song) in songs.iter().enumerate().rev() {
            let sql = "INSERT INTO playlist_tracks (id, playlist_id, media_file_id) VALUES (?1, ?2, ?3)";
            self.db.execute(sql, params![n as i64 + 1, id, song]).unwrap();
        }
    }

    pub fn bookmark(&self, user: &str, song: &str, position_ms: u64, at: &str) {
        let sql = "INSERT OR REPLACE INTO bookmark VALUES (?1, ?2, 'media_file', 'here', ?3, 'DSub', ?4, ?4)";
        self.db.execute(sql, params![user, song, position_ms as i64, at]).unwrap();
    }

    /// With the song at this place playing.
    pub fn queue(&self, user: &str, songs: &[&str], current: usize, position_ms: u64, at: &str) {
        self.db.execute("DELETE FROM playqueue WHERE user_id = ?1", [user]).unwrap();
        let playing = if self.version == Version::First { songs[current].to_owned() } else { current.to_string() };
        let sql = "INSERT INTO playqueue (id, user_id, current, position, changed_by, items, created_at, updated_at) \
            VALUES ('q' || ?1, ?1, ?2, ?3, 'DSub', ?4, ?5, ?5)";
        self.db.execute(sql, params![user, playing, position_ms as f64, songs.join(","), at]).unwrap();
    }
}

/// Where a song lies below the root.
pub fn place(artist: &str, album: &str, track: u32, title: &str) -> String {
    format!("{artist}/{album}/{track:02} {title}.mp3")
}
