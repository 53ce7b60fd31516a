//! Podcasts: the channels that the node follows, their episodes, and where people are in them.
//!
//! ```text
//! a feed ──► feeds::take_feed ──► episode: new or skipped ──► downloading ──► completed ──► deleted
//!                                                                  └──► error ──┘ (again, when somebody wants it)
//! ```
//! Whoever has an account sees all of them: they come from what everybody can fetch. What is fetched, and whether it may be, is not
//! decided here. Numbers of channels and episodes are given once, and never again to another.
mod downloads;
mod feeds;
mod places;

pub use feeds::{ToldEpisode, ToldFeed};
pub use places::EpisodeMark;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::items::broken;
use super::{Catalog, CatalogError};
use crate::content::Cid;
use crate::media::Facts;

/// How it is with a channel or an episode. Channels are never deleted or skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodcastStatus {
    /// Known, and nothing of it is here.
    New,
    /// It is being fetched, or waits for that.
    Downloading,
    /// All of it is here; of a channel: its feed was read.
    Completed,
    /// It could not be fetched.
    Error,
    /// It was here.
    Deleted,
    /// The schedule passed it over.
    Skipped,
}

impl PodcastStatus {
    const ALL: [Self; 6] = [Self::New, Self::Downloading, Self::Completed, Self::Error, Self::Deleted, Self::Skipped];

    /// As it stands in the database and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Downloading => "downloading",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }

    fn named(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.word() == word).unwrap_or(Self::Error)
    }
}

/// A podcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// See the module.
    pub number: i64,
    /// Of its feed.
    pub url: String,
    /// Empty before the feed was read.
    pub title: String,
    /// Plain text; may be empty.
    pub description: String,
    /// Address of its picture, as the feed says.
    pub image_url: Option<String>,
    /// Name of the picture in the folder of podcasts.
    pub image: Option<String>,
    /// See [`PodcastStatus`].
    pub status: PodcastStatus,
    /// Why its feed could not be read, for people.
    pub error: Option<String>,
    /// What the server of the feed tells its version by.
    pub etag: Option<String>,
    /// The same as a date.
    pub modified: Option<String>,
}

/// An episode of a podcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// See the module.
    pub number: i64,
    /// Number of its channel.
    pub channel: i64,
    /// Title of its channel.
    pub channel_title: String,
    /// Of its file.
    pub url: String,
    /// MIME type of its file as the feed says; may be empty.
    pub mime: String,
    pub title: String,
    /// Plain text; may be empty.
    pub description: String,
    /// Unix milliseconds.
    pub published_at: Option<i64>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// 0 where unknown.
    pub seconds: f64,
    /// Bytes, as the feed says; 0 where it does not.
    pub told_size: u64,
    /// See [`PodcastStatus`].
    pub status: PodcastStatus,
    /// Why it could not be fetched, for people.
    pub error: Option<String>,
    /// Somebody wants it, not only the schedule.
    pub asked: bool,
    /// How often fetching it failed since it did not.
    pub tries: u32,
    /// It is not fetched before: Unix milliseconds.
    pub due_at: i64,
    /// Entity tag or date of what is here of it, for going on with it.
    pub validator: Option<String>,
    /// Where all of it is here.
    pub file: Option<EpisodeFile>,
    /// Where the account that asks has a bookmark in it.
    pub position_ms: Option<u64>,
    /// How often that account heard it.
    pub plays: u32,
    /// Unix milliseconds.
    pub played_at: Option<i64>,
}

/// The file of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeFile {
    /// In the folder of podcasts.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Root of its DAG.
    pub cid: Cid,
    pub facts: Facts,
}

const CHANNEL: &str = "SELECT n, url, title, description, image_url, image, status, error, etag, modified FROM podcast";
const EPISODE: &str = "SELECT e.n, e.podcast, p.title AS channel_title, e.url, e.type, e.title, e.description, e.published_at, \
    e.added_at, e.seconds, e.told_size, e.status, e.error, e.asked, e.tries, e.due_at, e.validator, e.file, e.size, e.cid, e.facts, \
    a.position_ms, ifnull(a.plays, 0) AS plays, a.played_at FROM podcast_episode AS e JOIN podcast AS p ON p.n = e.podcast \
    LEFT JOIN podcast_place AS a ON a.episode = e.n AND a.account = :account";

