//! Makes of a decoded picture what the encoder takes: progressive, upright, square pixels of one size, BT.709 where high
//! dynamic range is not wanted.
//!
//! A graph is made for pictures of one [`Shape`]; when a film changes its resolution, another is made. The text of a graph
//! is put together of words that stand here and of numbers, never of anything that a file or a request spells.
use std::ffi::CString;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use potluck::media::transcode::PictureFormat;

use crate::decode::Manner;
use crate::handles::{Buffer, Came, Frame, came, no_memory};
use crate::hardware::Hardware;
use crate::source::Trouble;

/// ITU-T H.273 code points, read as numbers: a file may hold any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Matrix coefficients.
    pub matrix: u32,
    /// Colour primaries.
    pub primaries: u32,
    /// Transfer characteristics.
    pub transfer: u32,
    /// All values are used, not only 16 to 235.
    pub full: bool,
}

impl Colour {
    /// What high definition is without further word.
    pub const BT709: Self = Self { matrix: 1, primaries: 1, transfer: 1, full: false };
    const UNSPECIFIED: u32 = 2;
    const BT2020: u32 = 9;
    const PQ: u32 = 16;
    const HLG: u32 = 18;

    /// What a frame says of itself.
    pub fn of(frame: &ffi::AVFrame) -> Self {
        let number = |field: *const u32| {
            // SAFETY: the fields are C enums of four bytes of a live frame; as numbers any value is fine.
            unsafe { field.read() }
        };
        Self {
            matrix: number((&raw const frame.colorspace).cast()),
            primaries: number((&raw const frame.color_primaries).cast()),
            transfer: number((&raw const frame.color_trc).cast()),
            full: number((&raw const frame.color_range).cast()) == ffi::AVColorRange::AVCOL_RANGE_JPEG as u32,
        }
    }

    /// Says it of a frame.
    pub fn put(self, frame: &mut ffi::AVFrame) {
        let range = if self.full { ffi::AVColorRange::AVCOL_RANGE_JPEG } else { ffi::AVColorRange::AVCOL_RANGE_MPEG };
        // SAFETY: as in `of`; what is written was read from a frame of libav's or is a constant of its.
        unsafe {
            (&raw mut frame.colorspace).cast::<u32>().write(self.matrix);
            (&raw mut frame.color_primaries).cast::<u32>().write(self.primaries);
            (&raw mut frame.color_trc).cast::<u32>().write(self.transfer);
        }
        frame.color_range = range;
    }

    /// Whether it is high dynamic range.
    pub fn is_hdr(self) -> bool {
        matches!(self.transfer, Self::PQ | Self::HLG)
    }

    /// As high dynamic range, where some of it was left unsaid.
    pub fn completed_as_hdr(self) -> Self {
        let transfer = if self.transfer == Self::HLG { Self::HLG } else { Self::PQ };
        Self { matrix: Self::BT2020, primaries: Self::BT2020, transfer, full: self.full }
    }

    /// swscale's name of the matrix, where it is not BT.709's. What says nothing is guessed by its size, as players do.
    fn other_matrix(self, height: i32) -> Option<&'static str> {
        match self.matrix {
            4 => Some("fcc"),
            5 | 6 => Some("smpte170m"),
            7 => Some("smpte240m"),
            9 | 10 => Some("bt2020"),
            Self::UNSPECIFIED if height <= 576 => Some("smpte170m"),
            _ => None,
        }
    }
}

/// What a graph is made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Pixels as coded.
    pub width: i32,
    /// Pixels as coded.
    pub height: i32,
    /// libav's pixel format.
    pub format: i32,
    /// What its values mean.
    pub colour: Colour,
    /// Width to height of one pixel.
    pub pixel_aspect: (u32, u32),
    /// Its lines are of two moments.
    pub interlaced: bool,
}

impl Shape {
    /// That of a picture.
    pub fn of(frame: &Frame, manner: &Manner) -> Self {
        let raw = frame.raw();
        let own = raw.sample_aspect_ratio;
        let pixel_aspect = match (u32::try_from(own.num), u32::try_from(own.den)) {
            _ if (raw.width, raw.height) == manner.size => manner.pixel_aspect,
            (Ok(across), Ok(down)) if across > 0 && down > 0 && across / down < 20 && down / across < 20 => {
                (across, down)
            }
            _ => (1, 1),
        };
        Self {
            width: raw.width,
            height: raw.height,
            format: raw.format,
            colour: Colour::of(raw),
            pixel_aspect,
            interlaced: raw.interlaced_frame != 0,
        }
    }

