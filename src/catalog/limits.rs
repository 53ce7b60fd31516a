//! For whom here libraries are that friends share with some of our people only.
//!
//! Who is asking is not the catalog's business: it tells the one who decides that, within the transaction that changes a list, so
//! that nobody sees for a moment what is not for them. For the same reason a list outlives its library, until that comes back.
use std::collections::HashMap;
use std::sync::OnceLock;

use parking_lot::Mutex;
use rusqlite::{Connection, Transaction};

use super::model::Id;
use super::{Catalog, CatalogError};

/// Library to the names of those whom it is for; one that is for everybody is not in it.
pub type Limits = HashMap<Id, Vec<String>>;

type Tell = Box<dyn Fn(Limits) + Send + Sync>;

/// Who is told of all lists whenever one may have changed.
#[derive(Default)]
pub(super) struct Listener {
    tell: OnceLock<Tell>,
    /// What was told last.
    told: Mutex<Limits>,
}

impl Listener {
    /// To be called at the end of a transaction. Others still see what was there before it.
    pub fn tell(&self, t: &Transaction<'_>) -> rusqlite::Result<()> {
        let Some(tell) = self.tell.get() else { return Ok(()) };
        let mut limits = all(t)?;
        let mut told = self.told.lock();
        for (library, people) in told.iter() {
            if !limits.contains_key(library) && !exists(t, library)? {
                limits.insert(library.clone(), people.clone());
            }
        }
        told.clone_from(&limits);
        tell(limits);
        Ok(())
    }
}

impl Catalog {
    /// Has `tell` know for whom libraries of friends are: now, and from then on before any of it can be seen. Only the first one
    /// is told.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn tell_limits(&self, tell: impl Fn(Limits) + Send + Sync + 'static) -> Result<(), CatalogError> {
        let limits = self.limits.clone();
        let listen = move |t: &Transaction<'_>| {
            let _ = limits.tell.set(Box::new(tell));
            limits.tell(t)
        };
        Ok(self.database.write(listen).await?)
    }
}

/// Those that were withdrawn too: they may come back. A list that cannot be read names nobody.
fn all(c: &Connection) -> rusqlite::Result<Limits> {
    let sql = "SELECT id, people FROM library WHERE people IS NOT NULL";
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([], |r| {
        let people: String = r.get(1)?;
        Ok((r.get(0)?, serde_json::from_str(&people).unwrap_or_default()))
    })?;
    rows.collect()
}

fn exists(c: &Connection, library: &str) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM library WHERE id = ?1)")?.query_row([library], |r| r.get(0))
}
