//! Encodes the pictures of one segment as H.264, with an encoder of its own: nothing of a segment depends on another.
//!
//! What comes out are samples as `avc3` holds them: length-prefixed units, the parameter sets before each keyframe, and no
//! unit that a player does not need, the encoder's signature among them.
use ffmpeg_next::packet::{Packet, Ref};
use ffmpeg_next::{Dictionary, ffi};
use potluck::media::avc;
use potluck::media::fmp4::Sample;
use potluck::media::protocol::PAYLOAD_MAX;
use potluck::media::transcode::PicturePlan;

use crate::filter::Colour;
use crate::handles::{Came, Codec, Frame};
use crate::hardware::{Hardware, blamed, encoder_options};
use crate::source::Trouble;

/// The quality that libx264 aims at below the bit rate.
const QUALITY: u8 = 21;
/// Keyframes further apart than any segment is long.
const NO_KEYFRAMES: i32 = 100_000;

/// Pictures that libx264 looks ahead where memory is dear; ten otherwise.
const FRUGAL_LOOKAHEAD: &str = "6";

/// How many pictures the encoder may hold: each thread, and looking ahead, keeps some.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Threads in software, at least one. They wait for each other now and then: with half as many again as there are
    /// cores, none stands idle.
    pub threads: u32,
    /// Pictures that wait for it, so that neither side waits for a slow one of the other.
    pub waiting: usize,
    /// Beside a decoder whose own pictures are large.
    pub is_frugal: bool,
}

/// Samples in decoding order, and their bytes.
#[derive(Default)]
pub struct Encoded {
    /// Their times and sizes.
    pub samples: Vec<Sample>,
    /// One after the other.
    pub bytes: Vec<u8>,
}

/// An open encoder.
pub struct Encoder {
    codec: Codec,
    encoded: Encoded,
    first: bool,
}

impl Encoder {
    /// libx264 for a plan; `effort` is how much it may hold.
    pub fn software(plan: &PicturePlan, effort: Effort, rate: f64, colour: Colour) -> Result<Self, Trouble> {
        let mut codec = codec(c"libx264")?;
        common(codec.raw_mut(), plan, rate, colour);
        codec.raw_mut().pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        codec.raw_mut().thread_count = i32::try_from(effort.threads.clamp(1, 16)).unwrap_or(1);
        let mut options = libx264();
        if effort.is_frugal {
            options.set("rc-lookahead", FRUGAL_LOOKAHEAD);
        }
        codec.open(options)?;
        Ok(Self { codec, encoded: Encoded::default(), first: true })
    }

    /// The encoder of a device, for pictures like this one.
    pub fn on_device(
        plan: &PicturePlan,
        rate: f64,
        colour: Colour,
        hardware: &Hardware,
        like: &Frame,
    ) -> Result<Self, Trouble> {
        let mut codec = codec(hardware.encoder()).map_err(blamed)?;
        let raw = codec.raw_mut();
        common(raw, plan, rate, colour);
        raw.bit_rate = i64::try_from(plan.format.bit_rate).unwrap_or(i64::MAX);
        raw.rc_max_rate = raw.bit_rate.saturating_mul(3) / 2;
        raw.rc_buffer_size = i32::try_from(plan.format.bit_rate).unwrap_or(i32::MAX);
        raw.max_b_frames = 0;
        // SAFETY: the frame comes from the device's own pool, of which the encoder gets a reference of its own; its
        // format is one of libav's.
        unsafe {
            (&raw mut raw.pix_fmt).cast::<i32>().write(like.raw().format);
            raw.hw_frames_ctx = ffi::av_buffer_ref(like.raw().hw_frames_ctx);
        }
        codec.open(encoder_options(hardware)).map_err(blamed)?;
        Ok(Self { codec, encoded: Encoded::default(), first: true })
    }

    /// The `AVCDecoderConfigurationRecord` of a plan's pictures, whoever encodes them.
    pub fn record(plan: &PicturePlan, rate: f64) -> Result<Vec<u8>, Trouble> {
        let mut codec = codec(c"libx264")?;
        common(codec.raw_mut(), plan, rate, Colour::BT709);
        codec.raw_mut().pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        codec.raw_mut().thread_count = 1;
        codec.raw_mut().flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER.cast_signed();
        codec.open(libx264())?;
        avc::configuration(extradata(&codec))
            .ok_or_else(|| Trouble::Cannot("the encoder's head cannot be read".to_owned()))
    }

