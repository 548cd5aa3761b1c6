//! Gateway API's Gateways and routes, as listeners and routes.
//!
//! ```text
//! GatewayClass ─► ours: which Gateways mean us
//!      │ place: a workload of its own, or another gateway's that it joins by host name
//!      ▼
//! listeners, judged: protocol, conflicts ─► wanted: gateways and their ports
//!      │ a host belongs to the most specific listener of its port that covers it
//!      ▼
//! routes, attached: parentRefs, allowedRoutes, host names
//!      │ rules: matches, filters, backends; sorted by the precedence of matches
//!      ▼
//! Host { routes, certificate, tunnel }  and  report: conditions, with the problems behind them
//! ```
//!
//! It is *not* a status writer: times, generations, addresses and `Programmed=True` are the word of whoever hears from the data plane.
//!
//! **Invariant:** each Gateway is translated by itself; what two of them have for one host is only put together by precedence, so that
//! a route costs what it touches.
//! **Invariant:** what guards (a filter, a certificate, a validation of clients) and cannot be had closes its path; it is never left out.

mod attach;
mod backend;
mod certificate;
mod conditions;
mod cors;
mod features;
mod filter;
mod findings;
mod given;
mod host;
mod listener;
mod matching;
mod options;
mod order;
mod ours;
mod place;
mod reference;
mod report;
mod rule;
mod touched;
mod trust;
mod tunnel;
mod wanted;

pub use options::{Absent, Options};
pub use reference::reference_markdown;

use given::Given;
use model::{GatewayId, Host, HostPattern, ObjectRef};
use resources::{Object, Report, Resources, SharedGateway, Touch, Wanted};
use std::collections::BTreeSet;

/// The gateways that Gateways of our classes ask for, and the ports of those that join a shared one.
pub fn wanted(resources: &Resources, options: &Options, shared: &[SharedGateway]) -> Vec<Wanted> {
    wanted::wanted(Given { resources, options, shared })
}

/// Every host there can be something for: gateway, port, host.
pub fn hosts(resources: &Resources, options: &Options, shared: &[SharedGateway]) -> BTreeSet<(GatewayId, u16, HostPattern)> {
    host::hosts(Given { resources, options, shared })
}

/// One host on one port of one gateway. `None`: nothing is served there by these objects.
pub fn translate_host(
    resources: &Resources,
    options: &Options,
    shared: &[SharedGateway],
    (gateway, port, host): (&GatewayId, u16, &HostPattern),
) -> (Option<Host>, Vec<Report>) {
    host::translate_host(Given { resources, options, shared }, gateway, port, host)
}

/// What there is to say about one of our kinds' objects; `None`: nothing, it is not ours.
pub fn report(resources: &Resources, options: &Options, shared: &[SharedGateway], object: &ObjectRef) -> Option<Report> {
    report::report(Given { resources, options, shared }, object)
}

/// What a change of an object among `resources` has a say in: its old version, and the one that is there now.
pub fn touched(resources: &Resources, options: &Options, shared: &[SharedGateway], old: Option<&Object>, new: Option<&Object>) -> Touch {
    touched::touched(Given { resources, options, shared }, old, new)
}

#[cfg(test)]
mod tests;
