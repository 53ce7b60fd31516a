//! Whether a program plays a song as it is, and what else it gets: decided from what it says of itself (OpenSubsonic's `transcoding`,
//! `ClientInfo`). Pure. Lists are read as arrays and, as the extension was written first, as words with commas; `*` is anything.
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::catalog::music::Track;
use crate::facades::songs::suffix;
use crate::media::whole_sound::SoundCodec;
use crate::playback::SoundForm;

/// Containers by the endings of names, where they are not called the same.
const CONTAINERS: &[(&str, &[&str])] = &[
    ("m4a", &["mp4", "m4a"]),
    ("m4b", &["mp4", "m4a", "m4b"]),
    ("alac", &["mp4", "m4a"]),
    ("oga", &["ogg", "oga"]),
    ("spx", &["ogg", "spx"]),
    ("opus", &["ogg", "opus"]),
    ("aif", &["aiff", "aif"]),
    ("aifc", &["aiff", "aifc"]),
    ("mka", &["matroska", "mka"]),
    ("wma", &["asf", "wma"]),
    ("m4v", &["mp4", "m4v"]),
    ("mkv", &["matroska", "mkv"]),
];
/// Codecs that lose nothing: their bit rate says nothing of what another needs.
const LOSSLESS: &[&str] = &["flac", "alac", "pcm", "ape", "wavpack", "tta", "other"];
/// What is sent by this protocol alone.
const PROTOCOL: &str = "http";
const ANYTHING: &str = "*";

/// What a program says of itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Program {
    /// Bits a second.
    #[serde(deserialize_with = "limit")]
    max_audio_bitrate: Option<u64>,
    /// Bits a second, of what is encoded anew.
    #[serde(deserialize_with = "limit")]
    max_transcoding_audio_bitrate: Option<u64>,
    direct_play_profiles: Vec<Profile>,
    /// The best first.
    transcoding_profiles: Vec<Profile>,
    codec_profiles: Vec<CodecProfile>,
}

/// A form that it plays. Empty lists are any.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Profile {
    #[serde(alias = "container", deserialize_with = "words")]
    containers: Vec<String>,
    #[serde(alias = "audioCodec", deserialize_with = "words")]
    audio_codecs: Vec<String>,
    #[serde(alias = "protocol", deserialize_with = "words")]
    protocols: Vec<String>,
    #[serde(deserialize_with = "limit")]
    max_audio_channels: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct CodecProfile {
    name: String,
    limitations: Vec<Limitation>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Limitation {
    name: String,
    comparison: String,
    #[serde(alias = "value", deserialize_with = "words")]
    values: Vec<String>,
    required: bool,
}

/// What is known of a sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sound {
    /// What its container is called, the usual name first.
    pub containers: Vec<String>,
    pub codec: String,
    /// 0 where unknown, as everything below.
    pub channels: u64,
    /// Bits a second.
    pub bit_rate: u64,
    /// Hz.
    pub sample_rate: u64,
    pub bit_depth: u64,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub direct: bool,
    /// Why not, one for each form that it plays.
    pub reasons: Vec<String>,
    /// What it can have else, and what that is.
    pub encoded: Option<(SoundForm, Sound)>,
}

impl Sound {
    /// Of a song as it is.
    pub fn of(track: &Track) -> Self {
        Self {
            containers: Self::containers(&suffix(track)),
            codec: track.format.clone(),
            channels: track.channels.into(),
            bit_rate: u64::from(track.bit_rate) * 1000,
            sample_rate: track.sample_rate.into(),
            bit_depth: track.bit_depth.into(),
        }
    }

    /// What the container of a file with this ending is called.
    pub fn containers(suffix: &str) -> Vec<String> {
        let known = CONTAINERS.iter().find(|(ending, _)| *ending == suffix).map(|(_, names)| names.iter());
        let containers = known.map(|names| names.map(|name| (*name).to_owned()).collect());
        containers.unwrap_or_else(|| vec![suffix.to_owned()])
    }

    fn encoded(&self, form: &SoundForm) -> Self {
        let containers: &[&str] = match form.codec() {
            SoundCodec::Mp3 => &["mp3"],
            SoundCodec::Opus => &["ogg", "opus", "oga"],
            SoundCodec::Aac => &["aac", "adts"],
        };
        let rate = u32::try_from(self.sample_rate).unwrap_or(u32::MAX);
        Self {
            containers: containers.iter().map(|name| (*name).to_owned()).collect(),
            codec: form.codec().suffix().to_owned(),
            channels: if self.channels == 0 { 2 } else { self.channels.min(2) },
            bit_rate: u64::from(form.kbps()) * 1000,
            sample_rate: form.codec().sample_rate(rate).into(),
            bit_depth: 0,
        }
    }
}

