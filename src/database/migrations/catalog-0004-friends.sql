-- Owned by src/accounts: other people's nodes. They are no rows of `account`: nothing that signs a person in, changes or
-- counts accounts can touch them. Times are Unix milliseconds.

CREATE TABLE friend (
    id         TEXT PRIMARY KEY,
    -- As its owner is called here; `name_key` in lower case.
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    -- Public key of its node: the one credential it has.
    endpoint   TEXT NOT NULL UNIQUE,
    -- 0: linked, but may do nothing, and is not asked for anything.
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- JSON array of texts: where its node was reached last, for the next time.
    addresses  TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL
) STRICT;

-- What is shared with a friend: these libraries of ours and no others.
CREATE TABLE friend_library (
    friend  TEXT NOT NULL REFERENCES friend (id) ON DELETE CASCADE,
    library TEXT NOT NULL,
    PRIMARY KEY (friend, library)
) STRICT, WITHOUT ROWID;

-- The secret itself is only in the code that was handed out; `hash` is its SHA-256. A row stays after it was redeemed until
-- it expires, so that the same node may finish what was cut off, and nobody else can begin anew.
CREATE TABLE friend_invite (
    id          TEXT PRIMARY KEY,
    hash        BLOB NOT NULL UNIQUE,
    -- What the friend shall be called; null for the name it gives itself.
    name        TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- Public key of the node that redeemed it.
    redeemed_by TEXT
) STRICT;
