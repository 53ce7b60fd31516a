//! Music: what a file is, what its tags say, the picture in it.
use std::fs::File;
use std::sync::Arc;

use potluck::media::music::{self as tags, Limits, Music, MusicError};
use potluck::media::protocol::{PictureForm, TrackFacts};
use potluck::media::{Facts, StreamKind};

use crate::source::{Source, Trouble};
use crate::{book, facts};

impl From<MusicError> for Trouble {
    fn from(error: MusicError) -> Self {
        match error {
            MusicError::NotMusic => Self::NotMedia,
            other => Self::Cannot(other.to_string()),
        }
    }
}

/// What a piece of music is. What no reader of tags knows, libav may.
pub fn of(file: &Arc<File>, ending: &str) -> Result<TrackFacts, Trouble> {
    match tags::inspect(file, &named(ending), &Limits::default()) {
        Ok(music) => Ok(read(music)),
        Err(MusicError::Io(error)) => Err(MusicError::Io(error).into()),
        Err(error) => heard(&facts::of(&Source::open(Arc::clone(file))?)).ok_or_else(|| error.into()),
    }
}

/// The picture that stands for it, as JPEG.
pub fn picture(file: &File, ending: &str, side: u32) -> Result<Vec<u8>, Trouble> {
    let picture = tags::picture(file, &named(ending), None, &Limits::default())?;
    let (_, bytes) = picture.ok_or(Trouble::NoPicture)?;
    book::shown(&bytes, Some(side), PictureForm::Jpeg)
}

/// A name with this ending: nothing else of it matters.
fn named(ending: &str) -> String {
    format!("track.{ending}")
}

fn read(music: Music) -> TrackFacts {
    TrackFacts {
        container: music.format.container.as_str().to_owned(),
        codec: music.format.codec.as_str().to_owned(),
        duration: music.duration,
        bit_rate: music.bit_rate,
        sample_rate: music.sample_rate,
        bit_depth: music.bit_depth.map(u32::from),
        channels: music.channels.map(u32::from),
        picture: tags::best_front(&music.pictures).is_some(),
        told: music.told,
    }
}

/// The best that libav says; `None` for a file without sound.
fn heard(facts: &Facts) -> Option<TrackFacts> {
    let sound = facts.streams.iter().find(|stream| stream.kind == StreamKind::Audio)?;
    let bit_rate = sound.bit_rate.unwrap_or(facts.bit_rate) / 1000;
    Some(TrackFacts {
        container: facts.container.clone(),
        codec: sound.codec.clone(),
        duration: facts.duration,
        bit_rate: bit_rate.try_into().ok(),
        sample_rate: sound.sample_rate,
        bit_depth: sound.bit_depth,
        channels: sound.channels,
        ..TrackFacts::default()
    })
}
