//! Passwords that people choose: Argon2id, a few at once.
//!
//! Each check takes 19 MiB by design, so a flood of sign-ins could take all memory: checks run on blocking threads behind
//! a few permits, a bounded number waits, and the rest is sent away at once.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{AccountsError, AccountsOptions, foreign_password};

/// Shortest password in characters.
const SHORTEST: usize = 8;
/// Longest password in bytes: beyond it lies only work for us.
const LONGEST: usize = 1024;
/// How long a password that was right need not be checked again.
const REMEMBER_MS: i64 = 5 * 60 * 1_000;
/// Passwords remembered.
const REMEMBERED: usize = 256;

pub(super) struct Passwords {
    params: Params,
    permits: Arc<Semaphore>,
    queue: Arc<AtomicUsize>,
    queue_max: usize,
    /// Checked where there is no account, so that an unknown name takes as long as a wrong password.
    decoy: String,
    /// A secret of this process, so that what is remembered tells nothing.
    memory_key: hmac::Key,
    /// HMAC of stored hash and password, to the time it is forgotten.
    memory: Mutex<HashMap<[u8; 32], i64>>,
}

/// Counts whoever runs or waits; leaves the count when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    pub fn new(options: &AccountsOptions) -> Result<Self, AccountsError> {
        let params = Params::new(options.argon2_memory_kib, options.argon2_passes, 1, None).map_err(hash_error)?;
        // Only its parameters matter: no password is ever checked against it with success in mind.
        let salt = "AAAAAAAAAAAAAAAAAAAAAA";
        let decoy = format!(
            "$argon2id$v=19$m={},t={},p=1${salt}${}",
            options.argon2_memory_kib,
            options.argon2_passes,
            "A".repeat(43)
        );
        Ok(Self {
            params,
            permits: Arc::new(Semaphore::new(options.checks_at_once.max(1))),
            queue: Arc::default(),
            queue_max: options.checks_at_once.max(1) + options.checks_waiting,
            decoy,
            memory_key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
            memory: Mutex::default(),
        })
    }

    /// Whether this password was right for this stored hash a few minutes ago.
    pub fn remembered(&self, stored: &str, password: &str, now: i64) -> bool {
        let tag = self.tag(stored, password);
        self.memory.lock().get(&tag).is_some_and(|until| *until > now)
    }

    /// Remembers that it was right. A changed password has another stored hash, and so is not found.
    pub fn remember(&self, stored: &str, password: &str, now: i64) {
        let tag = self.tag(stored, password);
        let mut memory = self.memory.lock();
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        memory.insert(tag, now + REMEMBER_MS);
    }

    fn tag(&self, stored: &str, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.memory_key);
        context.update(stored.as_bytes());
        context.update(&[0]);
        context.update(password.as_bytes());
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// The PHC string to store for a new password.
    pub async fn hash(&self, password: &str) -> Result<String, AccountsError> {
        allowed(password)?;
        self.hash_again(password).await
    }

    /// The same for a password that was right, whatever is asked of new ones.
    pub async fn hash_again(&self, password: &str) -> Result<String, AccountsError> {
        let (params, password) = (self.params.clone(), password.to_owned());
        self.run(move || {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(hash_error)
        })
        .await
    }

    /// Whether the password is the one of `stored`. Takes as long where nothing is stored, and is never true then.
    pub async fn check(&self, stored: Option<String>, password: &str) -> Result<bool, AccountsError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let password = if password.len() <= LONGEST { password.to_owned() } else { String::new() };
        self.run(move || {
            if foreign_password::is_one(&stored) {
                return Ok(foreign_password::check(&password, &stored));
            }
            let hash = PasswordHash::new(&stored).map_err(hash_error)?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        let place = Place(Arc::clone(&self.queue));
        if self.queue.fetch_add(1, Ordering::Relaxed) >= self.queue_max {
            return Err(AccountsError::Busy);
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| AccountsError::Busy)?;
        // The permit and the place go with the work: a caller that hangs up does not make room before the memory is free.
        let running = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop((permit, place));
            answer
        });
        running.await.map_err(|_| AccountsError::Busy)?
    }
}

fn allowed(password: &str) -> Result<(), AccountsError> {
    if password.chars().count() < SHORTEST {
        return Err(AccountsError::Invalid(format!("a password has at least {SHORTEST} characters")));
    }
    if password.len() > LONGEST {
        return Err(AccountsError::Invalid(format!("a password has at most {LONGEST} bytes")));
    }
    Ok(())
}

fn hash_error(error: impl std::fmt::Display) -> AccountsError {
    AccountsError::Hash(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(waiting: usize) -> Passwords {
        let options = AccountsOptions {
            argon2_memory_kib: 64,
            argon2_passes: 1,
            checks_at_once: 1,
            checks_waiting: waiting,
            ..AccountsOptions::default()
        };
        Passwords::new(&options).unwrap()
    }

    #[tokio::test]
    async fn a_password_checks_against_its_own_hash_only() {
        let passwords = passwords(8);
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(passwords.check(Some(stored.clone()), "correct horse").await.unwrap());
        assert!(!passwords.check(Some(stored), "correct horsf").await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_name_is_checked_against_a_decoy_that_nothing_opens() {
        assert!(!passwords(8).check(None, "anything").await.unwrap());
    }

    #[tokio::test]
    async fn checks_beyond_the_queue_are_sent_away_at_once() {
        let passwords = passwords(1);
        let held = Arc::clone(&passwords.permits).acquire_owned().await.unwrap();
        let mut waits = std::pin::pin!(passwords.check(None, "one"));
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        let mut waits_too = std::pin::pin!(passwords.check(None, "two"));
        assert!(futures_util::poll!(waits_too.as_mut()).is_pending());
        assert!(matches!(passwords.check(None, "three").await, Err(AccountsError::Busy)));
        drop(held);
        assert!(!waits.await.unwrap());
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        let passwords = passwords(8);
        assert!(matches!(passwords.hash("seven77").await, Err(AccountsError::Invalid(_))));
        assert!(matches!(passwords.hash(&"x".repeat(2000)).await, Err(AccountsError::Invalid(_))));
    }
}
