//! Subtitles as plain values: what the worker takes out of a file, or a parser out of a file beside it, and how they are
//! written for players. Pure.
//!
//! Files are read leniently: a cue that cannot be understood is left out, the others are kept. Whatever the bytes, the
//! text of a cue holds no markup but WebVTT's `<i>`, `<b>` and `<u>`, balanced, and no empty line, so that it can be
//! written into a WebVTT file as it is.
mod ass;
mod clock;
mod encoding;
mod markup;
mod mov_text;
mod srt;
mod vtt;
mod write;

pub use ass::{event_of_packet, header_of_codec, plain as ass_to_text};
pub use markup::{from_srt, from_vtt};
pub use mov_text::from_sample as from_mov_text;
pub use write::{to_ass, to_webvtt, webvtt_segment};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the cues of a track are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubtitleFormat {
    /// Plain text with little or no styling: SubRip, WebVTT, MP4 timed text.
    Text,
    /// Advanced SubStation Alpha, with its styles.
    Ass,
    /// Pictures (PGS, VobSub): can only be drawn into the film.
    Picture,
}

/// A whole track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// What the cues are.
    pub format: SubtitleFormat,
    /// For ASS: everything before the events (script info, styles, the events' format line).
    pub header: String,
    /// In time order.
    pub cues: Vec<Cue>,
}

/// A line or picture on the screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cue {
    /// Seconds on the file's shifted time line, as the segments count.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// WebVTT cue text; for ASS the event's fields from `Layer` on, without its times.
    pub text: String,
}

/// Bytes of the largest subtitle file.
pub const FILE_MAX: usize = 16 * 1024 * 1024;
/// Cues of the longest track.
pub const CUES_MAX: usize = 50_000;
/// Bytes of the text of all cues of a track, and of an ASS header.
pub const TEXT_MAX: usize = 8 * 1024 * 1024;

/// Why a file gives no subtitles.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SubtitleError {
    /// More bytes than [`FILE_MAX`].
    #[error("the subtitle file is too large")]
    TooLarge,
    /// No cue of any known format.
    #[error("there are no subtitles in this file")]
    NoCues,
}

