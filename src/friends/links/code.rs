//! The code of an invite: everything that the other side needs, as text that survives mail and messengers.
//!
//! `potluck` and base32 in lower case of: version (1), public key (32), secret (32), expiry in Unix seconds (8, big endian),
//! number of addresses (1), each as length (1) and UTF-8, and the first four bytes of the SHA-256 of all before them. It never
//! holds more than [`ADDRESSES_MAX`] addresses, so it stays short enough for a QR code.
use aws_lc_rs::digest;
use data_encoding::BASE32_NOPAD;

use crate::exchange::iroh::{KEY_BYTES, public_key, public_key_bytes};

/// Start of every code, so that a person recognises one.
const PREFIX: &str = "potluck";
const VERSION: u8 = 1;
const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;
/// Addresses in a code.
pub(super) const ADDRESSES_MAX: usize = 8;
/// Longest text that is looked at.
const TEXT_MAX: usize = 8192;

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InviteCode {
    /// Public key of the node that invites.
    pub endpoint: String,
    /// What it gave to whoever it invites, base32.
    pub secret: String,
    /// Unix seconds. The inviting node's own clock decides; this is for people.
    pub expires_at: u64,
    pub addresses: Vec<String>,
}

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It does not begin as codes do.
    #[error("this is not an invite: its code begins with \"potluck\"")]
    Foreign,
    /// It is cut or changed.
    #[error("this invite is not complete; copy its whole code")]
    Damaged,
    /// A newer Potluck made it.
    #[error("this invite was made by a newer Potluck; update this node")]
    Newer,
}

impl InviteCode {
    /// As text; `None` for a key or secret that is none.
    pub fn encode(&self) -> Option<String> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&public_key_bytes(&self.endpoint)?);
        let secret = BASE32_NOPAD.decode(self.secret.to_ascii_uppercase().as_bytes()).ok()?;
        bytes.extend_from_slice(&<[u8; SECRET_BYTES]>::try_from(secret).ok()?);
        bytes.extend_from_slice(&self.expires_at.to_be_bytes());
        let fits = |address: &&String| u8::try_from(address.len()).is_ok();
        let addresses: Vec<&String> = self.addresses.iter().filter(fits).take(ADDRESSES_MAX).collect();
        bytes.push(u8::try_from(addresses.len()).ok()?);
        for address in addresses {
            bytes.push(u8::try_from(address.len()).ok()?);
            bytes.extend_from_slice(address.as_bytes());
        }
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        Some(format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
    }

    /// Reads a code, in spite of the white space that messengers put into it.
    pub fn decode(text: &str) -> Result<Self, CodeError> {
        if text.len() > TEXT_MAX {
            return Err(CodeError::Damaged);
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        let body = text.strip_prefix(PREFIX).ok_or(CodeError::Foreign)?;
        let bytes = BASE32_NOPAD.decode(body.to_ascii_uppercase().as_bytes()).map_err(|_| CodeError::Damaged)?;
        let (content, sum) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(CodeError::Damaged)?;
        if check(content) != *sum {
            return Err(CodeError::Damaged);
        }
        match content.split_first() {
            Some((&VERSION, rest)) => read(rest).ok_or(CodeError::Damaged),
            Some(_) => Err(CodeError::Newer),
            None => Err(CodeError::Damaged),
        }
    }
}

fn read(bytes: &[u8]) -> Option<InviteCode> {
    let (key, rest) = bytes.split_first_chunk::<KEY_BYTES>()?;
    let (secret, rest) = rest.split_first_chunk::<SECRET_BYTES>()?;
    let (expires_at, rest) = rest.split_first_chunk::<8>()?;
    let (count, mut rest) = rest.split_first()?;
    let mut addresses = Vec::new();
    for _ in 0..*count {
        let (length, after) = rest.split_first()?;
        let (address, after) = after.split_at_checked(usize::from(*length))?;
        addresses.push(String::from_utf8(address.to_vec()).ok()?);
        rest = after;
    }
    let endpoint = public_key(key);
    // Not every 32 bytes are a key.
    public_key_bytes(&endpoint)?;
    let secret = BASE32_NOPAD.encode(secret).to_ascii_lowercase();
    let code = InviteCode { endpoint, secret, expires_at: u64::from_be_bytes(*expires_at), addresses };
    (rest.is_empty() && code.addresses.len() <= ADDRESSES_MAX).then_some(code)
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest.as_ref()[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code() -> InviteCode {
        InviteCode {
            // The public key of the seed of 32 zeroes (RFC 8032 has it as a test vector's neighbour).
            endpoint: public_key(&[
                0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73, 0x65,
                0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29,
            ]),
            secret: BASE32_NOPAD.encode(&[9; 32]).to_ascii_lowercase(),
            expires_at: 1_800_000_000,
            addresses: vec!["192.0.2.7:9001".into(), "https://relay.example.org/".into()],
        }
    }

    #[test]
    fn a_code_is_read_back_also_when_a_messenger_broke_its_lines() {
        let text = code().encode().unwrap();
        assert_eq!(InviteCode::decode(&text), Ok(code()));
        let broken = format!("  {}\n{} ", &text[..40].to_uppercase(), &text[40..]);
        assert_eq!(InviteCode::decode(&broken), Ok(code()));
    }

    #[test]
    fn what_is_cut_changed_or_something_else_is_refused_with_its_reason() {
        let text = code().encode().unwrap();
        assert_eq!(InviteCode::decode("https://example.org"), Err(CodeError::Foreign));
        assert_eq!(InviteCode::decode(""), Err(CodeError::Foreign));
        for length in PREFIX.len()..text.len() {
            assert_eq!(InviteCode::decode(&text[..length]), Err(CodeError::Damaged), "{length}");
        }
        let last = if text.ends_with('a') { "q" } else { "a" };
        let changed = format!("{}{last}{}", &text[..20], &text[21..]);
        assert_eq!(InviteCode::decode(&changed), Err(CodeError::Damaged));
        assert_eq!(InviteCode::decode(&format!("potluck{}", "a".repeat(100_000))), Err(CodeError::Damaged));
    }

    #[test]
    fn a_code_of_a_newer_version_says_so() {
        let mut bytes = vec![2, 1, 2, 3];
        let sum = check(&bytes);
        bytes.extend_from_slice(&sum);
        let text = format!("potluck{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase());
        assert_eq!(InviteCode::decode(&text), Err(CodeError::Newer));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_code_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            bytes.insert(0, VERSION);
            let sum = check(&bytes);
            bytes.extend_from_slice(&sum);
            let _ = InviteCode::decode(&format!("potluck{}", BASE32_NOPAD.encode(&bytes)));
        }
    }
}
