//! From frame to frame through the body of a tag.
use std::borrow::Cow;

use super::strings::{resynchronised, synchsafe};

const UNSYNCHRONISED: u8 = 0x80;
const EXTENDED: u8 = 0x40;

/// Calls `each` with the name and the content of every frame that can be read; stops at padding, or where no frame is.
pub(super) fn frames(version: u8, flags: u8, body: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
    let unsynchronised = flags & UNSYNCHRONISED != 0;
    let body = if unsynchronised && version < 4 { Cow::Owned(resynchronised(body)) } else { Cow::Borrowed(body) };
    let mut rest = behind_extended_header(version, flags, &body);
    while let Some((frame, after)) = Frame::take(version, rest) {
        if let Some(content) = frame.content(version, unsynchronised) {
            each(frame.id, &content);
        }
        rest = after;
    }
}

/// Version 2 has none; 3 does not count the four bytes of the length, 4 does (sections 3.2).
fn behind_extended_header(version: u8, flags: u8, body: &[u8]) -> &[u8] {
    let Some((size, _)) = body.split_first_chunk::<4>().filter(|_| flags & EXTENDED != 0 && version > 2) else {
        return body;
    };
    let taken =
        if version == 4 { synchsafe(*size).map(u64::from) } else { Some(u64::from(u32::from_be_bytes(*size)) + 4) };
    let taken = taken.and_then(|taken| usize::try_from(taken).ok());
    taken.and_then(|taken| body.get(taken..)).unwrap_or_default()
}

struct Frame<'a> {
    id: &'a [u8],
    flags: u16,
    content: &'a [u8],
}

impl<'a> Frame<'a> {
    fn take(version: u8, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (id, bytes) = bytes.split_at_checked(if version == 2 { 3 } else { 4 })?;
        if !is_id(id) {
            return None;
        }
        let (size, flags, bytes) = if version == 2 {
            let ([a, b, c], rest) = bytes.split_first_chunk::<3>()?;
            (u32::from_be_bytes([0, *a, *b, *c]), 0, rest)
        } else {
            let (size, rest) = bytes.split_first_chunk::<4>()?;
            let (flags, rest) = rest.split_first_chunk::<2>()?;
            (size_of(version, *size, rest), u16::from_be_bytes(*flags), rest)
        };
        // A frame that is cut off gives what there is of it.
        let (content, rest) = bytes.split_at(bytes.len().min(usize::try_from(size).ok()?));
        Some((Self { id, flags, content }, rest))
    }

    /// Without what flags put around it; `None` for one that is compressed, encrypted or empty.
    fn content(&self, version: u8, unsynchronised: bool) -> Option<Cow<'a, [u8]>> {
        let (packed, grouped, own, length) = match version {
            3 => (0x00c0, 0x0020, 0, 0),
            4 => (0x000c, 0x0040, 0x0002, 0x0001),
            _ => (0, 0, 0, 0),
        };
        if self.flags & packed != 0 {
            return None;
        }
        let before = usize::from(self.flags & grouped != 0) + if self.flags & length != 0 { 4 } else { 0 };
        let content = self.content.get(before..).filter(|content| !content.is_empty())?;
        let resynchronise = version == 4 && (unsynchronised || self.flags & own != 0);
        Some(if resynchronise { Cow::Owned(resynchronised(content)) } else { Cow::Borrowed(content) })
    }
}

fn is_id(id: &[u8]) -> bool {
    id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && !id[0].is_ascii_digit()
}

/// Old iTunes wrote plain numbers in version 4: taken as such where only then a frame, or nothing but zeros, follows.
fn size_of(version: u8, bytes: [u8; 4], rest: &[u8]) -> u32 {
    let plain = u32::from_be_bytes(bytes);
    let Some(safe) = synchsafe(bytes).filter(|_| version == 4) else { return plain };
    let fits = |size: u32| {
        let after = usize::try_from(size).ok().and_then(|size| rest.get(size..));
        after.is_some_and(|after| after.is_empty() || after[0] == 0 || after.get(..4).is_some_and(is_id))
    };
    if safe != plain && !fits(safe) && fits(plain) { plain } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(version: u8, flags: u8, body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        frames(version, flags, body, |id, content| {
            found.push((String::from_utf8_lossy(id).into_owned(), content.to_vec()))
        });
        found
    }

    #[test]
    fn frames_of_each_version_are_found_up_to_the_padding() {
        assert_eq!(
            walked(2, 0, b"TT2\0\0\x02\0aTP1\0\0\x02\0b\0\0\0\0\0\0"),
            [("TT2".into(), b"\0a".to_vec()), ("TP1".into(), b"\0b".to_vec())]
        );
        assert_eq!(
            walked(3, 0, b"TIT2\0\0\0\x02\0\0\0aTIT2\0\0\0\x02\0\0\0b"),
            [("TIT2".into(), b"\0a".to_vec()), ("TIT2".into(), b"\0b".to_vec())]
        );
        assert_eq!(walked(3, 0x40, b"\0\0\0\x06123456TIT2\0\0\0\x01\0\0a"), [("TIT2".into(), b"a".to_vec())]);
        assert_eq!(walked(4, 0x40, b"\0\0\0\x0612TIT2\0\0\0\x01\0\0a"), [("TIT2".into(), b"a".to_vec())]);
    }

    #[test]
    fn a_cut_frame_gives_what_is_left_and_a_packed_one_nothing() {
        assert_eq!(walked(4, 0, b"TIT2\0\0\0\x50\0\0\x03abc"), [("TIT2".into(), b"\x03abc".to_vec())]);
        assert_eq!(walked(4, 0, b"TIT2\0\0\0\x02\0\x08xxTPE1\0\0\0\x01\0\0a"), [("TPE1".into(), b"a".to_vec())]);
        assert_eq!(walked(4, 0, b"TIT2\0\0\0\x05\0\x01\0\0\0\x01a"), [("TIT2".into(), b"a".to_vec())]);
    }

    #[test]
    fn plain_lengths_in_version_4_are_understood() {
        let long = [&b"TIT2\0\0\x01\x05\0\0"[..], &[b'x'; 261], b"TPE1\0\0\0\x01\0\0a"].concat();
        let found = walked(4, 0, &long);
        assert_eq!((found.len(), found[0].1.len(), found[1].1.as_slice()), (2, 261, &b"a"[..]));
    }
}
