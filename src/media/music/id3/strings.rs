//! Numbers and texts as ID3v2 writes them.

/// 28 bits in four bytes of seven (ID3v2.4, section 6.2); `None` where a top bit is set.
pub(super) fn synchsafe(bytes: [u8; 4]) -> Option<u32> {
    if bytes.iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    Some(bytes.iter().fold(0, |number, byte| number << 7 | u32::from(*byte)))
}

/// Takes out each zero that was put behind a 0xff (ID3v2.4, section 6.1).
pub(super) fn resynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for byte in bytes {
        if !(last == 0xff && *byte == 0) {
            plain.push(*byte);
        }
        last = *byte;
    }
    plain
}

/// How a text is coded; UTF-16 has learned its order from a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Latin1,
    Utf16Le,
    Utf16Be,
    Utf8,
}

/// A text field under one encoding, from which strings are taken.
pub(super) struct Texts<'a> {
    encoding: Encoding,
    rest: &'a [u8],
}

impl<'a> Texts<'a> {
    /// `code` as in a frame's first byte.
    pub fn new(code: u8, rest: &'a [u8]) -> Option<Self> {
        let encoding = match code {
            0 => Encoding::Latin1,
            1 => Encoding::Utf16Le,
            2 => Encoding::Utf16Be,
            3 => Encoding::Utf8,
            _ => return None,
        };
        Some(Self { encoding, rest })
    }

    /// From a field that begins with the code of its encoding.
    pub fn with_code(field: &'a [u8]) -> Option<Self> {
        let (code, rest) = field.split_first()?;
        Self::new(*code, rest)
    }

    /// The next string up to its zero, or to the end.
    pub fn next(&mut self) -> String {
        let wide = matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be);
        let end = if wide {
            self.rest.chunks_exact(2).position(|pair| pair == [0, 0]).map(|at| at * 2)
        } else {
            self.rest.iter().position(|byte| *byte == 0)
        };
        let (text, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[(end + if wide { 2 } else { 1 })..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.decoded(text)
    }

    /// All strings that are left, with zeros between them.
    pub fn all(mut self) -> String {
        let mut all = self.next();
        while !self.rest.is_empty() {
            all.push('\0');
            all.push_str(&self.next());
        }
        all
    }

    /// What is left, undecoded.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes on behind something that is no text.
    pub fn skip(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (skipped, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(skipped)
    }

    /// A mark sets the order for this and the following strings: some writers mark the first only.
    fn decoded(&mut self, mut bytes: &[u8]) -> String {
        if matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
                (self.encoding, bytes) = (Encoding::Utf16Le, rest);
            } else if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
                (self.encoding, bytes) = (Encoding::Utf16Be, rest);
            }
        }
        decode(self.encoding, bytes)
    }
}

/// Latin-1 that is UTF-8 with more than ASCII in it was most likely meant as such.
fn decode(encoding: Encoding, bytes: &[u8]) -> String {
    let wide = |number: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| number(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match encoding {
        Encoding::Utf16Le => wide(u16::from_le_bytes),
        Encoding::Utf16Be => wide(u16::from_be_bytes),
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Latin1 => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_read_with_its_zeros() {
        assert_eq!(Texts::with_code(b"\0caf\xe9\0b").unwrap().all(), "café\0b");
        assert_eq!(Texts::with_code(b"\x03caf\xc3\xa9\0").unwrap().all(), "café");
        assert_eq!(Texts::with_code(b"\x01\xff\xfea\0\0\0\xfe\xff\0b").unwrap().all(), "a\0b");
        assert_eq!(Texts::with_code(b"\x02\0a\x01\x02").unwrap().all(), "aĂ");
        assert_eq!(Texts::with_code(b"\x00caf\xc3\xa9").unwrap().all(), "café");
        assert!(Texts::with_code(b"\x09a").is_none() && Texts::with_code(b"").is_none());
    }

    #[test]
    fn the_order_of_the_first_string_holds_for_the_next() {
        let mut texts = Texts::with_code(b"\x01\xfe\xff\0a\0\0\0b").unwrap();
        assert_eq!((texts.next(), texts.next()), ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn zeros_behind_ff_are_taken_out() {
        assert_eq!(resynchronised(&[0xff, 0, 0xe0, 0xff, 0, 0, 1]), [0xff, 0xe0, 0xff, 0, 1]);
        assert_eq!((synchsafe([0, 0, 2, 1]), synchsafe([0, 0, 0x80, 0])), (Some(257), None));
    }
}
