//! Sample entries: what an initialisation section says of a track's codec.
//!
//! ISO/IEC 14496-15 (AVC, HEVC), 14496-14 (AAC, MP3), the AV1, VP9, FLAC and Opus bindings to the ISO base media format,
//! and ETSI TS 102 366, annex F (AC-3, E-AC-3).
use super::{FilmCodec, FilmFormat, SampleFormat, SoundCodec, boxed, full, put16, put32, zeros};

/// Object types of elementary streams (14496-1, table 5): MPEG-4 audio, MPEG-1 layer 3.
const MPEG4_AUDIO: u8 = 0x40;
const MPEG1_AUDIO: u8 = 0x6b;

/// The entry of a format; nothing of one that is transcoded only.
pub(super) fn sample_entry(into: &mut Vec<u8>, format: &SampleFormat) {
    match format {
        SampleFormat::Foreign { .. } => (),
        SampleFormat::Avc { width, height, pixel_aspect, record, in_band, .. } => {
            boxed(into, if *in_band { b"avc3" } else { b"avc1" }, |b| {
                picture_fields(b, *width, *height);
                boxed(b, b"avcC", |b| b.extend_from_slice(record));
                aspect(b, *pixel_aspect);
            })
        }
        SampleFormat::Film(film) => film_entry(into, film),
        SampleFormat::Aac { sample_rate, channels, record } => boxed(into, b"mp4a", |b| {
            sound_fields(b, *sample_rate, *channels);
            full(b, b"esds", 0, 0, |b| elementary_stream_descriptor(b, MPEG4_AUDIO, record));
        }),
        SampleFormat::Sound { codec, sample_rate, channels, record } => {
            sound_entry(into, *codec, *sample_rate, *channels, record);
        }
    }
}

fn picture_fields(b: &mut Vec<u8>, width: u16, height: u16) {
    zeros(b, 6);
    put16(b, 1);
    zeros(b, 16);
    put16(b, width);
    put16(b, height);
    // 72 dots an inch, both ways.
    put32(b, 0x48_0000);
    put32(b, 0x48_0000);
    put32(b, 0);
    put16(b, 1);
    zeros(b, 32);
    put16(b, 0x18);
    put16(b, 0xffff);
}

fn aspect(b: &mut Vec<u8>, (across, down): (u32, u32)) {
    boxed(b, b"pasp", |b| {
        put32(b, across);
        put32(b, down);
    });
}

fn film_entry(into: &mut Vec<u8>, film: &FilmFormat) {
    let (entry, configuration) = match film.codec {
        FilmCodec::Hevc => (b"hvc1", b"hvcC"),
        FilmCodec::Av1 => (b"av01", b"av1C"),
        FilmCodec::Vp9 => (b"vp09", b"vpcC"),
    };
    boxed(into, entry, |b| {
        picture_fields(b, film.width, film.height);
        match film.codec {
            FilmCodec::Vp9 => full(b, configuration, 1, 0, |b| b.extend_from_slice(&film.record)),
            FilmCodec::Hevc | FilmCodec::Av1 => boxed(b, configuration, |b| b.extend_from_slice(&film.record)),
        }
        if let Some(colour) = film.colour {
            boxed(b, b"colr", |b| {
                b.extend_from_slice(b"nclx");
                [colour.primaries, colour.transfer, colour.matrix].into_iter().for_each(|value| put16(b, value));
                b.push(if colour.full_range { 0x80 } else { 0 });
            });
        }
        if let Some(mastering) = &film.mastering {
            boxed(b, b"mdcv", |b| b.extend_from_slice(mastering));
        }
        if let Some((pixel, picture)) = film.content_light {
            boxed(b, b"clli", |b| {
                put16(b, pixel);
                put16(b, picture);
            });
        }
        aspect(b, film.pixel_aspect);
    });
}

fn sound_fields(b: &mut Vec<u8>, sample_rate: u32, channels: u16) {
    zeros(b, 6);
    put16(b, 1);
    zeros(b, 8);
    put16(b, channels);
    put16(b, 16);
    zeros(b, 4);
    // 16.16; rates that do not fit are in the codec's own configuration.
    put32(b, u16::try_from(sample_rate).map_or(0, |rate| u32::from(rate) << 16));
}

fn sound_entry(into: &mut Vec<u8>, codec: SoundCodec, sample_rate: u32, channels: u16, record: &[u8]) {
    let entry = match codec {
        SoundCodec::Flac => b"fLaC",
        SoundCodec::Opus => b"Opus",
        SoundCodec::Ac3 => b"ac-3",
        SoundCodec::Eac3 => b"ec-3",
        SoundCodec::Mp3 => b"mp4a",
    };
    boxed(into, entry, |b| {
        sound_fields(b, sample_rate, channels);
        match codec {
            SoundCodec::Flac => full(b, b"dfLa", 0, 0, |b| b.extend_from_slice(record)),
            SoundCodec::Opus => boxed(b, b"dOps", |b| b.extend_from_slice(record)),
            SoundCodec::Ac3 => boxed(b, b"dac3", |b| b.extend_from_slice(record)),
            SoundCodec::Eac3 => boxed(b, b"dec3", |b| b.extend_from_slice(record)),
            SoundCodec::Mp3 => full(b, b"esds", 0, 0, |b| elementary_stream_descriptor(b, MPEG1_AUDIO, &[])),
        }
    });
}

/// ISO/IEC 14496-1, 7.2.6.5: stream, decoder and sync layer configuration.
fn elementary_stream_descriptor(into: &mut Vec<u8>, object_type: u8, record: &[u8]) {
    let mut decoder = vec![object_type, 0x15];
    zeros(&mut decoder, 11);
    if !record.is_empty() {
        descriptor(&mut decoder, 5, record);
    }
    let mut stream = vec![0, 0, 0];
    descriptor(&mut stream, 4, &decoder);
    descriptor(&mut stream, 6, &[2]);
    descriptor(into, 3, &stream);
}

/// A descriptor with its length in four bytes of seven bits.
fn descriptor(into: &mut Vec<u8>, tag: u8, body: &[u8]) {
    into.push(tag);
    for (shift, more) in [(21, 0x80), (14, 0x80), (7, 0x80), (0, 0)] {
        into.push(u8::try_from(body.len() >> shift & 0x7f).unwrap_or(0) | more);
    }
    into.extend_from_slice(body);
}