    /// Encodes a picture; its time is in ticks.
    pub fn push(&mut self, frame: &mut Frame) -> Result<(), Trouble> {
        let raw = frame.raw_mut();
        raw.pict_type = if std::mem::take(&mut self.first) {
            ffi::AVPictureType::AV_PICTURE_TYPE_I
        } else {
            ffi::AVPictureType::AV_PICTURE_TYPE_NONE
        };
        self.codec.send_frame(Some(frame))?;
        self.collect()
    }

    /// Encodes what is left.
    pub fn finish(mut self) -> Result<Encoded, Trouble> {
        self.codec.send_frame(None)?;
        self.collect()?;
        Ok(self.encoded)
    }

    fn collect(&mut self) -> Result<(), Trouble> {
        let mut packet = Packet::empty();
        while self.codec.receive_packet(&mut packet)? == Came::Ready {
            self.encoded.take(&packet, extradata(&self.codec))?;
        }
        Ok(())
    }
}

impl Encoded {
    /// Takes a packet. Some drivers write the parameter sets into the encoder's head alone.
    fn take(&mut self, packet: &Packet, head: &[u8]) -> Result<(), Trouble> {
        let (start, data) = (self.bytes.len(), packet.data().unwrap_or_default());
        if packet.is_key() && avc::configuration(data).is_none() {
            avc::length_prefixed(head, &mut self.bytes);
        }
        avc::length_prefixed(data, &mut self.bytes);
        if self.bytes.len() > PAYLOAD_MAX / 2 {
            return Err(Trouble::Cannot("the segment is too large".to_owned()));
        }
        let size = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        // SAFETY: a plain field of a live packet.
        let time = unsafe { (*packet.as_ptr()).pts };
        self.samples.push(Sample { time, size, sync: packet.is_key() });
        Ok(())
    }
}

/// The head that an encoder wrote when it was opened.
fn extradata(codec: &Codec) -> &[u8] {
    let raw = codec.raw();
    let size = usize::try_from(raw.extradata_size).unwrap_or(0);
    if raw.extradata.is_null() {
        return &[];
    }
    // SAFETY: libav allocated that many bytes there, and they live as long as the context.
    unsafe { std::slice::from_raw_parts(raw.extradata, size) }
}

/// A context for an encoder, not yet open.
fn codec(name: &std::ffi::CStr) -> Result<Codec, Trouble> {
    // SAFETY: the name is a C string, and codecs are static.
    let found = unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()).as_ref() };
    let missing = || Trouble::Cannot(format!("the media libraries have no encoder {}", name.to_string_lossy()));
    Codec::new(found.ok_or_else(missing)?)
}

/// What a plan says to every encoder.
fn common(raw: &mut ffi::AVCodecContext, plan: &PicturePlan, rate: f64, colour: Colour) {
    let format = &plan.format;
    let int = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    raw.width = int(format.width.into());
    raw.height = int(format.height.into());
    raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
    raw.time_base = ffi::AVRational { num: 1, den: int(plan.timescale.into()) };
    // SAFETY: a pure function.
    raw.framerate = unsafe { ffi::av_d2q(rate, 120_000) };
    raw.gop_size = NO_KEYFRAMES;
    raw.keyint_min = NO_KEYFRAMES;
    raw.profile = ffi::FF_PROFILE_H264_HIGH;
    raw.level = int(format.level.into());
    // A second holds at most what comes in during it and what the buffer held: one and a half times the rate.
    raw.rc_max_rate = i64::try_from(format.bit_rate).unwrap_or(i64::MAX);
    raw.rc_buffer_size = int(format.bit_rate / 2);
    raw.flags |= ffi::AV_CODEC_FLAG_CLOSED_GOP.cast_signed();
    // SAFETY: C enums of four bytes, written with numbers that came from libav or are constants of its.
    unsafe {
        (&raw mut raw.colorspace).cast::<u32>().write(colour.matrix);
        (&raw mut raw.color_primaries).cast::<u32>().write(colour.primaries);
        (&raw mut raw.color_trc).cast::<u32>().write(colour.transfer);
    }
    raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    raw.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
}

/// libx264's own options.
fn libx264() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("preset", "veryfast");
    options.set("crf", &QUALITY.to_string());
    options.set("forced-idr", "1");
    options.set("a53cc", "0");
    options.set("x264-params", "scenecut=0:cpu-independent=1");
    options
}
