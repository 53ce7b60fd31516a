//! What kind of file it is: by its name, and where that says nothing by its first bytes.
//!
//! Source of the signatures: the WHATWG "MIME Sniffing" standard, and the formats' own specifications.

/// Bytes that are looked at.
pub(super) const HEAD: usize = 512;

/// First bytes of formats that are told by them, with where they are.
const SIGNATURES: [(usize, &[u8], &str); 22] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"OggS", "application/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"wOF2", "font/woff2"),
    (0, b"\0asm", "application/wasm"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
];

/// The type that a name says, with its charset where it is text.
pub(super) fn by_name(name: &str) -> Option<String> {
    mime_guess::from_path(name).first_raw().map(with_charset)
}

fn with_charset(kind: &str) -> String {
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

/// The type that the first bytes of a file say.
pub(super) fn by_bytes(head: &[u8]) -> &'static str {
    let begins = |(at, bytes, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    if let Some((.., kind)) = SIGNATURES.iter().find(begins) {
        let webm = *kind == "video/x-matroska" && head.windows(4).any(|four| four == b"webm");
        return if webm { "video/webm" } else { kind };
    }
    match text(head) {
        Some(text) => of_text(text),
        None => "application/octet-stream",
    }
}

/// The bytes as text, cut where a letter is cut.
fn text(head: &[u8]) -> Option<&str> {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    let binary = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    (!valid.contains(binary)).then_some(valid)
}

fn of_text(text: &str) -> &'static str {
    let begin = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let is = |tag: &str| begin.strip_prefix(tag).is_some_and(|rest| rest.starts_with([' ', '>', '\n', '\t', '/']));
    match () {
        () if begin.starts_with("<!doctype html") || is("<html") || is("<head") || is("<body") || is("<script") => {
            "text/html; charset=utf-8"
        }
        () if is("<svg") || begin.starts_with("<?xml") && begin.contains("<svg") => "image/svg+xml",
        () if begin.starts_with("<?xml") => "text/xml; charset=utf-8",
        () if is_json(&begin) => "application/json",
        () => "text/plain; charset=utf-8",
    }
}

/// Whether it is, or begins as, an object or list of JSON.
fn is_json(text: &str) -> bool {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return text.starts_with(['{', '[']);
    }
    let cut = text.len() + 4 > HEAD;
    let inner = text.strip_prefix(['{', '[']).map(str::trim_start);
    cut && inner.is_some_and(|inner| inner.starts_with(['"', '{', '[', '-']) || inner.starts_with(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_file_is() {
        let long = format!("{{\"name\": \"{}\"", "soup ".repeat(200));
        let heads: [(&[u8], &str); 16] = [
            (b"", "text/plain; charset=utf-8"),
            (b"soup for everyone\n", "text/plain; charset=utf-8"),
            ("crème brûlée".as_bytes(), "text/plain; charset=utf-8"),
            (&"é".as_bytes()[..1], "text/plain; charset=utf-8"),
            (b"\x89PNG\r\n\x1a\n...", "image/png"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"\x1a\x45\xdf\xa3..B\x82\x84webm", "video/webm"),
            (b"RIFF....WEBPVP8 ", "image/webp"),
            (b"<!DOCTYPE html><p>", "text/html; charset=utf-8"),
            (b"<html lang=en>", "text/html; charset=utf-8"),
            (b"<?xml version='1.0'?><svg xmlns='x'>", "image/svg+xml"),
            (b"{\"a\": 1}", "application/json"),
            (&long.as_bytes()[..HEAD], "application/json"),
            (b"{ not json }", "text/plain; charset=utf-8"),
            (b"\0\x01\x02", "application/octet-stream"),
            (b"\xff\xfe\xfd\xfc", "application/octet-stream"),
        ];
        for (head, kind) in heads {
            assert_eq!(by_bytes(head), kind, "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(by_name("Soup.TXT").as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!((by_name("film.mkv").as_deref(), by_name("soup")), (Some("video/x-matroska"), None));
    }
}
