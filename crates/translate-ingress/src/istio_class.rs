//! Ingresses of class `istio`: served as Istio's own gateway serves them, except that a default backend is honoured.
//!
//! Paths are tried longest first, exact before prefix; `ImplementationSpecific` is exact, unless it ends with `/*` or `.*`. There is no redirect
//! to https, and annotations of ingress-nginx say nothing.

use crate::annotation::PREFIX;
use crate::backend::{Resolved, resolve};
use crate::host::{not_found, unresolved};
use crate::location::rules;
use crate::options::Options;
use crate::pattern::canonical;
use crate::settings::Settings;
use model::{
    Action, Backend, Balancing, Forward, GatewayId, HostPattern, HostTls, Match, ObjectRef, PathMatch, Retries, RetryOn, Route, Source,
    Text, Timeouts,
};
use resources::{Cause, HttpPath, Ingress, IngressBackend, Kind, Name, PathType, Problem, Report, Resources, Secret, TlsEntry};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An Ingress of the class, and what is told to its owner.
pub(crate) struct IstioMember<'a> {
    pub(crate) ingress: &'a Ingress,
    pub(crate) problems: Vec<Problem>,
}

/// What they have for a host.
pub(crate) struct Own {
    paths: Vec<Route>,
    /// Where no path matches.
    default: Option<Route>,
    pub(crate) tls: HostTls,
}

/// As Istio: 10 s to connect, no silence is too long but an hour's, and two more tries where no connection came about.
const CONNECT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(3600);

pub(crate) fn host(
    resources: &Resources,
    options: &Options,
    gateway: &GatewayId,
    host: &HostPattern,
    mut members: Vec<IstioMember<'_>>,
) -> (Own, Vec<Report>) {
    let mut placed: Vec<Placed> = Vec::new();
    let mut owners: HashMap<PathMatch, ObjectRef> = HashMap::new();
    for member in &mut members {
        member.paths(resources, options, host, &mut owners, &mut placed);
    }
    // Stable: of the same text the older comes first.
    placed.sort_by_key(|placed| (Reverse(placed.length), !matches!(placed.route.matches[0].path, PathMatch::Exact(_))));
    let default = members.iter_mut().find_map(|member| member.default(resources, options, host));
    let tls = members.iter().map(|member| member.tls(resources, options, host)).find(|tls| *tls != HostTls::None).unwrap_or_default();
    let own = Own { paths: placed.into_iter().map(|placed| placed.route).collect(), default, tls };
    let routes = own.paths.iter().chain(&own.default);
    let reports = members.into_iter().map(|member| {
        let mut report = Report::new(member.object());
        report.routes = routes.clone().filter(|route| route.source.object == report.object).count();
        if report.routes > 0 {
            report.gateways.insert(gateway.clone());
            report.hosts.insert(host.clone());
        }
        report.problems.extend(member.problems);
        report
    });
    let reports = reports.collect();
    (own, reports)
}

struct Placed {
    length: usize,
    route: Route,
}

// === impl Own ===

impl Own {
    /// Their paths before those of other Ingresses; their default before what others answer by themselves.
    pub(crate) fn together(&self, others: Vec<(bool, Route)>) -> Vec<Route> {
        let (by_itself, written): (Vec<_>, Vec<_>) = others.into_iter().partition(|(by_itself, _)| *by_itself);
        let written = written.into_iter().map(|(_, route)| route);
        let last = self.default.clone().into_iter().chain(by_itself.into_iter().map(|(_, route)| route));
        self.paths.iter().cloned().chain(written).chain(last).collect()
    }
}

// === impl IstioMember ===

impl<'a> IstioMember<'a> {
    pub(crate) fn of(resources: &Resources, options: &Options, ingress: &'a Ingress) -> Self {
        let mut member = Self { ingress, problems: ingress.problems.clone() };
        for key in ingress.meta.annotations.keys().filter(|key| key.starts_with(PREFIX)) {
            let field = format!("metadata.annotations[{key}]");
            let message = "annotations of ingress-nginx do nothing on an Ingress of class `istio`";
            member
                .problems
                .push(Problem::note(field, Cause::AnnotationIgnored, message).hint("Delete it, or give the Ingress class `paifang`"));
        }
        for entry in &ingress.tls {
            member.problems.extend(member.certificate_problem(resources, options, entry));
        }
        member
    }

    fn object(&self) -> ObjectRef {
        Kind::Ingress.object_ref(&self.ingress.meta.name)
    }

    fn paths(
        &mut self,
        resources: &Resources,
        options: &Options,
        host: &HostPattern,
        owners: &mut HashMap<PathMatch, ObjectRef>,
        placed: &mut Vec<Placed>,
    ) {
        let ingress = self.ingress;
        for rule in rules(ingress, host) {
            for path in rule.paths.iter().flatten() {
                let at = format!("spec.rules[{}].http.paths[{}]", rule.index, path.index);
                let matching = matching(path);
                let owner = owners.entry(matching.clone()).or_insert_with(|| self.object());
                if *owner != self.object() {
                    let message = format!("`{}` of host `{host}` belongs to {owner}, which came first", path.path);
                    let problem = Problem::error(format!("{at}.path"), Cause::DuplicatePath, message);
                    self.problems.push(problem.hint("Use another path or host"));
                    continue;
                }
                let route = self.route(resources, options, matching, &path.backend, (at.clone(), format!("{at}.backend")));
                placed.push(Placed { length: path.path.len(), route });
            }
        }
    }

