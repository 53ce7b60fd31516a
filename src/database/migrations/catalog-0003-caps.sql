-- Owned by src/accounts: bits a second that a film may have for an account; absent without a limit.

ALTER TABLE account ADD COLUMN max_bit_rate INTEGER;
