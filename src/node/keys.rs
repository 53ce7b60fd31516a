//! The node's own name: an Ed25519 key pair, made once. Its public half in base32 is the node's id. And the key of app passwords,
//! which is of no use without the database, as the database is without it.
use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE32_NOPAD;

use super::NodeError;
use super::folder::write_secret;
use crate::accounts::AppKey;

/// Key pair of a node.
pub struct NodeKey {
    pair: Ed25519KeyPair,
}

impl NodeKey {
    /// Makes a key and keeps it in a new file (mode 0600, PKCS #8).
    ///
    /// # Errors
    /// [`NodeError::Key`] when the file is there already or cannot be written.
    pub fn create(path: &Path) -> Result<Self, NodeError> {
        let pair = Ed25519KeyPair::generate().map_err(|e| key_error(path, e))?;
        let document = pair.to_pkcs8().map_err(|e| key_error(path, e))?;
        write_secret(path, document.as_ref()).map_err(|e| key_error(path, e))?;
        Ok(Self { pair })
    }

    /// Reads the key of a node.
    ///
    /// # Errors
    /// [`NodeError::Key`] when it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, NodeError> {
        let document = fs::read(path).map_err(|e| key_error(path, e))?;
        let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(|e| key_error(path, e))?;
        Ok(Self { pair })
    }

    /// What the key is made from: for the carrier that proves to other nodes who this one is.
    ///
    /// # Errors
    /// When the library does not give it out.
    pub fn secret(&self) -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
        let seed: Curve25519SeedBin<'static> = self.pair.seed()?.as_be_bytes()?;
        seed.as_ref().try_into().map_err(|_| aws_lc_rs::error::Unspecified)
    }

    /// The node's id: its public key, base32, lower case, 52 characters.
    #[must_use]
    pub fn id(&self) -> String {
        BASE32_NOPAD.encode(self.pair.public_key().as_ref()).to_ascii_lowercase()
    }
}

/// Reads the key of app passwords; makes it (mode 0600, 32 bytes) where there is none yet.
///
/// # Errors
/// [`NodeError::Key`] when it cannot be read or written, or is none.
pub(super) fn app_key(path: &Path) -> Result<AppKey, NodeError> {
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map(AppKey::new).map_err(|_| key_error(path, "it does not have 32 bytes")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = AppKey::random();
            write_secret(path, key.bytes()).map_err(|e| key_error(path, e))?;
            Ok(key)
        }
        Err(error) => Err(key_error(path, error)),
    }
}

/// Reads the seed of the key of the host in the network of IPFS; makes it (mode 0600, 32 bytes) where there is none yet. It is
/// another than the node's, so that nobody there learns by which key friends know the node.
///
/// # Errors
/// [`NodeError::Key`] when it cannot be read or written, or is none.
pub(super) fn seed(path: &Path) -> Result<[u8; 32], NodeError> {
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| key_error(path, "it does not have 32 bytes")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed: [u8; 32] = rand::random();
            write_secret(path, &seed).map_err(|e| key_error(path, e))?;
            Ok(seed)
        }
        Err(error) => Err(key_error(path, error)),
    }
}

fn key_error(path: &Path, reason: impl std::fmt::Display) -> NodeError {
    NodeError::Key { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_read_back_with_the_same_id_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let made = NodeKey::create(&path).unwrap();
        assert_eq!(made.id(), NodeKey::read(&path).unwrap().id());
        assert_eq!(made.id().len(), 52);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(NodeKey::create(&path).is_err(), "a key is never written over");
    }

    #[test]
    fn the_key_of_app_passwords_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apps.key");
        let made = app_key(&path).unwrap();
        assert_eq!(made.bytes(), app_key(&path).unwrap().bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short").unwrap();
        assert!(matches!(app_key(&path), Err(NodeError::Key { .. })), "a damaged one is not replaced silently");
    }
}
