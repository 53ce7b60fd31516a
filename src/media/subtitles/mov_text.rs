//! MP4 timed text (3GPP TS 26.245, 5.16 and 5.17): a length, the text, and boxes of which the one for styles is read.
use super::markup::Builder;

/// Styles of a sample that are looked at.
const STYLES_MAX: usize = 200;
/// Bytes of one style: first and last character, font, face, size, colour.
const STYLE_SIZE: usize = 12;

/// A stretch of characters and how they are drawn: 1 bold, 2 italic, 4 underlined.
struct Style {
    first: usize,
    end: usize,
    face: u8,
}

/// The cue text of a sample; `None` where it holds none, which ends what was shown before.
#[must_use]
pub fn from_sample(sample: &[u8]) -> Option<String> {
    let (length, rest) = sample.split_first_chunk::<2>()?;
    let (text, boxes) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let text = decoded(text);
    let styles = styles(boxes);
    let mut builder = Builder::default();
    for (n, character) in text.chars().enumerate() {
        for (bit, kind) in [(1, 'b'), (2, 'i'), (4, 'u')] {
            let on = styles.iter().any(|style| (style.first..style.end).contains(&n) && style.face & bit != 0);
            builder.mark(kind, on);
        }
        builder.push(if character == '\r' { '\n' } else { character });
    }
    let text = builder.finish();
    (!text.is_empty()).then_some(text)
}

fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, wide @ ..] => {
            let units: Vec<u16> = wide.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16_lossy(&units)
        }
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn styles(mut boxes: &[u8]) -> Vec<Style> {
    while let Some((head, _)) = boxes.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let size = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(body) = boxes.get(8..size) else { break };
        if kind == *b"styl" {
            let entries = body.get(2..).unwrap_or_default().chunks_exact(STYLE_SIZE).take(STYLES_MAX);
            return entries.filter_map(style).collect();
        }
        boxes = &boxes[size..];
    }
    Vec::new()
}

fn style(entry: &[u8]) -> Option<Style> {
    let [a, b, c, d, _, _, face, ..] = *entry else { return None };
    Some(Style { first: u16::from_be_bytes([a, b]).into(), end: u16::from_be_bytes([c, d]).into(), face })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_and_styles_are_read() {
        let mut sample = vec![0, 5];
        sample.extend_from_slice(b"Hi ho");
        sample.extend_from_slice(&[0, 0, 0, 22]);
        sample.extend_from_slice(b"styl\0\x01\0\x03\0\x05\0\x01\x02\x12\xff\xff\xff\xff");
        assert_eq!(from_sample(&sample).as_deref(), Some("Hi <i>ho</i>"));
        assert_eq!(from_sample(&[0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_through(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = from_sample(&bytes);
        }
    }
}
