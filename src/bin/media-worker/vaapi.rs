//! What a VAAPI driver says of itself, asked of libva: libav uses it, but does not pass its answers on.
//!
//! The functions are looked up among those that libavutil has loaded already, so that nothing here links libva.
use std::ffi::{CStr, c_char, c_int, c_void};

use ffmpeg_next::ffi;

use crate::handles::Buffer;
use crate::stream::text;

/// `VAEntrypoint` numbers.
const DECODE: c_int = 1;
const ENCODE: c_int = 6;
const ENCODE_LOW_POWER: c_int = 8;
/// `VAProfile` numbers of H.264 for high profile, and of what any codec of a name needs.
const H264_HIGH: c_int = 7;
const CODECS: [(&str, c_int); 9] = [
    ("h264", H264_HIGH),
    ("hevc", 17),
    ("hevc 10-bit", 18),
    ("vp8", 14),
    ("vp9", 19),
    ("vp9 10-bit", 21),
    ("av1", 32),
    ("mpeg2video", 1),
    ("vc1", 10),
];
/// Numbers in a list that no driver exceeds.
const LIST_MAX: usize = 256;

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// An open display.
pub struct Display(*mut c_void);

impl Display {
    /// The display of a VAAPI device. It is used while the device lives only.
    pub fn of(device: &Buffer) -> Self {
        // SAFETY: a VAAPI device's buffer holds its context, whose `hwctx` is of that type.
        unsafe {
            let context = (*device.as_ptr()).data.cast::<ffi::AVHWDeviceContext>();
            Self((*(*context).hwctx.cast::<ffi::AVVAAPIDeviceContext>()).display)
        }
    }

    /// The driver's name for itself.
    pub fn vendor(&self) -> Option<String> {
        type Query = unsafe extern "C" fn(*mut c_void) -> *const c_char;
        let query = function::<Query>(c"vaQueryVendorString")?;
        // SAFETY: the signature is libva's; it returns a C string that lives with the display.
        unsafe { text(query(self.0)) }
    }

    /// Codecs that it decodes.
    pub fn decodes(&self) -> Vec<String> {
        let profiles = self.profiles();
        let can = |profile: c_int| profiles.contains(&profile) && self.entrypoints(profile).contains(&DECODE);
        CODECS.iter().filter(|(_, profile)| can(*profile)).map(|(name, _)| (*name).to_owned()).collect()
    }

    /// Whether H.264 is encoded by the small encoder alone, which must be asked for.
    pub fn only_low_power(&self) -> bool {
        let entrypoints = self.entrypoints(H264_HIGH);
        entrypoints.contains(&ENCODE_LOW_POWER) && !entrypoints.contains(&ENCODE)
    }

    fn profiles(&self) -> Vec<c_int> {
        type Query = unsafe extern "C" fn(*mut c_void, *mut c_int, *mut c_int) -> c_int;
        let (Some(most), Some(query)) = (self.most(c"vaMaxNumProfiles"), function::<Query>(c"vaQueryConfigProfiles"))
        else {
            return Vec::new();
        };
        // SAFETY: the signature is libva's; it writes at most as many numbers as it says.
        listed(most, |list, count| unsafe { query(self.0, list, count) })
    }

    fn entrypoints(&self, profile: c_int) -> Vec<c_int> {
        type Query = unsafe extern "C" fn(*mut c_void, c_int, *mut c_int, *mut c_int) -> c_int;
        let most = self.most(c"vaMaxNumEntrypoints");
        let (Some(most), Some(query)) = (most, function::<Query>(c"vaQueryConfigEntrypoints")) else {
            return Vec::new();
        };
        // SAFETY: as in `profiles`.
        listed(most, |list, count| unsafe { query(self.0, profile, list, count) })
    }

    fn most(&self, name: &CStr) -> Option<usize> {
        type Query = unsafe extern "C" fn(*mut c_void) -> c_int;
        // SAFETY: the signature is libva's.
        let most = unsafe { function::<Query>(name)?(self.0) };
        usize::try_from(most).ok().filter(|most| *most <= LIST_MAX)
    }
}

fn listed(most: usize, query: impl FnOnce(*mut c_int, *mut c_int) -> c_int) -> Vec<c_int> {
    let (mut list, mut count) = (vec![0; most], 0);
    let status = query(list.as_mut_ptr(), &raw mut count);
    list.truncate(if status == 0 { usize::try_from(count).unwrap_or(0) } else { 0 });
    list
}

/// A function of a library that is loaded, if there is one of this name.
fn function<F: Copy>(name: &CStr) -> Option<F> {
    // SAFETY: the name is a C string; a null handle means every library that is loaded.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    // SAFETY: callers ask for a function pointer type that fits the name; a null pointer is none.
    (!found.is_null()).then(|| unsafe { std::mem::transmute_copy::<*mut c_void, F>(&found) })
}