    /// The words that bring it to a size and a format, with limited range. zimg, the quicker one, takes what most films are;
    /// swscale takes everything.
    fn scaled(&self, across: u32, down: u32, format: &str, matrices: &str) -> String {
        let usual = [ffi::AVPixelFormat::AV_PIX_FMT_YUV420P, ffi::AVPixelFormat::AV_PIX_FMT_YUV420P10LE];
        let even = self.width % 2 == 0 && self.height % 2 == 0;
        if even && matrices.is_empty() && !self.colour.full && usual.iter().any(|usual| *usual as i32 == self.format) {
            return format!("zscale=w={across}:h={down}:filter=bicubic,format={format}");
        }
        format!("scale=w={across}:h={down}:flags=bicubic:out_range=limited{matrices},format={format}")
    }

    /// Whether its values are red, green and blue.
    fn is_rgb(&self) -> bool {
        self.has(ffi::AV_PIX_FMT_FLAG_RGB)
    }

    /// Whether it lies in a device's memory.
    fn is_on_device(&self) -> bool {
        self.has(ffi::AV_PIX_FMT_FLAG_HWACCEL)
    }

    fn has(&self, flag: i32) -> bool {
        // SAFETY: the format is one of libav's, from a frame of its; unknown ones give null.
        let descriptor =
            unsafe { ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(self.format)).as_ref() };
        descriptor.is_some_and(|d| d.flags & u64::from(flag.unsigned_abs()) != 0)
    }

    /// That of a film's usual pictures, of which only the size matters.
    pub fn usual(manner: &Manner) -> Self {
        Self {
            width: manner.size.0,
            height: manner.size.1,
            format: -1,
            colour: Colour::BT709,
            pixel_aspect: manner.pixel_aspect,
            interlaced: false,
        }
    }

    /// Where the picture lies in one of the wanted size: its own width and height there, upright.
    pub fn fitted(&self, manner: &Manner, format: &PictureFormat) -> (u32, u32) {
        let across = f64::from(self.width.max(1)) * f64::from(self.pixel_aspect.0) / f64::from(self.pixel_aspect.1);
        let down = f64::from(self.height.max(1));
        let (across, down) = if manner.turns % 2 == 1 { (down, across) } else { (across, down) };
        let (width, height) = (f64::from(format.width), f64::from(format.height));
        let wider = (across / down) / (width / height);
        let even = |pixels: f64, most: u32| (((pixels / 2.0).round() as u32) * 2).clamp(2, most.max(2));
        if (wider - 1.0).abs() < NEARLY {
            (format.width, format.height)
        } else if wider > 1.0 {
            (format.width, even(height / wider, format.height))
        } else {
            (even(width * wider, format.width), format.height)
        }
    }
}

/// Shapes that differ by less than this are stretched, not framed in black: rounding to even sizes makes such.
const NEARLY: f64 = 0.02;

/// The words of a graph in software.
pub fn software(shape: &Shape, manner: &Manner, format: &PictureFormat) -> String {
    let fitted = shape.fitted(manner, format);
    let (across, down) = if manner.turns % 2 == 1 { (fitted.1, fitted.0) } else { fitted };
    let mut words = Vec::new();
    if shape.interlaced {
        words.push("bwdif=mode=send_frame:deint=interlaced".to_owned());
    }
    if format.tone_map && shape.colour.is_hdr() {
        let peak = manner.peak.filter(|peak| peak.is_finite()).unwrap_or(USUAL_PEAK).clamp(4.0, 100.0);
        words.push(shape.scaled(across, down, "yuv420p10le", ""));
        words.push("zscale=t=linear:npl=100:p=bt709,format=gbrpf32le".to_owned());
        words.push(format!("tonemap=tonemap=hable:desat=0:peak={peak:.2}"));
        words.push("zscale=t=bt709:m=bt709:r=limited,format=yuv420p".to_owned());
    } else {
        let matrices = match shape.colour.other_matrix(shape.height) {
            _ if shape.is_rgb() => ":out_color_matrix=bt709".to_owned(),
            Some(matrix) if !shape.colour.is_hdr() => format!(":in_color_matrix={matrix}:out_color_matrix=bt709"),
            _ => String::new(),
        };
        words.push(shape.scaled(across, down, "yuv420p", &matrices));
    }
    words.extend(upright(manner.turns).map(str::to_owned));
    if fitted != (format.width, format.height) {
        let (left, top) = ((format.width - fitted.0) / 4 * 2, (format.height - fitted.1) / 4 * 2);
        words.push(format!("pad=w={}:h={}:x={left}:y={top}", format.width, format.height));
    }
    words.join(",")
}

