//! Which gateway serves a Gateway: one of its own, or another's that it joins.

use crate::given::Given;
use crate::listener::{Judged, by_themselves};
use crate::ours::{Ours, by_age, ours};
use model::{GatewayId, Text};
use resources::{Cause, Gateway, GatewayClass, Name, Problem, SharedGateway};
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A workload of its own, at this address if one is asked for.
    Own(Option<IpAddr>),
    Joined(GatewayId),
}

/// Why it is served nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Nowhere {
    pub(crate) verdict: Verdict,
    pub(crate) problem: Problem,
}

/// Which condition says so, with which reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// `Accepted` is false.
    NotAccepted(&'static str),
    /// It is accepted; `Programmed` is false.
    NotProgrammed(&'static str),
}

/// The id of the gateway that a Gateway's own workload is.
pub(crate) fn own_id(gateway: &Gateway) -> GatewayId {
    GatewayId::new(gateway.meta.name.to_string())
}

/// Where it is served.
pub(crate) fn place(given: Given<'_>, ours: Ours<'_>) -> Result<Place, Nowhere> {
    let gateway = ours.gateway;
    if let Some(class) = ours.class.filter(|class| class.has_parameters) {
        let message = format!("GatewayClass `{}` is not accepted, because it has parameters", class.meta.name);
        return Err(not_accepted(
            "Pending",
            "spec.gatewayClassName",
            Cause::Unsupported,
            message,
            "Take `spec.parametersRef` off the class",
        ));
    }
    if gateway.infrastructure.has_parameters {
        let message = "there are no parameters that a Gateway could have here";
        let hint = "Take it away; labels and annotations of `spec.infrastructure` are followed";
        return Err(not_accepted("InvalidParameters", "spec.infrastructure.parametersRef", Cause::Unsupported, message, hint));
    }
    if let Some(class) = ours.class.filter(|class| class.gateway.is_some()) {
        return by_class(given, gateway, class);
    }
    match gateway.addresses.as_slice() {
        [] => own(given, gateway, None),
        [address] if address.kind == *"IPAddress" => match address.value.parse() {
            Ok(ip) => own(given, gateway, Some(ip)),
            Err(_) if address.value.is_empty() => own(given, gateway, None),
            Err(_) => Err(not_usable(format!("`{}` is no IP address", address.value), "Write one such as 192.0.2.1, or leave `value` out")),
        },
        [address] if address.kind == *"Hostname" => joined(given, gateway, &address.value),
        [address] => {
            let message = format!("an address of type `{}` cannot be had", address.kind);
            let hint = "Write type IPAddress, or Hostname with the host name of another gateway's Service";
            Err(not_accepted("UnsupportedAddress", "spec.addresses[0].type", Cause::Unsupported, message, hint))
        }
        several => {
            let message = format!("a gateway has one address, and these are {}", several.len());
            Err(not_accepted("UnsupportedAddress", "spec.addresses", Cause::Unsupported, message, "Keep one of them"))
        }
    }
}

/// The gateway that a class means, which is there already.
fn by_class(given: Given<'_>, gateway: &Gateway, class: &GatewayClass) -> Result<Place, Nowhere> {
    let (name, namespace) = (&class.meta.name.name, &gateway.meta.name.namespace);
    let Some(shared) = of_class(given, class) else {
        let message = format!("GatewayClass `{name}` is not accepted, because the gateway that it means is not there");
        return Err(not_accepted(
            "Pending",
            "spec.gatewayClassName",
            Cause::ReferenceNotFound,
            message,
            "Enable the gateway, or take another class",
        ));
    };
    if !shared.scope.covers(namespace) {
        let message = format!("GatewayClass `{name}` means gateway `{}`, which does not serve namespace `{namespace}`", shared.id);
        let hint = "Take class `paifang` for a gateway of its own, or the class of a gateway that serves this namespace";
        return Err(not_accepted("ScopeNotAllowed", "spec.gatewayClassName", Cause::ScopeNotAllowed, message, hint));
    }
    match gateway.addresses.iter().any(|it| !it.value.is_empty()) {
        true => {
            let message = format!("a Gateway of class `{name}` has the addresses of gateway `{}`", shared.id);
            Err(not_accepted("UnsupportedAddress", "spec.addresses", Cause::Conflict, message, "Leave `addresses` out"))
        }
        false => Ok(Place::Joined(shared.id.clone())),
    }
}

/// The gateway that a class means, if it means one and that is there.
pub(crate) fn of_class<'a>(given: Given<'a>, class: &GatewayClass) -> Option<&'a SharedGateway> {
    let meant = class.gateway.as_ref()?;
    given.shared.iter().find(|shared| shared.is_named_by(meant))
}

/// A workload of its own; of several that would have the same Service the oldest has it.
fn own(given: Given<'_>, gateway: &Gateway, address: Option<IpAddr>) -> Result<Place, Nowhere> {
    let name = gateway.workload_name();
    let mine = |owner: &str| {
        let message = format!("Service `{name}`, which this Gateway's workload would have, is that of {owner}");
        not_accepted(
            "Invalid",
            "metadata.name",
            Cause::Conflict,
            message,
            "Use another name, or annotation `gateway.istio.io/name-override`",
        )
    };
    if let Some(shared) = given.shared.iter().find(|shared| shared.services.contains(&name)) {
        return Err(mine(&format!("gateway `{}`", shared.id)));
    }
    match owner(given, &name) {
        Some(owner) if owner.meta.name != gateway.meta.name => Err(mine(&format!("Gateway `{}`, which is older", owner.meta.name))),
        _ => Ok(Place::Own(address)),
    }
}

