-- Owned by src/accounts: services that keep what is public here, so that it outlives this disk.
CREATE TABLE pin_service (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL COLLATE NOCASE UNIQUE,
    url       TEXT NOT NULL,
    sealed    BLOB NOT NULL,                    -- the token, as app passwords are sealed
    added_at  INTEGER NOT NULL                  -- Unix milliseconds
) STRICT, WITHOUT ROWID;

-- Owned by src/accounts: libraries that a service shall keep as they change.
CREATE TABLE pinned_library (
    service   TEXT NOT NULL REFERENCES pin_service (id) ON DELETE CASCADE,
    library   TEXT NOT NULL,                    -- stays when the library goes, for the service keeps its pin
    name      TEXT NOT NULL,                    -- of the pin
    request   TEXT,                             -- id of the pin there
    cid       TEXT,                             -- of the folder that is pinned
    status    TEXT,                             -- of the pin, as the service told it last
    problem   TEXT,                             -- why it is not as it should be: a sentence
    tries     INTEGER NOT NULL DEFAULT 0,       -- since it was last as it should be
    due_at    INTEGER NOT NULL DEFAULT 0,       -- looked at again: Unix milliseconds
    PRIMARY KEY (service, library)
) STRICT, WITHOUT ROWID;
