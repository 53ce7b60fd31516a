//! What a probe tells: libav's structures to plain values.
use std::f64::consts::FRAC_PI_2;

use ffmpeg_next::ffi::{self, AVCodecID, AVMediaType, AVPacketSideDataType};
use potluck::media::subtitles::SubtitleFormat;
use potluck::media::{Chapter, Facts, HdrFormat, Stream, StreamKind};

use crate::hdr;
use crate::names::codec_string;
use crate::source::Source;
use crate::stream::{StreamView, tag, text};

/// Everything that is known of an open file.
pub fn of(source: &Source) -> Facts {
    // SAFETY: the context lives as long as `source`; plain fields are read.
    let (duration, bit_rate, metadata) = unsafe {
        let context = &*source.input.as_ptr();
        (context.duration, context.bit_rate, context.metadata)
    };
    Facts {
        pages: None,
        container: container(&source.container(), metadata),
        duration: seconds(duration, ffi::AVRational { num: 1, den: ffi::AV_TIME_BASE }).unwrap_or(0.0),
        bit_rate: u64::try_from(bit_rate).unwrap_or(0),
        title: tag(metadata, "title"),
        streams: source.streams().map(|view| stream(&view)).collect(),
        chapters: chapters(source),
    }
}

/// libav names families of containers; one word is enough for people.
fn container(names: &str, metadata: *const ffi::AVDictionary) -> String {
    let name = match names {
        n if n.starts_with("mov,mp4") => match tag(metadata, "major_brand").as_deref() {
            Some("qt") => "mov",
            _ => "mp4",
        },
        "matroska,webm" => "matroska",
        n => n.split(',').next().unwrap_or(n),
    };
    name.to_owned()
}

/// A time in seconds, if it is known and finite.
pub fn seconds(ticks: i64, base: ffi::AVRational) -> Option<f64> {
    let value = ticks as f64 * f64::from(base.num) / f64::from(base.den);
    (ticks != ffi::AV_NOPTS_VALUE && value.is_finite() && value >= 0.0).then_some(value)
}

fn stream(view: &StreamView<'_>) -> Stream {
    let parameters = view.parameters();
    let kind = kind(view);
    let id = parameters.codec_id;
    let video = (kind == StreamKind::Video).then(|| picture(view));
    let audio = kind == StreamKind::Audio;
    // SAFETY: both return static strings or null.
    let (codec, profile) =
        unsafe { (text(ffi::avcodec_get_name(id)), text(ffi::avcodec_profile_name(id, parameters.profile))) };
    Stream {
        index: u32::try_from(view.index).unwrap_or(u32::MAX),
        kind,
        codec: codec.unwrap_or_else(|| "unknown".to_owned()),
        codec_string: codec_string(id, view.extradata(), parameters.profile, parameters.level),
        profile,
        language: view.tag("language").filter(|l| l != "und"),
        title: view.tag("title").or_else(|| handler_name(view)),
        default: view.is(ffi::AV_DISPOSITION_DEFAULT),
        forced: view.is(ffi::AV_DISPOSITION_FORCED),
        width: video.as_ref().map(|p| p.width),
        height: video.as_ref().map(|p| p.height),
        frame_rate: video.as_ref().and_then(|p| p.frame_rate),
        bit_depth: video.as_ref().and_then(|p| p.bit_depth),
        hdr: video.as_ref().and_then(|p| p.hdr),
        channels: audio.then(|| u32::try_from(parameters.ch_layout.nb_channels).unwrap_or(0)),
        sample_rate: audio.then(|| u32::try_from(parameters.sample_rate).unwrap_or(0)),
        bit_rate: u64::try_from(parameters.bit_rate).ok().filter(|b| *b > 0).or_else(|| statistics_bit_rate(view)),
        chroma: if kind == StreamKind::Video { chroma(parameters) } else { None },
        interlaced: kind == StreamKind::Video && is_interlaced(view),
        hdr_details: if kind == StreamKind::Video { hdr::details(view) } else { None },
        channel_layout: if audio { channel_layout(parameters) } else { None },
        subtitles: if kind == StreamKind::Subtitle { subtitle_format(id) } else { None },
        file_name: if kind == StreamKind::Attachment { view.tag("filename") } else { None },
        mime_type: if kind == StreamKind::Attachment { view.tag("mimetype") } else { None },
    }
}