/// The words that bring a picture onto a device.
pub const UPLOAD: &str = "format=nv12,hwupload";
/// The words that map tones there.
pub const TONE_MAP_ON_DEVICE: &str = "tonemap_vaapi=format=nv12:p=bt709:t=bt709:m=bt709";

/// The words of a graph that scales, and maps tones, in the device's own memory; `None` for what is left to software.
pub fn on_device(shape: &Shape, manner: &Manner, format: &PictureFormat) -> Option<String> {
    let (width, height) = (format.width, format.height);
    let turned = manner.turns % 4 != 0 || shape.fitted(manner, format) != (width, height);
    let other_colours = !shape.colour.is_hdr() && shape.colour.other_matrix(shape.height).is_some();
    if shape.interlaced || turned || other_colours || shape.is_rgb() || format.burn.is_some() {
        return None;
    }
    let maps = format.tone_map && shape.colour.is_hdr();
    let upload = match (shape.is_on_device(), maps) {
        (true, _) => "",
        (false, true) => "format=p010,hwupload,",
        (false, false) => "format=nv12,hwupload,",
    };
    Some(if maps {
        format!("{upload}scale_vaapi=w={width}:h={height}:format=p010,{TONE_MAP_ON_DEVICE}")
    } else {
        format!("{upload}scale_vaapi=w={width}:h={height}:format=nv12:out_range=limited")
    })
}

/// The words of a graph in software for pictures that were perhaps decoded on a device.
pub fn in_memory(shape: &Shape, software: &str) -> String {
    let download = if shape.is_on_device() { "hwdownload,format=nv12|p010le," } else { "" };
    format!("{download}{software}")
}

/// The words of a graph whose pictures go to the encoder of a device.
pub fn for_encoder(words: String, hardware: &Hardware) -> String {
    if hardware.quick_sync.is_some() { format!("{words},hwmap=derive_device=qsv,format=qsv") } else { words }
}

/// The brightest of a film that does not say, in units of 100 cd/m²: what most are mastered for.
const USUAL_PEAK: f64 = 10.0;

/// The words that turn a picture upright.
fn upright(turns: i32) -> Option<&'static str> {
    match turns.rem_euclid(4) {
        1 => Some("transpose=dir=clock"),
        2 => Some("hflip,vflip"),
        3 => Some("transpose=dir=cclock"),
        _ => None,
    }
}

/// A chain of filters with a picture going in and one coming out.
pub struct Graph {
    graph: NonNull<ffi::AVFilterGraph>,
    source: *mut ffi::AVFilterContext,
    sink: *mut ffi::AVFilterContext,
}

// SAFETY: a graph may be used by any thread, one at a time.
unsafe impl Send for Graph {}

impl Graph {
    /// A graph for pictures like this one, with times in ticks. Filters that work on a device are given it.
    pub fn new(
        like: &Frame,
        timescale: u32,
        words: &str,
        threads: u32,
        hardware: Option<&Hardware>,
    ) -> Result<Self, Trouble> {
        // SAFETY: the graph is freed with `Self`, and owns the filters that are made in it.
        let graph = NonNull::new(unsafe { ffi::avfilter_graph_alloc() }).ok_or_else(no_memory)?;
        let mut made = Self { graph, source: ptr::null_mut(), sink: ptr::null_mut() };
        // SAFETY: a plain field of the graph.
        unsafe { (*graph.as_ptr()).nb_threads = i32::try_from(threads.clamp(1, 16)).unwrap_or(1) };
        made.source = made.filter(c"buffer", c"in")?;
        made.sink = made.filter(c"buffersink", c"out")?;
        made.describe_source(like, timescale)?;
        // SAFETY: the sink belongs to the graph and is not yet initialised.
        came(unsafe { ffi::avfilter_init_str(made.sink, ptr::null()) })?;
        made.parse(words)?;
        if let Some(hardware) = hardware {
            made.give(&hardware.vaapi);
        }
        // SAFETY: all filters are there and linked.
        came(unsafe { ffi::avfilter_graph_config(graph.as_ptr(), ptr::null_mut()) })?;
        Ok(made)
    }

