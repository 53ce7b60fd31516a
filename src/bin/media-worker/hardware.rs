//! Devices that decode, filter and encode: opening them, and finding out what they can do by doing it.
//!
//! Quick Sync stands on VAAPI here: pictures are decoded and filtered through VAAPI, and handed to its encoder without a
//! copy. Whatever goes wrong on a device is the device's failure, never the film's.
use std::ffi::CString;
use std::ptr;

use ffmpeg_next::{Dictionary, ffi};
use potluck::media::hardware::{Device, DeviceReport};
use potluck::media::transcode::{PictureFormat, PicturePlan};

use crate::encode::Encoder;
use crate::filter::{self, Colour, Graph};
use crate::handles::{Buffer, Codec, Frame, came};
use crate::overheard;
use crate::source::Trouble;
use crate::vaapi::Display;

/// Pictures of a device's that may be held outside of it at once: the one before, the next one, those in filters.
const HELD_FRAMES: i32 = 8;
/// What a probe encodes.
const PROBE_FRAMES: i64 = 10;
const PROBE_SIZE: (u32, u32) = (640, 360);
/// Codecs that software is said to decode, of those that films have.
const SOFTWARE: [&str; 8] = ["h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "vc1", "mpeg4"];

/// An open device.
pub struct Hardware {
    /// Which one.
    pub device: Device,
    /// Where pictures are decoded and filtered.
    pub vaapi: Buffer,
    /// Where they are encoded, if that is by Quick Sync.
    pub quick_sync: Option<Buffer>,
    /// H.264 is encoded by the small encoder alone.
    pub low_power: bool,
}

impl Hardware {
    /// Opens a device; software is none.
    pub fn open(device: &Device) -> Result<Option<Self>, Trouble> {
        if *device == Device::Software {
            return Ok(None);
        }
        overheard::forget();
        let vaapi = create(device.path()).map_err(blamed)?;
        let quick_sync = match device {
            Device::Qsv(_) => Some(derive(&vaapi).map_err(blamed)?),
            _ => None,
        };
        let low_power = Display::of(&vaapi).only_low_power();
        Ok(Some(Self { device: device.clone(), vaapi, quick_sync, low_power }))
    }

    /// libav's name of its encoder.
    pub fn encoder(&self) -> &'static std::ffi::CStr {
        if self.quick_sync.is_some() { c"h264_qsv" } else { c"h264_vaapi" }
    }

    /// Lets a decoder, not yet open, use the device for what it can decode.
    pub fn lend_to(&self, decoder: &mut Codec) {
        let raw = decoder.raw_mut();
        raw.hw_device_ctx = self.vaapi.another();
        raw.get_format = Some(choose_format);
        raw.extra_hw_frames = HELD_FRAMES;
    }
}

/// The failure of a device, with what was said of it.
pub fn blamed(error: impl Into<Trouble>) -> Trouble {
    let error = match error.into() {
        // That is what libav's codes mean of a file, which has nothing to do with it here.
        Trouble::Damaged(reason) => reason,
        other => other.to_string(),
    };
    let said = overheard::said();
    Trouble::Device(if said.is_empty() { error } else { format!("{said} ({error})") })
}

/// On a device every trouble is the device's.
pub fn blamed_on(hardware: Option<&Hardware>, trouble: Trouble) -> Trouble {
    if hardware.is_some() { blamed(trouble) } else { trouble }
}

/// Chooses the device where the driver takes the stream; libav asks again without it where it does not.
unsafe extern "C" fn choose_format(
    context: *mut ffi::AVCodecContext,
    formats: *const ffi::AVPixelFormat,
) -> ffi::AVPixelFormat {
    // SAFETY: libav passes a list that ends with `NONE`, of which only known values are compared.
    unsafe {
        let mut at = formats;
        while *at != ffi::AVPixelFormat::AV_PIX_FMT_NONE {
            if *at == ffi::AVPixelFormat::AV_PIX_FMT_VAAPI {
                return *at;
            }
            at = at.add(1);
        }
        ffi::avcodec_default_get_format(context, formats)
    }
}

fn create(path: &str) -> Result<Buffer, ffmpeg_next::Error> {
    let path = CString::new(path).map_err(|_| ffmpeg_next::Error::InvalidData)?;
    let mut made = ptr::null_mut();
    // SAFETY: libav sets `made` to a reference that is ours, or leaves it null.
    unsafe {
        let kind = ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI;
        came(ffi::av_hwdevice_ctx_create(&raw mut made, kind, path.as_ptr(), ptr::null_mut(), 0))?;
        Buffer::owned(made).ok_or(ffmpeg_next::Error::Unknown)
    }
}

fn derive(from: &Buffer) -> Result<Buffer, ffmpeg_next::Error> {
    let mut made = ptr::null_mut();
    // SAFETY: as in `create`.
    unsafe {
        let kind = ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_QSV;
        came(ffi::av_hwdevice_ctx_create_derived(&raw mut made, kind, from.as_ptr(), 0))?;
        Buffer::owned(made).ok_or(ffmpeg_next::Error::Unknown)
    }
}

