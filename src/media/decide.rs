//! How a file reaches a player: as it is, repackaged, or transcoded, and why. Pure: facts and capabilities in, words out.
use super::facts::{Facts, HdrFormat, Stream, StreamKind};

/// A video codec that players say they decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// 8 bits, 4:2:0.
    H264,
    /// Main and Main 10.
    Hevc,
    /// 8 bits.
    Vp8,
    /// Profile 0, and 2 for players of high dynamic range.
    Vp9,
    /// Main: 8 and 10 bits.
    Av1,
}

/// An audio codec that players say they decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioCodec {
    /// Of any profile.
    Aac,
    /// In MP4.
    Flac,
    /// In MP4.
    Opus,
    /// In MP4.
    Mp3,
    /// Dolby Digital.
    Ac3,
    /// Dolby Digital Plus.
    Eac3,
}

impl VideoCodec {
    /// By libav's name, which is the name in requests too.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "h264" => Self::H264,
            "hevc" => Self::Hevc,
            "vp8" => Self::Vp8,
            "vp9" => Self::Vp9,
            "av1" => Self::Av1,
            _ => return None,
        })
    }
}

impl AudioCodec {
    /// By libav's name, which is the name in requests too.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aac" => Self::Aac,
            "flac" => Self::Flac,
            "opus" => Self::Opus,
            "mp3" => Self::Mp3,
            "ac3" => Self::Ac3,
            "eac3" => Self::Eac3,
            _ => return None,
        })
    }
}

/// What a player can play, and what may be sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Codecs of pictures.
    pub video: Vec<VideoCodec>,
    /// Codecs of sound.
    pub audio: Vec<AudioCodec>,
    /// It shows high dynamic range.
    pub hdr: bool,
    /// Channels at most. Sound that is not transcoded keeps its own: players mix it down themselves.
    pub channels: u32,
    /// Lines of picture that are of use to it.
    pub height_max: Option<u32>,
    /// Bits a second that it can receive.
    pub bit_rate_max: Option<u64>,
    /// Index of a picture subtitle stream that is drawn into the film.
    pub burn: Option<u32>,
    /// It changes between forms of a film as the network does: a copy comes with lower rungs too.
    pub ladder: bool,
}

impl Default for Capabilities {
    /// What every browser plays.
    fn default() -> Self {
        Self {
            video: vec![VideoCodec::H264],
            audio: vec![AudioCodec::Aac],
            hdr: false,
            channels: 2,
            height_max: None,
            bit_rate_max: None,
            burn: None,
            ladder: false,
        }
    }
}

/// How a file reaches a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The original file plays as it is; it has copy renditions too.
    Direct,
    /// Repackaged, not re-encoded.
    Copy,
    /// The video is repackaged, the sound is transcoded.
    Audio,
    /// The video is transcoded.
    Transcode,
    /// There is nothing in it to play.
    Unsupported,
}

/// How a file reaches a player, with one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// See [`Method`].
    pub method: Method,
    /// Why.
    pub reason: String,
}

/// Containers whose packets can be repackaged and whose index is found without reading the whole file.
const CONTAINERS: [&str; 4] = ["mp4", "mov", "matroska", "webm"];
/// Containers without an index and their codecs, whose packets can be repackaged once the file was read through. Bare MPEG frames have
/// one name from their tags and another from libav.
const READ_THROUGH: [(&str, &str); 4] = [("mp3", "mp3"), ("mpeg", "mp3"), ("flac", "flac"), ("ogg", "opus")];

/// The stream that is shown: the default one, else the first.
#[must_use]
pub fn film(facts: &Facts) -> Option<&Stream> {
    chosen(facts, StreamKind::Video)
}

/// The sound that is heard unless another is chosen: the default one, else the first.
#[must_use]
pub fn default_sound(facts: &Facts) -> Option<&Stream> {
    chosen(facts, StreamKind::Audio)
}

