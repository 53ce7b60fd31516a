//! The passwords themselves: 140 random bits in signs that nobody mistakes for another, in groups that can be typed.
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest as _, Md5};

/// Without `i`, `l`, `o` and `u`.
const SIGNS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Groups of signs, and signs of a group.
const GROUPS: usize = 7;
const GROUP: usize = 4;
const MD5_BYTES: usize = 16;

/// Longest salt, in bytes: it is hashed for each password of an account before anybody proved anything.
const SALT_MAX: usize = 1024;

/// A new one, as it is shown.
pub(super) fn generate() -> String {
    let random: [u8; GROUPS * GROUP] = rand::random();
    let signs: Vec<u8> = random.iter().map(|byte| SIGNS[usize::from(byte % 32)]).collect();
    let groups: Vec<&str> = signs.chunks(GROUP).map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join("-")
}

/// As it is looked up: without what stands between the groups, in lower case.
pub(super) fn bare(typed: &str) -> String {
    let signs = typed.chars().filter(|c| *c != '-' && !c.is_whitespace());
    signs.flat_map(char::to_lowercase).collect()
}

/// Whether a Subsonic token was made of this password and salt. Compared in constant time; a person may have typed the password with
/// or without what stands between the groups.
pub(super) fn fits(token: &str, salt: &str, password: &str) -> bool {
    let token = HEXLOWER_PERMISSIVE.decode(token.as_bytes()).ok().filter(|token| token.len() == MD5_BYTES);
    let Some(token) = token.filter(|_| salt.len() <= SALT_MAX) else { return false };
    let made_of = |text: &str| {
        let mut hash = Md5::new();
        hash.update(text.as_bytes());
        hash.update(salt.as_bytes());
        verify_slices_are_equal(&hash.finalize(), &token).is_ok()
    };
    made_of(password) | made_of(&bare(password))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn a_password_can_be_typed_and_is_never_the_same() {
        let made = generate();
        assert_eq!(made.len(), GROUPS * GROUP + GROUPS - 1);
        assert!(made.chars().all(|c| c == '-' || SIGNS.contains(&(c as u8))), "{made}");
        assert_ne!(made, generate());
        assert_eq!(bare(&made), bare(&made.to_uppercase().replace('-', " ")));
    }

    #[test]
    fn a_token_is_md5_of_password_and_salt() {
        // From the description of the protocol: password "sesame", salt "c19b2d".
        assert!(fits("26719a1196d2a940705a59634eb18eab", "c19b2d", "sesame"));
        assert!(fits("26719A1196D2A940705A59634EB18EAB", "c19b2d", "ses-ame"));
        for (token, salt) in [
            ("26719a1196d2a940705a59634eb18eab", "c19b2e"),
            ("", "c19b2d"),
            ("zz", "c19b2d"),
            (&"0".repeat(64), "c19b2d"),
        ] {
            assert!(!fits(token, salt, "sesame"), "{token} {salt}");
        }
        let long = "x".repeat(SALT_MAX + 1);
        let token = HEXLOWER.encode(&Md5::digest(format!("sesame{long}").as_bytes()));
        assert!(!fits(&token, &long, "sesame"), "a salt without end is work without end");
    }
}
