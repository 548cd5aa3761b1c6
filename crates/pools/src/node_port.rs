//! Node ports: one number on every node for each port of a Service.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What Kubernetes gives node ports from.
pub const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// A port that asks for a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodePortClaim {
    /// `namespace/name:port` of the Service's port. Claims are served in this order.
    pub owner: String,
    /// What it has, or what its owner wrote: it stays, also outside the range.
    pub current: Option<u16>,
    /// Tried first, then the numbers after it, then from the range's start.
    pub preferred: u16,
}

/// Gives every claim a number while there are any; whoever is missing from the answer has none. `taken`: in use on this machine.
pub fn assign_node_ports(range: &RangeInclusive<u16>, claims: &[NodePortClaim], taken: &BTreeSet<u16>) -> BTreeMap<String, u16> {
    let mut claims: Vec<&NodePortClaim> = claims.iter().collect();
    claims.sort();
    let mut given = BTreeMap::new();
    let mut gone = taken.clone();
    for claim in &claims {
        // A number that was given is kept even where somebody else sits on it now: clients and firewalls know it, and the listener
        // says why it does not answer.
        if let Some(port) = claim.current
            && !given.values().any(|it| *it == port)
        {
            gone.insert(port);
            given.insert(claim.owner.clone(), port);
        }
    }
    for claim in claims {
        if given.contains_key(&claim.owner) {
            continue;
        }
        let from = if range.contains(&claim.preferred) { claim.preferred } else { *range.start() };
        if let Some(port) = (from..=*range.end()).chain(*range.start()..from).find(|it| !gone.contains(it)) {
            gone.insert(port);
            given.insert(claim.owner.clone(), port);
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(claims: &[(&str, Option<u16>, u16)], taken: &[u16], expect: &[(&str, u16)]) {
        let claims: Vec<NodePortClaim> = claims
            .iter()
            .map(|(owner, current, preferred)| NodePortClaim { owner: (*owner).into(), current: *current, preferred: *preferred })
            .collect();
        let got = assign_node_ports(&(30_000..=30_003), &claims, &taken.iter().copied().collect());
        let expect: BTreeMap<String, u16> = expect.iter().map(|(owner, port)| ((*owner).into(), *port)).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn the_preferred_number_then_the_next_ones() {
        check(&[("a", None, 30_002)], &[], &[("a", 30_002)]);
        check(&[("a", None, 30_002)], &[30_002, 30_003], &[("a", 30_000)]);
        check(&[("a", None, 80)], &[30_000], &[("a", 30_001)]);
        check(&[("a", None, 30_000), ("b", None, 30_000)], &[], &[("a", 30_000), ("b", 30_001)]);
    }

    #[test]
    fn what_was_given_stays_even_when_taken_or_out_of_range() {
        check(&[("a", Some(30_001), 30_000)], &[30_001], &[("a", 30_001)]);
        check(&[("a", Some(8080), 30_000)], &[], &[("a", 8080)]);
        check(&[("a", None, 30_001), ("b", Some(30_001), 30_000)], &[], &[("a", 30_002), ("b", 30_001)]);
        check(&[("a", Some(30_001), 30_000), ("b", Some(30_001), 30_001)], &[], &[("a", 30_001), ("b", 30_002)]);
    }

    #[test]
    fn nobody_gets_a_number_when_none_is_left() {
        check(&[("a", None, 30_000)], &[30_000, 30_001, 30_002, 30_003], &[]);
    }
}