fn chosen(facts: &Facts, kind: StreamKind) -> Option<&Stream> {
    let of_kind = || facts.streams.iter().filter(|s| s.kind == kind);
    of_kind().find(|s| s.default).or_else(|| of_kind().next())
}

/// Decides from what the probe found.
#[must_use]
pub fn decide(facts: &Facts, client: &Capabilities) -> Decision {
    let (film, sound) = (film(facts), default_sound(facts));
    if film.is_none() && sound.is_none() {
        let reason = "there is neither picture nor sound in this file".to_owned();
        return Decision { method: Method::Unsupported, reason };
    }
    let film = film.and_then(|film| film_needs(facts, film, client));
    let sound = sound.and_then(|sound| sound_needs(facts, sound, client));
    told(film, sound, matches!(facts.container.as_str(), "mp4" | "webm"))
}

/// The decision that follows from why the film and the default sound cannot be copied, where they cannot.
#[must_use]
pub fn told(film: Option<String>, sound: Option<String>, plays_directly: bool) -> Decision {
    let method = match (&film, &sound) {
        (Some(_), _) => Method::Transcode,
        (None, Some(_)) => Method::Audio,
        (None, None) if plays_directly => Method::Direct,
        (None, None) => Method::Copy,
    };
    let transcoded = |what: &str, why: Option<String>| why.map(|why| format!("the {what} is transcoded because {why}"));
    let reasons: Vec<String> = transcoded("video", film).into_iter().chain(transcoded("sound", sound)).collect();
    let reason = match method {
        Method::Direct => "the original file plays as it is".to_owned(),
        Method::Copy => "repackaged without re-encoding".to_owned(),
        _ => reasons.join("; "),
    };
    Decision { method, reason }
}

/// Why the film must be transcoded for this player; `None` where a copy of it plays.
#[must_use]
pub fn film_needs(facts: &Facts, film: &Stream, client: &Capabilities) -> Option<String> {
    if client.burn.is_some() {
        return Some("subtitles are drawn into it".to_owned());
    }
    if !VideoCodec::named(&film.codec).is_some_and(|codec| client.video.contains(&codec)) {
        return Some(format!("it is {}, which this player cannot play", film_name(film)));
    }
    if !common_format(film, client) {
        return Some(format!("it is {}, which players cannot decode", film_name(film)));
    }
    if film.hdr.is_some() && !client.hdr {
        return Some("it has high dynamic range, which this player cannot show".to_owned());
    }
    container_needs(facts).or_else(|| size_needs(facts, film, client))
}

fn container_needs(facts: &Facts) -> Option<String> {
    let container = facts.container.as_str();
    (!CONTAINERS.contains(&container)).then(|| format!("the container is {}", container_name(container)))
}

fn size_needs(facts: &Facts, film: &Stream, client: &Capabilities) -> Option<String> {
    let lines = film.width.zip(film.height).map(|(width, height)| lines(width, height));
    if let (Some(lines), Some(most)) = (lines, client.height_max)
        && lines > most
    {
        return Some(format!("it has {lines} lines, and this player wants {most} at most"));
    }
    let most = client.bit_rate_max.filter(|most| facts.bit_rate > *most)?;
    Some(format!("it has {}, and {} are allowed", megabits(facts.bit_rate), megabits(most)))
}

fn megabits(bit_rate: u64) -> String {
    format!("{:.1} Mbit/s", bit_rate as f64 / 1e6)
}

/// Lines of the 16:9 screen that a picture of this size fills in one direction: what people call it (1920 x 800 is 1080p),
/// also where it stands upright.
#[must_use]
pub fn lines(width: u32, height: u32) -> u32 {
    let (long, short) = (width.max(height), width.min(height));
    short.max(u32::try_from((u64::from(long) * 9).div_ceil(16)).unwrap_or(u32::MAX))
}

