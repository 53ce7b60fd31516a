//! What libav and the drivers say of errors, kept for the sentence that goes to people: the codes that calls return say
//! "generic error" where the log says what to do.
use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, PoisonError};

use ffmpeg_next::ffi;

/// Lines that are kept, and bytes of one.
const LINES_MAX: usize = 3;
const LINE_SIZE: usize = 300;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Listens from now on, in place of writing to the standard error, which is nowhere.
pub fn listen() {
    // SAFETY: the callback lives as long as the program.
    unsafe { ffi::av_log_set_callback(Some(hear)) }
}

/// Forgets what was said so far.
pub fn forget() {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// What was said since, in one line; empty where nothing was.
pub fn said() -> String {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
}

unsafe extern "C" fn hear(
    context: *mut c_void,
    level: c_int,
    format: *const c_char,
    arguments: *mut ffi::__va_list_tag,
) {
    if level > ffi::AV_LOG_ERROR {
        return;
    }
    let (mut line, mut prefix) = ([0; LINE_SIZE], 1);
    let size = c_int::try_from(LINE_SIZE).unwrap_or(0);
    // SAFETY: libav calls with a format and its arguments, and writes a C string of at most that many bytes.
    let text = unsafe {
        ffi::av_log_format_line2(context, level, format, arguments, line.as_mut_ptr(), size, &raw mut prefix);
        CStr::from_ptr(line.as_ptr()).to_string_lossy()
    };
    // `[h264_vaapi @ 0x55d0] Failed ...`: the address helps nobody.
    let text = text.rsplit_once("] ").map_or(&*text, |(_, rest)| rest).trim();
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if !text.is_empty() && lines.back().is_none_or(|last| last != text) {
        if lines.len() >= LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(text.to_owned());
    }
}
