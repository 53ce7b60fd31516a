//! libarchive turns names into the encoding of the thread's locale, and in that of a program that sets none, all but
//! ASCII is lost.
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

const NAME: &CStr = c"C.UTF-8";
/// `LC_CTYPE_MASK`, the same with glibc and musl.
const ENCODING: c_int = 1;

/// `locale_t`.
struct Locale(*mut c_void);

// SAFETY: a locale is never changed after it was made, and is never freed here.
unsafe impl Send for Locale {}
// SAFETY: as above.
unsafe impl Sync for Locale {}

unsafe extern "C" {
    fn newlocale(categories: c_int, name: *const c_char, base: *mut c_void) -> *mut c_void;
    fn uselocale(locale: *mut c_void) -> *mut c_void;
}

/// Does something with names in UTF-8. Where there is no such locale they come out as they can.
pub(super) fn in_utf8<T>(done: impl FnOnce() -> T) -> T {
    static UTF8: OnceLock<Locale> = OnceLock::new();
    // SAFETY: the name ends with a nought, and no base is needed.
    let utf8 = UTF8.get_or_init(|| Locale(unsafe { newlocale(ENCODING, NAME.as_ptr(), std::ptr::null_mut()) }));
    // SAFETY: it lives for ever; a null pointer, where it could not be made, changes nothing.
    let before = unsafe { uselocale(utf8.0) };
    let result = done();
    // SAFETY: it was the thread's own a moment ago.
    unsafe { uselocale(before) };
    result
}
