//! One route.

use super::filter::{filter, read_filter};
use super::host::{read_replies, replies};
use super::{Backends, nanoseconds, needed, number};
use crate::wire::route::{
    Action, Backend, Forward, Limits, Match, NamedMatch, PathMatch, PathModifier, Pattern, Redirect, Respond, Retries, RetryOn, Route,
    Source, Timeouts, ValueMatch, WeightedBackend,
};
use crate::wire::word::Word;
use crate::wire::{Unread, wholly};
use model::{BackendId, ObjectRef, RedirectPort, Text};
use std::sync::Arc;
use std::time::Duration;

pub fn route(it: &model::Route) -> Route {
    let model::Route { source: from, replies: local, matches, filters, action: does } = it;
    Route {
        source: Some(source(from)),
        replies: local.as_ref().map(replies),
        matches: matches.iter().map(a_match).collect(),
        filters: filters.iter().map(filter).collect(),
        action: Some(action(does)),
    }
}

pub fn read_route(octets: &[u8], backends: &mut Backends) -> Result<model::Route, Unread> {
    // Named first, so that a nack says more than that there is something.
    let loose: Route = prost::Message::decode(octets).map_err(|error| Unread(format!("the route cannot be read: {error}")))?;
    let filters = loose.filters.into_iter().map(|it| read_filter(it, backends)).collect::<Result<_, _>>()?;
    let from: Route = wholly("the route", octets)?;
    let matches = from.matches.into_iter().map(|it| match read_match(it) {
        (read, None) => Ok(read),
        (_, Some(why)) => Err(why),
    });
    Ok(model::Route {
        source: read_source(needed("the route's source", from.source)?),
        replies: from.replies.map(read_replies).transpose()?,
        matches: matches.collect::<Result<_, _>>()?,
        filters,
        action: read_action(needed("the route's action", from.action)?, backends)?,
    })
}

pub fn source(it: &model::Source) -> Source {
    let model::Source { object: ObjectRef { kind, namespace, name }, rule } = it;
    Source { kind: kind.to_string(), namespace: namespace.to_string(), name: name.to_string(), rule: rule.to_string() }
}

pub fn read_source(from: Source) -> model::Source {
    model::Source { object: ObjectRef::new(from.kind, from.namespace, from.name), rule: from.rule.into() }
}

// === matches ===

fn a_match(it: &model::Match) -> Match {
    let model::Match { path, method, scheme, headers, query, cookies } = it;
    let named = |all: &[model::NamedMatch]| all.iter().map(named_match).collect();
    Match {
        path: Some(path_match(path)),
        method: method.as_ref().map(ToString::to_string),
        scheme: scheme.map(Word::number),
        headers: named(headers),
        query: named(query),
        cookies: named(cookies),
    }
}

/// What of a match is understood, and what is not: without that, it matches more.
pub fn read_match(from: Match) -> (model::Match, Option<Unread>) {
    let mut unread = None;
    let mut named = |all: Vec<NamedMatch>| {
        let mut read = Vec::with_capacity(all.len());
        for it in all {
            match read_named(it) {
                Ok(it) => read.push(it),
                Err(why) => unread = Some(why),
            }
        }
        read
    };
    let (headers, query, cookies) = (named(from.headers), named(from.query), named(from.cookies));
    let path = needed("a path to match", from.path).and_then(read_path);
    let scheme = from.scheme.map(model::Scheme::read).transpose();
    let path = path.unwrap_or_else(|why| {
        unread = Some(why);
        model::PathMatch::Any
    });
    let scheme = scheme.unwrap_or_else(|why| {
        unread = Some(why);
        None
    });
    (model::Match { path, method: from.method.map(Text::from), scheme, headers, query, cookies }, unread)
}

fn named_match(it: &model::NamedMatch) -> NamedMatch {
    let model::NamedMatch { name, value: is } = it;
    NamedMatch { name: name.to_string(), value: Some(value(is)) }
}

fn read_named(from: NamedMatch) -> Result<model::NamedMatch, Unread> {
    Ok(model::NamedMatch { name: from.name.into(), value: read_value(needed("a value to match", from.value)?)? })
}

pub(super) fn value(it: &model::ValueMatch) -> ValueMatch {
    let (kind, text, pattern, not) = match it {
        model::ValueMatch::Present => (1, None, None, None),
        model::ValueMatch::Absent => (2, None, None, None),
        model::ValueMatch::Exact(text) => (3, Some(text), None, None),
        model::ValueMatch::Prefix(text) => (4, Some(text), None, None),
        model::ValueMatch::Regex(it) => (5, None, Some(pattern(it)), None),
        model::ValueMatch::Not(it) => (6, None, None, Some(Box::new(value(it)))),
    };
    ValueMatch { kind, text: text.map(ToString::to_string).unwrap_or_default(), pattern, not }
}

