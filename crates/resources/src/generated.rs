//! Hosts that are generated for objects that ask for one: `{service}.{project}.{address}.{suffix}`.
//!
//! An Ingress asks for its rules without host, an HTTPRoute without host names for itself, by [`HOST_ANNOTATION`]. What is written stays as it
//! is; the hosts are those of the object as it is read here, made of its text and of where the gateways are.
//!
//! **Invariant:** whoever asks and gets no host is served under none: its rules never become rules for every host.

use crate::kind::Object;
use crate::kind::gateway_api::http_route::HttpRoute;
use crate::kind::ingress::{Ingress, IngressBackend, Rule};
use crate::kind::meta::{Meta, Name};
use crate::problem::{Cause, Problem};
use crate::scope::Scope;
use model::{GatewayId, HostPattern, Hostname, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

/// `auto` asks for a generated host.
pub const HOST_ANNOTATION: &str = "paifang.dev/host";
/// Where the generated hosts are shown. What somebody else writes there means nothing.
pub const GENERATED_HOST_ANNOTATION: &str = "paifang.dev/generated-host";

/// How hosts are made on one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTemplate {
    /// Whose Ingresses it may serve; `None`: nobody's.
    pub ingresses: Option<Scope>,
    /// The Gateways it serves.
    pub parents: BTreeSet<Name>,
    pub projects: Projects,
    pub form: AddressForm,
    /// For example `nip.io`.
    pub suffix: Text,
    /// Where it is; `None`: not known, or only by name.
    pub address: Option<IpAddr>,
    /// Where it was until lately: hosts made of these are still served.
    pub former: Vec<IpAddr>,
}

/// Whether the project stands in a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Projects {
    /// `{service}.{project}.{address}`.
    #[default]
    Many,
    /// `{service}.{address}`: the gateway serves no other project.
    One,
}

/// How an IPv4 address stands in a host; one of IPv6 always stands there with dashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressForm {
    /// `10.0.0.1`
    #[default]
    Dotted,
    /// `10-0-0-1`: one label, so that a certificate for `*.suffix` covers a host without anything before it.
    Dashed,
}

/// Whether a host is made of the address that its gateway has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Current,
    Former,
}

/// On which gateways a host is served, where it was generated; as it was written, on all that its object is for.
pub type Generated = BTreeMap<GatewayId, Age>;

pub(crate) type Templates = BTreeMap<GatewayId, HostTemplate>;

/// The longest label, and the longest name.
const LABEL: usize = 63;

// === impl HostTemplate ===

impl HostTemplate {
    /// `None`: the suffix is so long that it would be no name.
    pub fn host(&self, service: &str, project: &str, address: IpAddr) -> Option<Hostname> {
        let (service, address) = (label(service), in_name(address, self.form));
        let name = match self.projects {
            Projects::Many => format!("{service}.{}.{address}.{}", label(project), self.suffix),
            Projects::One => format!("{service}.{address}.{}", self.suffix),
        };
        Hostname::parse(&name).ok()
    }

    /// Every host of a service, each with whether the gateway is there now.
    fn hosts(&self, service: &str, project: &str) -> Vec<(Hostname, Age)> {
        let former = self.former.iter().filter(|it| Some(**it) != self.address).map(|it| (*it, Age::Former));
        let all = self.address.map(|it| (it, Age::Current)).into_iter().chain(former);
        all.filter_map(|(address, age)| Some((self.host(service, project, address)?, age))).collect()
    }
}

fn in_name(address: IpAddr, form: AddressForm) -> String {
    match (address.to_canonical(), form) {
        (IpAddr::V4(address), AddressForm::Dotted) => address.to_string(),
        (IpAddr::V4(address), AddressForm::Dashed) => address.to_string().replace('.', "-"),
        (IpAddr::V6(address), _) => dashed(address),
    }
}

/// A label may neither begin nor end with a dash.
fn dashed(address: Ipv6Addr) -> String {
    let groups = address.segments().map(|it| format!("{it:x}")).join("-");
    let text = if address.to_ipv4_mapped().is_some() { groups } else { address.to_string().replace(':', "-") };
    let begin = if text.starts_with('-') { "0" } else { "" };
    let end = if text.ends_with('-') { "0" } else { "" };
    format!("{begin}{text}{end}")
}

