//! Canaries: which path each belongs to, and the routes they add before it.

use crate::family::canary::{Canary, HeaderRule};
use crate::location::{Location, LocationKind, Member, path_text, rules};
use crate::settings::Access;
use model::{Backend, Forward, HostPattern, Match, NamedMatch, Spill, Text, ValueMatch, WeightedBackend};
use resources::{Cause, IngressBackend, Problem};
use std::sync::Arc;

/// A canary of a location.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    /// Index of the canary's member.
    pub(crate) member: usize,
    pub(crate) rule: Text,
    pub(crate) backend: IngressBackend,
}

/// Who gets the requests of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Primary,
    Canary,
    /// By weight.
    Both,
}

/// Gives each canary path to the location with the same path and type; what finds none is told so.
pub(crate) fn attach(members: &mut [Member<'_>], locations: &mut [Location<'_>], host: &HostPattern) {
    for index in 0..members.len() {
        if !members[index].is_canary() || members[index].settings.access == Access::Closed {
            continue;
        }
        let ingress = members[index].ingress;
        let mut problems = Vec::new();
        for rule in rules(ingress, host) {
            if rule.paths.is_none() {
                problems.push(without_primary(format!("spec.rules[{}]", rule.index), host, "the default backend"));
            }
            for path in rule.paths.iter().flatten() {
                let (text, kind) = (path_text(path), LocationKind::of(path.path_type));
                let at = format!("spec.rules[{}].http.paths[{}]", rule.index, path.index);
                let location = locations.iter_mut().find(|location| location.path == text && location.kind == kind);
                match location {
                    None => problems.push(without_primary(format!("{at}.path"), host, &format!("`{text}`"))),
                    Some(Location { canary: Some(first), .. }) => problems.push(duplicate(members, first.member, host, &text, &at)),
                    Some(location) => location.canary = Some(Attached { member: index, rule: at.into(), backend: path.backend.clone() }),
                }
            }
        }
        if *host == HostPattern::Any && ingress.catch_all {
            problems.push(without_primary("spec.defaultBackend".into(), host, "a default backend"));
        }
        members[index].problems.extend(problems);
    }
}

fn without_primary(at: String, host: &HostPattern, what: &str) -> Problem {
    let message = format!("no other Ingress has {what} of host `{host}` with this path type, so the canary gets nothing");
    Problem::error(at, Cause::CanaryWithoutPrimary, message).hint("A canary has the same host, path and path type as its primary")
}

fn duplicate(members: &[Member<'_>], first: usize, host: &HostPattern, path: &str, at: &str) -> Problem {
    let message = format!("`{path}` of host `{host}` has a canary already, {}, which came first", members[first].object());
    Problem::error(format!("{at}.path"), Cause::DuplicateCanary, message).hint("A path has one canary: delete one of the two")
}

// === impl Canary ===

impl Canary {
    /// What decides, in order: the first match wins, and the last always matches.
    pub(crate) fn sides(&self) -> Vec<(Match, Side)> {
        let mut sides = Vec::new();
        if let Some(header) = &self.header {
            let on = |value| Match { headers: vec![NamedMatch { name: header.name.clone(), value }], ..Match::default() };
            match &header.rule {
                HeaderRule::Words => {
                    sides.push((on(ValueMatch::Exact("always".into())), Side::Canary));
                    sides.push((on(ValueMatch::Exact("never".into())), Side::Primary));
                }
                HeaderRule::Matches(value) => sides.push((on(value.clone()), Side::Canary)),
                HeaderRule::Primary => sides.push((on(ValueMatch::Present), Side::Primary)),
            }
        }
        if let Some(cookie) = &self.cookie {
            let on = |word: &str| {
                let value = ValueMatch::Exact(word.into());
                Match { cookies: vec![NamedMatch { name: cookie.clone(), value }], ..Match::default() }
            };
            sides.push((on("always"), Side::Canary));
            sides.push((on("never"), Side::Primary));
        }
        sides.push((Match::default(), Side::Both));
        sides
    }

    /// The primary comes first in every one of them: without its endpoints the canary gets nothing either.
    pub(crate) fn forward(&self, side: Side, primary: Arc<Backend>, canary: Arc<Backend>) -> Forward {
        let (first, second) = match side {
            Side::Primary => (1, 0),
            Side::Canary => (0, 1),
            Side::Both => (self.total - self.weight, self.weight),
        };
        let weighted = |backend, weight| WeightedBackend::new(Some(backend), weight);
        let mut forward = Forward::to(primary.clone());
        if second > 0 {
            forward.backends = vec![weighted(primary, first), weighted(canary, second)];
            forward.spill = Spill::ToFirst;
        }
        forward
    }
}