/// Why a sound must be transcoded for this player; `None` where a copy of it plays.
#[must_use]
pub fn sound_needs(facts: &Facts, sound: &Stream, client: &Capabilities) -> Option<String> {
    if !AudioCodec::named(&sound.codec).is_some_and(|codec| client.audio.contains(&codec)) {
        let plain = Capabilities::default().audio == client.audio;
        let whom = if plain { "" } else { ", which this player cannot play" };
        return Some(format!("it is {}{whom}", codec_name(&sound.codec)));
    }
    let read_through = READ_THROUGH.contains(&(facts.container.as_str(), sound.codec.as_str()));
    container_needs(facts).filter(|_| !read_through)
}

/// What decoders in players take of a codec.
fn common_format(film: &Stream, client: &Capabilities) -> bool {
    let profile = film.profile.as_deref().unwrap_or_default();
    let depth = film.bit_depth.unwrap_or(8);
    let is = |profiles: &[&str]| profiles.iter().any(|p| profile.starts_with(p));
    match film.codec.as_str() {
        "h264" => depth == 8 && !is(&["High 10", "High 4:2:2", "High 4:4:4", "CAVLC 4:4:4"]),
        "hevc" => depth <= 10 && !is(&["Rext", "Scc", "Multiview"]),
        "vp9" => !is(&["Profile 1", "Profile 3"]) && (depth == 8 || client.hdr),
        "av1" => depth <= 10 && !is(&["High", "Professional"]),
        _ => depth == 8,
    }
}

/// How a film exceeds the standard, in the word of playlists.
#[must_use]
pub fn hdr_word(film: &Stream) -> &'static str {
    match film.hdr {
        Some(HdrFormat::Pq | HdrFormat::DolbyVision) => "PQ",
        Some(HdrFormat::Hlg) => "HLG",
        None => "SDR",
    }
}

fn film_name(stream: &Stream) -> String {
    let name = codec_name(&stream.codec);
    if stream.codec != "h264" {
        return name;
    }
    match (stream.bit_depth, &stream.profile) {
        (Some(depth), _) if depth > 8 => format!("{depth}-bit {name}"),
        (_, Some(profile)) => format!("{name} {profile}"),
        _ => name,
    }
}

/// A codec's name as people know it.
#[must_use]
pub fn codec_name(codec: &str) -> String {
    match codec {
        "h264" => "H.264",
        "hevc" => "HEVC",
        "av1" => "AV1",
        "vp8" => "VP8",
        "vp9" => "VP9",
        "mpeg4" => "MPEG-4 Part 2",
        "mpeg2video" => "MPEG-2",
        "mpeg1video" => "MPEG-1",
        "vc1" => "VC-1",
        "wmv3" => "WMV 9",
        "prores" => "ProRes",
        "mjpeg" => "Motion JPEG",
        "aac" => "AAC",
        "ac3" => "AC-3",
        "eac3" => "E-AC-3",
        "dts" => "DTS",
        "truehd" => "TrueHD",
        "mp3" => "MP3",
        "opus" => "Opus",
        "vorbis" => "Vorbis",
        "flac" => "FLAC",
        pcm if pcm.starts_with("pcm_") => "PCM",
        other => return other.to_uppercase(),
    }
    .to_owned()
}

