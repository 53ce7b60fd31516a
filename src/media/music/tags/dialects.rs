//! What each dialect's names mean.
use lofty::ape::{APE_PICTURE_TYPES, ApeTag};
use lofty::id3::v1::Id3v1Tag;
use lofty::iff::aiff::AiffTextChunks;
use lofty::iff::wav::RiffInfoList;
use lofty::mp4::{AtomData, AtomIdent, Ilst};
use lofty::ogg::OggPictureStorage;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::{Picture, PictureInformation, PictureType};
use lofty::tag::ItemValue;

use super::super::Limits;
use super::super::bag::{Bag, Key};
use super::super::pictures::Embedded;
use super::GENRES;

/// Bag and pictures, filled by one tag after the other.
pub(super) struct Collected<'a> {
    pub bag: Bag,
    pub pictures: Vec<Embedded>,
    pub limits: &'a Limits,
}

impl<'a> Collected<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self { bag: Bag::new(limits), pictures: Vec::new(), limits }
    }

    pub fn vorbis(&mut self, tag: &VorbisComments) {
        for (name, value) in tag.items() {
            self.bag.push_named(name, value);
        }
        self.flac_pictures(tag.pictures());
    }

    pub fn flac_pictures(&mut self, pictures: &[(Picture, PictureInformation)]) {
        pictures.iter().for_each(|(picture, _)| self.picture(picture.pic_type().as_u8(), picture.data()));
    }

    /// `code` as in ID3's APIC frame.
    fn picture(&mut self, code: u8, bytes: &[u8]) {
        let fits = !bytes.is_empty() && bytes.len() as u64 <= self.limits.picture_bytes;
        if fits && self.pictures.len() < self.limits.values {
            self.pictures.push(Embedded::new(code, bytes.to_vec()));
        }
    }

    /// A lower tag of the same file: fills gaps.
    fn fill(&mut self, with: impl FnOnce(&mut Self)) {
        let mut other = Collected::new(self.limits);
        with(&mut other);
        self.bag.fill_from(other.bag);
        self.pictures.extend(other.pictures);
    }

    pub fn ape(&mut self, tag: Option<&ApeTag>) {
        let Some(tag) = tag else { return };
        self.fill(|own| own.ape_items(tag));
    }

    fn ape_items(&mut self, tag: &ApeTag) {
        for item in tag {
            match item.value() {
                ItemValue::Text(text) => self.bag.push_named(item.key(), text),
                ItemValue::Binary(bytes) if APE_PICTURE_TYPES.contains(&item.key()) => {
                    // A name, a zero, then the picture.
                    let begin = bytes.iter().position(|byte| *byte == 0).map_or(0, |zero| zero + 1);
                    self.picture(PictureType::from_ape_key(item.key()).as_u8(), &bytes[begin..]);
                }
                _ => {}
            }
        }
    }

    pub fn id3v1(&mut self, tag: Option<&Id3v1Tag>) {
        let Some(tag) = tag else { return };
        let genre = tag.genre.and_then(|genre| GENRES.get(usize::from(genre)));
        let fields = [
            (Key::Title, tag.title.clone()),
            (Key::Artist, tag.artist.clone()),
            (Key::Album, tag.album.clone()),
            (Key::Comment, tag.comment.clone()),
            (Key::Date, tag.year.map(|year| year.to_string())),
            (Key::Track, tag.track_number.map(|track| track.to_string())),
            (Key::Genre, genre.map(|genre| (*genre).to_owned())),
        ];
        self.fill(|own| {
            for (key, value) in fields {
                own.bag.push(key, value.as_deref().unwrap_or_default());
            }
        });
    }

    pub fn riff(&mut self, tag: Option<&RiffInfoList>) {
        for (name, value) in tag.into_iter().flatten() {
            if let Some(key) = riff_key(name) {
                self.bag.push(key, value);
            }
        }
    }

    pub fn aiff(&mut self, tag: Option<&AiffTextChunks>) {
        let Some(tag) = tag else { return };
        self.bag.push(Key::Title, tag.name.as_deref().unwrap_or_default());
        self.bag.push(Key::Artist, tag.author.as_deref().unwrap_or_default());
        let notes = tag.annotations.iter().flatten().map(String::as_str);
        let comments = tag.comments.iter().flatten().map(|comment| comment.text.as_str());
        notes.chain(comments).for_each(|text| self.bag.push(Key::Comment, text));
    }

    pub fn ilst(&mut self, tag: Option<&Ilst>) {
        for atom in tag.into_iter().flatten() {
            for data in atom.data() {
                match (atom.ident(), data) {
                    (AtomIdent::Fourcc(_), AtomData::Picture(picture)) => {
                        self.picture(PictureType::CoverFront.as_u8(), picture.data());
                    }
                    (AtomIdent::Fourcc(code), AtomData::Unknown { data, .. }) if is_counted(*code) => {
                        self.counted(*code == *b"trkn", data);
                    }
                    (AtomIdent::Fourcc(code), data) => self.atom(*code, data),
                    (AtomIdent::Freeform { name, .. }, AtomData::UTF8(text) | AtomData::UTF16(text)) => {
                        self.bag.push_named(name, text);
                    }
                    _ => {}
                }
            }
        }
    }

    fn atom(&mut self, code: [u8; 4], data: &AtomData) {
        let Some(key) = atom_key(code) else { return };
        match data {
            AtomData::UTF8(text) | AtomData::UTF16(text) => self.bag.push(key, text),
            AtomData::SignedInteger(number) => self.bag.push(key, &number.to_string()),
            AtomData::UnsignedInteger(number) => self.bag.push(key, &number.to_string()),
            AtomData::Bool(flag) => self.bag.push(key, if *flag { "1" } else { "0" }),
            AtomData::Unknown { data, .. } => {
                if let [number] | [0, number] = **data {
                    self.bag.push(key, &number.to_string());
                }
            }
            _ => {}
        }
    }

    /// Two zeros, the number, the total, each of two bytes.
    fn counted(&mut self, track: bool, data: &[u8]) {
        let [_, _, a, b, rest @ ..] = data else { return };
        let number = u16::from_be_bytes([*a, *b]);
        let total = rest.first_chunk::<2>().map_or(0, |total| u16::from_be_bytes(*total));
        let key = if track { Key::Track } else { Key::Disc };
        self.bag.push(key, &format!("{number}/{total}"));
    }
}

