-- Owned by src/catalog: podcasts that are followed, their episodes, and what of them is here. Times are Unix milliseconds.
CREATE TABLE podcast (
    n            INTEGER PRIMARY KEY AUTOINCREMENT,
    url          TEXT NOT NULL UNIQUE,          -- of its feed
    title        TEXT NOT NULL,
    description  TEXT NOT NULL,
    image_url    TEXT,                          -- of its picture, as the feed says
    image        TEXT,                          -- name of the picture in the folder of podcasts
    status       TEXT NOT NULL CHECK (status IN ('new', 'downloading', 'completed', 'error')),
    error        TEXT,
    etag         TEXT,                          -- of the feed, as it was read last
    modified     TEXT,
    added_at     INTEGER NOT NULL,
    asked_at     INTEGER NOT NULL               -- when the feed was asked for last; 0: it is to be asked for now
) STRICT;
CREATE INDEX podcast_asked ON podcast (asked_at);

CREATE TABLE podcast_episode (
    n             INTEGER PRIMARY KEY AUTOINCREMENT,
    podcast       INTEGER NOT NULL REFERENCES podcast (n) ON DELETE CASCADE,
    key           TEXT NOT NULL,                -- what the feed tells it from others by
    url           TEXT NOT NULL,                -- of its file
    type          TEXT NOT NULL,                -- MIME type, as the feed says; may be empty
    title         TEXT NOT NULL,
    description   TEXT NOT NULL,
    published_at  INTEGER,
    at            INTEGER NOT NULL,             -- the same, or when it was first seen: orders lists
    added_at      INTEGER NOT NULL,
    seconds       REAL NOT NULL,                -- 0 where unknown
    told_size     INTEGER NOT NULL,             -- bytes, as the feed says; 0 where it does not
    status        TEXT NOT NULL CHECK (status IN ('new', 'downloading', 'completed', 'error', 'deleted', 'skipped')),
    error         TEXT,
    asked         INTEGER NOT NULL DEFAULT 0,   -- 1: somebody wants it, not only the schedule
    tries         INTEGER NOT NULL DEFAULT 0,   -- that failed since one did not
    due_at        INTEGER NOT NULL DEFAULT 0,   -- not before
    validator     TEXT,                         -- of what is here of it: an entity tag or a date
    file          TEXT,                         -- name in the folder of podcasts, where all of it is here
    size          INTEGER NOT NULL DEFAULT 0,   -- bytes of it
    cid           TEXT,
    facts         TEXT,                         -- JSON of media::Facts
    UNIQUE (podcast, key)
) STRICT;
CREATE INDEX podcast_episode_by_date ON podcast_episode (podcast, at);
CREATE INDEX podcast_episode_newest ON podcast_episode (at);
CREATE INDEX podcast_episode_due ON podcast_episode (due_at, n) WHERE status = 'downloading';
CREATE INDEX podcast_episode_cid ON podcast_episode (cid) WHERE cid IS NOT NULL;

-- Where people are in episodes, as bookmarks are in songs, and how often they heard them.
CREATE TABLE podcast_place (
    account      TEXT NOT NULL,
    episode      INTEGER NOT NULL REFERENCES podcast_episode (n) ON DELETE CASCADE,
    position_ms  INTEGER,                       -- null without a bookmark
    comment      TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL DEFAULT 0,
    changed_at   INTEGER NOT NULL DEFAULT 0,
    plays        INTEGER NOT NULL DEFAULT 0,
    played_at    INTEGER,
    PRIMARY KEY (account, episode)
) STRICT, WITHOUT ROWID;
CREATE INDEX podcast_place_by_episode ON podcast_place (episode);