/// What is no label yet becomes one, and stays different from what others become.
pub fn label(text: &str) -> String {
    let good = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    if !text.is_empty() && text.len() <= LABEL && text.chars().all(good) && !text.starts_with('-') && !text.ends_with('-') {
        return text.to_owned();
    }
    // FNV-1a: the same in every process.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193));
    let lower = text.chars().map(|it| it.to_ascii_lowercase()).map(|it| if good(it) { it } else { '-' });
    let kept: String = lower.take(LABEL - 9).collect();
    match kept.trim_matches('-') {
        "" => format!("x-{hash:08x}"),
        kept => format!("{kept}-{hash:08x}"),
    }
}

/// What an object asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Nothing,
    Auto,
    /// Something that is not understood.
    Unclear,
}

fn wish(meta: &Meta) -> Wish {
    match meta.annotation(HOST_ANNOTATION).map(|it| it.trim()) {
        None => Wish::Nothing,
        Some("auto") => Wish::Auto,
        Some(_) => Wish::Unclear,
    }
}

fn field() -> String {
    format!("metadata.annotations[{HOST_ANNOTATION}]")
}

/// Whether it has to be read again when gateways move.
pub(crate) fn asks(object: &Object) -> bool {
    match object {
        Object::Ingress(it) => wish(&it.meta) != Wish::Nothing,
        Object::HttpRoute(it) => wish(&it.meta) != Wish::Nothing,
        _ => false,
    }
}

/// The object with the hosts that it is served under.
pub(crate) fn generated(object: &Object, templates: &Templates) -> Object {
    match object {
        Object::Ingress(it) => Object::Ingress(std::sync::Arc::new(of_ingress(it, templates))),
        Object::HttpRoute(it) => Object::HttpRoute(std::sync::Arc::new(of_route(it, templates))),
        other => other.clone(),
    }
}

fn of_ingress(written: &Ingress, templates: &Templates) -> Ingress {
    let mut ingress = written.clone();
    let own = &ingress.meta.name;
    let auto = wish(&ingress.meta) == Wish::Auto;
    let mut found = Found::default();
    ingress.rules.clear();
    let mut rules = written.rules.clone();
    if written.catch_all && written.default_backend.is_some() {
        // A default backend alone is for the hosts that are generated for it.
        rules.push(Rule { index: 0, host: Text::default(), paths: None, generated: Generated::new() });
    }
    ingress.catch_all = false;
    for rule in rules {
        if !rule.host.is_empty() {
            ingress.rules.push(rule);
            continue;
        }
        let path = rule.paths.iter().flatten().next().map(|it| &it.backend);
        let service = service(path.or(written.default_backend.as_ref())).unwrap_or(&own.name);
        let may_serve = |it: &HostTemplate| it.ingresses.as_ref().is_some_and(|scope| scope.covers(&own.namespace));
        for (host, gateways) in found.hosts(auto, templates, may_serve, (service, &own.namespace)) {
            ingress.rules.push(Rule { host: host.as_str().into(), generated: gateways, ..rule.clone() });
        }
    }
    ingress.problems.extend(found.problem(&ingress.meta, "its rules without host are served nowhere"));
    ingress
}

fn of_route(written: &HttpRoute, templates: &Templates) -> HttpRoute {
    let mut route = written.clone();
    let own = &route.meta.name;
    let mut found = Found::default();
    if route.hosts == [HostPattern::Any] {
        let service = route.rules.iter().flat_map(|rule| &rule.backends).find_map(|it| it.service()).map(|it| &it.name);
        let parents: BTreeSet<&Name> = route.parents.iter().filter_map(|it| it.gateway()).collect();
        let may_serve = |it: &HostTemplate| it.parents.iter().any(|parent| parents.contains(parent));
        let auto = wish(&route.meta) == Wish::Auto;
        route.generated = found
            .hosts(auto, templates, may_serve, (service.unwrap_or(&own.name), &own.namespace))
            .into_iter()
            .map(|(host, gateways)| (HostPattern::Exact(host), gateways))
            .collect();
        route.hosts = route.generated.keys().cloned().collect();
    }
    route.problems.extend(found.problem(&route.meta, "it is served nowhere"));
    route
}