/// What a device can do.
pub fn probe(device: &Device) -> DeviceReport {
    match Hardware::open(device) {
        Ok(Some(hardware)) => probe_open(&hardware),
        Ok(None) => software(),
        Err(trouble) => DeviceReport::unusable(device, no_driver(device, &trouble)),
    }
}

fn software() -> DeviceReport {
    let has = |name: &&str| {
        CString::new(*name).is_ok_and(|name| {
            // SAFETY: the name is a C string.
            unsafe { !ffi::avcodec_find_decoder_by_name(name.as_ptr()).is_null() }
        })
    };
    DeviceReport {
        api: Device::Software.api(),
        path: String::new(),
        name: "libx264".to_owned(),
        decode: SOFTWARE.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect(),
        encode: vec!["h264".to_owned()],
        scale: true,
        tone_map: true,
        problem: None,
    }
}

fn probe_open(hardware: &Hardware) -> DeviceReport {
    let display = Display::of(&hardware.vaapi);
    let (width, height) = PROBE_SIZE;
    let scaled = format!("{},scale_vaapi=w={}:h={}:format=nv12", filter::UPLOAD, width / 2, height / 2);
    let encodes = encoded(hardware, filter::UPLOAD, PROBE_SIZE);
    DeviceReport {
        api: hardware.device.api(),
        path: hardware.device.path().to_owned(),
        name: display.vendor().unwrap_or_default(),
        decode: display.decodes(),
        encode: if encodes.is_ok() { vec!["h264".to_owned()] } else { Vec::new() },
        scale: encoded(hardware, &scaled, (width / 2, height / 2)).is_ok(),
        tone_map: maps_tones(hardware),
        problem: encodes.err().map(|trouble| format!("it encodes no H.264: {trouble}")),
    }
}

/// Encodes some black pictures that pass through a graph.
fn encoded(hardware: &Hardware, words: &str, size: (u32, u32)) -> Result<(), Trouble> {
    overheard::forget();
    let plan = plan(hardware.device.clone(), size);
    let like = Frame::black(PROBE_SIZE.0, PROBE_SIZE.1)?;
    let words = filter::for_encoder(words.to_owned(), hardware);
    let mut graph = Graph::new(&like, plan.timescale, &words, 1, Some(hardware))?;
    let mut encoder = None;
    for n in 0..PROBE_FRAMES {
        let mut frame = Frame::black(PROBE_SIZE.0, PROBE_SIZE.1)?;
        frame.raw_mut().pts = n;
        graph.push(Some(&mut frame)).map_err(blamed)?;
        while let Some(mut frame) = graph.pull(plan.timescale)? {
            let encoder = match &mut encoder {
                Some(encoder) => encoder,
                None => encoder.insert(Encoder::on_device(&plan, 25.0, Colour::BT709, hardware, &frame)?),
            };
            encoder.push(&mut frame)?;
        }
    }
    let encoded = encoder.ok_or(Trouble::NoPicture)?.finish()?;
    let whole = encoded.samples.len() == usize::try_from(PROBE_FRAMES).unwrap_or(0);
    if whole { Ok(()) } else { Err(Trouble::Device("pictures get lost in its encoder".to_owned())) }
}

fn plan(device: Device, (width, height): (u32, u32)) -> PicturePlan {
    let format = PictureFormat {
        width,
        height,
        bit_rate: 1_000_000,
        frame_rate_max: None,
        tone_map: false,
        burn: None,
        level: 30,
    };
    PicturePlan {
        stream: 0,
        sequence: 0,
        base_seconds: 0,
        timescale: 25,
        key: None,
        start: 0,
        end: PROBE_FRAMES,
        last: true,
        format,
        device,
        threads: 1,
    }
}

/// Whether a graph that maps tones can be made; its filter asks the driver then.
fn maps_tones(hardware: &Hardware) -> bool {
    overheard::forget();
    let words = format!("format=p010,hwupload,{}", filter::TONE_MAP_ON_DEVICE);
    let Ok(like) = Frame::black(PROBE_SIZE.0, PROBE_SIZE.1) else { return false };
    Graph::new(&like, 25, &words, 1, Some(hardware)).is_ok()
}

/// Why a device that is there does not open, and what to do.
fn no_driver(device: &Device, trouble: &Trouble) -> String {
    match device {
        Device::Qsv(_) => format!(
            "Quick Sync does not start ({trouble}): install libmfx-gen1.2 for processors since 2021, libmfx1 for older ones"
        ),
        _ => format!(
            "no VAAPI driver works for it ({trouble}): install intel-media-va-driver (Intel since 2014), i965-va-driver (older) or mesa-va-drivers (AMD)"
        ),
    }
}

/// Options of the device's encoder, beyond what the plan says.
pub fn encoder_options(hardware: &Hardware) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    if hardware.quick_sync.is_some() {
        options.set("preset", "veryfast");
        options.set("forced_idr", "1");
        options.set("look_ahead", "0");
    } else {
        options.set("sei", "0");
        options.set("low_power", if hardware.low_power { "1" } else { "0" });
    }
    options
}