    fn filter(&mut self, kind: &std::ffi::CStr, name: &std::ffi::CStr) -> Result<*mut ffi::AVFilterContext, Trouble> {
        // SAFETY: the names are C strings, and a kind that is missing gives null.
        let filter = unsafe {
            let kind = ffi::avfilter_get_by_name(kind.as_ptr());
            ffi::avfilter_graph_alloc_filter(self.graph.as_ptr(), kind, name.as_ptr())
        };
        if filter.is_null() {
            return Err(Trouble::Cannot("a filter is missing in the media libraries".to_owned()));
        }
        Ok(filter)
    }

    fn describe_source(&mut self, like: &Frame, timescale: u32) -> Result<(), Trouble> {
        let raw = like.raw();
        // SAFETY: the parameters are libav's own object, whose fields are set and which is freed below; it takes a
        // reference of its own to the frames' pool.
        unsafe {
            let parameters = ffi::av_buffersrc_parameters_alloc();
            if parameters.is_null() {
                return Err(no_memory());
            }
            (*parameters).format = raw.format;
            (*parameters).width = raw.width;
            (*parameters).height = raw.height;
            (*parameters).time_base = ffi::AVRational { num: 1, den: i32::try_from(timescale).unwrap_or(i32::MAX) };
            (*parameters).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            (*parameters).hw_frames_ctx = raw.hw_frames_ctx;
            let set = ffi::av_buffersrc_parameters_set(self.source, parameters);
            ffi::av_free(parameters.cast());
            came(set)?;
            came(ffi::avfilter_init_str(self.source, ptr::null()))?;
        }
        Ok(())
    }

    fn parse(&mut self, words: &str) -> Result<(), Trouble> {
        let words = CString::new(words).map_err(|e| Trouble::Cannot(e.to_string()))?;
        // SAFETY: the ends are libav's own objects, which parsing takes over or which are freed below.
        unsafe {
            let (mut outputs, mut inputs) = (ffi::avfilter_inout_alloc(), ffi::avfilter_inout_alloc());
            if outputs.is_null() || inputs.is_null() {
                return Err(no_memory());
            }
            (*outputs).name = ffi::av_strdup(c"in".as_ptr());
            (*outputs).filter_ctx = self.source;
            (*inputs).name = ffi::av_strdup(c"out".as_ptr());
            (*inputs).filter_ctx = self.sink;
            let parsed = ffi::avfilter_graph_parse_ptr(
                self.graph.as_ptr(),
                words.as_ptr(),
                &raw mut inputs,
                &raw mut outputs,
                ptr::null_mut(),
            );
            ffi::avfilter_inout_free(&raw mut inputs);
            ffi::avfilter_inout_free(&raw mut outputs);
            came(parsed)?;
        }
        Ok(())
    }

    /// Filters ask for their device when the graph is configured: they must have it before.
    fn give(&mut self, device: &Buffer) {
        // SAFETY: libav keeps that many valid filters in the graph, and frees the reference with each.
        unsafe {
            let graph = self.graph.as_ref();
            for index in 0..graph.nb_filters as usize {
                (**graph.filters.add(index)).hw_device_ctx = device.another();
            }
        }
    }

    /// Puts a picture in; `None` ends the stream.
    pub fn push(&mut self, frame: Option<&mut Frame>) -> Result<(), ffmpeg_next::Error> {
        let frame = frame.map_or(ptr::null_mut(), |frame| &raw mut *frame.raw_mut());
        // SAFETY: the source takes the frame's references and leaves it empty.
        came(unsafe { ffi::av_buffersrc_add_frame(self.source, frame) }).map(drop)
    }

    /// Takes a picture out, if one is ready, with its time in ticks.
    pub fn pull(&mut self, timescale: u32) -> Result<Option<Frame>, PullError> {
        let mut frame = Frame::new()?;
        // SAFETY: the sink fills the frame.
        match came(unsafe { ffi::av_buffersink_get_frame(self.sink, frame.raw_mut()) })? {
            Came::Hungry | Came::Ended => Ok(None),
            Came::Ready => {
                // SAFETY: the sink belongs to the graph.
                let base = unsafe { ffi::av_buffersink_get_time_base(self.sink) };
                let ticks = ffi::AVRational { num: 1, den: i32::try_from(timescale).unwrap_or(i32::MAX) };
                let raw = frame.raw_mut();
                // SAFETY: a pure function.
                raw.pts = unsafe { ffi::av_rescale_q(raw.pts, base, ticks) };
                Ok(Some(frame))
            }
        }
    }
}