fn container_name(container: &str) -> &str {
    match container {
        "mpegts" => "MPEG-TS",
        "mpeg" => "MPEG-PS",
        "avi" => "AVI",
        "asf" => "ASF (WMV)",
        "flv" => "Flash video",
        "ogg" => "Ogg",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(kind: StreamKind, codec: &str) -> Stream {
        serde_json::from_value(serde_json::json!({ "index": 0, "kind": kind, "codec": codec })).unwrap()
    }

    /// `h264`, `hevc/10`, `hevc/10/pq`: codec, bits, range.
    fn film(words: &str) -> Stream {
        let mut words = words.split('/');
        let mut film = stream(StreamKind::Video, words.next().unwrap());
        film.bit_depth = words.next().map(|bits| bits.parse().unwrap());
        film.hdr = words.next().map(|range| if range == "pq" { HdrFormat::Pq } else { HdrFormat::Hlg });
        (film.width, film.height) = (Some(1920), Some(1080));
        film
    }

    fn file(container: &str, video: &str, audio: &str) -> Facts {
        let sounds = audio.split('+').filter(|a| !a.is_empty()).map(|codec| stream(StreamKind::Audio, codec));
        let films = (!video.is_empty()).then(|| film(video));
        Facts {
            container: container.to_owned(),
            streams: films.into_iter().chain(sounds).collect(),
            ..Facts::default()
        }
    }

    fn client(name: &str) -> Capabilities {
        use AudioCodec::*;
        use VideoCodec::*;
        let (video, audio, hdr, channels) = match name {
            "safari" => (vec![H264, Hevc], vec![Aac, Flac, Opus, Mp3, Ac3, Eac3], true, 6),
            "chromium" => (vec![H264, Vp8, Vp9, Av1], vec![Aac, Flac, Opus, Mp3], false, 2),
            "firefox" => (vec![H264, Vp9, Av1], vec![Aac, Flac, Opus, Mp3], false, 2),
            _ => return Capabilities::default(),
        };
        Capabilities { video, audio, hdr, channels, ..Capabilities::default() }
    }

    #[test]
    fn the_matrix() {
        use Method::{Audio, Copy, Direct, Transcode};
        // container, video, audio: default client, Chromium, Firefox, Safari
        let matrix: &[(&str, &str, &str, [Method; 4])] = &[
            ("mp4", "h264", "aac", [Direct, Direct, Direct, Direct]),
            ("mp4", "h264/8", "", [Direct, Direct, Direct, Direct]),
            ("mov", "h264", "aac", [Copy, Copy, Copy, Copy]),
            ("matroska", "h264", "aac", [Copy, Copy, Copy, Copy]),
            ("matroska", "h264", "ac3", [Audio, Audio, Audio, Copy]),
            ("matroska", "h264", "eac3", [Audio, Audio, Audio, Copy]),
            ("matroska", "h264", "dts", [Audio, Audio, Audio, Audio]),
            ("matroska", "h264", "truehd", [Audio, Audio, Audio, Audio]),
            ("matroska", "h264", "pcm_s16le", [Audio, Audio, Audio, Audio]),
            ("matroska", "h264", "flac", [Audio, Copy, Copy, Copy]),
            ("matroska", "h264", "opus", [Audio, Copy, Copy, Copy]),
            ("mp4", "h264", "mp3", [Audio, Direct, Direct, Direct]),
            ("mp4", "h264", "aac+ac3", [Direct, Direct, Direct, Direct]),
            ("mp4", "h264", "ac3+aac", [Audio, Audio, Audio, Direct]),
            ("matroska", "h264/10", "aac", [Transcode, Transcode, Transcode, Transcode]),
            ("mp4", "hevc/8", "aac", [Transcode, Transcode, Transcode, Direct]),
            ("matroska", "hevc/10", "ac3", [Transcode, Transcode, Transcode, Copy]),
            ("matroska", "hevc/10/pq", "eac3", [Transcode, Transcode, Transcode, Copy]),
            ("matroska", "hevc/10/hlg", "aac", [Transcode, Transcode, Transcode, Copy]),
            ("matroska", "hevc/12", "aac", [Transcode, Transcode, Transcode, Transcode]),
            ("webm", "vp9", "opus", [Transcode, Direct, Direct, Transcode]),
            ("matroska", "vp9", "opus", [Transcode, Copy, Copy, Transcode]),
            ("matroska", "vp9/10/pq", "opus", [Transcode, Transcode, Transcode, Transcode]),
            ("matroska", "vp8", "vorbis", [Transcode, Audio, Transcode, Transcode]),
            ("mp4", "av1/10", "opus", [Transcode, Direct, Direct, Transcode]),
            ("mp4", "av1/10/pq", "opus", [Transcode, Transcode, Transcode, Transcode]),
            ("mpegts", "h264", "aac", [Transcode, Transcode, Transcode, Transcode]),
            ("mpegts", "mpeg2video", "mp2", [Transcode, Transcode, Transcode, Transcode]),
            ("avi", "mpeg4", "mp3", [Transcode, Transcode, Transcode, Transcode]),
            ("asf", "vc1", "wmav2", [Transcode, Transcode, Transcode, Transcode]),
            ("mp4", "", "aac", [Direct, Direct, Direct, Direct]),
            ("flac", "", "flac", [Audio, Copy, Copy, Copy]),
            ("mp3", "", "mp3", [Audio, Copy, Copy, Copy]),
            ("mpeg", "", "mp3", [Audio, Copy, Copy, Copy]),
            ("ogg", "", "opus", [Audio, Copy, Copy, Copy]),
            ("ogg", "", "vorbis", [Audio, Audio, Audio, Audio]),
            ("wav", "", "pcm_s16le", [Audio, Audio, Audio, Audio]),
            ("aac", "", "aac", [Audio, Audio, Audio, Audio]),
        ];
        for (container, video, audio, expected) in matrix {
            for (name, method) in ["default", "chromium", "firefox", "safari"].iter().zip(expected) {
                let decision = decide(&file(container, video, audio), &client(name));
                assert_eq!(decision.method, *method, "{container} {video} {audio} for {name}: {}", decision.reason);
            }
        }
    }

    #[test]
    fn a_decision_says_why() {
        let reason = |container, video, audio| decide(&file(container, video, audio), &Capabilities::default()).reason;
        assert_eq!(reason("mp4", "h264", "aac"), "the original file plays as it is");
        assert_eq!(reason("matroska", "h264", "aac"), "repackaged without re-encoding");
        assert_eq!(reason("matroska", "h264", "ac3"), "the sound is transcoded because it is AC-3");
        assert_eq!(
            reason("matroska", "hevc/10", "ac3"),
            "the video is transcoded because it is HEVC, which this player cannot play; the sound is transcoded because it is AC-3"
        );
        assert_eq!(
            reason("matroska", "h264/10", "aac"),
            "the video is transcoded because it is 10-bit H.264, which players cannot decode"
        );
        assert_eq!(
            reason("mpegts", "h264", "aac"),
            "the video is transcoded because the container is MPEG-TS; the sound is transcoded because the container is MPEG-TS"
        );
        let nothing = decide(&Facts::default(), &Capabilities::default());
        assert_eq!(nothing.method, Method::Unsupported);
        assert!(nothing.reason.contains("neither picture nor sound"));
    }

    #[test]
    fn limits_and_burnt_subtitles_need_transcoding() {
        let mut facts = file("mp4", "h264", "aac");
        facts.bit_rate = 9_000_000;
        let with = |limits: fn(&mut Capabilities)| {
            let mut client = Capabilities::default();
            limits(&mut client);
            decide(&facts, &client)
        };
        assert_eq!(with(|c| c.height_max = Some(1080)).method, Method::Direct);
        assert!(with(|c| c.height_max = Some(720)).reason.contains("1080 lines, and this player wants 720"));
        assert_eq!(with(|c| c.bit_rate_max = Some(9_000_000)).method, Method::Direct);
        assert!(with(|c| c.bit_rate_max = Some(8_000_000)).reason.contains("9.0 Mbit/s, and 8.0 Mbit/s are allowed"));
        assert_eq!(with(|c| c.burn = Some(3)).method, Method::Transcode);
        facts.streams[0].hdr = Some(HdrFormat::Pq);
        assert!(decide(&facts, &Capabilities::default()).reason.contains("dynamic range"));
    }

    #[test]
    fn lines_are_what_people_call_a_picture() {
        assert_eq!([lines(1920, 1080), lines(1920, 800), lines(1440, 1080), lines(1080, 1920)], [1080; 4]);
        assert_eq!((lines(3840, 1600), lines(320, 180), lines(720, 576)), (2160, 180, 576));
    }
}
