//! From a backendRef to a backend.

use crate::findings::Findings;
use crate::given::Given;
use model::{Backend, Text};
use resources::gateway_api::{BackendRef, GATEWAY_GROUP, Reference};
use resources::{BackendName, Cause, Kind, Name, Problem, Service, ServicePort, ServiceType};
use std::sync::Arc;

/// Who refers, for grants.
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    pub(crate) kind: Kind,
    pub(crate) namespace: &'a Text,
}

/// What is spoken to the backend.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Http,
    /// Whatever the client speaks.
    Anything,
}

/// Whether a grant, where one is needed, lets this reference be.
pub(crate) fn is_permitted(given: Given<'_>, from: From<'_>, to: &Reference) -> bool {
    let target = &to.name.namespace;
    let referring = (GATEWAY_GROUP, from.kind.word(), &**from.namespace);
    target == from.namespace || given.resources.grants_in(target).any(|grant| grant.permits(referring, to))
}

/// The backend; `None`: it cannot be used, and `findings` says why.
pub(crate) fn resolve(
    given: Given<'_>,
    from: From<'_>,
    backend: &BackendRef,
    (at, spoken): (&str, Spoken),
    findings: &mut Findings,
) -> Option<Arc<Backend>> {
    let to = backend.to.as_ref()?;
    if !to.is("", "Service") {
        let message = format!("`{}` cannot be a backend", to.shown_kind());
        findings.unresolved("InvalidKind", Problem::error(format!("{at}.kind"), Cause::ResourceBackend, message).hint("Name a Service"));
        return None;
    }
    if !is_permitted(given, from, to) {
        findings.unresolved("RefNotPermitted", not_permitted(from, to, &format!("{at}.namespace")));
        return None;
    }
    let Some(service) = given.resources.service(&to.name) else {
        findings.unresolved("BackendNotFound", not_found(given, &to.name, at));
        return None;
    };
    let port = port(service, backend.port, at, findings)?;
    if let Some(problem) = hidden_reference(given, from, service, at) {
        findings.unresolved("RefNotPermitted", problem);
        return None;
    }
    let spoken = spoken == Spoken::Anything || speaks(service, port, at, findings);
    spoken.then(|| Arc::new(Backend::new(BackendName::new(service.meta.name.clone(), port).id())))
}

pub(crate) fn not_permitted(from: From<'_>, to: &Reference, field: &str) -> Problem {
    let (kind, namespace, there) = (from.kind.word(), from.namespace, &to.name.namespace);
    let message =
        format!("{} `{}` is in another namespace, where no ReferenceGrant lets {kind}s of `{namespace}` use it", to.kind, to.name);
    let hint = format!("Create a ReferenceGrant in namespace `{there}`, from {kind} in `{namespace}` to {}", to.kind);
    Problem::error(field, Cause::RefNotPermitted, message).hint(hint)
}

fn not_found(given: Given<'_>, name: &Name, at: &str) -> Problem {
    let message = format!("Service `{name}` does not exist");
    Problem::error(at, Cause::ServiceNotFound, message).hint(given.resources.suggest_service(name))
}

fn port(service: &Service, number: Option<u16>, at: &str, findings: &mut Findings) -> Option<u16> {
    let field = format!("{at}.port");
    let Some(number) = number else {
        findings.unresolved(
            "BackendNotFound",
            Problem::error(field, Cause::PortNotFound, "a Service needs a port").hint(service.suggest_port()),
        );
        return None;
    };
    if matches!(service.kind, ServiceType::ExternalName(_)) || tcp(service, number).is_some() {
        return Some(number);
    }
    let message = format!("Service `{}` has no port {number}", service.meta.name);
    findings.unresolved("BackendNotFound", Problem::error(field, Cause::PortNotFound, message).hint(service.suggest_port()));
    None
}

fn tcp(service: &Service, number: u16) -> Option<&ServicePort> {
    service.ports.iter().find(|port| port.port == number && port.protocol == "TCP")
}

/// An external name that is the cluster's own name of a Service would be a way around grants.
fn hidden_reference(given: Given<'_>, from: From<'_>, service: &Service, at: &str) -> Option<Problem> {
    let ServiceType::ExternalName(external) = &service.kind else { return None };
    let name = external.trim_end_matches('.').to_ascii_lowercase();
    let inner = name.strip_suffix(&*given.options.domain).and_then(|it| it.strip_suffix('.')).unwrap_or(&name);
    let (_, namespace) = inner.strip_suffix(".svc")?.rsplit_once('.')?;
    if namespace == &**from.namespace {
        return None;
    }
    let message = format!("Service `{}` stands for `{external}`, which is a Service of another namespace", service.meta.name);
    Some(Problem::error(at, Cause::RefNotPermitted, message).hint("Name that Service itself, with a ReferenceGrant in its namespace"))
}

/// Whether the Service's port takes HTTP/1.1 in plain text, which is what backends are spoken to in.
fn speaks(service: &Service, number: u16, at: &str, findings: &mut Findings) -> bool {
    let Some(protocol) = tcp(service, number).and_then(|port| port.app_protocol.as_ref()) else { return true };
    let hint = "Backends are spoken to in HTTP/1.1 without TLS";
    let message = |what| format!("Service `{}` says that port {number} takes {what} (`appProtocol: {protocol}`)", service.meta.name);
    match &**protocol {
        "kubernetes.io/h2c" | "kubernetes.io/wss" => {
            let what = if protocol.ends_with("h2c") { "HTTP/2 alone" } else { "WebSocket over TLS" };
            findings.unresolved("UnsupportedProtocol", Problem::error(format!("{at}.port"), Cause::Unsupported, message(what)).hint(hint));
            false
        }
        "https" | "http2" | "grpc" | "tls" => {
            findings.note(Problem::warning(format!("{at}.port"), Cause::NoEffect, message("something else")).hint(hint));
            true
        }
        _ => true,
    }
}
