//! Who has an account with Komga, and with which keys.
use std::collections::{HashMap, HashSet};

use data_encoding::HEXLOWER_PERMISSIVE;
use rusqlite::Connection;

use crate::library::move_in::table::{self, Table};

/// Somebody.
pub(in crate::library::move_in) struct User {
    pub id: String,
    pub email: String,
    /// A bcrypt hash.
    pub password: String,
    pub admin: bool,
    /// Ids of the libraries that they may see; `None` for all.
    pub libraries: Option<Vec<String>>,
    /// They may not see what has some age rating or label.
    pub restricted: bool,
    /// They may not read pages, or take files.
    pub barred: bool,
    pub keys: Vec<Key>,
}

/// An API key.
#[derive(Clone)]
pub(in crate::library::move_in) struct Key {
    pub id: String,
    pub name: String,
    /// SHA-512 of its secret.
    pub sha512: [u8; 64],
    /// Unix milliseconds.
    pub created_at: i64,
}

/// All of them.
pub(super) fn users(c: &Connection) -> rusqlite::Result<Vec<User>> {
    let (shared, roles) = (shared(c)?, roles(c)?);
    let (mut keys, labelled) = (keys(c)?, labelled(c)?);
    let columns = [
        "id",
        "email",
        "password",
        "shared_all_libraries",
        "age_restriction",
        "role_admin",
        "role_file_download",
        "role_page_streaming",
    ];
    let old = table::has(c, "user", &["role_admin"])?;
    let mut all = Vec::new();
    Table::of(c, "user", &columns)?.each(c, |f| {
        let id = f.id(0);
        let role = |name: &str, column| {
            if old { f.flag(column) } else { roles.contains(&(id.clone(), name.to_owned())) }
        };
        let admin = role("ADMIN", 5);
        let everything = admin || f.flag(3);
        all.push(User {
            email: f.text(1, 400).unwrap_or_default(),
            password: f.text(2, 200).unwrap_or_default(),
            admin,
            libraries: (!everything).then(|| shared.get(&id).cloned().unwrap_or_default()),
            restricted: f.whole(4).is_some() || labelled.contains(&id),
            barred: !(role("FILE_DOWNLOAD", 6) && role("PAGE_STREAMING", 7)),
            keys: keys.remove(&id).unwrap_or_default(),
            id,
        });
    })?;
    Ok(all)
}

fn shared(c: &Connection) -> rusqlite::Result<HashMap<String, Vec<String>>> {
    let mut shared: HashMap<String, Vec<String>> = HashMap::new();
    let table = Table::of(c, "user_library_sharing", &["user_id", "library_id"])?;
    table.each(c, |f| shared.entry(f.id(0)).or_default().push(f.id(1)))?;
    Ok(shared)
}

fn roles(c: &Connection) -> rusqlite::Result<HashSet<(String, String)>> {
    let mut roles = HashSet::new();
    Table::of(c, "user_role", &["user_id", "role"])?.each(c, |f| {
        roles.insert((f.id(0), f.text(1, 64).unwrap_or_default()));
    })?;
    Ok(roles)
}

fn labelled(c: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut labelled = HashSet::new();
    Table::of(c, "user_sharing", &["user_id"])?.each(c, |f| {
        labelled.insert(f.id(0));
    })?;
    Ok(labelled)
}

fn keys(c: &Connection) -> rusqlite::Result<HashMap<String, Vec<Key>>> {
    let mut keys: HashMap<String, Vec<Key>> = HashMap::new();
    Table::of(c, "user_api_key", &["user_id", "id", "api_key", "comment", "created_date"])?.each(c, |f| {
        let hash = f.text(2, 200).unwrap_or_default();
        let sha512 = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        if let Some(sha512) = sha512 {
            let (name, created_at) = (f.text(3, 200).unwrap_or_default(), f.time(4).unwrap_or_default());
            keys.entry(f.id(0)).or_default().push(Key { id: f.id(1), name, sha512, created_at });
        }
    })?;
    Ok(keys)
}
