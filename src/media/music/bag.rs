//! What tags say, before sense is made of it: values under one set of names, whatever the dialect of the tag. Bounded as
//! it is filled.
use super::Limits;
use super::lyrics::{Line, Lyrics};
use super::text;

/// What a value is of. The dialects map their own names to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Title,
    TitleSort,
    Artist,
    Artists,
    ArtistSort,
    Album,
    AlbumSort,
    AlbumArtist,
    AlbumArtists,
    AlbumArtistSort,
    Track,
    TrackTotal,
    Disc,
    DiscTotal,
    DiscSubtitle,
    Date,
    /// `ddmm`, beside a `Date` that is a year: what ID3v2.3 has.
    DayMonth,
    ReleaseDate,
    OriginalDate,
    Genre,
    Mood,
    Grouping,
    Composer,
    ComposerSort,
    Lyricist,
    Writer,
    Conductor,
    Arranger,
    Producer,
    Director,
    Engineer,
    Mixer,
    DjMixer,
    Remixer,
    /// As Picard writes it in comments: `Name (instrument)`.
    Performer,
    Comment,
    DescribedComment,
    Bpm,
    Isrc,
    Compilation,
    Label,
    CatalogNumber,
    ReleaseType,
    RecordingId,
    TrackId,
    ReleaseId,
    ReleaseGroupId,
    ArtistId,
    AlbumArtistId,
    TrackGain,
    TrackPeak,
    AlbumGain,
    AlbumPeak,
    R128TrackGain,
    R128AlbumGain,
    Advisory,
    Language,
    Lyrics,
}

impl Key {
    /// What a name in words means: a Vorbis comment, an APE item, a TXXX frame's description, iTunes' `----` atom. Case,
    /// spaces and signs do not count, for each tagger writes them in its own way (Picard's "Tag Mapping").
    pub fn of_name(name: &str) -> Option<Self> {
        let mut plain = String::with_capacity(name.len().min(40));
        plain.extend(name.chars().filter(char::is_ascii_alphanumeric).take(40).map(|c| c.to_ascii_uppercase()));
        Self::of_work(&plain).or_else(|| Self::of_people(&plain)).or_else(|| Self::of_catalogue(&plain))
    }

    fn of_work(plain: &str) -> Option<Self> {
        Some(match plain {
            "TITLE" => Self::Title,
            "TITLESORT" | "TITLESORTORDER" => Self::TitleSort,
            "ALBUM" => Self::Album,
            "ALBUMSORT" | "ALBUMSORTORDER" => Self::AlbumSort,
            "TRACK" | "TRACKNUMBER" | "TRACKNUM" => Self::Track,
            "TRACKTOTAL" | "TOTALTRACKS" | "TRACKC" => Self::TrackTotal,
            "DISC" | "DISCNUMBER" | "DISK" | "DISKNUMBER" => Self::Disc,
            "DISCTOTAL" | "TOTALDISCS" | "DISCC" | "DISKTOTAL" => Self::DiscTotal,
            "DISCSUBTITLE" | "SETSUBTITLE" => Self::DiscSubtitle,
            "DATE" | "YEAR" | "RECORDINGDATE" => Self::Date,
            "RELEASEDATE" | "RELEASEYEAR" => Self::ReleaseDate,
            "ORIGINALDATE" | "ORIGINALYEAR" | "ORIGYEAR" | "ORIGINALRELEASEDATE" => Self::OriginalDate,
            "GENRE" => Self::Genre,
            "MOOD" => Self::Mood,
            "GROUPING" | "CONTENTGROUP" => Self::Grouping,
            "COMMENT" | "COMMENTS" | "DESCRIPTION" => Self::Comment,
            "BPM" | "TEMPO" => Self::Bpm,
            "COMPILATION" | "ITUNESCOMPILATION" => Self::Compilation,
            "LANGUAGE" => Self::Language,
            "LYRICS" | "UNSYNCEDLYRICS" | "SYNCEDLYRICS" | "UNSYNCLYRICS" => Self::Lyrics,
            "ITUNESADVISORY" | "RATINGADVISORY" => Self::Advisory,
            _ => return None,
        })
    }

    fn of_people(plain: &str) -> Option<Self> {
        Some(match plain {
            "ARTIST" => Self::Artist,
            "ARTISTS" => Self::Artists,
            "ARTISTSORT" | "ARTISTSSORT" | "ARTISTSORTORDER" => Self::ArtistSort,
            "ALBUMARTIST" | "ENSEMBLE" => Self::AlbumArtist,
            "ALBUMARTISTS" => Self::AlbumArtists,
            "ALBUMARTISTSORT" | "ALBUMARTISTSSORT" | "ALBUMARTISTSORTORDER" => Self::AlbumArtistSort,
            "COMPOSER" => Self::Composer,
            "COMPOSERSORT" | "COMPOSERSORTORDER" => Self::ComposerSort,
            "LYRICIST" => Self::Lyricist,
            "WRITER" => Self::Writer,
            "CONDUCTOR" => Self::Conductor,
            "ARRANGER" => Self::Arranger,
            "PRODUCER" => Self::Producer,
            "DIRECTOR" => Self::Director,
            "ENGINEER" => Self::Engineer,
            "MIXER" => Self::Mixer,
            "DJMIXER" => Self::DjMixer,
            "REMIXER" | "MIXARTIST" => Self::Remixer,
            "PERFORMER" => Self::Performer,
            _ => return None,
        })
    }

