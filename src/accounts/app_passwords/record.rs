//! The table of app passwords.
use std::collections::HashMap;

use rusqlite::{Connection, Transaction, params};

use crate::accounts::TokenHash;
use crate::accounts::directory::App;

type Rows<T> = Result<T, rusqlite::Error>;

/// All of them, by digest.
pub(in crate::accounts) fn load(c: &Connection) -> Rows<HashMap<TokenHash, App>> {
    let mut apps =
        c.prepare_cached("SELECT digest, id, account, name, sealed, created_at, used_at FROM app_password")?;
    let rows = apps.query_map([], |r| {
        let app = App {
            id: r.get(1)?,
            account: r.get(2)?,
            name: r.get(3)?,
            sealed: r.get(4)?,
            created_at: r.get(5)?,
            used_at: r.get(6)?,
        };
        Ok((TokenHash::from(r.get::<_, [u8; 32]>(0)?), app))
    })?;
    rows.collect()
}

pub(super) fn insert(t: &Transaction<'_>, digest: &TokenHash, app: &App) -> Rows<()> {
    t.execute(
        "INSERT INTO app_password (id, account, name, digest, sealed, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![app.id, app.account, app.name, digest.bytes(), app.sealed, app.created_at],
    )?;
    Ok(())
}

pub(super) fn count(t: &Transaction<'_>, account: &str) -> Rows<u32> {
    t.query_row("SELECT count(*) FROM app_password WHERE account = ?1", [account], |r| r.get(0))
}

pub(super) fn delete(t: &Transaction<'_>, account: &str, id: &str) -> Rows<usize> {
    t.execute("DELETE FROM app_password WHERE account = ?1 AND id = ?2", params![account, id])
}

pub(in crate::accounts) fn delete_of(t: &Transaction<'_>, account: &str) -> Rows<usize> {
    t.execute("DELETE FROM app_password WHERE account = ?1", [account])
}

pub(in crate::accounts) fn used(t: &Transaction<'_>, digest: &TokenHash, at: i64) -> Rows<usize> {
    t.prepare_cached("UPDATE app_password SET used_at = ?2 WHERE digest = ?1")?.execute(params![digest.bytes(), at])
}
