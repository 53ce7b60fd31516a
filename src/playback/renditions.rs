//! The renditions of a file, copied and transcoded: named by what decides their bytes, and found again without a second
//! look at the file.
//!
//! A copy's name is the CID of its descriptor: whoever holds the same file computes the same one, so equal names promise
//! equal segments (`docs/formats.md`, "Copy renditions"). A transcoded rendition's descriptor tells one node's cache what
//! may stand beside what: other settings give another one.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OnceCell;

use super::id::RenditionId;
use super::ladder::{self, Rung};
use super::{Rendition, Source};
use crate::content::Cid;
use crate::content::cid::{of_digest, sha256};
use crate::media::codecs::codec_string;
use crate::media::facts::Stream;
use crate::media::fmp4::TrackConfig;
use crate::media::rung_cuts::PictureCut;
use crate::media::subtitles::SubtitleFormat;
use crate::media::timeline::{FileIndex, Grid, TrackIndex};
use crate::media::transcode::{PictureFormat, SoundFormat};
use crate::media::{Facts, StreamKind, decide};

/// Version of cutting and packaging. It grows when equal files would give other bytes than before.
pub const PACKAGER: u32 = 1;
/// Version of the encoders' settings. It grows when segments of before and after do not fit together.
pub const ENCODING: u32 = 1;
/// Multicodec of DAG-CBOR.
const DAG_CBOR: u64 = 0x71;
/// A track that begins this much after the others has its first segment begin with them, in playlists.
const LATE_SECONDS: f64 = 0.5;
/// Rates that AAC has a place for in its configuration, Hz, up to what browsers play.
const AAC_RATES: [u32; 10] = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000];

/// What becomes of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    Copy,
    Picture(PictureFormat),
    Sound(SoundFormat),
}

/// Everything that a copy's bytes follow from.
#[derive(Debug, Serialize)]
struct Descriptor<'a> {
    base: i64,
    config: &'a TrackConfig,
    end: i64,
    /// CID of the file.
    file: String,
    grid: Option<Grid>,
    keys: &'a [i64],
    packager: u32,
    starts: &'a [i64],
    stream: u32,
}

/// What must be equal for transcoded segments to stand beside each other.
#[derive(Debug, Serialize)]
struct TranscodeDescriptor<'a> {
    encoding: u32,
    file: String,
    packager: u32,
    picture: Option<&'a PictureFormat>,
    rendition: String,
    sound: Option<&'a SoundFormat>,
    starts: Vec<i64>,
}

type Head = Arc<OnceCell<TrackConfig>>;

/// A file's index and what is made of it.
pub(super) struct Title {
    pub index: FileIndex,
    pub facts: Facts,
    file: Cid,
    /// Sizes that its film is transcoded to, the highest first; empty without film.
    pub rungs: Vec<Rung>,
    pub picture_cuts: Vec<PictureCut>,
    /// Seconds on the file's time line at which playlists begin.
    pub zero: f64,
    known: Mutex<HashMap<RenditionId, Arc<Rendition>>>,
    heads: Mutex<HashMap<RenditionId, Head>>,
}

impl Title {
    pub fn new(source: &Source, index: FileIndex, ladder: &[Rung]) -> Self {
        let zero = index.tracks.iter().filter_map(|t| Some(seconds(t, *t.starts.first()?))).reduce(f64::min);
        let film = index.film().and_then(|track| stream(&source.facts, track.stream));
        let size = film.and_then(|film| film.width.zip(film.height));
        Self {
            rungs: size.map(|(width, height)| ladder::rungs(ladder, width, height)).unwrap_or_default(),
            picture_cuts: index.picture_cuts(),
            zero: zero.unwrap_or(0.0),
            facts: source.facts.clone(),
            file: source.cid,
            index,
            known: Mutex::default(),
            heads: Mutex::default(),
        }
    }

    /// The track of a stream.
    pub fn track(&self, stream: u32) -> Option<&TrackIndex> {
        self.index.tracks.iter().find(|track| track.stream == stream)
    }

    /// The rendition of this name, if the file has one.
    pub fn rendition(&self, id: RenditionId) -> Option<Arc<Rendition>> {
        if let Some(known) = self.known.lock().get(&id) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(self.make(id)?);
        self.known.lock().insert(id, Arc::clone(&made));
        Some(made)
    }

    /// What the initialisation section of a transcoded rendition says, once it was asked.
    pub fn head(&self, id: RenditionId) -> Head {
        Arc::clone(self.heads.lock().entry(id).or_default())
    }

