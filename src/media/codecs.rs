//! What a codec says of itself: RFC 6381 strings, and the configurations that MP4 wants where other containers keep none.
//! Pure.
use super::fmp4::{FilmCodec, SampleFormat, SoundCodec};

/// The RFC 6381 string of a track, from the bytes that its initialisation section carries. Empty for what is transcoded.
#[must_use]
pub fn codec_string(format: &SampleFormat) -> String {
    match format {
        SampleFormat::Foreign { .. } => String::new(),
        SampleFormat::Avc { record, in_band, .. } => match record[..] {
            [_, profile, constraints, level, ..] if *in_band => {
                format!("avc3.{profile:02x}{constraints:02x}{level:02x}")
            }
            [_, profile, constraints, level, ..] => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
            _ => "avc1".to_owned(),
        },
        SampleFormat::Aac { record, .. } => match record[..] {
            [first, second, ..] if first >> 3 == 31 => format!("mp4a.40.{}", 32 + ((first & 7) << 3 | second >> 5)),
            [first, ..] => format!("mp4a.40.{}", first >> 3),
            [] => "mp4a.40.2".to_owned(),
        },
        SampleFormat::Film(film) => match film.codec {
            FilmCodec::Hevc => hevc(&film.record).unwrap_or_else(|| "hvc1".to_owned()),
            FilmCodec::Av1 => av1(&film.record).unwrap_or_else(|| "av01".to_owned()),
            FilmCodec::Vp9 => vp9(&film.record).unwrap_or_else(|| "vp09".to_owned()),
        },
        SampleFormat::Sound { codec, .. } => match codec {
            SoundCodec::Flac => "flac",
            SoundCodec::Opus => "opus",
            SoundCodec::Ac3 => "ac-3",
            SoundCodec::Eac3 => "ec-3",
            SoundCodec::Mp3 => "mp4a.6B",
        }
        .to_owned(),
    }
}

/// ISO/IEC 14496-15, annex E.3, from the `HEVCDecoderConfigurationRecord`.
#[must_use]
pub fn hevc(record: &[u8]) -> Option<String> {
    let [1, profile, c0, c1, c2, c3, k0, k1, k2, k3, k4, k5, level, ..] = *record else { return None };
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let mut constraints = vec![k0, k1, k2, k3, k4, k5];
    while constraints.last() == Some(&0) {
        constraints.pop();
    }
    let tail: String = constraints.iter().map(|byte| format!(".{byte:X}")).collect();
    Some(format!("hvc1.{space}{}.{compatibility:X}.{tier}{level}{tail}", profile & 0x1f))
}

/// From the first bytes of the `AV1CodecConfigurationRecord`.
#[must_use]
pub fn av1(record: &[u8]) -> Option<String> {
    let [0x81, second, third, ..] = *record else { return None };
    let tier = if third & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (third & 0x40 != 0, third & 0x20 != 0) {
        (true, true) => 12,
        (true, false) => 10,
        _ => 8,
    };
    Some(format!("av01.{}.{:02}{tier}.{depth:02}", second >> 5, second & 0x1f))
}

/// From the `VPCodecConfigurationRecord`.
fn vp9(record: &[u8]) -> Option<String> {
    let [profile, level, depth, ..] = *record else { return None };
    Some(format!("vp09.{profile:02}.{level:02}.{:02}", depth >> 4))
}

/// The `VPCodecConfigurationRecord` of a VP9 stream. The level is the lowest that allows pictures of this size at usual
/// rates.
#[must_use]
pub fn vp9_record(
    profile: u8,
    depth: u8,
    subsampling: u8,
    full_range: bool,
    colour: [u8; 3],
    size: (u32, u32),
) -> Vec<u8> {
    /// Pixels of a picture at most, and the level.
    const LEVELS: [(u64, u8); 7] =
        [(36_864, 10), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31), (2_228_224, 41), (8_912_896, 51)];
    let pixels = u64::from(size.0) * u64::from(size.1);
    let level = LEVELS.iter().find(|(most, _)| pixels <= *most).map_or(61, |(_, level)| *level);
    let packed = depth << 4 | (subsampling & 7) << 1 | u8::from(full_range);
    vec![profile, level, packed, colour[0], colour[1], colour[2], 0, 0]
}

