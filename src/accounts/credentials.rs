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

    /// Of a secret of which only the SHA-512 came here, from elsewhere. Another hash than that of any secret: it begins with a
    /// byte that no header and no path can hold, so that who knows the SHA-512 knows nothing that opens anything.
    #[must_use]
    pub fn of_sha512(sha512: &[u8; 64]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"\0sha512\0");
        context.update(sha512);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    /// The same of the secret itself.
    pub(super) fn through_sha512(secret: &str) -> Self {
        let mut sha512 = [0; 64];
        sha512.copy_from_slice(digest::digest(&digest::SHA512, secret.as_bytes()).as_ref());
        Self::of_sha512(&sha512)
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
    fn the_sha512_of_a_secret_opens_nothing_by_itself() {
        let (secret, hex) = ("0123456789abcdef0123456789abcdef", |bytes: &[u8]| HEXLOWER.encode(bytes));
        let sha512 = hex(digest::digest(&digest::SHA512, secret.as_bytes()).as_ref());
        let kept = TokenHash::through_sha512(secret);
        assert_ne!(TokenHash::of(secret), kept);
        for leaked in [sha512.clone(), sha512.to_uppercase(), hex(kept.bytes())] {
            assert!(TokenHash::of(&leaked) != kept && TokenHash::through_sha512(&leaked) != kept);
        }
    }

    #[test]
    fn a_hash_in_a_log_does_not_give_the_hash() {
        assert!(format!("{:?}", TokenHash::of("x")).len() < 12);
    }
}