    fn make(&self, id: RenditionId) -> Option<Rendition> {
        let track = self.track(id.stream())?;
        if track.config.format.is_video() != id.is_film() {
            return None;
        }
        let about = stream(&self.facts, track.stream);
        let form = self.form(id, track, about)?;
        let segments = match &form {
            Form::Copy => self.spans(track),
            Form::Picture(_) => self.picture_spans(track.config.timescale),
            Form::Sound(format) => self.sound_spans(track, format.sample_rate),
        };
        let kind = if id.is_film() { StreamKind::Video } else { StreamKind::Audio };
        let descriptor = match &form {
            Form::Copy => descriptor(&self.file, &self.index, track),
            form => self.transcode_descriptor(id, form, track),
        };
        let average = match &form {
            Form::Copy if id.is_film() => self.facts.bit_rate,
            Form::Copy => self.sound_bit_rate(about).unwrap_or(track.peak_bit_rate),
            Form::Picture(format) => format.bit_rate,
            Form::Sound(format) => format.bit_rate,
        };
        Some(Rendition {
            id: id.to_string(),
            kind,
            codecs: codecs_of(&form, track),
            language: about.and_then(|s| s.language.clone()).or_else(|| track.config.language.clone()),
            name: about.and_then(|s| s.title.clone()),
            default: chosen(&self.facts, kind) == Some(track.stream),
            transcoded: form != Form::Copy,
            size: match &form {
                Form::Picture(format) => Some((format.width, format.height)),
                _ => about.and_then(|s| s.width.zip(s.height)),
            },
            frame_rate: match &form {
                Form::Picture(_) => about.and_then(|s| s.frame_rate).map(|rate| ladder::shown(Some(rate))),
                _ => about.and_then(|s| s.frame_rate),
            },
            video_range: id.is_film().then(|| match &form {
                Form::Copy => about.map_or("SDR", decide::hdr_word),
                _ => "SDR",
            }),
            channels: match &form {
                Form::Sound(format) => Some(u32::from(format.channels)),
                _ => about.and_then(|s| s.channels),
            },
            average_bit_rate: average,
            peak_bit_rate: match &form {
                Form::Copy if id.is_film() => track.peak_bit_rate,
                Form::Copy => track.peak_bit_rate.max(average),
                Form::Picture(format) => format.bit_rate * 3 / 2,
                Form::Sound(format) => format.bit_rate * 5 / 4,
            },
            key: cache_key(id, &descriptor),
            typed: id,
            form,
            descriptor,
            segments,
        })
    }

    /// What a sound tells of itself; where it is alone in its file and tells nothing (FLAC), what the file has.
    fn sound_bit_rate(&self, about: Option<&Stream>) -> Option<u64> {
        let of_file = || self.index.film().is_none().then_some(self.facts.bit_rate).filter(|rate| *rate > 0);
        about.and_then(|s| s.bit_rate).or_else(of_file)
    }

    /// What becomes of the stream under this name; `None` where there is no such rendition.
    fn form(&self, id: RenditionId, track: &TrackIndex, about: Option<&Stream>) -> Option<Form> {
        match id {
            RenditionId::Film(_) | RenditionId::Sound(_) => track.config.format.is_copyable().then_some(Form::Copy),
            RenditionId::Rung { lines, burn, .. } => {
                let rung = self.rungs.iter().find(|rung| rung.lines == lines)?;
                let film = about?;
                if !burn.is_none_or(|burn| self.has_pictures(burn)) {
                    return None;
                }
                let format = ladder::format(*rung, film.width?, film.height?, film.frame_rate, film.hdr.is_some());
                Some(Form::Picture(PictureFormat { burn, ..format }))
            }
            RenditionId::Aac { channels, kbps, .. } => {
                let own = about.and_then(|s| s.channels).unwrap_or(2);
                let usual = aac(channels, about, track);
                let bit_rate = kbps.map_or(usual.bit_rate, |kbps| u64::from(kbps) * 1000);
                // One name for each: the usual one has none of its own.
                let odd =
                    kbps.is_some_and(|kbps| !AAC_KBPS.contains(&kbps) || channels > 2 || bit_rate == usual.bit_rate);
                let there = aac_channels(own).contains(&channels) && !odd;
                there.then_some(Form::Sound(SoundFormat { bit_rate, ..usual }))
            }
        }
    }

    /// A picture subtitle stream has this index.
    pub(super) fn has_pictures(&self, index: u32) -> bool {
        stream(&self.facts, index)
            .filter(|s| s.kind == StreamKind::Subtitle)
            .is_some_and(|s| super::subtitles::format_of(&s.codec) == Some(SubtitleFormat::Picture))
    }

