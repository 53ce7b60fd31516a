//! What single frames say.
use super::super::bag::{Bag, Key};
use super::super::genres;
use super::super::lyrics::Line;
use super::super::pictures::Embedded;
use super::super::text;
use super::super::{Limits, tags::GENRES};
use super::strings::Texts;

/// Puts what a frame says into the bag, or its picture to the pictures.
pub(super) fn read(
    version: u8,
    id: &[u8],
    content: &[u8],
    bag: &mut Bag,
    pictures: &mut Vec<Embedded>,
    limits: &Limits,
) {
    // What cannot be made sense of says nothing.
    let _said: Option<()> = match id {
        b"TXXX" | b"TXX" => named(content, bag),
        b"TCON" | b"TCO" => genre(content, bag),
        b"TIPL" | b"TMCL" | b"IPLS" | b"IPL" => people(content, bag),
        b"COMM" | b"COM" => comment(content, bag),
        b"USLT" | b"ULT" => plain_lyrics(content, bag),
        b"SYLT" | b"SLT" => synced_lyrics(content, bag, limits),
        b"UFID" | b"UFI" => recording(content, bag),
        b"RVA2" => loudness(content, bag),
        b"APIC" => picture(content, pictures, limits),
        b"PIC" => old_picture(content, pictures, limits),
        _ => key(version, id).and_then(|key| text(key, content, bag)),
    };
}

fn key(version: u8, id: &[u8]) -> Option<Key> {
    if version == 2 { old_key(id) } else { new_key(id) }
}

/// ID3v2.3 and 2.4, section 4.2, with iTunes' and Picard's own.
fn new_key(id: &[u8]) -> Option<Key> {
    Some(match id {
        b"TIT2" => Key::Title,
        b"TSOT" => Key::TitleSort,
        b"TPE1" => Key::Artist,
        b"TSOP" => Key::ArtistSort,
        b"TALB" => Key::Album,
        b"TSOA" => Key::AlbumSort,
        b"TPE2" => Key::AlbumArtist,
        b"TSO2" => Key::AlbumArtistSort,
        b"TRCK" => Key::Track,
        b"TPOS" => Key::Disc,
        b"TSST" => Key::DiscSubtitle,
        b"TDRC" | b"TYER" => Key::Date,
        b"TDAT" => Key::DayMonth,
        b"TDRL" => Key::ReleaseDate,
        b"TDOR" | b"TORY" => Key::OriginalDate,
        b"TMOO" => Key::Mood,
        b"TIT1" | b"GRP1" => Key::Grouping,
        b"TCOM" => Key::Composer,
        b"TSOC" => Key::ComposerSort,
        b"TEXT" => Key::Lyricist,
        b"TPE3" => Key::Conductor,
        b"TPE4" => Key::Remixer,
        b"TBPM" => Key::Bpm,
        b"TSRC" => Key::Isrc,
        b"TCMP" => Key::Compilation,
        b"TPUB" => Key::Label,
        b"TLAN" => Key::Language,
        _ => return None,
    })
}

/// ID3v2.2, section 4.2.
fn old_key(id: &[u8]) -> Option<Key> {
    Some(match id {
        b"TT2" => Key::Title,
        b"TST" => Key::TitleSort,
        b"TP1" => Key::Artist,
        b"TSP" => Key::ArtistSort,
        b"TAL" => Key::Album,
        b"TSA" => Key::AlbumSort,
        b"TP2" => Key::AlbumArtist,
        b"TS2" => Key::AlbumArtistSort,
        b"TRK" => Key::Track,
        b"TPA" => Key::Disc,
        b"TYE" => Key::Date,
        b"TDA" => Key::DayMonth,
        b"TOR" => Key::OriginalDate,
        b"TT1" => Key::Grouping,
        b"TCM" => Key::Composer,
        b"TSC" => Key::ComposerSort,
        b"TXT" => Key::Lyricist,
        b"TP3" => Key::Conductor,
        b"TP4" => Key::Remixer,
        b"TBP" => Key::Bpm,
        b"TRC" => Key::Isrc,
        b"TCP" => Key::Compilation,
        b"TPB" => Key::Label,
        b"TLA" => Key::Language,
        _ => return None,
    })
}

