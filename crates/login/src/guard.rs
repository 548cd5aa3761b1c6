//! Who may try a password now: slows guessing down, and locks nobody out for good.
//!
//! Three things are counted, each in a bounded table:
//!
//! | what | tries at once | then |
//! |---|---|---|
//! | an account from one place | 5 | one after a minute, then after two, four, … at most fifteen |
//! | an account, from all places it was never used from | 20 | one each half minute |
//! | a place, whatever the account | 20 | one each half minute |
//!
//! A try is counted before its password is looked at, so many at once are no way round; one that succeeds is given back. A place from which
//! somebody has logged in keeps its own tries for that account: whoever guesses elsewhere does not use them up. A place is an IPv4 address or a
//! network of 64 bits.
//!
//! It is sans-IO: the clock is an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

const FREE: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After so long without a try, those before are forgotten.
const FORGET: Duration = Duration::from_secs(60 * 60);
const BURST: u32 = 20;
const REFILL: Duration = Duration::from_secs(30);
/// How long a place is known to be somebody's.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Entries of each table.
const CAPACITY: usize = 4096;
/// Octets of a name that count.
const NAME: usize = 253;

/// What has been tried of late.
#[derive(Debug, Default)]
pub struct Guard {
    pairs: Table<(String, Place), Pair>,
    accounts: Table<String, Bucket>,
    places: Table<Place, Bucket>,
    known: Table<(String, Place), Known>,
}

/// A try that is counted until it is said to have succeeded.
#[must_use]
#[derive(Debug)]
pub struct Attempt {
    account: String,
    place: Place,
    known: bool,
}

/// Not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// Where somebody comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place(IpAddr);

/// Tries for one account from one place.
#[derive(Clone, Copy, Debug)]
struct Pair {
    tries: u32,
    last: Instant,
}

/// Tries that come back with time.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it is full again.
    full: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    last: Instant,
}

/// An entry that is as good as none after a while.
trait Fades {
    fn gone_at(&self) -> Instant;
}

// === impl Guard ===

impl Guard {
    /// Counts a try.
    ///
    /// # Errors
    /// How long it has to wait; it is not counted then.
    pub fn attempt(&mut self, now: Instant, account: &str, from: IpAddr) -> Result<Attempt, Wait> {
        let attempt = Attempt { account: shortened(account), place: Place::of(from), known: false };
        let pair = (attempt.account.clone(), attempt.place);
        let known = self.known.get(now, &pair).is_some();
        let mut waits = vec![self.pairs.get(now, &pair).map_or(Duration::ZERO, |pair| pair.wait(now))];
        waits.push(self.places.get(now, &attempt.place).map_or(Duration::ZERO, |bucket| bucket.wait(now)));
        if !known {
            waits.push(self.accounts.get(now, &attempt.account).map_or(Duration::ZERO, |bucket| bucket.wait(now)));
        }
        let wait = waits.into_iter().max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(Wait(wait));
        }
        self.pairs.entry(now, pair, || Pair { tries: 0, last: now }).take(now);
        self.places.entry(now, attempt.place, || Bucket { full: now }).take(now);
        if !known {
            self.accounts.entry(now, attempt.account.clone(), || Bucket { full: now }).take(now);
        }
        Ok(Attempt { known, ..attempt })
    }

    /// The password was right.
    pub fn succeeded(&mut self, now: Instant, attempt: Attempt) {
        self.forgive(&attempt);
        let pair = (attempt.account, attempt.place);
        self.pairs.remove(&pair);
        self.known.entry(now, pair, || Known { last: now }).last = now;
    }

    /// The password was not looked at.
    pub fn not_tried(&mut self, attempt: Attempt) {
        self.forgive(&attempt);
        if let Some(pair) = self.pairs.entries.get_mut(&(attempt.account, attempt.place)) {
            pair.tries = pair.tries.saturating_sub(1);
        }
    }

    fn forgive(&mut self, attempt: &Attempt) {
        if let Some(bucket) = self.places.entries.get_mut(&attempt.place) {
            bucket.give_back();
        }
        if let Some(bucket) = self.accounts.entries.get_mut(&attempt.account).filter(|_| !attempt.known) {
            bucket.give_back();
        }
    }
}

