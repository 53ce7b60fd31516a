//! An open media file: libav reads it through our descriptor only, and may use no protocol and only known containers.
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use ffmpeg_next::ffi;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, Packet};
use potluck::media::mp4_tables;

use crate::stream::{StreamView, text};

/// Containers that are opened at all. A playlist or a concat script is none of them, whatever its name.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,flac,mp3,aac,wav,aiff,caf,wv,ape,dsf,tta,mpc,mpc8";
/// Bytes that libav reads at once.
const BUFFER: usize = 256 * 1024;
/// Bytes of the largest `moov` that is read, boxes before it, and samples of the longest track.
const MOOV_MAX: usize = 128 * 1024 * 1024;
const TOP_BOXES_MAX: usize = 10_000;
const SAMPLES_MAX: usize = 20_000_000;
/// Bytes of the longest sound that is read through for its frames: a day of MP3, three hours of FLAC.
const SOUND_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// How much of a file is looked at to find out what is in it.
#[derive(Debug, Clone, Copy)]
enum Effort {
    /// Enough for facts of every stream: bytes and microseconds.
    Probe,
    /// The container's head only: packets are all that is wanted.
    Packets,
    /// Enough to find the streams of a container that has no list of them.
    Streams,
}

impl Effort {
    fn limits(self) -> (&'static str, &'static str) {
        match self {
            Self::Probe => ("10000000", "10000000"),
            Self::Packets => ("32", "1"),
            Self::Streams => ("5000000", "3000000"),
        }
    }
}

/// Why a file cannot be read, for people.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// No container is recognised.
    #[error("this is not a media file that can be read")]
    NotMedia,
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// A container, but broken.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// There is nothing to make a picture of.
    #[error("there is no picture in this file")]
    NoPicture,
    /// It is fine, but this cannot be done with it.
    #[error("{0}")]
    Cannot(String),
    /// A device failed; the file is not to blame.
    #[error("{0}")]
    Device(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidData | Error::StreamNotFound => Self::NotMedia,
            // What libav says of a container or protocol that is not on its white list.
            Error::Other { errno: ffmpeg_next::error::EINVAL } => Self::NotMedia,
            Error::Eof => Self::Damaged("it ends too early".to_owned()),
            other => Self::Damaged(other.to_string().to_lowercase()),
        }
    }
}

/// Reads a file at a place of its own, so that several contexts can share one descriptor.
struct Cursor {
    file: Arc<File>,
    at: u64,
    size: u64,
}

impl Read for Cursor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// An open file.
pub struct Source {
    /// libav's view of it.
    pub input: Input,
    file: Arc<File>,
}

impl Source {
    /// Opens a file and finds out what is in it.
    pub fn open(file: Arc<File>) -> Result<Self, Trouble> {
        Self::open_with(file, Effort::Probe)
    }

    /// Opens a file of which only packets are wanted: ten times faster, but facts of its streams may be missing. A
    /// container that does not list its streams is looked through for them all the same, because their numbers depend
    /// on it.
    pub fn open_for_packets(file: Arc<File>) -> Result<Self, Trouble> {
        let source = Self::open_with(Arc::clone(&file), Effort::Packets)?;
        if source.has_tables() { Ok(source) } else { Self::open_with(file, Effort::Streams) }
    }

    fn open_with(file: Arc<File>, effort: Effort) -> Result<Self, Trouble> {
        let (probe_bytes, probe_microseconds) = effort.limits();
        let size = file.metadata().map_err(|e| Trouble::Damaged(e.to_string()))?.len();
        if size == 0 {
            return Err(Trouble::Empty);
        }
        let cursor = Cursor { file: Arc::clone(&file), at: 0, size };
        let io = StreamIo::from_read_seek_with_capacity(cursor, BUFFER)?;
        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        // No protocol has this name: a file can refer to others as it likes, they are not opened.
        options.set("protocol_whitelist", "none");
        options.set("enable_drefs", "0");
        options.set("probesize", probe_bytes);
        options.set("analyzeduration", probe_microseconds);
        options.set("max_streams", "200");
        let input = ffmpeg_next::format::input_from_stream(io, None, Some(options))?;
        if input.nb_streams() == 0 {
            return Err(Trouble::NotMedia);
        }
        Ok(Self { input, file })
    }

    /// The same file from its beginning, for its packets. Some demuxers do not give everything again after a seek to the
    /// start.
    pub fn reopened(&self) -> Result<Self, Trouble> {
        Self::open_for_packets(Arc::clone(&self.file))
    }

    /// libav's short name of the container: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, ...
    pub fn container(&self) -> String {
        // SAFETY: an open input has a format, whose name is a static string.
        unsafe { text((*(*self.input.as_ptr()).iformat).name) }.unwrap_or_default()
    }