fn service(backend: Option<&IngressBackend>) -> Option<&Text> {
    match backend? {
        IngressBackend::Service(service) => Some(&service.name),
        IngressBackend::Resource(_) | IngressBackend::Missing => None,
    }
}

/// What was found for one object.
#[derive(Default)]
struct Found {
    asked: bool,
    missing: bool,
}

// === impl Found ===

impl Found {
    fn hosts(
        &mut self,
        auto: bool,
        templates: &Templates,
        may_serve: impl Fn(&HostTemplate) -> bool,
        (service, project): (&str, &str),
    ) -> BTreeMap<Hostname, Generated> {
        self.asked = true;
        let mut hosts: BTreeMap<Hostname, Generated> = BTreeMap::new();
        for (gateway, template) in templates.iter().filter(|(_, it)| auto && may_serve(it)) {
            for (host, age) in template.hosts(service, project) {
                hosts.entry(host).or_default().insert(gateway.clone(), age);
            }
        }
        self.missing |= hosts.is_empty();
        hosts
    }

    fn problem(&self, meta: &Meta, so: &str) -> Option<Problem> {
        match wish(meta) {
            Wish::Nothing => None,
            _ if !self.asked => {
                let message = "no host is generated, because every one is written";
                Some(Problem::note(field(), Cause::NoEffect, message).hint("Delete the annotation, or take the hosts away"))
            }
            Wish::Unclear => {
                let message = format!("only `auto` is understood, so {so}");
                Some(Problem::error(field(), Cause::InvalidValue, message).hint("Write `auto`, or write the host into `spec`"))
            }
            Wish::Auto if self.missing => {
                let message = format!("no gateway that serves it has an IP address to make a host of, so {so}");
                Some(Problem::warning(field(), Cause::HostPending, message).hint("Write a host, or see why the gateway has no address"))
            }
            Wish::Auto => None,
        }
    }
}

// === impl Ingress ===

impl Ingress {
    /// Whether a host among its own is meant for this gateway: one that was generated is for the gateway it was made for.
    pub fn is_at(&self, host: &HostPattern, gateway: &GatewayId) -> bool {
        let generated = |rule: &&Rule| !rule.generated.is_empty() && crate::host_pattern(&rule.host).as_ref() == Ok(host);
        let mut rules = self.rules.iter().filter(generated).peekable();
        rules.peek().is_none() || rules.any(|rule| rule.generated.contains_key(gateway))
    }

    /// Whether a host of its own was generated for this gateway.
    pub fn generates(&self, host: &HostPattern, gateway: &GatewayId) -> bool {
        let mut generated = self.rules.iter().filter(|rule| rule.generated.contains_key(gateway));
        generated.any(|rule| crate::host_pattern(&rule.host).as_ref() == Ok(host))
    }

    /// Whether a rule of it is for this host, or it is for all of them.
    pub fn wants(&self, host: &HostPattern) -> bool {
        let of_rule = |rule: &Rule| crate::host_pattern(&rule.host).as_ref() == Ok(host);
        self.rules.iter().any(of_rule) || *host == HostPattern::Any && self.catch_all
    }

    /// The hosts that are generated for it on these gateways, as these are now.
    pub fn generated_hosts(&self, gateways: &BTreeSet<GatewayId>) -> BTreeSet<Text> {
        let now = |it: &Generated| it.iter().any(|(id, age)| *age == Age::Current && gateways.contains(id));
        self.rules.iter().filter(|rule| now(&rule.generated)).map(|rule| rule.host.clone()).collect()
    }
}

// === impl HttpRoute ===

impl HttpRoute {
    /// Whether a host of its own was generated for this gateway.
    pub fn generates(&self, host: &HostPattern, gateway: &GatewayId) -> bool {
        self.generated.get(host).is_some_and(|it| it.contains_key(gateway))
    }

    /// The hosts that are generated for it on these gateways, as these are now.
    pub fn generated_hosts(&self, gateways: &BTreeSet<GatewayId>) -> BTreeSet<Text> {
        let now = |it: &Generated| it.iter().any(|(id, age)| *age == Age::Current && gateways.contains(id));
        self.generated.iter().filter(|(_, it)| now(it)).map(|(host, _)| host.to_string().into()).collect()
    }
}

#[cfg(test)]
mod tests;
