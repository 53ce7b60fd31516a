//! RFC 6381 codec strings, read from the codec's own configuration.
use ffmpeg_next::ffi::AVCodecID;
use potluck::media::codecs;

/// The codec string of a stream, where it is known how to write it.
pub fn codec_string(id: AVCodecID, extradata: &[u8], profile: i32, level: i32) -> Option<String> {
    match id {
        AVCodecID::AV_CODEC_ID_H264 => Some(h264(extradata, profile, level)),
        AVCodecID::AV_CODEC_ID_HEVC => codecs::hevc(extradata),
        AVCodecID::AV_CODEC_ID_AV1 => codecs::av1(extradata),
        AVCodecID::AV_CODEC_ID_AAC => Some(format!("mp4a.40.{}", audio_object_type(extradata).unwrap_or(2))),
        AVCodecID::AV_CODEC_ID_MP3 => Some("mp4a.40.34".to_owned()),
        AVCodecID::AV_CODEC_ID_AC3 => Some("ac-3".to_owned()),
        AVCodecID::AV_CODEC_ID_EAC3 => Some("ec-3".to_owned()),
        AVCodecID::AV_CODEC_ID_OPUS => Some("opus".to_owned()),
        AVCodecID::AV_CODEC_ID_FLAC => Some("fLaC".to_owned()),
        AVCodecID::AV_CODEC_ID_VORBIS => Some("vorbis".to_owned()),
        AVCodecID::AV_CODEC_ID_VP8 => Some("vp8".to_owned()),
        AVCodecID::AV_CODEC_ID_VP9 => Some(format!("vp09.{:02}.{:02}.08", profile.max(0), level.max(10))),
        _ => None,
    }
}

/// `avc1.PPCCLL`: the three bytes of the configuration record, or what libav's parser found (constraints unknown: none).
fn h264(extradata: &[u8], profile: i32, level: i32) -> String {
    match extradata {
        [1, profile, constraints, level, ..] => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
        _ => {
            let profile_idc = profile.max(0) & 0xff;
            let constrained = if profile & (1 << 9) == 0 { 0 } else { 0x40 };
            format!("avc1.{profile_idc:02x}{constrained:02x}{:02x}", level.max(0) & 0xff)
        }
    }
}

/// First field of an `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
fn audio_object_type(extradata: &[u8]) -> Option<u8> {
    let [first, second, ..] = *extradata else { return None };
    match first >> 3 {
        31 => Some(32 + ((first & 7) << 3 | second >> 5)),
        plain => Some(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_strings_come_from_the_configuration_records() {
        let string = |id, bytes: &[u8]| codec_string(id, bytes, 0, 0).unwrap();
        assert_eq!(string(AVCodecID::AV_CODEC_ID_H264, &[1, 0x64, 0, 0x28, 0xff]), "avc1.640028");
        assert_eq!(string(AVCodecID::AV_CODEC_ID_AAC, &[0x12, 0x10]), "mp4a.40.2");
        assert_eq!(string(AVCodecID::AV_CODEC_ID_AAC, &[0x2b, 0x92]), "mp4a.40.5");
        let main10 = [1, 2, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 153];
        assert_eq!(string(AVCodecID::AV_CODEC_ID_HEVC, &main10), "hvc1.2.4.L153.B0");
        assert_eq!(string(AVCodecID::AV_CODEC_ID_AV1, &[0x81, 0x05, 0x4c]), "av01.0.05M.10");
    }
}
