//! Decides which item a file is. Pure: who calls has looked at the disk and the catalog, and acts on the answer.
//!
//! An item belongs to its content and its place together. Content is the stronger sign: a file that is known and missed
//! elsewhere is that item, wherever it turns up. Where the content is new, the place decides: an edit keeps its item.
//! Two steps, so that only what cannot be recognised by [`by_stat`] is read for [`by_content`].
use std::path::Path;

use crate::catalog::record::{Known, Stat};
use crate::content::Cid;

/// What is at the place where the catalog last saw a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whereabouts {
    /// The file itself, unchanged: whoever looks like it is a copy or a second link.
    There,
    /// Nothing, or another file: it was moved, replaced or deleted.
    Missing,
    /// Nobody can tell: its library or the disk it was on is away.
    Away,
}

/// A known item that a file might be.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub known: Known,
    pub whereabouts: Whereabouts,
}

/// What is said of a file before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recognised {
    /// The item that was here; nothing of it changed.
    Same(i64),
    /// This item, which was elsewhere; its bytes need no reading.
    Moved(i64),
    /// Its bytes must be read to tell.
    Unknown,
}

/// What is said of a file once it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identified {
    /// The item that was here, with the bytes it had.
    Same(i64),
    /// This item, which was elsewhere or in the trash.
    Moved(i64),
    /// The item that was here, with other bytes.
    Edited(i64),
    /// No item of the catalog; perhaps a copy of one.
    New,
}

/// Decides by size, modification time and inode. `here` is the item that the catalog has at this place (not in the trash),
/// `candidates` are all other items with this size, time and inode.
pub(super) fn by_stat(place: &Path, stat: &Stat, here: Option<&Known>, candidates: &[Candidate]) -> Recognised {
    if let Some(here) = here.filter(|here| here.stat.same_but_device(stat)) {
        return Recognised::Same(here.item);
    }
    let moved = candidates.iter().filter(|c| {
        // Inodes are numbers of one device. After a re-mount the device has another number, but the file its old place
        // below the root of the library.
        let same_disk = c.known.stat.device == stat.device || c.known.place == place;
        c.known.stat.same_but_device(stat) && same_disk && c.whereabouts != Whereabouts::There
    });
    moved.max_by_key(|c| likeness(place, &c.known)).map_or(Recognised::Unknown, |c| Recognised::Moved(c.known.item))
}

/// Decides by content. `here` is the item at this place: present, or in the trash if its file came back. `candidates` are
/// all items with this content.
pub(super) fn by_content(
    place: &Path,
    cid: Option<&Cid>,
    here: Option<&Known>,
    candidates: &[Candidate],
) -> Identified {
    if let Some(here) = here.filter(|here| cid.is_some() && here.cid.as_deref() == cid) {
        return Identified::Same(here.item);
    }
    let missed = candidates.iter().filter(|c| c.known.cid.as_deref() == cid && c.whereabouts == Whereabouts::Missing);
    if let Some(moved) = missed.filter(|_| cid.is_some()).max_by_key(|c| likeness(place, &c.known)) {
        return Identified::Moved(moved.known.item);
    }
    here.map_or(Identified::New, |here| Identified::Edited(here.item))
}

/// Of several items that a file could be: the one at this place, then one of this name, then one that was not in the trash, then
/// the oldest.
fn likeness(place: &Path, known: &Known) -> (bool, bool, bool, std::cmp::Reverse<i64>) {
    let same_name = known.place.file_name() == place.file_name();
    (known.place == place, same_name, !known.gone, std::cmp::Reverse(known.item))
}

/// Why files of a library that were not found are believed to be deleted, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// Into the trash.
    Deleted,
    /// Unavailable: they are expected back.
    Away,
}

/// What is known of one file that was not found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    /// It lies below a folder, or behind a link, that could not be read.
    pub unreadable: bool,
    /// Device it was last seen on.
    pub device: u64,
    /// Device of the nearest folder above it that still exists.
    pub folder_device: u64,
    /// No file of the library was seen on `device` in this scan, and no unchanged file shows that the device was numbered
    /// anew.
    pub device_gone: bool,
    /// Milliseconds since it was first not found.
    pub missing_for: i64,
}

/// Files that must be missed at once, at least, for the majority rule.
const MAJORITY_MIN: usize = 50;
/// How long a missing majority is doubted.
const DOUBT_MS: i64 = 24 * 60 * 60 * 1000;

