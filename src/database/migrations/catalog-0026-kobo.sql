-- Owned by src/catalog: what readers that sync were told of books and read lists. A device counts its answers in rounds and brings back the
-- last one that reached it. What is NULL was told in a round that may not have reached it, and is told again. `gone` is 1 where it
-- was told that the thing is no more; the row goes when that arrived.
CREATE TABLE told_device (
    id       TEXT PRIMARY KEY,
    api_key  TEXT NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
    round    INTEGER NOT NULL,                  -- the last one
    place    INTEGER NOT NULL,                  -- the item up to which books were told in a sync that goes on; -1: all of them
    used_at  INTEGER NOT NULL                   -- Unix milliseconds
) STRICT;
CREATE INDEX told_device_by_key ON told_device (api_key);

-- Without a reference to the item: that it is gone has yet to be told.
CREATE TABLE told_book (
    device   TEXT NOT NULL REFERENCES told_device (id) ON DELETE CASCADE,
    item     INTEGER NOT NULL,
    id       TEXT NOT NULL,                     -- what the device calls it
    file     TEXT,                              -- its CID
    words    TEXT,                              -- what its metadata depend on
    reading  TEXT,                              -- how far the account was; empty where nothing was read
    round    INTEGER NOT NULL,
    gone     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE told_list (
    device   TEXT NOT NULL REFERENCES told_device (id) ON DELETE CASCADE,
    list     TEXT NOT NULL,
    digest   TEXT,                              -- of its name and items
    round    INTEGER NOT NULL,
    gone     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, list)
) STRICT, WITHOUT ROWID;

-- EPUBs among many comics.
CREATE INDEX file_of_epub ON file (item) WHERE json_extract(facts, '$.container') = 'epub';
