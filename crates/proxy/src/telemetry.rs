//! What an exchange leaves behind: counters and a line in the access log.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::heads::{Facts, Kit};
use http1::Version;
use model::{BackendId, Reason, Source};
use observe::{Exchange, Measured, RouteMetrics, RouteRef, Upstream};
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
        let exchange = Exchange {
            time: SystemTime::now().checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH),
            client: self.peer,
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
        };
        self.worker.shared.access_log.write(self.worker.index, &exchange);
    }
}
