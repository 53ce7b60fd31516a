//! Accounts with their passwords and keys, and how far each of them read.
//!
//! What an account could not see there it does not see here: what cannot be kept of its limits is made up for by seeing nothing
//! until somebody decides.
use std::collections::HashMap;

use super::komga::{Kept, User};
use super::report::MoveInReport;
use super::{BATCH, MoveInError, Sides};
use crate::accounts::{Accounts, MovedAccount, MovedKey};
use crate::catalog::moved_in::{MovedReading, is_id};
use crate::catalog::{Catalog, Id};

/// Ids of accounts here, by Komga's.
pub(super) type People = HashMap<Id, Id>;

/// Takes accounts in, with their keys.
pub(super) async fn take(
    catalog: &Catalog,
    accounts: &Accounts,
    sides: &Sides,
    rehearse: bool,
    report: &mut MoveInReport,
) -> Result<People, MoveInError> {
    let users: Vec<&User> = sides.kept.users.iter().filter(|user| is_id(&user.id)).collect();
    let all = sides.roots.sees_all(&catalog.own_libraries().await?);
    let moved: Vec<MovedAccount> = users.iter().map(|user| moved(user, sides, &all)).collect();
    let mut people = People::new();
    let told = &mut report.accounts;
    for (user, taken) in users.iter().zip(accounts.move_in(moved, rehearse).await?) {
        let new = taken.added;
        told.added += u64::from(new);
        told.known += u64::from(!new && taken.account.is_some());
        told.keys += taken.keys;
        told.keys_known += taken.keys_known;
        let limits = if new { notes(user) } else { Vec::new() };
        let name = &user.email;
        told.notes.extend(taken.notes.iter().chain(&limits).map(|note| format!("{name}: {note}")));
        people.extend(taken.account.map(|account| (user.id.clone(), account)));
    }
    Ok(people)
}

fn moved(user: &User, sides: &Sides, all: &Option<Vec<Id>>) -> MovedAccount {
    let libraries = match &user.libraries {
        _ if user.admin => None,
        _ if user.restricted || user.barred => Some(Vec::new()),
        Some(some) => Some(sides.roots.within(some.iter())),
        None => all.clone(),
    };
    let key = |key: &super::komga::Key| MovedKey {
        id: key.id.clone(),
        name: key.name.clone(),
        sha512: key.sha512,
        created_at: key.created_at,
    };
    MovedAccount {
        id: user.id.clone(),
        name: user.email.clone(),
        password: user.password.clone(),
        admin: user.admin,
        libraries,
        keys: user.keys.iter().filter(|key| is_id(&key.id)).map(key).collect(),
    }
}

fn notes(user: &User) -> Vec<String> {
    let mut notes = Vec::new();
    let closed = if user.admin { "" } else { "; it sees no library here until an admin gives it one" };
    if user.restricted {
        notes.push(format!("it was kept from some age ratings or labels, which is not done here{closed}"));
    }
    if user.barred {
        notes.push(format!("it might not read pages or take files, which every account may here{closed}"));
    }
    notes
}

/// Takes in how far they read.
pub(super) async fn take_reading(
    catalog: &Catalog,
    sides: &Sides,
    people: &People,
    rehearse: bool,
    report: &mut MoveInReport,
) -> Result<(), MoveInError> {
    let facts = facts(&sides.kept, sides, people);
    report.progress.not_here = (sides.kept.reading.len() - facts.len()) as u64;
    for batch in facts.chunks(BATCH) {
        let taken = catalog.take_reading(batch.to_vec(), rehearse).await?;
        report.progress.taken += taken.taken;
        report.progress.known += taken.known;
    }
    Ok(())
}

fn facts(kept: &Kept, sides: &Sides, people: &People) -> Vec<MovedReading> {
    let books: HashMap<&str, (i64, Option<u32>)> = kept
        .books
        .iter()
        .zip(&sides.books)
        .filter_map(|(book, found)| Some((book.id.as_str(), ((*found)?.item, book.epub_pages))))
        .collect();
    let fact = |told: &super::komga::Reading| {
        let (item, of) = *books.get(told.book.as_str())?;
        Some(MovedReading {
            account: people.get(&told.user)?.clone(),
            item,
            page: told.page,
            of,
            completed: told.completed,
            read_at: told.read_at,
            written_at: told.written_at,
        })
    };
    kept.reading.iter().filter_map(fact).collect()
}
