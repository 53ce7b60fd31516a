//! libav's encoder of a codec, fed with as many samples at once as it takes.
use ffmpeg_next::codec::{self, Context};
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::{Codec, Packet, Rational, encoder, frame};
use potluck::media::whole_sound::{SoundCodec, WholeSound};

use crate::sound::encode::layout;
use crate::source::Trouble;

/// See the module.
pub struct Encoder {
    inner: encoder::Audio,
    name: &'static str,
    channels: usize,
    kind: Sample,
    /// Samples of a frame.
    size: usize,
    /// Samples of each channel that are less than a frame.
    waiting: Vec<Vec<f32>>,
    /// Number of the next sample.
    time: i64,
    rate: u32,
}

fn cannot() -> Trouble {
    Trouble::Cannot("sound cannot be encoded like this".to_owned())
}

/// The encoder's name, and the form of its samples.
fn known(codec: SoundCodec) -> (&'static str, Sample) {
    match codec {
        SoundCodec::Mp3 => ("libmp3lame", Sample::F32(Type::Planar)),
        SoundCodec::Opus => ("libopus", Sample::F32(Type::Packed)),
        SoundCodec::Aac => ("aac", Sample::F32(Type::Planar)),
    }
}

impl Encoder {
    pub fn open(plan: &WholeSound, rate: u32, channels: usize) -> Result<Self, Trouble> {
        let (name, kind) = known(plan.codec);
        let missing = || Trouble::Cannot(format!("the media libraries of this machine cannot encode {name}"));
        let codec: Codec = encoder::find_by_name(name).ok_or_else(missing)?;
        let layout = u16::try_from(channels).ok().and_then(layout).ok_or_else(cannot)?;
        let hertz = i32::try_from(rate).map_err(|_| cannot())?;
        let mut settings = Context::new_with_codec(codec).encoder().audio()?;
        settings.set_rate(hertz);
        settings.set_channel_layout(layout);
        settings.set_channels(i32::try_from(channels).map_err(|_| cannot())?);
        settings.set_format(kind);
        settings.set_bit_rate(usize::try_from(plan.kbps).map_err(|_| cannot())?.saturating_mul(1000));
        settings.set_time_base(Rational(1, hertz));
        // Without the encoder's name and version in the stream; what AAC needs to know is in every frame's header.
        settings.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let inner = settings.open_as(codec)?;
        let size = usize::try_from(inner.frame_size()).unwrap_or(0);
        if size == 0 {
            return Err(cannot());
        }
        Ok(Self { inner, name, channels, kind, size, waiting: vec![Vec::new(); channels], time: 0, rate })
    }

    /// The encoder's name as libav has it.
    pub fn name(&self) -> String {
        self.name.to_owned()
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples that it puts before the first.
    pub fn delay(&self) -> u32 {
        // SAFETY: a plain field of an open encoder.
        u32::try_from(unsafe { (*self.inner.as_ptr()).initial_padding }).unwrap_or(0)
    }

    /// Takes the first `count` samples of some planes; each frame that is encoded goes to `done`.
    pub fn push(&mut self, planes: &[Vec<f32>], count: usize, done: &mut dyn FnMut(&[u8])) -> Result<(), Trouble> {
        for (waiting, plane) in self.waiting.iter_mut().zip(planes) {
            waiting.extend_from_slice(plane.get(..count).unwrap_or(plane));
        }
        let whole = self.waiting.first().map_or(0, Vec::len) / self.size;
        for n in 0..whole {
            self.encode(n * self.size, self.size)?;
            self.collect(done);
        }
        self.waiting.iter_mut().for_each(|waiting| drop(waiting.drain(..whole * self.size)));
        Ok(())
    }

    /// Encodes what is left.
    pub fn finish(&mut self, done: &mut dyn FnMut(&[u8])) -> Result<(), Trouble> {
        let rest = self.waiting.first().map_or(0, Vec::len);
        if rest > 0 {
            self.encode(0, rest)?;
            self.collect(done);
        }
        self.inner.send_eof()?;
        self.collect(done);
        Ok(())
    }

    fn encode(&mut self, from: usize, count: usize) -> Result<(), Trouble> {
        let layout = u16::try_from(self.channels).ok().and_then(layout).ok_or_else(cannot)?;
        let mut input = frame::Audio::new(self.kind, count, layout);
        input.set_rate(self.rate);
        input.set_pts(Some(self.time));
        self.time += count as i64;
        let planes = self.waiting.iter().map(|plane| &plane[from..from + count]);
        if self.kind.is_planar() {
            for (channel, plane) in planes.enumerate() {
                input.plane_mut::<f32>(channel).copy_from_slice(plane);
            }
        } else {
            let (channels, step) = (self.channels, size_of::<f32>());
            let bytes = input.data_mut(0);
            for (channel, plane) in planes.enumerate() {
                let places = bytes.chunks_exact_mut(step).skip(channel).step_by(channels);
                places.zip(plane).for_each(|(place, sample)| place.copy_from_slice(&sample.to_ne_bytes()));
            }
        }
        Ok(self.inner.send_frame(&input)?)
    }

    fn collect(&mut self, done: &mut dyn FnMut(&[u8])) {
        let mut packet = Packet::empty();
        while self.inner.receive_packet(&mut packet).is_ok() {
            if let Some(bytes) = packet.data() {
                done(bytes);
            }
        }
    }
}
