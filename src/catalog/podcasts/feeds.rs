//! Which channels there are, when their feeds are asked for, and what these say.
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Channel, PodcastStatus, channel};
use crate::catalog::{Catalog, CatalogError, now};

/// Channels that a node follows.
const CHANNELS_MAX: u32 = 1000;
/// Episodes of a channel that are remembered, besides those whose files are here.
const EPISODES_KEPT: u32 = 5000;

/// What a feed says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToldFeed {
    pub title: String,
    /// Plain text.
    pub description: String,
    /// Address of its picture.
    pub image_url: Option<String>,
    /// See [`Channel::etag`].
    pub etag: Option<String>,
    /// See [`Channel::modified`].
    pub modified: Option<String>,
    /// Newest first.
    pub episodes: Vec<ToldEpisode>,
}

/// What it says of an episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToldEpisode {
    /// What the feed tells it from others by.
    pub key: String,
    /// Of its file.
    pub url: String,
    /// MIME type of the file.
    pub mime: String,
    pub title: String,
    /// Plain text.
    pub description: String,
    /// Unix milliseconds.
    pub published_at: Option<i64>,
    /// 0 where it is not said.
    pub seconds: f64,
    /// Bytes; 0 where it is not said.
    pub size: u64,
}

impl Catalog {
    /// Follows the channel whose feed is there; the feed is asked for at once. Returns its number.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] for one that is followed already, and for one too many.
    pub async fn add_podcast(&self, url: &str) -> Result<i64, CatalogError> {
        let url = url.to_owned();
        let write = move |t: &Transaction<'_>| {
            let known: u32 = t.query_row("SELECT count(*) FROM podcast", [], |r| r.get(0))?;
            let sql = "INSERT INTO podcast (url, title, description, status, added_at, asked_at) \
                SELECT ?1, '', '', 'new', ?2, 0 WHERE ?3 ON CONFLICT (url) DO NOTHING RETURNING n";
            let added = t.query_row(sql, params![url, now(), known < CHANNELS_MAX], |r| r.get(0)).optional()?;
            Ok(added.ok_or(known >= CHANNELS_MAX))
        };
        let full = || CatalogError::Conflict(format!("a node follows at most {CHANNELS_MAX} podcasts"));
        self.database.write(write).await?.map_err(|too_many| match too_many {
            true => full(),
            false => CatalogError::Conflict("this podcast is followed already".to_owned()),
        })
    }

    /// Forgets a channel with its episodes. Returns the numbers of the episodes, and the names of the files that were theirs and its own.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_podcast(&self, number: i64) -> Result<(Vec<i64>, Vec<String>), CatalogError> {
        let write = move |t: &Transaction<'_>| {
            let sql = "SELECT n, file FROM podcast_episode WHERE podcast = ?1";
            let pairs: Vec<(i64, Option<String>)> =
                t.prepare(sql)?.query_map([number], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
            let image = t.query_row("SELECT image FROM podcast WHERE n = ?1", [number], |r| r.get(0)).optional()?;
            let image: Option<Option<String>> = image;
            t.execute("DELETE FROM podcast WHERE n = ?1", [number])?;
            let (episodes, files): (Vec<i64>, Vec<Option<String>>) = pairs.into_iter().unzip();
            Ok(image.map(|image| (episodes, files.into_iter().chain([image]).flatten().collect())))
        };
        self.database.write(write).await?.ok_or(CatalogError::NotFound("podcast"))
    }

    /// The feeds of all channels are to be asked for now.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn want_podcasts(&self) -> Result<(), CatalogError> {
        self.database.write(|t| t.execute("UPDATE podcast SET asked_at = 0", [])).await?;
        Ok(())
    }

    /// The feed of one is to be asked for now.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn want_podcast(&self, number: i64) -> Result<(), CatalogError> {
        self.database.write(move |t| t.execute("UPDATE podcast SET asked_at = 0 WHERE n = ?1", [number])).await?;
        Ok(())
    }

    /// Feeds that were asked for when the node ended are to be asked for again.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn resume_podcasts(&self) -> Result<(), CatalogError> {
        self.database.write(|t| t.execute("UPDATE podcast SET asked_at = 0 WHERE status = 'downloading'", [])).await?;
        Ok(())
    }

    /// Channels whose feeds were asked for at this time at the latest (Unix milliseconds), those that were longest ago first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn podcasts_due(&self, until: i64) -> Result<Vec<Channel>, CatalogError> {
        let sql = format!("{} WHERE asked_at <= ?1 ORDER BY asked_at, n", super::CHANNEL);
        Ok(self.database.read(move |c| c.prepare_cached(&sql)?.query_map([until], channel)?.collect()).await?)
    }

    /// When the feed was asked for that was asked for longest ago; `None` without channels.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn podcast_asked(&self) -> Result<Option<i64>, CatalogError> {
        Ok(self.database.read(|c| c.query_row("SELECT min(asked_at) FROM podcast", [], |r| r.get(0))).await?)
    }

    /// How it is with a channel: its feed is asked for now, is as it was, or could not be read.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn podcast_is(
        &self,
        number: i64,
        status: PodcastStatus,
        error: Option<String>,
    ) -> Result<(), CatalogError> {
        let sql = "UPDATE podcast SET status = ?2, error = ?3, asked_at = ?4 WHERE n = ?1";
        self.database.write(move |t| t.execute(sql, params![number, status.word(), error, now()])).await?;
        Ok(())
    }

    /// Where the picture of a channel is. Returns whether the channel is still there.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn set_podcast_image(&self, number: i64, name: String) -> Result<bool, CatalogError> {
        let sql = "UPDATE podcast SET image = ?2 WHERE n = ?1";
        Ok(self.database.write(move |t| t.execute(sql, params![number, name])).await? > 0)
    }

    /// Writes what a feed says. Of the episodes that were not known, those among the `newest` of the channel are to be fetched. Returns
    /// how many that are.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for a channel that is gone meanwhile.
    pub async fn take_feed(&self, number: i64, told: ToldFeed, newest: u32) -> Result<usize, CatalogError> {
        let write = move |t: &Transaction<'_>| {
            let sql = "UPDATE podcast SET title = ?2, description = ?3, image_url = ?4, etag = ?5, modified = ?6, status = 'completed', \
                error = NULL, asked_at = ?7 WHERE n = ?1";
            let ToldFeed { title, description, image_url, etag, modified, episodes } = told;
            if t.execute(sql, params![number, title, description, image_url, etag, modified, now()])? == 0 {
                return Ok(None);
            }
            for episode in &episodes {
                take_episode(t, number, episode)?;
            }
            let wanted = choose(t, number, newest)?;
            trim(t, number)?;
            Ok(Some(wanted))
        };
        self.database.write(write).await?.ok_or(CatalogError::NotFound("podcast"))
    }
}