fn channel(row: &Row<'_>) -> rusqlite::Result<Channel> {
    Ok(Channel {
        number: row.get(0)?,
        url: row.get(1)?,
        title: row.get(2)?,
        description: row.get(3)?,
        image_url: row.get(4)?,
        image: row.get(5)?,
        status: PodcastStatus::named(row.get_ref(6)?.as_str()?),
        error: row.get(7)?,
        etag: row.get(8)?,
        modified: row.get(9)?,
    })
}

fn episode(row: &Row<'_>) -> rusqlite::Result<Episode> {
    Ok(Episode {
        number: row.get("n")?,
        channel: row.get("podcast")?,
        channel_title: row.get("channel_title")?,
        url: row.get("url")?,
        mime: row.get("type")?,
        title: row.get("title")?,
        description: row.get("description")?,
        published_at: row.get("published_at")?,
        added_at: row.get("added_at")?,
        seconds: row.get("seconds")?,
        told_size: row.get::<_, i64>("told_size")?.cast_unsigned(),
        status: PodcastStatus::named(row.get_ref("status")?.as_str()?),
        error: row.get("error")?,
        asked: row.get("asked")?,
        tries: row.get("tries")?,
        due_at: row.get("due_at")?,
        validator: row.get("validator")?,
        file: file(row)?,
        position_ms: row.get::<_, Option<i64>>("position_ms")?.map(i64::cast_unsigned),
        plays: row.get("plays")?,
        played_at: row.get("played_at")?,
    })
}

fn file(row: &Row<'_>) -> rusqlite::Result<Option<EpisodeFile>> {
    let (name, cid, facts): (Option<String>, Option<String>, Option<String>) =
        (row.get("file")?, row.get("cid")?, row.get("facts")?);
    let (Some(name), Some(cid), Some(facts)) = (name, cid, facts) else { return Ok(None) };
    Ok(Some(EpisodeFile {
        name,
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        cid: Cid::try_from(cid.as_str()).map_err(|error| broken("cid", error))?,
        facts: serde_json::from_str(&facts).map_err(|error| broken("facts", error))?,
    }))
}

/// Episodes that a condition finds, as an account sees them.
fn episodes(
    c: &Connection,
    condition: &str,
    account: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<Vec<Episode>> {
    let mut statement = c.prepare_cached(&format!("{EPISODE} {condition}"))?;
    statement.query_map(named_params! {":account": account, ":value": value}, episode)?.collect()
}

impl Catalog {
    /// All channels, by title.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn podcasts(&self) -> Result<Vec<Channel>, CatalogError> {
        let sql = format!("{CHANNEL} ORDER BY title COLLATE NOCASE, n");
        Ok(self.database.read(move |c| c.prepare_cached(&sql)?.query_map([], channel)?.collect()).await?)
    }

    /// One channel.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn podcast(&self, number: i64) -> Result<Channel, CatalogError> {
        let sql = format!("{CHANNEL} WHERE n = ?1");
        let found = self.database.read(move |c| c.prepare_cached(&sql)?.query_row([number], channel).optional());
        found.await?.ok_or(CatalogError::NotFound("podcast"))
    }

    /// The episodes of a channel as an account sees them, newest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episodes_of(&self, channel: i64, account: &str) -> Result<Vec<Episode>, CatalogError> {
        let account = account.to_owned();
        let condition = "WHERE e.podcast = :value ORDER BY e.at DESC, e.n";
        Ok(self.database.read(move |c| episodes(c, condition, &account, channel)).await?)
    }

    /// The episodes of all channels that came out last.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn newest_episodes(&self, account: &str, count: u32) -> Result<Vec<Episode>, CatalogError> {
        let account = account.to_owned();
        let condition = "ORDER BY e.at DESC, e.n LIMIT :value";
        Ok(self.database.read(move |c| episodes(c, condition, &account, count)).await?)
    }

    /// One episode.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn episode(&self, number: i64, account: &str) -> Result<Episode, CatalogError> {
        let account = account.to_owned();
        let found = self.database.read(move |c| episodes(c, "WHERE e.n = :value", &account, number)).await?;
        found.into_iter().next().ok_or(CatalogError::NotFound("episode"))
    }

    /// The file with this root that an episode has, if one has it.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn episode_file(&self, root: &Cid) -> Result<Option<EpisodeFile>, CatalogError> {
        let root = root.to_string();
        let found = self.database.read(move |c| episodes(c, "WHERE e.cid = :value", "", root)).await?;
        Ok(found.into_iter().find_map(|episode| episode.file))
    }
}
