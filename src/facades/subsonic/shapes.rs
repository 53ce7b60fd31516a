//! How artists, albums, tracks and folders are told.
//!
//! Everything that is known is sent; what is not known is left out, but for what some program breaks without.
use super::dates::instant;
use super::things::Thing;
use super::tree::{Element, Value};
use crate::catalog::music::{Album, Artist, ArtistRef, Directory, Opinion, Track};
use crate::facades::songs::{content_type, suffix};
use crate::media::music::{ReplayGain, Told};

/// A song.
pub(super) fn song(track: &Track) -> Element {
    let (suffix, of) = (suffix(track), |role: &str| track.artists.iter().find(|artist| artist.role == role));
    let parent = track.directory.map(Thing::Directory).or(track.album.map(Thing::Album));
    let cover = track.album.map_or(Thing::Track(track.number), Thing::Album);
    let element = Element::new()
        .with("id", Thing::Track(track.number).id())
        .maybe("parent", parent.map(Thing::id))
        .with("isDir", false)
        .with("title", track.title.as_str())
        .with("album", track.album_title.as_str())
        .with("artist", track.artist.as_str())
        .maybe("track", track.track.filter(|n| *n > 0).map(i64::from))
        .maybe("year", track.year.map(i64::from))
        .maybe("genre", track.genres.first().map(String::as_str))
        .with("coverArt", cover.id())
        .with("size", track.size)
        .with("contentType", content_type(&suffix))
        .with("suffix", suffix)
        .with("duration", whole(track.seconds))
        .with("bitRate", track.bit_rate)
        // Where programs keep their copies: songs of two libraries are two.
        .with("path", format!("{}/{}", track.library_name.replace('/', "_"), track.place.to_string_lossy()))
        .with("isVideo", false)
        .maybe("discNumber", track.disc.filter(|n| *n > 0).map(i64::from))
        .with("created", instant(track.added_at))
        .maybe("albumId", track.album.map(|n| Thing::Album(n).id()))
        .maybe("artistId", of("artist").map(|artist| Thing::Artist(artist.number).id()))
        .with("type", "music")
        .with("mediaType", "song")
        .maybe("bookmarkPosition", track.bookmark_ms)
        .maybe("bpm", track.told.bpm)
        .maybe("comment", track.told.comment.as_deref())
        .with("sortName", track.told.sort_title.clone().unwrap_or_default())
        .maybe("musicBrainzId", track.told.musicbrainz.recording.as_deref())
        .with("displayArtist", track.artist.as_str())
        .with("displayAlbumArtist", track.album_artist.as_str())
        .with("displayComposer", composers(&track.told))
        .with("explicitStatus", explicit(&track.told))
        .with("channelCount", track.channels)
        .with("samplingRate", track.sample_rate)
        .with("bitDepth", track.bit_depth);
    opened(opinion(element, track.opinion), track)
}

/// What only OpenSubsonic knows of a song.
fn opened(element: Element, track: &Track) -> Element {
    let main = ["artist", "albumartist"];
    let others = track.artists.iter().filter(|artist| !main.contains(&artist.role.as_str()));
    element
        .open_plains("isrc", texts(&track.told.isrc))
        .open("genres", genres(&track.genres))
        .open("artists", people(&track.artists, "artist"))
        .open("albumArtists", people(&track.artists, "albumartist"))
        .open("contributors", others.map(contributor).collect())
        .open_plains("moods", texts(&track.told.moods))
        .open_plains("groupings", texts(&track.told.groupings))
        .open_one("replayGain", gain(&track.told.replay_gain))
}

/// A program plays a track as loud as these say.
fn gain(gain: &ReplayGain) -> Element {
    Element::new()
        .maybe("trackGain", gain.track_gain.map(f64::from))
        .maybe("albumGain", gain.album_gain.map(f64::from))
        .maybe("trackPeak", gain.track_peak.map(f64::from))
        .maybe("albumPeak", gain.album_peak.map(f64::from))
}

