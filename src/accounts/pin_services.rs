//! Pinning services that keep what is public here, with their tokens: sealed as app passwords are, and shown to nobody; and which
//! libraries each of them shall keep.
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{Accounts, AccountsError};

/// What the token of a service is sealed for, where an app password has its id.
const SEALED_FOR: &str = "pin service";
/// Longest token, in bytes: some services give JSON web tokens.
const TOKEN_MAX: usize = 4096;
/// Longest name, in characters.
const NAME_MAX: usize = 100;
/// Longest address, in bytes.
const URL_MAX: usize = 2000;
/// Services at most.
const SERVICES_MAX: i64 = 50;

/// A service. No `Debug`: it holds the token.
#[derive(Clone)]
pub struct PinService {
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What the paths of the pinning API come after.
    pub url: String,
    /// `None` where it cannot be opened any more, because `apps.key` is another one now.
    pub token: Option<String>,
    /// Unix milliseconds.
    pub added_at: i64,
}

/// A library that a service shall keep, and how that stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PinnedLibrary {
    /// Id of the service.
    pub service: String,
    /// Id of the library.
    pub library: String,
    /// Of the pin.
    pub name: String,
    /// Id of the pin at the service; `None` where it has none, or lost it.
    pub request: Option<String>,
    /// CID of the folder that is pinned.
    pub cid: Option<String>,
    /// As the service told it last: `queued`, `pinning`, `pinned` or `failed`.
    pub status: Option<String>,
    /// Why it is not as it should be.
    pub problem: Option<String>,
    /// How often it was looked at since it was as it should be.
    pub tries: u32,
    /// When it is looked at again: Unix milliseconds.
    pub due_at: i64,
}

impl Accounts {
    /// All services, by name.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn pin_services(&self) -> Result<Vec<PinService>, AccountsError> {
        let sql = "SELECT id, name, url, sealed, added_at FROM pin_service ORDER BY name";
        let read = move |c: &Connection| c.prepare_cached(sql)?.query_map([], service)?.collect::<Result<Vec<_>, _>>();
        let found = self.shared.database.read(read).await?;
        Ok(found.into_iter().map(|found| self.opened(found)).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`], [`AccountsError::Database`].
    pub async fn pin_service(&self, id: &str) -> Result<PinService, AccountsError> {
        let id = id.to_owned();
        let sql = "SELECT id, name, url, sealed, added_at FROM pin_service WHERE id = ?1";
        let read = move |c: &Connection| c.prepare_cached(sql)?.query_row([id], service).optional();
        let found = self.shared.database.read(read).await?.ok_or(AccountsError::NotFound("pinning service"))?;
        Ok(self.opened(found))
    }

    fn opened(&self, (service, sealed): (PinService, Vec<u8>)) -> PinService {
        let token = self.shared.seals.open(&service.id, SEALED_FOR, &sealed);
        PinService { token, ..service }
    }

    /// Adds a service.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for what is no name, address or token; [`AccountsError::Conflict`] where another has the name.
    pub async fn add_pin_service(&self, name: &str, url: &str, token: &str) -> Result<PinService, AccountsError> {
        let name = allowed(name, url, token)?;
        let (id, added_at) = (Uuid::now_v7().to_string(), self.now());
        let sealed = self.shared.seals.seal(&id, SEALED_FOR, token)?;
        let made = PinService { id, name, url: url.to_owned(), token: Some(token.to_owned()), added_at };
        let row = made.clone();
        let write = move |t: &Transaction<'_>| insert(t, &row, &sealed);
        self.shared.database.write(write).await?.map_err(AccountsError::Conflict)?;
        Ok(made)
    }

    /// Forgets a service and its token. What it keeps stays there.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`], [`AccountsError::Database`].
    pub async fn remove_pin_service(&self, id: &str) -> Result<(), AccountsError> {
        let id = id.to_owned();
        let write = move |t: &Transaction<'_>| t.execute("DELETE FROM pin_service WHERE id = ?1", [id]);
        match self.shared.database.write(write).await? {
            0 => Err(AccountsError::NotFound("pinning service")),
            _ => Ok(()),
        }
    }

