//! From a reference to a Service and port to a backend.

use crate::annotation::field;
use crate::family::service_upstream;
use crate::options::{ClusterIps, Options};
use crate::settings::Settings;
use model::Backend;
use resources::{
    BackendName, Cause, Ingress, IngressBackend, Name, PortRef, Problem, Resources, Service, ServiceRef, ServiceType, TargetPort, Via,
    nearest, suggest,
};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    Backend(Arc<Backend>),
    /// It does not exist: 503.
    Missing,
    /// Something that is no Service: 404, as ingress-nginx's default backend.
    NoService,
}

/// Finds the backend; what stands in its way is added to `problems`.
pub(crate) fn resolve(
    resources: &Resources,
    options: &Options,
    ingress: &Ingress,
    settings: &Settings,
    (backend, at): (&IngressBackend, &str),
    problems: &mut Vec<Problem>,
) -> Resolved {
    let service = match backend {
        IngressBackend::Service(service) => service,
        IngressBackend::Missing => return Resolved::Missing,
        IngressBackend::Resource(resource) => {
            let message = format!("`{resource}` is not a Service, and only those can be backends: the path answers 404");
            problems.push(Problem::error(format!("{at}.resource"), Cause::ResourceBackend, message).hint("Name a `service`"));
            return Resolved::NoService;
        }
    };
    let namespace = &ingress.meta.name.namespace;
    let name = Name::new(namespace.clone(), service.name.clone());
    let Some(object) = resources.service(&name) else {
        problems.push(service_not_found(resources, &name, at));
        return Resolved::Missing;
    };
    match port(object, service) {
        Some(port) => Resolved::Backend(backend_of(options, object, settings, port, problems)),
        None => {
            problems.push(port_not_found(object, service, at));
            Resolved::Missing
        }
    }
}

fn backend_of(options: &Options, service: &Service, settings: &Settings, port: u16, problems: &mut Vec<Problem>) -> Arc<Backend> {
    let mut via = Via::Endpoints;
    if settings.service_upstream.is_some() {
        match (options.cluster_ips, service.cluster_ips.is_empty()) {
            (ClusterIps::Routed, false) => via = Via::ClusterIp,
            (ClusterIps::Routed, true) => problems.push(service_upstream_ignored(service, "it has no cluster address")),
            (ClusterIps::NotRouted, _) => problems.push(service_upstream_ignored(service, "there is no cluster network here")),
        }
    }
    let name = BackendName { via, ..BackendName::new(service.meta.name.clone(), port) };
    Arc::new(Backend::new(name.id()))
}

fn service_upstream_ignored(service: &Service, why: &str) -> Problem {
    let message = format!("the endpoints of Service `{}` are used: {why}", service.meta.name);
    Problem::note(field(service_upstream::KEY), Cause::AnnotationIgnored, message)
}

/// The Service's port that is meant: by its number, its target or its name.
fn port(service: &Service, reference: &ServiceRef) -> Option<u16> {
    let mut tcp = service.ports.iter().filter(|port| port.protocol == "TCP");
    match &reference.port {
        PortRef::Missing => None,
        PortRef::Number(number) => {
            if matches!(service.kind, ServiceType::ExternalName(_)) {
                return Some(*number);
            }
            let by_number = tcp.clone().find(|port| port.port == *number);
            by_number.or_else(|| tcp.find(|port| port.target == TargetPort::Number(*number))).map(|port| port.port)
        }
        PortRef::Name(name) => {
            let by_name = tcp.clone().find(|port| port.name == *name);
            by_name.or_else(|| tcp.find(|port| matches!(&port.target, TargetPort::Name(target) if target == name))).map(|port| port.port)
        }
    }
}

fn service_not_found(resources: &Resources, name: &Name, at: &str) -> Problem {
    let message = format!("Service `{name}` does not exist, so the path answers 503");
    let problem = Problem::error(format!("{at}.service.name"), Cause::ServiceNotFound, message);
    problem.hint(resources.suggest_service(name))
}

fn port_not_found(service: &Service, reference: &ServiceRef, at: &str) -> Problem {
    let (field, shown) = match &reference.port {
        PortRef::Number(number) => ("port.number", format!("port {number}")),
        PortRef::Name(name) => ("port.name", format!("port `{name}`")),
        PortRef::Missing => ("port", "port without name or number".into()),
    };
    let message = format!("Service `{}` has no {shown}, so the path answers 503", service.meta.name);
    let problem = Problem::error(format!("{at}.service.{field}"), Cause::PortNotFound, message);
    let near = match &reference.port {
        PortRef::Name(name) => nearest(name, service.ports.iter().map(|port| &*port.name)),
        PortRef::Number(_) | PortRef::Missing => None,
    };
    problem.hint(suggest(near, || service.suggest_port()))
}