impl SubtitleTrack {
    /// The track of a file's bytes: SubRip, WebVTT, ASS or SSA in any usual encoding, told by what is in it. Its times
    /// are those of the file: nothing is shifted.
    ///
    /// # Errors
    /// [`SubtitleError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SubtitleError> {
        if bytes.len() > FILE_MAX {
            return Err(SubtitleError::TooLarge);
        }
        let text = encoding::text(bytes);
        let track = if text.trim_start().starts_with("WEBVTT") {
            vtt::read(&text)
        } else if ass::is_ass(&text) {
            ass::read(&text)
        } else {
            srt::read(&text)
        };
        if track.cues.is_empty() { Err(SubtitleError::NoCues) } else { Ok(track) }
    }

    /// A track of cues in any order, within the limits; what lasts no time or has no text is left out.
    #[must_use]
    pub fn of(format: SubtitleFormat, header: String, cues: impl IntoIterator<Item = Cue>) -> Self {
        let mut room = TEXT_MAX.saturating_sub(header.len());
        let mut kept: Vec<Cue> = cues
            .into_iter()
            .filter(|cue| cue.start.is_finite() && cue.end.is_finite() && cue.end > cue.start && !cue.text.is_empty())
            .take_while(|cue| {
                let fits = cue.text.len() <= room;
                room = room.saturating_sub(cue.text.len());
                fits
            })
            .take(CUES_MAX)
            .collect();
        kept.sort_by(|a, b| a.start.total_cmp(&b.start));
        Self { format, header, cues: kept }
    }

    /// The same with every cue later by `seconds`. What then ends before zero is left out.
    #[must_use]
    pub fn shifted(mut self, seconds: f64) -> Self {
        self.cues.retain_mut(|cue| {
            cue.start = (cue.start + seconds).max(0.0);
            cue.end += seconds;
            cue.end > cue.start
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(track: &SubtitleTrack) -> Vec<(f64, f64, &str)> {
        track.cues.iter().map(|cue| (cue.start, cue.end, cue.text.as_str())).collect()
    }

    #[test]
    fn a_format_is_told_by_its_content() {
        let srt = SubtitleTrack::parse(b"1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\n").unwrap();
        assert_eq!((srt.format, told(&srt)), (SubtitleFormat::Text, vec![(1.0, 2.5, "Hello")]));
        let vtt = SubtitleTrack::parse(b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.500\nHello").unwrap();
        assert_eq!(told(&vtt), [(1.0, 2.5, "Hello")]);
        let ass = b"[Script Info]\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello";
        let ass = SubtitleTrack::parse(ass).unwrap();
        assert_eq!((ass.format, told(&ass)), (SubtitleFormat::Ass, vec![(1.0, 2.5, "0,Default,,0,0,0,,Hello")]));
    }

    #[test]
    fn what_has_no_cues_or_too_many_bytes_is_refused() {
        assert_eq!(SubtitleTrack::parse(b"To be, or not to be"), Err(SubtitleError::NoCues));
        assert_eq!(SubtitleTrack::parse(&vec![b' '; FILE_MAX + 1]), Err(SubtitleError::TooLarge));
    }

    #[test]
    fn a_track_has_limits_and_is_in_order() {
        let cue = |start: f64, text: &str| Cue { start, end: start + 1.0, text: text.to_owned() };
        let endless = (0..).map(|n| cue(f64::from(n), "x"));
        assert_eq!(SubtitleTrack::of(SubtitleFormat::Text, String::new(), endless).cues.len(), CUES_MAX);
        let long = "x".repeat(TEXT_MAX / 2 + 1);
        let heavy = [cue(2.0, &long), cue(1.0, &long)];
        assert_eq!(SubtitleTrack::of(SubtitleFormat::Text, String::new(), heavy).cues.len(), 1);
        let odd = [cue(3.0, "b"), cue(1.0, "a"), cue(f64::NAN, "c"), cue(4.0, "")];
        let track = SubtitleTrack::of(SubtitleFormat::Text, String::new(), odd);
        assert_eq!(told(&track), [(1.0, 2.0, "a"), (3.0, 4.0, "b")]);
        assert_eq!(told(&track.shifted(-1.5)), [(0.0, 0.5, "a"), (1.5, 2.5, "b")]);
    }

    /// Everything that is promised of a track, whatever it was made of.
    fn holds(track: &SubtitleTrack) {
        assert!(track.cues.len() <= CUES_MAX && track.cues.windows(2).all(|pair| pair[0].start <= pair[1].start));
        let vtt = to_webvtt(track);
        assert!(vtt.starts_with("WEBVTT"));
        if !track.cues.is_empty() {
            let again = SubtitleTrack::parse(vtt.as_bytes());
            let written = vtt.matches("-->").count();
            assert_eq!(again.map_or(0, |t| t.cues.len()), written);
        }
        let _ = SubtitleTrack::parse(to_ass(track).as_bytes());
        let _ = webvtt_segment(track, 1.0, 5.0, 0.5);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_track_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            if let Ok(track) = SubtitleTrack::parse(&bytes) {
                holds(&track);
            }
        }

        #[test]
        fn anything_that_looks_like_subtitles_is_read(
            head in "(WEBVTT|\\[Script Info\\]|1|)", lines in proptest::collection::vec(
                "([0-9]{0,3}|[0-9:,.]{5,12} --> [0-9:,.]{5,12}( line:1)?|00:00:0[0-9][,.][0-9]{3} --> 00:00:1[0-9][,.][0-9]{3}|\\[Events\\]|Format: .{0,30}|Dialogue: 0,0:00:0[0-9].00,0:00:1[0-9].00,.{0,30}|[<{/ibu>}\\\\a-z& ;-]{0,20}||\\PC{0,20})", 0..40)
        ) {
            let text = format!("{head}\n{}", lines.join("\n"));
            if let Ok(track) = SubtitleTrack::parse(text.as_bytes()) {
                holds(&track);
            }
        }
    }
}
