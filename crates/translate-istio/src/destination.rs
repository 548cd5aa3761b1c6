//! From a destination to a backend: the Service, its port, and what a DestinationRule says about it.

use crate::Context;
use crate::services::Place;
use crate::told::Told;
use model::{Backend, Balancing, HostPattern, Limits, ObjectRef, Text};
use resources::hosts::{covers, wider};
use resources::istio::{ConnectionPool, Destination, Subset, TrafficPolicy, Upstream};
use resources::{BackendName, Cause, DestinationRule, Kind, Name, Problem, Service, ServiceType, SharedGateway, nearest, suggest};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// As in Istio, where nothing else is said.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);

/// As in Istio: how long a connection may be silent.
pub(crate) const IDLE: Duration = Duration::from_secs(3600);

/// How many requests wait for a connection where their number is bounded and nothing is said of those that wait.
const PENDING: u32 = 1024;

/// What becomes of what leads to a destination that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Else {
    Answers503,
    Closes,
    /// Of a mirror.
    Nothing,
}

/// What DestinationRules say about a Service at a gateway.
pub(crate) struct Rules<'a> {
    /// Those of one namespace and host, oldest first.
    rules: Vec<&'a Arc<DestinationRule>>,
}

/// A policy put together, and the names of those it is from.
#[derive(Default)]
struct Policy {
    policy: TrafficPolicy,
    from: Vec<String>,
}

impl<'a> Context<'a> {
    /// The backend; what stands in its way is told to `object`.
    pub(crate) fn backend(
        self,
        place: Place<'_>,
        (to, otherwise): (&Destination, Else),
        object: &ObjectRef,
        told: &mut Told,
    ) -> Option<Arc<Backend>> {
        match self.resolve(place, to, otherwise) {
            Ok(backend) => Some(Arc::new(backend)),
            Err(problem) => {
                told.tell(object, *problem);
                None
            }
        }
    }

    fn resolve(self, place: Place<'_>, to: &Destination, so: Else) -> Result<Backend, Box<Problem>> {
        let name = to.host.service(&self.options.domain).ok_or_else(|| self.no_service(to, so))?;
        let service = self.resources.service(name).ok_or_else(|| self.service_not_found(to, name, so))?;
        let port = port(place, to, service, so)?;
        let rules = self.rules_of(place.shared, name);
        let mut labels = BTreeMap::new();
        let subset = match &to.subset {
            Some(wanted) => Some(rules.subset(wanted).ok_or_else(|| subset_not_found(to, wanted, &rules, so))?),
            None => None,
        };
        if let Some((rule, subset)) = subset {
            if subset.closed {
                let message = format!("the labels of subset `{}` of {} cannot be read, so {so}", subset.name, shown(rule));
                return Err(Box::new(Problem::error(format!("{}.subset", to.field), Cause::ReferenceNotFound, message)));
            }
            labels.clone_from(&subset.labels);
        }
        let Policy { policy, from } = rules.policy(subset, port);
        if policy.tls == Some(Upstream::Closed) {
            let names: Vec<String> = from.iter().map(|name| format!("DestinationRule {name}")).collect();
            let message = format!("{} asks for TLS to `{}`, which is not supported, so {so}", names.join(" and "), to.host.text);
            return Err(Box::new(
                Problem::error(to.field.clone(), Cause::Unsupported, message).hint("Nothing is sent in plain text that is to be encrypted"),
            ));
        }
        let settings = if policy.is_empty() { Text::default() } else { from.join("+").into() };
        let id = BackendName { labels, settings, ..BackendName::new(name.clone(), port) }.id();
        let balancing = policy.balancing.unwrap_or(Balancing::LeastRequest);
        Ok(Backend { balancing, limits: limits(policy.pool.as_ref()), ..Backend::new(id) })
    }

    /// How long connections to a destination may be silent.
    pub(crate) fn idle(self, place: Place<'_>, to: &Destination) -> Duration {
        let idle = || {
            let name = to.host.service(&self.options.domain)?;
            let port = port(place, to, self.resources.service(name)?, Else::Closes).ok()?;
            let rules = self.rules_of(place.shared, name);
            let subset = to.subset.as_ref().and_then(|wanted| rules.subset(wanted));
            rules.policy(subset, port).policy.pool?.idle
        };
        idle().unwrap_or(IDLE)
    }

