//! Which listeners a route attaches to.

use crate::given::Given;
use crate::listener::Judged;
use model::HostPattern;
use resources::gateway_api::{Listener, ParentRef};
use resources::hosts::narrower;
use resources::{Gateway, GatewayRoute};

/// Why a route attaches to no listener of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// None of this name or port.
    NoParent,
    /// None of these takes it.
    NotAllowed,
    /// None of these has a host of it.
    NoHost,
}

/// The listeners that one of a route's parents means and that take it.
pub(crate) fn attached<'j, 'a>(
    given: Given<'_>,
    route: &GatewayRoute,
    parent: &ParentRef,
    gateway: &Gateway,
    judged: &'j [Judged<'a>],
) -> Result<Vec<&'j Judged<'a>>, Miss> {
    let meant: Vec<_> = judged.iter().filter(|it| is_meant(parent, it.listener)).collect();
    let allowed: Vec<_> = meant.iter().copied().filter(|it| allows(given, gateway, it, route)).collect();
    let hosts: Vec<_> = allowed.iter().copied().filter(|it| shares_a_host(it.host(), route)).collect();
    match (meant.is_empty(), allowed.is_empty(), hosts.is_empty()) {
        (true, ..) => Err(Miss::NoParent),
        (_, true, _) => Err(Miss::NotAllowed),
        (_, _, true) => Err(Miss::NoHost),
        _ => Ok(hosts),
    }
}

/// Whether it attaches to this listener, by any of its parents.
pub(crate) fn is_attached(given: Given<'_>, route: &GatewayRoute, gateway: &Gateway, judged: &Judged<'_>) -> bool {
    is_meant_by_any(route, gateway, judged.listener) && allows(given, gateway, judged, route) && shares_a_host(judged.host(), route)
}

pub(crate) fn is_meant_by_any(route: &GatewayRoute, gateway: &Gateway, listener: &Listener) -> bool {
    let parents = route.parents().iter().filter(|parent| parent.gateway() == Some(&gateway.meta.name));
    parents.into_iter().any(|parent| is_meant(parent, listener))
}

fn is_meant(parent: &ParentRef, listener: &Listener) -> bool {
    parent.section.as_ref().is_none_or(|name| *name == listener.name) && parent.port.is_none_or(|port| port == listener.port)
}

/// Its kind, and its namespace.
fn allows(given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>, route: &GatewayRoute) -> bool {
    let namespace = &route.meta().name.namespace;
    judged.takes(route.kind())
        && judged.listener.namespaces.admits(&gateway.meta.name.namespace, namespace, || given.resources.namespace_labels(namespace))
}

fn shares_a_host(listener: &HostPattern, route: &GatewayRoute) -> bool {
    route.hosts().iter().any(|host| narrower(listener, host).is_some())
}
