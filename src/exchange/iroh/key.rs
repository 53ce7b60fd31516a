//! Public keys in text: base32 in lower case, as a node's id is written everywhere.
use data_encoding::BASE32_NOPAD;
use iroh::EndpointId;

/// Bytes of a public key, and of the secret it is made from.
pub const KEY_BYTES: usize = 32;

/// The text of a public key's bytes.
#[must_use]
pub fn public_key(bytes: &[u8; KEY_BYTES]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// The bytes of a public key, where the text is one.
#[must_use]
pub fn public_key_bytes(text: &str) -> Option<[u8; KEY_BYTES]> {
    parse(text).map(|id| *id.as_bytes())
}

pub(super) fn text(id: &EndpointId) -> String {
    public_key(id.as_bytes())
}

pub(super) fn parse(text: &str) -> Option<EndpointId> {
    let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
    EndpointId::from_bytes(&bytes.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text_and_nothing_else_is_one() {
        let id = iroh::SecretKey::from_bytes(&[7; 32]).public();
        assert_eq!(parse(&text(&id)), Some(id));
        assert_eq!(text(&id).len(), 52);
        for wrong in ["", "x", &"a".repeat(53), &"1".repeat(52)] {
            assert_eq!(public_key_bytes(wrong), None, "{wrong:?}");
        }
    }
}
