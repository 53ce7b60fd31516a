//! Libraries of music, which the protocol calls folders and numbers.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::tree::Element;
use crate::accounts::Account;
use crate::catalog::{Id, Library};
use crate::facades::App;

/// A library of music on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// Follows from the id, so that it never changes.
    pub number: i64,
    pub id: Id,
    pub name: String,
    pub scanned_at: Option<i64>,
}

/// Those that an account may see, by name.
///
/// # Errors
/// [`Fault`] where the catalog cannot be read.
pub(super) async fn seen(app: &App, account: &Account) -> Result<Vec<Folder>, Fault> {
    let all = all(app).await?;
    Ok(all.into_iter().filter(|folder| account.may_see(&folder.id)).collect())
}

/// All of them.
///
/// # Errors
/// As [`seen`].
pub(super) async fn all(app: &App) -> Result<Vec<Folder>, Fault> {
    let libraries = app.node().catalog().own_libraries().await?;
    let music = libraries.into_iter().filter(|library| library.kind.is_heard());
    Ok(music.map(Folder::from).collect())
}

impl From<Library> for Folder {
    fn from(library: Library) -> Self {
        Self { number: number(&library.id), id: library.id, name: library.name, scanned_at: library.scanned_at }
    }
}

/// The protocol has whole numbers here, programs keep them in 32 bits with a sign, and some take 0 and -1 for words. The end of a
/// UUID is random: among a hundred libraries, two of the same number come once in a hundred thousand nodes.
pub(super) fn number(library: &str) -> i64 {
    let end = library.get(library.len().saturating_sub(8)..).unwrap_or_default();
    i64::from(u32::from_str_radix(end, 16).unwrap_or_default() & 0x7fff_ffff).max(1)
}

/// `getMusicFolders`
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let folders = seen(&call.app, call.account()?).await?;
    let element = |folder: Folder| Element::new().with("id", folder.number).with("name", folder.name);
    Ok(Answer::one("musicFolders", Element::new().many("musicFolder", folders.into_iter().map(element).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_small_number_that_follows_from_its_id() {
        assert_eq!(number("01890a5d-ac96-774b-bcce-b302099a8057"), 0x099a_8057);
        assert_eq!(number("01890a5d-ac96-774b-bcce-b302ffffffff"), 0x7fff_ffff);
        for odd in ["01890a5d-ac96-774b-bcce-b30200000000", "", "é", "no number"] {
            assert_eq!(number(odd), 1, "{odd}");
        }
    }
}
