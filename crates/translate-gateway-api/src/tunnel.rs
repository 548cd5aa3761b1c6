//! TLSRoutes and TCPRoutes: connections that go on as they are.

use crate::backend::{self, From, Spoken};
use crate::findings::Findings;
use crate::given::Given;
use model::{Source, Timeouts, Tunnel, WeightedBackend};
use resources::gateway_api::{BackendRef, StreamRule};
use resources::{Cause, GatewayRoute, Problem};
use std::time::Duration;

/// As Envoy's `tcp_proxy`.
const IDLE: Duration = Duration::from_secs(3600);

fn rules(route: &GatewayRoute) -> &[StreamRule] {
    match route {
        GatewayRoute::Http(_) => &[],
        GatewayRoute::Tls(route) => &route.rules,
        GatewayRoute::Tcp(route) => &route.rules,
    }
}

/// Where a route's connections go. `None`: it says of none.
pub(crate) fn tunnel(given: Given<'_>, route: &GatewayRoute) -> (Option<Tunnel>, Findings) {
    let mut findings = Findings::default();
    let mut rules = rules(route).iter();
    let Some(rule) = rules.next() else { return (None, findings) };
    for other in rules {
        let message = "a connection has nothing by which a second rule could be chosen";
        findings.invalid(format!("spec.rules[{}]", other.index), Cause::Unsupported, message, "Keep one rule");
    }
    let at = format!("spec.rules[{}]", rule.index);
    if rule.backends.is_empty() {
        let problem = Problem::error(format!("{at}.backendRefs"), Cause::BackendMissing, "there is no backend, so connections are closed");
        findings.note(problem);
    }
    let from = From { kind: route.kind(), namespace: &route.meta().name.namespace };
    let weighted = |backend: &BackendRef| {
        let at = format!("{at}.backendRefs[{}]", backend.index);
        WeightedBackend::new(backend::resolve(given, from, backend, (&at, Spoken::Anything), &mut findings), backend.weight)
    };
    let backends = rule.backends.iter().map(weighted).collect();
    let source = Source { object: route.kind().object_ref(&route.meta().name), rule: at.clone().into() };
    (Some(Tunnel { source, backends, connect: Timeouts::default().connect, idle: IDLE, clients: None }), findings)
}
