//! Names in an archive as text. Their encoding is told only by newer archives; of others it is guessed.
use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_1252};
use flate2::Crc;

use super::super::bytes::Fields;
use super::extra_field;

/// Bytes of names by which the encoding is guessed.
const GUESSED_BY: usize = 64 * 1024;
/// The extra field of Info-ZIP that holds the name in UTF-8 (APPNOTE 6.3.10, section 4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// A name as the archive has it.
#[derive(Clone, Copy)]
pub struct RawName<'a> {
    pub bytes: &'a [u8],
    /// The archive says that it is UTF-8 (general purpose bit 11).
    pub utf8: bool,
    /// It was made on Unix, where names are rarely in a DOS code page.
    pub unix: bool,
    /// Extra fields of a zip's entry.
    pub extra: &'a [u8],
}

/// The names as text, in the same order. Those that do not say what they are share one guess: a single short name tells
/// too little.
pub fn decode(names: &[RawName]) -> Vec<String> {
    let known: Vec<Option<&str>> = names.iter().map(told).collect();
    let doubtful = || names.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(name, _)| name);
    let guess = guess(doubtful());
    names.iter().zip(&known).map(|(name, known)| known.map_or_else(|| guess.decode(name), str::to_owned)).collect()
}

/// The name where it is plain what it is.
fn told<'a>(name: &RawName<'a>) -> Option<&'a str> {
    if name.utf8 || name.bytes.is_ascii() {
        return std::str::from_utf8(name.bytes).ok();
    }
    let mut field = Fields(extra_field(name.extra, UNICODE_PATH)?);
    let (version, crc) = (field.u8()?, field.u32_le()?);
    let mut own = Crc::new();
    own.update(name.bytes);
    // A name that was changed later by a tool that does not know the field has another checksum.
    if version == 1 && crc == own.sum() { std::str::from_utf8(field.0).ok() } else { None }
}

