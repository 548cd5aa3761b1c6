//! What a version of an object has a say in.
//!
//! **Invariant:** whatever the other functions of this crate look at when they say something about a host or an object, a change of it names
//! that host or object here.

use crate::Context;
use crate::destination::is_for;
use crate::servers::{Bound, port_of, selects};
use model::{HostPattern, ObjectRef};
use resources::hosts::{covers, wider};
use resources::istio::Family;
use resources::{DestinationRule, IstioGateway, Kind, Name, Object, Secret, SharedGateway, Touch, VirtualService};
use std::sync::Arc;

impl<'a> Context<'a> {
    pub(crate) fn touched(self, object: &'a Object) -> Touch {
        let mut touch = Touch::default();
        match object {
            Object::IstioGateway(gateway) => self.by_gateway(gateway, &mut touch),
            Object::VirtualService(it) => {
                touch.wanted = !it.tcp.is_empty();
                self.by_virtual_service(it, &mut touch);
            }
            Object::DestinationRule(rule) => self.by_destination_rule(rule, &mut touch),
            Object::Service(service) => {
                self.by_service(&service.meta.name, &mut touch);
                self.subsets(&service.meta.name, &mut touch);
            }
            Object::Secret(secret) => self.by_secret(secret, &mut touch),
            Object::ReferenceGrant(grant) => {
                for gateway in self.resources.istio_gateways_of_secrets_in(&grant.meta.name.namespace) {
                    self.everything_of(gateway, &mut touch);
                }
            }
            Object::EndpointSlice(slice) => {
                if let Some(service) = &slice.service {
                    self.subsets(service, &mut touch);
                }
            }
            Object::Pod(pod) => {
                for service in self.resources.services_of_pod(&pod.meta.name) {
                    self.subsets(&service, &mut touch);
                }
            }
            _ => {}
        }
        touch
    }

    // === Gateways ===

    fn by_gateway(self, gateway: &'a Arc<IstioGateway>, touch: &mut Touch) {
        touch.wanted = true;
        self.everything_of(gateway, touch);
        for it in self.resources.virtual_services_of_gateway(&gateway.meta.name) {
            self.objects_of(it, touch);
        }
        for shared in self.shared.iter().filter(|shared| selects(gateway, shared)) {
            for name in self.rivals(shared, gateway) {
                if let Some(rival) = self.resources.istio_gateway(&name) {
                    self.everything_of(rival, touch);
                    self.bound_to(rival, touch);
                }
            }
            self.taken_over(shared, gateway, touch);
        }
    }

    /// A Gateway's own report, and all hosts there can be something for by its servers.
    fn everything_of(self, gateway: &'a Arc<IstioGateway>, touch: &mut Touch) {
        touch.objects.insert(Kind::IstioGateway.object_ref(&gateway.meta.name));
        for shared in self.shared.iter().filter(|shared| selects(gateway, shared)) {
            touch.hosts.extend(self.spots(shared, gateway));
        }
    }

    /// Every spot of a Gateway at a shared gateway.
    pub(crate) fn spots(self, shared: &SharedGateway, gateway: &'a Arc<IstioGateway>) -> Vec<crate::services::Spot> {
        let mut spots = Vec::new();
        for server in &gateway.servers {
            let bound = Bound { gateway, server };
            spots.extend(self.own_spots(shared, bound));
            for it in self.resources.virtual_services_of_gateway(&gateway.meta.name) {
                spots.extend(self.spots_at(shared, bound, it));
            }
        }
        spots
    }

    fn bound_to(self, gateway: &IstioGateway, touch: &mut Touch) {
        let bound = self.resources.virtual_services_of_gateway(&gateway.meta.name);
        touch.objects.extend(bound.map(|it| Kind::VirtualService.object_ref(&it.meta.name)));
    }

    /// What servers of TLS with a wider host had, or have again, of the names that a host of this Gateway is nearer to.
    fn taken_over(self, shared: &'a SharedGateway, gateway: &IstioGateway, touch: &mut Touch) {
        for server in gateway.servers.iter().filter(|server| server.family() == Family::Tls) {
            let port = port_of(shared, server.port);
            for host in server.hosts.iter().map(|own| &own.host) {
                // Of one name, all that have it are found by it.
                touch.objects.extend(self.candidates(host).into_iter().map(|it| Kind::VirtualService.object_ref(&it.meta.name)));
                let wider = wider(host);
                for wider in wider.iter().skip(1).filter(|_| matches!(host, HostPattern::AnyDepth(_))) {
                    for other in self.resources.istio_gateways_of_host(wider).filter(|other| selects(other, shared)) {
                        self.below(shared, other, (port, host), touch);
                    }
                }
            }
        }
    }

