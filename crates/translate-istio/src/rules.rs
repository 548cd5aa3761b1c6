//! From a VirtualService's rules for HTTP to routes.

use crate::Context;
use crate::delegates::{Leaf, leaves};
use crate::destination::{CONNECT, Else, IDLE};
use crate::filters;
use crate::matches::{anywhere, meant};
use crate::services::Place;
use crate::told::Told;
use model::{
    Action, Forward, Match, ObjectRef, PathMatch, PathModifier, Reason, Redirect, RedirectPort, Respond, Retries, RetryOn, Route, Scheme,
    Source, Spill, Text, Timeouts, WeightedBackend,
};
use resources::istio::{HttpMatch, HttpRedirect, HttpRetries, HttpRule, PortOf, RetryToken, StringMatch};
use resources::pattern::canonical;
use resources::{Cause, Kind, Problem, VirtualService};
use std::time::Duration;

/// A route, and whether nothing after it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) route: Route,
    pub(crate) catch_all: bool,
}

/// Istio's default: two more tries where no connection came about.
const ATTEMPTS: u32 = 2;

/// The pause before the second try.
const BACKOFF: Duration = Duration::from_millis(25);

impl Context<'_> {
    /// The routes of a VirtualService at a place, in order; after one for everything there is none.
    pub(crate) fn routes(self, place: Place<'_>, it: &VirtualService, told: &mut Told) -> Vec<Made> {
        let object = Kind::VirtualService.object_ref(&it.meta.name);
        let mut made: Vec<Made> = Vec::new();
        for rule in &it.http {
            let field = format!("spec.http[{}]", rule.index);
            if made.last().is_some_and(|made| made.catch_all) {
                let message = "a rule before it is for every request, so this one gets none";
                told.tell(&object, Problem::warning(field, Cause::NoEffect, message).hint("Put the rule for everything last"));
                continue;
            }
            for Leaf { object, rule } in leaves(self, it, rule, told) {
                if !made.last().is_some_and(|made| made.catch_all) {
                    made.extend(self.rule(place, &object, &rule, told));
                }
            }
        }
        made
    }

    /// One route for each match.
    fn rule(self, place: Place<'_>, object: &ObjectRef, rule: &HttpRule, told: &mut Told) -> Vec<Made> {
        let field = format!("spec.http[{}]", rule.index);
        let matches: Vec<Option<&HttpMatch>> = if rule.matches.is_empty() { vec![None] } else { rule.matches.iter().map(Some).collect() };
        let mut made: Vec<Made> = Vec::new();
        for it in matches {
            let at = it.map_or_else(|| field.clone(), |it| format!("{field}.match[{}]", it.index));
            let (mut matching, mut catch_all) = match it {
                None => (Match { path: anywhere(), ..Match::default() }, true),
                Some(it) => match meant(it, place) {
                    Some(meant) => (meant.matching, meant.catch_all),
                    None => continue,
                },
            };
            if made.last().is_some_and(|made| made.catch_all) {
                let message = "a match before it is for every request, so this one gets none";
                told.tell(object, Problem::warning(at, Cause::NoEffect, message).hint("Delete it"));
                continue;
            }
            let closed = rule.closed || it.is_some_and(|it| it.closed);
            let (filters, action) = if closed {
                (Vec::new(), self::closed())
            } else {
                if self.only_whole_segments(rule, it, object, told) {
                    matching.path = segments(&matching.path);
                    catch_all = false;
                }
                (self.filters(place, object, (rule, it), told), self.action(place, object, (rule, it), told))
            };
            let source = Source { object: object.clone(), rule: at.into() };
            made.push(Made { route: Route { source, replies: None, matches: vec![matching], filters, action }, catch_all });
        }
        made
    }

    fn action(self, place: Place<'_>, object: &ObjectRef, (rule, matching): (&HttpRule, Option<&HttpMatch>), told: &mut Told) -> Action {
        if let Some(it) = &rule.redirect {
            return Action::Redirect(redirect(it, matching));
        }
        if let Some(it) = &rule.direct_response {
            return Action::Respond(Respond { status: it.status, reason: Reason::Respond, body: it.body.clone() });
        }
        self.forward(place, object, rule, told)
    }

    fn forward(self, place: Place<'_>, object: &ObjectRef, rule: &HttpRule, told: &mut Told) -> Action {
        let alone = rule.route.len() == 1;
        let mut backends = Vec::new();
        for it in &rule.route {
            let backend = self.backend(place, (&it.share.destination, Else::Answers503), object, told);
            let weight = if alone { 1 } else { it.share.weight.unwrap_or(0) };
            let filters = it.headers.as_ref().map(|headers| filters::of_destination(headers, rule)).unwrap_or_default();
            backends.push(WeightedBackend { backend, weight, filters });
        }
        if backends.iter().all(|it| it.weight == 0) {
            let field = format!("spec.http[{}].route", rule.index);
            let message = "all weights are 0, so it answers 503";
            told.tell(object, Problem::error(field, Cause::InvalidValue, message).hint("Give a destination a `weight`"));
            return closed();
        }
        let request = rule.timeout.filter(|timeout| !timeout.is_zero());
        Action::Forward(Forward {
            backends,
            spill: Spill::None,
            timeouts: Timeouts { connect: CONNECT, read: IDLE, send: IDLE, request },
            retries: retries(rule.retries.as_ref()).into(),
            unresolved: 503,
        })
    }

    /// A redirect that replaces a prefix does so segment by segment alone: told, and matched so.
    fn only_whole_segments(self, rule: &HttpRule, it: Option<&HttpMatch>, object: &ObjectRef, told: &mut Told) -> bool {
        let Some(redirect) = rule.redirect.as_ref().filter(|redirect| redirect.prefix.is_some()) else { return false };
        let prefix = it.and_then(|it| it.uri.as_ref());
        let whole = matches!(prefix, Some(StringMatch::Prefix(prefix)) if prefix.ends_with('/') && redirect.prefix.as_ref().is_some_and(|it| it.ends_with('/')));
        if !whole {
            let field = format!("spec.http[{}].redirect.prefixRewrite", rule.index);
            let message = "a prefix is replaced segment by segment: `/a` covers `/a/b` and not `/ab`";
            told.tell(object, Problem::note(field, Cause::Unsupported, message).hint("End both with `/`"));
        }
        !whole
    }
}

