//! Every SQL statement of the accounts but those of friends, invites, app passwords and the audit worker.
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::directory::{Directory, Key, Person, Session};
use super::sessions::SessionKind;
use super::{Account, TokenHash, app_passwords, friends, guests};

type Rows<T> = Result<T, rusqlite::Error>;

/// Everything, for the copy in memory.
pub(super) fn load(c: &Connection) -> Rows<Directory> {
    let mut directory = Directory::default();
    load_people(c, &mut directory)?;
    let mut sessions =
        c.prepare_cached("SELECT hash, account, created_at, used_at, expires_at, kind, api_key FROM session")?;
    let rows = sessions.query_map([], |r| {
        let session = Session {
            kind: SessionKind::of_word(&r.get::<_, String>(5)?),
            api_key: r.get(6)?,
            account: r.get(1)?,
            created_at: r.get(2)?,
            used_at: r.get(3)?,
            expires_at: r.get(4)?,
        };
        Ok((TokenHash::from(r.get::<_, [u8; 32]>(0)?), session))
    })?;
    directory.sessions = rows.collect::<Rows<_>>()?;
    let mut keys = c.prepare_cached("SELECT hash, id, account, name, created_at, used_at FROM api_key")?;
    let rows = keys.query_map([], |r| {
        let key = Key { id: r.get(1)?, account: r.get(2)?, name: r.get(3)?, created_at: r.get(4)?, used_at: r.get(5)? };
        Ok((TokenHash::from(r.get::<_, [u8; 32]>(0)?), key))
    })?;
    directory.keys = rows.collect::<Rows<_>>()?;
    directory.apps = app_passwords::load(c)?;
    friends::load(c, &mut directory)?;
    guests::load(c, &mut directory)?;
    Ok(directory)
}

fn load_people(c: &Connection, directory: &mut Directory) -> Rows<()> {
    let mut people =
        c.prepare_cached("SELECT id, name, name_key, password, admin, everything, max_bit_rate FROM account")?;
    let mut rows = people.query([])?;
    while let Some(r) = rows.next()? {
        let libraries = if r.get(5)? { None } else { Some(Vec::new()) };
        let max_bit_rate = r.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned);
        let (id, name, admin) = (r.get(0)?, r.get(1)?, r.get(4)?);
        let account = Account { id, name, admin, libraries, hidden: Vec::new(), max_bit_rate, home: None };
        directory.names.insert(r.get(2)?, account.id.clone());
        directory.people.insert(account.id.clone(), Person { account, password: r.get(3)? });
    }
    let mut access = c.prepare_cached("SELECT account, library FROM account_library ORDER BY account, library")?;
    let mut rows = access.query([])?;
    while let Some(r) = rows.next()? {
        let person = directory.people.get_mut(&r.get::<_, String>(0)?);
        if let Some(libraries) = person.and_then(|p| p.account.libraries.as_mut()) {
            libraries.push(r.get(1)?);
        }
    }
    Ok(())
}

pub(super) fn name_taken(t: &Transaction<'_>, key: &str, except: &str) -> Rows<bool> {
    let sql = "SELECT 1 FROM account WHERE name_key = ?1 AND id <> ?2";
    Ok(t.query_row(sql, params![key, except], |_| Ok(())).optional()?.is_some())
}

pub(super) fn admins_besides(t: &Transaction<'_>, id: &str) -> Rows<u32> {
    t.query_row("SELECT count(*) FROM account WHERE admin = 1 AND id <> ?1", [id], |r| r.get(0))
}

pub(super) fn insert_account(t: &Transaction<'_>, account: &Account, key: &str, password: &str, now: i64) -> Rows<()> {
    t.execute(
        "INSERT INTO account (id, name, name_key, password, admin, everything, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![account.id, account.name, key, password, account.admin, account.libraries.is_none(), now],
    )?;
    set_max_bit_rate(t, &account.id, account.max_bit_rate)?;
    set_libraries(t, &account.id, account.libraries.as_deref())
}

pub(super) fn set_name(t: &Transaction<'_>, id: &str, name: &str, key: &str) -> Rows<usize> {
    t.execute("UPDATE account SET name = ?2, name_key = ?3 WHERE id = ?1", params![id, name, key])
}

pub(super) fn set_password(t: &Transaction<'_>, id: &str, password: &str) -> Rows<usize> {
    t.execute("UPDATE account SET password = ?2 WHERE id = ?1", params![id, password])
}

/// Writes the same password in another form; nothing where it was changed meanwhile.
pub(super) fn renew_password(t: &Transaction<'_>, id: &str, old: &str, new: &str) -> Rows<usize> {
    t.execute("UPDATE account SET password = ?3 WHERE id = ?1 AND password = ?2", params![id, old, new])
}

/// The account that somebody of another program became, and whether it is there.
pub(super) fn moved_account(t: &Transaction<'_>, id: &str) -> Rows<Option<(String, bool)>> {
    let sql = "SELECT m.account, a.id IS NOT NULL FROM moved_account AS m LEFT JOIN account AS a ON a.id = m.account WHERE m.id = ?1";
    t.query_row(sql, [id], |r| Ok((r.get(0)?, r.get(1)?))).optional()
}

pub(super) fn insert_moved_account(t: &Transaction<'_>, id: &str, account: &str) -> Rows<usize> {
    t.execute("INSERT OR REPLACE INTO moved_account VALUES (?1, ?2)", [id, account])
}

/// Remembers that a key came along. `false`: it did before.
pub(super) fn insert_moved_key(t: &Transaction<'_>, id: &str) -> Rows<bool> {
    Ok(t.execute("INSERT OR IGNORE INTO moved_key VALUES (?1)", [id])? > 0)
}