/// Why no picture came out.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// A filter said so.
    #[error(transparent)]
    Filter(#[from] ffmpeg_next::Error),
    /// There is no memory.
    #[error(transparent)]
    Other(#[from] Trouble),
}

impl From<PullError> for Trouble {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Filter(error) => error.into(),
            PullError::Other(trouble) => trouble,
        }
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let mut graph = self.graph.as_ptr();
        // SAFETY: the graph is ours, and its filters go with it.
        unsafe { ffi::avfilter_graph_free(&raw mut graph) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner(width: i32, height: i32, turns: i32) -> Manner {
        Manner { size: (width, height), pixel_aspect: (1, 1), turns, rate: 25.0, peak: None }
    }

    fn format(width: u32, height: u32, tone_map: bool) -> PictureFormat {
        PictureFormat { width, height, bit_rate: 1, frame_rate_max: None, tone_map, burn: None, level: 40 }
    }

    #[test]
    fn a_picture_of_another_shape_is_set_in_black_and_one_nearly_of_this_shape_is_stretched() {
        let of = |width, height, turns| {
            let manner = manner(width, height, turns);
            Shape::usual(&manner).fitted(&manner, &format(1280, 720, false))
        };
        assert_eq!(of(1920, 1088, 0), (1280, 720));
        assert_eq!(of(1440, 1080, 0), (960, 720));
        assert_eq!(of(1920, 800, 0), (1280, 534));
        assert_eq!(of(1080, 1920, 1), (1280, 720));
        assert_eq!(of(0, -5, 0), (720, 720), "nonsense is a square");
    }

    #[test]
    fn tones_are_mapped_after_scaling_and_only_where_there_is_something_to_map() {
        let manner = manner(3840, 2160, 0);
        let hdr = Shape { colour: Colour { transfer: Colour::PQ, ..Colour::BT709 }, ..Shape::usual(&manner) };
        let words = software(&hdr, &manner, &format(1920, 1080, true));
        assert!(words.find("scale=w=1920").unwrap() < words.find("tonemap=").unwrap());
        assert!(!software(&hdr, &manner, &format(1920, 1080, false)).contains("tonemap"));
        assert!(!software(&Shape::usual(&manner), &manner, &format(1920, 1080, true)).contains("tonemap"));
        let strange = Manner { peak: Some(f64::NAN), ..manner };
        assert!(!software(&hdr, &strange, &format(1920, 1080, true)).contains("NaN"));
    }

    #[test]
    fn the_quicker_scaler_gets_what_it_can_take() {
        let manner = manner(1920, 1080, 0);
        let usual = Shape { format: ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32, ..Shape::usual(&manner) };
        let words = |shape: Shape| software(&shape, &manner, &format(1280, 720, false));
        assert!(words(usual).starts_with("zscale=w=1280:h=720:"));
        let others = [
            Shape { width: 1919, ..usual },
            Shape { colour: Colour { full: true, ..Colour::BT709 }, ..usual },
            Shape { colour: Colour { matrix: 9, ..Colour::BT709 }, ..usual },
            Shape { format: ffi::AVPixelFormat::AV_PIX_FMT_RGB24 as i32, ..usual },
        ];
        assert!(others.into_iter().all(|shape| words(shape).starts_with("scale=")));
    }

    #[test]
    fn a_device_is_left_what_it_can_do() {
        let manner = manner(1920, 1080, 0);
        let shape = Shape::usual(&manner);
        assert!(on_device(&shape, &manner, &format(1280, 720, false)).unwrap().starts_with("format=nv12,hwupload"));
        let interlaced = Shape { interlaced: true, ..shape };
        assert_eq!(on_device(&interlaced, &manner, &format(1280, 720, false)), None);
        let burnt = PictureFormat { burn: Some(3), ..format(1280, 720, false) };
        assert_eq!(on_device(&shape, &manner, &burnt), None);
        assert_eq!(on_device(&shape, &Manner { turns: 1, ..manner }, &format(1280, 720, false)), None);
    }
}
