-- Owned by src/accounts: bits a second that a friend's node may take from this one; absent where the setting for all counts.

ALTER TABLE friend ADD COLUMN upload_rate INTEGER;