impl Program {
    /// Decides for a sound.
    pub fn decide(&self, sound: &Sound) -> Decision {
        let reasons: Vec<Option<String>> = match &self.direct_play_profiles[..] {
            [] => vec![Some("the program names no form that it plays".to_owned())],
            profiles => profiles.iter().map(|profile| self.hinders(profile, sound, self.max_audio_bitrate)).collect(),
        };
        let direct = reasons.iter().any(Option::is_none);
        let encoded = self.transcoding_profiles.iter().find_map(|profile| self.encoded(profile, sound));
        let reasons = if direct { Vec::new() } else { reasons.into_iter().flatten().collect() };
        Decision { direct, reasons, encoded }
    }

    /// Why a sound is not played in a form; `None` where it is.
    fn hinders(&self, profile: &Profile, sound: &Sound, bit_rate_max: Option<u64>) -> Option<String> {
        let holds = |list: &[String], names: &[String]| {
            list.is_empty() || list.iter().any(|one| one == ANYTHING || names.contains(one))
        };
        let over = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value > limit);
        let why = if !holds(&profile.protocols, &[PROTOCOL.to_owned()]) {
            "protocol"
        } else if !holds(&profile.containers, &sound.containers) {
            "container"
        } else if !holds(&profile.audio_codecs, std::slice::from_ref(&sound.codec)) {
            "codec"
        } else if over(profile.max_audio_channels, sound.channels) {
            "audioChannels"
        } else if over(bit_rate_max, sound.bit_rate) {
            "audioBitrate"
        } else {
            return self.limitations(&sound.codec).find(|rule| !rule.holds(sound)).map(|rule| rule.name.clone());
        };
        Some(why.to_owned())
    }

    fn limitations<'a>(&'a self, codec: &'a str) -> impl Iterator<Item = &'a Limitation> {
        let of = move |profile: &&CodecProfile| profile.name == ANYTHING || profile.name.eq_ignore_ascii_case(codec);
        self.codec_profiles.iter().filter(of).flat_map(|profile| &profile.limitations).filter(|rule| rule.required)
    }

    /// What can be made for a form.
    fn encoded(&self, profile: &Profile, sound: &Sound) -> Option<(SoundForm, Sound)> {
        let open = profile.audio_codecs.is_empty() || profile.audio_codecs.iter().any(|name| name == ANYTHING);
        let named = if open { &profile.containers } else { &profile.audio_codecs };
        let limits = [self.max_audio_bitrate, self.max_transcoding_audio_bitrate];
        let limit = limits.into_iter().flatten().min();
        let made_here = |name: &String| if name == ANYTHING { Some(SoundCodec::Mp3) } else { SoundCodec::named(name) };
        named.iter().filter_map(made_here).find_map(|codec| {
            let rules = self.limitations(codec.suffix()).filter_map(Limitation::bit_rate_max);
            let lossy = Some(sound.bit_rate).filter(|rate| *rate > 0 && !LOSSLESS.contains(&sound.codec.as_str()));
            let most = rules.chain(limit).chain(lossy).min().map(|most| u32::try_from(most / 1000).unwrap_or(u32::MAX));
            let form = SoundForm::new(
                codec,
                Some(most.map_or(codec.usual_kbps(), |m| m.min(codec.usual_kbps()))),
                Duration::ZERO,
            );
            let made = sound.encoded(&form);
            self.hinders(profile, &made, limit).is_none().then_some((form, made))
        })
    }
}

impl Limitation {
    /// Whether a sound keeps to it. What is not known, and what is not understood, is no hindrance.
    fn holds(&self, sound: &Sound) -> bool {
        let value = match self.name.as_str() {
            "audioChannels" => sound.channels,
            "audioBitrate" => sound.bit_rate,
            "audioSamplerate" => sound.sample_rate,
            "audioBitdepth" => sound.bit_depth,
            _ => 0,
        };
        let numbers = || self.values.iter().filter_map(|text| text.parse::<u64>().ok());
        let (Some(first), true) = (numbers().next(), value > 0) else { return true };
        match self.comparison.as_str() {
            "Equals" | "EqualsAny" => numbers().any(|number| number == value),
            "NotEquals" | "NotEqualsAny" => numbers().all(|number| number != value),
            "LessThanEqual" => value <= first,
            "GreaterThanEqual" => value >= first,
            _ => true,
        }
    }

    fn bit_rate_max(&self) -> Option<u64> {
        let is = self.name == "audioBitrate" && self.comparison == "LessThanEqual";
        self.values.first().filter(|_| is)?.parse().ok()
    }
}

/// A list, or words with commas or bars between them; in small letters where they are names.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_ascii_lowercase()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text.split([',', '|']).filter_map(|part| word(&Value::from(part))).collect(),
        Value::Array(values) => values.iter().filter_map(word).collect(),
        other => word(&other).into_iter().collect(),
    })
}

