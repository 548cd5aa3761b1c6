//! Addresses for Services of type LoadBalancer.

use ipnet::{IpAddrRange, IpNet, Ipv4AddrRange, Ipv6AddrRange};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// Where addresses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Nobody gets an address.
    None,
    Ranges(Vec<Range>),
}

/// A run of addresses; displays as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    text: String,
    first: IpAddr,
    last: IpAddr,
}

/// Somebody who asks for an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// `namespace/name` of the Service. Claims are served in this order.
    pub owner: String,
    /// What it has, read back from its status.
    pub current: Option<IpAddr>,
    /// The one address it wants (`spec.loadBalancerIP`); no other will do.
    pub wanted: Option<IpAddr>,
}

/// Who has which address.
pub type Assignment = BTreeMap<String, IpAddr>;

/// Somebody without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub owner: String,
    pub why: Shortage,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    #[error("there is no pool of addresses")]
    NoPool,
    #[error("every address of the pool is given away or in use")]
    Exhausted,
    #[error("{0} is not in the pool")]
    NotInPool(IpAddr),
    #[error("{0} is given to another Service or in use")]
    Taken(IpAddr),
}

/// Why a text is no [`Pool`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of addresses; write for example 127.1.0.0/24 or 127.1.0.1-127.1.0.9, several with commas between, or none")]
pub struct PoolError(String);

/// Gives every claim an address while there are any.
///
/// Whoever has one from the pool keeps it, unless it is in `taken`: sockets of others on this machine. Two who have the same one: the
/// first by name keeps it.
pub fn assign(pool: &Pool, claims: &[Claim], taken: &BTreeSet<IpAddr>) -> (Assignment, Vec<Waiting>) {
    let mut claims: Vec<&Claim> = claims.iter().collect();
    claims.sort();
    let mut given = Assignment::new();
    let mut gone = taken.clone();
    for claim in &claims {
        let keeps = claim.current.filter(|it| claim.wanted.is_none_or(|wanted| wanted == *it) && pool.contains(*it) && !gone.contains(it));
        if let Some(address) = keeps {
            gone.insert(address);
            given.insert(claim.owner.clone(), address);
        }
    }
    let mut waiting = Vec::new();
    // Nothing is given back while assigning, so the search for the next free address never starts over.
    let mut free = pool.addresses();
    for claim in claims {
        if given.contains_key(&claim.owner) {
            continue;
        }
        let found = match claim.wanted {
            _ if *pool == Pool::None => Err(Shortage::NoPool),
            Some(wanted) if !pool.contains(wanted) => Err(Shortage::NotInPool(wanted)),
            Some(wanted) if gone.contains(&wanted) => Err(Shortage::Taken(wanted)),
            Some(wanted) => Ok(wanted),
            None => free.find(|it| !gone.contains(it)).ok_or(Shortage::Exhausted),
        };
        match found {
            Ok(address) => {
                gone.insert(address);
                given.insert(claim.owner.clone(), address);
            }
            Err(why) => waiting.push(Waiting { owner: claim.owner.clone(), why }),
        }
    }
    (given, waiting)
}

// === impl Pool ===

impl Pool {
    /// Every address, in the order they are given away.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ranges().iter().flat_map(Range::addresses)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.ranges().iter().any(|it| it.first.is_ipv4() == address.is_ipv4() && (it.first..=it.last).contains(&address))
    }

    fn ranges(&self) -> &[Range] {
        match self {
            Self::None => &[],
            Self::Ranges(ranges) => ranges,
        }
    }
}

impl FromStr for Pool {
    type Err = PoolError;

    fn from_str(text: &str) -> Result<Self, PoolError> {
        if text.trim() == "none" {
            return Ok(Self::None);
        }
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self::Ranges)
    }
}

// === impl Range ===

impl Range {
    fn addresses(&self) -> IpAddrRange {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4AddrRange::new(first, last).into(),
            (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6AddrRange::new(first, last).into(),
            // Reading refuses a range of both families.
            _ => Ipv4AddrRange::new(Ipv4Addr::from(1), Ipv4Addr::from(0)).into(),
        }
    }
}

impl FromStr for Range {
    type Err = PoolError;