fn composers(told: &Told) -> String {
    told.composers.iter().map(|artist| artist.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn explicit(told: &Told) -> &'static str {
    match told.explicit {
        Some(crate::media::music::Explicit::Explicit) => "explicit",
        Some(crate::media::music::Explicit::Clean) => "clean",
        None => "",
    }
}

fn people(all: &[ArtistRef], role: &str) -> Vec<Element> {
    all.iter().filter(|artist| artist.role == role).map(person).collect()
}

fn person(artist: &ArtistRef) -> Element {
    Element::new().with("id", Thing::Artist(artist.number).id()).with("name", artist.name.as_str())
}

fn contributor(artist: &ArtistRef) -> Element {
    let part = Some(artist.part.as_str()).filter(|part| !part.is_empty());
    Element::new().with("role", artist.role.as_str()).maybe("subRole", part).one("artist", person(artist))
}

fn genres(all: &[String]) -> Vec<Element> {
    all.iter().map(|name| Element::new().with("name", name.as_str())).collect()
}

fn texts(all: &[String]) -> Vec<Value> {
    all.iter().map(|text| Value::from(text.as_str())).collect()
}

fn whole(seconds: f64) -> i64 {
    seconds.max(0.0).round() as i64
}

/// What the account thinks of it.
fn opinion(element: Element, opinion: Opinion) -> Element {
    element
        .maybe("starred", opinion.starred_at.map(instant))
        .maybe("userRating", opinion.rating.map(u32::from))
        .with("playCount", opinion.plays)
        .maybe("played", opinion.played_at.map(instant))
}

/// An album as those see it who browse by tags.
pub(super) fn album(album: &Album) -> Element {
    let element = Element::new()
        .with("id", Thing::Album(album.number).id())
        .with("name", album.title.as_str())
        .with("artist", album.artist.as_str())
        .maybe("artistId", first_artist(album))
        .with("coverArt", Thing::Album(album.number).id())
        .with("songCount", album.songs)
        .with("duration", whole(album.seconds))
        .with("created", instant(album.added_at))
        .maybe("year", album.year.map(i64::from))
        .maybe("genre", album.genres.first().map(String::as_str));
    release(opinion(element, album.opinion), album)
}

fn first_artist(album: &Album) -> Option<String> {
    album.artists.first().map(|artist| Thing::Artist(artist.number).id())
}

/// What only OpenSubsonic knows of an album.
fn release(element: Element, album: &Album) -> Element {
    let (told, named) = (&album.told, |name: &String| Element::new().with("name", name.as_str()));
    element
        .maybe("musicBrainzId", told.musicbrainz.release.as_deref())
        .with("sortName", album.sort_title.as_str())
        .with("displayArtist", album.artist.as_str())
        .with("isCompilation", album.compilation)
        .with("explicitStatus", explicit(told))
        .open("recordLabels", told.labels.iter().map(named).collect())
        .open("genres", genres(&album.genres))
        .open("artists", people(&album.artists, "albumartist"))
        .open_plains("releaseTypes", texts(&told.release_types))
        .open_plains("moods", texts(&told.moods))
        .open_one("originalReleaseDate", date(told.original_date.as_deref()))
        .open_one("releaseDate", date(told.release_date.as_deref()))
}

/// `yyyy-mm-dd` or the beginning of it.
fn date(text: Option<&str>) -> Element {
    let mut parts = text.unwrap_or_default().split('-').map(|part| part.parse::<i64>().ok());
    let mut next = || parts.next().flatten();
    Element::new().maybe("year", next()).maybe("month", next()).maybe("day", next())
}

/// An album as those see it who browse by folders: a folder that has its songs. With the names that albums have otherwise, for programs read it as one.
pub(super) fn album_folder(album: &Album) -> Element {
    let element = Element::new()
        .with("id", Thing::Album(album.number).id())
        .maybe("parent", first_artist(album))
        .with("isDir", true)
        .with("title", album.title.as_str())
        .with("name", album.title.as_str())
        .with("album", album.title.as_str())
        .with("artist", album.artist.as_str())
        .maybe("artistId", first_artist(album))
        .maybe("year", album.year.map(i64::from))
        .maybe("genre", album.genres.first().map(String::as_str))
        .with("coverArt", Thing::Album(album.number).id())
        .with("songCount", album.songs)
        .with("duration", whole(album.seconds))
        .with("created", instant(album.added_at))
        .with("isVideo", false)
        .with("mediaType", "album");
    opinion(element, album.opinion)
}

/// A folder within another.
pub(super) fn folder(folder: &Directory) -> Element {
    let parent = folder.parent.map(|n| Thing::Directory(n).id());
    let element = Element::new()
        .with("id", Thing::Directory(folder.number).id())
        .maybe("parent", parent)
        .with("isDir", true)
        .with("title", folder.name.as_str())
        .with("name", folder.name.as_str())
        .with("album", folder.name.as_str())
        .with("coverArt", Thing::Directory(folder.number).id())
        .with("created", instant(folder.added_at))
        .with("isVideo", false);
    opinion(element, folder.opinion)
}

/// An artist as those see it who browse by tags.
pub(super) fn artist(artist: &Artist) -> Element {
    let element = Element::new()
        .with("id", Thing::Artist(artist.number).id())
        .with("name", artist.name.as_str())
        .with("coverArt", Thing::Artist(artist.number).id())
        .with("albumCount", artist.albums)
        .maybe("starred", artist.opinion.starred_at.map(instant))
        .maybe("userRating", artist.opinion.rating.map(u32::from))
        .maybe("musicBrainzId", Some(artist.mbid.as_str()).filter(|id| !id.is_empty()))
        .with("sortName", artist.sort_key.as_str());
    element.open_plains("roles", vec![Value::from("albumartist")])
}

/// A folder at the top, which old programs take for an artist.
pub(super) fn top_folder(folder: &Directory) -> Element {
    Element::new()
        .with("id", Thing::Directory(folder.number).id())
        .with("name", folder.name.as_str())
        .with("coverArt", Thing::Directory(folder.number).id())
        .maybe("starred", folder.opinion.starred_at.map(instant))
        .maybe("userRating", folder.opinion.rating.map(u32::from))
}

/// Names in the order of a list, by their first letters; what begins with no letter comes under `#`.
pub(super) fn by_letter(all: impl Iterator<Item = (String, Element)>) -> Vec<Element> {
    let mut letters: Vec<(String, Vec<Element>)> = Vec::new();
    for (key, element) in all {
        let first = key.chars().next().filter(|c| c.is_alphabetic());
        let letter = first.map_or_else(|| "#".to_owned(), |c| c.to_uppercase().collect());
        match letters.iter_mut().find(|(known, _)| *known == letter) {
            Some((_, elements)) => elements.push(element),
            None => letters.push((letter, vec![element])),
        }
    }
    letters.into_iter().map(|(letter, elements)| Element::new().with("name", letter).many("artist", elements)).collect()
}
