-- For whom of a node's people a library is: a JSON array of names, as the node where they sign in calls them; null for everybody
-- there. An array that cannot be read names nobody.

-- Owned by src/accounts: for whom at a friend's node a library of ours is.
ALTER TABLE friend_library ADD COLUMN people TEXT;

-- Owned by src/catalog: for whom here a friend's library is, as its node told.
ALTER TABLE library ADD COLUMN people TEXT;