/// Whether a file that was not found was deleted. `missing` and `known` count the files of the library that were not found
/// and that were expected.
pub(super) fn absence(file: &Missing, missing: usize, known: usize) -> Absence {
    // Where a disk was mounted, its folder is empty and on the disk of the folder around it.
    let unmounted = file.device_gone && file.folder_device != file.device;
    // A pool of disks has one device number: when one disk is away, a large part of the files is, and all at once.
    let majority = missing >= MAJORITY_MIN && missing * 2 > known && file.missing_for < DOUBT_MS;
    if file.unreadable || unmounted || majority { Absence::Away } else { Absence::Deleted }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::catalog::{ItemState, LibraryState};
    use crate::content::cid::of_raw;

    const FILE: Stat = Stat { size: 10, modified_ns: 20, inode: 30, device: 40 };

    fn known(item: i64, place: &str, stat: Stat, content: &[u8]) -> Known {
        Known {
            item,
            library: "films".to_owned(),
            place: PathBuf::from(place),
            gone: false,
            stat,
            cid: Some(Box::new(of_raw(content))),
            state: ItemState::Present,
            library_state: LibraryState::Available,
            described: 0,
            retry: false,
            indexed_as: None,
            missing_at: None,
        }
    }

    fn candidate(known: Known, whereabouts: Whereabouts) -> Candidate {
        Candidate { known, whereabouts }
    }

    #[test]
    fn the_whole_table_by_stat() {
        use Recognised::{Moved, Same, Unknown};
        use Whereabouts::{Away, Missing, There};
        let touched = Stat { modified_ns: 21, ..FILE };
        let remounted = Stat { device: 41, ..FILE };
        let here = |stat| Some(known(1, "a.mkv", stat, b"a"));
        let other = |place, stat, whereabouts| vec![candidate(known(2, place, stat, b"b"), whereabouts)];
        let cases: &[(&str, Option<Known>, Vec<Candidate>, Recognised)] = &[
            ("unchanged", here(FILE), vec![], Same(1)),
            ("unchanged on a disk mounted anew", here(remounted), vec![], Same(1)),
            ("unchanged, and linked elsewhere", here(FILE), other("b.mkv", FILE, There), Same(1)),
            ("touched or edited", here(touched), vec![], Unknown),
            ("new", None, vec![], Unknown),
            ("renamed or moved", None, other("b.mkv", FILE, Missing), Moved(2)),
            ("moved onto another, or swapped", here(touched), other("b.mkv", FILE, Missing), Moved(2)),
            ("a second link", None, other("b.mkv", FILE, There), Unknown),
            ("re-mounted below another library", None, other("a.mkv", remounted, Missing), Moved(2)),
            ("the library it was in is away", None, other("a.mkv", remounted, Away), Moved(2)),
            ("the folder it was in was renamed", None, other("x/a.mkv", FILE, Away), Moved(2)),
            ("the same inode of another disk", None, other("b.mkv", remounted, Missing), Unknown),
        ];
        for (what, here, candidates, wanted) in cases {
            assert_eq!(by_stat(Path::new("a.mkv"), &FILE, here.as_ref(), candidates), *wanted, "{what}");
        }
    }

    #[test]
    fn the_whole_table_by_content() {
        use Identified::{Edited, Moved, New, Same};
        use Whereabouts::{Away, Missing, There};
        let cid = of_raw(b"bytes");
        let here = |content: &[u8]| Some(known(1, "a.mkv", FILE, content));
        let other = |whereabouts| vec![candidate(known(2, "b.mkv", FILE, b"bytes"), whereabouts)];
        let cases: &[(&str, Option<Known>, Vec<Candidate>, Identified)] = &[
            ("touched, copied back, or on a disk with other inodes", here(b"bytes"), vec![], Same(1)),
            ("the same, although a copy is missed elsewhere", here(b"bytes"), other(Missing), Same(1)),
            ("edited in place, or written anew and renamed", here(b"old"), vec![], Edited(1)),
            ("overwritten with a copy of another", here(b"old"), other(There), Edited(1)),
            ("swapped by copying", here(b"old"), other(Missing), Moved(2)),
            ("moved from another disk", None, other(Missing), Moved(2)),
            ("a copy", None, other(There), New),
            ("a copy of what is on a disk that is away", None, other(Away), New),
            ("new", None, vec![], New),
        ];
        for (what, here, candidates, wanted) in cases {
            assert_eq!(by_content(Path::new("a.mkv"), Some(&cid), here.as_ref(), candidates), *wanted, "{what}");
        }
        assert_eq!(by_content(Path::new("a.mkv"), None, here(b"old").as_ref(), &[]), Edited(1), "became unreadable");
        assert_eq!(by_content(Path::new("a.mkv"), None, None, &[]), New, "new and unreadable");
    }

    #[test]
    fn of_several_missing_twins_the_most_alike_moved() {
        let twin = |item, place: &str, gone| {
            candidate(Known { gone, ..known(item, place, FILE, b"bytes") }, Whereabouts::Missing)
        };
        let pick = |candidates: &[Candidate]| by_stat(Path::new("new/a.mkv"), &FILE, None, candidates);
        assert_eq!(pick(&[twin(1, "b.mkv", false), twin(2, "x/a.mkv", true)]), Recognised::Moved(2), "of this name");
        assert_eq!(pick(&[twin(1, "b.mkv", true), twin(2, "c.mkv", false)]), Recognised::Moved(2), "not in the trash");
        assert_eq!(pick(&[twin(2, "b.mkv", false), twin(1, "c.mkv", false)]), Recognised::Moved(1), "the oldest");
    }

    #[test]
    fn the_whole_table_of_absence() {
        let gone = Missing { unreadable: false, device: 1, folder_device: 1, device_gone: false, missing_for: 0 };
        let away = Missing { device_gone: true, folder_device: 2, ..gone };
        let cases: &[(&str, Missing, usize, usize, Absence)] = &[
            ("deleted", gone, 1, 2, Absence::Deleted),
            (
                "deleted with its disk's last files, folder still there",
                Missing { device_gone: true, ..gone },
                2,
                9,
                Absence::Deleted,
            ),
            ("below a folder that cannot be read", Missing { unreadable: true, ..gone }, 1, 2, Absence::Away),
            ("on a disk mounted inside the library that is away", away, 3, 9, Absence::Away),
            ("on another disk that has other files", Missing { device_gone: false, ..away }, 3, 9, Absence::Deleted),
            ("most of a large library at once", gone, 60, 100, Absence::Away),
            (
                "most of a large library since a day",
                Missing { missing_for: DOUBT_MS, ..gone },
                60,
                100,
                Absence::Deleted,
            ),
            ("most of a small library", gone, 6, 10, Absence::Deleted),
            ("a part of a large library", gone, 60, 1000, Absence::Deleted),
        ];
        for (what, file, missing, known, wanted) in cases {
            assert_eq!(absence(file, *missing, *known), *wanted, "{what}");
        }
    }
}