    /// Istio passes a default backend over; Kubernetes asks for it.
    fn default(&mut self, resources: &Resources, options: &Options, host: &HostPattern) -> Option<Route> {
        let backend = self.ingress.default_backend.as_ref()?;
        let here = rules(self.ingress, host).next().is_some() || *host == HostPattern::Any && self.ingress.catch_all;
        let at = || "spec.defaultBackend".to_owned();
        here.then(|| self.route(resources, options, PathMatch::Any, backend, (at(), at())))
    }

    fn route(
        &mut self,
        resources: &Resources,
        options: &Options,
        path: PathMatch,
        backend: &IngressBackend,
        (rule, at): (String, String),
    ) -> Route {
        let resolved = resolve(resources, options, self.ingress, &Settings::default(), (backend, &at), &mut self.problems);
        let action = match resolved {
            Resolved::Backend(backend) => Action::Forward(forward(&backend)),
            Resolved::Missing => unresolved(),
            Resolved::NoService => not_found(),
        };
        Route {
            source: Source { object: self.object(), rule: rule.into() },
            replies: Some(options.istio.replies.clone()),
            matches: vec![Match { path, ..Match::default() }],
            filters: Vec::new(),
            action,
        }
    }

    /// Of the first entry for the host. Without a Secret's name it says nothing; one that cannot be had refuses the handshake.
    fn tls(&self, resources: &Resources, options: &Options, host: &HostPattern) -> HostTls {
        if rules(self.ingress, host).next().is_none() && *host != HostPattern::Any {
            return HostTls::None;
        }
        let is_meant = |entry: &&TlsEntry| {
            entry.hosts.is_empty() || entry.hosts.iter().any(|name| *name == "*" || resources::host_pattern(name).as_ref() == Ok(host))
        };
        let entry = self.ingress.tls.iter().filter(|entry| entry.secret.is_some()).find(is_meant);
        let Some(name) = entry.and_then(|entry| entry.secret.as_ref()) else { return HostTls::None };
        let certificate = self.secret(resources, options, name).and_then(|secret| secret.istio.as_ref().ok());
        certificate.cloned().map_or(HostTls::Refuse, HostTls::Certificate)
    }

    /// Where the gateway runs, else beside the Ingress.
    fn secret<'r>(&self, resources: &'r Resources, options: &Options, name: &Text) -> Option<&'r Arc<Secret>> {
        let of = |namespace: &Text| resources.secret(&Name::new(namespace.clone(), name.clone()));
        of(&options.istio.namespace).or_else(|| of(&self.ingress.meta.name.namespace))
    }

    fn certificate_problem(&self, resources: &Resources, options: &Options, entry: &TlsEntry) -> Option<Problem> {
        let at = format!("spec.tls[{}].secretName", entry.index);
        let Some(name) = &entry.secret else {
            return Some(Problem::note(at, Cause::SecretNotFound, "no Secret is named, so the entry does nothing"));
        };
        let gateways = Name::new(options.istio.namespace.clone(), name.clone());
        let Some(secret) = self.secret(resources, options, name) else {
            let own = &self.ingress.meta.name.namespace;
            let message = format!("neither Secret `{gateways}` nor `{own}/{name}` exists, so every handshake is refused");
            let problem = Problem::error(at, Cause::SecretNotFound, message);
            return Some(problem.hint(resources.suggest_secret(&gateways)));
        };
        let Err(fault) = &secret.istio else { return secret.expiry(at, secret.istio_expires, options.now) };
        let message = format!("Secret `{}` holds no usable certificate ({fault}), so every handshake is refused", secret.meta.name);
        Some(Problem::error(at, Cause::BadCertificate, message).hint("It needs `tls.crt` (the chain, leaf first) and `tls.key`, both PEM"))
    }
}

fn matching(path: &HttpPath) -> PathMatch {
    let segments = |path: &str| match canonical(path).strip_suffix('/') {
        Some(bare) => PathMatch::Prefix(bare.into()),
        None => PathMatch::Prefix(canonical(path)),
    };
    match path.path_type {
        _ if path.path.is_empty() => PathMatch::Any,
        PathType::Exact => PathMatch::Exact(canonical(&path.path)),
        PathType::Prefix => segments(&path.path),
        PathType::ImplementationSpecific => match (path.path.strip_suffix("/*"), path.path.strip_suffix(".*")) {
            (Some(prefix), _) => segments(prefix),
            (None, Some(start)) => PathMatch::StartsWith(canonical(start)),
            (None, None) => PathMatch::Exact(canonical(&path.path)),
        },
    }
}

fn forward(backend: &Backend) -> Forward {
    let backend = Backend { balancing: Balancing::LeastRequest, ..backend.clone() };
    Forward {
        timeouts: Timeouts { connect: CONNECT, read: IDLE, send: IDLE, request: None },
        retries: Retries { tries: 3, on: vec![RetryOn::ConnectFailure], per_try: None, backoff: Some(Duration::from_millis(25)) }.into(),
        ..Forward::to(Arc::new(backend))
    }
}
