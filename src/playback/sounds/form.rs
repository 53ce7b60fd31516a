//! What the sound of a file is wanted as, and which of its streams that is.
use std::time::Duration;

use crate::media::whole_sound::{SoundCodec, WholeSound};
use crate::media::{Facts, Stream, StreamKind};

/// A form of a file's sound that can be made: its bit rate is one that the codec has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SoundForm {
    codec: SoundCodec,
    kbps: u32,
    offset: Duration,
}

impl SoundForm {
    /// `kbps` kilobits a second or the next lower that there is, the codec's usual without it; `offset` is left out at the beginning.
    #[must_use]
    pub fn new(codec: SoundCodec, kbps: Option<u32>, offset: Duration) -> Self {
        Self { codec, kbps: codec.kbps_at_most(kbps.unwrap_or(codec.usual_kbps())), offset }
    }

    /// The same within a limit of bits a second, as far as the codec goes.
    #[must_use]
    pub fn limited(self, bit_rate_max: Option<u64>) -> Self {
        let most = bit_rate_max.map_or(u32::MAX, |most| u32::try_from(most / 1000).unwrap_or(u32::MAX));
        Self { kbps: self.codec.kbps_at_most(self.kbps.min(most)), ..self }
    }

    /// What it is encoded as.
    #[must_use]
    pub fn codec(&self) -> SoundCodec {
        self.codec
    }

    /// Kilobits a second.
    #[must_use]
    pub fn kbps(&self) -> u32 {
        self.kbps
    }

    /// What is left out at the beginning.
    #[must_use]
    pub fn offset(&self) -> Duration {
        self.offset
    }

    /// What begins in the middle is asked for once; it is not kept.
    pub(super) fn is_kept(&self) -> bool {
        self.offset.is_zero()
    }

    /// Its name in the cache.
    pub(super) fn name(&self) -> String {
        let from = if self.is_kept() { String::new() } else { format!("-from-{}", self.offset.as_millis()) };
        format!("{}{}-{}{from}", super::WHOLE, self.codec.suffix(), self.kbps)
    }

    pub(super) fn plan(&self, stream: u32) -> WholeSound {
        let offset_ms = u64::try_from(self.offset.as_millis()).unwrap_or(u64::MAX);
        WholeSound { stream, codec: self.codec, kbps: self.kbps, offset_ms }
    }
}

/// The stream that is heard: the one marked to be, else the first.
pub(super) fn best(facts: &Facts) -> Option<&Stream> {
    let sounds = || facts.streams.iter().filter(|stream| stream.kind == StreamKind::Audio);
    sounds().find(|stream| stream.default).or_else(|| sounds().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_bit_rate_of_its_codec_within_the_limit() {
        let form = SoundForm::new(SoundCodec::Mp3, Some(300), Duration::ZERO);
        assert_eq!((form.kbps(), form.name().as_str()), (256, "whole-mp3-256"));
        assert_eq!(form.limited(Some(100_000)).kbps(), 96);
        assert_eq!(form.limited(Some(1)).kbps(), 32);
        assert_eq!(form.limited(None), form);
        assert_eq!(SoundForm::new(SoundCodec::Opus, None, Duration::ZERO).kbps(), 128);
    }

    #[test]
    fn what_begins_in_the_middle_has_a_name_of_its_own() {
        let form = SoundForm::new(SoundCodec::Aac, None, Duration::from_millis(1500));
        assert_eq!(form.name(), "whole-aac-256-from-1500");
        assert!(!form.is_kept());
        assert_eq!(form.plan(3).offset_ms, 1500);
    }
}
