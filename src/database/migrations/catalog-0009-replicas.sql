-- Owned by src/catalog: what of friends' libraries is kept on this disk.

-- What somebody wants to keep. `target` is a library's or an item's id at the friend's; no key to it, because a rule outlives what
-- the friend takes back.
CREATE TABLE replica (
    id          TEXT PRIMARY KEY,
    friend      TEXT NOT NULL,                  -- id in the tables of src/accounts
    scope       TEXT NOT NULL,                  -- library, series, item
    target      TEXT NOT NULL,
    title       TEXT NOT NULL,                  -- what the target was called
    policy      TEXT NOT NULL,                  -- everything, unwatched, copies
    account     TEXT,                           -- of unwatched: whose progress counts
    copies      INTEGER,                        -- of copies: how many there shall be, with ours
    paused      INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,               -- Unix milliseconds
    UNIQUE (friend, target)
) STRICT;

-- The library of ours that holds what is kept of a friend's.
CREATE TABLE replica_library (
    origin   TEXT PRIMARY KEY,                  -- id of the friend's library
    library  TEXT NOT NULL UNIQUE REFERENCES library (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- A file that was fetched or is being fetched. What is not in here is never removed.
CREATE TABLE replica_file (
    item       TEXT PRIMARY KEY,                -- id of the friend's item
    replica    TEXT NOT NULL REFERENCES replica (id) ON DELETE CASCADE,     -- the rule that has it made
    library    TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    place      BLOB NOT NULL,                   -- below the library's root
    cid        TEXT NOT NULL,                   -- of what is there, or shall be
    size       INTEGER NOT NULL,
    done_at    INTEGER,                         -- Unix milliseconds; null until it was whole once
    described  TEXT,                            -- SHA-256 of the NFO that was written beside it
    UNIQUE (library, place)
) STRICT, WITHOUT ROWID;