/// The body of `dOps` from an Ogg `OpusHead`: the same fields, the other way round.
#[must_use]
pub fn opus_record(head: &[u8]) -> Option<Vec<u8>> {
    let [_, channels, s0, s1, r0, r1, r2, r3, g0, g1, family, ref table @ ..] = *head.strip_prefix(b"OpusHead")? else {
        return None;
    };
    let mut record = vec![0, channels, s1, s0, r3, r2, r1, r0, g1, g0, family];
    if family != 0 {
        record.extend_from_slice(table.get(..2 + usize::from(channels))?);
    }
    Some(record)
}

/// Samples at 48 kHz of an Opus packet (RFC 6716, 3.1).
#[must_use]
pub fn opus_samples(packet: &[u8]) -> Option<i64> {
    let toc = *packet.first()?;
    let frame = match toc >> 3 {
        silk @ ..12 => [480, 960, 1920, 2880][usize::from(silk & 3)],
        hybrid @ 12..16 => [480, 960][usize::from(hybrid & 1)],
        celt => [120, 240, 480, 960][usize::from(celt & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 0x3f),
    };
    Some(frame * frames).filter(|samples| (120..=5760).contains(samples))
}

/// The body of `dfLa` behind its version, and the samples of a block if all have as many: from the `STREAMINFO` that
/// containers keep, with or without what comes before it in a file.
#[must_use]
pub fn flac_record(private: &[u8]) -> Option<(Vec<u8>, i64)> {
    let info = match private.strip_prefix(b"fLaC") {
        Some(blocks) => blocks.get(4..38)?,
        None => private.get(..34)?,
    };
    let block = |at: usize| i64::from(u16::from_be_bytes([info[at], info[at + 1]]));
    let fixed = block(0) == block(2) && block(0) > 0;
    // The last and only metadata block, of 34 bytes.
    fixed.then(|| ([&[0x80, 0, 0, 34], info].concat(), block(0)))
}

/// The body of `dac3` from the first frame of an AC-3 stream.
#[must_use]
pub fn ac3_record(frame: &[u8]) -> Option<Vec<u8>> {
    let [0x0b, 0x77, _, _, rate, mode, rest @ ..] = frame else { return None };
    let (rate_code, size_code) = (u32::from(rate >> 6), u32::from(rate & 0x3f));
    let (version, service) = (u32::from(mode >> 3), u32::from(mode & 7));
    let bits = u32::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
    let channels = bits >> 13;
    let mut skipped = 3;
    // Mix levels come before the mark of the effects channel.
    skipped += if channels & 1 != 0 && channels != 1 { 2 } else { 0 };
    skipped += if channels & 4 != 0 { 2 } else { 0 };
    skipped += if channels == 2 { 2 } else { 0 };
    let effects = bits >> (15 - skipped) & 1;
    if version > 10 || rate_code == 3 {
        return None;
    }
    let packed =
        rate_code << 22 | version << 17 | service << 14 | channels << 11 | effects << 10 | (size_code >> 1) << 5;
    packed.to_be_bytes().get(1..).map(<[u8]>::to_vec)
}

/// The body of `dec3` and the samples of a frame, from the first packet of an E-AC-3 stream: an independent frame and,
/// for more than six channels, those that depend on it.
#[must_use]
pub fn eac3_record(packet: &[u8]) -> Option<(Vec<u8>, i64)> {
    let [0x0b, 0x77, a, b, c, d, ..] = *packet else { return None };
    let size = (usize::from(u16::from_be_bytes([a, b]) & 0x7ff) + 1) * 2;
    let (rate_code, blocks_code, channels, effects) = (c >> 6, c >> 4 & 3, u64::from(c >> 1 & 7), u64::from(c & 1));
    let version = u64::from(d >> 3);
    if a >> 6 == 1 || version <= 10 || rate_code == 3 {
        return None;
    }
    let samples = [1, 2, 3, 6][usize::from(blocks_code)] * 256_u64;
    let hertz = [48_000, 44_100, 32_000][usize::from(rate_code)];
    let depends = packet.get(size..).is_some_and(|next| matches!(next, [0x0b, 0x77, kind, ..] if kind >> 6 == 1));
    let kilobits = packet.len() as u64 * 8 * hertz / samples / 1000;
    let mut record: u64 = kilobits.min(0x1fff) << 3;
    // Rate, version, reserved, no associated service, main service, channels, effects, reserved.
    record = record << 2 | u64::from(rate_code);
    record = record << 5 | version;
    record = record << 9 | channels << 1 | effects;
    record <<= 3;
    // Dependent frames carry the back surrounds.
    let bytes = if depends {
        let all = (record << 4 | 1) << 9 | 2;
        all.to_be_bytes()[8 - 6..].to_vec()
    } else {
        let all = record << 4 << 1;
        all.to_be_bytes()[8 - 5..].to_vec()
    };
    Some((bytes, i64::try_from(samples).unwrap_or(1536)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::fmp4::{FilmFormat, UPRIGHT};

    fn film(codec: FilmCodec, record: &[u8]) -> SampleFormat {
        SampleFormat::Film(FilmFormat {
            codec,
            width: 1920,
            height: 1080,
            pixel_aspect: (1, 1),
            matrix: UPRIGHT,
            record: record.to_vec(),
            colour: None,
            mastering: None,
            content_light: None,
        })
    }

    #[test]
    fn strings_come_from_the_configuration_records() {
        let avc = |in_band| SampleFormat::Avc {
            width: 2,
            height: 2,
            pixel_aspect: (1, 1),
            matrix: UPRIGHT,
            record: vec![1, 0x64, 0, 0x28, 0xff],
            in_band,
        };
        assert_eq!(
            (codec_string(&avc(false)), codec_string(&avc(true))),
            ("avc1.640028".to_owned(), "avc3.640028".to_owned())
        );
        let main10 = [1, 2, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 153];
        assert_eq!(codec_string(&film(FilmCodec::Hevc, &main10)), "hvc1.2.4.L153.B0");
        assert_eq!(codec_string(&film(FilmCodec::Av1, &[0x81, 0x05, 0x4c])), "av01.0.05M.10");
        let vp9 = vp9_record(2, 10, 1, false, [9, 16, 9], (3840, 2160));
        assert_eq!(codec_string(&film(FilmCodec::Vp9, &vp9)), "vp09.02.51.10");
        let aac = SampleFormat::Aac { sample_rate: 48_000, channels: 2, record: vec![0x2b, 0x92] };
        assert_eq!(codec_string(&aac), "mp4a.40.5");
    }

    #[test]
    fn an_opus_head_is_turned_round() {
        let head = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        assert_eq!(opus_record(head).unwrap(), [0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);
        assert_eq!(opus_record(b"OpusHead"), None);
        assert_eq!(
            (opus_samples(&[0xfc]), opus_samples(&[0x0b, 3]), opus_samples(&[3])),
            (Some(960), Some(2880), None)
        );
    }

    #[test]
    fn blocks_of_several_lengths_are_told() {
        let mut info = vec![0x10, 0, 0x10, 0];
        info.resize(34, 0);
        assert_eq!(flac_record(&info).map(|(record, block)| (record.len(), block)), Some((38, 4096)));
        info[1] = 1;
        assert_eq!(flac_record(&info), None);
    }

    #[test]
    fn dolby_frames_tell_their_configuration() {
        // 48 kHz, 448 kbit/s, 5.1.
        let frame = [0x0b, 0x77, 0, 0, 0x1e, 0x40, 0b1110_0001, 0b0000_0000];
        let record = ac3_record(&[&frame[..6], &[0b1110_0001, 0]].concat()).unwrap();
        assert_eq!(record.len(), 3);
        assert_eq!((record[0] >> 6, record[0] >> 1 & 0x1f), (0, 8));
        assert_eq!(
            eac3_record(&[0x0b, 0x77, 0, 0, 0x3f, 0x80]).map(|(record, samples)| (record.len(), samples)),
            Some((5, 1536))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_through(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = (hevc(&bytes), av1(&bytes), vp9(&bytes), opus_record(&bytes), opus_samples(&bytes), flac_record(&bytes));
            let dolby = [&[0x0b, 0x77], &bytes[..]].concat();
            let _ = (ac3_record(&dolby), eac3_record(&dolby));
        }
    }
}