    /// The libraries that services shall keep.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn pinned_libraries(&self) -> Result<Vec<PinnedLibrary>, AccountsError> {
        let sql = "SELECT service, library, name, request, cid, status, problem, tries, due_at FROM pinned_library \
            ORDER BY service, name, library";
        let read = move |c: &Connection| c.prepare_cached(sql)?.query_map([], pinned)?.collect::<Result<Vec<_>, _>>();
        Ok(self.shared.database.read(read).await?)
    }

    /// A service shall keep a library from now on.
    ///
    /// # Errors
    /// [`AccountsError::Conflict`] where it does already; [`AccountsError::NotFound`] without the service.
    pub async fn pin_library(&self, new: PinnedLibrary) -> Result<(), AccountsError> {
        let write = move |t: &Transaction<'_>| {
            let sql = "INSERT INTO pinned_library (service, library, name, request, cid, status, problem, tries, due_at) \
                SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM pin_service WHERE id = ?1 ON CONFLICT DO NOTHING";
            let PinnedLibrary { service, library, name, request, cid, status, problem, tries, due_at } = &new;
            t.execute(sql, params![service, library, name, request, cid, status, problem, tries, due_at])
        };
        match self.shared.database.write(write).await? {
            0 => Err(AccountsError::Conflict("the service keeps this library already".to_owned())),
            _ => Ok(()),
        }
    }

    /// Writes down how the pin of a library stands; `false` where nobody wants it any more.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn pinned_as(&self, now: PinnedLibrary) -> Result<bool, AccountsError> {
        let write = move |t: &Transaction<'_>| {
            let sql = "UPDATE pinned_library SET request = ?3, cid = ?4, status = ?5, problem = ?6, tries = ?7, due_at = ?8 \
                WHERE service = ?1 AND library = ?2";
            let PinnedLibrary { service, library, name: _, request, cid, status, problem, tries, due_at } = &now;
            t.execute(sql, params![service, library, request, cid, status, problem, tries, due_at])
        };
        Ok(self.shared.database.write(write).await? > 0)
    }

    /// A library is kept by a service no more.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn unpin_library(&self, service: &str, library: &str) -> Result<(), AccountsError> {
        let (service, library) = (service.to_owned(), library.to_owned());
        let sql = "DELETE FROM pinned_library WHERE service = ?1 AND library = ?2";
        self.shared.database.write(move |t: &Transaction<'_>| t.execute(sql, params![service, library])).await?;
        Ok(())
    }
}

fn allowed(name: &str, url: &str, token: &str) -> Result<String, AccountsError> {
    let invalid = |text: String| Err(AccountsError::Invalid(text));
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return invalid(format!("name: must have 1 to {NAME_MAX} characters"));
    }
    if url.is_empty() || url.len() > URL_MAX {
        return invalid(format!("url: must have 1 to {URL_MAX} characters"));
    }
    if token.is_empty() || token.len() > TOKEN_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid(format!("token: must have 1 to {TOKEN_MAX} letters, digits and signs"));
    }
    Ok(name.to_owned())
}

fn insert(t: &Transaction<'_>, new: &PinService, sealed: &[u8]) -> rusqlite::Result<Result<(), String>> {
    let count: i64 = t.query_row("SELECT count(*) FROM pin_service", [], |r| r.get(0))?;
    if count >= SERVICES_MAX {
        return Ok(Err(format!("there are {SERVICES_MAX} pinning services already")));
    }
    let sql =
        "INSERT INTO pin_service (id, name, url, sealed, added_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let added = t.execute(sql, params![new.id, new.name, new.url, sealed, new.added_at])?;
    Ok(if added > 0 { Ok(()) } else { Err(format!("there is a pinning service {} already", new.name)) })
}

fn service(r: &Row<'_>) -> rusqlite::Result<(PinService, Vec<u8>)> {
    let service = PinService { id: r.get(0)?, name: r.get(1)?, url: r.get(2)?, token: None, added_at: r.get(4)? };
    Ok((service, r.get(3)?))
}

fn pinned(r: &Row<'_>) -> rusqlite::Result<PinnedLibrary> {
    Ok(PinnedLibrary {
        service: r.get(0)?,
        library: r.get(1)?,
        name: r.get(2)?,
        request: r.get(3)?,
        cid: r.get(4)?,
        status: r.get(5)?,
        problem: r.get(6)?,
        tries: r.get(7)?,
        due_at: r.get(8)?,
    })
}
