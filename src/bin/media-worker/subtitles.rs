//! Takes text subtitles and attached files out of a container. Only the packets of the one stream are looked at.
use std::collections::VecDeque;

use ffmpeg_next::Packet;
use ffmpeg_next::ffi::{self, AVCodecID, AVMediaType};
use potluck::media::subtitles::{
    CUES_MAX, Cue, SubtitleFormat, SubtitleTrack, TEXT_MAX, event_of_packet, from_mov_text, from_srt, from_vtt,
    header_of_codec,
};

use crate::source::{Source, Trouble};
use crate::stream::StreamView;

/// A cue that does not say how long it is shown: until the next one, at most this long.
const SHOWN_SECONDS: f64 = 6.0;
/// Bytes of the largest attached file that is given out.
const ATTACHMENT_MAX: usize = 48 * 1024 * 1024;

/// All cues of a stream.
pub fn of(mut source: Source, stream: u32, base_seconds: i64) -> Result<SubtitleTrack, Trouble> {
    let stream = usize::try_from(stream).unwrap_or(usize::MAX);
    let view = subtitle_stream(&source, stream)?;
    let codec = view.parameters().codec_id;
    let reading = Reading::of(codec).ok_or_else(|| Trouble::Cannot("these subtitles are no text".to_owned()))?;
    let header = match reading {
        Reading::Ass => header_of_codec(&String::from_utf8_lossy(view.extradata())),
        _ => String::new(),
    };
    let base = view.raw().time_base;
    source.only(&[stream]);
    let cues = cues(&mut source, stream, base, base_seconds, reading)?;
    let format = if reading == Reading::Ass { SubtitleFormat::Ass } else { SubtitleFormat::Text };
    Ok(SubtitleTrack::of(format, header, cues))
}

fn subtitle_stream(source: &Source, stream: usize) -> Result<StreamView<'_>, Trouble> {
    let view = source.stream(stream).filter(|v| v.parameters().codec_type == AVMediaType::AVMEDIA_TYPE_SUBTITLE);
    view.ok_or_else(|| Trouble::Cannot("there are no such subtitles".to_owned()))
}

/// How a packet's text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    SubRip,
    Ass,
    WebVtt,
    MovText,
}

impl Reading {
    fn of(codec: AVCodecID) -> Option<Self> {
        match codec {
            AVCodecID::AV_CODEC_ID_SUBRIP | AVCodecID::AV_CODEC_ID_TEXT => Some(Self::SubRip),
            AVCodecID::AV_CODEC_ID_ASS | AVCodecID::AV_CODEC_ID_SSA => Some(Self::Ass),
            AVCodecID::AV_CODEC_ID_WEBVTT => Some(Self::WebVtt),
            AVCodecID::AV_CODEC_ID_MOV_TEXT => Some(Self::MovText),
            _ => None,
        }
    }

    fn text(self, bytes: &[u8]) -> Option<String> {
        let text = || String::from_utf8_lossy(bytes);
        match self {
            Self::SubRip => Some(from_srt(&text())),
            Self::Ass => event_of_packet(&text()),
            Self::WebVtt => Some(from_vtt(&text())),
            Self::MovText => from_mov_text(bytes),
        }
    }
}

fn cues(
    source: &mut Source,
    stream: usize,
    base: ffi::AVRational,
    base_seconds: i64,
    reading: Reading,
) -> Result<VecDeque<Cue>, Trouble> {
    let seconds = |ticks: i64| ticks as f64 * f64::from(base.num) / f64::from(base.den.max(1));
    let mut cues: VecDeque<Cue> = VecDeque::new();
    let mut bytes = 0;
    // The last cue lasts until the next one begins, if it does not say.
    let mut open = false;
    while cues.len() < CUES_MAX && bytes < TEXT_MAX {
        let Some(packet) = next_of(source, stream)? else { break };
        let Some(time) = packet.pts().or(packet.dts()) else { continue };
        let start = seconds(time) + base_seconds as f64;
        if open && let Some(last) = cues.back_mut() {
            last.end = last.end.min(start);
        }
        let text = packet.data().and_then(|data| reading.text(data)).filter(|text| !text.is_empty());
        open = false;
        if let Some(text) = text {
            bytes += text.len();
            open = packet.duration() <= 0;
            let length = if open { SHOWN_SECONDS } else { seconds(packet.duration()) };
            cues.push_back(Cue { start, end: start + length, text });
        }
    }
    Ok(cues)
}

fn next_of(source: &mut Source, stream: usize) -> Result<Option<Packet>, Trouble> {
    loop {
        match source.packet()? {
            Some(packet) if packet.stream() != stream => (),
            found => return Ok(found),
        }
    }
}

/// The bytes of an attached file.
pub fn attachment(source: &Source, stream: u32) -> Result<Vec<u8>, Trouble> {
    let missing = || Trouble::Cannot("there is no such file attached".to_owned());
    let view = source.stream(usize::try_from(stream).unwrap_or(usize::MAX)).ok_or_else(missing)?;
    let bytes = view.extradata();
    match view.parameters().codec_type {
        AVMediaType::AVMEDIA_TYPE_ATTACHMENT if !bytes.is_empty() && bytes.len() <= ATTACHMENT_MAX => {
            Ok(bytes.to_vec())
        }
        AVMediaType::AVMEDIA_TYPE_ATTACHMENT if !bytes.is_empty() => {
            Err(Trouble::Cannot("the attached file is too large".to_owned()))
        }
        _ => Err(missing()),
    }
}
