-- Owned by src/catalog: plays that are still to be told to ListenBrainz, as they were known then.
CREATE TABLE listen (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL,
    at       INTEGER NOT NULL,                  -- Unix milliseconds
    told     TEXT NOT NULL,                     -- JSON of catalog::music::Heard
    tries    INTEGER NOT NULL DEFAULT 0,        -- that failed since one did not
    due_at   INTEGER NOT NULL DEFAULT 0         -- not before: Unix milliseconds
) STRICT;
CREATE INDEX listen_due ON listen (due_at, n);
CREATE INDEX listen_by_account ON listen (account, n);

-- Owned by src/accounts: whose plays are told there.
CREATE TABLE listening (
    account  TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    sealed   BLOB NOT NULL,                     -- the token, as app passwords are sealed
    name     TEXT NOT NULL,                     -- what the account is called there
    refused  INTEGER NOT NULL                   -- 1: the token was not taken the last time
) STRICT, WITHOUT ROWID;

-- Owned by src/catalog: albums in the orders in which programs list them, of which they ask for a part at a time.
CREATE INDEX album_by_added ON item (added_at, n, library) WHERE kind = 'album' AND state <> 'trashed';
CREATE INDEX album_by_title ON item (sort_key, n, library) WHERE kind = 'album' AND state <> 'trashed';
CREATE INDEX album_by_year ON item (year, sort_key, n, library) WHERE kind = 'album' AND state <> 'trashed';
