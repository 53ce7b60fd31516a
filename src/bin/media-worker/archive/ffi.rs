//! libarchive's functions that are used, as `archive.h` and `archive_entry.h` of version 3 declare them. Our own
//! declarations rather than a crate: those that there are open files by name, or try every format there is.
use std::ffi::{c_char, c_int, c_uint, c_void};

/// `struct archive`.
#[repr(C)]
pub(super) struct Archive {
    _private: [u8; 0],
}

/// `struct archive_entry`.
#[repr(C)]
pub(super) struct Entry {
    _private: [u8; 0],
}

/// There is nothing more.
pub(super) const EOF: c_int = 1;
/// Done.
pub(super) const OK: c_int = 0;
/// It did not work, but may when it is tried again.
pub(super) const RETRY: c_int = -10;
/// It worked in part.
pub(super) const WARN: c_int = -20;
/// Nothing will work any more.
pub(super) const FATAL: c_int = -30;
/// `AE_IFREG` of `archive_entry_filetype`.
pub(super) const REGULAR: c_uint = 0o100_000;

type Read = unsafe extern "C" fn(*mut Archive, *mut c_void, *mut *const c_void) -> isize;
type Skip = unsafe extern "C" fn(*mut Archive, *mut c_void, i64) -> i64;
type Seek = unsafe extern "C" fn(*mut Archive, *mut c_void, i64, c_int) -> i64;

#[link(name = "archive")]
unsafe extern "C" {
    pub(super) fn archive_read_new() -> *mut Archive;
    pub(super) fn archive_read_free(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_format_rar(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_format_rar5(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_format_7zip(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_format_zip_seekable(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_set_callback_data(archive: *mut Archive, feed: *mut c_void) -> c_int;
    pub(super) fn archive_read_set_read_callback(archive: *mut Archive, read: Read) -> c_int;
    pub(super) fn archive_read_set_skip_callback(archive: *mut Archive, skip: Skip) -> c_int;
    pub(super) fn archive_read_set_seek_callback(archive: *mut Archive, seek: Seek) -> c_int;
    pub(super) fn archive_read_open1(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_next_header(archive: *mut Archive, entry: *mut *mut Entry) -> c_int;
    pub(super) fn archive_read_data(archive: *mut Archive, into: *mut c_void, size: usize) -> isize;
    pub(super) fn archive_read_has_encrypted_entries(archive: *mut Archive) -> c_int;
    pub(super) fn archive_error_string(archive: *mut Archive) -> *const c_char;
    pub(super) fn archive_entry_pathname_utf8(entry: *mut Entry) -> *const c_char;
    pub(super) fn archive_entry_pathname(entry: *mut Entry) -> *const c_char;
    pub(super) fn archive_entry_filetype(entry: *mut Entry) -> c_uint;
    pub(super) fn archive_entry_size_is_set(entry: *mut Entry) -> c_int;
    pub(super) fn archive_entry_size(entry: *mut Entry) -> i64;
    pub(super) fn archive_entry_is_encrypted(entry: *mut Entry) -> c_int;
}
