//! The name that KOReader has for a file: an MD5 of a few samples of it (`partialMD5` in its `util.lua`, read in 2026).
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use md5::{Digest, Md5};

/// Bytes of a sample.
const SAMPLE: usize = 1024;
/// Samples lie at 0 and at 1024·4ⁿ, n from 0 to this.
const LAST: u32 = 10;

/// In lower-case hexadecimal. Samples end at the end of the file: only bytes that are there count.
///
/// # Errors
/// What the disk says.
pub fn partial_md5(file: &File) -> io::Result<String> {
    partial_md5_of(|sample, offset| read_up_to(file, sample, offset))
}

/// The same of what `read` gives: bytes from an offset on, fewer than asked only at the end.
///
/// # Errors
/// What `read` says.
pub fn partial_md5_of(read: impl Fn(&mut [u8], u64) -> io::Result<usize>) -> io::Result<String> {
    let mut hash = Md5::new();
    let mut sample = [0; SAMPLE];
    let offsets = std::iter::once(0).chain((0..=LAST).map(|n| SAMPLE as u64 * 4u64.pow(n)));
    for offset in offsets {
        let len = read(&mut sample, offset)?;
        if len == 0 {
            break;
        }
        hash.update(&sample[..len]);
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// As many bytes as there are from an offset on.
fn read_up_to(file: &File, sample: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < sample.len() {
        match file.read_at(&mut sample[read..], offset + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::super::samples::file_of;
    use super::*;

    #[test]
    fn a_short_file_is_hashed_as_far_as_it_goes() {
        assert_eq!(partial_md5(&file_of(b"")).unwrap(), "d41d8cd98f00b204e9800998ecf8427e", "of nothing");
        assert_eq!(partial_md5(&file_of(b"abc")).unwrap(), "900150983cd24fb0d6963f7d28e17f72", "RFC 1321, A.5");
    }

    #[test]
    fn only_samples_count_and_the_last_is_cut_off_at_the_end() {
        let mut bytes = vec![7; 5000];
        let hash = |bytes: &[u8]| partial_md5(&file_of(bytes)).unwrap();
        let before = hash(&bytes);
        bytes[2500] = 8;
        assert_eq!(hash(&bytes), before, "between samples");
        bytes[4999] = 8;
        assert_ne!(hash(&bytes), before, "in the sample at 4096, which the file's end cuts off");
        let mut sampled = Md5::new();
        sampled.update(&bytes[..2048]);
        sampled.update(&bytes[4096..]);
        assert_eq!(hash(&bytes), data_encoding::HEXLOWER.encode(&sampled.finalize()));
    }
}
