//! What people think of music, their playlists, their bookmarks, and what they hear next.
use std::collections::HashMap;

use super::kept::{Annotation, Kind, Playlist};
use super::{People, Sides};
use crate::catalog::moved_in::{MovedBookmark, MovedOpinion, MovedPlaylist, MovedQueue, TakenList, TakenOpinions};
use crate::catalog::music::{Opinion, Target};
use crate::catalog::{Catalog, Id};
use crate::library::move_in::report::MusicMoveInReport;
use crate::library::move_in::{BATCH, MoveInError};

impl Sides {
    fn track(&self, id: &Id) -> Option<i64> {
        self.numbers.get(&(Kind::Song, id.clone())).copied()
    }

    /// The tracks that are here, in the same order.
    fn tracks(&self, ids: &[Id]) -> Vec<i64> {
        ids.iter().filter_map(|id| self.track(id)).collect()
    }
}

/// Takes over stars, ratings, and how often things were heard.
pub(super) async fn opinions(
    catalog: &Catalog,
    sides: &Sides,
    people: &People,
    rehearse: bool,
    report: &mut MusicMoveInReport,
) -> Result<(), MoveInError> {
    let told = &mut report.opinions;
    let (facts, not_here) = told_of(sides, people);
    told.not_here = not_here;
    for batch in facts.chunks(BATCH) {
        let TakenOpinions { stars, ratings, plays, known, disagree } =
            catalog.take_opinions(batch.to_vec(), rehearse).await?;
        told.stars += stars;
        told.ratings += ratings;
        told.plays += plays;
        told.known += known;
        for fact in disagree.into_iter().filter_map(|at| batch.get(at)) {
            report.conflicts.add(|| format!("{}: rated here too, and stays so", named(sides, fact.target)));
        }
    }
    Ok(())
}

/// One fact for each account and thing, in order; several of Navidrome's may be one here. And how many are of what is not here.
fn told_of(sides: &Sides, people: &People) -> (Vec<MovedOpinion>, u64) {
    let (mut facts, mut not_here): (Vec<MovedOpinion>, u64) = (Vec::new(), 0);
    let mut places: HashMap<(&Id, Target), usize> = HashMap::new();
    for one in sides.kept.annotations.iter().filter(|one| says_anything(one)) {
        let number = sides.numbers.get(&(one.kind, one.item.clone()));
        let Some((account, number)) = people.get(&one.user).zip(number) else {
            not_here += 1;
            continue;
        };
        let target = if one.kind == Kind::Artist { Target::Artist(*number) } else { Target::Item(*number) };
        let at = *places.entry((account, target)).or_insert(facts.len());
        if at == facts.len() {
            facts.push(MovedOpinion { account: account.clone(), target, told: Opinion::default() });
        }
        let told = &mut facts[at].told;
        told.starred_at = [told.starred_at, one.starred_at].into_iter().flatten().min();
        told.rating = told.rating.or(one.rating);
        told.plays = told.plays.saturating_add(one.plays);
        told.played_at = told.played_at.max(one.played_at);
    }
    (facts, not_here)
}

/// Whatever once had a star or a rating has a row that says so, and what is taken back has to be told too.
fn says_anything(one: &Annotation) -> bool {
    !one.user.is_empty() && !one.item.is_empty()
}

/// A thing as a person knows it, for a report.
fn named(sides: &Sides, target: Target) -> String {
    let (kinds, number): (&[Kind], i64) = match target {
        Target::Item(n) => (&[Kind::Song, Kind::Album], n),
        Target::Artist(n) | Target::Directory(n) => (&[Kind::Artist], n),
    };
    let id = sides.numbers.iter().find(|((kind, _), found)| **found == number && kinds.contains(kind));
    let Some(((kind, id), _)) = id else { return String::new() };
    let kept = &sides.kept;
    let name = match kind {
        Kind::Song => kept.songs.iter().find(|one| one.id == *id).map(|one| format!("{} - {}", one.artist, one.title)),
        Kind::Album => kept.albums.iter().find(|(album, _)| album == id).map(|(_, name)| name.clone()),
        Kind::Artist => kept.artists.iter().find(|one| one.id == *id).map(|one| one.name.clone()),
    };
    name.unwrap_or_default()
}

