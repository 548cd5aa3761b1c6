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
pub use host::{translate_host, tunnel_to};

use model::{GatewayId, HostPattern};
use resources::{Resources, Service, SharedGateway};

/// Of the Services that gateways are seen as.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "paifang");

/// Every host on every port there is something to say about.
pub fn hosts<'a>(resources: &'a Resources, gateways: &'a [SharedGateway]) -> impl Iterator<Item = (GatewayId, u16, HostPattern)> + 'a {
    resources.services().flat_map(|it| touched(it, gateways))
}

/// What a change of a Service touches: the hosts of its ports, those that are not forwarded included.
pub fn touched<'a>(service: &'a Service, gateways: &'a [SharedGateway]) -> impl Iterator<Item = (GatewayId, u16, HostPattern)> + 'a {
    let asks = exposed(service, gateways).is_some();
    let ports = service.ports.iter().filter(move |_| asks);
    ports.map(|port| (gateway_id(&service.meta.name), port.port, HostPattern::Any))
}

/// Whether a gateway is seen as this Service.
fn is_a_gateway(service: &Service, gateways: &[SharedGateway]) -> bool {
    let managed = service.meta.labels.get(MANAGED_BY.0).is_some_and(|it| *it == MANAGED_BY.1);
    managed || gateways.iter().any(|it| it.services.contains(&service.meta.name))
}

#[cfg(test)]
mod tests;