enum Guess {
    Encoding(&'static Encoding),
    /// Western: of DOS or of Windows, as each name's maker has it.
    Western,
}

fn guess<'a>(names: impl Iterator<Item = &'a RawName<'a>> + Clone) -> Guess {
    if names.clone().all(|name| std::str::from_utf8(name.bytes).is_ok()) {
        return Guess::Encoding(encoding_rs::UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut room = GUESSED_BY;
    for name in names.clone() {
        room = room.saturating_sub(name.bytes.len());
        if room == 0 {
            break;
        }
        detector.feed(name.bytes, false);
        detector.feed(b"\n", false);
    }
    detector.feed(b"", true);
    // Of few letters the guess is often wrong; what is then tried in turn is what most old archives are in.
    let guessed = detector.guess(None, Utf8Detection::Deny);
    let tried = [guessed, SHIFT_JIS, GBK, BIG5, EUC_KR].into_iter().filter(|encoding| *encoding != WINDOWS_1252);
    tried.into_iter().find(|encoding| is_likely(encoding, names.clone())).map_or(Guess::Western, Guess::Encoding)
}

/// Whether all names can be read so and look like names.
fn is_likely<'a>(encoding: &'static Encoding, names: impl Iterator<Item = &'a RawName<'a>>) -> bool {
    let mut text = String::new();
    for name in names {
        let Some(name) = encoding.decode_without_bom_handling_and_without_replacement(name.bytes) else { return false };
        text.extend([&name, "\n"]);
        if text.len() > GUESSED_BY {
            break;
        }
    }
    !has_odd_letters(&text) && !has_lone_letters(&text)
}

/// Half a katakana, a frame, a letter of nobody, a capital within a word, or two alphabets in one: no names have them.
fn has_odd_letters(text: &str) -> bool {
    let odd = |c: char| match c {
        '\n' => false,
        '\u{2500}'..='\u{259f}' | '\u{e000}'..='\u{f8ff}' | '\u{ff61}'..='\u{ff9f}' => true,
        c => c.is_control(),
    };
    let is_eastern = |c: char| ('\u{370}'..'\u{590}').contains(&c);
    let mixed = |a: char, b: char| is_eastern(a) && b.is_ascii_alphabetic();
    let mut pairs = text.chars().zip(text.chars().skip(1));
    text.chars().any(odd)
        || pairs.any(|(a, b)| mixed(a, b) || mixed(b, a) || (!a.is_ascii() && a.is_lowercase() && b.is_uppercase()))
}

/// Letters of the Far East come together. Where each stands alone and one within a Latin word, two bytes were taken for
/// one letter that are a letter with an accent and the next.
fn has_lone_letters(text: &str) -> bool {
    let is_far = |c: char| c >= '\u{2000}';
    let mut runs = text.split(|c: char| !is_far(c)).filter(|run| !run.is_empty());
    let within = text.chars().zip(text.chars().skip(1)).any(|(a, b)| a.is_ascii_alphabetic() && is_far(b));
    within && runs.all(|run| run.chars().count() == 1)
}

impl Guess {
    fn decode(&self, name: &RawName) -> String {
        let text: Cow<str> = match self {
            Self::Encoding(encoding) => encoding.decode_without_bom_handling(name.bytes).0,
            Self::Western if name.unix => WINDOWS_1252.decode_without_bom_handling(name.bytes).0,
            Self::Western => name.bytes.iter().map(|byte| dos(*byte)).collect(),
        };
        text.into_owned()
    }
}

/// IBM code page 437, which zip names are in unless they say otherwise (APPNOTE 6.3.10, appendix D.1).
fn dos(byte: u8) -> char {
    match byte {
        0..=0x7f => char::from(byte),
        _ => UPPER_HALF.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

const UPPER_HALF: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(bytes: &[u8]) -> RawName<'_> {
        RawName { bytes, utf8: false, unix: false, extra: &[] }
    }

    #[test]
    fn a_name_that_says_that_it_is_utf8_is_taken_at_its_word() {
        let name = RawName { utf8: true, ..raw("Über/ß.jpg".as_bytes()) };
        assert_eq!(decode(&[name]), ["Über/ß.jpg"]);
        let lying = RawName { utf8: true, ..raw(b"\x81ber.jpg") };
        assert!(decode(&[lying])[0].ends_with("er.jpg"));
    }

    #[test]
    fn utf8_without_a_word_is_utf8() {
        assert_eq!(decode(&[raw(b"a.jpg"), raw("第01話/ページ.jpg".as_bytes())]), ["a.jpg", "第01話/ページ.jpg"]);
    }

    #[test]
    fn the_unicode_field_wins_while_its_checksum_holds() {
        let old = b"\x81ber.jpg";
        let mut crc = Crc::new();
        crc.update(old);
        let mut field = vec![0x75, 0x70, 14, 0, 1];
        field.extend(crc.sum().to_le_bytes());
        field.extend("Über.jpg".as_bytes());
        assert_eq!(decode(&[RawName { extra: &field, ..raw(old) }]), ["Über.jpg"]);
        assert_ne!(decode(&[RawName { extra: &field, ..raw(b"\x82ber.jpg") }]), ["Über.jpg"]);
    }

    #[test]
    fn names_of_one_archive_are_guessed_together() {
        let names = ["進撃の巨人/第１話/表紙.jpg", "進撃の巨人/第２話/ページ.jpg"];
        let old: Vec<Vec<u8>> = names.iter().map(|name| encoding_rs::SHIFT_JIS.encode(name).0.into_owned()).collect();
        let raw: Vec<RawName> = old.iter().map(|bytes| raw(bytes)).collect();
        assert_eq!(decode(&raw), names);
    }

    #[test]
    fn western_names_are_of_dos_or_of_windows() {
        assert_eq!(dos(0x80), 'Ç');
        assert_eq!(dos(0xff), '\u{a0}');
        assert_eq!(UPPER_HALF.chars().count(), 128);
        let unix = RawName { unix: true, ..raw(b"Ast\xe9rix chez les Bretons.jpg") };
        assert_eq!(decode(&[unix]), ["Astérix chez les Bretons.jpg"]);
    }

    #[test]
    fn a_few_letters_are_enough_in_the_usual_encodings() {
        let names = [
            ("第01话/封面.jpg", GBK),
            ("第1話/表紙.jpg", SHIFT_JIS),
            ("제1화/표지.jpg", EUC_KR),
            ("Глава 1/01.jpg", encoding_rs::IBM866),
            ("Глава 1/01.jpg", encoding_rs::WINDOWS_1251),
        ];
        for (name, encoding) in names {
            assert_eq!(decode(&[raw(&encoding.encode(name).0)]), [name]);
        }
        for name in [
            "Astérix - page 01.jpg",
            "Überraschung für Fritz/001.jpg",
            "Capítulo 1/1.jpg",
            "El Niño y la canción.jpg",
            "été.jpg",
        ] {
            let old: Vec<u8> = name.chars().map(|c| (0..=255).find(|byte| dos(*byte) == c).unwrap()).collect();
            assert_eq!(decode(&[raw(&old)]), [name]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_name(names in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..20), 0..8)) {
            let raw: Vec<RawName> = names.iter().map(|bytes| raw(bytes)).collect();
            assert_eq!(decode(&raw).len(), names.len());
        }
    }
}
