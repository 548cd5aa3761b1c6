//! What a version of an object has a say in.
//!
//! Both versions are looked at among all other objects as they are. So whatever another object is depended on for is looked up, and nothing
//! about the object itself; and since either version may be ours or not, nothing here asks whose a Gateway is.

use crate::certificate::hosts_of;
use crate::given::Given;
use crate::listener::{Judged, Protocol, by_themselves};
use crate::place::{joining_by_class, of_class, own_id};
use crate::report::has_a_rule;
use model::{GatewayId, HostPattern};
use resources::gateway_api::{Listener, Namespaces};
use resources::hosts::{covers, narrower};
use resources::{Gateway, GatewayRoute, Kind, Name, Object, Secret, SharedGateway, Touch};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) fn touched(given: Given<'_>, old: Option<&Object>, new: Option<&Object>) -> Touch {
    let mut touching = Touching { given, touch: Touch::default() };
    if let Some((old, new)) = old.and_then(route).zip(new.and_then(route))
        && attaches_alike(given, &old, &new)
    {
        touching.rules(&old);
        touching.rules(&new);
        return touching.touch;
    }
    old.into_iter().chain(new).for_each(|object| touching.version(object));
    touching.touch
}

fn route(object: &Object) -> Option<GatewayRoute> {
    match object {
        Object::HttpRoute(route) => Some(GatewayRoute::Http(route.clone())),
        Object::TlsRoute(route) => Some(GatewayRoute::Tls(route.clone())),
        Object::TcpRoute(route) => Some(GatewayRoute::Tcp(route.clone())),
        _ => None,
    }
}

/// Whether no Gateway can tell one version of a route from the other: then none has to count its routes again.
fn attaches_alike(given: Given<'_>, old: &GatewayRoute, new: &GatewayRoute) -> bool {
    old.parents() == new.parents() && old.hosts() == new.hosts() && has_a_rule(given, old) == has_a_rule(given, new)
}

struct Touching<'a> {
    given: Given<'a>,
    touch: Touch,
}

// === impl Touching ===

