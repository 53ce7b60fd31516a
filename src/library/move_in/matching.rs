//! Which book and which series here is which of Komga's: by their places, and what moved by its content.
//!
//! Blocking: reads files whose size is that of one that is missed.
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::komga::{Book, Kept, Series};
use super::roots::{Placed, Roots};
use crate::catalog::Id;
use crate::catalog::moved_in::{BookPlace, SeriesPlace};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Digits of a hash that can be compared.
const HASH_LEN: usize = 32;

/// By what something was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Path,
    Content,
    Name,
}

/// What something of Komga's is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Number of the item.
    pub item: i64,
    pub how: How,
    /// Nothing else of Komga's is this item, or came before.
    pub first: bool,
}

/// What lies in our libraries.
#[derive(Default)]
pub(super) struct Shelves {
    books: Vec<(Id, BookPlace)>,
    by_place: HashMap<Placed, usize>,
    by_size: HashMap<u64, Vec<usize>>,
    series_of: HashMap<i64, i64>,
    series_at: HashMap<Placed, i64>,
}

impl Shelves {
    /// Adds a library.
    pub fn add(&mut self, library: &str, books: Vec<BookPlace>, series: Vec<SeriesPlace>) {
        for book in books {
            let n = self.books.len();
            if !book.gone {
                self.by_place.insert((library.to_owned(), book.place.clone()), n);
                self.by_size.entry(book.size).or_default().push(n);
            }
            self.series_of.extend(book.series.map(|series| (book.item, series)));
            self.books.push((library.to_owned(), book));
        }
        for one in series {
            self.series_at.insert((library.to_owned(), one.place), one.item);
        }
    }

    /// What each of Komga's books is, in their order.
    pub fn books(&self, kept: &Kept, roots: &Roots) -> Vec<Option<Match>> {
        let mut finder = Finder { shelves: self, roots, taken: HashSet::new(), hashes: HashMap::new() };
        let mut found = vec![None; kept.books.len()];
        // What is where it was comes first, then what moved, and what Komga believes to be gone last.
        for (trashed, moved) in [(false, false), (false, true), (true, false), (true, true)] {
            for (n, book) in kept.books.iter().enumerate().filter(|(_, book)| book.trashed == trashed) {
                if found[n].is_none() {
                    found[n] = if moved { finder.moved(book) } else { finder.in_place(book) };
                }
            }
        }
        found
    }

    /// What each of Komga's series is, in their order, once its books are known.
    pub fn series(&self, kept: &Kept, roots: &Roots, books: &[Option<Match>]) -> Vec<Option<Match>> {
        let (mut votes, mut sizes): (HashMap<&str, HashMap<i64, u64>>, HashMap<i64, u64>) = Default::default();
        for (book, found) in kept.books.iter().zip(books) {
            let Some(found) = found.filter(|found| found.first || book.trashed) else { continue };
            let Some(series) = self.series_of.get(&found.item) else { continue };
            *votes.entry(&book.series).or_default().entry(*series).or_default() += 1;
            *sizes.entry(*series).or_default() += u64::from(found.first);
        }
        let mut taken = HashSet::new();
        let mut found = vec![None; kept.series.len()];
        for (trashed, by_place) in [(false, true), (false, false), (true, true), (true, false)] {
            for (n, one) in kept.series.iter().enumerate().filter(|(_, one)| one.trashed == trashed) {
                if found[n].is_some() {
                    continue;
                }
                let empty = HashMap::new();
                let votes = votes.get(one.id.as_str()).unwrap_or(&empty);
                // Where many of Komga's series are one here, it is none of them.
                let mostly = |item: &i64| trashed || votes[item] * 2 > sizes.get(item).copied().unwrap_or_default();
                let item = if by_place { self.at_place(one, roots, votes) } else { most(votes).filter(mostly) };
                let how = if by_place { How::Path } else { How::Content };
                found[n] = item.map(|item| Match { item, how, first: taken.insert(item) });
            }
        }
        found
    }

    /// The series in this folder, unless its books are in another.
    fn at_place(&self, one: &Series, roots: &Roots, votes: &HashMap<i64, u64>) -> Option<i64> {
        let item = *self.series_at.get(&roots.place(&one.library, &super::places::of_url(&one.url)?)?)?;
        (votes.is_empty() || votes.contains_key(&item)).then_some(item)
    }
}

/// The one that most are for, and more than half.
fn most(votes: &HashMap<i64, u64>) -> Option<i64> {
    let all: u64 = votes.values().sum();
    votes.iter().find(|(_, count)| **count * 2 > all).map(|(item, _)| *item)
}

struct Finder<'a> {
    shelves: &'a Shelves,
    roots: &'a Roots,
    /// Numbers of items that something of Komga's is already.
    taken: HashSet<i64>,
    hashes: HashMap<usize, Option<String>>,
}

impl Finder<'_> {
    fn in_place(&mut self, book: &Book) -> Option<Match> {
        let place = self.roots.place(&book.library, &super::places::of_url(&book.url)?)?;
        let n = *self.shelves.by_place.get(&place)?;
        Some(self.take(n, How::Path))
    }

    fn take(&mut self, n: usize, how: How) -> Match {
        let item = self.shelves.books[n].1.item;
        Match { item, how, first: self.taken.insert(item) }
    }

    /// By size with the hash, or where there is none with the name, if only one has both.
    fn moved(&mut self, book: &Book) -> Option<Match> {
        let shelves = self.shelves;
        let same_size = shelves.by_size.get(&book.size).filter(|_| book.size > 0)?;
        // What is in Komga's trash may be what is known by another id already.
        let free = |n: &&usize| book.trashed || !self.taken.contains(&shelves.books[**n].1.item);
        let candidates: Vec<usize> = same_size.iter().filter(free).copied().collect();
        if book.hash.len() == HASH_LEN {
            let found = candidates
                .into_iter()
                .find(|n| self.hash(*n).is_some_and(|hash| hash.eq_ignore_ascii_case(&book.hash)))?;
            return Some(self.take(found, How::Content));
        }
        let name = super::places::of_url(&book.url)?.file_name()?.to_owned();
        let named = |n: &usize| shelves.books[*n].1.place.file_name() == Some(&name);
        let mut named = candidates.into_iter().filter(named);
        let only = named.next().filter(|_| named.next().is_none())?;
        Some(self.take(only, How::Name))
    }

    fn hash(&mut self, n: usize) -> Option<&str> {
        let hash = self.hashes.entry(n).or_insert_with(|| {
            let (library, book) = &self.shelves.books[n];
            let root = self.roots.ours().iter().find(|(id, _)| id == library).map(|(_, root)| root)?;
            hash_of(&root.join(&book.place)).ok()
        });
        hash.as_deref()
    }
}

/// XXH3 of 128 bits of a whole file, as Komga writes it.
fn hash_of(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Xxh3::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(format!("{:032x}", hasher.digest128())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The path of something as a person knows it, for a report.
pub(super) fn shown(url: &str) -> String {
    super::places::of_url(url)
        .map_or_else(|| url.chars().take(200).collect(), |path: PathBuf| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_published_algorithm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(hash_of(&path).unwrap(), "99aa06d3014798d86001c324468d497f");
    }

    #[test]
    fn a_series_is_the_one_that_holds_more_than_half_of_its_books() {
        assert_eq!(most(&HashMap::from([(1, 3), (2, 2)])), Some(1));
        assert_eq!(most(&HashMap::from([(1, 2), (2, 2)])), None);
        assert_eq!(most(&HashMap::new()), None);
    }
}
