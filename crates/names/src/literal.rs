//! The address that a name holds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the labels before a suffix say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    Address(IpAddr),
    /// No address, but names below this one have some: `0.0.1` of `10.0.0.1`.
    Beneath,
    Nothing,
}

/// Of several readings the one nearest to the suffix counts, so that whatever stands before an address changes nothing about it.
///
/// | form                | example                          |
/// |---------------------|----------------------------------|
/// | dots                | `10.0.0.1`, `app.10.0.0.1`       |
/// | dashes              | `10-0-0-1`, `app-10-0-0-1`       |
/// | hexadecimal         | `0a000001`, `app-0a000001`       |
/// | IPv6, a whole label | `2001-db8--1`, `app.2001-db8--1` |
///
/// `labels`: the leftmost first; upper and lower case are the same.
pub fn literal<L: AsRef<[u8]>>(labels: &[L]) -> Literal {
    let text = |it: &L| std::str::from_utf8(it.as_ref()).unwrap_or_default().to_owned();
    let near: Vec<String> = labels.iter().rev().take(4).map(text).collect();
    let Some(last) = near.first() else { return Literal::Nothing };
    let found = dotted(&near).map(IpAddr::V4).or_else(|| v6(last).map(IpAddr::V6)).or_else(|| after_dash(last).map(IpAddr::V4));
    match found {
        Some(address) => Literal::Address(address),
        None if labels.len() < 4 && near.iter().all(|it| octet(it).is_some()) => Literal::Beneath,
        None => Literal::Nothing,
    }
}

/// Four labels, of which the first may have something and a dash before its number. `near`: the last label first.
fn dotted(near: &[String]) -> Option<Ipv4Addr> {
    let [d, c, b, a, ..] = near else { return None };
    let a = a.rsplit('-').next().unwrap_or_default();
    Some(Ipv4Addr::new(octet(a)?, octet(b)?, octet(c)?, octet(d)?))
}

/// The end of one label, in dashes or hexadecimal.
fn after_dash(label: &str) -> Option<Ipv4Addr> {
    let mut words = label.rsplit('-');
    let last = words.next()?;
    if last.len() == 8 && last.bytes().all(|it| it.is_ascii_hexdigit()) {
        return u32::from_str_radix(last, 16).ok().map(Ipv4Addr::from_bits);
    }
    let (d, c, b, a) = (last, words.next()?, words.next()?, words.next()?);
    Some(Ipv4Addr::new(octet(a)?, octet(b)?, octet(c)?, octet(d)?))
}

/// With dashes for colons.
fn v6(label: &str) -> Option<Ipv6Addr> {
    let plain = label.len() <= 39 && label.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-');
    (plain && label.contains('-')).then(|| label.replace('-', ":").parse().ok()).flatten()
}

/// As one writes it: without zeros before it.
fn octet(text: &str) -> Option<u8> {
    let plain = text.len() <= 3 && text.bytes().all(|it| it.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(name: &str, expect: &str) {
        let labels: Vec<&str> = name.split('.').filter(|it| !it.is_empty()).collect();
        let shown = match literal(&labels) {
            Literal::Address(address) => address.to_string(),
            Literal::Beneath => "beneath".into(),
            Literal::Nothing => "nothing".into(),
        };
        assert_eq!(shown, expect, "{name}");
    }

    #[test]
    fn every_form_at_every_depth() {
        for (name, expect) in [
            ("10.0.0.1", "10.0.0.1"),
            ("app.10.0.0.1", "10.0.0.1"),
            ("customer1.app.10.0.0.1", "10.0.0.1"),
            ("a.b.c.d.e.f.10.0.0.1", "10.0.0.1"),
            ("app-10.0.0.1", "10.0.0.1"),
            ("10-0-0-1", "10.0.0.1"),
            ("app-10-0-0-1", "10.0.0.1"),
            ("app.10-0-0-1", "10.0.0.1"),
            ("x.my-app-192-168-1-250", "192.168.1.250"),
            ("0a000803", "10.0.8.3"),
            ("app-c0a801fc", "192.168.1.252"),
            ("APP-C0A801FC", "192.168.1.252"),
            ("customer3-app-7f000101", "127.0.1.1"),
            ("app.7f000101", "127.0.1.1"),
            ("2a01-4f8-c17-b8f--2", "2a01:4f8:c17:b8f::2"),
            ("app.2A01-4F8-C17-B8F--2", "2a01:4f8:c17:b8f::2"),
            ("--1", "::1"),
            ("--", "::"),
            ("fe80--", "fe80::"),
            ("1-2-3-4-5-6-7-8", "1:2:3:4:5:6:7:8"),
            ("10-0-0-2.10.0.0.1", "10.0.0.1"),
            ("10.0.0.2.10.0.0.1", "10.0.0.1"),
            ("10.0.0.2.10-0-0-1", "10.0.0.1"),
            ("web.5.10.0.0.1", "10.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("1", "beneath"),
            ("0.1", "beneath"),
            ("0.0.1", "beneath"),
            ("x.0.0.1", "nothing"),
            ("256.0.0.1", "nothing"),
            ("10.0.0.01", "nothing"),
            ("10.0.0.256", "nothing"),
            ("10-0-0-256", "nothing"),
            ("010-0-0-1", "nothing"),
            ("app", "nothing"),
            ("app-1-2-3", "nothing"),
            ("deadbee", "nothing"),
            ("deadbeef1", "nothing"),
            ("1--2--3", "nothing"),
            ("10.0.0.1.app", "nothing"),
            ("", "nothing"),
        ] {
            check(name, expect);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_stands_before_an_address_changes_nothing(front in "([a-z0-9-]{1,9}\\.){0,4}", v4 in any::<u32>(), v6 in any::<u128>()) {
            let (v4, v6) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from_bits(v6));
            check(&format!("{front}{v4}"), &v4.to_string());
            check(&format!("{front}{}", v4.to_string().replace('.', "-")), &v4.to_string());
            check(&format!("{front}x-{:08x}", v4.to_bits()), &v4.to_string());
            let groups: Vec<String> = v6.segments().iter().map(|it| format!("{it:x}")).collect();
            check(&format!("{front}{}", groups.join("-")), &v6.to_string());
        }

        #[test]
        fn octets_are_no_text(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..7)) {
            literal(&labels);
        }
    }
}
