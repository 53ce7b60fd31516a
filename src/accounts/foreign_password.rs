//! Passwords that were hashed with bcrypt, by another program. Nobody has to choose a new one: the hash is kept until its owner
//! signs in, and replaced then.

/// Longest password that bcrypt looks at, in bytes. What is longer was refused, or cut off, where it was hashed.
const LONGEST: usize = 72;
/// Rounds of one check, as the power of two: 14 take about a second.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// Characters of a hash.
const LENGTH: usize = 60;

/// Whether a stored password is such a hash.
pub(super) fn is_one(stored: &str) -> bool {
    stored.starts_with("$2")
}

/// The hash in the form in which it is stored; `None` for what is none, or costs too much to check.
pub(super) fn usable(text: &str) -> Option<String> {
    let text = text.trim();
    let hash = text.strip_prefix("{bcrypt}").unwrap_or(text);
    let version = ["$2a$", "$2b$", "$2y$", "$2x$"].iter().any(|version| hash.starts_with(version));
    let cost: u32 = hash.get(4..6)?.parse().ok()?;
    let rest = hash.get(6..)?.strip_prefix('$')?;
    let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
    (version && hash.len() == LENGTH && COSTS.contains(&cost) && plain).then(|| hash.to_owned())
}

/// Whether the password is the one of this hash.
pub(super) fn check(password: &str, stored: &str) -> bool {
    let cut = password.as_bytes().get(..LONGEST).unwrap_or(password.as_bytes());
    bcrypt::verify(cut, stored).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `correct horse`.
    fn hash() -> String {
        bcrypt::hash("correct horse", 4).unwrap()
    }

    #[test]
    fn a_password_is_checked_against_a_hash_of_any_version() {
        let hash = hash();
        for version in ["$2a$", "$2b$", "$2y$"] {
            let hash = format!("{version}{}", &hash[4..]);
            assert!(is_one(&hash) && check("correct horse", &hash) && !check("correct horsf", &hash));
        }
        // A published example: jBCrypt's test vectors.
        let known = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
        assert_eq!(usable(&format!("{{bcrypt}}{known}")).as_deref(), Some(known));
        assert!(check("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"));
    }

    #[test]
    fn what_is_no_hash_or_takes_for_ever_is_not_taken() {
        let hash = hash();
        for wrong in ["", "$2a$", "secret", "$2a$04", &hash[..59], &format!("{hash}x"), &hash.replace("$04$", "$31$")] {
            assert_eq!(usable(wrong), None, "{wrong}");
        }
        assert_eq!(usable(&"é".repeat(30)), None);
        assert!(!check("x", "$2a$04$nonsense"));
    }

    #[test]
    fn an_endless_password_is_no_panic() {
        assert!(!check(&"x".repeat(5000), &hash()));
    }
}
