//! Text that a PDF says of itself (ISO 32000-2, section 7.9.2.2).
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Characters of a field at most.
const LENGTH_MAX: usize = 500;

/// The text, trimmed; `None` where there is none. What claims no encoding is UTF-8 if it can be, else close to
/// Windows-1252.
pub(super) fn read(bytes: &[u8]) -> Option<String> {
    let encoding = match bytes {
        [0xfe, 0xff, ..] => UTF_16BE,
        // Against the rules, but written.
        [0xff, 0xfe, ..] => UTF_16LE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    };
    let (text, _, _) = encoding.decode(bytes);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let text: String = words.join(" ").chars().take(LENGTH_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// Whether a person may have written it. Programs put in the name of the file that they made the PDF of.
pub(super) fn is_title(text: &str) -> bool {
    let lower = text.to_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    let of_a_file = ["doc", "docx", "indd", "odt", "pdf", "qxd", "tex", "dvi", "jpg", "rtf", "txt", "html"];
    let stopgap = ["untitled", "title", "unknown"].contains(&lower.as_str()) || lower.starts_with("microsoft word - ");
    !stopgap && !of_a_file.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_that_there_are() {
        assert_eq!(read(b"\xfe\xff\0A\0 \x30\x42").as_deref(), Some("A あ"));
        assert_eq!(read("é".as_bytes()).as_deref(), Some("é"));
        assert_eq!(read(b" \xe9\n\0x").as_deref(), Some("é x"));
        assert_eq!(read(b"\xfe\xff\0 "), None);
    }

    #[test]
    fn the_name_of_a_file_is_no_title() {
        for title in ["Microsoft Word - a", "final_v2.indd", "Untitled"] {
            assert!(!is_title(title), "{title}");
        }
        assert!(is_title("Vol. 2") && is_title("Dr. No"));
    }
}
