//! Which of the matches on one host comes first.

use model::{HostPattern, Match, PathMatch, Route};
use resources::{Meta, Name};
use std::cmp::Reverse;

/// A route with one match, and what decides its place.
pub(crate) struct Entry {
    place: Place,
    pub(crate) route: Route,
}

/// Less comes first: the precedence of Gateway API.
///
/// The route's own host name, not what is left of it on the listener, comes before all (v1.7). Then the path: exact, regular expressions, of
/// which the API says nothing, and prefixes, each the longer first: an expression is written to be more precise than the prefix around it. Then
/// a method, more headers, more query parameters, the older route, the name, the place in the route.
type Place = (Reverse<(u8, usize)>, Reverse<(u8, usize)>, Reverse<bool>, Reverse<usize>, Reverse<usize>, i64, Name, usize, usize);

// === impl Entry ===

impl Entry {
    pub(crate) fn new(host: &HostPattern, meta: &Meta, (rule, index): (usize, usize), matching: &Match, route: Route) -> Self {
        let path = match &matching.path {
            PathMatch::Exact(path) => (3, path.len()),
            PathMatch::Regex(pattern) => (2, pattern.text.len()),
            PathMatch::Prefix(path) | PathMatch::StartsWith(path) => (1, path.len()),
            PathMatch::Any => (0, 0),
        };
        let counts = (Reverse(matching.method.is_some()), Reverse(matching.headers.len()), Reverse(matching.query.len()));
        let place = (Reverse(specificity(host)), Reverse(path), counts.0, counts.1, counts.2, meta.created, meta.name.clone(), rule, index);
        Self { place, route }
    }
}

/// The list, best first.
pub(crate) fn sorted(mut entries: Vec<Entry>) -> Vec<Route> {
    entries.sort_by(|a, b| a.place.cmp(&b.place));
    entries.into_iter().map(|entry| entry.route).collect()
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
