//! What the people of a node tell each other: the last messages, for whoever signs in.
use rusqlite::params;

use super::{Catalog, CatalogError};

/// Messages kept; the oldest go first.
const KEPT: u32 = 500;
/// Longest message, in characters.
const TEXT_MAX: usize = 2000;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who wrote it, as the account was called then.
    pub name: String,
    /// Unix milliseconds; later than of the message before it.
    pub time: i64,
    /// One to 2000 characters.
    pub text: String,
}

impl Catalog {
    /// Messages later than `since` (Unix milliseconds), oldest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn chat(&self, since: i64) -> Result<Vec<ChatMessage>, CatalogError> {
        let sql = "SELECT name, time, text FROM chat_message WHERE time > ?1 ORDER BY n";
        let read = self.database.read(move |c| {
            let message = |r: &rusqlite::Row<'_>| Ok(ChatMessage { name: r.get(0)?, time: r.get(1)?, text: r.get(2)? });
            c.prepare_cached(sql)?.query_map([since], message)?.collect()
        });
        Ok(read.await?)
    }

    /// Adds a message of somebody.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for an empty or endless one.
    pub async fn say(&self, name: &str, text: &str) -> Result<(), CatalogError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > TEXT_MAX {
            return Err(CatalogError::Invalid(format!("message: has 1 to {TEXT_MAX} characters")));
        }
        let (name, text, now) = (name.to_owned(), text.to_owned(), (self.clock)());
        let written = self.database.write(move |t| {
            // Whoever asks for what came since the last one it saw misses none of the same millisecond.
            let sql = "INSERT INTO chat_message (name, time, text) \
                SELECT ?1, max(?2, ifnull((SELECT max(time) + 1 FROM chat_message), 0)), ?3";
            t.execute(sql, params![name, now, text])?;
            t.execute("DELETE FROM chat_message WHERE n <= (SELECT max(n) FROM chat_message) - ?1", [KEPT])
        });
        written.await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::database::{Database, DatabaseOptions, migrations};

    #[tokio::test]
    async fn messages_of_one_moment_come_after_each_other_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let database = Database::open(&path, &DatabaseOptions::default(), migrations::CATALOG).unwrap();
        let catalog = Catalog::with_clock(database, Arc::new(|| 1000));
        for n in 0..KEPT + 2 {
            catalog.say("Ada", &format!("message {n}")).await.unwrap();
        }
        let all = catalog.chat(0).await.unwrap();
        assert_eq!(all.len(), KEPT as usize);
        assert_eq!(all[0].text, "message 2");
        let last = &all[all.len() - 2];
        assert_eq!(catalog.chat(last.time).await.unwrap().len(), 1, "each has a time of its own");
        assert!(matches!(catalog.say("Ada", " \n").await, Err(CatalogError::Invalid(_))));
    }
}
