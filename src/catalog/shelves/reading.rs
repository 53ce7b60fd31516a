//! How far somebody is in a series or a read list, and marking books as read: the same facts as everywhere.
use rusqlite::{Connection, Transaction, params};

use crate::catalog::items::number_of;
use crate::catalog::model::{Id, Progress};
use crate::catalog::{Catalog, CatalogError, progress};

/// How far an account is in books that follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Continuous {
    pub books: u32,
    pub read: u32,
    pub started: u32,
    /// Of the last book that was read to the end with all before it: its number, 0 for none.
    pub last_number: f64,
    /// How many were read to the end, from the first on without a gap.
    pub last_index: u32,
    /// The greatest number.
    pub max_number: f64,
}

/// Which books shall be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Marked {
    /// All.
    All,
    /// Those with at most this number.
    Number(f64),
    /// The first so many.
    First(u32),
}

struct Step {
    id: Id,
    number: f64,
    pages: u32,
    completed: Option<bool>,
}

impl Catalog {
    /// How far an account is in a series.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn series_progress(&self, series: &str, account: &str) -> Result<Continuous, CatalogError> {
        let (series, account) = (series.to_owned(), account.to_owned());
        Ok(self.database.read(move |c| Ok(walk(&of_series(c, &series, &account)?))).await?)
    }

    /// How far an account is in a read list, in those of its books that are in these libraries.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn list_progress(
        &self,
        list: &str,
        libraries: Vec<Id>,
        account: &str,
    ) -> Result<Continuous, CatalogError> {
        let (list, account) = (list.to_owned(), account.to_owned());
        Ok(self.database.read(move |c| Ok(walk(&of_list(c, &list, &libraries, &account)?))).await?)
    }

    /// Remembers that an account read these books of a series. What it read before stays read.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn mark_series(&self, series: &str, account: &str, which: Marked) -> Result<(), CatalogError> {
        let (series, id) = (series.to_owned(), account.to_owned());
        self.mark(account, which, move |c| of_series(c, &series, &id)).await
    }

    /// The same for the books of a read list that are in these libraries.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn mark_list(
        &self,
        list: &str,
        libraries: Vec<Id>,
        account: &str,
        which: Marked,
    ) -> Result<(), CatalogError> {
        let (list, id) = (list.to_owned(), account.to_owned());
        self.mark(account, which, move |c| of_list(c, &list, &libraries, &id)).await
    }

    /// Forgets what an account read of a series.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn unmark_series(&self, series: &str, account: &str) -> Result<(), CatalogError> {
        let (series, account, now) = (series.to_owned(), account.to_owned(), (self.clock)());
        let forget = move |t: &Transaction<'_>| {
            for step in of_series(t, &series, &account)?.iter().filter(|step| step.completed.is_some()) {
                progress::set(t, &account, &step.id, Progress { position: 0.0, completed: false }, (now, now))?;
            }
            Ok(())
        };
        self.database.write(forget).await?;
        self.watched.send_replace(());
        Ok(())
    }

    async fn mark<F>(&self, account: &str, which: Marked, steps: F) -> Result<(), CatalogError>
    where
        F: FnOnce(&Connection) -> rusqlite::Result<Vec<Step>> + Send + 'static,
    {
        let (account, now) = (account.to_owned(), (self.clock)());
        let write = move |t: &Transaction<'_>| {
            for step in wanted(steps(t)?, which) {
                let read = Progress { position: f64::from(step.pages), completed: true };
                progress::set(t, &account, &step.id, read, (now, now))?;
            }
            Ok(())
        };
        self.database.write(write).await?;
        self.watched.send_replace(());
        Ok(())
    }
}

/// Those that are to be marked and are not read yet.
fn wanted(steps: Vec<Step>, which: Marked) -> impl Iterator<Item = Step> {
    let within = move |n: usize, step: &Step| match which {
        Marked::All => true,
        Marked::Number(last) => step.number <= last,
        Marked::First(count) => n < count as usize,
    };
    let all = steps.into_iter().enumerate();
    all.filter(move |(n, step)| within(*n, step) && step.completed != Some(true)).map(|(_, step)| step)
}

fn walk(steps: &[Step]) -> Continuous {
    let count = |wanted: Option<bool>| steps.iter().filter(|step| step.completed == wanted).count() as u32;
    let in_a_row: Vec<&Step> = steps.iter().take_while(|step| step.completed == Some(true)).collect();
    Continuous {
        books: steps.len() as u32,
        read: count(Some(true)),
        started: count(Some(false)),
        last_number: in_a_row.last().map_or(0.0, |step| step.number),
        last_index: in_a_row.len() as u32,
        max_number: steps.iter().map(|step| step.number).fold(0.0, f64::max),
    }
}

const STEP: &str = "SELECT i.id, ifnull(b.number_sort, 0.0), ifnull(b.pages, 0), p.completed FROM item AS i \
    LEFT JOIN book AS b ON b.item = i.n LEFT JOIN progress AS p ON p.item = i.n AND p.account = ?2";

fn steps(c: &Connection, rest: &str, values: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<Vec<Step>> {
    let step =
        |r: &rusqlite::Row<'_>| Ok(Step { id: r.get(0)?, number: r.get(1)?, pages: r.get(2)?, completed: r.get(3)? });
    c.prepare_cached(&format!("{STEP} {rest}"))?.query_map(values, step)?.collect()
}

fn of_series(c: &Connection, series: &str, account: &str) -> rusqlite::Result<Vec<Step>> {
    let rest = format!("WHERE i.show = {} AND i.state <> 'trashed' ORDER BY i.sort_key, i.n", number_of("?1"));
    steps(c, &rest, params![series, account])
}

fn of_list(c: &Connection, list: &str, libraries: &[Id], account: &str) -> rusqlite::Result<Vec<Step>> {
    let rest = "JOIN shelf_list_item AS li ON li.item = i.n JOIN shelf_list AS sl ON sl.id = li.list \
        WHERE li.list = ?1 AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(?3)) \
        ORDER BY CASE WHEN sl.ordered THEN '' ELSE ifnull(b.release_date, '~') END, li.place";
    steps(c, rest, params![list, account, serde_json::Value::from(libraries.to_vec()).to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: f64, completed: Option<bool>) -> Step {
        Step { id: String::new(), number, pages: 1, completed }
    }

    #[test]
    fn counting_stops_at_the_first_book_that_is_not_finished() {
        let steps = [step(1.0, Some(true)), step(1.5, Some(true)), step(2.0, Some(false)), step(3.0, Some(true))];
        let told = walk(&steps);
        assert_eq!((told.books, told.read, told.started), (4, 3, 1));
        assert_eq!((told.last_number, told.last_index, told.max_number), (1.5, 2, 3.0));
        assert_eq!(walk(&[]), Continuous::default());
    }

    #[test]
    fn what_is_read_is_not_marked_again() {
        let steps = || vec![step(1.0, Some(true)), step(2.0, None), step(3.0, None)];
        let numbers = |which| wanted(steps(), which).map(|step| step.number).collect::<Vec<_>>();
        assert_eq!(numbers(Marked::Number(2.0)), [2.0]);
        assert_eq!(numbers(Marked::First(3)), [2.0, 3.0]);
        assert_eq!(numbers(Marked::All), [2.0, 3.0]);
        assert!(numbers(Marked::First(0)).is_empty());
    }
}