pub(super) fn read_value(from: ValueMatch) -> Result<model::ValueMatch, Unread> {
    match from.kind {
        1 => Ok(model::ValueMatch::Present),
        2 => Ok(model::ValueMatch::Absent),
        3 => Ok(model::ValueMatch::Exact(from.text.into())),
        4 => Ok(model::ValueMatch::Prefix(from.text.into())),
        5 => read_pattern(from.pattern).map(model::ValueMatch::Regex),
        6 => Ok(model::ValueMatch::Not(Box::new(read_value(*needed("what must not be", from.not)?)?))),
        _ => Err(Unread::unknown("a value to match")),
    }
}

fn path_match(it: &model::PathMatch) -> PathMatch {
    let (kind, text, pattern) = match it {
        model::PathMatch::Any => (1, None, None),
        model::PathMatch::Exact(text) => (2, Some(text), None),
        model::PathMatch::Prefix(text) => (3, Some(text), None),
        model::PathMatch::StartsWith(text) => (4, Some(text), None),
        model::PathMatch::Regex(it) => (5, None, Some(pattern(it))),
    };
    PathMatch { kind, text: text.map(ToString::to_string).unwrap_or_default(), pattern }
}

fn read_path(from: PathMatch) -> Result<model::PathMatch, Unread> {
    match from.kind {
        1 => Ok(model::PathMatch::Any),
        2 => Ok(model::PathMatch::Exact(from.text.into())),
        3 => Ok(model::PathMatch::Prefix(from.text.into())),
        4 => Ok(model::PathMatch::StartsWith(from.text.into())),
        5 => read_pattern(from.pattern).map(model::PathMatch::Regex),
        _ => Err(Unread::unknown("a path to match")),
    }
}

pub(super) fn pattern(it: &model::Pattern) -> Pattern {
    let model::Pattern { text, case, anchor, engine } = it;
    Pattern { text: text.to_string(), case: case.number(), anchor: anchor.number(), engine: engine.number() }
}

pub(super) fn read_pattern(from: Option<Pattern>) -> Result<model::Pattern, Unread> {
    let from = needed("a pattern", from)?;
    Ok(model::Pattern {
        text: from.text.into(),
        case: model::Case::read(from.case)?,
        anchor: model::Anchor::read(from.anchor)?,
        engine: model::Engine::read(from.engine)?,
    })
}

// === actions ===

fn action(it: &model::Action) -> Action {
    match it {
        model::Action::Forward(it) => Action::Forward(forward(it)),
        model::Action::Redirect(it) => Action::Redirect(redirect(it)),
        model::Action::Respond(it) => {
            let model::Respond { status, reason, body } = it;
            Action::Respond(Respond { status: (*status).into(), reason: reason.number(), body: body.as_ref().map(ToString::to_string) })
        }
    }
}

fn read_action(from: Action, backends: &mut Backends) -> Result<model::Action, Unread> {
    Ok(match from {
        Action::Forward(it) => model::Action::Forward(read_forward(it, backends)?),
        Action::Redirect(it) => model::Action::Redirect(read_redirect(it)?),
        Action::Respond(it) => model::Action::Respond(model::Respond {
            status: number("an answer", it.status)?,
            reason: model::Reason::read(it.reason)?,
            body: it.body.map(Text::from),
        }),
    })
}

pub(super) fn forward(it: &model::Forward) -> Forward {
    let model::Forward { backends, spill, timeouts: times, retries: again, unresolved } = it;
    let model::Timeouts { connect, read, send, request } = times;
    Forward {
        backends: backends.iter().map(weighted).collect(),
        spill: spill.number(),
        timeouts: Some(Timeouts {
            connect: nanoseconds(*connect),
            read: nanoseconds(*read),
            send: nanoseconds(*send),
            request: request.map(nanoseconds),
        }),
        retries: Some(retries(again)),
        unresolved: (*unresolved).into(),
    }
}

pub(super) fn read_forward(from: Forward, backends: &mut Backends) -> Result<model::Forward, Unread> {
    let times = needed("a route's timeouts", from.timeouts)?;
    let retries = read_retries(needed("a route's retries", from.retries)?)?;
    Ok(model::Forward {
        backends: from.backends.into_iter().map(|it| read_weighted(it, backends)).collect::<Result<_, _>>()?,
        spill: model::Spill::read(from.spill)?,
        timeouts: model::Timeouts {
            connect: Duration::from_nanos(times.connect),
            read: Duration::from_nanos(times.read),
            send: Duration::from_nanos(times.send),
            request: times.request.map(Duration::from_nanos),
        },
        // Most routes have the same.
        retries: if retries == *model::Retries::usual() { model::Retries::usual() } else { Arc::new(retries) },
        unresolved: number("a status", from.unresolved)?,
    })
}

fn retries(it: &model::Retries) -> Retries {
    let model::Retries { tries, on, per_try, backoff } = it;
    let word = |it: &model::RetryOn| match it {
        model::RetryOn::ConnectFailure => RetryOn { kind: 1, status: 0 },
        model::RetryOn::SafeReset => RetryOn { kind: 2, status: 0 },
        model::RetryOn::Reset => RetryOn { kind: 3, status: 0 },
        model::RetryOn::Status(status) => RetryOn { kind: 4, status: (*status).into() },
        model::RetryOn::ServerError => RetryOn { kind: 5, status: 0 },
    };
    Retries {
        tries: (*tries).into(),
        on: on.iter().map(word).collect(),
        per_try: per_try.map(nanoseconds),
        backoff: backoff.map(nanoseconds),
    }
}

