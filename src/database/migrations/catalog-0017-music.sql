-- Owned by src/catalog: what is known of tracks, albums and artists besides what every item has. A track is an item with a file, its
-- album is to it what a show is to an episode; `item.season` is the disc and `item.episode` the number. Times are Unix milliseconds.

-- The real folders, for programs that browse by them.
CREATE TABLE directory (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    library   TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    place     BLOB NOT NULL,                    -- below the library's root; empty for the root
    parent    INTEGER REFERENCES directory (n) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    sort_key  TEXT NOT NULL,
    added_at  INTEGER NOT NULL,
    UNIQUE (library, place)
) STRICT;
CREATE INDEX directory_by_parent ON directory (parent, sort_key);

CREATE TABLE track (
    item         INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    directory    INTEGER REFERENCES directory (n) ON DELETE SET NULL,   -- null in the trash
    artist       TEXT NOT NULL,                 -- as shown
    format       TEXT NOT NULL,                 -- its codec: the word of media::music::Codec, or libav's
    bit_rate     INTEGER NOT NULL,              -- kbit/s; 0 where unknown
    sample_rate  INTEGER NOT NULL,              -- Hz; 0 where unknown
    bit_depth    INTEGER NOT NULL,              -- 0 where it has none
    channels     INTEGER NOT NULL,
    pictures     INTEGER NOT NULL,              -- 1: it holds one that can be shown
    lyrics       TEXT NOT NULL,                 -- JSON array of media::music::Lyrics
    tags         TEXT NOT NULL,                 -- JSON of media::music::Told: what its tags say
    told         TEXT NOT NULL                  -- the same with what names say where tags do not
) STRICT;
CREATE INDEX track_by_directory ON track (directory, item);

CREATE TABLE album (
    item            INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    artist          TEXT NOT NULL DEFAULT '',   -- as shown
    artist_key      TEXT NOT NULL DEFAULT '',   -- orders lists by artist
    compilation     INTEGER NOT NULL DEFAULT 0,
    songs           INTEGER NOT NULL DEFAULT 0, -- that are not in the trash
    seconds         REAL NOT NULL DEFAULT 0,
    changed_at      INTEGER NOT NULL,           -- when a track came, went or was described anew
    told            TEXT NOT NULL DEFAULT '{}', -- JSON of media::music::Told of its first track
    stale           INTEGER NOT NULL DEFAULT 1  -- 1 within a transaction: to be put together anew before it ends
) STRICT;
CREATE INDEX album_stale ON album (item) WHERE stale = 1;
CREATE INDEX album_by_artist ON album (artist_key, item);

CREATE TABLE artist (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    key       TEXT NOT NULL UNIQUE,             -- the name without case and accents
    sort_key  TEXT NOT NULL,
    mbid      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX artist_by_name ON artist (sort_key);

-- Who made what: roles are 'artist' of tracks, 'albumartist' of albums, and those of contributors.
CREATE TABLE credit (
    item    INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    role    TEXT NOT NULL,
    place   INTEGER NOT NULL,                   -- in the order of the tags
    artist  INTEGER NOT NULL REFERENCES artist (n),
    part    TEXT NOT NULL DEFAULT '',           -- such as a performer's instrument
    PRIMARY KEY (item, role, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX credit_by_artist ON credit (artist, role, item);

CREATE TABLE genre (
    n     INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,
    key   TEXT NOT NULL UNIQUE                  -- without case and accents
) STRICT;

-- Of tracks and of albums.
CREATE TABLE genre_of (
    item   INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    genre  INTEGER NOT NULL REFERENCES genre (n),
    PRIMARY KEY (item, genre)
) STRICT, WITHOUT ROWID;
CREATE INDEX genre_of_by_genre ON genre_of (genre, item);

-- What an account thinks of things and how often it heard them. `kind` says which table `target` is a row of: 'item', 'artist'
-- or 'directory'.
CREATE TABLE opinion (
    account     TEXT NOT NULL,                  -- id in the tables of src/accounts
    kind        TEXT NOT NULL CHECK (kind IN ('item', 'artist', 'directory')),
    target      INTEGER NOT NULL,
    starred_at  INTEGER,
    rating      INTEGER,                        -- 1 to 5
    plays       INTEGER NOT NULL DEFAULT 0,
    played_at   INTEGER,
    PRIMARY KEY (account, kind, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX opinion_starred ON opinion (account, kind, starred_at) WHERE starred_at IS NOT NULL;
CREATE INDEX opinion_rated ON opinion (account, kind, rating) WHERE rating IS NOT NULL;
CREATE INDEX opinion_played ON opinion (account, kind, played_at) WHERE played_at IS NOT NULL;
CREATE INDEX opinion_plays ON opinion (account, kind, plays) WHERE plays > 0;
CREATE INDEX opinion_target ON opinion (kind, target);
CREATE TRIGGER opinion_of_item AFTER DELETE ON item BEGIN
    DELETE FROM opinion WHERE kind = 'item' AND target = old.n;
END;
CREATE TRIGGER opinion_of_directory AFTER DELETE ON directory BEGIN
    DELETE FROM opinion WHERE kind = 'directory' AND target = old.n;
END;

CREATE TABLE playlist (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    owner       TEXT NOT NULL,                  -- account
    name        TEXT NOT NULL,
    comment     TEXT NOT NULL DEFAULT '',
    public      INTEGER NOT NULL DEFAULT 0,     -- 1: everybody here sees it
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX playlist_by_owner ON playlist (owner, name);

CREATE TABLE playlist_track (
    playlist  INTEGER NOT NULL REFERENCES playlist (n) ON DELETE CASCADE,
    place     INTEGER NOT NULL,
    item      INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    PRIMARY KEY (playlist, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX playlist_track_by_item ON playlist_track (item);

CREATE TABLE play_queue (
    account      TEXT PRIMARY KEY,
    current      INTEGER,                       -- place of what plays
    position_ms  INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    changed_by   TEXT NOT NULL                  -- the program
) STRICT;

CREATE TABLE play_queue_track (
    account  TEXT NOT NULL REFERENCES play_queue (account) ON DELETE CASCADE,
    place    INTEGER NOT NULL,
    item     INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    PRIMARY KEY (account, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX play_queue_track_by_item ON play_queue_track (item);

CREATE TABLE bookmark (
    account      TEXT NOT NULL,
    item         INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    position_ms  INTEGER NOT NULL,
    comment      TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    PRIMARY KEY (account, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX bookmark_by_item ON bookmark (item);

-- What somebody shows to whoever has the link.
CREATE TABLE share (
    id           TEXT PRIMARY KEY,              -- cannot be guessed
    owner        TEXT NOT NULL,
    description  TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    visited_at   INTEGER,
    visits       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE share_item (
    share  TEXT NOT NULL REFERENCES share (id) ON DELETE CASCADE,
    place  INTEGER NOT NULL,
    item   INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    PRIMARY KEY (share, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_item_by_item ON share_item (item);
