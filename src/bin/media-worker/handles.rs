//! libav's objects as values that free themselves, for what `ffmpeg-next` wraps too tightly to be transcoded with: frames
//! that are shared instead of copied, codecs on a device, filter graphs whose filters need one.
//!
//! Each handle owns its object, and no pointer outlives a call: that is the reason given once for the `unsafe` here.
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use ffmpeg_next::packet::{Mut, Packet, Ref};

use crate::source::Trouble;

/// What a call of libav's came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It gave what was asked for.
    Ready,
    /// It wants more first.
    Hungry,
    /// There is nothing more to come.
    Ended,
}

/// Sorts libav's answers: to want more and to be at the end are none of its errors.
pub fn came(code: i32) -> Result<Came, ffmpeg_next::Error> {
    match ffmpeg_next::Error::from(code) {
        _ if code >= 0 => Ok(Came::Ready),
        ffmpeg_next::Error::Eof => Ok(Came::Ended),
        ffmpeg_next::Error::Other { errno: ffmpeg_next::error::EAGAIN } => Ok(Came::Hungry),
        error => Err(error),
    }
}

/// There is no memory for what is asked.
pub fn no_memory() -> Trouble {
    Trouble::Cannot("its pictures need more memory than is allowed".to_owned())
}

/// A picture in memory, or on a device.
pub struct Frame(NonNull<ffi::AVFrame>);

// SAFETY: a frame's buffers are counted atomically, and nothing of it belongs to a thread.
unsafe impl Send for Frame {}

impl Frame {
    /// One without a picture.
    pub fn new() -> Result<Self, Trouble> {
        // SAFETY: see the module.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or_else(no_memory)
    }

    /// The same picture once more; its bytes are not copied.
    pub fn shared(&self) -> Result<Self, Trouble> {
        // SAFETY: see the module.
        NonNull::new(unsafe { ffi::av_frame_clone(self.0.as_ptr()) }).map(Self).ok_or_else(no_memory)
    }

    /// A black picture of some size, in memory.
    pub fn black(width: u32, height: u32) -> Result<Self, Trouble> {
        let mut frame = Self::new()?;
        let raw = frame.raw_mut();
        raw.format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
        (raw.width, raw.height) = (i32::try_from(width).unwrap_or(0), i32::try_from(height).unwrap_or(0));
        // SAFETY: libav allocates the planes, and then fills those that it allocated.
        unsafe {
            came(ffi::av_frame_get_buffer(raw, 0))?;
            let strides = raw.linesize.map(|stride| stride as isize);
            let range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
            let format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
            came(ffi::av_image_fill_black(
                raw.data.as_ptr().cast_mut(),
                strides.as_ptr(),
                format,
                range,
                raw.width,
                raw.height,
            ))?;
        }
        Ok(frame)
    }

    /// libav's frame.
    pub fn raw(&self) -> &ffi::AVFrame {
        // SAFETY: see the module.
        unsafe { self.0.as_ref() }
    }

    /// libav's frame.
    pub fn raw_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: see the module.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.0.as_ptr();
        // SAFETY: see the module.
        unsafe { ffi::av_frame_free(&raw mut frame) }
    }
}

/// A reference to a buffer of libav's: a device, or the pool of its frames.
pub struct Buffer(NonNull<ffi::AVBufferRef>);

// SAFETY: references are counted atomically; devices are made for use by several threads.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Takes over a reference.
    ///
    /// # Safety
    /// `reference` is null or a reference that nobody else frees.
    pub unsafe fn owned(reference: *mut ffi::AVBufferRef) -> Option<Self> {
        NonNull::new(reference).map(Self)
    }

    /// One more reference, to be freed by whoever it is given to.
    pub fn another(&self) -> *mut ffi::AVBufferRef {
        // SAFETY: see the module.
        unsafe { ffi::av_buffer_ref(self.0.as_ptr()) }
    }

    /// libav's reference.
    pub fn as_ptr(&self) -> *mut ffi::AVBufferRef {
        self.0.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut reference = self.0.as_ptr();
        // SAFETY: see the module.
        unsafe { ffi::av_buffer_unref(&raw mut reference) }
    }
}

/// A decoder or an encoder.
pub struct Codec(NonNull<ffi::AVCodecContext>);

// SAFETY: a context may be used by any thread, one at a time.
unsafe impl Send for Codec {}

impl Codec {
    /// A context for a codec, not yet open.
    pub fn new(codec: &ffi::AVCodec) -> Result<Self, Trouble> {
        // SAFETY: see the module.
        NonNull::new(unsafe { ffi::avcodec_alloc_context3(codec) }).map(Self).ok_or_else(no_memory)
    }

    /// libav's context.
    pub fn raw(&self) -> &ffi::AVCodecContext {
        // SAFETY: see the module.
        unsafe { self.0.as_ref() }
    }

    /// libav's context.
    pub fn raw_mut(&mut self) -> &mut ffi::AVCodecContext {
        // SAFETY: see the module.
        unsafe { self.0.as_mut() }
    }

    /// Opens it with options of its own.
    pub fn open(&mut self, options: ffmpeg_next::Dictionary) -> Result<(), ffmpeg_next::Error> {
        // SAFETY: the context was made for its codec; libav takes what it knows of the options and leaves the rest,
        // which is freed here.
        let code = unsafe {
            let mut options = options.disown();
            let code = ffi::avcodec_open2(self.0.as_ptr(), ptr::null(), &raw mut options);
            ffi::av_dict_free(&raw mut options);
            code
        };
        came(code).map(drop)
    }

    /// Hands a packet to a decoder; `None` ends the stream.
    pub fn send_packet(&mut self, packet: Option<&Packet>) -> Result<Came, ffmpeg_next::Error> {
        // SAFETY: see the module.
        unsafe { came(ffi::avcodec_send_packet(self.0.as_ptr(), packet.map_or(ptr::null(), |p| p.as_ptr()))) }
    }

    /// Takes a picture from a decoder.
    pub fn receive_frame(&mut self, into: &mut Frame) -> Result<Came, ffmpeg_next::Error> {
        // SAFETY: see the module.
        unsafe { came(ffi::avcodec_receive_frame(self.0.as_ptr(), into.raw_mut())) }
    }

    /// Hands a picture to an encoder; `None` ends the stream.
    pub fn send_frame(&mut self, frame: Option<&Frame>) -> Result<Came, ffmpeg_next::Error> {
        let frame = frame.map_or(ptr::null(), |frame| frame.0.as_ptr().cast_const());
        // SAFETY: see the module.
        unsafe { came(ffi::avcodec_send_frame(self.0.as_ptr(), frame)) }
    }

    /// Takes a packet from an encoder.
    pub fn receive_packet(&mut self, into: &mut Packet) -> Result<Came, ffmpeg_next::Error> {
        // SAFETY: see the module.
        unsafe { came(ffi::avcodec_receive_packet(self.0.as_ptr(), into.as_mut_ptr())) }
    }

    /// Forgets what a decoder was told, before it is told something else.
    pub fn flush(&mut self) {
        // SAFETY: see the module; flushing is for open codecs only.
        unsafe {
            if ffi::avcodec_is_open(self.0.as_ptr()) != 0 {
                ffi::avcodec_flush_buffers(self.0.as_ptr());
            }
        }
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        let mut context = self.0.as_ptr();
        // SAFETY: see the module.
        unsafe { ffi::avcodec_free_context(&raw mut context) }
    }
}