    /// A network (its host addresses: not an IPv4 network's own nor its broadcast address), two addresses, or one.
    fn from_str(text: &str) -> Result<Self, PoolError> {
        let text = text.trim();
        let wrong = || PoolError(text.to_owned());
        let (first, last) = match (text.split_once('-'), text.parse::<IpNet>()) {
            (Some((first, last)), _) => (first.trim().parse().map_err(|_| wrong())?, last.trim().parse().map_err(|_| wrong())?),
            (None, Ok(net)) => {
                let mut hosts = net.hosts();
                let first = hosts.next().ok_or_else(wrong)?;
                (first, hosts.last().unwrap_or(first))
            }
            (None, Err(_)) => text.parse::<IpAddr>().map(|it| (it, it)).map_err(|_| wrong())?,
        };
        if first.is_ipv4() != last.is_ipv4() || first > last {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), first, last })
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Ranges(ranges) => {
                for (n, range) in ranges.iter().enumerate() {
                    write!(f, "{}{}", if n == 0 { "" } else { "," }, range.text)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn claim(owner: &str, current: Option<&str>, wanted: Option<&str>) -> Claim {
        Claim { owner: owner.into(), current: current.map(ip), wanted: wanted.map(ip) }
    }

    /// `claims` as (owner, current, wanted); `expect` as owner=address or owner=why.
    fn check(pool: &str, claims: &[(&str, Option<&str>, Option<&str>)], taken: &[&str], expect: &[&str]) {
        let claims: Vec<Claim> = claims.iter().map(|(owner, current, wanted)| claim(owner, *current, *wanted)).collect();
        let taken = taken.iter().map(|it| ip(it)).collect();
        let (given, waiting) = assign(&pool.parse().expect("a pool"), &claims, &taken);
        let mut got: Vec<String> = given.iter().map(|(owner, address)| format!("{owner}={address}")).collect();
        got.extend(waiting.iter().map(|it| format!("{}={:?}", it.owner, it.why)));
        assert_eq!(got, expect);
    }

    #[test]
    fn the_first_free_address_is_given() {
        check("127.1.0.0/24", &[("a/a", None, None)], &[], &["a/a=127.1.0.1"]);
        check("127.1.0.0/24", &[("b/b", None, None), ("a/a", None, None)], &["127.1.0.1"], &["a/a=127.1.0.2", "b/b=127.1.0.3"]);
        check("127.1.0.9", &[("a/a", None, None), ("b/b", None, None)], &[], &["a/a=127.1.0.9", "b/b=Exhausted"]);
        check("none", &[("a/a", Some("127.1.0.1"), None)], &[], &["a/a=NoPool"]);
        check("127.1.0.3-127.1.0.4", &[("a/a", None, None), ("b/b", None, None)], &[], &["a/a=127.1.0.3", "b/b=127.1.0.4"]);
    }

    #[test]
    fn what_was_given_stays() {
        check("127.1.0.0/24", &[("a/a", None, None), ("b/b", Some("127.1.0.1"), None)], &[], &["a/a=127.1.0.2", "b/b=127.1.0.1"]);
        check("127.1.0.0/24", &[("a/a", Some("127.1.0.7"), None)], &["127.1.0.7"], &["a/a=127.1.0.1"]);
        check("127.2.0.0/24", &[("a/a", Some("127.1.0.7"), None)], &[], &["a/a=127.2.0.1"]);
        check(
            "127.1.0.0/24",
            &[("a/a", Some("127.1.0.7"), None), ("b/b", Some("127.1.0.7"), None)],
            &[],
            &["a/a=127.1.0.7", "b/b=127.1.0.1"],
        );
    }

    #[test]
    fn a_wanted_address_is_that_one_or_none() {
        check("127.1.0.0/24", &[("a/a", Some("127.1.0.1"), Some("127.1.0.5"))], &[], &["a/a=127.1.0.5"]);
        check("127.1.0.0/24", &[("a/a", None, Some("127.1.0.5"))], &["127.1.0.5"], &["a/a=Taken(127.1.0.5)"]);
        check("127.1.0.0/24", &[("a/a", None, Some("10.0.0.5"))], &[], &["a/a=NotInPool(10.0.0.5)"]);
        check("127.1.0.0/24", &[("a/a", None, Some("127.1.0.255"))], &[], &["a/a=NotInPool(127.1.0.255)"]);
    }

    #[test]
    fn a_pool_reads_as_it_is_written() {
        for text in ["none", "127.1.0.0/24", "127.1.0.0/24,10.0.0.0/30", "fd00::/120", "127.1.0.3-127.1.0.5"] {
            assert_eq!(text.parse::<Pool>().expect("a pool").to_string(), text);
        }
        for text in ["", "127.1.0.0/33", "all", "127.1.0.0/24,", "127.1.0.5-127.1.0.3", "127.1.0.5-::1"] {
            text.parse::<Pool>().expect_err(text);
        }
    }

    proptest! {
        #[test]
        fn no_address_is_given_twice_and_a_second_round_changes_nothing(
            claims in prop::collection::btree_map("[a-e]/[a-e]", (prop::option::of(0u8..20), prop::option::of(0u8..20)), 0..12),
            taken in prop::collection::btree_set(0u8..20, 0..6),
        ) {
            let pool: Pool = "127.1.0.0/28".parse().expect("a pool");
            let at = |n: u8| IpAddr::from([127, 1, 0, n]);
            let taken: BTreeSet<IpAddr> = taken.into_iter().map(at).collect();
            let mut claims: Vec<Claim> = claims.into_iter()
                .map(|(owner, (current, wanted))| Claim { owner, current: current.map(at), wanted: wanted.map(at) })
                .collect();
            let (given, waiting) = assign(&pool, &claims, &taken);
            prop_assert_eq!(given.len() + waiting.len(), claims.len());
            let distinct: BTreeSet<&IpAddr> = given.values().collect();
            prop_assert_eq!(distinct.len(), given.len());
            prop_assert!(given.values().all(|it| pool.contains(*it) && !taken.contains(it)));

            for claim in &mut claims {
                claim.current = given.get(&claim.owner).copied();
            }
            claims.reverse();
            prop_assert_eq!(assign(&pool, &claims, &taken), (given, waiting));
        }
    }
}