fn shortened(account: &str) -> String {
    account[..account.floor_char_boundary(NAME)].to_owned()
}

// === impl Place ===

impl Place {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            ip => ip,
        })
    }
}

// === impl Pair ===

impl Pair {
    fn wait(&self, now: Instant) -> Duration {
        if self.tries < FREE {
            return Duration::ZERO;
        }
        let wait = FIRST_WAIT.saturating_mul(1 << (self.tries - FREE).min(16)).min(LONGEST_WAIT);
        (self.last + wait).saturating_duration_since(now)
    }

    fn take(&mut self, now: Instant) {
        self.tries = self.tries.saturating_add(1);
        self.last = now;
    }
}

impl Fades for Pair {
    fn gone_at(&self) -> Instant {
        self.last + FORGET
    }
}

// === impl Bucket ===

impl Bucket {
    fn wait(&self, now: Instant) -> Duration {
        (self.full + REFILL).saturating_duration_since(now + REFILL * BURST)
    }

    fn take(&mut self, now: Instant) {
        self.full = self.full.max(now) + REFILL;
    }

    fn give_back(&mut self) {
        self.full = self.full.checked_sub(REFILL).unwrap_or(self.full);
    }
}

impl Fades for Bucket {
    fn gone_at(&self) -> Instant {
        self.full
    }
}

impl Fades for Known {
    fn gone_at(&self) -> Instant {
        self.last + KNOWN
    }
}

/// A bounded map. When it is full, what would be gone first has to make room: who has been at it most stays.
#[derive(Debug)]
struct Table<K, V> {
    entries: HashMap<K, V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone, V: Fades> Table<K, V> {
    fn get(&self, now: Instant, key: &K) -> Option<&V> {
        self.entries.get(key).filter(|value| value.gone_at() > now)
    }

    fn entry(&mut self, now: Instant, key: K, fresh: impl FnOnce() -> V) -> &mut V {
        if self.get(now, &key).is_none() {
            self.entries.remove(&key);
            if self.entries.len() >= CAPACITY {
                self.make_room(now);
            }
        }
        self.entries.entry(key).or_insert_with(fresh)
    }

    fn make_room(&mut self, now: Instant) {
        self.entries.retain(|_, value| value.gone_at() > now);
        if self.entries.len() >= CAPACITY
            && let Some(first) = self.entries.iter().min_by_key(|(_, value)| value.gone_at()).map(|(key, _)| key.clone())
        {
            self.entries.remove(&first);
        }
    }

    fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn ip(last: u16) -> IpAddr {
        let [a, b] = last.to_be_bytes();
        [192, 0, a, b].into()
    }

    /// How many of `count` wrong guesses, one each `pace`, are let through.
    fn guesses(guard: &mut Guard, from: Instant, count: u32, pace: Duration, who: impl Fn(u32) -> (String, IpAddr)) -> u32 {
        let tried = |n: u32| {
            let (account, place) = who(n);
            u32::from(guard.attempt(from + pace * n, &account, place).is_ok())
        };
        (0..count).map(tried).sum()
    }

    #[test]
    fn ten_thousand_guesses_get_sixty_tries_at_most() {
        let now = Instant::now();
        for pace in [Duration::ZERO, Duration::from_millis(10), Duration::from_millis(100)] {
            let one = guesses(&mut Guard::default(), now, 10_000, pace, |_| ("admin".into(), ip(1)));
            assert!((5..=12).contains(&one), "from one place: {one}");
            let places = guesses(&mut Guard::default(), now, 10_000, pace, |n| ("admin".into(), ip(n as u16)));
            assert!((20..=60).contains(&places), "from ten thousand places: {places}");
            let accounts = guesses(&mut Guard::default(), now, 10_000, pace, |n| (format!("user-{n}"), ip(1)));
            assert!((20..=60).contains(&accounts), "at ten thousand accounts: {accounts}");
        }
        let patient = guesses(&mut Guard::default(), now, 10_000, Duration::from_secs(1), |_| ("admin".into(), ip(1)));
        assert!(patient <= 60, "in three hours: {patient}");
    }

    #[test]
    fn five_a_minute_then_each_wait_is_twice_the_one_before() {
        let (mut guard, mut now) = (Guard::default(), Instant::now());
        for _ in 0..5 {
            let _ = guard.attempt(now, "ann", ip(1)).expect("free");
        }
        for minutes in [1, 2, 4, 8, 15, 15] {
            let wait = guard.attempt(now, "ann", ip(1)).expect_err("too many");
            assert_eq!(wait, Wait(MINUTE * minutes));
            assert_eq!(
                guard.attempt(now + wait.0 - Duration::from_secs(1), "ann", ip(1)).expect_err("too soon"),
                Wait(Duration::from_secs(1))
            );
            now += wait.0;
            let _ = guard.attempt(now, "ann", ip(1)).expect("after the wait");
        }
        assert!(guard.attempt(now, "ann", ip(2)).is_ok(), "another place");
        assert!(guard.attempt(now, "bob", ip(1)).is_ok(), "another account");
        assert!(guard.attempt(now + FORGET, "ann", ip(1)).is_ok(), "forgotten");
    }

    #[test]
    fn who_logs_in_starts_afresh_and_uses_nothing_up() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        for _ in 0..1_000 {
            for _ in 0..4 {
                let wrong = guard.attempt(now, "ann", ip(1)).expect("free");
                // What was too busy to be looked at is not counted either.
                guard.not_tried(wrong);
            }
            let right = guard.attempt(now, "ann", ip(1)).expect("free");
            guard.succeeded(now, right);
        }
        let _ = guard.attempt(now, "ann", ip(1)).expect("free");
    }

