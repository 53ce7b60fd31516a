//! Navidrome's part: what people think of music, how often they heard it, and what they made of it.
mod facts;
mod kept;
mod songs;

use std::collections::HashMap;

use super::report::{MovedPeople, MusicMoveInReport};
use super::roots::{Roots, Theirs};
use super::{MoveIn, MoveInError, blocking};
use crate::accounts::{Accounts, MovedAccount};
use crate::catalog::moved_in::is_id;
use crate::catalog::{Catalog, Id, LibraryKind};
use kept::{Kept, Kind};
use songs::{How, Match, Ours};

/// Both sides, and what is what.
struct Sides {
    kept: Kept,
    roots: Roots,
    songs: Vec<Option<Match>>,
    /// Numbers of tracks, albums and artists here, by Navidrome's ids.
    numbers: HashMap<(Kind, Id), i64>,
}

/// Ids of accounts here, by Navidrome's.
type People = HashMap<Id, Id>;

/// Moves in from Navidrome, as far as its files are in libraries of the catalog.
///
/// # Errors
/// See [`MoveInError`]; what was taken in before stays.
pub async fn from_navidrome(
    catalog: &Catalog,
    accounts: &Accounts,
    wish: MoveIn,
) -> Result<MusicMoveInReport, MoveInError> {
    let rehearse = wish.rehearse;
    let sides = sides(catalog, wish).await?;
    let mut report = MusicMoveInReport { dry_run: rehearse, ..MusicMoveInReport::default() };
    report.libraries = sides.roots.told.iter().map(|(_, told)| told.clone()).collect();
    tell_songs(&sides, &mut report);
    let people = people(catalog, accounts, &sides, rehearse, &mut report.accounts).await?;
    facts::opinions(catalog, &sides, &people, rehearse, &mut report).await?;
    facts::playlists(catalog, &sides, &people, rehearse, &mut report).await?;
    facts::bookmarks(catalog, &sides, &people, rehearse, &mut report).await?;
    facts::queues(catalog, &sides, &people, rehearse, &mut report).await?;
    report.not_carried.extend(sides.kept.rest.iter().map(|(count, what)| format!("{count} {what}")));
    Ok(report)
}

async fn sides(catalog: &Catalog, wish: MoveIn) -> Result<Sides, MoveInError> {
    let MoveIn { database, maps, scratch, .. } = wish;
    let kept = blocking(move || kept::read(&database, &scratch)).await??;
    let own = catalog.own_libraries().await?;
    let settled = move || {
        let mut roots = Roots::new(theirs(&kept), &own, LibraryKind::is_heard, &maps);
        let present = kept.songs.iter().filter(|song| !song.missing);
        roots.count_files(present.filter_map(|song| Some((&song.library, song.path.clone()?))));
        (kept, roots)
    };
    let (kept, roots) = blocking(settled).await?;
    let mut ours = Ours::default();
    for (library, _) in roots.ours() {
        ours.add(library, catalog.track_places(library).await?);
    }
    let named = kept.artists.iter().map(|artist| (artist.name.clone(), artist.mbid.clone())).collect();
    let artists = catalog.artist_numbers(named).await?;
    let matched = move || {
        let songs = ours.songs(&kept, &roots);
        let mut numbers = HashMap::new();
        for (song, found) in kept.songs.iter().zip(&songs) {
            numbers.extend(found.map(|found| ((Kind::Song, song.id.clone()), found.item)));
        }
        let albums = ours.albums(&kept, &songs);
        numbers.extend(albums.into_iter().map(|(id, album)| ((Kind::Album, id.to_owned()), album)));
        for (artist, number) in kept.artists.iter().zip(artists) {
            numbers.extend(number.map(|number| ((Kind::Artist, artist.id.clone()), number)));
        }
        Sides { kept, roots, songs, numbers }
    };
    blocking(matched).await
}

fn theirs(kept: &Kept) -> Vec<Theirs> {
    let mut songs: HashMap<&str, u64> = HashMap::new();
    for song in kept.songs.iter().filter(|song| !song.missing) {
        *songs.entry(&song.library).or_default() += 1;
    }
    let theirs = |library: &kept::Library| Theirs {
        id: library.id.clone(),
        name: library.name.clone(),
        root: library.root.clone(),
        kind: LibraryKind::Music,
        items: songs.get(library.id.as_str()).copied().unwrap_or_default(),
    };
    kept.libraries.iter().map(theirs).collect()
}

/// Counts what is here, and names what is not.
fn tell_songs(sides: &Sides, report: &mut MusicMoveInReport) {
    for (song, found) in sides.kept.songs.iter().zip(&sides.songs) {
        let told = &mut report.tracks;
        told.total += u64::from(!song.missing);
        match found.map(|found| found.how) {
            Some(_) if song.missing => told.missing_there += 1,
            Some(How::Path) => told.by_path += 1,
            Some(How::MusicBrainz) => told.by_musicbrainz += 1,
            Some(How::Tags) => told.by_tags += 1,
            None if song.missing => {}
            None => {
                told.not_here += 1;
                let path = song.path.as_ref().map(|path| path.display().to_string());
                report.not_matched.add(|| path.unwrap_or_else(|| format!("{} - {}", song.artist, song.title)));
            }
        }
    }
}

/// Takes accounts in. Passwords stay behind: Navidrome seals them under a key, and here nobody can read any.
async fn people(
    catalog: &Catalog,
    accounts: &Accounts,
    sides: &Sides,
    rehearse: bool,
    told: &mut MovedPeople,
) -> Result<People, MoveInError> {
    let users: Vec<&kept::User> = sides.kept.users.iter().filter(|user| is_id(&user.id)).collect();
    let all = sides.roots.sees_all(&catalog.own_libraries().await?);
    let moved = |user: &&kept::User| MovedAccount {
        id: user.id.clone(),
        name: user.name.clone(),
        password: String::new(),
        admin: user.admin,
        libraries: match &user.libraries {
            _ if user.admin => None,
            Some(some) => Some(sides.roots.within(some.iter())),
            None => all.clone(),
        },
        keys: Vec::new(),
    };
    let mut people = People::new();
    let taken = accounts.move_in(users.iter().map(moved).collect(), rehearse).await?;
    for (user, taken) in users.iter().zip(taken) {
        told.added += u64::from(taken.added);
        told.known += u64::from(!taken.added && taken.account.is_some());
        told.notes.extend(taken.notes.iter().map(|note| format!("{}: {note}", user.name)));
        people.extend(taken.account.map(|account| (user.id.clone(), account)));
    }
    Ok(people)
}