fn read_retries(from: Retries) -> Result<model::Retries, Unread> {
    let word = |it: RetryOn| match it.kind {
        1 => Ok(model::RetryOn::ConnectFailure),
        2 => Ok(model::RetryOn::SafeReset),
        3 => Ok(model::RetryOn::Reset),
        4 => number("a status", it.status).map(model::RetryOn::Status),
        5 => Ok(model::RetryOn::ServerError),
        _ => Err(Unread::unknown("a reason to try again")),
    };
    Ok(model::Retries {
        tries: number("a number of tries", from.tries)?,
        on: from.on.into_iter().map(word).collect::<Result<_, _>>()?,
        per_try: from.per_try.map(Duration::from_nanos),
        backoff: from.backoff.map(Duration::from_nanos),
    })
}

fn redirect(it: &model::Redirect) -> Redirect {
    let model::Redirect { status, scheme, host, port, path } = it;
    let (port, number) = match port {
        RedirectPort::Own => (1, 0),
        RedirectPort::OfScheme => (2, 0),
        RedirectPort::Listener => (3, 0),
        RedirectPort::Request => (4, 0),
        RedirectPort::Number(number) => (5, (*number).into()),
    };
    let path = path.as_ref().map(|it| match it {
        model::PathModifier::Full(path) => PathModifier { kind: 1, prefix: String::new(), replacement: path.to_string() },
        model::PathModifier::Prefix { prefix, replacement } => {
            PathModifier { kind: 2, prefix: prefix.to_string(), replacement: replacement.to_string() }
        }
    });
    Redirect {
        status: (*status).into(),
        scheme: scheme.map(Word::number),
        host: host.as_ref().map(ToString::to_string),
        port,
        number,
        path,
    }
}

fn read_redirect(from: Redirect) -> Result<model::Redirect, Unread> {
    let port = match from.port {
        1 => RedirectPort::Own,
        2 => RedirectPort::OfScheme,
        3 => RedirectPort::Listener,
        4 => RedirectPort::Request,
        5 => RedirectPort::Number(number("a port", from.number)?),
        _ => return Err(Unread::unknown("a redirect's port")),
    };
    let path = |it: PathModifier| match it.kind {
        1 => Ok(model::PathModifier::Full(it.replacement.into())),
        2 => Ok(model::PathModifier::Prefix { prefix: it.prefix.into(), replacement: it.replacement.into() }),
        _ => Err(Unread::unknown("a redirect's path")),
    };
    Ok(model::Redirect {
        status: number("a redirect", from.status)?,
        scheme: from.scheme.map(model::Scheme::read).transpose()?,
        host: from.host.map(Text::from),
        port,
        path: from.path.map(path).transpose()?,
    })
}

// === backends ===

pub(super) fn weighted(it: &model::WeightedBackend) -> WeightedBackend {
    let model::WeightedBackend { backend: to, weight, filters } = it;
    WeightedBackend { backend: to.as_deref().map(backend), weight: *weight, filters: filters.iter().map(filter).collect() }
}

pub(super) fn read_weighted(from: WeightedBackend, backends: &mut Backends) -> Result<model::WeightedBackend, Unread> {
    let filters = from.filters.into_iter().map(|it| read_filter(it, backends)).collect::<Result<_, _>>()?;
    Ok(model::WeightedBackend { backend: backends.read(from.backend)?, weight: from.weight, filters })
}

pub(super) fn backend(it: &model::Backend) -> Backend {
    let model::Backend { id, protocol, balancing, limits } = it;
    let model::Limits { connections, idle_per_worker, requests, pending, requests_per_connection, connect, idle } = limits;
    let limits = Limits {
        connections: *connections,
        idle_per_worker: *idle_per_worker,
        requests: *requests,
        pending: *pending,
        requests_per_connection: *requests_per_connection,
        connect: connect.map(nanoseconds),
        idle: idle.map(nanoseconds),
    };
    Backend { id: id.to_string(), protocol: protocol.number(), balancing: balancing.number(), limits: Some(limits) }
}

pub(super) fn read_backend(from: Backend) -> Result<model::Backend, Unread> {
    let limits = needed("a backend's limits", from.limits)?;
    Ok(model::Backend {
        id: BackendId::new(from.id),
        protocol: model::BackendProtocol::read(from.protocol)?,
        balancing: model::Balancing::read(from.balancing)?,
        limits: model::Limits {
            connections: limits.connections,
            idle_per_worker: limits.idle_per_worker,
            requests: limits.requests,
            pending: limits.pending,
            requests_per_connection: limits.requests_per_connection,
            connect: limits.connect.map(Duration::from_nanos),
            idle: limits.idle.map(Duration::from_nanos),
        },
    })
}
