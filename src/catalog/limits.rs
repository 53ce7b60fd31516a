//! For whom here libraries are that friends share with some of our people only.
//!
//! Who is asking is not the catalog's business: it tells the one who decides that, within the transaction that changes a list, so
//! that nobody sees for a moment what is not for them.
use std::collections::HashMap;
use std::sync::OnceLock;

use rusqlite::Connection;

use super::model::Id;
use super::{Catalog, CatalogError};

/// Library to the names of those whom it is for; one that is for everybody is not in it.
pub type Limits = HashMap<Id, Vec<String>>;

type Tell = Box<dyn Fn(Limits) + Send + Sync>;

/// Who is told of all lists whenever one may have changed.
#[derive(Default)]
pub(super) struct Listener(OnceLock<Tell>);

impl Listener {
    /// To be called at the end of a transaction.
    pub fn tell(&self, c: &Connection) -> rusqlite::Result<()> {
        let Some(tell) = self.0.get() else { return Ok(()) };
        tell(all(c)?);
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
        let listen = move |c: &rusqlite::Transaction<'_>| {
            let _ = limits.0.set(Box::new(tell));
            limits.tell(c)
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
