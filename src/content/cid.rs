//! Makes, parses and checks CIDs. What this node makes is CIDv1 with SHA-256, `raw` for bytes and `dag-pb` for nodes.
//!
//! The invariant: [`verify`] says yes only to bytes that hash to the CID.
use ::cid::Version;
use aws_lc_rs::digest::{self, SHA256, SHA512};
use blake2::{Blake2b256, Digest as _};
use multihash::Multihash;

use super::Cid;

/// Codec of a block that is plain bytes.
pub const RAW: u64 = 0x55;
/// Codec of a UnixFS node.
pub const DAG_PB: u64 = 0x70;
/// Multihash code of SHA-256.
pub const SHA2_256: u64 = 0x12;
/// Multihash code of SHA-512.
const SHA2_512: u64 = 0x13;
/// Multihash code of BLAKE3.
const BLAKE3: u64 = 0x1e;
/// Multihash code of BLAKE2b with 256 bits.
const BLAKE2B_256: u64 = 0xb220;
/// Multihash code of "the digest is the content".
pub const IDENTITY: u64 = 0x00;
/// Bytes of a CIDv1 with SHA-256.
pub const CID_LEN: usize = 36;
/// Longest text that is looked at as a CID: 64 bytes of digest in base 2 prefix and all would be more, and nobody
/// writes those.
const TEXT_MAX: usize = 256;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// Why a text or bytes are not a CID, or bytes are not what a CID names.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CidError {
    /// Not a CID at all.
    #[error("not a CID")]
    Malformed,
    /// A hash function this node does not know.
    #[error("hash function {0:#x} is not supported")]
    UnsupportedHash(u64),
    /// The bytes hash to something else.
    #[error("the bytes do not hash to {0}")]
    Mismatch(Cid),
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    let hash = digest::digest(&SHA256, bytes);
    let mut out = Digest::default();
    out.copy_from_slice(hash.as_ref());
    out
}

/// The CIDv1 of a codec and a SHA-256 digest.
#[must_use]
pub fn of_digest(codec: u64, digest: &Digest) -> Cid {
    let hash = Multihash::wrap(SHA2_256, digest).expect("32 bytes fit into a multihash of 64");
    Cid::new_v1(codec, hash)
}

/// The CID of plain bytes.
#[must_use]
pub fn of_raw(bytes: &[u8]) -> Cid {
    of_digest(RAW, &sha256(bytes))
}

/// The CID of an encoded UnixFS node.
#[must_use]
pub fn of_node(bytes: &[u8]) -> Cid {
    of_digest(DAG_PB, &sha256(bytes))
}

/// The SHA-256 digest in a CID, if that is its hash.
#[must_use]
pub fn digest_of(cid: &Cid) -> Option<Digest> {
    if cid.hash().code() != SHA2_256 {
        return None;
    }
    cid.hash().digest().try_into().ok()
}

/// The content of an identity CID, which holds it instead of a hash.
#[must_use]
pub fn inline(cid: &Cid) -> Option<&[u8]> {
    (cid.hash().code() == IDENTITY).then(|| cid.hash().digest())
}

/// Reads a CID in its text form: CIDv1 in any multibase, or CIDv0 (`Qm...`).
///
/// # Errors
/// [`CidError::Malformed`], also for a text longer than 256 bytes or a SHA-256 of another length than 32 bytes.
pub fn parse(text: &str) -> Result<Cid, CidError> {
    // `Cid`'s own parser takes `/ipfs/<cid>` too; here a path is no CID.
    if text.len() > TEXT_MAX || text.contains('/') {
        return Err(CidError::Malformed);
    }
    let cid: Cid = text.parse().map_err(|_| CidError::Malformed)?;
    if cid.hash().code() == SHA2_256 && cid.hash().size() != 32 {
        return Err(CidError::Malformed);
    }
    Ok(cid)
}

/// The same name as CIDv1: the form in which this node stores and prints it.
#[must_use]
pub fn canonical(cid: &Cid) -> Cid {
    match cid.version() {
        Version::V0 => Cid::new_v1(DAG_PB, *cid.hash()),
        Version::V1 => *cid,
    }
}

/// Whether [`verify`] can tell what a CID names: its hash function is known here.
#[must_use]
pub fn is_verifiable(cid: &Cid) -> bool {
    hash(cid.hash().code(), &[]).is_ok()
}

