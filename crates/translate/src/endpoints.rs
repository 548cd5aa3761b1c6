//! The addresses behind a backend.

use crate::Options;
use crate::annotated::{self, MANAGED_BY};
use model::{BackendId, Egress, Endpoint, Text};
use resources::{
    BackendName, Cause, EndpointSlice, Kind, Problem, Report, Resources, Service, ServicePort, ServiceType, SliceEndpoint, TargetPort, Via,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// The endpoints that are ready, sorted, each once; and what is wrong with the others.
pub fn endpoints(resources: &Resources, options: &Options, id: &BackendId) -> (Vec<Endpoint>, Vec<Report>) {
    let mut found = Found { egress: &options.egress, endpoints: BTreeSet::new(), reports: BTreeMap::new() };
    if let Some(name) = BackendName::parse(id)
        && let Some(service) = resources.service(&name.service)
    {
        match (&service.kind, name.via) {
            // Pods alone have labels.
            (ServiceType::ExternalName(_), _) | (_, Via::ClusterIp) if !name.labels.is_empty() => {}
            (ServiceType::ExternalName(external), _) => found.external(resources, service, external, name.port),
            (_, Via::ClusterIp) => found.cluster_ip(service, name.port),
            (_, Via::Endpoints) => found.slices(resources, service, &name),
        }
    }
    let endpoints = found.endpoints.into_iter().map(|address| Endpoint { address }).collect();
    (endpoints, found.reports.into_values().collect())
}

struct Found<'a> {
    egress: &'a Egress,
    endpoints: BTreeSet<SocketAddr>,
    reports: BTreeMap<model::ObjectRef, Report>,
}

// === impl Found ===

impl Found<'_> {
    fn cluster_ip(&mut self, service: &Service, port: u16) {
        if let Some(ip) = service.cluster_ips.first() {
            self.add(SocketAddr::new(*ip, port), || (Kind::Service.object_ref(&service.meta.name), "spec.clusterIP".into()));
        }
    }

    fn external(&mut self, resources: &Resources, service: &Service, external: &str, port: u16) {
        let object = || Kind::Service.object_ref(&service.meta.name);
        let literal = external.parse::<IpAddr>().ok();
        let addresses = literal.as_ref().map_or_else(|| resources.addresses(external), std::slice::from_ref);
        if addresses.is_empty() {
            let message = format!("`{external}` has no address at the moment");
            let problem = Problem::error("spec.externalName", Cause::NameNotResolved, message);
            self.report(object(), problem.hint("Check the name, and that this machine can resolve it"));
        }
        for ip in addresses {
            self.add(SocketAddr::new(*ip, port), || (object(), "spec.externalName".into()));
        }
    }

    fn slices(&mut self, resources: &Resources, service: &Service, name: &BackendName) {
        let Some(port) = service.ports.iter().find(|it| it.port == name.port && it.protocol == name.transport.word()) else { return };
        if service.meta.annotation(annotated::ENDPOINTS_ANNOTATION).is_some() {
            for problem in annotated::endpoint_slices(service).1 {
                self.report(Kind::Service.object_ref(&service.meta.name), problem);
            }
        }
        for slice in resources.slices_of(&service.meta.name) {
            let ports = numbers(slice, port);
            let is_meant = |it: &&SliceEndpoint| it.ready && in_subset(resources, it, &name.labels);
            for endpoint in slice.endpoints.iter().filter(is_meant) {
                self.endpoint(service, slice, endpoint, &ports);
            }
        }
    }

    fn endpoint(&mut self, service: &Service, slice: &EndpointSlice, endpoint: &SliceEndpoint, ports: &BTreeSet<u16>) {
        for (index, text) in endpoint.addresses.iter().enumerate() {
            let field = || format!("endpoints[{}].addresses[{index}]", endpoint.index).into();
            match text.parse::<IpAddr>() {
                Ok(ip) => {
                    for port in ports {
                        self.add(SocketAddr::new(ip, *port), || blamed(service, slice, field()));
                    }
                }
                Err(_) => {
                    let shown: String = text.chars().take(60).collect();
                    let problem = Problem::error(field(), Cause::InvalidEndpoint, format!("`{shown}` is not an IP address"));
                    let object = Kind::EndpointSlice.object_ref(&slice.meta.name);
                    self.report(object, problem.hint("For a name, use a Service of type ExternalName"));
                }
            }
        }
    }

    /// Adds an address, unless it is one that nobody may connect to.
    fn add(&mut self, address: SocketAddr, blamed: impl FnOnce() -> (model::ObjectRef, Text)) {
        match self.egress.check(address) {
            Ok(()) => {
                self.endpoints.insert(address);
            }
            Err(refusal) => {
                let (object, field) = blamed();
                self.report(object, annotated::refused(field, address, refusal));
            }
        }
    }

    fn report(&mut self, object: model::ObjectRef, problem: Problem) {
        self.reports.entry(object.clone()).or_insert_with(|| Report::new(object)).problems.insert(problem);
    }
}

/// Of a subset are the endpoints whose Pod has its labels; an endpoint that is no Pod is in none.
fn in_subset(resources: &Resources, endpoint: &SliceEndpoint, labels: &BTreeMap<Text, Text>) -> bool {
    let pod = || endpoint.pod.as_ref().and_then(|pod| resources.pod(pod));
    labels.is_empty() || pod().is_some_and(|pod| pod.has(labels))
}

/// Who wrote an address: the slice, or the Service whose annotation the slice was made from.
fn blamed(service: &Service, slice: &EndpointSlice, field: Text) -> (model::ObjectRef, Text) {
    let ours = slice.meta.labels.get("endpointslice.kubernetes.io/managed-by").is_some_and(|by| *by == MANAGED_BY);
    if ours {
        (Kind::Service.object_ref(&service.meta.name), annotated::field())
    } else {
        (Kind::EndpointSlice.object_ref(&slice.meta.name), field)
    }
}

/// The port numbers that stand for a Service's port in a slice: those of its name; all of them where it has none.
fn numbers(slice: &EndpointSlice, port: &ServicePort) -> BTreeSet<u16> {
    let target = match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(_) => None,
    };
    if slice.ports.is_empty() {
        return target.into_iter().collect();
    }
    let named = slice.ports.iter().filter(|it| it.protocol == port.protocol && (port.name.is_empty() || it.name == port.name));
    named.filter_map(|it| it.port.or(target)).collect()
}

#[cfg(test)]
mod tests;
