-- Owned by src/catalog (libraries, items, files, progress).

CREATE TABLE library (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind        TEXT NOT NULL,
    path        BLOB NOT NULL UNIQUE,           -- absolute, bytes as the system gives them
    visibility  TEXT NOT NULL,
    state       TEXT NOT NULL,
    scanned_at  INTEGER                         -- Unix milliseconds
) STRICT;

-- `n` is the row's number: ids are made in time order, so it sorts like them and is what cursors break ties with.
CREATE TABLE item (
    n             INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    library       TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL,                -- of the item alone; readers join the library's state
    title         TEXT NOT NULL,
    sort_title    TEXT NOT NULL,
    sort_key      TEXT NOT NULL,                -- orders lists by title; an episode's begins with its show's
    year          INTEGER,
    show          INTEGER REFERENCES item (n) ON DELETE SET NULL,
    season        INTEGER,
    episode       INTEGER,
    episode_end   INTEGER,
    genres        TEXT NOT NULL DEFAULT '[]',   -- JSON array of strings
    added_at      INTEGER NOT NULL,             -- Unix milliseconds
    duration      REAL,                         -- seconds
    problem       TEXT,
    poster        BLOB,                         -- absolute path
    backdrop      BLOB,                         -- absolute path
    size          INTEGER NOT NULL DEFAULT 0,   -- bytes of its file, for the tally
    show_key      TEXT,                         -- of a show: what its episodes find it by
    place         BLOB,                         -- of a show: its folder below the library's root
    described     INTEGER,                      -- of a show: digest of the files its description was read from
    year_up       INTEGER NOT NULL GENERATED ALWAYS AS (ifnull(year, 9999)) VIRTUAL,
    year_down     INTEGER NOT NULL GENERATED ALWAYS AS (ifnull(year, -9999)) VIRTUAL,
    duration_ms   INTEGER NOT NULL
        GENERATED ALWAYS AS (CASE WHEN duration IS NULL THEN 999999999999 ELSE CAST(duration * 1000 AS INTEGER) END) VIRTUAL
) STRICT;

-- One index for each order of a list, so that a page is a walk of its first entries; trashed items are in no list.
CREATE INDEX item_by_title     ON item (library, kind, sort_key)    WHERE state <> 'trashed';
CREATE INDEX item_by_added     ON item (library, kind, added_at)    WHERE state <> 'trashed';
CREATE INDEX item_by_year_up   ON item (library, kind, year_up)     WHERE state <> 'trashed';
CREATE INDEX item_by_year_down ON item (library, kind, year_down)   WHERE state <> 'trashed';
CREATE INDEX item_by_duration  ON item (library, kind, duration_ms) WHERE state <> 'trashed';
CREATE INDEX item_by_number    ON item (library, kind)              WHERE state <> 'trashed';
CREATE INDEX item_by_show      ON item (show, sort_key, state)      WHERE show IS NOT NULL;
CREATE UNIQUE INDEX show_by_key ON item (library, show_key)         WHERE show_key IS NOT NULL;
CREATE INDEX item_by_trouble   ON item (state, library)             WHERE state <> 'present';

-- Apart, because it is long and no list shows it: rows of `item` stay short, and more of them fit into the cache.
CREATE TABLE overview (
    item  INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    text  TEXT NOT NULL
) STRICT;

-- The file of an item that plays. Wide columns come last, so that reading a list does not touch their pages.
CREATE TABLE file (
    item         INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    library      TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    place        BLOB,                          -- below the library's root; null only inside a transaction that moves
    gone         INTEGER NOT NULL DEFAULT 0,    -- 1: nothing of this item is at `place` any more (it is in the trash)
    size         INTEGER NOT NULL,
    modified_ns  INTEGER NOT NULL,
    inode        INTEGER NOT NULL,
    device       INTEGER NOT NULL,
    cid          TEXT,
    width        INTEGER,
    height       INTEGER,
    hdr          TEXT,
    verified_at  INTEGER,                       -- Unix milliseconds
    missing_at   INTEGER,                       -- Unix milliseconds when it was first not found
    described    INTEGER NOT NULL DEFAULT 0,    -- digest of the files beside it that its description was read from
    retry        INTEGER NOT NULL DEFAULT 0,    -- 1: unreadable for a reason that may pass, so every scan tries again
    indexed_as   BLOB,                          -- absolute path under which the block index knows it, where not this one
    sidecars     BLOB NOT NULL DEFAULT x'',     -- names in the same folder, each ended by a zero byte
    facts        TEXT                           -- JSON of media::Facts
) STRICT;

CREATE UNIQUE INDEX file_by_place ON file (library, place) WHERE gone = 0;
CREATE INDEX file_by_stat ON file (inode, size, modified_ns);
CREATE INDEX file_by_cid  ON file (cid) WHERE cid IS NOT NULL;

CREATE TABLE progress (
    account     TEXT NOT NULL,                  -- id in the tables of src/accounts
    item        INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    position    REAL NOT NULL,                  -- seconds
    completed   INTEGER NOT NULL,
    watched_at  INTEGER NOT NULL,               -- Unix milliseconds
    PRIMARY KEY (account, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX progress_by_time ON progress (account, watched_at);
CREATE INDEX progress_by_completed ON progress (account, completed, watched_at);
CREATE INDEX progress_by_item ON progress (item);

-- What search looks in: only the index is stored, the words are in `item`. Trashed items are not in it. `scope` holds one word
-- for the item's kind and library, so that the index alone tells how many matches an account may see.
CREATE VIRTUAL TABLE item_text USING fts5 (
    title, show, file, scope,
    content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER item_text_delete AFTER DELETE ON item BEGIN
    DELETE FROM item_text WHERE rowid = old.n;
END;

-- Counts of items and bytes, kept by triggers: the total of a list without counting.
CREATE TABLE tally (
    library  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    items    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (library, kind, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_insert AFTER INSERT ON item BEGIN
    INSERT INTO tally VALUES (new.library, new.kind, new.state, 1, new.size)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER tally_delete AFTER DELETE ON item BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - old.size
        WHERE library = old.library AND kind = old.kind AND state = old.state;
END;

CREATE TRIGGER tally_update AFTER UPDATE OF library, kind, state, size ON item
WHEN old.library <> new.library OR old.kind <> new.kind OR old.state <> new.state OR old.size <> new.size BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - old.size
        WHERE library = old.library AND kind = old.kind AND state = old.state;
    INSERT INTO tally VALUES (new.library, new.kind, new.state, 1, new.size)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
