-- Owned by src/catalog: playlists that follow `.m3u` files in libraries of music. They belong to nobody (`playlist.owner` is empty), and
-- whoever may see the library sees them.
CREATE TABLE playlist_file (
    playlist     INTEGER PRIMARY KEY REFERENCES playlist (n) ON DELETE CASCADE,
    library      TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    place        BLOB NOT NULL,                 -- below the library's root
    size         INTEGER NOT NULL,              -- bytes, as it was read
    modified_ns  INTEGER NOT NULL,
    wanted       INTEGER NOT NULL,              -- tracks that it names; those that were not there are looked for again
    UNIQUE (library, place)
) STRICT;
CREATE TRIGGER playlist_of_file AFTER DELETE ON playlist_file BEGIN
    DELETE FROM playlist WHERE n = old.playlist;
END;
