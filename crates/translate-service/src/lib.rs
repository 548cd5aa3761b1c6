//! Services that ask to be reached from outside, as ports whose connections and datagrams go to their endpoints.
//!
//! ```text
//! Service ─┬─► Exposed          the address, node ports and external addresses it asks for
//!          └─► translate_host   per port: a tunnel, or where datagrams go, with its clients and its affinity
//! ```
//!
//! Each such Service is a gateway of its own, which nobody attaches to. It is *not* where addresses are given: that depends on what others
//! have.
//!
//! **Invariant:** a Service that stands for a gateway, which others write, is never taken for one to be forwarded.

mod exposed;
mod host;

pub use exposed::{CLASS, Exposed, ExposedPort, WantedAddress, exposed, gateway_id, service_of};
pub use host::translate_host;

use model::{GatewayId, HostPattern};
use resources::{Resources, Service, SharedGateway};

/// Of the Services that gateways are seen as.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "paifang");

/// Every host on every port there is something for.
pub fn hosts(resources: &Resources, gateways: &[SharedGateway]) -> impl Iterator<Item = (GatewayId, u16, HostPattern)> {
    resources.services().filter_map(|it| exposed(it, gateways)).flat_map(|it| {
        let ports: std::collections::BTreeSet<u16> = it.ports.iter().map(|port| port.number).collect();
        ports.into_iter().map(move |port| (gateway_id(&it.service), port, HostPattern::Any))
    })
}

/// What a change of a Service touches: the hosts of its ports.
pub fn touched<'a>(service: &'a Service, gateways: &'a [SharedGateway]) -> impl Iterator<Item = (GatewayId, u16, HostPattern)> + 'a {
    let ports = exposed(service, gateways).into_iter().flat_map(|it| it.ports);
    ports.map(|port| (gateway_id(&service.meta.name), port.number, HostPattern::Any))
}

/// Whether a gateway is seen as this Service.
fn is_a_gateway(service: &Service, gateways: &[SharedGateway]) -> bool {
    let managed = service.meta.labels.get(MANAGED_BY.0).is_some_and(|it| *it == MANAGED_BY.1);
    managed || gateways.iter().any(|it| it.services.contains(&service.meta.name))
}

#[cfg(test)]
mod tests;
