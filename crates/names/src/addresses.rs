//! The addresses of this machine.
//!
//! An answer by UDP must come from the address that was asked. A socket for every address could not choose it, so there is one for each.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most of them that are listened on.
const MOST: usize = 256;

/// For `0.0.0.0` every IPv4 address, for `::` every address; another is only itself.
pub(crate) fn meant_by(address: IpAddr) -> BTreeSet<IpAddr> {
    if !address.is_unspecified() {
        return [address].into();
    }
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mut found: BTreeSet<IpAddr> = v4(&read("/proc/net/fib_trie")).into_iter().map(IpAddr::V4).collect();
    if address.is_ipv6() {
        found.extend(v6(&read("/proc/net/if_inet6")).into_iter().map(IpAddr::V6));
    }
    // Whatever else: who asks for all of them asks for this one.
    found.insert(IpAddr::V4(Ipv4Addr::LOCALHOST));
    found.into_iter().take(MOST).collect()
}

/// Lines `|-- ADDRESS`, each followed by what it is.
fn v4(trie: &str) -> BTreeSet<Ipv4Addr> {
    let (mut found, mut last): (_, Option<Ipv4Addr>) = (BTreeSet::new(), None);
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.ends_with("host LOCAL") {
            found.extend(last);
        }
    }
    found
}

/// Lines `ADDRESS INDEX PREFIX SCOPE FLAGS NAME`; of those that only mean something on one link, none.
fn v6(table: &str) -> BTreeSet<Ipv6Addr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let (address, scope) = (words.next()?, words.nth(2)?);
        (scope != "20").then(|| u128::from_str_radix(address, 16).ok().map(Ipv6Addr::from_bits)).flatten()
    };
    table.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.0.0.0/24 2 0 2\n        |-- 10.0.0.0\n           \
                    /24 link UNICAST\n        |-- 10.0.0.7\n           /32 host LOCAL\n        |-- 10.0.0.255\n           /32 link BROADCAST\n";
        assert_eq!(v4(trie), [Ipv4Addr::new(10, 0, 0, 7)].into());
        let table = "00000000000000000000000000000001 01 80 10 80       lo\nfe800000000000000000000000000001 02 40 20 80     eth0\nx\n";
        assert_eq!(v6(table), [Ipv6Addr::LOCALHOST].into());
    }

    #[test]
    fn one_address_is_itself_and_all_of_them_have_loopback() {
        let one = IpAddr::from([127, 9, 9, 9]);
        assert_eq!(meant_by(one), [one].into());
        assert!(meant_by(IpAddr::from([0, 0, 0, 0])).contains(&IpAddr::from([127, 0, 0, 1])));
    }
}
