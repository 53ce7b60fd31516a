//! What is heard: a song, or an episode of a podcast that is here. Both are files, and are sent alike.
use axum::response::Response;

use super::browse::track_named;
use super::call::Call;
use super::decision::Sound;
use super::fault::Fault;
use super::podcasts;
use super::stream::reading;
use super::things::Thing;
use crate::catalog::music::Track;
use crate::catalog::podcasts::Episode;
use crate::facades::bytes::{self, Cache, Disposition, FileAnswer};
use crate::facades::error::Refusal;
use crate::facades::native::playable;
use crate::facades::songs::{self, content_type};
use crate::media::{Facts, StreamKind};
use crate::node::podcast_ending;
use crate::playback::Source;

/// See the module.
pub(super) enum Played {
    Song(Box<Track>),
    Episode(Box<Episode>, Source),
}

impl Played {
    /// What a parameter names.
    ///
    /// # Errors
    /// [`Fault`] where it is missing, names something else, may not be seen, or is an episode that is not here.
    pub async fn named(call: &Call, name: &str) -> Result<Self, Fault> {
        match Thing::parse(call.params.need(name)?) {
            Some(Thing::Episode(_)) => {
                let episode = podcasts::named(call, name).await?;
                let source = call.app.node().podcasts().source(&episode);
                let source = source.ok_or_else(|| Fault::absent("episode on this node now: have it downloaded"))?;
                Ok(Self::Episode(Box::new(episode), source))
            }
            _ => Ok(Self::Song(Box::new(track_named(call, name).await?))),
        }
    }

    /// The ending of its file's name, in small letters.
    pub fn suffix(&self) -> String {
        match self {
            Self::Song(track) => songs::suffix(track),
            Self::Episode(episode, _) => podcast_ending(episode).to_owned(),
        }
    }

    /// kbit/s; 0 where unknown.
    pub fn bit_rate(&self) -> u32 {
        match self {
            Self::Song(track) => track.bit_rate,
            Self::Episode(_, source) => kilobits(&source.facts),
        }
    }

    /// What is known of its sound.
    pub fn sound(&self) -> Sound {
        match self {
            Self::Song(track) => Sound::of(track),
            Self::Episode(episode, source) => {
                let heard = source.facts.streams.iter().find(|stream| stream.kind == StreamKind::Audio);
                let number = |value: Option<u32>| u64::from(value.unwrap_or_default());
                Sound {
                    containers: Sound::containers(podcast_ending(episode)),
                    codec: heard.map(|stream| stream.codec.clone()).unwrap_or_default(),
                    channels: number(heard.and_then(|stream| stream.channels)),
                    bit_rate: u64::from(kilobits(&source.facts)) * 1000,
                    sample_rate: number(heard.and_then(|stream| stream.sample_rate)),
                    bit_depth: 0,
                }
            }
        }
    }

    /// What playback needs of it.
    ///
    /// # Errors
    /// [`Fault`] for a song whose file is away.
    pub async fn source(&self, call: &Call) -> Result<Source, Fault> {
        match self {
            Self::Song(track) => {
                let item = call.app.node().catalog().item(&track.id, call.caller.id()).await?;
                playable(&item).map_err(Fault::refused)
            }
            Self::Episode(_, source) => Ok(source.clone()),
        }
    }

    /// Its file as it is, to be heard or to be saved.
    ///
    /// # Errors
    /// [`Fault`] where the file is away.
    pub async fn original(&self, call: &Call, save: bool) -> Result<Response, Fault> {
        let method = reading(&call.method);
        let sent = match self {
            Self::Song(track) => songs::file(&call.app, call.caller.id(), track, save, (&method, &call.headers)).await,
            Self::Episode(episode, source) => {
                let (suffix, title) = (podcast_ending(episode), episode.title.replace('/', "_"));
                let name = format!("{title}.{suffix}");
                let answer = FileAnswer {
                    cid: source.cid,
                    content_type: content_type(suffix),
                    disposition: if save { Disposition::Attachment(&name) } else { Disposition::Inline(Some(&name)) },
                    cache: Cache::Revalidate,
                };
                let sent = bytes::file(call.app.node().blocks(), answer, &method, &call.headers).await;
                sent.map_err(Refusal::from)
            }
        };
        sent.map_err(Fault::refused)
    }
}

fn kilobits(facts: &Facts) -> u32 {
    u32::try_from(facts.bit_rate / 1000).unwrap_or(u32::MAX)
}
