//! Which track here is which of Navidrome's: by its place, by MusicBrainz' ids, by what tags say. Albums are what their tracks are.
//! Pure.
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::kept::{Kept, Song};
use crate::catalog::Id;
use crate::catalog::moved_in::TrackPlace;
use crate::catalog::sorting::fold;
use crate::library::move_in::roots::{Placed, Roots};

/// Seconds that two programs may differ by in how long a track is.
const SLACK: f64 = 2.0;

/// By what something was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Path,
    MusicBrainz,
    Tags,
}

/// What a track of Navidrome's is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Number of the track.
    pub item: i64,
    pub how: How,
}

/// The tracks of our libraries.
#[derive(Default)]
pub(super) struct Ours {
    tracks: Vec<TrackPlace>,
    by_place: HashMap<Placed, usize>,
    by_release_track: HashMap<String, Vec<usize>>,
    by_recording: HashMap<String, Vec<usize>>,
    by_tags: HashMap<(String, String), Vec<usize>>,
}

impl Ours {
    /// Adds a library.
    pub fn add(&mut self, library: &Id, tracks: Vec<TrackPlace>) {
        for track in tracks {
            let n = self.tracks.len();
            self.by_place.insert((library.clone(), track.place.clone()), n);
            for (ids, id) in
                [(&mut self.by_release_track, &track.release_track), (&mut self.by_recording, &track.recording)]
            {
                if !id.is_empty() {
                    ids.entry(id.to_lowercase()).or_default().push(n);
                }
            }
            self.by_tags.entry((fold(&track.artist), fold(&track.title))).or_default().push(n);
            self.tracks.push(track);
        }
    }

    /// What each of Navidrome's tracks is, in their order.
    pub fn songs(&self, kept: &Kept, roots: &Roots) -> Vec<Option<Match>> {
        let mut found: Vec<Option<Match>> = vec![None; kept.songs.len()];
        let mut taken = HashSet::new();
        // What is where it was comes first; what Navidrome misses itself may be what it knows by another id already.
        for (missing, by_place) in [(false, true), (false, false), (true, true), (true, false)] {
            for (n, song) in kept.songs.iter().enumerate().filter(|(_, song)| song.missing == missing) {
                if found[n].is_none() {
                    let at = if by_place { self.at_place(song, roots) } else { self.alike(song, &taken) };
                    found[n] = at.map(|(n, how)| Match { item: self.tracks[n].item, how });
                    taken.extend(found[n].map(|found| found.item));
                }
            }
        }
        found
    }

    fn at_place(&self, song: &Song, roots: &Roots) -> Option<(usize, How)> {
        let place = roots.place(&song.library, song.path.as_deref()?)?;
        Some((*self.by_place.get(&place)?, How::Path))
    }

    /// The only one that nothing else is, by ids, then by tags.
    fn alike(&self, song: &Song, taken: &HashSet<i64>) -> Option<(usize, How)> {
        let free = |all: Option<&Vec<usize>>| -> Vec<usize> {
            let all = all.into_iter().flatten().copied();
            all.filter(|n| song.missing || !taken.contains(&self.tracks[*n].item)).collect()
        };
        for (ids, id) in [(&self.by_release_track, &song.release_track), (&self.by_recording, &song.recording)] {
            let named = free(ids.get(&id.to_lowercase()));
            if let Some(only) = self.closest(song, named) {
                return Some((only, How::MusicBrainz));
            }
        }
        let tagged = free(self.by_tags.get(&(fold(&song.artist), fold(&song.title))));
        let tagged = tagged.into_iter().filter(|n| as_long(song, &self.tracks[*n])).collect();
        if song.title.is_empty() { None } else { Some((self.closest(song, tagged)?, How::Tags)) }
    }

    /// Of several, the only one of the same album; of those, the only one at the same number.
    fn closest(&self, song: &Song, mut some: Vec<usize>) -> Option<usize> {
        let album = fold(&song.album);
        let same_number =
            |track: &TrackPlace| track.track == song.track && track.disc.unwrap_or(1) == song.disc.unwrap_or(1);
        let narrower: [&dyn Fn(&TrackPlace) -> bool; 2] = [&|track| fold(&track.album) == album, &same_number];
        for fits in narrower {
            if some.len() > 1 {
                some.retain(|n| fits(&self.tracks[*n]));
            }
        }
        if let [only] = some[..] { Some(only) } else { None }
    }

