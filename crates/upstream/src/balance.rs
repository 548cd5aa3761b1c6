//! Which endpoint of a backend.

use crate::EndpointState;
use fastrand::Rng;
use model::Balancing;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    pub endpoints: &'a [Arc<EndpointState>],
    /// Those this request has been at: not again.
    pub tried: &'a [SocketAddr],
    pub now: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Not those that just refused a connection.
    Good,
    Any,
}

/// An index into the endpoints, or `None` where all have been tried. Endpoints that just refused a connection come last.
///
/// `cursor` is this worker's place in the round; it begins anywhere, so that workers do not march in step.
pub fn choose_endpoint(candidates: Candidates<'_>, balancing: Balancing, cursor: &mut usize, rng: &mut Rng) -> Option<usize> {
    let choose = |health: Health, cursor: &mut usize, rng: &mut Rng| match balancing {
        Balancing::RoundRobin => next_in_round(candidates, health, cursor),
        Balancing::LeastRequest => less_busy_of_two(candidates, health, cursor, rng),
        Balancing::Random => anyone(candidates, health, rng),
    };
    choose(Health::Good, cursor, rng).or_else(|| choose(Health::Any, cursor, rng))
}

fn next_in_round(candidates: Candidates<'_>, health: Health, cursor: &mut usize) -> Option<usize> {
    let count = candidates.endpoints.len();
    for _ in 0..count {
        let at = if *cursor >= count { 0 } else { *cursor };
        *cursor = at + 1;
        if candidates.usable(at, health) {
            return Some(at);
        }
    }
    None
}

/// Each that is usable as likely as the others.
fn anyone(candidates: Candidates<'_>, health: Health, rng: &mut Rng) -> Option<usize> {
    let count = candidates.endpoints.len();
    let at = (count > 0).then(|| rng.usize(..count))?;
    if candidates.usable(at, health) {
        return Some(at);
    }
    let usable = || (0..count).filter(|&at| candidates.usable(at, health));
    let left = usable().count();
    if left == 0 { None } else { usable().nth(rng.usize(..left)) }
}

fn less_busy_of_two(candidates: Candidates<'_>, health: Health, cursor: &mut usize, rng: &mut Rng) -> Option<usize> {
    let count = candidates.endpoints.len();
    if count < 2 {
        return next_in_round(candidates, health, cursor);
    }
    let one = rng.usize(..count);
    let two = (one + 1 + rng.usize(..count - 1)) % count;
    let busy = |at: usize| candidates.endpoints.get(at).map_or(u32::MAX, |endpoint| endpoint.in_flight());
    match (candidates.usable(one, health), candidates.usable(two, health)) {
        (true, true) => Some(if busy(two) < busy(one) { two } else { one }),
        (true, false) => Some(one),
        (false, true) => Some(two),
        (false, false) => next_in_round(candidates, health, cursor),
    }
}

impl Candidates<'_> {
    fn usable(&self, at: usize, health: Health) -> bool {
        self.endpoints
            .get(at)
            .is_some_and(|endpoint| !self.tried.contains(&endpoint.address) && (health == Health::Any || !endpoint.passed_over(self.now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(count: u16) -> Vec<Arc<EndpointState>> {
        (1..=count).map(|port| Arc::new(EndpointState::new(SocketAddr::from(([127, 0, 0, 1], port))))).collect()
    }

    fn now() -> Duration {
        Duration::from_secs(100)
    }

    #[test]
    fn a_round_visits_each_once() {
        let endpoints = endpoints(3);
        let candidates = Candidates { endpoints: &endpoints, tried: &[], now: now() };
        let (mut cursor, mut rng) = (7, Rng::with_seed(1));
        let round: Vec<_> = (0..6).filter_map(|_| choose_endpoint(candidates, Balancing::RoundRobin, &mut cursor, &mut rng)).collect();
        assert_eq!(round, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn tried_ones_are_not_tried_again() {
        let endpoints = endpoints(2);
        let tried = [endpoints[0].address];
        for balancing in [Balancing::RoundRobin, Balancing::LeastRequest, Balancing::Random] {
            let (mut cursor, mut rng) = (0, Rng::with_seed(1));
            let candidates = Candidates { endpoints: &endpoints, tried: &tried, now: now() };
            assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), Some(1));
            let all = [endpoints[0].address, endpoints[1].address];
            let candidates = Candidates { tried: &all, ..candidates };
            assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), None);
        }
    }

    #[test]
    fn those_that_refused_come_last_but_come() {
        let endpoints = endpoints(3);
        endpoints[0].failed(now());
        endpoints[1].failed(now());
        for balancing in [Balancing::RoundRobin, Balancing::LeastRequest, Balancing::Random] {
            let (mut cursor, mut rng) = (0, Rng::with_seed(1));
            let candidates = Candidates { endpoints: &endpoints, tried: &[], now: now() };
            for _ in 0..5 {
                assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), Some(2));
            }
            let tried = [endpoints[2].address];
            let candidates = Candidates { tried: &tried, ..candidates };
            assert!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng).is_some_and(|at| at < 2));
        }
    }

    #[test]
    fn chance_is_fair_to_those_that_are_left() {
        let endpoints = endpoints(4);
        endpoints[0].failed(now());
        let tried = [endpoints[1].address];
        let candidates = Candidates { endpoints: &endpoints, tried: &tried, now: now() };
        let (mut cursor, mut rng) = (0, Rng::with_seed(1));
        let mut hits = [0_u32; 4];
        for _ in 0..4_000 {
            hits[choose_endpoint(candidates, Balancing::Random, &mut cursor, &mut rng).expect("two are left")] += 1;
        }
        assert_eq!(hits[..2], [0, 0]);
        assert!(hits[2].abs_diff(2_000) < 200, "{hits:?}");
    }

    #[test]
    fn least_request_prefers_the_idle_one() {
        let endpoints = endpoints(2);
        for _ in 0..3 {
            endpoints[0].begin();
        }
        let candidates = Candidates { endpoints: &endpoints, tried: &[], now: now() };
        let (mut cursor, mut rng) = (0, Rng::with_seed(1));
        for _ in 0..20 {
            assert_eq!(choose_endpoint(candidates, Balancing::LeastRequest, &mut cursor, &mut rng), Some(1));
        }
    }
}