    /// What a Gateway's VirtualServices have below a wildcard.
    fn below(self, shared: &SharedGateway, gateway: &'a Arc<IstioGateway>, (port, host): (u16, &HostPattern), touch: &mut Touch) {
        for it in self.resources.virtual_services_of_gateway(&gateway.meta.name) {
            let spots = gateway.servers.iter().flat_map(|server| self.spots_at(shared, Bound { gateway, server }, it));
            let below: Vec<_> = spots.filter(|(_, at, name)| *at == port && covers(host, name)).collect();
            if !below.is_empty() {
                touch.objects.insert(Kind::VirtualService.object_ref(&it.meta.name));
                touch.hosts.extend(below);
            }
        }
        let own = gateway.servers.iter().flat_map(|server| self.own_spots(shared, Bound { gateway, server }));
        touch.hosts.extend(own.filter(|(_, at, name)| *at == port && covers(host, name)));
    }

    // === VirtualServices ===

    fn by_virtual_service(self, it: &'a VirtualService, touch: &mut Touch) {
        self.objects_of(it, touch);
        touch.hosts.extend(self.spots_of(it));
        for root in self.resources.roots_of(&it.meta.name) {
            self.objects_of(root, touch);
            touch.hosts.extend(self.spots_of(root));
        }
        // Whether a server of TCP has a rule is said to its Gateway.
        if !it.tcp.is_empty() {
            touch.objects.extend(it.bound().map(|(_, name)| Kind::IstioGateway.object_ref(name)));
        }
    }

    /// A VirtualService, its delegates and roots, and the DestinationRules of what it leads to.
    fn objects_of(self, it: &VirtualService, touch: &mut Touch) {
        let mut one = |it: &VirtualService| {
            touch.objects.insert(Kind::VirtualService.object_ref(&it.meta.name));
            for service in it.destinations().filter_map(|to| to.host.service.as_ref()) {
                touch.objects.extend(self.destination_rules(service));
            }
        };
        one(it);
        it.delegates().filter_map(|name| self.resources.virtual_service(name)).for_each(|delegate| one(delegate));
        touch.objects.extend(it.delegates().map(|name| Kind::VirtualService.object_ref(name)));
    }

    /// Hosts and objects of all that leads to a Service.
    fn by_service(self, service: &Name, touch: &mut Touch) {
        for it in self.resources.virtual_services_of_service(service) {
            self.by_virtual_service(it, touch);
        }
    }

    // === DestinationRules ===

    fn by_destination_rule(self, rule: &DestinationRule, touch: &mut Touch) {
        touch.objects.insert(Kind::DestinationRule.object_ref(&rule.meta.name));
        match &rule.service.service {
            Some(service) => {
                self.by_service(service, touch);
                touch.objects.extend(self.destination_rules(service));
            }
            None => {
                let domain = &self.options.domain;
                let services: Vec<&Name> = self.resources.destination_services().filter(|service| is_for(rule, service, domain)).collect();
                for service in services {
                    self.by_service(service, touch);
                }
            }
        }
    }

    /// The DestinationRules that may be for a Service.
    fn destination_rules(self, service: &Name) -> Vec<ObjectRef> {
        let full = format!("{}.{}.svc.{}", service.name, service.namespace, self.options.domain);
        let hosts = resources::deep_host_pattern(&full).map(|host| wider(&host)).unwrap_or_default();
        let wild = hosts.iter().flat_map(|host| self.resources.destination_rules_of_host(host).collect::<Vec<_>>());
        let rules = self.resources.destination_rules_of_service(service).chain(wild);
        rules.map(|rule| Kind::DestinationRule.object_ref(&rule.meta.name)).collect()
    }

    /// Those that say something about a Service's Pods.
    fn subsets(self, service: &Name, touch: &mut Touch) {
        let rules = self.resources.destination_rules_of_service(service);
        touch.objects.extend(rules.map(|rule| Kind::DestinationRule.object_ref(&rule.meta.name)));
    }

    fn by_secret(self, secret: &Secret, touch: &mut Touch) {
        for gateway in self.resources.istio_gateways_of_secret(&secret.meta.name.name) {
            self.everything_of(gateway, touch);
        }
    }
}
