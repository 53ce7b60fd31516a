//! What is new, changed or gone for a reader that syncs: of EPUBs and of read lists, against what it was told before.
//!
//! ```text
//! ask (round that arrived) ──► told later: not known ──► books that differ ──► books that are gone ──► read lists ──► a new round
//! ```
//! A device names the last round that it received, so an answer that is lost on its way is made up for: nothing is taken for told
//! before the device says so. One that names no round, or one of nobody, is told everything. An answer is one transaction and has a
//! limit; a sync of more goes on with the next round.
mod books;
mod lists;

pub use books::BookNews;
pub use lists::ListNews;

use rusqlite::{OptionalExtension, Transaction, params};

use super::ShelfSeries;
use crate::catalog::model::Id;
use crate::catalog::{Catalog, CatalogError, new_id};

/// Devices of one API key whose state is kept; of more, those that came last.
const DEVICES_MAX: i64 = 8;
/// The place after all books.
const PAST_BOOKS: i64 = -1;

/// An answer that a device received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// What we call the device.
    pub device: Id,
    /// From 1 on.
    pub number: i64,
}

/// Who asks for news, and of what.
#[derive(Debug, Clone)]
pub struct DeviceAsk {
    /// Id of the API key that the device has.
    pub api_key: Id,
    /// Whose progress counts.
    pub account: Id,
    /// All that the account may see.
    pub libraries: Vec<Id>,
    /// What the device received last; `None` for one that knows nothing.
    pub last: Option<Round>,
    /// Books and lists of the answer at most.
    pub most: usize,
}

/// What a device has to be told.
#[derive(Debug, Clone)]
pub struct DeviceNews {
    /// Of this answer.
    pub round: Round,
    /// There is more now.
    pub more: bool,
    /// New ones and those that changed.
    pub books: Vec<BookNews>,
    /// The series of these books, each once.
    pub series: Vec<ShelfSeries>,
    /// What the device calls books that it shall not have any more.
    pub gone: Vec<Id>,
    /// New ones and those that changed.
    pub lists: Vec<ListNews>,
    /// Lists that are no more, or of which nothing is left.
    pub lists_gone: Vec<Id>,
}

/// A device within one answer.
struct Device {
    id: Id,
    round: i64,
    place: i64,
}

impl Catalog {
    /// What a device does not know yet. What is in the answer counts as told once the device names its round.
    ///
    /// # Errors
    /// [`CatalogError::Database`], also where there is no such API key.
    pub async fn device_news(&self, ask: DeviceAsk) -> Result<DeviceNews, CatalogError> {
        let now = (self.clock)();
        Ok(self.database.write(move |t| news(t, &ask, now)).await?)
    }
}

fn news(t: &Transaction<'_>, ask: &DeviceAsk, now: i64) -> rusqlite::Result<DeviceNews> {
    let mut device = match known(t, ask)? {
        Some(device) => device,
        None => begin(t, ask, now)?,
    };
    device.round += 1;
    let round = Round { device: device.id.clone(), number: device.round };
    let mut news = DeviceNews {
        round,
        more: false,
        books: Vec::new(),
        series: Vec::new(),
        gone: Vec::new(),
        lists: Vec::new(),
        lists_gone: Vec::new(),
    };
    let mut room = ask.most;
    if device.place != PAST_BOOKS {
        (news.books, news.series, device.place) = books::tell(t, ask, &device, room)?;
        room -= news.books.len();
    }
    news.more = device.place != PAST_BOOKS;
    if !news.more {
        (news.gone, news.more) = books::tell_gone(t, ask, &device, room)?;
        room -= news.gone.len();
    }
    if !news.more {
        (news.lists, news.lists_gone, news.more) = lists::tell(t, &device, room)?;
    }
    let place = if news.more { device.place } else { 0 };
    let sql = "UPDATE told_device SET round = ?2, place = ?3, used_at = ?4 WHERE id = ?1";
    t.execute(sql, params![device.id, device.round, place, now])?;
    Ok(news)
}

/// The device that the caller names, if it is one of its key's. What it was told in later rounds than it names is not known.
fn known(t: &Transaction<'_>, ask: &DeviceAsk) -> rusqlite::Result<Option<Device>> {
    let Some(last) = &ask.last else { return Ok(None) };
    let sql = "SELECT round, place FROM told_device WHERE id = ?1 AND api_key = ?2 AND round >= ?3 AND ?3 > 0";
    let found = t.query_row(sql, params![last.device, ask.api_key, last.number], |r| Ok((r.get(0)?, r.get(1)?)));
    let Some((round, mut place)) = found.optional()? else { return Ok(None) };
    for table in ["told_book", "told_list"] {
        let arrived = format!("DELETE FROM {table} WHERE device = ?1 AND gone AND round <= ?2");
        t.execute(&arrived, params![last.device, last.number])?;
    }
    if round > last.number {
        let lost =
            "UPDATE told_book SET file = NULL, words = NULL, reading = NULL, gone = 0 WHERE device = ?1 AND round > ?2";
        t.execute(lost, params![last.device, last.number])?;
        let lost = "UPDATE told_list SET digest = NULL, gone = 0 WHERE device = ?1 AND round > ?2";
        t.execute(lost, params![last.device, last.number])?;
        place = 0;
    }
    Ok(Some(Device { id: last.device.clone(), round, place }))
}

/// A device that knows nothing; the ones of its key that came least lately make room for it.
fn begin(t: &Transaction<'_>, ask: &DeviceAsk, now: i64) -> rusqlite::Result<Device> {
    let spare = "DELETE FROM told_device WHERE api_key = ?1 AND id NOT IN \
        (SELECT id FROM told_device WHERE api_key = ?1 ORDER BY used_at DESC, id DESC LIMIT ?2)";
    t.execute(spare, params![ask.api_key, DEVICES_MAX - 1])?;
    let device = Device { id: new_id(), round: 0, place: 0 };
    t.execute("INSERT INTO told_device VALUES (?1, ?2, 0, 0, ?3)", params![device.id, ask.api_key, now])?;
    Ok(device)
}
