//! Seals what only one node shall read, so that it proves which node it comes from: HPKE (RFC 9180; X25519, HKDF-SHA-256,
//! AES-256-GCM) to the reader's sealing key, signed with the writer's node key (Ed25519).
//!
//! A node's sealing key is derived from its node key, so there is no second file to keep. Both nodes' ids are part of what is
//! sealed and of what is signed: a [`Sealed`] is worth nothing to anybody else, and nothing from anybody else.
use aws_lc_rs::agreement::{self, X25519};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::exchange::iroh::{KEY_BYTES, public_key, public_key_bytes};

/// What the sealing key is derived for, what is sealed, what is signed: no two of them mean the same bytes.
const DERIVED: &[u8] = b"potluck stand-in sealing key 1";
const SEALED: &[u8] = b"potluck stand-in sealed 1";
const SIGNED: &[u8] = b"potluck stand-in signed 1";

/// Why something could not be sealed or opened. What exactly is wrong helps only who made it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This node's key does not do what keys do.
    #[error("the node's key cannot seal")]
    Key,
    /// The reader's key is none.
    #[error("the other node's sealing key is none")]
    Reader,
    /// It was not made by that node for this one, or was changed since.
    #[error("this was not sealed by the node that brings it for this one")]
    Forged,
}

/// Sealed bytes, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sealed {
    /// What the reader derives the key from.
    pub secret: String,
    /// The bytes.
    pub content: String,
    /// The writer's, over both and the two nodes.
    pub signature: String,
}

/// The keys of this node, for sealing and opening.
pub struct Seals {
    id: String,
    signing: Ed25519KeyPair,
    opening: Vec<u8>,
    sealing_key: String,
}

struct KeyBytes;

impl KeyType for KeyBytes {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Seals {
    /// From the seed of the node's key.
    ///
    /// # Errors
    /// [`SealError::Key`].
    pub fn new(seed: &[u8; KEY_BYTES]) -> Result<Self, SealError> {
        let signing = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SealError::Key)?;
        let node: [u8; KEY_BYTES] = signing.public_key().as_ref().try_into().map_err(|_| SealError::Key)?;
        let mut opening = vec![0; KEY_BYTES];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(seed);
        derived.expand(&[DERIVED], KeyBytes).and_then(|key| key.fill(&mut opening)).map_err(|_| SealError::Key)?;
        let private = agreement::PrivateKey::from_private_key(&X25519, &opening).map_err(|_| SealError::Key)?;
        let public = private.compute_public_key().map_err(|_| SealError::Key)?;
        let sealing_key = BASE64URL_NOPAD.encode(public.as_ref());
        Ok(Self { id: public_key(&node), signing, opening, sealing_key })
    }

    /// What others seal with for this node.
    #[must_use]
    pub fn sealing_key(&self) -> &str {
        &self.sealing_key
    }

    /// Seals for the node `to`, which has this sealing key.
    ///
    /// # Errors
    /// [`SealError::Reader`].
    pub fn seal(&self, to: &str, sealing_key: &str, content: &[u8]) -> Result<Sealed, SealError> {
        let key = BASE64URL_NOPAD.decode(sealing_key.as_bytes()).map_err(|_| SealError::Reader)?;
        let bound = bound(SEALED, &self.id, to);
        let sealed = DH_KEM_X25519_HKDF_SHA256_AES_256.seal(&bound, &[], content, &HpkePublicKey(key));
        let (EncapsulatedSecret(secret), content) = sealed.map_err(|_| SealError::Reader)?;
        let signature = self.signing.sign(&signed(&self.id, to, &secret, &content));
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        Ok(Sealed { secret: text(&secret), content: text(&content), signature: text(signature.as_ref()) })
    }

    /// Opens what the node `from` sealed for this one.
    ///
    /// # Errors
    /// [`SealError::Forged`].
    pub fn open(&self, from: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| SealError::Forged);
        let (secret, content) = (bytes(&sealed.secret)?, bytes(&sealed.content)?);
        let writer = public_key_bytes(from).ok_or(SealError::Forged)?;
        let writer = UnparsedPublicKey::new(&ED25519, writer);
        let signed = signed(from, &self.id, &secret, &content);
        writer.verify(&signed, &bytes(&sealed.signature)?).map_err(|_| SealError::Forged)?;
        let (bound, key) = (bound(SEALED, from, &self.id), HpkePrivateKey::from(self.opening.clone()));
        let opened = DH_KEM_X25519_HKDF_SHA256_AES_256.open(&EncapsulatedSecret(secret), &bound, &[], &content, &key);
        opened.map_err(|_| SealError::Forged)
    }
}

/// Ids have one length, so nothing needs to stand between them.
fn bound(what: &[u8], from: &str, to: &str) -> Vec<u8> {
    [what, from.as_bytes(), to.as_bytes()].concat()
}

fn signed(from: &str, to: &str, secret: &[u8], content: &[u8]) -> Vec<u8> {
    let mut message = bound(SIGNED, from, to);
    message.extend_from_slice(&(secret.len() as u64).to_be_bytes());
    message.extend_from_slice(secret);
    message.extend_from_slice(content);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals(seed: u8) -> Seals {
        Seals::new(&[seed; KEY_BYTES]).unwrap()
    }

    #[test]
    fn only_the_node_it_is_for_opens_it_and_only_as_of_the_node_that_sealed_it() {
        let (home, friend, eve) = (seals(1), seals(2), seals(3));
        let sealed = home.seal(&friend.id, friend.sealing_key(), b"secret").unwrap();
        assert_eq!(friend.open(&home.id, &sealed).unwrap(), b"secret");
        assert_eq!(eve.open(&home.id, &sealed), Err(SealError::Forged));
        assert_eq!(friend.open(&eve.id, &sealed), Err(SealError::Forged));
        let elsewhere = home.seal(&eve.id, friend.sealing_key(), b"secret").unwrap();
        assert_eq!(friend.open(&home.id, &elsewhere), Err(SealError::Forged), "sealed with our key, but for another");
        assert!(!sealed.content.contains("secret"));
    }

    #[test]
    fn one_letter_that_is_another_makes_it_worth_nothing() {
        let (home, friend) = (seals(1), seals(2));
        let sealed = home.seal(&friend.id, friend.sealing_key(), b"secret").unwrap();
        let other = |text: &str| format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..]);
        for forged in [
            Sealed { secret: other(&sealed.secret), ..sealed.clone() },
            Sealed { content: other(&sealed.content), ..sealed.clone() },
            Sealed { signature: other(&sealed.signature), ..sealed.clone() },
            Sealed { content: String::new(), ..sealed.clone() },
            Sealed { content: "no base64!".to_owned(), ..sealed.clone() },
        ] {
            assert_eq!(friend.open(&home.id, &forged), Err(SealError::Forged));
        }
    }

    #[test]
    fn a_key_that_is_none_seals_nothing() {
        for key in ["", "AAAA", "?"] {
            assert_eq!(seals(1).seal(&seals(2).id, key, b"x").unwrap_err(), SealError::Reader, "{key:?}");
        }
    }
}
