-- Owned by src/accounts: what was told to ListenBrainz, and what failed. Times are Unix milliseconds.
ALTER TABLE listening ADD COLUMN told INTEGER NOT NULL DEFAULT 0;       -- plays that were taken there
ALTER TABLE listening ADD COLUMN told_at INTEGER;                       -- the last of them
ALTER TABLE listening ADD COLUMN failed_at INTEGER;
ALTER TABLE listening ADD COLUMN failure TEXT;                          -- why, as long as nothing was taken after it
