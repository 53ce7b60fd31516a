//! An open media file: libav reads it through our descriptor only, and may use no protocol and only known containers.
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use ffmpeg_next::ffi;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, Packet};

/// Containers that are opened at all. A playlist or a concat script is none of them, whatever its name.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,flac,mp3,aac,wav";
/// Bytes that libav reads at once.
const BUFFER: usize = 256 * 1024;
/// Bytes and time that finding out what is in a file may take.
const PROBE_BYTES: &str = "10000000";
const PROBE_MICROSECONDS: &str = "10000000";

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
    /// Opens a file.
    pub fn open(file: Arc<File>) -> Result<Self, Trouble> {
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
        options.set("probesize", PROBE_BYTES);
        options.set("analyzeduration", PROBE_MICROSECONDS);
        options.set("max_streams", "200");
        let input = ffmpeg_next::format::input_from_stream(io, None, Some(options))?;
        if input.nb_streams() == 0 {
            return Err(Trouble::NotMedia);
        }
        Ok(Self { input, file })
    }

    /// The same file from its beginning. Some demuxers do not give everything again after a seek to the start.
    pub fn reopened(&self) -> Result<Self, Trouble> {
        Self::open(Arc::clone(&self.file))
    }

    /// libav's short name of the container: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, ...
    pub fn container(&self) -> String {
        // SAFETY: an open input has a format, whose name is a static string.
        unsafe { text((*(*self.input.as_ptr()).iformat).name) }.unwrap_or_default()
    }

    /// The stream as libav sees it.
    pub fn stream(&self, index: usize) -> Option<StreamView<'_>> {
        (index < self.input.nb_streams() as usize).then_some(StreamView { source: self, index })
    }

    /// All streams, in file order.
    pub fn streams(&self) -> impl Iterator<Item = StreamView<'_>> {
        (0..self.input.nb_streams() as usize).map(|index| StreamView { source: self, index })
    }

    /// Whether the container is Matroska: its index, times and seeking have ways of their own.
    pub fn is_matroska(&self) -> bool {
        self.container().starts_with("matroska")
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

/// An entry of libav's index.
#[derive(Debug, Clone, Copy)]
pub struct IndexEntry {
    /// In the stream's time base.
    pub tick: i64,
    /// Place in the file.
    pub position: i64,
    /// It is a keyframe.
    pub key: bool,
}

/// A stream of an open file, read through libav's own structures.
#[derive(Clone, Copy)]
pub struct StreamView<'a> {
    source: &'a Source,
    /// Index in the file.
    pub index: usize,
}

impl StreamView<'_> {
    /// libav's stream.
    pub fn raw(&self) -> &ffi::AVStream {
        // SAFETY: views are made only of indices below the number of streams, which libav never takes away.
        unsafe { &**(*self.source.input.as_ptr()).streams.add(self.index) }
    }

    /// libav's codec parameters.
    pub fn parameters(&self) -> &ffi::AVCodecParameters {
        // SAFETY: every stream has parameters as long as its context lives.
        unsafe { &*self.raw().codecpar }
    }

    /// Codec configuration as the container holds it.
    pub fn extradata(&self) -> &[u8] {
        let parameters = self.parameters();
        let size = usize::try_from(parameters.extradata_size).unwrap_or(0);
        if parameters.extradata.is_null() || size == 0 {
            return &[];
        }
        // SAFETY: libav allocated that many bytes (and some padding) there.
        unsafe { std::slice::from_raw_parts(parameters.extradata, size) }
    }

    /// Side data of a kind, if the container gives it.
    pub fn side_data(&self, kind: ffi::AVPacketSideDataType) -> Option<&[u8]> {
        let mut size = 0;
        // SAFETY: the stream is valid; libav sets `size` to what it returns a pointer to, which lives with the stream.
        unsafe {
            let bytes = ffi::av_stream_get_side_data(self.raw(), kind, &raw mut size);
            (!bytes.is_null()).then(|| std::slice::from_raw_parts(bytes, size))
        }
    }

    /// A tag of the stream.
    pub fn tag(&self, key: &str) -> Option<String> {
        tag(self.raw().metadata, key)
    }

    /// libav's index of the stream: keyframes for Matroska with their presentation times, all samples for MP4 with their
    /// decoding times.
    pub fn entries(&self) -> Vec<IndexEntry> {
        let stream = &raw const *self.raw();
        // SAFETY: the stream is valid, and libav returns null for what is not in the index.
        unsafe {
            (0..ffi::avformat_index_get_entries_count(stream))
                .filter_map(|i| ffi::avformat_index_get_entry(stream.cast_mut(), i).as_ref())
                .map(|e| IndexEntry { tick: e.timestamp, position: e.pos, key: e.flags() & ffi::AVINDEX_KEYFRAME != 0 })
                .collect()
        }
    }

    /// Whether a disposition is set.
    pub fn is(&self, disposition: i32) -> bool {
        self.raw().disposition & disposition != 0
    }
}

/// A tag of a dictionary, made readable where it is not UTF-8.
pub fn tag(dictionary: *const ffi::AVDictionary, key: &str) -> Option<String> {
    let key = CString::new(key).ok()?;
    // SAFETY: libav takes a null dictionary; an entry's value is a C string that lives with the dictionary.
    unsafe {
        let entry = ffi::av_dict_get(dictionary, key.as_ptr(), std::ptr::null(), 0);
        if entry.is_null() { None } else { text((*entry).value) }
    }
    .filter(|value| !value.trim().is_empty())
}

/// A C string of libav's, made readable where it is not UTF-8.
///
/// # Safety
/// `pointer` is null or a C string.
pub unsafe fn text(pointer: *const std::ffi::c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().trim().to_owned())
}
