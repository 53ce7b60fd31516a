-- Owned by src/catalog: the covers that came from another program, with the ids that they had there. A row outlives its cover: what
-- was removed here does not come back.
CREATE TABLE moved_cover (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
