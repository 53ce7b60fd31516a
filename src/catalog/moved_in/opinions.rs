//! Stars, ratings and plays from elsewhere. Of each, what was told last is kept: only what changed there since is taken, and what
//! was changed here stays.
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use super::Recall;
use crate::catalog::model::Id;
use crate::catalog::music::{Opinion, Target};

/// What an account thinks of something elsewhere, and how often it heard it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedOpinion {
    /// Account here.
    pub account: Id,
    pub target: Target,
    pub told: Opinion,
}

/// What became of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenOpinions {
    /// Set, or taken away.
    pub stars: u64,
    /// Set, or taken away.
    pub ratings: u64,
    /// That were added.
    pub plays: u64,
    /// Facts that told nothing new.
    pub known: u64,
    /// Those whose rating here is somebody's own: their places in the list.
    pub disagree: Vec<usize>,
}

/// See [`super::Catalog::take_opinions`].
pub(super) fn take(t: &Transaction<'_>, facts: &[MovedOpinion], now: i64) -> rusqlite::Result<TakenOpinions> {
    let mut taken = TakenOpinions::default();
    for (at, fact) in facts.iter().enumerate() {
        let (kind, number) = fact.target.parts();
        let recall = Recall { account: &fact.account, kind, target: number };
        let told = clamped(fact.told, now);
        let word = serde_json::json!([told.starred_at, told.rating, told.plays, told.played_at]).to_string();
        let before = recall.told(t)?;
        if before.as_ref() == Some(&word) {
            taken.known += 1;
            continue;
        }
        let (before, here) =
            (before.map(|word| parsed(&word)).unwrap_or_default(), here(t, &fact.account, fact.target)?);
        let (new, agrees) = merged(before, told, here);
        if !agrees {
            taken.disagree.push(at);
        }
        taken.stars += u64::from(new.starred_at != here.starred_at);
        taken.ratings += u64::from(new.rating != here.rating);
        taken.plays += u64::from(new.plays.saturating_sub(here.plays));
        if new == here {
            taken.known += 1;
        } else {
            write(t, &fact.account, fact.target, new)?;
        }
        recall.keep(t, &word)?;
    }
    Ok(taken)
}

/// Times that are yet to come are now.
fn clamped(told: Opinion, now: i64) -> Opinion {
    let sane = |at: Option<i64>| at.map(|at| at.clamp(0, now));
    Opinion { starred_at: sane(told.starred_at), played_at: sane(told.played_at), ..told }
}

fn parsed(word: &str) -> Opinion {
    let (starred_at, rating, plays, played_at) = serde_json::from_str(word).unwrap_or_default();
    Opinion { starred_at, rating, plays, played_at }
}

/// What is thought now, of what was told before, what is told now, and what is here; and whether a rating is left as it is here.
fn merged(before: Opinion, told: Opinion, here: Opinion) -> (Opinion, bool) {
    let starred_at = match (before.starred_at, told.starred_at) {
        (before, told) if before == told => here.starred_at,
        (_, Some(at)) => Some(here.starred_at.map_or(at, |here| here.min(at))),
        (Some(at), None) => here.starred_at.filter(|here| *here != at),
        (None, None) => here.starred_at,
    };
    let changed = before.rating != told.rating;
    let own = here.rating != before.rating && here.rating != told.rating;
    let new = Opinion {
        starred_at,
        rating: if changed && !own { told.rating } else { here.rating },
        plays: here.plays.saturating_add(told.plays.saturating_sub(before.plays)),
        played_at: here.played_at.max(told.played_at),
    };
    (new, !(changed && own))
}

fn here(t: &Transaction<'_>, account: &str, target: Target) -> rusqlite::Result<Opinion> {
    let (kind, number) = target.parts();
    let sql =
        "SELECT starred_at, rating, plays, played_at FROM opinion WHERE account = ?1 AND kind = ?2 AND target = ?3";
    let read =
        |r: &Row<'_>| Ok(Opinion { starred_at: r.get(0)?, rating: r.get(1)?, plays: r.get(2)?, played_at: r.get(3)? });
    Ok(t.prepare_cached(sql)?.query_row(params![account, kind, number], read).optional()?.unwrap_or_default())
}

fn write(t: &Transaction<'_>, account: &str, target: Target, new: Opinion) -> rusqlite::Result<()> {
    let (kind, number) = target.parts();
    let sql = "INSERT INTO opinion VALUES (:account, :kind, :target, :starred_at, :rating, :plays, :played_at) \
        ON CONFLICT (account, kind, target) DO UPDATE SET starred_at = excluded.starred_at, rating = excluded.rating, \
        plays = excluded.plays, played_at = excluded.played_at";
    let Opinion { starred_at, rating, plays, played_at } = new;
    t.prepare_cached(sql)?
        .execute(named_params! {
            ":account": account, ":kind": kind, ":target": number, ":starred_at": starred_at, ":rating": rating, ":plays": plays,
            ":played_at": played_at,
        })
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(starred_at: Option<i64>, rating: Option<u8>, plays: u32, played_at: Option<i64>) -> Opinion {
        Opinion { starred_at, rating, plays, played_at }
    }

    const NONE: Opinion = Opinion { starred_at: None, rating: None, plays: 0, played_at: None };

    #[test]
    fn what_is_told_first_is_added_to_what_is_here() {
        let told = opinion(Some(50), Some(4), 3, Some(70));
        assert_eq!(merged(NONE, told, NONE), (told, true));
        let here = opinion(Some(40), Some(2), 5, Some(90));
        assert_eq!(merged(NONE, told, here), (opinion(Some(40), Some(2), 8, Some(90)), false));
    }

    #[test]
    fn only_what_changed_there_since_is_taken_and_what_was_changed_here_stays() {
        let before = opinion(Some(50), Some(4), 3, Some(70));
        let told = opinion(None, Some(5), 4, Some(80));
        assert_eq!(merged(before, told, before), (told, true));
        // Heard twice, and starred and rated otherwise, here.
        let here = opinion(Some(60), Some(1), 5, Some(90));
        assert_eq!(merged(before, told, here), (opinion(Some(60), Some(1), 6, Some(90)), false));
        // The star and the rating were taken away here, and nothing of them is new there.
        assert_eq!(
            merged(before, opinion(Some(50), Some(4), 9, Some(99)), NONE),
            (opinion(None, None, 6, Some(99)), true)
        );
        // What is counted anew there takes nothing away.
        assert_eq!(merged(before, NONE, before).0.plays, 3);
    }
}
