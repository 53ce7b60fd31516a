//! The files that are being played, with their cut lists: a few of them, the longest unused go first.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::renditions::Title;
use crate::content::Cid;

/// Files remembered. A cut list of a long film is some 50 KB.
const KEPT: usize = 64;

type Cell = Arc<OnceCell<Arc<Title>>>;

/// See the module. A file is measured once, however many ask at the same time.
#[derive(Default)]
pub(super) struct Titles {
    kept: Mutex<(HashMap<Cid, (Cell, u64)>, u64)>,
}

impl Titles {
    /// The place of a file, to be filled by whoever comes first.
    pub fn cell(&self, file: &Cid) -> Cell {
        let mut kept = self.kept.lock();
        let (titles, clock) = &mut *kept;
        *clock += 1;
        let (cell, used) = titles.entry(*file).or_default();
        *used = *clock;
        let cell = Arc::clone(cell);
        if titles.len() > KEPT
            && let Some(oldest) = titles.iter().min_by_key(|(_, (_, used))| *used).map(|(file, _)| *file)
        {
            titles.remove(&oldest);
        }
        cell
    }
}