/// One that is known is told anew, as far as its file is not here.
fn take_episode(t: &Transaction<'_>, podcast: i64, told: &ToldEpisode) -> rusqlite::Result<()> {
    let sql = "INSERT INTO podcast_episode (podcast, key, url, type, title, description, published_at, at, added_at, seconds, told_size, \
        status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'new') ON CONFLICT (podcast, key) DO UPDATE SET \
        title = excluded.title, description = excluded.description, published_at = excluded.published_at, \
        at = CASE WHEN excluded.published_at IS NULL THEN at ELSE excluded.at END, url = excluded.url, type = excluded.type, \
        seconds = CASE WHEN file IS NULL THEN excluded.seconds ELSE seconds END, told_size = excluded.told_size";
    let now = now();
    let at = told.published_at.map_or(now, |at| at.min(now));
    t.prepare_cached(sql)?.execute(params![
        podcast,
        told.key,
        told.url,
        told.mime,
        told.title,
        told.description,
        told.published_at,
        at,
        now,
        told.seconds,
        i64::try_from(told.size).unwrap_or(i64::MAX),
    ])?;
    Ok(())
}

/// Of those that are new, has the newest fetched and passes over the others; without a number all stay new.
fn choose(t: &Transaction<'_>, podcast: i64, newest: u32) -> rusqlite::Result<usize> {
    if newest == 0 {
        return Ok(0);
    }
    let sql = "UPDATE podcast_episode SET status = 'downloading', tries = 0, due_at = 0 WHERE podcast = ?1 AND status = 'new' AND n IN \
        (SELECT n FROM podcast_episode WHERE podcast = ?1 ORDER BY at DESC, n LIMIT ?2)";
    let wanted = t.execute(sql, params![podcast, newest])?;
    t.execute("UPDATE podcast_episode SET status = 'skipped' WHERE podcast = ?1 AND status = 'new'", [podcast])?;
    Ok(wanted)
}

