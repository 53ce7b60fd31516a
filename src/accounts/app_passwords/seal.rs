//! How an app password lies in the database: sealed, so that its owner can see it again and tokens can be checked, and as a keyed
//! digest to look it up by. Both keys are derived from one secret that is kept beside the database.
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;

use crate::accounts::{AccountsError, TokenHash};

const KEY_BYTES: usize = 32;
/// What the two keys are derived for.
const SEALING: &[u8] = b"potluck app password sealing 1";
const LOOKING_UP: &[u8] = b"potluck app password digest 1";

/// The secret that app passwords are sealed with.
#[derive(Clone)]
pub struct AppKey([u8; KEY_BYTES]);

impl AppKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// What to keep of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(***)")
    }
}

/// Seals, opens and digests.
pub(in crate::accounts) struct Seals {
    sealing: RandomizedNonceKey,
    looking_up: hmac::Key,
}

struct KeyBytes;

impl KeyType for KeyBytes {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Seals {
    pub fn new(key: &AppKey) -> Result<Self, AccountsError> {
        let failed = |_| AccountsError::Hash("the key of app passwords derives nothing".to_owned());
        let derived = Salt::new(HKDF_SHA256, &[]).extract(&key.0);
        let derive = |what: &[u8]| {
            let mut bytes = [0; KEY_BYTES];
            derived.expand(&[what], KeyBytes).and_then(|key| key.fill(&mut bytes)).map(|()| bytes)
        };
        Ok(Self {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &derive(SEALING).map_err(failed)?).map_err(failed)?,
            looking_up: hmac::Key::new(hmac::HMAC_SHA256, &derive(LOOKING_UP).map_err(failed)?),
        })
    }

    pub fn digest(&self, bare: &str) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.looking_up, bare.as_bytes()).as_ref());
        TokenHash::from(hash)
    }

    /// Nonce, what is sealed, tag.
    pub fn seal(&self, account: &str, id: &str, password: &str) -> Result<Vec<u8>, AccountsError> {
        let mut content = password.as_bytes().to_vec();
        let nonce = self.sealing.seal_in_place_append_tag(bound(account, id), &mut content);
        let nonce = nonce.map_err(|_| AccountsError::Hash("an app password could not be sealed".to_owned()))?;
        Ok([nonce.as_ref().as_slice(), &content].concat())
    }

    /// `None` where it was sealed with another key, for another row, or was changed.
    pub fn open(&self, account: &str, id: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, content) = sealed.split_at_checked(NONCE_LEN)?;
        let mut content = content.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.sealing.open_in_place(nonce, bound(account, id), &mut content).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// Ids are UUIDs of one length, so nothing needs to stand between them.
fn bound(account: &str, id: &str) -> Aad<Vec<u8>> {
    Aad::from([account.as_bytes(), id.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals(byte: u8) -> Seals {
        Seals::new(&AppKey::new([byte; KEY_BYTES])).unwrap()
    }

    #[test]
    fn a_password_is_opened_in_its_own_row_and_with_its_own_key_only() {
        let sealed = seals(1).seal("ada", "one", "secret").unwrap();
        assert_eq!(seals(1).open("ada", "one", &sealed).as_deref(), Some("secret"));
        assert_eq!(seals(2).open("ada", "one", &sealed), None);
        assert_eq!(seals(1).open("bob", "one", &sealed), None);
        assert_eq!(seals(1).open("ada", "two", &sealed), None);
        let mut changed = sealed.clone();
        changed[NONCE_LEN] ^= 1;
        assert_eq!(seals(1).open("ada", "one", &changed), None);
        assert_eq!(seals(1).open("ada", "one", &sealed[..5]), None);
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn the_same_password_is_sealed_otherwise_each_time_and_looked_up_alike() {
        let seals = seals(1);
        assert_ne!(seals.seal("ada", "one", "x").unwrap(), seals.seal("ada", "one", "x").unwrap());
        assert_eq!(seals.digest("x"), seals.digest("x"));
        assert_ne!(seals.digest("x"), super::tests::seals(2).digest("x"), "a digest is worth nothing without the key");
    }
}
