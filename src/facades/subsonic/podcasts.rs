//! Podcasts: everybody hears them, admins choose what is followed and fetched.
use super::call::{Answer, Call};
use super::dates::instant;
use super::fault::Fault;
use super::things::Thing;
use super::tree::Element;
use crate::catalog::podcasts::{Channel, Episode, PodcastStatus};
use crate::facades::songs::content_type;
use crate::media::StreamKind;
use crate::node::{Podcasts, PodcastsError, podcast_ending};

/// Episodes of a list of the newest: where nobody says how many, and at most.
const NEWEST: i64 = 20;
const NEWEST_MAX: i64 = 500;
/// What all of them are told to be.
const GENRE: &str = "Podcast";

/// `getPodcasts`: all channels or one, with their episodes unless that is not wanted.
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let catalog = call.app.node().catalog();
    let with_episodes = call.params.flag("includeEpisodes")?.unwrap_or(true);
    let channels = match call.params.one("id") {
        Some(_) => vec![catalog.podcast(channel_number(&call)?).await?],
        None => catalog.podcasts().await?,
    };
    let mut elements = Vec::new();
    for channel in &channels {
        let element = channel_element(channel);
        elements.push(match with_episodes {
            true => element.many("episode", episodes(&call, channel.number).await?),
            false => element,
        });
    }
    Ok(Answer::one("podcasts", Element::new().many("channel", elements)))
}

/// The episodes of a channel, newest first.
pub(super) async fn episodes(call: &Call, channel: i64) -> Result<Vec<Element>, Fault> {
    let found = call.app.node().catalog().episodes_of(channel, &call.account()?.id).await?;
    Ok(found.iter().map(element).collect())
}

/// `getNewestPodcasts`
pub(super) async fn newest(call: Call) -> Result<Answer, Fault> {
    let count = call.params.int("count")?.unwrap_or(NEWEST).clamp(0, NEWEST_MAX) as u32;
    let found = call.app.node().catalog().newest_episodes(&call.account()?.id, count).await?;
    Ok(Answer::one("newestPodcasts", Element::new().many("episode", found.iter().map(element).collect())))
}

/// `getPodcastEpisode`
pub(super) async fn show(call: Call) -> Result<Answer, Fault> {
    Ok(Answer::one("podcastEpisode", element(&named(&call, "id").await?)))
}

/// `refreshPodcasts`: asks for all feeds, and does not wait for them.
pub(super) async fn refresh(call: Call) -> Result<Answer, Fault> {
    podcasts(&call).refresh().await?;
    Ok(Answer::done())
}

/// `createPodcastChannel`
pub(super) async fn create(call: Call) -> Result<Answer, Fault> {
    podcasts(&call).add(call.params.need("url")?).await?;
    Ok(Answer::done())
}

/// `deletePodcastChannel`
pub(super) async fn delete_channel(call: Call) -> Result<Answer, Fault> {
    podcasts(&call).remove(channel_number(&call)?).await?;
    Ok(Answer::done())
}

/// `downloadPodcastEpisode`: has it fetched, and does not wait for it.
pub(super) async fn download(call: Call) -> Result<Answer, Fault> {
    podcasts(&call).download(episode_number(&call, "id")?).await?;
    Ok(Answer::done())
}

/// `deletePodcastEpisode`
pub(super) async fn delete_episode(call: Call) -> Result<Answer, Fault> {
    podcasts(&call).delete(episode_number(&call, "id")?).await?;
    Ok(Answer::done())
}

/// The episode that a parameter names.
///
/// # Errors
/// [`Fault`] where it is missing, or names none.
pub(super) async fn named(call: &Call, name: &str) -> Result<Episode, Fault> {
    let number = episode_number(call, name)?;
    Ok(call.app.node().catalog().episode(number, &call.account()?.id).await?)
}

fn podcasts(call: &Call) -> &Podcasts {
    call.app.node().podcasts()
}

fn channel_number(call: &Call) -> Result<i64, Fault> {
    match Thing::parse(call.params.need("id")?) {
        Some(Thing::Channel(number)) => Ok(number),
        _ => Err(Fault::absent("podcast")),
    }
}

fn episode_number(call: &Call, name: &str) -> Result<i64, Fault> {
    match Thing::parse(call.params.need(name)?) {
        Some(Thing::Episode(number)) => Ok(number),
        _ => Err(Fault::absent("episode")),
    }
}

fn channel_element(channel: &Channel) -> Element {
    Element::new()
        .with("id", Thing::Channel(channel.number).id())
        .with("url", channel.url.as_str())
        .with("title", channel.title.as_str())
        .with("description", channel.description.as_str())
        .with("coverArt", Thing::Channel(channel.number).id())
        .maybe("originalImageUrl", channel.image_url.as_deref())
        .with("status", channel.status.word())
        .maybe("errorMessage", channel.error.as_deref())
}

/// What is played is called as the episode is, once all of it is here.
pub(super) fn element(episode: &Episode) -> Element {
    let (id, suffix) = (Thing::Episode(episode.number).id(), podcast_ending(episode));
    let file = episode.file.as_ref().filter(|_| episode.status == PodcastStatus::Completed);
    let size = file.map_or(episode.told_size, |file| file.size);
    let film = file.is_some_and(|file| file.facts.streams.iter().any(|stream| stream.kind == StreamKind::Video));
    let published = episode.published_at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let year = published.map(|at| i64::from(at.to_zoned(jiff::tz::TimeZone::UTC).year()));
    Element::new()
        .with("id", id.as_str())
        .maybe("streamId", file.map(|_| id.as_str()))
        .with("channelId", Thing::Channel(episode.channel).id())
        .with("parent", Thing::Channel(episode.channel).id())
        .with("isDir", false)
        .with("title", episode.title.as_str())
        .with("album", episode.channel_title.as_str())
        .with("artist", episode.channel_title.as_str())
        .maybe("year", year)
        .with("genre", GENRE)
        .with("coverArt", Thing::Channel(episode.channel).id())
        .maybe("size", Some(size).filter(|size| *size > 0))
        .with("contentType", content_type(suffix))
        .with("suffix", suffix)
        .maybe("duration", Some(episode.seconds.round() as i64).filter(|seconds| *seconds > 0))
        .maybe("bitRate", file.map(|file| file.facts.bit_rate / 1000))
        .with("path", path(episode, suffix))
        .with("isVideo", film)
        .with("created", instant(episode.added_at))
        .with("type", "podcast")
        .maybe("bookmarkPosition", episode.position_ms)
        .with("playCount", episode.plays)
        .maybe("played", episode.played_at.map(instant))
        .with("description", episode.description.as_str())
        .with("status", episode.status.word())
        .maybe("publishDate", episode.published_at.map(instant))
        .maybe("errorMessage", episode.error.as_deref())
}

/// Where programs keep their copies: no two episodes have one.
fn path(episode: &Episode, suffix: &str) -> String {
    let plain =
        |name: &str| name.chars().map(|c| if "/\\:".contains(c) { '_' } else { c }).take(100).collect::<String>();
    format!("Podcasts/{}/{} {}.{suffix}", plain(&episode.channel_title), episode.number, plain(&episode.title))
}

impl From<PodcastsError> for Fault {
    fn from(error: PodcastsError) -> Self {
        match error {
            PodcastsError::Catalog(error) => error.into(),
            other => Self::invalid(other.to_string()),
        }
    }
}