fn segments(path: &PathMatch) -> PathMatch {
    match path {
        PathMatch::StartsWith(prefix) => PathMatch::Prefix(prefix.strip_suffix('/').unwrap_or(prefix).into()),
        other => other.clone(),
    }
}

/// Closed: something in it cannot be followed.
pub(crate) fn closed() -> Action {
    Action::Respond(Respond { status: 503, reason: Reason::Closed, body: None })
}

fn redirect(it: &HttpRedirect, matching: Option<&HttpMatch>) -> Redirect {
    let path = match (&it.uri, &it.prefix, matching.and_then(|it| it.uri.as_ref())) {
        (Some(uri), _, _) => Some(PathModifier::Full(uri.clone())),
        (None, Some(replacement), Some(StringMatch::Prefix(prefix))) => {
            Some(PathModifier::Prefix { prefix: canonical(prefix), replacement: replacement.clone() })
        }
        (None, Some(replacement), _) => Some(PathModifier::Prefix { prefix: "/".into(), replacement: replacement.clone() }),
        (None, None, _) => None,
    };
    let (host, named) = it.authority.as_ref().map_or((None, None), authority_parts);
    let port = match (it.port, named) {
        (Some(PortOf::Number(port)), _) => RedirectPort::Number(port),
        (Some(PortOf::Scheme), _) => RedirectPort::OfScheme,
        (Some(PortOf::Listener), _) => RedirectPort::Listener,
        (None, Some(port)) => RedirectPort::Number(port),
        // The port belongs to the host that is left behind.
        (None, None) if host.is_some() => RedirectPort::OfScheme,
        (None, None) if it.scheme == Some(Scheme::Https) => RedirectPort::Own,
        (None, None) => RedirectPort::Request,
    };
    Redirect { status: it.status, scheme: it.scheme, host, port, path }
}

fn authority_parts(authority: &Text) -> (Option<Text>, Option<u16>) {
    match authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?))) {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (Some(host.into()), Some(port)),
        _ => (Some(authority.clone()), None),
    }
}

fn retries(it: Option<&HttpRetries>) -> Retries {
    let attempts = it.and_then(|it| it.attempts);
    if attempts == Some(0) {
        return Retries { tries: 1, on: Vec::new(), per_try: None, backoff: None };
    }
    let tries = u8::try_from(attempts.unwrap_or(ATTEMPTS).saturating_add(1)).unwrap_or(u8::MAX);
    let mut on: Vec<RetryOn> = match it.and_then(|it| it.on.as_ref()) {
        None => vec![RetryOn::ConnectFailure],
        Some(tokens) => tokens.iter().flat_map(|token| retry_on(*token)).collect(),
    };
    on.sort_unstable();
    on.dedup();
    let (per_try, backoff) = it.map_or((None, None), |it| (it.per_try, it.backoff));
    Retries { tries, on, per_try, backoff: Some(backoff.unwrap_or(BACKOFF)) }
}

fn retry_on(token: RetryToken) -> Vec<RetryOn> {
    let lost = [RetryOn::ConnectFailure, RetryOn::Reset];
    match token {
        RetryToken::ServerError => vec![lost[0], lost[1], RetryOn::ServerError],
        RetryToken::GatewayError => vec![lost[0], lost[1], RetryOn::Status(502), RetryOn::Status(503), RetryOn::Status(504)],
        RetryToken::Reset => lost.to_vec(),
        RetryToken::ConnectFailure => vec![RetryOn::ConnectFailure],
        RetryToken::Status(status) => vec![RetryOn::Status(status)],
        RetryToken::Nothing => Vec::new(),
    }
}