fn kind(view: &StreamView<'_>) -> StreamKind {
    match view.parameters().codec_type {
        AVMediaType::AVMEDIA_TYPE_VIDEO if !view.is(ffi::AV_DISPOSITION_ATTACHED_PIC) => StreamKind::Video,
        AVMediaType::AVMEDIA_TYPE_AUDIO => StreamKind::Audio,
        AVMediaType::AVMEDIA_TYPE_SUBTITLE => StreamKind::Subtitle,
        _ => StreamKind::Attachment,
    }
}

/// MP4 names tracks in the handler; muxers' stock names say nothing.
fn handler_name(view: &StreamView<'_>) -> Option<String> {
    const STOCK: [&str; 5] = ["handler", "hdlr", "core media", "gpac", "iso media file"];
    view.tag("handler_name").filter(|name| !STOCK.iter().any(|s| name.to_lowercase().contains(s)))
}

/// What mkvmerge measured while it wrote the file.
fn statistics_bit_rate(view: &StreamView<'_>) -> Option<u64> {
    ["BPS", "BPS-eng"].iter().find_map(|key| view.tag(key)?.parse().ok())
}

struct Picture {
    width: u32,
    height: u32,
    frame_rate: Option<f64>,
    bit_depth: Option<u32>,
    hdr: Option<HdrFormat>,
}

fn picture(view: &StreamView<'_>) -> Picture {
    let parameters = view.parameters();
    let (width, height) = displayed(view);
    let rate = view.raw().avg_frame_rate;
    let frame_rate = f64::from(rate.num) / f64::from(rate.den);
    Picture {
        width,
        height,
        frame_rate: (frame_rate.is_finite() && frame_rate > 0.0).then_some((frame_rate * 1000.0).round() / 1000.0),
        bit_depth: bit_depth(parameters),
        hdr: hdr(view),
    }
}

/// Pixels as a viewer sees them: square, and turned upright.
pub fn displayed(view: &StreamView<'_>) -> (u32, u32) {
    let parameters = view.parameters();
    let (across, down) = pixel_aspect(view);
    let scaled = u64::try_from(parameters.width).unwrap_or(0) * u64::from(across) / u64::from(down);
    let width = u32::try_from(scaled).unwrap_or(0);
    let height = u32::try_from(parameters.height).unwrap_or(0);
    if quarter_turns(view).rem_euclid(2) == 1 { (height, width) } else { (width, height) }
}

/// Width to height of one pixel; 1:1 where the file says nothing or nonsense.
pub fn pixel_aspect(view: &StreamView<'_>) -> (u32, u32) {
    let of_container = view.raw().sample_aspect_ratio;
    let chosen = if of_container.num > 0 { of_container } else { view.parameters().sample_aspect_ratio };
    match (u32::try_from(chosen.num), u32::try_from(chosen.den)) {
        (Ok(across), Ok(down)) if across > 0 && down > 0 && across / down < 20 && down / across < 20 => (across, down),
        _ => (1, 1),
    }
}

/// The display matrix of a stream, if it has a whole one.
pub fn display_matrix(view: &StreamView<'_>) -> Option<[i32; 9]> {
    let bytes = view.side_data(AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX)?;
    let mut matrix = [0; 9];
    for (value, bytes) in matrix.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *value = i32::from_ne_bytes(*bytes);
    }
    (bytes.len() >= 36).then_some(matrix)
}

/// Clockwise quarter turns that make the picture upright.
pub fn quarter_turns(view: &StreamView<'_>) -> i32 {
    let Some(matrix) = display_matrix(view) else { return 0 };
    let angle = f64::from(matrix[1]).atan2(f64::from(matrix[0]));
    // Four values are possible; anything between is rounded.
    ((angle / FRAC_PI_2).round() as i32).rem_euclid(4)
}

fn pixel_format(parameters: &ffi::AVCodecParameters) -> Option<&'static ffi::AVPixFmtDescriptor> {
    if parameters.codec_id == AVCodecID::AV_CODEC_ID_NONE || parameters.format < 0 {
        return None;
    }
    // SAFETY: `format` was set by libav to a pixel format it knows; descriptors are static, and unknown ones give null.
    unsafe { ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(parameters.format)).as_ref() }
}

fn bit_depth(parameters: &ffi::AVCodecParameters) -> Option<u32> {
    pixel_format(parameters).and_then(|d| u32::try_from(d.comp[0].depth).ok()).filter(|d| *d > 0)
}