    #[test]
    fn nobody_locks_an_account_where_its_owner_is_known() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let right = guard.attempt(now, "ann", ip(1)).expect("free");
        guard.succeeded(now, right);
        guesses(&mut guard, now, 10_000, Duration::ZERO, |n| ("ann".into(), ip(n as u16 | 0x8000)));
        assert!(guard.attempt(now, "ann", ip(9)).is_err(), "a place nobody knows");
        for _ in 0..5 {
            let _ = guard.attempt(now, "ann", ip(1)).expect("her own place");
        }
        assert!(guard.attempt(now, "ann", ip(1)).is_err(), "and there are limits there, too");
        assert!(guard.attempt(now + 2 * REFILL * BURST, "ann", ip(9)).is_ok(), "not for good");
    }

    #[test]
    fn tables_are_bounded_and_the_worst_stay() {
        let (mut guard, mut now) = (Guard::default(), Instant::now());
        while guard.attempt(now, "admin", ip(1)).is_ok() {}
        for n in 0..CAPACITY + 500 {
            now += Duration::from_millis(1);
            let (a, b) = ((n / 256) as u8, (n % 256) as u8);
            let _ = guard.attempt(now, &format!("user-{n}"), [10, a, b, 1].into());
        }
        let sizes = [guard.pairs.entries.len(), guard.accounts.entries.len(), guard.places.entries.len()];
        assert!(sizes.iter().all(|size| *size <= CAPACITY), "{sizes:?}");
        assert!(guard.places.get(now, &Place::of(ip(1))).is_some(), "five tries weigh more than one");
    }

    #[test]
    fn a_network_is_one_place() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let tried =
            guesses(&mut guard, now, 1_000, Duration::ZERO, |n| ("ann".into(), format!("2001:db8::{n:x}").parse().expect("an address")));
        assert_eq!(tried, 5);
        assert!(guard.attempt(now, "ann", "2001:db8:0:1::1".parse().expect("an address")).is_ok());
        assert_eq!(Place::of("::ffff:192.0.2.1".parse().expect("an address")), Place::of([192, 0, 2, 1].into()));
    }

    #[test]
    fn names_of_any_length_take_little_room() {
        let mut guard = Guard::default();
        let _ = guard.attempt(Instant::now(), &"ü".repeat(1 << 20), ip(1)).expect("free");
        assert!(guard.accounts.entries.keys().all(|name| name.len() <= NAME));
    }
}
