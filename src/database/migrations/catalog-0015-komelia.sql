-- Owned by src/catalog: covers that people put up for series, books and lists. The picture is a file of the data folder, which is
-- never made room in: it goes with its row.
CREATE TABLE cover (
    id          TEXT PRIMARY KEY,
    item        INTEGER REFERENCES item (n) ON DELETE CASCADE,
    list        TEXT REFERENCES shelf_list (id) ON DELETE CASCADE,
    path        BLOB NOT NULL,                  -- absolute; written anew at each start
    size        INTEGER NOT NULL,               -- bytes
    width       INTEGER NOT NULL,               -- pixels
    height      INTEGER NOT NULL,
    selected    INTEGER NOT NULL,               -- 1: shown, in place of what was found
    created_at  INTEGER NOT NULL,               -- Unix milliseconds
    CHECK ((item IS NULL) <> (list IS NULL))
) STRICT;
CREATE UNIQUE INDEX cover_of_item ON cover (item) WHERE selected AND item IS NOT NULL;
CREATE UNIQUE INDEX cover_of_list ON cover (list) WHERE selected AND list IS NOT NULL;
CREATE INDEX cover_by_item ON cover (item) WHERE item IS NOT NULL;
CREATE INDEX cover_by_list ON cover (list) WHERE list IS NOT NULL;

-- The place within a page or a chapter, as the program that reads names it. It is one of the progress that was written with it,
-- at `watched_at` and `position`: when somebody read on elsewhere, it is past.
CREATE TABLE locator (
    account      TEXT NOT NULL,
    item         INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    position     REAL NOT NULL,
    watched_at   INTEGER NOT NULL,              -- Unix milliseconds
    place        TEXT NOT NULL,                 -- JSON
    device       TEXT NOT NULL,                 -- JSON
    modified_at  INTEGER NOT NULL,              -- Unix milliseconds, by the clock of the device
    PRIMARY KEY (account, item)
) STRICT, WITHOUT ROWID;

-- Owned by src/accounts: what reading programs keep here for whoever uses them. Without an account: for everybody.
CREATE TABLE client_setting (
    account       TEXT REFERENCES account (id) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    value         TEXT NOT NULL,
    unauthorized  INTEGER NOT NULL DEFAULT 0,   -- 1: told to whoever did not sign in, too
    UNIQUE (account, key)
) STRICT;
