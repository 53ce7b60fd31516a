-- Owned by src/accounts: who may ask, by which credentials, and what was refused. Times are Unix milliseconds.

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    -- Lower case: what signing in compares.
    name_key   TEXT NOT NULL UNIQUE,
    -- PHC string with its own parameters and salt.
    password   TEXT NOT NULL,
    admin      INTEGER NOT NULL CHECK (admin IN (0, 1)),
    -- 1: may see every library, also those to come; 0: those in account_library.
    everything INTEGER NOT NULL CHECK (everything IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

-- Ids of libraries are not foreign keys: a library that goes takes nothing from an account, and its id never comes back.
CREATE TABLE account_library (
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    library TEXT NOT NULL,
    PRIMARY KEY (account, library)
) STRICT, WITHOUT ROWID;

-- The token itself is only in the browser; `hash` is its SHA-256.
CREATE TABLE session (
    hash       BLOB PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account);

CREATE TABLE api_key (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX api_key_by_account ON api_key (account);

-- Refused calls, oldest dropped first; see AccountsOptions::audit_rows.
CREATE TABLE audit (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    account TEXT,
    address TEXT NOT NULL,
    method  TEXT NOT NULL,
    path    TEXT NOT NULL,
    status  INTEGER NOT NULL,
    reason  TEXT NOT NULL
) STRICT;
