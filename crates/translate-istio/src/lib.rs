//! Istio's Gateways, VirtualServices and DestinationRules, as listeners and routes.
//!
//! ```text
//! Gateways whose selector means one of ours, oldest first
//!    │ servers: which are served, and which give way to an older one on the port
//!    ▼
//! (gateway, port, host) ── services: the VirtualServices of the servers whose hosts cover it, in their order
//!    │ delegates ──► rules ──► matches, filters, destination (DestinationRules)      tunnels: rules for TLS and TCP
//!    ▼
//! Host { routes as written, what catches all last; handshake }   report: what the status of each object says
//! ```
//!
//! It is *not* a mesh: there are no sidecars, no identities and no Envoy. What needs them is said, and what guards by them is closed.
//!
//! **Invariant:** whatever an object says, it changes nothing about the routes of others, except what age decides (who has a port or a
//! server name).
//! **Invariant:** what cannot be read or followed closes what depends on it, and is told to its owner.

mod conditions;
mod credentials;
mod delegates;
mod destination;
mod filters;
mod host;
mod matches;
mod options;
mod reference;
mod report;
mod rules;
mod servers;
mod services;
mod told;
mod touched;
mod tunnels;
mod wanted;

pub use options::Options;
pub use reference::reference_markdown;

use model::{GatewayId, Host, HostPattern, ObjectRef};
use resources::{Object, Report, Resources, SharedGateway, Touch, Wanted};
use std::collections::BTreeSet;

/// What everything here is a function of.
#[derive(Clone, Copy)]
struct Context<'a> {
    resources: &'a Resources,
    options: &'a Options,
    /// None where Istio's objects are not looked at.
    shared: &'a [SharedGateway],
}

/// The ports that Gateways want of the shared gateways they select.
pub fn wanted(resources: &Resources, options: &Options, shared: &[SharedGateway]) -> Vec<Wanted> {
    Context::new(resources, options, shared).wanted()
}

/// Every host there can be something for: gateway, port, host.
pub fn hosts(resources: &Resources, options: &Options, shared: &[SharedGateway]) -> BTreeSet<(GatewayId, u16, HostPattern)> {
    let context = Context::new(resources, options, shared);
    let mut hosts = BTreeSet::new();
    for shared in context.shared {
        for gateway in resources.istio_gateways().filter(|gateway| servers::selects(gateway, shared)) {
            hosts.extend(context.spots(shared, gateway));
        }
    }
    hosts
}

/// One host on one port of one gateway. `None`: nothing is served there by these objects.
pub fn translate_host(
    resources: &Resources,
    options: &Options,
    shared: &[SharedGateway],
    at: (&GatewayId, u16, &HostPattern),
) -> (Option<Host>, Vec<Report>) {
    Context::new(resources, options, shared).host(at)
}

/// What there is to say about one of our kinds' objects; `None`: nothing, it is not ours.
pub fn report(resources: &Resources, options: &Options, shared: &[SharedGateway], object: &ObjectRef) -> Option<Report> {
    if !options.enabled {
        return None;
    }
    Context::new(resources, options, shared).report(object)
}

/// What this version of an object, which is or was among `resources`, has a say in.
pub fn touched(resources: &Resources, options: &Options, shared: &[SharedGateway], object: &Object) -> Touch {
    if !options.enabled {
        return Touch::default();
    }
    Context::new(resources, options, shared).touched(object)
}

// === impl Context ===

impl<'a> Context<'a> {
    fn new(resources: &'a Resources, options: &'a Options, shared: &'a [SharedGateway]) -> Self {
        Self { resources, options, shared: if options.enabled { shared } else { &[] } }
    }
}

#[cfg(test)]
mod tests;
