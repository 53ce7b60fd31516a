//! A stream of an open file, read through libav's own structures where `ffmpeg-next` shows too little.
use std::ffi::{CStr, CString};

use ffmpeg_next::ffi;

use crate::source::Source;

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

impl<'a> StreamView<'a> {
    /// `index` is below the number of streams.
    pub fn new(source: &'a Source, index: usize) -> Self {
        Self { source, index }
    }

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
