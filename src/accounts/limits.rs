//! Slows down guessing: after a few failed attempts, each further one from the same address or at the same name has to
//! wait, twice as long every time. Pure: the time is passed in.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// What attempts are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// An IPv4 address, or the /64 that one IPv6 customer has.
    Address(IpAddr),
    /// A lower-case name, known or not.
    Name(String),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// Unix milliseconds of the last.
    at: i64,
}

/// Attempts that cost nothing.
const FREE: u32 = 5;
/// Wait after the first attempt that is not free.
const FIRST_WAIT_MS: i64 = 1_000;
/// Longest wait for an address.
const ADDRESS_WAIT_MS: i64 = 15 * 60 * 1_000;
/// Longest wait for a name: short, because anyone can make its owner wait.
const NAME_WAIT_MS: i64 = 60 * 1_000;
/// Failures are forgotten after this long without another.
const FORGET_MS: i64 = 60 * 60 * 1_000;
/// Subjects remembered; beyond it the older half goes.
const REMEMBERED: usize = 20_000;

/// Failed attempts of the last hour.
#[derive(Debug, Default)]
pub(super) struct Limits {
    failures: HashMap<Subject, Failures>,
}

impl Limits {
    /// Counts an attempt as failed before it is checked, so that many at once gain nothing; says how long to wait where
    /// it may not be made yet.
    pub fn begin(&mut self, address: IpAddr, name: &str, now: i64) -> Result<(), Duration> {
        let subjects = subjects(address, name);
        let wait = subjects.iter().map(|subject| self.wait(subject, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(Duration::from_millis(wait.unsigned_abs()));
        }
        self.make_room();
        for subject in subjects {
            let entry = self.failures.entry(subject).or_insert(Failures { count: 0, at: now });
            if now - entry.at > FORGET_MS {
                entry.count = 0;
            }
            *entry = Failures { count: entry.count.saturating_add(1), at: now };
        }
        Ok(())
    }

    /// The attempt was right: takes its count back and forgets the name's. The address keeps its other failures, or one
    /// good account would buy endless guesses at the others.
    pub fn succeeded(&mut self, address: IpAddr, name: &str) {
        let [address, name] = subjects(address, name);
        self.failures.remove(&name);
        if let Some(entry) = self.failures.get_mut(&address) {
            entry.count = entry.count.saturating_sub(1);
        }
    }

    fn wait(&self, subject: &Subject, now: i64) -> i64 {
        let Some(entry) = self.failures.get(subject) else { return 0 };
        if entry.count < FREE || now - entry.at > FORGET_MS {
            return 0;
        }
        let longest = match subject {
            Subject::Address(_) => ADDRESS_WAIT_MS,
            Subject::Name(_) => NAME_WAIT_MS,
        };
        let doubled = FIRST_WAIT_MS << (entry.count - FREE).min(20);
        (entry.at + doubled.min(longest) - now).max(0)
    }

    fn make_room(&mut self) {
        if self.failures.len() < REMEMBERED {
            return;
        }
        let mut times: Vec<i64> = self.failures.values().map(|f| f.at).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        self.failures.retain(|_, f| f.at > middle);
    }
}

fn subjects(address: IpAddr, name: &str) -> [Subject; 2] {
    let address = match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    };
    [Subject::Address(address), Subject::Name(name.chars().take(64).collect())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(limits: &mut Limits, from: IpAddr, name: &str, times: usize, now: i64) {
        for _ in 0..times {
            limits.begin(from, name, now).unwrap();
        }
    }

    #[test]
    fn the_sixth_attempt_waits_and_each_further_one_twice_as_long() {
        let mut limits = Limits::default();
        fail(&mut limits, address(1), "ada", 5, 0);
        assert_eq!(limits.begin(address(1), "ada", 0), Err(Duration::from_secs(1)));
        limits.begin(address(1), "ada", 1_000).unwrap();
        assert_eq!(limits.begin(address(1), "ada", 1_000), Err(Duration::from_secs(2)));
    }

    #[test]
    fn a_name_is_protected_from_many_addresses_but_its_owner_never_waits_over_a_minute() {
        let mut limits = Limits::default();
        let mut now = 0;
        for n in 0..40 {
            if let Err(wait) = limits.begin(address(n), "ada", now) {
                assert!(wait <= Duration::from_secs(60));
                now += i64::try_from(wait.as_millis()).unwrap();
                limits.begin(address(n), "ada", now).unwrap();
            }
        }
        assert!(limits.begin(address(200), "ada", now).is_err());
        assert!(limits.begin(address(200), "bob", now).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let mut limits = Limits::default();
        for n in 0..5 {
            limits.begin(address(1), &format!("name{n}"), 0).unwrap();
        }
        assert!(limits.begin(address(1), "another", 0).is_err());
        assert!(limits.begin(address(2), "another", 0).is_ok());
    }

    #[test]
    fn success_clears_the_name_but_not_the_guesses_at_others() {
        let mut limits = Limits::default();
        fail(&mut limits, address(1), "ada", 4, 0);
        limits.begin(address(1), "mallory", 0).unwrap();
        limits.succeeded(address(1), "mallory");
        limits.begin(address(1), "ada", 0).unwrap();
        assert!(limits.begin(address(1), "ada", 0).is_err());
    }

    #[test]
    fn addresses_of_one_ipv6_customer_count_together() {
        let mut limits = Limits::default();
        for n in 0..5_u16 {
            limits.begin(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]), &format!("n{n}"), 0).unwrap();
        }
        assert!(limits.begin(IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]), "x", 0).is_err());
        assert!(limits.begin(IpAddr::from([0x2001, 0xdb8, 0, 2, 9, 9, 9, 9]), "y", 0).is_ok());
    }

    #[test]
    fn failures_are_forgotten_after_an_hour_and_memory_is_bounded() {
        let mut limits = Limits::default();
        fail(&mut limits, address(1), "ada", 5, 0);
        assert!(limits.begin(address(1), "ada", FORGET_MS + 1).is_ok());
        for n in 0..50_000_u32 {
            let from = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            limits.begin(from, &n.to_string(), i64::from(n)).unwrap();
        }
        assert!(limits.failures.len() <= REMEMBERED + 2);
    }
}
