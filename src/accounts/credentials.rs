//! Secrets that a machine makes: 256 random bits, shown once, kept as their SHA-256. No slow hash is needed where nothing
//! can be guessed.
use std::fmt;

use aws_lc_rs::digest;
use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// Start of every API key, so that a person and a secret scanner recognise one.
pub(super) const KEY_PREFIX: &str = "pk_";

/// SHA-256 of a secret: what is stored and compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of the secret as it was handed out.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
        Self(hash)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for TokenHash {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl fmt::Debug for TokenHash {
    /// The first bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..", HEXLOWER.encode(&self.0[..4]))
    }
}

/// 256 random bits in lower-case base32.
pub(super) fn random_token() -> String {
    BASE32_NOPAD.encode(&rand::random::<[u8; 32]>()).to_ascii_lowercase()
}

/// 128 random bits in lower-case base 16.
pub(super) fn random_hex() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_and_is_never_the_same() {
        assert_eq!(random_token().len(), 52);
        assert_ne!(random_token(), random_token());
    }

    #[test]
    fn a_hash_in_a_log_does_not_give_the_hash() {
        assert!(format!("{:?}", TokenHash::of("x")).len() < 12);
    }
}
