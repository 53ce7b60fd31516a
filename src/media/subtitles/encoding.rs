//! Bytes of a text file as text: by its mark, as UTF-8 where it is that, else by what it looks like.
use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes at which the encoding is guessed.
const GUESSED_BY: usize = 64 * 1024;

/// The text, with one kind of line end. What cannot be read becomes a replacement character.
pub fn text(bytes: &[u8]) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((marked, _)) => marked,
        None if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) => UTF_8,
        None => unmarked_utf16(bytes).unwrap_or_else(|| guessed(bytes)),
    };
    let (text, _, _) = encoding.decode(bytes);
    with_plain_lines(text)
}

fn with_plain_lines(text: Cow<'_, str>) -> String {
    let text = if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { text };
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() }
}

/// Text of mostly western letters has a zero in every other byte.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(GUESSED_BY)];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    match (even, odd) {
        (_, odd) if odd > half / 2 && even < half / 8 => Some(UTF_16LE),
        (even, _) if even > half / 2 && odd < half / 8 => Some(UTF_16BE),
        _ => None,
    }
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(GUESSED_BY)], bytes.len() <= GUESSED_BY);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encoding_it_was_written_in() {
        let line = "Das Mädchen läuft über die Straße, weil es schön ist.";
        assert_eq!(text(line.as_bytes()), line);
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(line);
        assert_eq!(text(&latin), line);
        let wide: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&wide), line);
        let marked: Vec<u8> = [0xfe, 0xff].into_iter().chain(line.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(text(&marked), line);
        let russian = "Привет, как дела? Хорошо, спасибо, а у тебя?";
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
        assert_eq!(text(&cyrillic), russian);
    }

    #[test]
    fn lines_end_in_one_way() {
        assert_eq!(text(b"a\r\nb\rc\nd"), "a\nb\nc\nd");
    }
}