fn text(key: Key, content: &[u8], bag: &mut Bag) -> Option<()> {
    bag.push(key, &Texts::with_code(content)?.all());
    Some(())
}

fn named(content: &[u8], bag: &mut Bag) -> Option<()> {
    let mut texts = Texts::with_code(content)?;
    let name = texts.next();
    bag.push_named(&name, &texts.all());
    Some(())
}

fn genre(content: &[u8], bag: &mut Bag) -> Option<()> {
    for field in Texts::with_code(content)?.all().split('\0') {
        let field = text::head(field, 4096);
        genres::of_id3(field, &GENRES).iter().for_each(|genre| bag.push(Key::Genre, genre));
    }
    Some(())
}

/// Pairs of a part and a name. What is no known part is an instrument (ID3v2.4, section 4.2.2, TIPL and TMCL; version 3
/// has both in IPLS).
fn people(content: &[u8], bag: &mut Bag) -> Option<()> {
    let all = Texts::with_code(content)?.all();
    let mut fields = all.split('\0');
    while let (Some(part), Some(name)) = (fields.next(), fields.next()) {
        match part.trim().to_ascii_lowercase().as_str() {
            "producer" => bag.push(Key::Producer, name),
            "arranger" => bag.push(Key::Arranger, name),
            "engineer" => bag.push(Key::Engineer, name),
            "mix" | "mixer" => bag.push(Key::Mixer, name),
            "dj-mix" | "djmixer" => bag.push(Key::DjMixer, name),
            "" => bag.push(Key::Performer, name),
            _ if name.trim().is_empty() => {}
            _ => bag.push(Key::Performer, &format!("{} ({})", name.trim(), part.trim())),
        }
    }
    Some(())
}

/// iTunes keeps numbers in comments of its own; another with a description counts where there is none without.
fn comment(content: &[u8], bag: &mut Bag) -> Option<()> {
    let (_, description, texts) = in_language(content)?;
    if !description.starts_with("iTun") && !description.starts_with("Songs-DB") {
        bag.push(if description.is_empty() { Key::Comment } else { Key::DescribedComment }, &texts.all());
    }
    Some(())
}

fn plain_lyrics(content: &[u8], bag: &mut Bag) -> Option<()> {
    let (language, _, texts) = in_language(content)?;
    bag.push_lyrics(&texts.all(), Some(&language));
    Some(())
}

/// An encoding, three letters of a language, a description, a text.
fn in_language(content: &[u8]) -> Option<(String, String, Texts<'_>)> {
    let (code, rest) = content.split_first()?;
    let (language, rest) = rest.split_at_checked(3)?;
    let mut texts = Texts::new(*code, rest)?;
    let description = texts.next();
    Some((String::from_utf8_lossy(language).into_owned(), description, texts))
}

/// ID3v2.4, section 4.9. Times in frames of MPEG are not understood.
fn synced_lyrics(content: &[u8], bag: &mut Bag, limits: &Limits) -> Option<()> {
    const MILLISECONDS: u8 = 2;
    let (head, rest) = content.split_first_chunk::<6>()?;
    let [code, language @ .., MILLISECONDS, kind @ 0..=2] = *head else { return None };
    let _ = kind;
    let mut texts = Texts::new(code, rest)?;
    texts.next();
    let (mut parts, mut bytes) = (Vec::new(), 0);
    while !texts.rest().is_empty() && bytes < limits.lyrics_bytes {
        let part = texts.next();
        let Some(time) = texts.skip(4).and_then(|time| time.first_chunk::<4>()) else { break };
        bytes += part.len() + 8;
        parts.push((u32::from_be_bytes(*time), part));
    }
    bag.push_lines(joined(parts, limits), Some(&String::from_utf8_lossy(&language)));
    Some(())
}