    fn of_catalogue(plain: &str) -> Option<Self> {
        Some(match plain {
            "ISRC" => Self::Isrc,
            "LABEL" | "PUBLISHER" | "ORGANIZATION" | "RECORDLABEL" => Self::Label,
            "CATALOGNUMBER" | "CATALOG" | "LABELNO" | "CATALOGID" => Self::CatalogNumber,
            "RELEASETYPE" | "MUSICBRAINZALBUMTYPE" => Self::ReleaseType,
            "MUSICBRAINZTRACKID" => Self::RecordingId,
            "MUSICBRAINZRELEASETRACKID" => Self::TrackId,
            "MUSICBRAINZALBUMID" => Self::ReleaseId,
            "MUSICBRAINZRELEASEGROUPID" => Self::ReleaseGroupId,
            "MUSICBRAINZARTISTID" => Self::ArtistId,
            "MUSICBRAINZALBUMARTISTID" => Self::AlbumArtistId,
            "REPLAYGAINTRACKGAIN" => Self::TrackGain,
            "REPLAYGAINTRACKPEAK" => Self::TrackPeak,
            "REPLAYGAINALBUMGAIN" => Self::AlbumGain,
            "REPLAYGAINALBUMPEAK" => Self::AlbumPeak,
            "R128TRACKGAIN" => Self::R128TrackGain,
            "R128ALBUMGAIN" => Self::R128AlbumGain,
            _ => return None,
        })
    }
}

/// Values in the order in which they were found, each cleaned.
#[derive(Debug)]
pub(super) struct Bag {
    limits: Limits,
    values: Vec<(Key, String)>,
    lyrics: Vec<Lyrics>,
}

impl Bag {
    pub fn new(limits: &Limits) -> Self {
        Self { limits: *limits, values: Vec::new(), lyrics: Vec::new() }
    }

    /// Adds what stands in one field. A zero separates values, whatever the tag.
    pub fn push(&mut self, key: Key, field: &str) {
        if key == Key::Lyrics {
            return self.push_lyrics(field, None);
        }
        for value in field.split('\0') {
            self.push_value(key, value);
        }
    }

    /// Adds a field by its name in words; one that means nothing here is left out.
    pub fn push_named(&mut self, name: &str, field: &str) {
        if let Some(key) = Key::of_name(name) {
            self.push(key, field);
        }
    }

    fn push_value(&mut self, key: Key, value: &str) {
        let clean = match key {
            Key::Comment | Key::DescribedComment => text::lines(value, self.limits.lyrics_bytes),
            _ => text::line(value, self.limits.text_chars),
        };
        let Some(clean) = clean else { return };
        let mut same = 0;
        for (_, value) in self.values.iter().filter(|(other, _)| *other == key) {
            same += 1;
            if *value == clean {
                return;
            }
        }
        if same < self.limits.values {
            self.values.push((key, clean));
        }
    }

    /// Adds lyrics as one text, which may have stamps; `language` as ISO 639 has it.
    pub fn push_lyrics(&mut self, text: &str, language: Option<&str>) {
        let mut lyrics = super::lrc::parse(text, &self.limits);
        lyrics.language = language.and_then(super::lyrics::language).or(lyrics.language);
        self.keep(lyrics);
    }

    /// Adds lyrics whose lines and times stand on their own.
    pub fn push_lines(&mut self, lines: Vec<Line>, language: Option<&str>) {
        self.keep(Lyrics { language: language.and_then(super::lyrics::language), lines });
    }

    fn keep(&mut self, lyrics: Lyrics) {
        let known = self.lyrics.len() >= self.limits.values.min(16) || self.lyrics.contains(&lyrics);
        if !lyrics.lines.is_empty() && !known {
            self.lyrics.push(lyrics);
        }
    }

    /// Takes from another bag what is not at all in this one.
    pub fn fill_from(&mut self, other: Self) {
        let own: Vec<Key> = self.values.iter().map(|(key, _)| *key).collect();
        self.values.extend(other.values.into_iter().filter(|(key, _)| !own.contains(key)));
        if self.lyrics.is_empty() {
            self.lyrics = other.lyrics;
        }
    }

    pub fn all(&self, key: Key) -> Vec<&str> {
        self.values.iter().filter(|(other, _)| *other == key).map(|(_, value)| value.as_str()).collect()
    }

    pub fn first(&self, key: Key) -> Option<&str> {
        self.values.iter().find(|(other, _)| *other == key).map(|(_, value)| value.as_str())
    }

    pub fn text(&self, key: Key) -> Option<String> {
        self.first(key).map(str::to_owned)
    }

    pub fn take_lyrics(&mut self) -> Vec<Lyrics> {
        std::mem::take(&mut self.lyrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written() {
        for name in ["MUSICBRAINZ_ALBUMID", "MusicBrainz Album Id", "musicbrainz_albumid"] {
            assert_eq!(Key::of_name(name), Some(Key::ReleaseId));
        }
        assert_eq!(Key::of_name("Album Artist"), Some(Key::AlbumArtist));
        assert_eq!(Key::of_name("replaygain_track_gain"), Some(Key::TrackGain));
        assert_eq!(Key::of_name("ENCODER"), None);
    }

    #[test]
    fn a_bag_keeps_each_value_once_and_not_too_many() {
        let mut bag = Bag::new(&Limits { values: 3, text_chars: 4, ..Limits::default() });
        bag.push(Key::Artist, "A\0B\0A\0\0Clipped\0D");
        assert_eq!(bag.all(Key::Artist), ["A", "B", "Clip"]);
    }

    #[test]
    fn another_tag_fills_gaps_only() {
        let limits = Limits::default();
        let (mut first, mut second) = (Bag::new(&limits), Bag::new(&limits));
        first.push(Key::Title, "whole title");
        second.push(Key::Title, "whole ti");
        second.push(Key::Album, "album");
        first.fill_from(second);
        assert_eq!((first.all(Key::Title), first.first(Key::Album)), (vec!["whole title"], Some("album")));
    }
}