    fn transcode_descriptor(&self, id: RenditionId, form: &Form, track: &TrackIndex) -> Cid {
        let (picture, sound) = match form {
            Form::Picture(format) => (Some(format), None),
            Form::Sound(format) => (None, Some(format)),
            Form::Copy => (None, None),
        };
        let starts = match form {
            Form::Sound(format) => self.index.sound_cuts(track, format.sample_rate).iter().map(|cut| cut.0).collect(),
            _ => self.picture_cuts.iter().map(|cut| cut.start).collect(),
        };
        let (file, rendition) = (self.file.to_string(), id.to_string());
        named(&TranscodeDescriptor { encoding: ENCODING, file, packager: PACKAGER, picture, rendition, sound, starts })
    }

    /// Start and duration of each segment of a copy, in seconds.
    fn spans(&self, track: &TrackIndex) -> Vec<(f64, f64)> {
        let scale = f64::from(track.config.timescale);
        let bounds: Vec<i64> = track.starts.iter().copied().chain([track.end]).collect();
        let spans = bounds.windows(2).map(|pair| (pair[0] as f64 / scale, (pair[1] - pair[0]).max(0) as f64 / scale));
        self.not_late(spans.collect())
    }

    fn picture_spans(&self, timescale: u32) -> Vec<(f64, f64)> {
        let scale = f64::from(timescale.max(1));
        let span = |cut: &PictureCut| (cut.start as f64 / scale, (cut.end - cut.start) as f64 / scale);
        self.not_late(self.picture_cuts.iter().map(span).collect())
    }

    fn sound_spans(&self, track: &TrackIndex, sample_rate: u32) -> Vec<(f64, f64)> {
        let scale = f64::from(sample_rate.max(1));
        let span = |(start, end): (i64, i64)| (start as f64 / scale, (end - start) as f64 / scale);
        self.not_late(self.index.sound_cuts(track, sample_rate).into_iter().map(span).collect())
    }

    fn not_late(&self, mut spans: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        if let Some((start, duration)) = spans.first_mut()
            && *start - self.zero > LATE_SECONDS
        {
            *duration += *start - self.zero;
            *start = self.zero;
        }
        spans
    }
}

fn seconds(track: &TrackIndex, tick: i64) -> f64 {
    tick as f64 / f64::from(track.config.timescale.max(1))
}

pub(super) fn stream(facts: &Facts, index: u32) -> Option<&Stream> {
    facts.streams.iter().find(|s| s.index == index)
}

/// Kilobits a second that AAC of one or two channels is made with.
pub(super) const AAC_KBPS: [u32; 9] = [32, 48, 64, 96, 128, 160, 192, 256, 320];

/// Channels that AAC is made with of sound that has so many, the most first.
pub(super) fn aac_channels(own: u32) -> &'static [u16] {
    match own {
        0 | 1 => &[1],
        2..=4 => &[2],
        _ => &[6, 2],
    }
}

fn aac(channels: u16, about: Option<&Stream>, track: &TrackIndex) -> SoundFormat {
    let own = about.and_then(|s| s.sample_rate).unwrap_or(track.config.timescale);
    let bit_rate = match channels {
        1 => 96_000,
        2 => 192_000,
        _ => 448_000,
    };
    SoundFormat { sample_rate: if AAC_RATES.contains(&own) { own } else { 48_000 }, channels, bit_rate }
}

/// Names a rendition in the cache: other settings, another name.
fn cache_key(id: RenditionId, descriptor: &Cid) -> String {
    let tail: String = descriptor.to_string().chars().rev().take(12).collect();
    format!("{id}.{tail}")
}

/// The stream that plays unless another is chosen.
fn chosen(facts: &Facts, kind: StreamKind) -> Option<u32> {
    let chosen = match kind {
        StreamKind::Video => decide::film(facts),
        _ => decide::default_sound(facts),
    };
    chosen.map(|stream| stream.index)
}

fn codecs_of(form: &Form, track: &TrackIndex) -> String {
    match form {
        Form::Copy => codec_string(&track.config.format),
        // High profile, no constraints.
        Form::Picture(format) => format!("avc3.6400{:02x}", format.level),
        Form::Sound(_) => "mp4a.40.2".to_owned(),
    }
}

fn descriptor(file: &Cid, index: &FileIndex, track: &TrackIndex) -> Cid {
    named(&Descriptor {
        base: index.base_seconds,
        config: &track.config,
        end: track.end,
        file: file.to_string(),
        grid: track.grid,
        keys: &track.keys,
        packager: PACKAGER,
        starts: &track.starts,
        stream: track.stream,
    })
}

fn named(descriptor: &impl Serialize) -> Cid {
    // Numbers, texts, lists and maps with text keys: all of them have a place in DAG-CBOR.
    let bytes = serde_ipld_dagcbor::to_vec(descriptor).unwrap_or_default();
    of_digest(DAG_CBOR, &sha256(&bytes))
}