/// Takes over playlists, with their ids.
pub(super) async fn playlists(
    catalog: &Catalog,
    sides: &Sides,
    people: &People,
    rehearse: bool,
    report: &mut MusicMoveInReport,
) -> Result<(), MoveInError> {
    for list in &sides.kept.playlists {
        let tracks = sides.tracks(&list.songs);
        report.playlists.not_here += (list.songs.len() - tracks.len()) as u64;
        let taken = match people.get(&list.owner) {
            None => TakenList::Refused("whose it is has no account here"),
            Some(_) if tracks.is_empty() && !list.songs.is_empty() => {
                TakenList::Refused("nothing that is in it is here")
            }
            Some(owner) => catalog.take_playlist(moved(list, owner, tracks), rehearse).await?,
        };
        let told = &mut report.playlists;
        match taken {
            TakenList::Added => told.added += 1,
            TakenList::Changed => told.changed += 1,
            TakenList::Same => told.same += 1,
            TakenList::Removed => told.removed += 1,
            TakenList::Refused(why) => {
                told.refused += 1;
                report.conflicts.add(|| format!("playlist {}: {why}", list.name));
            }
        }
    }
    Ok(())
}

fn moved(list: &Playlist, owner: &Id, tracks: Vec<i64>) -> MovedPlaylist {
    MovedPlaylist {
        id: list.id.clone(),
        owner: owner.clone(),
        name: list.name.clone(),
        comment: list.comment.clone(),
        public: list.public,
        tracks,
        created_at: list.created_at,
        changed_at: list.changed_at,
    }
}

/// Takes over places in tracks that people marked.
pub(super) async fn bookmarks(
    catalog: &Catalog,
    sides: &Sides,
    people: &People,
    rehearse: bool,
    report: &mut MusicMoveInReport,
) -> Result<(), MoveInError> {
    let mut facts = Vec::new();
    for mark in &sides.kept.bookmarks {
        let Some((account, item)) = people.get(&mark.user).zip(sides.track(&mark.song)) else { continue };
        facts.push(MovedBookmark {
            account: account.clone(),
            item,
            position_ms: mark.position_ms,
            comment: mark.comment.clone(),
            created_at: mark.created_at,
            changed_at: mark.changed_at,
        });
    }
    report.bookmarks.not_here = (sides.kept.bookmarks.len() - facts.len()) as u64;
    for batch in facts.chunks(BATCH) {
        let taken = catalog.take_bookmarks(batch.to_vec(), rehearse).await?;
        report.bookmarks.taken += taken.taken;
        report.bookmarks.known += taken.known;
    }
    Ok(())
}

/// Takes over what people hear now and next.
pub(super) async fn queues(
    catalog: &Catalog,
    sides: &Sides,
    people: &People,
    rehearse: bool,
    report: &mut MusicMoveInReport,
) -> Result<(), MoveInError> {
    for queue in &sides.kept.queues {
        let tracks = sides.tracks(&queue.songs);
        let Some(account) = people.get(&queue.user).filter(|_| !tracks.is_empty()) else {
            report.queues.not_here += 1;
            continue;
        };
        // What plays may not be here, or have another place among those that are.
        let playing = queue.current.and_then(|at| Some((at, sides.track(queue.songs.get(at)?)?)));
        let current = playing.map(|(at, _)| sides.tracks(&queue.songs[..at]).len());
        let moved = MovedQueue {
            account: account.clone(),
            current,
            position_ms: if current.is_some() { queue.position_ms } else { 0 },
            tracks,
            changed_at: queue.changed_at,
            changed_by: queue.changed_by.clone(),
        };
        if catalog.take_queue(moved, rehearse).await? {
            report.queues.taken += 1;
        } else {
            report.queues.known += 1;
        }
    }
    Ok(())
}
