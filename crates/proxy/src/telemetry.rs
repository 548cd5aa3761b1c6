//! What an exchange leaves behind: counters, a line in the access log, and spans.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::heads::{Facts, Kit};
use crate::origin::word;
use crate::spans::Recording;
use http1::{RequestHead, Version};
use model::{BackendId, LogValue, Reason, Source};
use observe::{Exchange, Measured, Own, RouteMetrics, RouteRef, Upstream};
use route::CompiledRoute;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What is known of an exchange while it goes on.
#[derive(Debug)]
pub(crate) struct Account {
    pub started: Instant,
    /// 0 until there is an answer.
    pub status: u16,
    /// `None`: the backend answered.
    pub reason: Option<Reason>,
    pub received: u64,
    pub sent: u64,
    /// Kept where it is logged.
    pub backend: Option<BackendId>,
    pub endpoint: Option<SocketAddr>,
    pub connect: Option<Duration>,
    pub header: Option<Duration>,
    pub tries: u8,
    /// When the last try began, where that is logged.
    pub asked: Option<Instant>,
    /// What is told of it to a collector; `None`: nothing.
    pub recording: Option<Box<Recording>>,
}

/// What is counted and logged about a route whose host may be gone by then.
#[derive(Debug)]
pub(crate) struct Mark {
    metrics: Arc<RouteMetrics>,
    source: Source,
}

impl Account {
    pub fn new(started: Instant) -> Self {
        Self {
            started,
            status: 0,
            reason: None,
            received: 0,
            sent: 0,
            backend: None,
            endpoint: None,
            connect: None,
            header: None,
            tries: 0,
            asked: None,
            recording: None,
        }
    }

    fn measured(&self, duration: Duration) -> Measured {
        // 0: the client went away; nginx counts that as 499.
        let status = if self.status == 0 { 499 } else { self.status };
        Measured { status, reason: self.reason, duration, received: self.received, sent: self.sent }
    }
}

impl Connection {
    /// Counts an exchange, and logs it.
    pub fn settle(&self, account: &Account, facts: &Facts, route: Option<&CompiledRoute>, kit: &Kit) {
        let worker = &self.worker;
        let duration = Clock::exact().saturating_duration_since(account.started);
        let measured = account.measured(duration);
        match route {
            Some(route) => match route.slot.peek::<RouteMetrics>() {
                Some(metrics) => metrics.record(worker.index, &measured),
                None => self.metrics_of(route).record(worker.index, &measured),
            },
            None => self.context.unrouted.record(worker.index, &measured),
        }
        if worker.shared.access_log.is_on() {
            self.log(account, facts, route.map(CompiledRoute::source), kit, duration);
        }
        if let Some(recording) = &account.recording {
            self.tell(recording, account, (facts, kit), route.map(CompiledRoute::source));
        }
    }

    /// What a tunnel keeps of its route: an hour-long one must not hold an old host.
    pub fn mark(&self, route: &CompiledRoute) -> Mark {
        Mark { metrics: self.metrics_of(route), source: route.source().clone() }
    }

    pub fn settle_tunnel(&self, account: &Account, facts: &Facts, mark: &Mark, kit: &Kit) {
        let duration = Clock::exact().saturating_duration_since(account.started);
        mark.metrics.record(self.worker.index, &account.measured(duration));
        if self.worker.shared.access_log.is_on() {
            self.log(account, facts, Some(&mark.source), kit, duration);
        }
        if let Some(recording) = &account.recording {
            self.tell(recording, account, (facts, kit), Some(&mark.source));
        }
    }

    fn metrics_of(&self, route: &CompiledRoute) -> Arc<RouteMetrics> {
        route.slot.get_or_init(|| self.worker.shared.metrics.route(route.gateway(), &route.source().object))
    }

    /// What could not be read as a request: of that only the answer is known.
    pub fn settle_refused(&self, account: &Account, kit: &Kit) {
        let duration = Clock::exact().saturating_duration_since(account.started);
        self.context.unrouted.record(self.worker.index, &account.measured(duration));
        if self.worker.shared.access_log.is_on() {
            self.log(account, &Facts::default(), None, kit, duration);
        }
    }

