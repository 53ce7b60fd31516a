//! What a track's tags say of it and its album, whatever dialect they say it in: what the catalog is written from.
use serde::{Deserialize, Serialize};

use super::artists::{Artist, Credit, id, ids};
use super::bag::{Bag, Key};
use super::contributors::{Contributor, contributors};
use super::dates::{date, year_of};
use super::gain::ReplayGain;
use super::lyrics::{Lyrics, language};
use super::{Limits, genres};

/// Everything that was found; what the file does not say is absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// Of the track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the title is sorted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_title: Option<String>,
    /// Who made the track.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<Artist>,
    /// The same as it is written on the cover: `A feat. B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_artist: Option<String>,
    /// Title of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// What the album is sorted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_album: Option<String>,
    /// Who made the album; empty where it does not say, which is not the same as the track's artists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub album_artists: Vec<Artist>,
    /// As it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_album_artist: Option<String>,
    /// Number on its disc, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u32>,
    /// Tracks of the disc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_total: Option<u32>,
    /// Number of the disc, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc: Option<u32>,
    /// Discs of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_total: Option<u32>,
    /// The disc's own title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_subtitle: Option<String>,
    /// Of this release, else of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Of this release: `yyyy`, `yyyy-mm` or `yyyy-mm-dd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    /// Of the first release, in the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_date: Option<String>,
    /// As they are written, each once; see [`genres`] for how lists are split.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub genres: Vec<String>,
    /// What it feels like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moods: Vec<String>,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groupings: Vec<String>,
    /// Who wrote the music.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composers: Vec<Artist>,
    /// Everybody else who had a part in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    /// May have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Beats per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpm: Option<u32>,
    /// Twelve letters and digits each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isrc: Vec<String>,
    /// By several artists.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compilation: bool,
    /// Who published it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The label's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_number: Option<String>,
    /// In lower case, as MusicBrainz has them: `album`, `single`, `ep`, `live`, `compilation`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub release_types: Vec<String>,
    /// MusicBrainz' ids.
    #[serde(skip_serializing_if = "MusicBrainz::is_empty")]
    pub musicbrainz: MusicBrainz,
    /// Loudness.
    #[serde(skip_serializing_if = "ReplayGain::is_empty")]
    pub replay_gain: ReplayGain,
    /// Whether its words are for children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit: Option<Explicit>,
    /// Of the words, ISO 639.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// With times or without; the same words may be there in both ways, or in several languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lyrics: Vec<Lyrics>,
}

/// Ids in MusicBrainz, UUIDs in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MusicBrainz {
    /// What was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// Its place on this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<String>,
    /// This edition of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The album in all editions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_group: Option<String>,
    /// Of the track's artists, in order; also where the names cannot be told apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<String>,
    /// Of the album's artists, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub album_artists: Vec<String>,
}

impl MusicBrainz {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What iTunes says of a track's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Explicit {
    /// Not for children.
    Explicit,
    /// Was made fit for children.
    Clean,
}

impl Told {
    pub(super) fn of(mut bag: Bag, limits: &Limits) -> Self {
        let lyrics = bag.take_lyrics();
        let mut told = Self {
            lyrics,
            replay_gain: ReplayGain::of(&bag),
            musicbrainz: musicbrainz(&bag, limits),
            ..Self::default()
        };
        told.titles(&bag);
        told.people(&bag, limits);
        told.numbers(&bag);
        told.dates(&bag);
        told.words(&bag, limits);
        told
    }

    fn titles(&mut self, bag: &Bag) {
        self.title = bag.text(Key::Title);
        self.sort_title = bag.text(Key::TitleSort);
        self.album = bag.text(Key::Album);
        self.sort_album = bag.text(Key::AlbumSort);
        self.disc_subtitle = bag.text(Key::DiscSubtitle);
        self.comment = bag.text(Key::Comment).or_else(|| bag.text(Key::DescribedComment));
        self.catalog_number = bag.text(Key::CatalogNumber);
    }

    fn people(&mut self, bag: &Bag, limits: &Limits) {
        let credit = |shown, listed: Option<Key>, sorted, ids: &[String]| Credit {
            shown: bag.all(shown),
            listed: listed.map(|key| bag.all(key)).unwrap_or_default(),
            sorted: bag.all(sorted),
            ids: ids.to_vec(),
        };
        let track = credit(Key::Artist, Some(Key::Artists), Key::ArtistSort, &self.musicbrainz.artists);
        let album =
            credit(Key::AlbumArtist, Some(Key::AlbumArtists), Key::AlbumArtistSort, &self.musicbrainz.album_artists);
        let composer = credit(Key::Composer, None, Key::ComposerSort, &[]);
        (self.artists, self.display_artist) = (track.artists(limits.values), track.display());
        (self.album_artists, self.display_album_artist) = (album.artists(limits.values), album.display());
        self.composers = composer.artists(limits.values);
        self.contributors = contributors(bag, limits.values);
    }

    fn numbers(&mut self, bag: &Bag) {
        (self.track, self.track_total) = counted(bag, Key::Track, Key::TrackTotal);
        (self.disc, self.disc_total) = counted(bag, Key::Disc, Key::DiscTotal);
        self.bpm = bag.first(Key::Bpm).and_then(beats);
        self.compilation = bag.first(Key::Compilation).is_some_and(is_yes);
        self.explicit = bag.first(Key::Advisory).and_then(explicit);
    }

    fn dates(&mut self, bag: &Bag) {
        let of = |key| bag.all(key).into_iter().filter_map(date).max_by_key(String::len);
        let own = of(Key::Date).map(|own| with_day(own, bag.first(Key::DayMonth)));
        self.release_date = of(Key::ReleaseDate).or_else(|| own.clone());
        self.original_date = of(Key::OriginalDate);
        let year = own.or_else(|| self.release_date.clone()).or_else(|| self.original_date.clone());
        self.year = year.as_deref().and_then(year_of);
    }