    /// What each of Navidrome's albums is, by its id: that which most of its tracks lie in.
    pub fn albums<'a>(&self, kept: &'a Kept, songs: &[Option<Match>]) -> HashMap<&'a str, i64> {
        let of_track: HashMap<i64, i64> =
            self.tracks.iter().filter_map(|track| Some((track.item, track.album_item?))).collect();
        let mut votes: HashMap<&str, HashMap<i64, u64>> = HashMap::new();
        for (song, found) in kept.songs.iter().zip(songs) {
            if let Some(album) = found.and_then(|found| of_track.get(&found.item)) {
                *votes.entry(&song.album_id).or_default().entry(*album).or_default() += 1;
            }
        }
        votes.into_iter().filter_map(|(id, votes)| Some((id, most(&votes)?))).collect()
    }
}

/// How long they are may be unknown on either side.
fn as_long(song: &Song, track: &TrackPlace) -> bool {
    let unknown = |seconds: &Option<f64>| seconds.is_none_or(|seconds| seconds <= 0.0);
    unknown(&song.seconds)
        || unknown(&track.seconds)
        || song.seconds.zip(track.seconds).is_some_and(|(a, b)| (a - b).abs() <= SLACK)
}

/// The one that most are for, and more than half.
fn most<K: Copy + Eq + Hash>(votes: &HashMap<K, u64>) -> Option<K> {
    let all: u64 = votes.values().sum();
    votes.iter().find(|(_, count)| **count * 2 > all).map(|(one, _)| *one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(item: i64, title: &str, album: &str, track: u32, seconds: f64) -> TrackPlace {
        TrackPlace {
            item,
            album_item: Some(100 + item),
            place: format!("{item}.mp3").into(),
            title: title.to_owned(),
            artist: "Ann".to_owned(),
            album: album.to_owned(),
            disc: None,
            track: Some(track),
            seconds: Some(seconds),
            recording: format!("REC-{title}"),
            release_track: format!("place-{item}"),
        }
    }

    fn song(title: &str, album: &str, track: u32, seconds: f64) -> Song {
        Song {
            title: title.to_owned(),
            artist: "ánn".to_owned(),
            album: album.to_owned(),
            track: Some(track),
            disc: Some(1),
            seconds: Some(seconds),
            ..Song::default()
        }
    }

    fn found(all: Vec<TrackPlace>, songs: Vec<Song>) -> Vec<Option<(i64, How)>> {
        let mut ours = Ours::default();
        ours.add(&"lib".to_owned(), all);
        let roots = Roots::new(Vec::new(), &[], crate::catalog::LibraryKind::is_heard, &[]);
        let kept = Kept { songs, ..Kept::default() };
        ours.songs(&kept, &roots).into_iter().map(|found| found.map(|found| (found.item, found.how))).collect()
    }

    #[test]
    fn tags_tell_tracks_apart_by_album_and_number_and_length() {
        let all =
            || vec![ours(1, "Sea", "Red", 1, 60.0), ours(2, "Sea", "Blue", 1, 60.0), ours(3, "Sea", "Blue", 2, 61.0)];
        assert_eq!(
            found(all(), vec![song("sea", "RED", 7, 61.5)]),
            [Some((1, How::Tags))],
            "the number may be another"
        );
        assert_eq!(found(all(), vec![song("Sea", "Blue", 2, 60.0)]), [Some((3, How::Tags))]);
        assert_eq!(found(all(), vec![song("Sea", "Green", 1, 60.0)]), [None], "nobody knows which");
        assert_eq!(found(all(), vec![song("Sea", "Red", 1, 90.0)]), [None], "another recording");
        assert_eq!(found(all(), vec![song("", "Red", 1, 60.0)]), [None]);
    }

    #[test]
    fn ids_count_more_than_titles_and_a_track_is_one_thing_only() {
        let by_id = Song { release_track: "PLACE-2".to_owned(), ..song("Other name", "Other", 9, 5.0) };
        let by_recording = Song { recording: "rec-Sea".to_owned(), ..song("Sea", "Blue", 1, 60.0) };
        let all = || vec![ours(1, "Sea", "Red", 1, 60.0), ours(2, "Sea", "Blue", 1, 60.0)];
        assert_eq!(found(all(), vec![by_id]), [Some((2, How::MusicBrainz))]);
        assert_eq!(found(all(), vec![by_recording]), [Some((2, How::MusicBrainz))]);
        let missing = |missing| Song { missing, ..song("Sea", "Blue", 1, 60.0) };
        assert_eq!(
            found(all(), vec![missing(true), missing(false)]),
            [Some((2, How::Tags)), Some((2, How::Tags))],
            "what is missed there may be what is known there by another id"
        );
    }
}
