//! How much one network is answered: so that nobody is flooded with answers to questions that somebody else asked in his name.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Buckets for all networks together. Two of them may share one; which, nobody outside can know.
const BUCKETS: usize = 1 << 14;

/// Of the answers that are over, every such one is cut short: a client that is there then asks by TCP, which cannot be forged.
const SLIP: u32 = 2;

/// Answers by UDP, for each network: /24 of IPv4, /56 of IPv6.
#[derive(Debug)]
pub struct Limiter {
    /// In a second, for long.
    rate: u32,
    /// At once.
    burst: u32,
    random: RandomState,
    buckets: Vec<Bucket>,
    begin: Instant,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    /// When it is full again, in nanoseconds since the beginning.
    full: u64,
    over: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Answer,
    /// Only that it is to be asked again by TCP.
    Short,
    Nothing,
}

impl Limiter {
    pub fn new(rate: u32, burst: u32, now: Instant) -> Self {
        Self { rate: rate.max(1), burst: burst.max(1), random: RandomState::new(), buckets: vec![Bucket::default(); BUCKETS], begin: now }
    }

    pub fn judge(&mut self, client: IpAddr, now: Instant) -> Verdict {
        // Nobody outside this machine can send in its name.
        if client.to_canonical().is_loopback() {
            return Verdict::Answer;
        }
        let nanos = |it: Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
        let now = nanos(now.saturating_duration_since(self.begin));
        let one = nanos(Duration::from_secs(1)) / u64::from(self.rate);
        let room = one.saturating_mul(u64::from(self.burst));
        let at = usize::try_from(self.random.hash_one(network(client)) % BUCKETS as u64).unwrap_or_default();
        let bucket = &mut self.buckets[at];
        let full = bucket.full.max(now).saturating_add(one);
        if full.saturating_sub(now) <= room {
            (bucket.full, bucket.over) = (full, 0);
            return Verdict::Answer;
        }
        bucket.over = bucket.over.wrapping_add(1);
        if bucket.over.is_multiple_of(SLIP) { Verdict::Short } else { Verdict::Nothing }
    }
}

fn network(client: IpAddr) -> (u8, u64) {
    match client.to_canonical() {
        IpAddr::V4(it) => (4, u64::from(it.to_bits() >> 8)),
        IpAddr::V6(it) => (6, u64::try_from(it.to_bits() >> 72).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_network_gets_its_burst_then_its_rate_and_others_do_not_notice() {
        let begin = begin();
        let mut limiter = Limiter::new(10, 20, begin);
        let client = |last: u8| IpAddr::from([192, 0, 2, last]);
        let verdicts: Vec<Verdict> = (0..40).map(|n| limiter.judge(client(n), begin)).collect();
        assert!(verdicts[..20].iter().all(|it| *it == Verdict::Answer));
        let count = |verdict| verdicts[20..].iter().filter(|it| **it == verdict).count();
        assert_eq!((count(Verdict::Nothing), count(Verdict::Short)), (10, 10));
        assert_eq!(limiter.judge(IpAddr::from([198, 51, 100, 1]), begin), Verdict::Answer);
        let later = begin + Duration::from_secs(1);
        assert_eq!((0..40).filter(|n| limiter.judge(client(*n), later) == Verdict::Answer).count(), 10);
    }

    #[test]
    fn addresses_of_one_ipv6_site_are_one_client() {
        let begin = begin();
        let mut limiter = Limiter::new(1, 1, begin);
        let address = |text: &str| text.parse().expect("an address");
        assert_eq!(limiter.judge(address("2001:db8:1:ff01::1"), begin), Verdict::Answer);
        assert_ne!(limiter.judge(address("2001:db8:1:ff02::9"), begin), Verdict::Answer);
        assert_eq!(limiter.judge(address("127.0.0.1"), begin), Verdict::Answer);
        assert_eq!(limiter.judge(address("::ffff:127.0.0.1"), begin), Verdict::Answer);
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_far_does_no_harm() {
        let begin = begin();
        let mut limiter = Limiter::new(u32::MAX, u32::MAX, begin);
        let client = IpAddr::from([192, 0, 2, 1]);
        for later in [0, 0, 1, 60 * 60 * 24 * 365 * 400, 60 * 60 * 24 * 365 * 900] {
            assert_eq!(limiter.judge(client, begin + Duration::from_secs(later)), Verdict::Answer);
        }
    }
}
