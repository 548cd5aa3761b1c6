//! How patterns of hosts lie within one another, where a `*.` covers any depth, as Istio and Gateway API have it.

use model::{HostPattern, Hostname};

/// Whether all that `narrow` means is meant by `wide`.
pub fn covers(wide: &HostPattern, narrow: &HostPattern) -> bool {
    let below = |suffix: &Hostname, name: &Hostname| {
        name.as_str().strip_suffix(suffix.as_str()).and_then(|rest| rest.strip_suffix('.')).is_some_and(|labels| !labels.is_empty())
    };
    match (wide, narrow) {
        (HostPattern::Any, _) => true,
        (HostPattern::AnyDepth(suffix), HostPattern::Exact(name)) => below(suffix, name),
        (HostPattern::AnyDepth(suffix), HostPattern::AnyDepth(name) | HostPattern::OneLabel(name)) => suffix == name || below(suffix, name),
        (one, other) => one == other,
    }
}

/// What two patterns both mean: one of them lies within the other, or they have no host in common.
pub fn narrower<'a>(one: &'a HostPattern, other: &'a HostPattern) -> Option<&'a HostPattern> {
    if covers(one, other) {
        Some(other)
    } else if covers(other, one) {
        Some(one)
    } else {
        None
    }
}

/// The pattern itself and everything wider, the most specific first: `a.b.c`, `*.b.c`, `*.c`, `*`.
pub fn wider(host: &HostPattern) -> Vec<HostPattern> {
    let name = match host {
        HostPattern::Any => return vec![HostPattern::Any],
        HostPattern::Exact(name) | HostPattern::OneLabel(name) | HostPattern::AnyDepth(name) => name.as_str(),
    };
    let suffixes = name.match_indices('.').filter_map(|(dot, _)| Hostname::parse(&name[dot + 1..]).ok());
    let suffixes = suffixes.map(HostPattern::AnyDepth);
    std::iter::once(host.clone()).chain(suffixes).chain([HostPattern::Any]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> HostPattern {
        crate::deep_host_pattern(text).expect("a host")
    }

    #[test]
    fn the_narrower_of_two_is_what_both_mean() {
        for (one, other, expect) in [
            ("*", "a.test", Some("a.test")),
            ("*.test", "a.test", Some("a.test")),
            ("*.test", "a.b.test", Some("a.b.test")),
            ("*.test", "*.b.test", Some("*.b.test")),
            ("*.test", "test", None),
            ("*.a.test", "*.b.test", None),
            ("*.b.test", "a.c.test", None),
            ("a.test", "a.test", Some("a.test")),
            ("a.test", "b.test", None),
            ("*.est", "a.test", None),
            ("*.test", "atest", None),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let (one, other) = (host(one), host(other));
                assert_eq!(narrower(&one, &other).map(ToString::to_string).as_deref(), expect, "{one} {other}");
            }
        }
    }

    #[test]
    fn the_wider_ones_are_those_that_cover() {
        let shown = |text| wider(&host(text)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown("a.b.test"), ["a.b.test", "*.b.test", "*.test", "*"]);
        assert_eq!(shown("*.b.test"), ["*.b.test", "*.test", "*"]);
        assert_eq!(shown("*"), ["*"]);
        for text in ["a.b.test", "*.b.test"] {
            assert!(wider(&host(text)).iter().all(|it| covers(it, &host(text))));
        }
    }
}
