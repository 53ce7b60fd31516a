-- Owned by src/accounts: sessions of programs for reading, which are for nothing else, and end with the API key they were begun with.
ALTER TABLE session ADD COLUMN kind TEXT NOT NULL DEFAULT 'page';
ALTER TABLE session ADD COLUMN api_key TEXT;

CREATE TRIGGER session_of_key AFTER DELETE ON api_key BEGIN
    DELETE FROM session WHERE api_key = old.id;
END;

-- Owned by src/catalog: by what series and books are found. `title` and `text` are without case and accents; `text` holds all titles.
CREATE TABLE shelf_text (
    item   INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    title  TEXT NOT NULL,
    text   TEXT NOT NULL
) STRICT;

-- The words of series and books: genres, tags, publishers, languages, labels, authors. `key` is the word without case and accents.
CREATE TABLE shelf_word (
    n      INTEGER PRIMARY KEY,
    field  TEXT NOT NULL,
    role   TEXT NOT NULL,                       -- of an author
    word   TEXT NOT NULL,
    key    TEXT NOT NULL,
    UNIQUE (field, key, role, word)
) STRICT;

CREATE TABLE shelf_word_of (
    item  INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    word  INTEGER NOT NULL REFERENCES shelf_word (n),
    PRIMARY KEY (item, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_word_by_word ON shelf_word_of (word, item);

-- All series, those in the trash too.
CREATE INDEX item_of_series ON item (library, sort_key) WHERE kind = 'series';

-- What people put together: `kind` is 'collection', of series, or 'readlist', of books.
CREATE TABLE shelf_list (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('collection', 'readlist')),
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL,
    summary     TEXT NOT NULL DEFAULT '',
    ordered     INTEGER NOT NULL,               -- 1: in the order of `place`
    created_at  INTEGER NOT NULL,               -- Unix milliseconds
    changed_at  INTEGER NOT NULL,
    UNIQUE (kind, name_key)
) STRICT;

CREATE TABLE shelf_list_item (
    list   TEXT NOT NULL REFERENCES shelf_list (id) ON DELETE CASCADE,
    place  INTEGER NOT NULL,
    item   INTEGER NOT NULL REFERENCES item (n) ON DELETE CASCADE,
    PRIMARY KEY (list, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_list_by_item ON shelf_list_item (item);