/// The Gateway that has this Service.
fn owner<'a>(given: Given<'a>, service: &Name) -> Option<&'a Gateway> {
    let joins_by_class = |it: Ours<'_>| it.class.is_some_and(|class| class.gateway.is_some());
    let wanting = given.resources.gateways_of_workload(service).filter(|it| wants_own(it));
    let asking = wanting.filter(|it| ours(given, it).is_some_and(|it| !joins_by_class(it)));
    asking.min_by(|a, b| by_age(a, b)).map(|it| &**it)
}

fn wants_own(gateway: &Gateway) -> bool {
    match gateway.addresses.as_slice() {
        [] => true,
        [address] => address.kind == *"IPAddress",
        _ => false,
    }
}

/// Another gateway's, by the host name of its Service.
fn joined(given: Given<'_>, gateway: &Gateway, value: &str) -> Result<Place, Nowhere> {
    let hint = "Write the host name of a gateway's Service, for example `NAME.NAMESPACE.svc.cluster.local`";
    let unknown = || not_usable(format!("hostname `{value}` is that of no gateway's Service"), hint);
    let (service, domain) = gateway.joined_service().ok_or_else(unknown)?;
    if !domain.is_empty() && domain != given.options.domain {
        return Err(unknown());
    }
    let own = &gateway.meta.name.namespace;
    if let Some(shared) = given.shared.iter().find(|shared| shared.services.contains(&service)) {
        return if shared.scope.covers(own) {
            Ok(Place::Joined(shared.id.clone()))
        } else {
            Err(not_usable(format!("the gateway of `{value}` serves no objects of namespace `{own}`"), hint))
        };
    }
    let target = owner(given, &service).ok_or_else(unknown)?;
    let there = &target.meta.name.namespace;
    if own != there && !target.allowed_listeners.admits(there, own, || given.resources.namespace_labels(own)) {
        let message = format!("Gateway `{}` takes no listeners from namespace `{own}`", target.meta.name);
        return Err(not_usable(message, "Its `spec.allowedListeners` says who may join it"));
    }
    match place_of_owner(given, target) {
        true => Ok(Place::Joined(own_id(target))),
        false => Err(not_usable(format!("Gateway `{}` is not served itself", target.meta.name), hint)),
    }
}

/// Whether the Gateway that has a Service is served, and has a port that the Service could have; it never joins another.
fn place_of_owner(given: Given<'_>, target: &Gateway) -> bool {
    let target = given.resources.gateway(&target.meta.name).filter(|target| by_themselves(target).iter().any(Judged::serves));
    target.and_then(|target| ours(given, target)).is_some_and(|target| matches!(place(given, target), Ok(Place::Own(_))))
}

/// The gateway it is served by.
pub(crate) fn served_by(given: Given<'_>, ours: Ours<'_>) -> Option<GatewayId> {
    match place(given, ours).ok()? {
        Place::Own(_) => Some(own_id(ours.gateway)),
        Place::Joined(id) => Some(id),
    }
}

/// The Gateways that a gateway serves, the oldest first.
pub(crate) fn at<'a>(given: Given<'a>, id: &GatewayId) -> Vec<Ours<'a>> {
    let mut there: Vec<Ours<'a>> = Vec::new();
    match given.shared(id) {
        Some(shared) => {
            there.extend(shared.services.iter().flat_map(|service| joining(given, service)));
            there.extend(joining_by_class(given, shared).filter_map(|gateway| ours(given, gateway)));
            // A Gateway may be found both ways.
            there.sort_by(|a, b| a.gateway.meta.name.cmp(&b.gateway.meta.name));
            there.dedup_by(|a, b| a.gateway.meta.name == b.gateway.meta.name);
        }
        None => {
            let name = id.as_str().split_once('/').map(|(namespace, name)| Name::new(namespace, name));
            if let Some(gateway) = name.and_then(|name| given.resources.gateway(&name)) {
                there.extend(ours(given, gateway));
                there.extend(joining(given, &gateway.workload_name()));
            }
        }
    }
    there.retain(|it| served_by(given, *it).as_ref() == Some(id));
    there.sort_by(|a, b| by_age(a.gateway, b.gateway));
    there
}

fn joining<'a>(given: Given<'a>, service: &Name) -> Vec<Ours<'a>> {
    given.resources.gateways_joining(service).filter_map(|gateway| ours(given, gateway)).collect()
}

/// The Gateways whose class means a gateway.
pub(crate) fn joining_by_class<'a>(given: Given<'a>, shared: &SharedGateway) -> impl Iterator<Item = &'a Arc<Gateway>> {
    let means = |class: &&Arc<GatewayClass>| class.gateway.as_ref().is_some_and(|it| shared.is_named_by(it));
    let classes = given.resources.gateway_classes().filter(means);
    classes.flat_map(move |class| given.resources.gateways_of_class(&class.meta.name.name))
}

fn not_accepted(reason: &'static str, field: &str, cause: Cause, message: impl Into<Text>, hint: &str) -> Nowhere {
    Nowhere { verdict: Verdict::NotAccepted(reason), problem: Problem::error(field, cause, message).hint(hint) }
}

fn not_usable(message: String, hint: &str) -> Nowhere {
    let problem = Problem::error("spec.addresses[0].value", Cause::ReferenceNotFound, message).hint(hint);
    Nowhere { verdict: Verdict::NotProgrammed("AddressNotUsable"), problem }
}
