-- How far people watched, so that several nodes can know it: owned by src/catalog.

-- One fact for each account and item. An item is named by its id, because a node may hear how far somebody is in an item before
-- it hears of the item. Facts of one account and item are compared by `time`, then by `origin`: `time` is this node's clock, but
-- always later than that of the fact it takes the place of, so a clock that is wrong loses nothing that was known. Each write is
-- a new row: `revision` only grows, and says what a node that follows was told already. At 0 seconds and not completed: never watched.
CREATE TABLE watched (
    revision    INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT NOT NULL,
    item        TEXT NOT NULL,
    position    REAL NOT NULL,                  -- seconds
    completed   INTEGER NOT NULL,
    watched_at  INTEGER NOT NULL,               -- Unix milliseconds
    time        INTEGER NOT NULL,               -- Unix milliseconds, or later
    origin      TEXT NOT NULL,                  -- of the database that wrote it first
    UNIQUE (account, item)
) STRICT;

CREATE INDEX watched_by_item ON watched (item);

-- What tells this database from those of other nodes.
CREATE TABLE origin (name TEXT NOT NULL) STRICT;
INSERT INTO origin VALUES (lower(hex(randomblob(8))));

INSERT INTO watched (account, item, position, completed, watched_at, time, origin)
    SELECT p.account, i.id, p.position, p.completed, p.watched_at, p.watched_at, o.name
    FROM progress AS p JOIN item AS i ON i.n = p.item, origin AS o ORDER BY p.watched_at;

-- `progress` is what lists join: the facts of items that are here.
CREATE TRIGGER progress_of_watched AFTER INSERT ON watched BEGIN
    DELETE FROM progress WHERE account = new.account AND item = (SELECT n FROM item WHERE id = new.item);
    INSERT INTO progress (account, item, position, completed, watched_at)
        SELECT new.account, n, new.position, new.completed, new.watched_at FROM item
        WHERE id = new.item AND (new.position > 0 OR new.completed);
END;

CREATE TRIGGER progress_of_new_item AFTER INSERT ON item BEGIN
    INSERT INTO progress (account, item, position, completed, watched_at)
        SELECT account, new.n, position, completed, watched_at FROM watched
        WHERE item = new.id AND (position > 0 OR completed);
END;

-- Up to which revision of a friend's node its facts are known here: of its people, whom we host, or of ours, whom it hosts.
CREATE TABLE watched_cursor (
    friend  TEXT NOT NULL,
    whose   TEXT NOT NULL CHECK (whose IN ('theirs', 'ours')),
    taken   INTEGER NOT NULL,
    PRIMARY KEY (friend, whose)
) STRICT, WITHOUT ROWID;

-- People of friends' nodes who may sign in here: owned by src/accounts.

-- 1: our accounts are kept there too; 2: they are to be taken back.
ALTER TABLE friend ADD COLUMN stand_in INTEGER NOT NULL DEFAULT 0 CHECK (stand_in IN (0, 1, 2));
-- 1: the friend's people may sign in here.
ALTER TABLE friend ADD COLUMN hosts INTEGER NOT NULL DEFAULT 0 CHECK (hosts IN (0, 1));

-- What a friend's node told last of its accounts. An older or the same revision is refused.
CREATE TABLE hosting (
    friend       TEXT PRIMARY KEY REFERENCES friend (id) ON DELETE CASCADE,
    revision     INTEGER NOT NULL,
    digest       TEXT NOT NULL,
    received_at  INTEGER NOT NULL               -- Unix milliseconds
) STRICT;

-- A guest has an id of its own here: what a friend's node calls its people never names one of ours.
CREATE TABLE guest (
    id            TEXT PRIMARY KEY,
    friend        TEXT NOT NULL REFERENCES friend (id) ON DELETE CASCADE,
    account       TEXT NOT NULL,                -- id at home
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL,
    password      TEXT NOT NULL,                -- PHC string
    libraries     TEXT,                         -- JSON array of ids; null for all that are shared
    max_bit_rate  INTEGER,
    UNIQUE (friend, account),
    UNIQUE (friend, name_key)
) STRICT;

-- Sessions of guests too: without a foreign key, which can name one table only.
CREATE TABLE session_of_anyone (
    hash       BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO session_of_anyone SELECT hash, account, created_at, used_at, expires_at FROM session;
DROP TABLE session;
ALTER TABLE session_of_anyone RENAME TO session;
CREATE INDEX session_by_account ON session (account);

CREATE TRIGGER session_of_account AFTER DELETE ON account BEGIN
    DELETE FROM session WHERE account = old.id;
END;

CREATE TRIGGER session_of_guest AFTER DELETE ON guest BEGIN
    DELETE FROM session WHERE account = old.id;
    DELETE FROM watched WHERE account = old.id;
    DELETE FROM progress WHERE account = old.id;
END;