/// The account of this name.
pub(super) fn account_named(t: &Transaction<'_>, key: &str) -> Rows<Option<String>> {
    t.query_row("SELECT id FROM account WHERE name_key = ?1", [key], |r| r.get(0)).optional()
}

/// Whether a key has this id or this hash.
pub(super) fn key_taken(t: &Transaction<'_>, id: &str, hash: &TokenHash) -> Rows<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM api_key WHERE id = ?1 OR hash = ?2)";
    t.query_row(sql, params![id, hash.bytes()], |r| r.get(0))
}

pub(super) fn set_admin(t: &Transaction<'_>, id: &str, admin: bool) -> Rows<usize> {
    t.execute("UPDATE account SET admin = ?2 WHERE id = ?1", params![id, admin])
}

pub(super) fn set_max_bit_rate(t: &Transaction<'_>, id: &str, limit: Option<u64>) -> Rows<usize> {
    t.execute("UPDATE account SET max_bit_rate = ?2 WHERE id = ?1", params![id, limit.map(u64::cast_signed)])
}

pub(super) fn set_libraries(t: &Transaction<'_>, id: &str, libraries: Option<&[String]>) -> Rows<()> {
    t.execute("UPDATE account SET everything = ?2 WHERE id = ?1", params![id, libraries.is_none()])?;
    t.execute("DELETE FROM account_library WHERE account = ?1", [id])?;
    for library in libraries.unwrap_or_default() {
        t.execute("INSERT OR IGNORE INTO account_library (account, library) VALUES (?1, ?2)", params![id, library])?;
    }
    Ok(())
}

pub(super) fn delete_account(t: &Transaction<'_>, id: &str) -> Rows<usize> {
    t.execute("DELETE FROM account WHERE id = ?1", [id])
}

pub(super) fn account_exists(t: &Transaction<'_>, id: &str) -> Rows<bool> {
    Ok(t.query_row("SELECT 1 FROM account WHERE id = ?1", [id], |_| Ok(())).optional()?.is_some())
}

/// Whether an account of ours, or a guest who may be here, has this id.
pub(super) fn person_exists(t: &Transaction<'_>, id: &str) -> Rows<bool> {
    let sql = "SELECT 1 FROM account WHERE id = ?1 UNION ALL \
        SELECT 1 FROM guest AS g JOIN friend AS f ON f.id = g.friend WHERE g.id = ?1 AND f.enabled AND f.hosts";
    Ok(t.query_row(sql, [id], |_| Ok(())).optional()?.is_some())
}

pub(super) fn insert_session(t: &Transaction<'_>, hash: &TokenHash, session: &Session) -> Rows<()> {
    t.execute(
        "INSERT INTO session (hash, account, created_at, used_at, expires_at, kind, api_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            hash.bytes(),
            session.account,
            session.created_at,
            session.used_at,
            session.expires_at,
            session.kind.word(),
            session.api_key
        ],
    )?;
    Ok(())
}

/// Keeps the `keep` sessions of an account and kind that were used last.
pub(super) fn drop_oldest_sessions(t: &Transaction<'_>, account: &str, kind: SessionKind, keep: usize) -> Rows<usize> {
    t.execute(
        "DELETE FROM session WHERE hash IN
         (SELECT hash FROM session WHERE account = ?1 AND kind = ?3 ORDER BY used_at DESC, created_at DESC LIMIT -1 OFFSET ?2)",
        params![account, i64::try_from(keep).unwrap_or(i64::MAX), kind.word()],
    )
}

pub(super) fn drop_expired_sessions(t: &Transaction<'_>, now: i64) -> Rows<usize> {
    t.execute("DELETE FROM session WHERE expires_at <= ?1", [now])
}

pub(super) fn delete_session(t: &Transaction<'_>, hash: &TokenHash) -> Rows<usize> {
    t.execute("DELETE FROM session WHERE hash = ?1", [hash.bytes()])
}

/// Signs an account out everywhere, but for one session.
pub(super) fn delete_sessions_of(t: &Transaction<'_>, account: &str, except: Option<&TokenHash>) -> Rows<usize> {
    let except = except.map_or(&[][..], |hash| hash.bytes());
    t.execute("DELETE FROM session WHERE account = ?1 AND hash <> ?2", params![account, except])
}

pub(super) fn insert_key(t: &Transaction<'_>, hash: &TokenHash, key: &Key) -> Rows<()> {
    t.execute(
        "INSERT INTO api_key (id, account, name, hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![key.id, key.account, key.name, hash.bytes(), key.created_at],
    )?;
    Ok(())
}

/// Whether a key was not revoked.
pub(super) fn key_exists(t: &Transaction<'_>, id: &str) -> Rows<bool> {
    Ok(t.query_row("SELECT 1 FROM api_key WHERE id = ?1", [id], |_| Ok(())).optional()?.is_some())
}

pub(super) fn count_keys(t: &Transaction<'_>, account: &str) -> Rows<u32> {
    t.query_row("SELECT count(*) FROM api_key WHERE account = ?1", [account], |r| r.get(0))
}

pub(super) fn delete_key(t: &Transaction<'_>, account: &str, id: &str) -> Rows<usize> {
    t.execute("DELETE FROM api_key WHERE account = ?1 AND id = ?2", params![account, id])
}

pub(super) fn delete_keys_of(t: &Transaction<'_>, account: &str) -> Rows<usize> {
    t.execute("DELETE FROM api_key WHERE account = ?1", [account])
}