impl Touching<'_> {
    fn version(&mut self, object: &Object) {
        let given = self.given;
        match object {
            Object::GatewayClass(class) => {
                self.touch.objects.insert(Kind::GatewayClass.object_ref(&class.meta.name));
                // Where this version of the class leads; where it leads as it stands, each Gateway finds itself.
                let led = of_class(given, class);
                for gateway in given.resources.gateways_of_class(&class.meta.name.name) {
                    self.gateway(gateway);
                    if let Some(shared) = led {
                        self.everything(gateway, &BTreeSet::from([shared.id.clone()]));
                        self.neighbours(gateway, self.beside_at(shared, gateway));
                    }
                }
            }
            Object::Gateway(gateway) => self.gateway(gateway),
            Object::Service(service) => {
                for kind in GatewayRoute::KINDS {
                    given.resources.routes_of_service(kind, &service.meta.name).for_each(|route| self.rules(&route));
                }
            }
            Object::Secret(secret) => self.secret(secret),
            Object::ConfigMap(map) => {
                given.resources.gateways_of_config_map(&map.meta.name).for_each(|gateway| self.certificates(gateway, &[]));
            }
            Object::ReferenceGrant(grant) => self.grant(&grant.meta.name),
            Object::Namespace(namespace) => self.namespace(&namespace.meta.name),
            other => route(other).iter().for_each(|route| self.route(route)),
        }
    }

    /// A Gateway: all its hosts wherever it may be served, those that join it, and those that it stands in the way of.
    fn gateway(&mut self, gateway: &Gateway) {
        self.touch.wanted = true;
        let ids = self.ids(gateway);
        self.everything(gateway, &ids);
        let service = gateway.workload_name();
        let resources = self.given.resources;
        // The Service's name is of one of them: which, may be different now.
        let rivals: Vec<_> = resources.gateways_of_workload(&service).filter(|it| it.meta.name != gateway.meta.name).cloned().collect();
        let owners: BTreeSet<GatewayId> = rivals.iter().map(|it| own_id(it)).chain([own_id(gateway)]).collect();
        for rival in &rivals {
            self.everything(rival, &owners);
        }
        for joined in resources.gateways_joining(&service) {
            self.everything(joined, &owners);
        }
        self.neighbours(gateway, self.beside(gateway));
    }

    /// Those that stand in a Gateway's way, or it in theirs.
    fn neighbours(&mut self, gateway: &Gateway, beside: Vec<Arc<Gateway>>) {
        for neighbour in beside.iter().filter(|it| want_otherwise(gateway, it)) {
            let ids = self.ids(neighbour);
            self.everything(neighbour, &ids);
        }
    }

    /// Other Gateways that the same gateway may serve.
    fn beside(&self, gateway: &Gateway) -> Vec<Arc<Gateway>> {
        let resources = self.given.resources;
        let joined = gateway.joined_service().map(|(service, _)| service);
        let services: BTreeSet<Name> = joined.iter().cloned().chain([gateway.workload_name()]).collect();
        let joining = services.iter().flat_map(|service| resources.gateways_joining(service));
        let owners = joined.iter().flat_map(|service| resources.gateways_of_workload(service));
        let beside = joining.chain(owners).filter(|it| it.meta.name != gateway.meta.name).cloned();
        beside.chain(self.shared(gateway).flat_map(|shared| self.beside_at(shared, gateway))).collect()
    }

    /// Other Gateways that a shared gateway may serve.
    fn beside_at(&self, shared: &SharedGateway, gateway: &Gateway) -> Vec<Arc<Gateway>> {
        let by_address = shared.services.iter().flat_map(|service| self.given.resources.gateways_joining(service));
        let all = by_address.chain(joining_by_class(self.given, shared));
        all.filter(|it| it.meta.name != gateway.meta.name).cloned().collect()
    }

    /// The shared gateways that may serve a Gateway: by its address, or by its class.
    fn shared(&self, gateway: &Gateway) -> impl Iterator<Item = &'_ SharedGateway> {
        let joined = gateway.joined_service().map(|(service, _)| service);
        let class = self.given.resources.gateway_class(&gateway.class).and_then(|class| class.gateway.as_ref());
        let is = move |it: &&SharedGateway| {
            joined.as_ref().is_some_and(|service| it.services.contains(service)) || class.is_some_and(|class| it.is_named_by(class))
        };
        self.given.shared.iter().filter(is)
    }

    /// Where a Gateway may be served.
    fn ids(&self, gateway: &Gateway) -> BTreeSet<GatewayId> {
        let mut ids = BTreeSet::from([own_id(gateway)]);
        ids.extend(self.shared(gateway).map(|shared| shared.id.clone()));
        if let Some((service, _)) = gateway.joined_service() {
            ids.extend(self.given.resources.gateways_of_workload(&service).map(|owner| own_id(owner)));
        }
        ids
    }

    fn everything(&mut self, gateway: &Gateway, ids: &BTreeSet<GatewayId>) {
        self.touch.objects.insert(Kind::Gateway.object_ref(&gateway.meta.name));
        for listener in &gateway.listeners {
            self.host(ids, listener, &HostPattern::Any);
            self.named_hosts(ids, listener, None);
        }
        for kind in GatewayRoute::KINDS {
            for route in self.given.resources.routes_of_gateway(kind, &gateway.meta.name) {
                self.touch.objects.insert(kind.object_ref(&route.meta().name));
                self.hosts(ids, gateway, &route);
            }
        }
    }

    fn route(&mut self, route: &GatewayRoute) {
        for gateway in route.parents().iter().filter_map(|parent| parent.gateway()) {
            self.touch.objects.insert(Kind::Gateway.object_ref(gateway));
        }
        self.rules(route);
    }

    /// A route whose rules come to something else.
    fn rules(&mut self, route: &GatewayRoute) {
        self.touch.objects.insert(route.kind().object_ref(&route.meta().name));
        let parents: BTreeSet<&Name> = route.parents().iter().filter_map(|parent| parent.gateway()).collect();
        for gateway in parents.into_iter().filter_map(|name| self.given.resources.gateway(name)) {
            let ids = self.ids(gateway);
            self.hosts(&ids, gateway, route);
        }
    }

    fn hosts(&mut self, ids: &BTreeSet<GatewayId>, gateway: &Gateway, route: &GatewayRoute) {
        for listener in &gateway.listeners {
            for host in route.hosts() {
                self.host(ids, listener, host);
            }
        }
    }

    fn host(&mut self, ids: &BTreeSet<GatewayId>, listener: &Listener, host: &HostPattern) {
        let own = listener.host.as_ref().unwrap_or(&HostPattern::Any);
        if let Some(host) = narrower(own, host) {
            self.touch.hosts.extend(ids.iter().map(|id| (id.clone(), listener.port, host.clone())));
        }
    }

    /// The hosts that a listener's certificates name; of one of them as it is or was.
    fn named_hosts(&mut self, ids: &BTreeSet<GatewayId>, listener: &Listener, version: Option<&Secret>) {
        let named = listener.tls.as_ref().map_or(&[][..], |tls| &tls.certificates);
        let secrets = named.iter().filter_map(|it| self.given.resources.secret(&it.name));
        let mut hosts: Vec<HostPattern> = secrets.flat_map(|secret| hosts_of(secret)).collect();
        hosts.extend(version.iter().flat_map(|secret| hosts_of(secret)));
        let own = listener.host.as_ref().unwrap_or(&HostPattern::Any);
        for host in hosts.iter().filter(|host| covers(own, host)) {
            self.host(ids, listener, host);
        }
    }

    fn secret(&mut self, secret: &Secret) {
        for gateway in self.given.resources.gateways_of_secret(&secret.meta.name) {
            self.certificates(gateway, &[secret]);
        }
    }

    /// A Gateway whose certificates or authorities are others: its TLS hosts, and itself.
    fn certificates(&mut self, gateway: &Gateway, versions: &[&Secret]) {
        self.touch.objects.insert(Kind::Gateway.object_ref(&gateway.meta.name));
        let ids = self.ids(gateway);
        for listener in gateway.listeners.iter().filter(|listener| listener.tls.is_some()) {
            self.host(&ids, listener, &HostPattern::Any);
            self.named_hosts(&ids, listener, None);
            versions.iter().for_each(|version| self.named_hosts(&ids, listener, Some(version)));
            for kind in GatewayRoute::KINDS {
                for route in self.given.resources.routes_of_gateway(kind, &gateway.meta.name) {
                    route.hosts().iter().for_each(|host| self.host(&ids, listener, host));
                }
            }
        }
    }

    fn grant(&mut self, grant: &Name) {
        for gateway in self.given.resources.gateways_pointing_into(&grant.namespace) {
            self.certificates(gateway, &[]);
        }
        for kind in GatewayRoute::KINDS {
            self.given.resources.routes_pointing_into(kind, &grant.namespace).for_each(|route| self.rules(&route));
        }
    }

    /// A namespace's labels: who selects by them takes its routes, and the listeners of its Gateways.
    fn namespace(&mut self, namespace: &Name) {
        let selects = |namespaces: &Namespaces| matches!(namespaces, Namespaces::Selector(_));
        for route in self.given.resources.routes_in(&namespace.name) {
            let parents = route.parents().iter().filter_map(|parent| self.given.resources.gateway(parent.gateway()?));
            if parents.into_iter().any(|gateway| gateway.listeners.iter().any(|listener| selects(&listener.namespaces))) {
                self.route(&route);
            }
        }
        for gateway in self.given.resources.gateways_in(&namespace.name).filter(|gateway| gateway.joined_service().is_some()) {
            self.gateway(gateway);
        }
    }
}

/// Whether two Gateways want one port for different things.
fn want_otherwise(one: &Gateway, other: &Gateway) -> bool {
    let wants = |it: &Judged<'_>| (it.listener.port, it.protocol.map(Protocol::wire));
    let of_one: Vec<_> = by_themselves(one).iter().map(wants).collect();
    let otherwise = |(port, wire)| of_one.iter().any(|it| it.0 == port && it.1 != wire);
    by_themselves(other).iter().map(wants).any(otherwise)
}
