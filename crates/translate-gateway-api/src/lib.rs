//! Gateway API's Gateways and routes, as listeners and routes.

mod options;

pub use options::Options;

use model::{GatewayId, Host, HostPattern, ObjectRef};
use resources::{Object, Report, Resources, SharedGateway, Touch, Wanted};
use std::collections::BTreeSet;

/// The gateways that Gateways of our classes ask for, and the ports of those that join a shared one.
pub fn wanted(_resources: &Resources, _options: &Options, _shared: &[SharedGateway]) -> Vec<Wanted> {
    Vec::new()
}

/// Every host there can be something for: gateway, port, host.
pub fn hosts(_resources: &Resources, _options: &Options, _shared: &[SharedGateway]) -> BTreeSet<(GatewayId, u16, HostPattern)> {
    BTreeSet::new()
}

/// One host on one port of one gateway. `None`: nothing is served there by these objects.
pub fn translate_host(
    _resources: &Resources,
    _options: &Options,
    _shared: &[SharedGateway],
    (_gateway, _port, _host): (&GatewayId, u16, &HostPattern),
) -> (Option<Host>, Vec<Report>) {
    (None, Vec::new())
}

/// What there is to say about one of our kinds' objects; `None`: nothing, it is not ours.
pub fn report(_resources: &Resources, _options: &Options, _shared: &[SharedGateway], _object: &ObjectRef) -> Option<Report> {
    None
}

/// What this version of an object, which is or was among `resources`, has a say in.
pub fn touched(_resources: &Resources, _options: &Options, _shared: &[SharedGateway], _object: &Object) -> Touch {
    Touch::default()
}