/// Parts may be syllables: a line end in front of a part begins a line. Where no part has one, each is a line.
fn joined(mut parts: Vec<(u32, String)>, limits: &Limits) -> Vec<Line> {
    parts.sort_by_key(|(start, _)| *start);
    let by_line_ends = parts.iter().skip(1).any(|(_, part)| part.starts_with(['\n', '\r']));
    let mut lines: Vec<(u32, String)> = Vec::new();
    for (start, part) in parts {
        match lines.last_mut() {
            Some((_, line)) if by_line_ends && !part.starts_with(['\n', '\r']) => line.push_str(&part),
            _ => lines.push((start, part)),
        }
    }
    let line = |(start, line): (u32, String)| Line {
        start_ms: Some(start),
        text: text::line(&line, limits.text_chars).unwrap_or_default(),
    };
    lines.into_iter().map(line).collect()
}

fn recording(content: &[u8], bag: &mut Bag) -> Option<()> {
    let id = content.strip_prefix(b"http://musicbrainz.org\0")?;
    bag.push(Key::RecordingId, std::str::from_utf8(id).ok()?);
    Some(())
}

/// The gain of the master channel, in 1/512 dB (ID3v2.4, section 4.11). Taken where ReplayGain's own words are missing.
fn loudness(content: &[u8], bag: &mut Bag) -> Option<()> {
    const MASTER: u8 = 1;
    let zero = content.iter().position(|byte| *byte == 0)?;
    let key = match &content[..zero] {
        b"track" => Key::TrackGain,
        b"album" => Key::AlbumGain,
        _ => return None,
    };
    let [MASTER, high, low] = *content[zero + 1..].first_chunk::<3>()? else { return None };
    bag.push(key, &format!("{}", f32::from(i16::from_be_bytes([high, low])) / 512.0));
    Some(())
}

fn picture(content: &[u8], pictures: &mut Vec<Embedded>, limits: &Limits) -> Option<()> {
    let (code, rest) = content.split_first()?;
    let zero = rest.iter().position(|byte| *byte == 0)?;
    let (kind, rest) = (&rest[..zero], &rest[zero + 1..]);
    if kind == ADDRESS { None } else { push_picture(*code, rest, pictures, limits) }
}

/// The type of a picture that is elsewhere.
const ADDRESS: &[u8] = b"-->";

/// Version 2 names the type in three letters.
fn old_picture(content: &[u8], pictures: &mut Vec<Embedded>, limits: &Limits) -> Option<()> {
    let (code, rest) = content.split_first()?;
    let (kind, rest) = rest.split_at_checked(3)?;
    if kind == ADDRESS { None } else { push_picture(*code, rest, pictures, limits) }
}

fn push_picture(code: u8, rest: &[u8], pictures: &mut Vec<Embedded>, limits: &Limits) -> Option<()> {
    let (kind, rest) = rest.split_first()?;
    let mut texts = Texts::new(code, rest)?;
    texts.next();
    let bytes = texts.rest();
    let fits = !bytes.is_empty() && bytes.len() as u64 <= limits.picture_bytes && pictures.len() < limits.values;
    if fits {
        pictures.push(Embedded::new(*kind, bytes.to_vec()));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[(u32, &str)]) -> Vec<(Option<u32>, String)> {
        let parts = parts.iter().map(|(start, part)| (*start, (*part).to_owned())).collect();
        joined(parts, &Limits::default()).into_iter().map(|line| (line.start_ms, line.text)).collect()
    }

    #[test]
    fn syllables_become_lines() {
        assert_eq!(
            lines(&[(1, "Stran"), (2, "gers"), (3, "\nin the"), (4, " night")]),
            [(Some(1), "Strangers".into()), (Some(3), "in the night".into())]
        );
        assert_eq!(lines(&[(5, "b"), (1, "a")]), [(Some(1), "a".into()), (Some(5), "b".into())]);
    }
}