    /// The stream as libav sees it.
    pub fn stream(&self, index: usize) -> Option<StreamView<'_>> {
        (index < self.input.nb_streams() as usize).then_some(StreamView::new(self, index))
    }

    /// All streams, in file order.
    pub fn streams(&self) -> impl Iterator<Item = StreamView<'_>> {
        (0..self.input.nb_streams() as usize).map(|index| StreamView::new(self, index))
    }

    /// Whether the container is Matroska: its index, times and seeking have ways of their own.
    pub fn is_matroska(&self) -> bool {
        self.container().starts_with("matroska")
    }

    /// Whether the container lists its streams at its head, and its keyframes with their times in an index: the MP4
    /// family and Matroska.
    pub fn has_tables(&self) -> bool {
        self.is_matroska() || self.container().starts_with("mov")
    }

    /// Whether it is sound alone whose frames are found by reading it through, each with its exact time: MP3, FLAC and Ogg.
    pub fn is_countable(&self) -> bool {
        matches!(self.container().as_str(), "mp3" | "flac" | "ogg") && self.size() <= SOUND_MAX
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.file.metadata().map_or(0, |m| m.len())
    }

    /// Up to `length` bytes from `at` on.
    pub fn bytes(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        let length = usize::try_from(length.min(self.size().saturating_sub(at))).ok()?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    }

    /// The second at which the file begins, as its streams count, where that is known.
    pub fn start(&self) -> Option<f64> {
        // SAFETY: a plain field of an open context.
        let start = unsafe { (*self.input.as_ptr()).start_time };
        (start != ffi::AV_NOPTS_VALUE).then(|| start as f64 / f64::from(ffi::AV_TIME_BASE))
    }

    /// Duration that the container claims, in seconds; 0 where it says nothing.
    pub fn duration(&self) -> f64 {
        // SAFETY: a plain field of an open context.
        unsafe { (*self.input.as_ptr()).duration }.max(0) as f64 / f64::from(ffi::AV_TIME_BASE)
    }

    /// Bits a second of the whole file; 0 where it is not known.
    pub fn bit_rate(&self) -> u64 {
        u64::try_from(self.input.bit_rate()).unwrap_or(0)
    }

    /// For MP4: how much later than decoded each sample of a stream is shown; see [`mp4_tables`].
    pub fn composition_offsets(&self, stream: usize) -> Option<Vec<i32>> {
        let track_id = u32::try_from(self.stream(stream)?.raw().id).ok()?;
        mp4_tables::composition_offsets(&self.movie_box()?, track_id, SAMPLES_MAX)
    }

    /// The body of the `moov` box, if it is at the top level of the file and of a sensible size.
    fn movie_box(&self) -> Option<Vec<u8>> {
        let mut at = 0_u64;
        for _ in 0..TOP_BOXES_MAX {
            let mut head = [0; 16];
            self.file.read_exact_at(&mut head, at).ok()?;
            let [a, b, c, d, kind @ .., _, _, _, _, _, _, _, _] = head;
            let [_, _, _, _, _, _, _, _, long @ ..] = head;
            let (size, start) = match u32::from_be_bytes([a, b, c, d]) {
                1 => (u64::from_be_bytes(long), 16),
                short => (u64::from(short), 8),
            };
            if size < start {
                return None;
            }
            if kind == *b"moov" {
                let mut body = vec![0; usize::try_from(size - start).ok().filter(|size| *size <= MOOV_MAX)?];
                self.file.read_exact_at(&mut body, at + start).ok()?;
                return Some(body);
            }
            at = at.checked_add(size)?;
        }
        None
    }

    /// Seeks so that the next packets of `stream` start at a keyframe at or before `tick` (of the stream's time base).
    pub fn seek(&mut self, stream: usize, tick: i64) -> Result<(), Trouble> {
        let index = i32::try_from(stream).map_err(|_| Trouble::NotMedia)?;
        // SAFETY: the context is open, and libav checks the stream's index.
        let answer = unsafe { ffi::av_seek_frame(self.input.as_mut_ptr(), index, tick, ffi::AVSEEK_FLAG_BACKWARD) };
        if answer < 0 { Err(Error::from(answer).into()) } else { Ok(()) }
    }

    /// Gives packets of these streams only.
    pub fn only(&mut self, wanted: &[usize]) {
        for index in 0..self.input.nb_streams() as usize {
            let discard =
                if wanted.contains(&index) { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            // SAFETY: `index` is below the number of streams; the field is meant to be set by callers.
            unsafe { (**(*self.input.as_mut_ptr()).streams.add(index)).discard = discard };
        }
    }

    /// The next packet; `None` at the end. A damaged stretch is stepped over.
    pub fn packet(&mut self) -> Result<Option<Packet>, Trouble> {
        const DAMAGED_PACKETS_MAX: usize = 1000;
        for _ in 0..DAMAGED_PACKETS_MAX {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => return Ok(Some(packet)),
                Err(Error::Eof) => return Ok(None),
                Err(Error::InvalidData) => (),
                Err(other) => return Err(other.into()),
            }
        }
        Err(Trouble::Damaged("too much of it cannot be read".to_owned()))
    }
}
