//! How a file reaches a player that plays H.264 and AAC through MSE: as it is, repackaged, or not yet. Pure.
use super::facts::{Facts, Stream, StreamKind};

/// How a file reaches a player, with one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The original file plays as it is in a browser (MP4 with H.264 and AAC); it has copy renditions too.
    Direct(String),
    /// Repackaged, not re-encoded.
    Copy(String),
    /// Needs transcoding: which stream, which codec.
    Unsupported(String),
}

/// Containers whose H.264 comes with a decoder configuration record and whose AAC comes without ADTS headers.
const CONTAINERS: [&str; 3] = ["mp4", "mov", "matroska"];

/// Decides from what the probe found.
#[must_use]
pub fn decide(facts: &Facts) -> Decision {
    let of_kind = |kind| facts.streams.iter().filter(move |s| s.kind == kind).collect::<Vec<_>>();
    let (films, sounds) = (of_kind(StreamKind::Video), of_kind(StreamKind::Audio));
    if films.is_empty() && sounds.is_empty() {
        return Decision::Unsupported("there is neither picture nor sound in this file".to_owned());
    }
    if !CONTAINERS.contains(&facts.container.as_str()) {
        return needs(format!("the container is {}", container_name(&facts.container)));
    }
    if let Some(film) = films.first()
        && !films.iter().any(|s| plays_as_copy(s))
    {
        return needs(format!("the video is {}", film_name(film)));
    }
    if let Some(sound) = sounds.first()
        && !sounds.iter().any(|s| s.codec == "aac")
    {
        return needs(format!("the sound is {}", codec_name(&sound.codec)));
    }
    let whole = films.iter().take(1).all(|s| plays_as_copy(s)) && sounds.iter().take(1).all(|s| s.codec == "aac");
    match facts.container.as_str() {
        "mp4" if whole => Decision::Direct("the original file plays as it is".to_owned()),
        _ => Decision::Copy("repackaged without re-encoding".to_owned()),
    }
}

fn needs(because: String) -> Decision {
    Decision::Unsupported(format!("needs transcoding because {because}"))
}

/// 8-bit 4:2:0 H.264, which every browser's decoder takes.
fn plays_as_copy(stream: &Stream) -> bool {
    let profile = stream.profile.as_deref().unwrap_or_default();
    let beyond = ["High 10", "High 4:2:2", "High 4:4:4", "CAVLC 4:4:4"].iter().any(|p| profile.starts_with(p));
    stream.codec == "h264" && !beyond && stream.bit_depth.is_none_or(|depth| depth == 8)
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

    fn file(container: &str, codecs: &[(StreamKind, &str)]) -> Facts {
        let streams = codecs.iter().map(|(kind, codec)| stream(*kind, codec)).collect();
        Facts { container: container.to_owned(), streams, ..Facts::default() }
    }

    const FILM: (StreamKind, &str) = (StreamKind::Video, "h264");
    const SOUND: (StreamKind, &str) = (StreamKind::Audio, "aac");

    fn unsupported(facts: &Facts) -> String {
        match decide(facts) {
            Decision::Unsupported(sentence) => sentence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn h264_and_aac_play_direct_in_mp4_and_repackaged_in_matroska() {
        assert!(matches!(decide(&file("mp4", &[FILM, SOUND])), Decision::Direct(_)));
        assert!(matches!(decide(&file("matroska", &[FILM, SOUND])), Decision::Copy(_)));
        assert!(matches!(decide(&file("mov", &[FILM])), Decision::Copy(_)));
    }

    #[test]
    fn a_second_sound_track_in_aac_is_enough() {
        let ac3 = (StreamKind::Audio, "ac3");
        assert!(matches!(decide(&file("mp4", &[FILM, ac3, SOUND])), Decision::Copy(_)));
        assert_eq!(unsupported(&file("mp4", &[FILM, ac3])), "needs transcoding because the sound is AC-3");
    }

    #[test]
    fn other_codecs_say_what_they_are() {
        let hevc = (StreamKind::Video, "hevc");
        assert_eq!(unsupported(&file("matroska", &[hevc, SOUND])), "needs transcoding because the video is HEVC");
        assert_eq!(unsupported(&file("avi", &[FILM])), "needs transcoding because the container is AVI");
        let mut deep = file("matroska", &[FILM, SOUND]);
        deep.streams[0].bit_depth = Some(10);
        assert_eq!(unsupported(&deep), "needs transcoding because the video is 10-bit H.264");
        assert!(unsupported(&Facts::default()).contains("neither picture nor sound"));
    }
}
