//! Which endpoint of a backend.

use crate::EndpointState;
use fastrand::Rng;
use model::Balancing;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// For whom an endpoint is chosen, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asking<'a> {
    /// Those this request has been at: not again.
    pub tried: &'a [SocketAddr],
    /// `None`: nobody's in particular, for example a copy of a request.
    pub client: Option<IpAddr>,
    pub now: Duration,
}

/// What a choice is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidates<'a> {
    pub endpoints: &'a [Arc<EndpointState>],
    pub asking: Asking<'a>,
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
pub(crate) fn choose_endpoint(candidates: Candidates<'_>, balancing: Balancing, cursor: &mut usize, rng: &mut Rng) -> Option<usize> {
    let choose = |health: Health, cursor: &mut usize, rng: &mut Rng| match balancing {
        Balancing::RoundRobin => next_in_round(candidates, health, cursor),
        Balancing::LeastRequest => less_busy_of_two(candidates, health, cursor, rng),
        Balancing::Random => anyone(candidates, health, rng),
        Balancing::ClientAddress => match candidates.asking.client {
            Some(client) => own_of(client, candidates, health),
            None => next_in_round(candidates, health, cursor),
        },
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

/// The one that scores highest for this client. Every worker and every process scores alike, and nothing is remembered.
fn own_of(client: IpAddr, candidates: Candidates<'_>, health: Health) -> Option<usize> {
    let client = client.to_canonical();
    let score = |at: &usize| {
        let mut hasher = DefaultHasher::new();
        (client, candidates.endpoints.get(*at).map(|it| it.address)).hash(&mut hasher);
        hasher.finish()
    };
    (0..candidates.endpoints.len()).filter(|&at| candidates.usable(at, health)).max_by_key(score)
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
        self.endpoints.get(at).is_some_and(|endpoint| {
            !self.asking.tried.contains(&endpoint.address) && (health == Health::Any || !endpoint.passed_over(self.asking.now))
        })
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

    const ALL: [Balancing; 4] = [Balancing::RoundRobin, Balancing::LeastRequest, Balancing::Random, Balancing::ClientAddress];

    fn among<'a>(endpoints: &'a [Arc<EndpointState>], tried: &'a [SocketAddr]) -> Candidates<'a> {
        Candidates { endpoints, asking: Asking { tried, client: Some(client(1)), now: now() } }
    }

    fn client(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    /// Where each of 1,000 clients goes.
    fn spread(endpoints: &[Arc<EndpointState>]) -> Vec<SocketAddr> {
        let place = |number| {
            let asking = Asking { client: Some(client(number)), ..among(endpoints, &[]).asking };
            let candidates = Candidates { endpoints, asking };
            choose_endpoint(candidates, Balancing::ClientAddress, &mut 0, &mut Rng::with_seed(1)).expect("one")
        };
        (0..1_000).map(|number| endpoints[place(number)].address).collect()
    }

    #[test]
    fn a_client_stays_where_it_is_while_others_come_and_go() {
        let four = endpoints(4);
        let (before, after) = (spread(&four), spread(&four[..3]));
        let gone = four[3].address;
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || *before == gone), "only its own clients move");
        for endpoint in &four {
            let own = before.iter().filter(|it| **it == endpoint.address).count();
            assert!((180..320).contains(&own), "{own} of 1,000");
        }
        let mut turned = endpoints(4);
        turned.reverse();
        assert_eq!(spread(&turned), before, "the order of endpoints says nothing");
    }

    #[test]
    fn a_round_visits_each_once() {
        let endpoints = endpoints(3);
        let candidates = among(&endpoints, &[]);
        let (mut cursor, mut rng) = (7, Rng::with_seed(1));
        let round: Vec<_> = (0..6).filter_map(|_| choose_endpoint(candidates, Balancing::RoundRobin, &mut cursor, &mut rng)).collect();
        assert_eq!(round, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn tried_ones_are_not_tried_again() {
        let endpoints = endpoints(2);
        let tried = [endpoints[0].address];
        for balancing in ALL {
            let (mut cursor, mut rng) = (0, Rng::with_seed(1));
            let candidates = among(&endpoints, &tried);
            assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), Some(1));
            let all = [endpoints[0].address, endpoints[1].address];
            let candidates = among(&endpoints, &all);
            assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), None);
        }
    }

    #[test]
    fn those_that_refused_come_last_but_come() {
        let endpoints = endpoints(3);
        endpoints[0].failed(now(), crate::Trouble::Refused);
        endpoints[1].failed(now(), crate::Trouble::Refused);
        for balancing in ALL {
            let (mut cursor, mut rng) = (0, Rng::with_seed(1));
            let candidates = among(&endpoints, &[]);
            for _ in 0..5 {
                assert_eq!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng), Some(2));
            }
            let tried = [endpoints[2].address];
            let candidates = among(&endpoints, &tried);
            assert!(choose_endpoint(candidates, balancing, &mut cursor, &mut rng).is_some_and(|at| at < 2));
        }
    }

    #[test]
    fn chance_is_fair_to_those_that_are_left() {
        let endpoints = endpoints(4);
        endpoints[0].failed(now(), crate::Trouble::Refused);
        let tried = [endpoints[1].address];
        let candidates = among(&endpoints, &tried);
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
        let candidates = among(&endpoints, &[]);
        let (mut cursor, mut rng) = (0, Rng::with_seed(1));
        for _ in 0..20 {
            assert_eq!(choose_endpoint(candidates, Balancing::LeastRequest, &mut cursor, &mut rng), Some(1));
        }
    }
}