fn trim(t: &Transaction<'_>, podcast: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM podcast_episode WHERE podcast = ?1 AND file IS NULL AND status <> 'downloading' AND n NOT IN \
        (SELECT n FROM podcast_episode WHERE podcast = ?1 ORDER BY at DESC, n LIMIT ?2)";
    t.execute(sql, params![podcast, EPISODES_KEPT]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::podcasts::{Episode, EpisodeFile};
    use crate::content::Cid;
    use crate::database::{Database, DatabaseOptions, migrations};
    use crate::media::Facts;

    fn catalog(folder: &tempfile::TempDir) -> Catalog {
        let path = folder.path().join("catalog.db");
        Catalog::new(Database::open(&path, &DatabaseOptions::default(), migrations::CATALOG).unwrap())
    }

    fn told(days: &[i64]) -> ToldFeed {
        let episode = |day: &i64| ToldEpisode {
            key: day.to_string(),
            url: format!("http://a.example/{day}.mp3"),
            title: format!("Day {day}"),
            published_at: Some(day * 86_400_000),
            ..ToldEpisode::default()
        };
        ToldFeed { title: "Days".into(), episodes: days.iter().rev().map(episode).collect(), ..ToldFeed::default() }
    }

    fn states(episodes: &[Episode]) -> Vec<(&str, &str)> {
        episodes.iter().map(|episode| (episode.title.as_str(), episode.status.word())).collect()
    }

    #[tokio::test]
    async fn of_what_is_told_newly_the_newest_are_fetched_and_the_others_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(&folder);
        let days = catalog.add_podcast("http://a.example/").await.unwrap();
        assert_eq!(catalog.take_feed(days, told(&[1, 2, 3]), 2).await.unwrap(), 2);
        let all = catalog.episodes_of(days, "").await.unwrap();
        assert_eq!(states(&all), [("Day 3", "downloading"), ("Day 2", "downloading"), ("Day 1", "skipped")]);
        // The same again changes nothing; a late one of long ago is passed over; a new one is fetched.
        assert_eq!(catalog.take_feed(days, told(&[0, 1, 2, 3]), 2).await.unwrap(), 0);
        assert_eq!(catalog.take_feed(days, told(&[3, 4]), 2).await.unwrap(), 1);
        let all = catalog.episodes_of(days, "").await.unwrap();
        let wanted = [
            ("Day 4", "downloading"),
            ("Day 3", "downloading"),
            ("Day 2", "downloading"),
            ("Day 1", "skipped"),
            ("Day 0", "skipped"),
        ];
        assert_eq!(states(&all), wanted);
        let other = catalog.add_podcast("http://b.example/").await.unwrap();
        catalog.take_feed(other, told(&[1]), 0).await.unwrap();
        assert_eq!(states(&catalog.episodes_of(other, "").await.unwrap()), [("Day 1", "new")]);
    }

    #[tokio::test]
    async fn what_is_here_keeps_its_length_and_what_was_deleted_meanwhile_is_not_completed() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(&folder);
        let days = catalog.add_podcast("http://a.example/").await.unwrap();
        catalog.take_feed(days, told(&[1, 2]), 2).await.unwrap();
        let [second, first] = &catalog.episodes_of(days, "").await.unwrap()[..] else { panic!() };
        let cid: Cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku".parse().unwrap();
        let file =
            EpisodeFile { name: "1.mp3".into(), size: 5, cid, facts: Facts { duration: 7.0, ..Facts::default() } };
        assert!(catalog.episode_completed(first.number, file.clone()).await.unwrap());
        catalog.delete_episode(second.number).await.unwrap();
        assert!(!catalog.episode_completed(second.number, file.clone()).await.unwrap());
        catalog.take_feed(days, told(&[1, 2]), 2).await.unwrap();
        let first = catalog.episode(first.number, "").await.unwrap();
        assert_eq!((first.seconds, first.file.as_ref()), (7.0, Some(&file)));
        assert_eq!(catalog.episode_file(&cid).await.unwrap(), Some(file));
        assert_eq!(catalog.podcasts_size().await.unwrap(), 5);
        assert_eq!(catalog.episode(second.number, "").await.unwrap().status, PodcastStatus::Deleted);
        // Numbers are not given again.
        let (episodes, files) = catalog.remove_podcast(days).await.unwrap();
        assert_eq!((episodes.len(), files), (2, vec!["1.mp3".to_owned()]));
        let again = catalog.add_podcast("http://a.example/").await.unwrap();
        assert!(again > days && catalog.episodes_of(again, "").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_channel_is_followed_once() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(&folder);
        catalog.add_podcast("http://a.example/").await.unwrap();
        assert!(matches!(catalog.add_podcast("http://a.example/").await, Err(CatalogError::Conflict(_))));
        assert!(matches!(catalog.take_feed(99, ToldFeed::default(), 0).await, Err(CatalogError::NotFound(_))));
        assert!(matches!(catalog.remove_podcast(99).await, Err(CatalogError::NotFound(_))));
    }
}