/// The hash of `bytes` by a function that is known here; the identity function holds any bytes that fit.
///
/// # Errors
/// [`CidError::UnsupportedHash`].
pub fn hash(code: u64, bytes: &[u8]) -> Result<Multihash<64>, CidError> {
    let unsupported = |_| CidError::UnsupportedHash(code);
    match code {
        SHA2_256 => Multihash::wrap(code, &sha256(bytes)),
        IDENTITY => Multihash::wrap(code, bytes),
        SHA2_512 => Multihash::wrap(code, digest::digest(&SHA512, bytes).as_ref()),
        BLAKE2B_256 => Multihash::wrap(code, Blake2b256::digest(bytes).as_slice()),
        BLAKE3 => Multihash::wrap(code, blake3::hash(bytes).as_bytes()),
        _ => return Err(CidError::UnsupportedHash(code)),
    }
    .map_err(unsupported)
}

/// Says whether `bytes` are what `cid` names.
///
/// # Errors
/// [`CidError::Mismatch`] when not, [`CidError::UnsupportedHash`] when that cannot be told.
pub fn verify(cid: &Cid, bytes: &[u8]) -> Result<(), CidError> {
    match hash(cid.hash().code(), bytes) {
        Ok(right) if right == *cid.hash() => Ok(()),
        Err(CidError::UnsupportedHash(code)) if code != IDENTITY => Err(CidError::UnsupportedHash(code)),
        _ => Err(CidError::Mismatch(*cid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

    #[test]
    fn nothing_has_the_published_cid() {
        assert_eq!(of_raw(b"").to_string(), EMPTY);
    }

    #[test]
    fn bytes_are_verified_and_one_changed_bit_is_refused() {
        let cid = of_raw(b"dish");
        assert_eq!(verify(&cid, b"dish"), Ok(()));
        assert_eq!(verify(&cid, b"disi"), Err(CidError::Mismatch(cid)));
    }

    #[test]
    fn an_identity_cid_holds_its_content() {
        let cid = parse("bafkqabtimvwgy3yk").unwrap();
        assert_eq!(inline(&cid), Some(&b"hello\n"[..]));
        assert_eq!(verify(&cid, b"hello\n"), Ok(()));
        assert!(verify(&cid, b"hello").is_err());
    }

    #[test]
    fn a_version_0_cid_becomes_a_dag_pb_cid() {
        let cid = parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn").unwrap();
        assert_eq!(canonical(&cid).to_string(), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
    }

    #[test]
    fn what_is_no_cid_is_refused() {
        let truncated = &EMPTY[..20];
        let long = format!("b{}", "a".repeat(100_000));
        for text in ["", "b", "..", "bafk", truncated, &long, "/ipfs/bafkqaaa", "bafkqaaa/x", "\0", "baf\u{1F372}"] {
            assert_eq!(parse(text), Err(CidError::Malformed), "{text:.30}");
        }
    }

    #[test]
    fn an_unknown_hash_function_is_named() {
        let cid = Cid::new_v1(RAW, Multihash::wrap(0x16, &[0; 32]).unwrap());
        assert_eq!(verify(&cid, b""), Err(CidError::UnsupportedHash(0x16)));
        assert!(!is_verifiable(&cid) && is_verifiable(&of_raw(b"dish")));
    }

    /// Digests of "abc" as their specifications have them.
    #[test]
    fn other_hash_functions_are_verified_at_their_full_length() {
        for (code, digest) in [
            (
                SHA2_512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (BLAKE2B_256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
            (BLAKE3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ] {
            let digest = data_encoding::HEXLOWER.decode(digest.as_bytes()).unwrap();
            let cid = Cid::new_v1(RAW, Multihash::wrap(code, &digest).unwrap());
            assert_eq!(verify(&cid, b"abc"), Ok(()), "{code:#x}");
            assert_eq!(verify(&cid, b"abd"), Err(CidError::Mismatch(cid)));
            let cut = Cid::new_v1(RAW, Multihash::wrap(code, &digest[..8]).unwrap());
            assert_eq!(verify(&cut, b"abc"), Err(CidError::Mismatch(cut)));
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_any_text_never_panics(text in ".{0,100}") {
            let _ = parse(&text);
        }
    }
}
