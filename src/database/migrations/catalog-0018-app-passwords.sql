-- Owned by src/accounts: passwords that a machine made for programs of an account, see src/accounts/app_passwords. Neither column
-- below tells the password without the key beside the database.
CREATE TABLE app_password (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    -- HMAC-SHA-256 of the password: what it is looked up by.
    digest     BLOB NOT NULL UNIQUE,
    -- Nonce, AES-256-GCM of the password bound to account and id, tag.
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX app_password_by_account ON app_password (account);

-- Owned by src/catalog: stations on the internet, and what people tell each other, both for programs that play music.
CREATE TABLE station (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL,
    stream    TEXT NOT NULL,
    home_page TEXT
) STRICT;

CREATE TABLE chat_message (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As the account was called then.
    name   TEXT NOT NULL,
    time   INTEGER NOT NULL,                    -- Unix milliseconds
    text   TEXT NOT NULL
) STRICT;
