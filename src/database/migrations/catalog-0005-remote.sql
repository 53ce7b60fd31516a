-- Owned by src/catalog: what of our libraries changed, in order, for friends' nodes that follow them; and what friends' nodes
-- told of theirs.

-- A friend's library has the id of the friend's account in `friend`. It is no folder: its `name` and `path` are
-- `friend:FRIEND/LIBRARY`, which no library of ours can be called, and `shown` is its name. One that is withdrawn is in no list;
-- it is kept as long as somebody here has progress in it.
ALTER TABLE library ADD COLUMN friend TEXT;
ALTER TABLE library ADD COLUMN shown TEXT;
ALTER TABLE library ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;

-- The last change of each item in each of our libraries that held it. Revisions only grow, each change takes a new one, and an
-- item that is not in the library any more, or in the trash, is the trace of a removal. Ours alone: what is a friend's is not
-- passed on.
CREATE TABLE change (
    revision  INTEGER PRIMARY KEY AUTOINCREMENT,
    item      INTEGER NOT NULL,                 -- item.n, which is never given twice
    library   TEXT NOT NULL,
    id        TEXT NOT NULL,                    -- item.id, which outlives the item here
    UNIQUE (item, library)
) STRICT;

CREATE INDEX change_by_library ON change (library, revision);

INSERT INTO change (item, library, id) SELECT n, library, id FROM item ORDER BY n;

-- Deleted and inserted, not replaced: inside a trigger, the conflict clause of the statement that fired it would count.
CREATE TRIGGER change_of_new_item AFTER INSERT ON item
WHEN EXISTS (SELECT 1 FROM library WHERE id = new.library AND friend IS NULL) BEGIN
    INSERT INTO change (item, library, id) VALUES (new.n, new.library, new.id);
END;

CREATE TRIGGER change_of_item AFTER UPDATE ON item
WHEN (old.library IS NOT new.library OR old.kind IS NOT new.kind OR old.state IS NOT new.state OR old.title IS NOT new.title
    OR old.sort_title IS NOT new.sort_title OR old.year IS NOT new.year OR old.show IS NOT new.show
    OR old.season IS NOT new.season OR old.episode IS NOT new.episode OR old.episode_end IS NOT new.episode_end
    OR old.genres IS NOT new.genres OR old.duration IS NOT new.duration OR old.problem IS NOT new.problem
    OR old.poster IS NOT new.poster OR old.backdrop IS NOT new.backdrop)
    AND EXISTS (SELECT 1 FROM library WHERE id IN (old.library, new.library) AND friend IS NULL) BEGIN
    DELETE FROM change WHERE item = new.n AND library IN (old.library, new.library);
    INSERT INTO change (item, library, id) VALUES (new.n, new.library, new.id);
    INSERT INTO change (item, library, id) SELECT old.n, old.library, old.id WHERE old.library <> new.library;
END;

CREATE TRIGGER change_of_removed_item AFTER DELETE ON item
WHEN EXISTS (SELECT 1 FROM library WHERE id = old.library AND friend IS NULL) BEGIN
    DELETE FROM change WHERE item = old.n AND library = old.library;
    INSERT INTO change (item, library, id) VALUES (old.n, old.library, old.id);
END;

CREATE TRIGGER change_of_removed_library AFTER DELETE ON library BEGIN
    DELETE FROM change WHERE library = old.id;
END;

CREATE TRIGGER change_of_new_file AFTER INSERT ON file BEGIN
    DELETE FROM change WHERE item = new.item AND library = new.library;
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = new.item AND library = new.library;
END;

CREATE TRIGGER change_of_file AFTER UPDATE OF place, cid, size, facts ON file
WHEN old.cid IS NOT new.cid OR old.size IS NOT new.size OR old.facts IS NOT new.facts
    OR (new.place IS NOT NULL AND old.place IS NOT new.place) BEGIN
    DELETE FROM change WHERE item = new.item AND library = new.library;
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = new.item AND library = new.library;
END;

CREATE TRIGGER change_of_new_overview AFTER INSERT ON overview
WHEN EXISTS (SELECT 1 FROM change WHERE item = new.item) BEGIN
    DELETE FROM change WHERE item = new.item AND library = (SELECT library FROM item WHERE n = new.item);
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = new.item;
END;

CREATE TRIGGER change_of_overview AFTER UPDATE ON overview
WHEN old.text <> new.text AND EXISTS (SELECT 1 FROM change WHERE item = new.item) BEGIN
    DELETE FROM change WHERE item = new.item AND library = (SELECT library FROM item WHERE n = new.item);
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = new.item;
END;

CREATE TRIGGER change_of_removed_overview AFTER DELETE ON overview
WHEN EXISTS (SELECT 1 FROM item WHERE n = old.item) AND EXISTS (SELECT 1 FROM change WHERE item = old.item) BEGIN
    DELETE FROM change WHERE item = old.item AND library = (SELECT library FROM item WHERE n = old.item);
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = old.item;
END;

-- What a friend's node tells of an item of its own, in place of a row of `file`: nothing of it is on this disk. `item.state` is
-- 'trashed' while a twin stands for it, or while it is gone and only somebody's progress is kept, so that no list, count or
-- search holds it; `state` here is what the friend says. `item.poster` and `item.backdrop` are not paths, but tell that the
-- friend has one.
CREATE TABLE remote (
    item    INTEGER PRIMARY KEY REFERENCES item (n) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    twin    INTEGER REFERENCES item (n) ON DELETE SET NULL,     -- the item that is shown instead
    cid     TEXT,
    size    INTEGER,
    width   INTEGER,
    height  INTEGER,
    hdr     TEXT,
    name    TEXT,                               -- of the file, without its folder
    facts   TEXT                                -- JSON of media::Facts
) STRICT;

CREATE INDEX remote_by_cid  ON remote (cid)  WHERE cid IS NOT NULL;
CREATE INDEX remote_by_twin ON remote (twin) WHERE twin IS NOT NULL;

-- How far a friend's changes are known here: what its node wants to be asked with next.
CREATE TABLE friend_cursor (
    friend     TEXT PRIMARY KEY,
    cursor     TEXT NOT NULL,
    synced_at  INTEGER NOT NULL                 -- Unix milliseconds
) STRICT, WITHOUT ROWID;
