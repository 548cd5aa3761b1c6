//! The rules of an HTTPRoute.

use crate::backend::{self, From, Spoken};
use crate::filter::{self, Filters};
use crate::findings::Findings;
use crate::given::Given;
use crate::matching::{matching, prefix};
use model::{Action, Forward, Match, Reason, Respond, Retries, RetryOn, Spill, Text, Timeouts, WeightedBackend};
use resources::gateway_api::{HttpMatch, HttpPathMatch, HttpRetry, HttpRule, HttpTimeouts, Lost, ValueKind};
use resources::{Cause, HttpRoute, Kind, Problem};
use std::time::Duration;

/// A match of a rule, and what it leads to.
pub(crate) struct Made {
    pub(crate) rule: usize,
    /// Place among the rule's matches.
    pub(crate) index: usize,
    /// For example `spec.rules[0].matches[1]`.
    pub(crate) field: Text,
    pub(crate) matching: Match,
    pub(crate) filters: Vec<model::Filter>,
    pub(crate) action: Action,
}

/// All rules of a route.
pub(crate) struct Rules {
    pub(crate) made: Vec<Made>,
    pub(crate) findings: Findings,
    /// Rules that do all that they say, and the others.
    pub(crate) whole: usize,
    pub(crate) broken: usize,
}

/// How long a silence may be that nobody put a bound to on purpose.
const NO_BOUND: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn rules(given: Given<'_>, route: &HttpRoute) -> Rules {
    let mut rules = Rules { made: Vec::new(), findings: Findings::default(), whole: 0, broken: 0 };
    let from = From { kind: Kind::HttpRoute, namespace: &route.meta.name.namespace };
    for rule in &route.rules {
        let before = rules.findings.invalid.len();
        rules.add(given, from, rule);
        match rules.findings.invalid.len() == before {
            true => rules.whole += 1,
            false => rules.broken += 1,
        }
    }
    rules
}

/// There is nothing in it that could be invalid.
pub(crate) fn is_plain(rule: &HttpRule) -> bool {
    let plain = |it: &HttpMatch| {
        let values = it.headers.iter().chain(&it.query);
        !matches!(it.path, HttpPathMatch::Regex(_)) && values.into_iter().all(|value| value.kind == ValueKind::Exact)
    };
    rule.lost == Lost::Nothing
        && rule.filters.is_empty()
        && rule.matches.iter().all(plain)
        && rule.backends.iter().all(|backend| backend.filters.is_empty())
}

// === impl Rules ===

impl Rules {
    fn add(&mut self, given: Given<'_>, from: From<'_>, rule: &HttpRule) {
        let at = format!("spec.rules[{}]", rule.index);
        let findings = &mut self.findings;
        let filters = filter::of_rule(given, from, &rule.filters, &at, findings);
        let forward = forward(given, from, rule, &at, findings);
        if filters.redirect.is_some() && !rule.backends.is_empty() {
            let message = "the requests are redirected, so no backend gets any";
            findings.note(Problem::warning(format!("{at}.backendRefs"), Cause::NoEffect, message).hint("Take them away"));
        }
        if rule.lost == Lost::Matches {
            findings.invalid(format!("{at}.matches"), Cause::Unsupported, "some matches are not understood and are left out", "");
        }
        for (index, it) in rule.matches.iter().enumerate() {
            let field = it.index.map_or_else(|| at.clone(), |index| format!("{at}.matches[{index}]"));
            let Some(matching) = matching(it, &field, findings) else { continue };
            let (filters, action) = act(&filters, &forward, it, &field, findings);
            self.made.push(Made { rule: rule.index, index, field: field.into(), matching, filters, action });
        }
    }
}

/// What is done with the requests of one match.
fn act(filters: &Filters, forward: &Forward, it: &HttpMatch, field: &str, findings: &mut Findings) -> (Vec<model::Filter>, Action) {
    let prefix = match &it.path {
        HttpPathMatch::Prefix(path) => Some(prefix(path)),
        HttpPathMatch::Exact(_) | HttpPathMatch::Regex(_) => None,
    };
    if filters.replaces_prefix() && prefix.is_none() {
        let message = "ReplacePrefixMatch needs a match of a PathPrefix, so the requests get 500";
        findings.invalid(format!("{field}.path.type"), Cause::Unsupported, message, "Write type PathPrefix, or ReplaceFullPath");
        return (Vec::new(), closed());
    }
    if filters.closed {
        return (Vec::new(), closed());
    }
    let action = match &filters.redirect {
        Some(redirect) => Action::Redirect(filter::redirect(redirect, prefix.as_ref())),
        None => Action::Forward(forward.clone()),
    };
    (filters.for_match(prefix.as_ref()), action)
}

/// Something that guards cannot be had.
fn closed() -> Action {
    Action::Respond(Respond { status: 500, reason: Reason::Closed, body: None })
}

fn forward(given: Given<'_>, from: From<'_>, rule: &HttpRule, at: &str, findings: &mut Findings) -> Forward {
    let weighted = |backend: &resources::gateway_api::BackendRef| {
        let at = format!("{at}.backendRefs[{}]", backend.index);
        let filters = filter::of_backend(&backend.filters, &at, findings);
        let resolved = backend::resolve(given, from, backend, (&at, Spoken::Http), findings);
        let mut weighted = WeightedBackend::new(resolved.filter(|_| filters.is_some()), backend.weight);
        weighted.filters = filters.unwrap_or_default();
        weighted
    };
    Forward {
        backends: rule.backends.iter().map(weighted).collect(),
        spill: Spill::None,
        timeouts: timeouts(rule.timeouts),
        retries: retries(rule.retry.as_ref(), rule.timeouts).into(),
        unresolved: 500,
    }
}

/// Where a bound is given, or taken away, no other may come before it.
fn timeouts(given: HttpTimeouts) -> Timeouts {
    let default = Timeouts::default();
    let longest = [given.request, given.backend_request].into_iter().flatten();
    let silence = longest.map(|it| if it.is_zero() { NO_BOUND } else { it }).max().map(|it| it.max(default.read));
    let silence = silence.unwrap_or(default.read);
    Timeouts { read: silence, send: silence, request: given.request.filter(|it| !it.is_zero()), ..default }
}

fn retries(retry: Option<&HttpRetry>, timeouts: HttpTimeouts) -> Retries {
    let mut retries = Retries { per_try: timeouts.backend_request.filter(|it| !it.is_zero()), ..Retries::default() };
    if retry.is_none() && retries.per_try.is_some() {
        // One try's time is over: without a word about retries that is the answer.
        retries.on = vec![RetryOn::ConnectFailure];
    }
    if let Some(retry) = retry {
        let tries = retry.attempts.map(|attempts| u8::try_from(attempts.saturating_add(1)).unwrap_or(u8::MAX));
        retries.tries = tries.unwrap_or(retries.tries);
        retries.on.extend(retry.codes.iter().map(|code| RetryOn::Status(*code)));
        retries.backoff = retry.backoff.filter(|it| !it.is_zero());
    }
    retries
}