/// Bits a component, and the sampling of colour as `vpcC` counts: 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
pub fn sampling(parameters: &ffi::AVCodecParameters) -> Option<(u8, u8)> {
    let depth = u8::try_from(bit_depth(parameters)?).ok()?;
    let subsampling = match chroma(parameters)?.as_str() {
        "4:2:0" => 1,
        "4:2:2" => 2,
        _ => 3,
    };
    Some((depth, subsampling))
}

fn chroma(parameters: &ffi::AVCodecParameters) -> Option<String> {
    let descriptor = pixel_format(parameters)?;
    let is_rgb = descriptor.flags & u64::from(ffi::AV_PIX_FMT_FLAG_RGB as u32) != 0;
    let sampling = match (descriptor.nb_components, descriptor.log2_chroma_w, descriptor.log2_chroma_h) {
        (..3, ..) => "4:0:0",
        _ if is_rgb => "4:4:4",
        (_, 0, 0) => "4:4:4",
        (_, 1, 0) => "4:2:2",
        (_, 1, 1) => "4:2:0",
        (_, 0, 1) => "4:4:0",
        (_, 2, 0) => "4:1:1",
        _ => "4:1:0",
    };
    Some(sampling.to_owned())
}

/// Read as a number: a parser may have found what the enum does not have.
fn is_interlaced(view: &StreamView<'_>) -> bool {
    let field = &raw const view.parameters().field_order;
    // SAFETY: the enum is a C enum of four bytes.
    let order = unsafe { field.cast::<u32>().read() };
    // Top or bottom field first, coded or shown.
    (2..=5).contains(&order)
}

fn channel_layout(parameters: &ffi::AVCodecParameters) -> Option<String> {
    let mut name = [0_u8; 128];
    // SAFETY: libav writes at most the length it is told, with a zero at the end.
    let answer = unsafe {
        ffi::av_channel_layout_describe(&raw const parameters.ch_layout, name.as_mut_ptr().cast(), name.len())
    };
    let name = std::ffi::CStr::from_bytes_until_nul(&name).ok()?.to_str().ok()?;
    (answer > 0 && !name.is_empty()).then(|| name.to_owned())
}

fn subtitle_format(id: AVCodecID) -> Option<SubtitleFormat> {
    // SAFETY: libav returns a static descriptor or null.
    let properties = unsafe { ffi::avcodec_descriptor_get(id).as_ref() }.map_or(0, |descriptor| descriptor.props);
    match id {
        AVCodecID::AV_CODEC_ID_ASS | AVCodecID::AV_CODEC_ID_SSA => Some(SubtitleFormat::Ass),
        _ if properties & ffi::AV_CODEC_PROP_BITMAP_SUB != 0 => Some(SubtitleFormat::Picture),
        _ if properties & ffi::AV_CODEC_PROP_TEXT_SUB != 0 => Some(SubtitleFormat::Text),
        _ => None,
    }
}

fn hdr(view: &StreamView<'_>) -> Option<HdrFormat> {
    if view.side_data(AVPacketSideDataType::AV_PKT_DATA_DOVI_CONF).is_some() {
        return Some(HdrFormat::DolbyVision);
    }
    match transfer(view) {
        t if t == ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084 as u32 => Some(HdrFormat::Pq),
        t if t == ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67 as u32 => Some(HdrFormat::Hlg),
        _ => None,
    }
}

/// Read as a number: the file chose it, so it may be none of the enum's.
fn transfer(view: &StreamView<'_>) -> u32 {
    let field = &raw const view.parameters().color_trc;
    // SAFETY: the enum is a C enum of four bytes.
    unsafe { field.cast::<u32>().read() }
}

fn chapters(source: &Source) -> Vec<Chapter> {
    // SAFETY: libav keeps `nb_chapters` valid pointers while the context lives.
    let chapters = unsafe {
        let context = &*source.input.as_ptr();
        (0..context.nb_chapters as usize).map(|i| &**context.chapters.add(i)).collect::<Vec<_>>()
    };
    let mut found: Vec<Chapter> = chapters
        .into_iter()
        .filter_map(|chapter| {
            let start = seconds(chapter.start, chapter.time_base)?;
            let end = seconds(chapter.end, chapter.time_base).unwrap_or(start).max(start);
            Some(Chapter { start, end, title: tag(chapter.metadata, "title") })
        })
        .collect();
    found.sort_by(|a, b| a.start.total_cmp(&b.start));
    found
}
