-- What was taken in from another program, so that it can be taken in again. Times are Unix milliseconds.

-- Owned by src/catalog: what series and books are called elsewhere. An item is found by these ids as by its own, which stays what
-- other nodes know it by.
CREATE TABLE alias (
    id     TEXT PRIMARY KEY,
    item   INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    shown  INTEGER NOT NULL CHECK (shown IN (0, 1)),    -- 1: programs for reading are told this id in place of its own
    taken  TEXT NOT NULL DEFAULT '{}'                   -- JSON object: of each field, a digest of what the other program said
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_item ON alias (item);
CREATE UNIQUE INDEX alias_shown ON alias (item) WHERE shown = 1;

CREATE TABLE library_alias (
    id       TEXT PRIMARY KEY,
    library  TEXT NOT NULL UNIQUE REFERENCES library (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Collections and read lists have the ids that they had. A row outlives its list: what was removed here does not come back.
CREATE TABLE moved_list (
    id     TEXT PRIMARY KEY,
    told   TEXT NOT NULL,                               -- digest of what the other program said
    wrote  TEXT NOT NULL                                -- digest of the list as it was written then
) STRICT, WITHOUT ROWID;

-- Owned by src/accounts: whose account is whose, and which API keys came along. Rows outlive accounts and keys, for the same reason.
CREATE TABLE moved_account (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE moved_key (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