    /// The gateway's own namespace says most, then the Service's, then the one for all.
    pub(crate) fn rules_of(self, shared: &SharedGateway, service: &Name) -> Rules<'a> {
        let own = &shared.namespace;
        let root = &self.options.root_namespace;
        let (exact, wild) = self.rules_for(shared, service);
        let tiers: [&dyn Fn(&DestinationRule) -> bool; 3] = [
            &|it| it.meta.name.namespace == *own && (own != root || it.export_to.is_private()),
            &|it| it.meta.name.namespace == service.namespace,
            &|it| it.meta.name.namespace == *root,
        ];
        let seen = |it: &DestinationRule| it.export_to.sees(&it.meta.name.namespace, own).is_some();
        for tier in tiers {
            let of = |rules: &[&'a Arc<DestinationRule>]| rules.iter().filter(|it| tier(it) && seen(it)).copied().collect::<Vec<_>>();
            let found = std::iter::once(&exact).chain(&wild).map(|rules| of(rules)).find(|rules| !rules.is_empty());
            if let Some(mut rules) = found {
                rules.sort_by_key(|it| (it.meta.created, it.meta.name.clone()));
                return Rules { rules };
            }
        }
        Rules { rules: Vec::new() }
    }

    /// Those for the Service itself, and those for wildcards that cover it, the narrowest first.
    fn rules_for(self, shared: &SharedGateway, service: &Name) -> (Vec<&'a Arc<DestinationRule>>, Vec<Vec<&'a Arc<DestinationRule>>>) {
        let domain = &self.options.domain;
        let meant = |it: &&'a Arc<DestinationRule>| it.is_for_workload(it.meta.name.namespace == shared.namespace, &shared.labels);
        let exact = self.resources.destination_rules_of_service(service);
        let exact = exact.filter(|it| it.service.service(domain) == Some(service)).filter(meant).collect();
        let full = format!("{}.{}.svc.{domain}", service.name, service.namespace);
        let hosts = resources::deep_host_pattern(&full).map(|host| wider(&host)).unwrap_or_default();
        let wild = hosts.iter().skip(1).map(|host| self.resources.destination_rules_of_host(host).filter(meant).collect());
        (exact, wild.collect())
    }

    fn no_service(self, to: &Destination, so: Else) -> Problem {
        let host = &to.host.text;
        let message = format!("`{host}` is no Service, so {so}");
        let problem = Problem::error(format!("{}.host", to.field), Cause::ServiceNotFound, message);
        let parts: Vec<&str> = host.split('.').collect();
        match parts.as_slice() {
            [name, namespace] if *name != "*" => problem.hint(format!("Write `{name}.{namespace}.svc.{}`", self.options.domain)),
            _ => problem.hint(format!("Write the name of a Service, or `NAME.NAMESPACE.svc.{}`", self.options.domain)),
        }
    }

    fn service_not_found(self, to: &Destination, name: &Name, so: Else) -> Problem {
        let message = format!("Service `{name}` does not exist, so {so}");
        let problem = Problem::error(format!("{}.host", to.field), Cause::ServiceNotFound, message);
        problem.hint(self.resources.suggest_service(name))
    }
}

/// The port named, else the Service's only one, else the one the request came to.
fn port(place: Place<'_>, to: &Destination, service: &Service, so: Else) -> Result<u16, Box<Problem>> {
    let ports: Vec<u16> = service.ports.iter().filter(|port| port.protocol == "TCP").map(|port| port.port).collect();
    let has = |number: &u16| ports.contains(number) || ports.is_empty() && matches!(service.kind, ServiceType::ExternalName(_));
    if let Some(number) = to.port {
        let message = || format!("Service `{}` has no port {number}, so {so}", service.meta.name);
        let problem = || Problem::error(format!("{}.port.number", to.field), Cause::PortNotFound, message()).hint(service.suggest_port());
        return Some(number).filter(has).ok_or_else(|| Box::new(problem()));
    }
    match (ports.as_slice(), place.port.filter(has)) {
        ([only], _) => Ok(*only),
        (_, Some(number)) => Ok(number),
        _ => {
            let message = format!("Service `{}` has not one port, and none is named, so {so}", service.meta.name);
            Err(Box::new(Problem::error(format!("{}.port", to.field), Cause::PortNotFound, message).hint(service.suggest_port())))
        }
    }
}

fn subset_not_found(to: &Destination, wanted: &str, rules: &Rules<'_>, so: Else) -> Problem {
    let message = format!("no DestinationRule of `{}` has a subset `{wanted}`, so {so}", to.host.text);
    let problem = Problem::error(format!("{}.subset", to.field), Cause::ReferenceNotFound, message);
    let names = rules.rules.iter().flat_map(|rule| &rule.subsets).map(|subset| &*subset.name);
    problem.hint(suggest(nearest(wanted, names), || "Add it to a DestinationRule, or leave `subset` out".to_owned()))
}

fn shown(rule: &DestinationRule) -> ObjectRef {
    Kind::DestinationRule.object_ref(&rule.meta.name)
}