/// A number above zero.
fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(from)?.as_u64().filter(|limit| *limit > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sound(container: &str, codec: &str, kbps: u64) -> Sound {
        let (containers, codec) = (vec![container.to_owned()], codec.to_owned());
        Sound { containers, codec, channels: 2, bit_rate: kbps * 1000, sample_rate: 44_100, bit_depth: 16 }
    }

    fn decided(program: Value, sound: &Sound) -> (bool, Vec<String>, Option<(&'static str, u32)>) {
        let program: Program = serde_json::from_value(program).unwrap();
        let Decision { direct, reasons, encoded } = program.decide(sound);
        (direct, reasons, encoded.map(|(form, _)| (form.codec().suffix(), form.kbps())))
    }

    #[test]
    fn what_is_named_is_played_and_the_rest_is_encoded_as_what_comes_first() {
        let program = json!({"name": "x", "platform": "y",
            "directPlayProfiles": [{"containers": ["mp3"], "audioCodecs": ["mp3"], "protocols": ["http"], "maxAudioChannels": 2},
                {"containers": [], "audioCodecs": ["vorbis"], "protocols": []}],
            "transcodingProfiles": [{"container": "mp4", "audioCodec": "aac", "protocol": "hls"},
                {"container": "ogg", "audioCodec": "opus", "protocol": "http"}]});
        assert!(decided(program.clone(), &sound("mp3", "mp3", 320)).0);
        assert!(decided(program.clone(), &sound("ogg", "vorbis", 100)).0);
        let flac = decided(program, &sound("flac", "flac", 900));
        assert_eq!(flac, (false, vec!["container".to_owned(), "codec".to_owned()], Some(("opus", 128))));
    }

    #[test]
    fn the_older_words_mean_the_same() {
        let program =
            json!({"directPlayProfiles": [{"container": "mp4", "audioCodec": "flac,AAC, alac", "protocol": "*"}]});
        assert!(decided(program.clone(), &sound("mp4", "alac", 900)).0);
        assert_eq!(decided(program, &sound("mp4", "opus", 100)), (false, vec!["codec".to_owned()], None));
    }

    #[test]
    fn limits_are_kept_as_it_is_and_encoded() {
        let program = |limits: Value| {
            let mut all = json!({"directPlayProfiles": [{}], "transcodingProfiles": [{"container": "mp3", "audioCodec": "mp3", "protocol": "http"}]});
            all.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
            all
        };
        let flac = sound("flac", "flac", 900);
        for (limits, wanted) in [
            (json!({}), (true, Some(("mp3", 192)))),
            (json!({"maxAudioBitrate": 512_000, "maxTranscodingAudioBitrate": 100_000}), (false, Some(("mp3", 96)))),
            (json!({"maxTranscodingAudioBitrate": 1_000}), (true, None)),
            (
                json!({"codecProfiles": [{"name": "mp3", "limitations":
                [{"name": "audioBitrate", "comparison": "LessThanEqual", "values": ["128000"], "required": true}]}]}),
                (true, Some(("mp3", 128))),
            ),
            (
                json!({"codecProfiles": [{"name": "flac", "limitations":
                [{"name": "audioSamplerate", "comparison": "EqualsAny", "value": "48000|96000", "required": true}]}]}),
                (false, Some(("mp3", 192))),
            ),
            (
                json!({"codecProfiles": [{"name": "flac", "limitations":
                [{"name": "audioSamplerate", "comparison": "Equals", "values": [48_000], "required": false}]}]}),
                (true, Some(("mp3", 192))),
            ),
            (
                json!({"codecProfiles": [{"name": "mp3", "limitations":
                [{"name": "audioChannels", "comparison": "LessThanEqual", "values": ["1"], "required": true}]}]}),
                (true, None),
            ),
        ] {
            let (direct, _, encoded) = decided(program(limits.clone()), &flac);
            assert_eq!((direct, encoded), wanted, "{limits}");
        }
        let (_, _, encoded) = decided(program(json!({})), &sound("wma", "wmav2", 64));
        assert_eq!(encoded, Some(("mp3", 64)), "what lost something is not encoded with more than it has");
    }

    proptest! {
        #[test]
        fn any_words_are_read(text in "[a-z,|*]{0,20}", number in any::<i64>(), channels in 0..9_u64) {
            let program = json!({"maxAudioBitrate": number, "directPlayProfiles": [{"containers": text.clone(), "maxAudioChannels": number}],
                "transcodingProfiles": [{"container": text.clone(), "audioCodec": [text.clone(), 7, null]}],
                "codecProfiles": [{"name": "*", "limitations": [{"name": text.clone(), "values": text, "comparison": "x", "required": true}]}]});
            let program: Program = serde_json::from_value(program).unwrap();
            let _ = program.decide(&Sound { channels, ..sound("flac", "flac", 900) });
        }
    }
}
