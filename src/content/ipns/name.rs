//! Names of IPNS: hashes of public keys, in the forms that people and programs write them.
//!
//! Sources: the IPNS specification ("IPNS Keys", "IPNS Name") and the libp2p peer id specification.
use std::fmt;

use ::cid::multibase::{self, Base};
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm};
use multihash::Multihash;
use prost::Message;

use crate::content::Cid;
use crate::content::cid::{IDENTITY, SHA2_256, sha256};

/// Codec of a CID that names a key.
pub const LIBP2P_KEY: u64 = 0x72;
/// Longest serialized key that stands in its name itself.
const INLINE_MAX: usize = 42;
/// Longest serialized key that is looked at: RSA with 8192 bits has 1062.
const KEY_MAX: usize = 2048;
/// Longest text that is looked at.
const TEXT_MAX: usize = 256;
/// `Type` of a public key.
const RSA: i32 = 0;
const ED25519_KEY: i32 = 1;

/// What stands for a key, and what is published under it is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Multihash<64>);

/// Why a text is no name, or a key no key.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// Not the name of a key.
    #[error("not an IPNS name")]
    Malformed,
    /// A key that cannot be read or used here: Ed25519 and RSA can.
    #[error("a kind of key that is not supported")]
    UnsupportedKey,
}

/// A public key as libp2p writes it.
#[derive(Clone, PartialEq, Message)]
struct KeyMessage {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(bytes = "vec", required, tag = "2")]
    data: Vec<u8>,
}

impl Name {
    /// The name of an Ed25519 key (32 bytes).
    #[must_use]
    pub fn of_ed25519(public: &[u8; 32]) -> Self {
        Self::of_key(&KeyMessage { kind: ED25519_KEY, data: public.to_vec() }.encode_to_vec())
    }

    /// The name of a key in libp2p's serialization.
    #[must_use]
    pub fn of_key(serialized: &[u8]) -> Self {
        let hash = match serialized.len() {
            0..=INLINE_MAX => Multihash::wrap(IDENTITY, serialized),
            _ => Multihash::wrap(SHA2_256, &sha256(serialized)),
        };
        Self(hash.expect("42 bytes fit into a multihash of 64"))
    }

    /// Reads a name: `k51...` and a CID of a key in any other base, or a peer id in base 58 (`12D3...`, `Qm...`).
    ///
    /// # Errors
    /// [`NameError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > TEXT_MAX || text.contains('/') {
            return Err(NameError::Malformed);
        }
        if text.starts_with('1') || text.starts_with("Qm") {
            let bytes = Base::Base58Btc.decode(text).map_err(|_| NameError::Malformed)?;
            return Self::from_bytes(&bytes);
        }
        let cid: Cid = text.parse().map_err(|_| NameError::Malformed)?;
        Self::of_cid(&cid)
    }

    /// The name that the CID of a key is.
    ///
    /// # Errors
    /// [`NameError::Malformed`].
    pub fn of_cid(cid: &Cid) -> Result<Self, NameError> {
        if cid.codec() != LIBP2P_KEY {
            return Err(NameError::Malformed);
        }
        Self::from_bytes(&cid.hash().to_bytes())
    }

    /// Reads the bytes of a peer id.
    ///
    /// # Errors
    /// [`NameError::Malformed`] for what no key hashes to.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NameError> {
        let hash = Multihash::<64>::from_bytes(bytes).map_err(|_| NameError::Malformed)?;
        match (hash.code(), usize::from(hash.size())) {
            (SHA2_256, 32) => Ok(Self(hash)),
            (IDENTITY, 1..=INLINE_MAX) => Ok(Self(hash)),
            _ => Err(NameError::Malformed),
        }
    }

    /// The bytes of a peer id.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The peer id of the key in base 58.
    #[must_use]
    pub fn peer_id(self) -> String {
        Base::Base58Btc.encode(self.to_bytes())
    }

    /// The CID of the key.
    #[must_use]
    pub fn to_cid(self) -> Cid {
        Cid::new_v1(LIBP2P_KEY, self.0)
    }

    /// Under which key records of this name are put into Kademlia.
    #[must_use]
    pub fn routing_key(self) -> Vec<u8> {
        [b"/ipns/".as_slice(), &self.to_bytes()].concat()
    }

    /// Reads what [`Name::routing_key`] writes.
    ///
    /// # Errors
    /// [`NameError::Malformed`].
    pub fn of_routing_key(key: &[u8]) -> Result<Self, NameError> {
        Self::from_bytes(key.strip_prefix(b"/ipns/").ok_or(NameError::Malformed)?)
    }

    /// Whether `signature` of `message` was made with the key of this name: the one in the name, or the `given` one where the
    /// name has only its hash.
    pub(super) fn signed(self, given: Option<&[u8]>, message: &[u8], signature: &[u8]) -> Result<bool, NameError> {
        let inline = (self.0.code() == IDENTITY).then(|| self.0.digest());
        let Some(serialized) = given.or(inline) else { return Ok(false) };
        if serialized.len() > KEY_MAX || Self::of_key(serialized) != self {
            return Ok(false);
        }
        let key = KeyMessage::decode(serialized).map_err(|_| NameError::UnsupportedKey)?;
        let by: &dyn VerificationAlgorithm = match key.kind {
            ED25519_KEY => &ED25519,
            RSA => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(NameError::UnsupportedKey),
        };
        Ok(by.verify_sig(&key.data, message, signature).is_ok())
    }
}

/// In base 36: in lower case and short enough for a label of DNS.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&multibase::encode(Base::Base36Lower, self.to_cid().to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_all_its_forms() {
        let name = Name::parse("k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r").unwrap();
        assert_eq!(name.to_string(), "k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r");
        let in_base_32 = name.to_cid().to_string();
        assert!(in_base_32.starts_with("bafzaa"), "{in_base_32}");
        for text in [in_base_32, name.peer_id()] {
            assert_eq!(Name::parse(&text), Ok(name), "{text}");
        }
        assert!(name.peer_id().starts_with("12D3Koo"), "{}", name.peer_id());
        assert_eq!(Name::of_routing_key(&name.routing_key()), Ok(name));
        let of_rsa = Name::parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC").unwrap();
        assert!(of_rsa.to_string().starts_with("k2k4r8"), "{of_rsa}");
    }

    #[test]
    fn what_names_no_key_is_refused() {
        let long = format!("k{}", "5".repeat(5000));
        for text in ["", "k", "12D3", "1", "Qm", "example.org", "bafkqaaa", "/ipns/k51", "12D3Koo0", &long, "\0", "k🍲"]
        {
            assert_eq!(Name::parse(text), Err(NameError::Malformed), "{text:.30}");
        }
        assert_eq!(Name::of_routing_key(b"/pk/abc"), Err(NameError::Malformed));
    }

    proptest::proptest! {
        #[test]
        fn reading_any_text_or_bytes_never_panics(text in ".{0,80}", bytes in proptest::collection::vec(0u8.., 0..80)) {
            let _ = Name::parse(&text);
            let _ = Name::from_bytes(&bytes);
            let _ = Name::of_routing_key(&bytes);
        }
    }
}