fn limits(pool: Option<&ConnectionPool>) -> Limits {
    let Some(pool) = pool else { return Limits::default() };
    let default = Limits::default();
    let pending = match (pool.connections, pool.pending) {
        (_, Some(pending)) => pending,
        (Some(_), None) => PENDING,
        (None, None) => default.pending,
    };
    Limits {
        connections: pool.connections.unwrap_or(default.connections),
        requests: pool.requests.unwrap_or(default.requests),
        pending,
        requests_per_connection: pool.requests_per_connection,
        connect: pool.connect,
        idle: pool.idle,
        ..default
    }
}

// === impl Else ===

impl fmt::Display for Else {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answers503 => "what leads there answers 503",
            Self::Closes => "connections that lead there are closed",
            Self::Nothing => "nothing is sent there",
        })
    }
}

// === impl Rules ===

impl<'a> Rules<'a> {
    /// Of several with the name, the oldest one's.
    fn subset(&self, name: &str) -> Option<(&'a Arc<DestinationRule>, &'a Subset)> {
        self.rules.iter().find_map(|rule| Some((*rule, rule.subset(name)?)))
    }

    /// Of several rules the oldest with a policy counts; a subset's own takes its place field by field, for a port as a whole.
    fn policy(&self, subset: Option<(&Arc<DestinationRule>, &Subset)>, port: u16) -> Policy {
        let mut put = Policy::default();
        if let Some((rule, policy)) = self.rules.iter().find_map(|rule| Some((rule, rule.policy.as_ref()?))) {
            put.add(policy, port, rule.meta.name.to_string());
        }
        if let Some((rule, subset)) = subset
            && let Some(policy) = &subset.policy
        {
            put.add(policy, port, format!("{}/{}", rule.meta.name, plain(subset)));
        }
        put
    }

    /// What a rule says in vain, because an older one of the same namespace and host says it.
    pub(crate) fn in_vain(&self, rule: &DestinationRule) -> Vec<Problem> {
        let older: Vec<_> = self.rules.iter().take_while(|it| it.meta.name != rule.meta.name).collect();
        if !self.rules.iter().any(|it| it.meta.name == rule.meta.name) {
            let instead = self.rules.first().map(|rule| format!("at the gateway {} counts in its place", shown(rule)));
            let message = instead.unwrap_or_else(|| "in its namespace it counts for namespaces other than the gateway's alone".into());
            return vec![Problem::note("spec", Cause::NoEffect, message)];
        }
        let mut problems = Vec::new();
        if rule.policy.is_some()
            && let Some(first) = older.iter().find(|it| it.policy.is_some())
        {
            let message = format!("{} was there first, and its policy counts", shown(first));
            problems.push(Problem::warning("spec.trafficPolicy", Cause::Conflict, message).hint("Put both into one DestinationRule"));
        }
        for subset in &rule.subsets {
            if let Some(first) = older.iter().find(|it| it.subset(&subset.name).is_some()) {
                let message = format!("{} was there first with a subset `{}`, which counts", shown(first), subset.name);
                let problem = Problem::warning(format!("spec.subsets[{}]", subset.index), Cause::Conflict, message);
                problems.push(problem.hint("Take another name"));
            }
        }
        problems
    }
}

/// A subset in a backend's name.
fn plain(subset: &Subset) -> String {
    let plain = !subset.name.is_empty() && subset.name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    if plain { subset.name.to_string() } else { format!("#{}", subset.index) }
}

// === impl Policy ===

impl Policy {
    fn add(&mut self, policy: &TrafficPolicy, port: u16, from: String) {
        let of_port = policy.of_port(port);
        let instead = policy.ports.contains_key(&port);
        if of_port.is_empty() && !instead {
            return;
        }
        if instead {
            self.policy = TrafficPolicy { ports: BTreeMap::new(), ..of_port.clone() };
        } else {
            self.policy.balancing = of_port.balancing.or(self.policy.balancing);
            self.policy.pool = of_port.pool.clone().or(self.policy.pool.take());
            self.policy.tls = of_port.tls.or(self.policy.tls);
        }
        self.from.push(from);
    }
}

/// Whether a DestinationRule may say something about a Service.
pub(crate) fn is_for(rule: &DestinationRule, service: &Name, domain: &str) -> bool {
    match (&rule.service.service, &rule.host) {
        (Some(_), _) => rule.service.service(domain) == Some(service),
        (None, Some(host)) => {
            let full = format!("{}.{}.svc.{domain}", service.name, service.namespace);
            resources::deep_host_pattern(&full).is_ok_and(|full| covers(&host.full(domain), &full) && host.pattern != full)
                || matches!(host.pattern, HostPattern::Any)
        }
        (None, None) => false,
    }
}
