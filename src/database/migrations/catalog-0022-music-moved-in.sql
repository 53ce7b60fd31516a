-- Owned by src/catalog: what another program told of music last, for each account, so that it can be told again. `kind` says what of:
-- 'item' and 'artist' are opinions, and `target` is a row of those tables; 'bookmark' is one in the track that is `target`; 'queue' is
-- the account's, and `target` 0. Rows outlive what was made of them: what was taken away here does not come back.
CREATE TABLE moved_fact (
    account  TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('item', 'artist', 'bookmark', 'queue')),
    target   INTEGER NOT NULL,
    told     TEXT NOT NULL,
    PRIMARY KEY (account, kind, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX moved_fact_target ON moved_fact (kind, target);
CREATE TRIGGER moved_fact_of_item AFTER DELETE ON item BEGIN
    DELETE FROM moved_fact WHERE kind IN ('item', 'bookmark') AND target = old.n;
END;
