//! One file of each kind: what its stream tells, and which tags it has.
use std::io::{Read, Seek};
use std::time::Duration;

use lofty::aac::AacFile;
use lofty::ape::ApeFile;
use lofty::config::ParseOptions;
use lofty::error::FileParseError;
use lofty::file::AudioFile;
use lofty::flac::FlacFile;
use lofty::iff::aiff::{AiffCompressionType as Type, AiffFile};
use lofty::iff::wav::{WavFile, WavFormat};
use lofty::mp4::{Mp4Codec, Mp4File};
use lofty::mpeg::{Layer, MpegFile};
use lofty::musepack::MpcFile;
use lofty::ogg::{OggPictureStorage, OpusFile, SpeexFile, VorbisFile};
use lofty::properties::FileProperties;
use lofty::wavpack::WavPackFile;

use super::super::Limits;
use super::super::format::{Codec, Container, Format, Kind};
use super::dialects::Collected;
use super::{Found, Sound};

/// Opus is decoded at one rate, whatever it was made from (RFC 7845, section 5.1).
const OPUS_HZ: u32 = 48_000;

/// Reads a stream of a kind that was told by its first bytes.
pub(super) fn read<R: Read + Seek>(
    kind: Kind,
    reader: &mut R,
    options: ParseOptions,
    limits: &Limits,
) -> Result<Found, FileParseError> {
    let mut collected = Collected::new(limits);
    let sound = match kind {
        Kind::Mpeg => mpeg(&MpegFile::read_from(reader, options)?, &mut collected),
        Kind::Adts => adts(&AacFile::read_from(reader, options)?, &mut collected),
        Kind::Flac => flac(&FlacFile::read_from(reader, options)?, &mut collected),
        Kind::Opus => opus(&OpusFile::read_from(reader, options)?, &mut collected),
        Kind::Vorbis => vorbis(&VorbisFile::read_from(reader, options)?, &mut collected),
        Kind::Speex => speex(&SpeexFile::read_from(reader, options)?, &mut collected),
        Kind::Mp4 => mp4(&Mp4File::read_from(reader, options)?, &mut collected),
        Kind::Wav => wav(&WavFile::read_from(reader, options)?, &mut collected),
        Kind::Aiff => aiff(&AiffFile::read_from(reader, options)?, &mut collected),
        Kind::Ape => ape(&ApeFile::read_from(reader, options)?, &mut collected),
        Kind::WavPack => wavpack(&WavPackFile::read_from(reader, options)?, &mut collected),
        Kind::Mpc => mpc(&MpcFile::read_from(reader, options)?, &mut collected),
    };
    // In files of bare frames, WAV and AIFF, ID3 is what taggers write; the others have tags of their own.
    let native_first = !matches!(kind, Kind::Mpeg | Kind::Adts | Kind::Wav | Kind::Aiff);
    Ok(Found { sound, bag: collected.bag, pictures: collected.pictures, native_first })
}

fn mpeg(file: &MpegFile, collected: &mut Collected) -> Sound {
    collected.ape(file.ape());
    collected.id3v1(file.id3v1());
    let codec = match file.properties().layer() {
        Layer::Layer1 => Codec::Mp1,
        Layer::Layer2 => Codec::Mp2,
        _ => Codec::Mp3,
    };
    sound(Container::Mpeg, codec, (*file.properties()).into())
}

fn adts(file: &AacFile, collected: &mut Collected) -> Sound {
    collected.id3v1(file.id3v1());
    sound(Container::Adts, Codec::Aac, (*file.properties()).into())
}

fn flac(file: &FlacFile, collected: &mut Collected) -> Sound {
    if let Some(comments) = file.vorbis_comments() {
        collected.vorbis(comments);
    }
    collected.flac_pictures(file.pictures());
    sound(Container::Flac, Codec::Flac, (*file.properties()).into())
}

fn opus(file: &OpusFile, collected: &mut Collected) -> Sound {
    collected.vorbis(file.vorbis_comments());
    let properties = *file.properties();
    Sound { sample_rate: Some(OPUS_HZ), ..sound(Container::Ogg, Codec::Opus, properties.into()) }
}

fn vorbis(file: &VorbisFile, collected: &mut Collected) -> Sound {
    collected.vorbis(file.vorbis_comments());
    sound(Container::Ogg, Codec::Vorbis, (*file.properties()).into())
}

fn speex(file: &SpeexFile, collected: &mut Collected) -> Sound {
    collected.vorbis(file.vorbis_comments());
    sound(Container::Ogg, Codec::Speex, (*file.properties()).into())
}

fn mp4(file: &Mp4File, collected: &mut Collected) -> Sound {
    collected.ilst(file.ilst());
    let codec = match file.properties().codec() {
        Some(Mp4Codec::AAC) => Codec::Aac,
        Some(Mp4Codec::ALAC) => Codec::Alac,
        Some(Mp4Codec::MP3) => Codec::Mp3,
        Some(Mp4Codec::FLAC) => Codec::Flac,
        _ => Codec::Other,
    };
    sound(Container::Mp4, codec, file.properties().clone().into())
}

fn wav(file: &WavFile, collected: &mut Collected) -> Sound {
    collected.riff(file.riff_info());
    let codec = match file.properties().format() {
        WavFormat::PCM | WavFormat::IEEE_FLOAT => Codec::Pcm,
        WavFormat::Other(0x55) => Codec::Mp3,
        WavFormat::Other(_) => Codec::Other,
    };
    sound(Container::Wav, codec, (*file.properties()).into())
}

fn aiff(file: &AiffFile, collected: &mut Collected) -> Sound {
    collected.aiff(file.text_chunks());
    let codec = match file.properties().compression_type() {
        None | Some(Type::None | Type::sowt | Type::fl32 | Type::FL32 | Type::fl64) => Codec::Pcm,
        Some(Type::Other { compression_type: [b'i', b'n', ..] | [b't', b'w', ..], .. }) => Codec::Pcm,
        Some(_) => Codec::Other,
    };
    sound(Container::Aiff, codec, file.properties().clone().into())
}

fn ape(file: &ApeFile, collected: &mut Collected) -> Sound {
    collected.ape(file.ape());
    collected.id3v1(file.id3v1());
    sound(Container::Ape, Codec::Ape, file.properties().clone().into())
}

fn wavpack(file: &WavPackFile, collected: &mut Collected) -> Sound {
    collected.ape(file.ape());
    collected.id3v1(file.id3v1());
    sound(Container::WavPack, Codec::WavPack, (*file.properties()).into())
}

fn mpc(file: &MpcFile, collected: &mut Collected) -> Sound {
    collected.ape(file.ape());
    collected.id3v1(file.id3v1());
    sound(Container::Mpc, Codec::Mpc, file.properties().clone().into())
}

fn sound(container: Container, codec: Codec, properties: FileProperties) -> Sound {
    let rate = |rate: Option<u32>| rate.filter(|rate| *rate > 0);
    let lossless = matches!(codec, Codec::Flac | Codec::Alac | Codec::Pcm | Codec::Ape | Codec::WavPack | Codec::Other);
    Sound {
        format: Format { container, codec },
        duration: seconds(properties.duration()),
        bit_rate: rate(properties.audio_bitrate()).or_else(|| rate(properties.overall_bitrate())),
        sample_rate: rate(properties.sample_rate()),
        bit_depth: properties.bit_depth().filter(|bits| lossless && *bits > 0),
        channels: properties.channels().filter(|channels| *channels > 0).map(u16::from),
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
