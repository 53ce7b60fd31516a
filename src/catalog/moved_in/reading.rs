//! How far people read elsewhere: facts like those of other nodes, the later of which wins.
use rusqlite::{OptionalExtension, Transaction};

use crate::catalog::model::{Id, Progress};
use crate::catalog::progress;

/// How far somebody was in a book.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedReading {
    /// Account here.
    pub account: Id,
    /// Number of the book.
    pub item: i64,
    /// Page that was read last, from 1 on.
    pub page: u32,
    /// Of how many, where they are counted otherwise than here: the same share of the pages here is meant.
    pub of: Option<u32>,
    pub completed: bool,
    /// Unix milliseconds.
    pub read_at: i64,
    /// When it was written, in Unix milliseconds: what tells which of two facts is later.
    pub written_at: i64,
}

/// What became of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenReading {
    /// Later than what was known.
    pub taken: u64,
    /// Known, or older than what is known.
    pub known: u64,
}

/// See [`super::Catalog::take_reading`].
pub(super) fn take(t: &Transaction<'_>, facts: &[MovedReading], now: i64) -> rusqlite::Result<TakenReading> {
    let mut taken = TakenReading::default();
    for told in facts {
        let sql = "SELECT i.id, ifnull(b.pages, 0) FROM item AS i LEFT JOIN book AS b ON b.item = i.n WHERE i.n = ?1";
        let book: Option<(Id, u32)> =
            t.prepare_cached(sql)?.query_row([told.item], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        let Some((id, pages)) = book else { continue };
        let progress = Progress { position: page(told, pages).into(), completed: told.completed };
        let fact = (told.read_at.clamp(0, now), told.written_at.clamp(0, now));
        if progress::take_own(t, &told.account, &id, progress, fact)? {
            taken.taken += 1;
        } else {
            taken.known += 1;
        }
    }
    Ok(taken)
}

fn page(told: &MovedReading, pages: u32) -> u32 {
    if pages == 0 {
        return told.page;
    }
    if told.completed {
        return pages;
    }
    let page = match told.of.filter(|of| *of > 0) {
        Some(of) => (u64::from(told.page) * u64::from(pages)).div_ceil(of.into()).min(pages.into()) as u32,
        None => told.page,
    };
    page.clamp(1, pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(page: u32, of: Option<u32>, completed: bool) -> MovedReading {
        MovedReading { account: String::new(), item: 1, page, of, completed, read_at: 0, written_at: 0 }
    }

    #[test]
    fn a_page_stays_within_the_book_and_one_that_is_counted_otherwise_is_the_same_share() {
        assert_eq!(page(&told(7, None, false), 20), 7);
        assert_eq!(page(&told(70, None, false), 20), 20);
        assert_eq!(page(&told(50, Some(100), false), 8), 4);
        assert_eq!(page(&told(u32::MAX, Some(1), false), 8), 8);
        assert_eq!(page(&told(0, Some(0), false), 8), 1);
        assert_eq!(page(&told(3, None, true), 8), 8);
        assert_eq!(page(&told(3, None, false), 0), 3);
    }
}
