//! Which renditions a client is offered, the best first. Pure.
use std::sync::Arc;

use super::id::RenditionId;
use super::renditions::{AAC_KBPS, Title, aac_channels, stream};
use super::{PlaybackError, Rendition};
use crate::media::decide::{self, Capabilities, Decision, Method};
use crate::media::timeline::TrackIndex;

/// Codecs of sound that HLS players take in fragmented MP4, by how they begin as RFC 6381 has them.
const TAKEN: [&str; 2] = ["mp4a.40", "flac"];

/// What a client is offered of a file.
#[derive(Debug, Clone)]
pub struct Choice {
    /// How it plays.
    pub decision: Decision,
    /// Forms of the film, the best first.
    pub films: Vec<Arc<Rendition>>,
    /// Its sounds, in file order.
    pub sounds: Vec<Arc<Rendition>>,
}

impl Choice {
    /// All of them, films first.
    pub fn renditions(&self) -> impl Iterator<Item = &Arc<Rendition>> {
        self.films.iter().chain(&self.sounds)
    }
}

/// The choice for a client.
pub(super) fn choose(title: &Title, client: &Capabilities) -> Result<Choice, PlaybackError> {
    if let Some(stream) = client.burn.filter(|stream| !title.has_pictures(*stream)) {
        return Err(PlaybackError::NotPictures(stream));
    }
    let film = title.index.film();
    let film_why = film.and_then(|track| film_needs(title, track, client));
    let tracks = || title.index.tracks.iter().filter(|t| !t.config.format.is_video());
    let sounds: Vec<Arc<Rendition>> = tracks().filter_map(|track| sound(title, track, client)).collect();
    let default = sounds.iter().find(|sound| sound.default).or(sounds.first());
    let sound_why = default.and_then(|sound| sound_needs(title, title.track(sound.typed.stream())?, client));
    if film.is_none() && sounds.is_empty() {
        return Err(PlaybackError::Unsupported("there is neither picture nor sound in this file".to_owned()));
    }
    let directly = decide::decide(&title.facts, client).method == Method::Direct;
    let films = match film {
        Some(track) => films(title, track, client, film_why.is_none(), loudest(&sounds)),
        None => Vec::new(),
    };
    Ok(Choice { decision: decide::told(film_why, sound_why, directly), films, sounds })
}

fn loudest(sounds: &[Arc<Rendition>]) -> u64 {
    sounds.iter().map(|sound| sound.average_bit_rate).max().unwrap_or(0)
}

fn film_needs(title: &Title, track: &TrackIndex, client: &Capabilities) -> Option<String> {
    let film = stream(&title.facts, track.stream)?;
    decide::film_needs(&title.facts, film, client).or_else(|| foreign(track))
}

fn sound_needs(title: &Title, track: &TrackIndex, client: &Capabilities) -> Option<String> {
    let sound = stream(&title.facts, track.stream)?;
    decide::sound_needs(&title.facts, sound, client).or_else(|| foreign(track))
}

fn foreign(track: &TrackIndex) -> Option<String> {
    (!track.config.format.is_copyable()).then(|| "its packets cannot be repackaged".to_owned())
}

fn sound(title: &Title, track: &TrackIndex, client: &Capabilities) -> Option<Arc<Rendition>> {
    if sound_needs(title, track, client).is_none() {
        return title.rendition(RenditionId::Sound(track.stream));
    }
    let own = stream(&title.facts, track.stream).and_then(|s| s.channels).unwrap_or(2);
    let channels = aac_channels(own).iter().find(|c| u32::from(**c) <= client.channels.max(2))?;
    title.rendition(RenditionId::Aac { stream: track.stream, channels: *channels, kbps: None })
}

/// The sound of a stream for a player that knows nothing but HLS: as it is where every such player takes it and `most` bits a second
/// allow it, else AAC of as many bits as they allow, or of the fewest that there are.
pub(super) fn sound_within(title: &Title, index: u32, most: Option<u64>) -> Option<Arc<Rendition>> {
    let track = title.track(index)?;
    let taken = |copy: &Arc<Rendition>| TAKEN.iter().any(|codec| copy.codecs.starts_with(codec));
    let copy = title.rendition(RenditionId::Sound(index)).filter(taken);
    if let Some(copy) = copy.filter(|copy| most.is_none_or(|most| copy.average_bit_rate <= most)) {
        return Some(copy);
    }
    let own = stream(&title.facts, track.stream).and_then(|s| s.channels).unwrap_or(2);
    let channels = *aac_channels(own).iter().min()?;
    let usual = title.rendition(RenditionId::Aac { stream: index, channels, kbps: None })?;
    let most = most.unwrap_or(usual.average_bit_rate);
    let kbps = AAC_KBPS.iter().rev().find(|kbps| u64::from(**kbps) * 1000 <= most).unwrap_or(&AAC_KBPS[0]);
    if u64::from(*kbps) * 1000 == usual.average_bit_rate {
        return Some(usual);
    }
    title.rendition(RenditionId::Aac { stream: index, channels, kbps: Some(*kbps) })
}

/// The copy where it plays, and the rungs: all of them where it does not, those of fewer bits where the client changes
/// between forms.
fn films(title: &Title, track: &TrackIndex, client: &Capabilities, copy: bool, sound: u64) -> Vec<Arc<Rendition>> {
    let mut films: Vec<Arc<Rendition>> = Vec::new();
    if copy {
        films.extend(title.rendition(RenditionId::Film(track.stream)));
        if !client.ladder {
            return films;
        }
    }
    let below = films.first().map(|copy| copy.average_bit_rate.saturating_sub(sound) / 10 * 9);
    let fits = |lines: u32, bit_rate: u64| {
        client.height_max.is_none_or(|most| lines <= most)
            && client.bit_rate_max.is_none_or(|most| bit_rate + sound <= most)
            && below.is_none_or(|below| bit_rate < below)
    };
    let rungs = || title.rungs.iter();
    let mut chosen: Vec<_> = rungs().filter(|rung| fits(rung.lines, rung.bit_rate)).collect();
    if chosen.is_empty() && films.is_empty() {
        chosen.extend(rungs().last());
    }
    let id = |lines| RenditionId::Rung { stream: track.stream, lines, burn: client.burn };
    films.extend(chosen.into_iter().filter_map(|rung| title.rendition(id(rung.lines))));
    films
}

/// Whether a rendition may be had under a limit of bits a second. The lowest rung always may.
pub(super) fn allowed(title: &Title, rendition: &Rendition, limit: Option<u64>) -> bool {
    let Some(limit) = limit else { return true };
    match rendition.typed {
        RenditionId::Film(_) => title.facts.bit_rate <= limit,
        RenditionId::Rung { lines, .. } => {
            let lowest = title.rungs.last().is_some_and(|rung| rung.lines == lines);
            lowest || rendition.average_bit_rate + 96_000 <= limit
        }
        RenditionId::Sound(_) | RenditionId::Aac { .. } => true,
    }
}
