//! How patterns of hosts lie within one another.

use model::{HostPattern, Hostname};

/// Whether every host of `narrow` is one of `wide`.
pub(crate) fn covers(wide: &HostPattern, narrow: &HostPattern) -> bool {
    match (wide, narrow) {
        (HostPattern::Any, _) => true,
        (HostPattern::AnyDepth(wide), HostPattern::AnyDepth(narrow)) => wide == narrow || is_below(narrow, wide),
        (HostPattern::AnyDepth(wide), HostPattern::Exact(narrow)) => is_below(narrow, wide),
        (HostPattern::Exact(wide), HostPattern::Exact(narrow)) => wide == narrow,
        _ => false,
    }
}

fn is_below(name: &Hostname, suffix: &Hostname) -> bool {
    name.as_str().strip_suffix(suffix.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// The hosts of both: of two patterns one lies within the other, or they have none in common.
pub(crate) fn intersection(a: &HostPattern, b: &HostPattern) -> Option<HostPattern> {
    if covers(a, b) {
        Some(b.clone())
    } else if covers(b, a) {
        Some(a.clone())
    } else {
        None
    }
}

/// Every pattern that covers this one, itself first, the narrower before the wider.
pub(crate) fn wider(pattern: &HostPattern) -> Vec<HostPattern> {
    let mut wider = vec![pattern.clone()];
    if let HostPattern::Exact(name) | HostPattern::AnyDepth(name) = pattern {
        let suffixes = name.as_str().match_indices('.').filter_map(|(dot, _)| Hostname::parse(&name.as_str()[dot + 1..]).ok());
        wider.extend(suffixes.map(HostPattern::AnyDepth));
        wider.push(HostPattern::Any);
    }
    wider
}

/// More is more specific: exact names, then wildcards, and of each the longer ones.
pub(crate) fn specificity(pattern: &HostPattern) -> (u8, usize) {
    match pattern {
        HostPattern::Exact(name) => (3, name.as_str().len()),
        HostPattern::OneLabel(suffix) => (2, suffix.as_str().len()),
        HostPattern::AnyDepth(suffix) => (1, suffix.as_str().len()),
        HostPattern::Any => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        resources::deep_host_pattern(text).expect("a good pattern")
    }

    #[test]
    fn a_pattern_lies_within_another_or_beside_it() {
        for (a, b, both) in [
            ("a.test", "a.test", Some("a.test")),
            ("*", "a.test", Some("a.test")),
            ("*.test", "a.b.test", Some("a.b.test")),
            ("*.b.test", "*.test", Some("*.b.test")),
            ("*.test", "test", None),
            ("*.a.test", "*.b.test", None),
            ("*.test", "atest", None),
            ("a.test", "b.test", None),
        ] {
            let both = both.map(pattern);
            assert_eq!(intersection(&pattern(a), &pattern(b)), both, "{a} and {b}");
            assert_eq!(intersection(&pattern(b), &pattern(a)), both, "{b} and {a}");
        }
    }

    #[test]
    fn the_wider_ones_are_those_that_cover() {
        let shown = |text| wider(&pattern(text)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown("a.b.test"), ["a.b.test", "*.b.test", "*.test", "*"]);
        assert_eq!(shown("*.b.test"), ["*.b.test", "*.test", "*"]);
        assert_eq!(shown("*"), ["*"]);
        for text in ["a.b.test", "*.b.test"] {
            assert!(wider(&pattern(text)).iter().all(|it| covers(it, &pattern(text))));
        }
    }
}
