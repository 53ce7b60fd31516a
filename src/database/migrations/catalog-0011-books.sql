-- Owned by src/catalog: what is known of books and series of books besides what every item has. Lists are JSON arrays; `locks`
-- names the fields that a person wrote, which no file changes any more. Times are Unix milliseconds.

CREATE TABLE book (
    item          INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    pages         INTEGER NOT NULL,             -- how many; 0 for one that could not be read
    number        TEXT NOT NULL,                -- as shown: "10.5"
    number_sort   REAL NOT NULL,                -- its place in its series
    release_date  TEXT,                         -- yyyy-mm-dd
    isbn          TEXT NOT NULL,
    authors       TEXT NOT NULL,                -- of {"name", "role"}
    tags          TEXT NOT NULL,
    links         TEXT NOT NULL,                -- of {"label", "url"}
    locks         TEXT NOT NULL DEFAULT '[]',
    told          TEXT NOT NULL,                -- JSON of media::book::Told: what its file says
    described_at  INTEGER NOT NULL
) STRICT;

-- Apart, because it is long: which pages a book has and where in its file they lie, in the form of media::book::encode.
CREATE TABLE page_list (
    item   INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    pages  BLOB NOT NULL
) STRICT;

CREATE TABLE series (
    item          INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    status        TEXT NOT NULL DEFAULT 'ONGOING',
    direction     TEXT NOT NULL DEFAULT '',     -- of reading: ltr, rtl, vertical, webtoon, or nothing
    publisher     TEXT NOT NULL DEFAULT '',
    language      TEXT NOT NULL DEFAULT '',
    age_rating    INTEGER,
    total_books   INTEGER,                      -- that there are in the world
    tags          TEXT NOT NULL DEFAULT '[]',
    labels        TEXT NOT NULL DEFAULT '[]',   -- for whom it is
    links         TEXT NOT NULL DEFAULT '[]',
    titles        TEXT NOT NULL DEFAULT '[]',   -- other ones: of {"label", "title"}
    locks         TEXT NOT NULL DEFAULT '[]',
    changed_at    INTEGER NOT NULL              -- when a book came, went or was described anew
) STRICT;