    fn log(&self, account: &Account, facts: &Facts, route: Option<&Source>, kit: &Kit, duration: Duration) {
        let upstream =
            account.endpoint.map(|address| Upstream { address, connect: account.connect, header: account.header, tries: account.tries });
        let host = kit.authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(&*kit.authority, |(host, _)| host);
        let own = kit.options.as_deref().and_then(|it| it.log.as_deref()).map(|format| Own {
            format,
            heard: &kit.heard,
            port: self.context.port,
            client_scheme: word(kit.origin.as_ref().map_or(self.scheme, |it| it.scheme)),
            head: facts.head.into(),
            endpoint: account.asked.map(|it| Clock::exact().saturating_duration_since(it)),
        });
        let exchange = Exchange {
            time: SystemTime::now().checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH),
            client: self.peer,
            forwarded: facts.client,
            method: kit.method.as_bytes(),
            scheme: match self.scheme {
                model::Scheme::Http => "http",
                model::Scheme::Https => "https",
            },
            host: host.as_bytes(),
            path: kit.path.as_bytes(),
            query: kit.query().map(str::as_bytes),
            protocol: match facts.version {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
            },
            status: account.status,
            reason: account.reason,
            gateway: self.context.gateway.as_str(),
            listener: self.context.section.as_str(),
            route: route.map(RouteRef),
            backend: account.backend.as_ref().map(BackendId::as_str),
            upstream,
            bytes_in: account.received,
            bytes_out: account.sent,
            duration,
            request_id: kit.request_id.as_bytes(),
            user_agent: &kit.user_agent,
            own,
        };
        self.worker.shared.access_log.write(self.worker.index, &exchange);
    }
}

/// Appends what of a head a line asks for; `false`: it is not there.
pub(crate) fn hear(value: &LogValue, head: &RequestHead, octets: &[u8], out: &mut Vec<u8>) -> bool {
    let first = |name: &str| head.fields.named(octets, name).next();
    let found = match value {
        LogValue::Target => Some(head.raw_target(octets)),
        LogValue::Header(name) => first(name),
        LogValue::Cookie(name) => head.fields.named(octets, "cookie").find_map(|it| cookie(it, name.as_bytes())),
        LogValue::User => return first("authorization").and_then(user).is_some_and(|it| append(out, &it)),
        _ => None,
    };
    found.is_some_and(|it| append(out, it))
}

fn append(out: &mut Vec<u8>, value: &[u8]) -> bool {
    out.extend_from_slice(value);
    !value.is_empty()
}

fn cookie<'a>(pairs: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    pairs.split(|it| *it == b';').find_map(|it| it.trim_ascii().strip_prefix(name)?.strip_prefix(b"="))
}

/// Before the first colon of what is encoded in `Basic …`.
fn user(value: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut user = base64(rest.trim_ascii())?;
    let end = user.iter().position(|it| *it == b':')?;
    user.truncate(end);
    Some(user)
}

/// RFC 4648 4; the padding may be missing.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut many) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for octet in text.iter().take_while(|it| **it != b'=') {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, many) = (bits << 6 | u32::from(value), many + 6);
        if many >= 8 {
            many -= 8;
            out.push((bits >> many) as u8);
            bits &= (1 << many) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        for (value, expect) in [
            ("Basic YWxpY2U6c2VjcmV0", Some("alice")),
            ("basic YWxpY2U6c2VjcmV0", Some("alice")),
            ("Basic OnNlY3JldA==", Some("")),
            ("Basic YTpiOmM=", Some("a")),
            ("Basic YWxpY2U=", None),
            ("Bearer YWxpY2U6c2VjcmV0", None),
            ("Basic !", None),
            ("Bas", None),
        ] {
            assert_eq!(user(value.as_bytes()).as_deref(), expect.map(str::as_bytes), "{value}");
        }
    }

    #[test]
    fn cookies() {
        for (pairs, expect) in [("a=1; b=2", Some("2")), ("bb=1; b=", Some("")), ("b", None), ("a=b=2", None), ("b=1;b=2", Some("1"))] {
            assert_eq!(cookie(pairs.as_bytes(), b"b"), expect.map(str::as_bytes), "{pairs}");
        }
    }
}
