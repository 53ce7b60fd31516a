//! Tells the block index that files have other paths now, also where they took each other's.
use std::collections::HashSet;
use std::path::PathBuf;

use crate::blocks::Blocks;
use crate::content::Cid;
use crate::database::DatabaseError;

/// A file that moved.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub from: PathBuf,
    pub to: PathBuf,
    /// What it holds; `None` for a file that was never hashed.
    pub cid: Option<Cid>,
}

/// Gives each file its new path. Returns for each whether the index holds it there now; what it does not hold must be read
/// again.
pub(super) async fn relocate(blocks: &Blocks, moves: &[Path]) -> Result<Vec<bool>, DatabaseError> {
    let from: HashSet<&PathBuf> = moves.iter().map(|path| &path.from).collect();
    let mut kept = Vec::with_capacity(moves.len());
    let mut parked = Vec::new();
    for path in moves {
        let Some(cid) = path.cid else {
            kept.push(true);
            continue;
        };
        let known = holds(blocks, &path.from, &cid).await?;
        // A kill after the index was written and before the catalog was leaves the index ahead.
        let arrived = !known && holds(blocks, &path.to, &cid).await?;
        if known && path.from != path.to {
            if from.contains(&path.to) {
                // Its new path is another's old one: wait beside it until that one has left.
                let beside = parking(path);
                blocks.relocate(&path.from, &beside).await?;
                parked.push((beside, &path.to));
            } else {
                blocks.relocate(&path.from, &path.to).await?;
            }
        }
        kept.push(known || arrived);
    }
    for (beside, to) in parked {
        blocks.relocate(&beside, to).await?;
    }
    Ok(kept)
}

/// A path that no file has: a name with a slash cannot be.
fn parking(path: &Path) -> PathBuf {
    path.from.join("moving").join(path.to.strip_prefix("/").unwrap_or(&path.to))
}

async fn holds(blocks: &Blocks, path: &std::path::Path, cid: &Cid) -> Result<bool, DatabaseError> {
    Ok(blocks.imported(path).await?.is_some_and(|imported| imported.cid == *cid))
}