fn is_counted(code: [u8; 4]) -> bool {
    matches!(&code, b"trkn" | b"disk")
}

/// EXIF 2.3, section 8.4, "INFO list", and what editors add to it.
fn riff_key(name: &str) -> Option<Key> {
    Some(match name {
        "INAM" => Key::Title,
        "IART" => Key::Artist,
        "IPRD" => Key::Album,
        "ICRD" => Key::Date,
        "IGNR" => Key::Genre,
        "ICMT" => Key::Comment,
        "IPRT" | "ITRK" => Key::Track,
        "IFRM" => Key::TrackTotal,
        "IMUS" => Key::Composer,
        "IWRI" => Key::Lyricist,
        "IPUB" => Key::Label,
        "ILNG" => Key::Language,
        "IBPM" => Key::Bpm,
        _ => return None,
    })
}

/// iTunes' own codes.
fn atom_key(code: [u8; 4]) -> Option<Key> {
    Some(match &code {
        b"\xa9nam" => Key::Title,
        b"sonm" => Key::TitleSort,
        b"\xa9ART" => Key::Artist,
        b"soar" => Key::ArtistSort,
        b"\xa9alb" => Key::Album,
        b"soal" => Key::AlbumSort,
        b"aART" => Key::AlbumArtist,
        b"soaa" => Key::AlbumArtistSort,
        b"\xa9day" => Key::Date,
        b"\xa9gen" => Key::Genre,
        b"\xa9grp" => Key::Grouping,
        b"\xa9wrt" => Key::Composer,
        b"soco" => Key::ComposerSort,
        b"\xa9con" => Key::Conductor,
        b"\xa9cmt" => Key::Comment,
        b"\xa9lyr" => Key::Lyrics,
        b"cpil" => Key::Compilation,
        b"tmpo" => Key::Bpm,
        b"rtng" => Key::Advisory,
        _ => return None,
    })
}
