//! Endpoints written on the Service: `paifang.dev/endpoints: "127.0.0.1:8000, 127.0.0.1:8001"`.
//!
//! Whoever runs the loop makes the slices that [`endpoint_slices`] describes; from there on they are endpoints like all others.

use model::{Egress, Refusal, Text};
use resources::{Cause, Kind, Problem, Service, ServicePort};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub const ENDPOINTS_ANNOTATION: &str = "paifang.dev/endpoints";
/// Label `endpointslice.kubernetes.io/managed-by` of the slices made from the annotation.
pub const MANAGED_BY: &str = "paifang.dev";

/// The slices a Service's annotation asks for (one for each port and address family), and what is wrong with it.
///
/// Without the annotation: none. Each is a whole object; slices of this Service with our label and another name are to be deleted.
pub fn endpoint_slices(service: &Service) -> (Vec<Value>, Vec<Problem>) {
    let (addresses, problems) = addresses(service);
    let mut groups: BTreeMap<(u16, bool), Vec<String>> = BTreeMap::new();
    for address in addresses {
        groups.entry((address.port(), address.is_ipv6())).or_default().push(address.ip().to_string());
    }
    let slices = groups.into_iter().map(|((port, v6), addresses)| slice(service, port, v6, &addresses));
    (slices.collect(), problems)
}

/// What is wrong with the annotation, addresses that nobody may connect to included.
pub fn problems(service: &Service, egress: &Egress) -> Vec<Problem> {
    let (addresses, mut problems) = addresses(service);
    let refused = addresses.into_iter().filter_map(|address| Some(refused(field(), address, egress.check(address).err()?)));
    problems.extend(refused);
    problems
}

/// An address nobody may connect to.
pub(crate) fn refused(field: Text, address: SocketAddr, refusal: Refusal) -> Problem {
    let problem = Problem::error(field, Cause::EndpointRefused, format!("`{address}` is not used as an endpoint: {refusal}"));
    problem.hint("Name the address at which the application itself listens")
}

/// What the annotation says; sorted, each once.
fn addresses(service: &Service) -> (Vec<SocketAddr>, Vec<Problem>) {
    let Some(text) = service.meta.annotation(ENDPOINTS_ANNOTATION) else { return (Vec::new(), Vec::new()) };
    let (mut addresses, mut problems) = (Vec::new(), Vec::new());
    for word in text.split([',', ' ', '\n']).filter(|word| !word.is_empty()) {
        match word.parse::<SocketAddr>() {
            Ok(address) if address.port() > 0 => addresses.push(address),
            _ => problems.push(not_an_address(word)),
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    (addresses, problems)
}

pub(crate) fn field() -> Text {
    format!("metadata.annotations[{ENDPOINTS_ANNOTATION}]").into()
}

fn not_an_address(word: &str) -> Problem {
    let shown: String = word.chars().take(60).collect();
    let problem = Problem::error(field(), Cause::InvalidEndpoint, format!("`{shown}` is not an address and port"));
    problem.hint("Write `127.0.0.1:8000`, or `[::1]:8000`; several are separated by `,`. For a name, use a Service of type ExternalName")
}

fn slice(service: &Service, port: u16, v6: bool, addresses: &[String]) -> Value {
    let name = &service.meta.name;
    let (family, suffix) = if v6 { ("IPv6", "-v6") } else { ("IPv4", "") };
    let owner = json!([{ "apiVersion": Kind::Service.api_version(), "kind": "Service", "name": *name.name, "uid": *service.meta.uid,
        "controller": true, "blockOwnerDeletion": false }]);
    let mut metadata = json!({
        "name": format!("{}-paifang-{port}{suffix}", name.name),
        "namespace": *name.namespace,
        "labels": { "kubernetes.io/service-name": *name.name, "endpointslice.kubernetes.io/managed-by": MANAGED_BY },
    });
    if !service.meta.uid.is_empty() {
        metadata["ownerReferences"] = owner;
    }
    let unnamed = [ServicePort {
        name: Text::default(),
        port,
        target: resources::TargetPort::Number(port),
        protocol: "TCP".into(),
        app_protocol: None,
        node_port: None,
    }];
    let ports = if service.ports.is_empty() { &unnamed[..] } else { &service.ports };
    let ports: Vec<Value> = ports.iter().map(|it| json!({ "name": *it.name, "port": port, "protocol": *it.protocol })).collect();
    let endpoints: Vec<Value> = addresses.iter().map(|it| json!({ "addresses": [it], "conditions": { "ready": true } })).collect();
    json!({
        "apiVersion": Kind::EndpointSlice.api_version(), "kind": "EndpointSlice", "metadata": metadata,
        "addressType": family, "ports": ports, "endpoints": endpoints,
    })
}