    fn words(&mut self, bag: &Bag, limits: &Limits) {
        let listed = |key| genres::split(&bag.all(key), limits.values);
        self.genres = listed(Key::Genre);
        self.moods = listed(Key::Mood);
        self.groupings = bag.all(Key::Grouping).into_iter().map(str::to_owned).collect();
        self.labels = bag.all(Key::Label).into_iter().map(str::to_owned).collect();
        self.release_types = words(&bag.all(Key::ReleaseType), limits.values, |word| Some(word.to_lowercase()));
        self.isrc = words(&bag.all(Key::Isrc), limits.values, isrc);
        self.languages = words(&bag.all(Key::Language), limits.values, language);
    }
}

fn musicbrainz(bag: &Bag, limits: &Limits) -> MusicBrainz {
    let one = |key| bag.first(key).and_then(id);
    MusicBrainz {
        recording: one(Key::RecordingId),
        track: one(Key::TrackId),
        release: one(Key::ReleaseId),
        release_group: one(Key::ReleaseGroupId),
        artists: ids(&bag.all(Key::ArtistId), limits.values),
        album_artists: ids(&bag.all(Key::AlbumArtistId), limits.values),
    }
}

/// `3` or `3/12`, the total perhaps in a field of its own. Zero means that nobody counted.
fn counted(bag: &Bag, number: Key, total: Key) -> (Option<u32>, Option<u32>) {
    let (own, behind) = match bag.first(number).map(|text| text.split_once('/').unwrap_or((text, ""))) {
        Some((own, behind)) => (count(own), count(behind)),
        None => (None, None),
    };
    (own, bag.first(total).and_then(count).or(behind))
}

fn with_day(year: String, day_month: Option<&str>) -> String {
    let parts = day_month.filter(|text| year.len() == 4 && text.len() == 4).and_then(|text| text.split_at_checked(2));
    parts.and_then(|(day, month)| date(&format!("{year}-{month}-{day}"))).unwrap_or(year)
}

fn count(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|number| (1..=9999).contains(number))
}

fn beats(text: &str) -> Option<u32> {
    let beats: f64 = text.trim().replace(',', ".").parse().ok()?;
    // The cast is of a number that is known to fit.
    (1.0..=1000.0).contains(&beats).then(|| beats.round() as u32)
}

fn is_yes(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes")
}

/// iTunes' `rtng`: 1 and, formerly, 4 are explicit, 2 is clean, 0 neither.
fn explicit(text: &str) -> Option<Explicit> {
    match text.trim() {
        "1" | "4" => Some(Explicit::Explicit),
        "2" => Some(Explicit::Clean),
        _ => None,
    }
}

fn words(values: &[&str], max: usize, word: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for part in values.iter().flat_map(|value| value.split([';', '/', ','])) {
        let part = Some(part.trim()).filter(|part| !part.is_empty()).and_then(&word);
        if let Some(part) = part.filter(|part| found.len() < max && !found.contains(part)) {
            found.push(part);
        }
    }
    found
}

/// ISO 3901: twelve letters and digits; hyphens are for the eye.
fn isrc(word: &str) -> Option<String> {
    let plain: String = word.chars().filter(|c| *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    (plain.len() == 12 && plain.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[(&str, &str)]) -> Told {
        let limits = Limits::default();
        let mut bag = Bag::new(&limits);
        fields.iter().for_each(|(name, field)| bag.push_named(name, field));
        Told::of(bag, &limits)
    }

    #[test]
    fn totals_stand_behind_the_number_or_alone() {
        let both = told(&[("TRACKNUMBER", "03/12"), ("DISCNUMBER", "1"), ("TOTALDISCS", "2")]);
        assert_eq!((both.track, both.track_total, both.disc, both.disc_total), (Some(3), Some(12), Some(1), Some(2)));
        let none = told(&[("TRACKNUMBER", "0/0"), ("DISCNUMBER", "A1")]);
        assert_eq!((none.track, none.track_total, none.disc), (None, None, None));
    }

    #[test]
    fn the_year_is_of_this_release_and_the_longest_date_counts() {
        let date = told(&[("DATE", "2011-05-06"), ("ORIGINALYEAR", "1973"), ("ORIGINALDATE", "1973-03-01")]);
        assert_eq!(
            (date.year, date.release_date.as_deref(), date.original_date.as_deref()),
            (Some(2011), Some("2011-05-06"), Some("1973-03-01"))
        );
        assert_eq!(told(&[("ORIGINALYEAR", "1973")]).year, Some(1973));
    }

    #[test]
    fn small_facts_are_read() {
        let told = told(&[
            ("BPM", "127.6"),
            ("ISRC", "us-rc1-76-07839/USRC17607840"),
            ("COMPILATION", "1"),
            ("ITUNESADVISORY", "1"),
            ("RELEASETYPE", "Album; Live"),
            ("LANGUAGE", "eng"),
            ("LABEL", "One"),
            ("ORGANIZATION", "Two"),
        ]);
        assert_eq!((told.bpm, told.compilation, told.explicit), (Some(128), true, Some(Explicit::Explicit)));
        assert_eq!(told.isrc, ["USRC17607839", "USRC17607840"]);
        assert_eq!(
            (told.release_types, told.languages, told.labels.len()),
            (vec!["album".to_owned(), "live".into()], vec!["eng".to_owned()], 2)
        );
    }

    #[test]
    fn nothing_said_is_nothing_written() {
        assert_eq!(serde_json::to_string(&told(&[])).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Told>("{}").unwrap(), Told::default());
    }
}
