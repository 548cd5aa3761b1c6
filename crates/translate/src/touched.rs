//! What a change touches.

use crate::shard::{frontends, with_wildcard};
use crate::{Options, Services, passed, requests};
use model::{HostPattern, ObjectRef, ShardKey, Text};
use resources::{Applied, ClassGateway, Ingress, IngressClass, Name, Object, Resources, Secret, Service, SharedGateway, Touch};
use std::collections::BTreeSet;

/// What has to be asked for again after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// For [`translate_shard`](crate::translate_shard).
    pub shards: BTreeSet<ShardKey>,
    /// Services whose backends' endpoints may differ: [`InUse::of`](crate::InUse::of) says which are in use.
    pub services: BTreeSet<Name>,
    /// For [`report`](crate::report()).
    pub objects: BTreeSet<ObjectRef>,
    /// Whether [`listening`](crate::listening()) may say something else.
    pub listening: bool,
}

/// What a change, already applied to `resources`, can have changed: of its old version and of its new one. The options' gateways become those
/// that there are now.
///
/// **Invariant:** the cost follows what is touched, never how much there is.
pub fn touched(resources: &Resources, options: &mut Options, applied: &Applied) -> Touched {
    let mut touched = Touched::default();
    if let Applied::Several(all) = applied {
        all.iter().for_each(|it| touched.extend(self::touched(resources, options, it)));
        return touched;
    }
    if may_move(applied) {
        let now = requests::gateways(resources, options);
        let before = std::mem::replace(&mut options.gateways, now);
        touched.by_gateways(resources, options, &before);
        if let Applied::Object { old, new } = applied
            && let Some(Object::Namespace(namespace)) = old.as_ref().or(new.as_ref())
        {
            touched.by_project(resources, options, &namespace.meta.name.name);
        }
    }
    let options = &*options;
    match applied {
        Applied::Object { old, new } => {
            for object in old.iter().chain(new) {
                touched.by_object(resources, options, object);
            }
            let (old, new) = (old.as_ref(), new.as_ref());
            let touch = translate_gateway_api::touched(resources, &options.gateway_api, &options.gateways, old, new);
            touched.by_frontend(resources, &options.gateways, touch);
        }
        Applied::Resolved { name } => {
            touched.services.extend(resources.services_of_external_name(name).map(|service| service.meta.name.clone()));
        }
        Applied::Several(_) | Applied::Nothing => {}
    }
    touched
}

/// Whether there may be other gateways now, or for others.
fn may_move(applied: &Applied) -> bool {
    let workspace = |it: &Option<Object>| match it {
        Some(Object::Namespace(namespace)) => namespace.workspace().cloned(),
        _ => None,
    };
    let is_request = |it: &Option<Object>| matches!(it, Some(Object::IngressGateway(_) | Object::KubesphereGateway(_)));
    match applied {
        Applied::Object { old, new } => is_request(old) || is_request(new) || workspace(old) != workspace(new),
        Applied::Several(_) | Applied::Resolved { .. } | Applied::Nothing => false,
    }
}

// === impl Touched ===

impl Touched {
    pub fn extend(&mut self, other: Self) {
        self.shards.extend(other.shards);
        self.services.extend(other.services);
        self.objects.extend(other.objects);
        self.listening |= other.listening;
    }

    pub fn is_empty(&self) -> bool {
        self.shards.is_empty() && self.services.is_empty() && self.objects.is_empty() && !self.listening
    }

    fn by_object(&mut self, resources: &Resources, options: &Options, object: &Object) {
        let touch = translate_istio::touched(resources, &options.istio, &options.gateways, object);
        self.by_frontend(resources, &options.gateways, touch);
        match object {
            Object::Ingress(ingress) => self.shards_of(resources, &options.gateways, ingress),
            Object::IngressGateway(_) | Object::KubesphereGateway(_) => drop(self.objects.insert(object.object_ref())),
            Object::IngressClass(class) => self.by_class(resources, options, class),
            Object::Secret(secret) => self.by_secret(resources, options, secret),
            Object::EndpointSlice(slice) => self.services.extend(slice.service.clone()),
            Object::Service(service) => {
                for ingress in resources.ingresses_of_service(&service.meta.name) {
                    self.shards_of(resources, &options.gateways, ingress);
                }
                self.services.insert(service.meta.name.clone());
                self.by_named_service(resources, options, &service.meta.name);
                if options.services == Services::Forwarded {
                    self.by_service(options, service);
                }
            }
            Object::Pod(pod) => self.services.extend(resources.services_of_pod(&pod.meta.name)),
            _ => {}
        }
    }

    /// A Service that gateways' own options name.
    fn by_named_service(&mut self, resources: &Resources, options: &Options, service: &Name) {
        let naming =
            |it: &&SharedGateway| it.request.as_ref().is_some_and(|it| translate_ingress::named_services(it).any(|it| it == *service));
        for (gateway, request) in options.gateways.iter().filter_map(|it| Some((it, it.request.as_ref()?))) {
            for it in passed::of(request).0.into_iter().filter(|it| it.service == *service) {
                self.shards.insert(it.key(&gateway.id));
                self.objects.insert(request.object_ref());
            }
        }
        let naming: Vec<SharedGateway> = options.gateways.iter().filter(naming).cloned().collect();
        self.objects.extend(naming.iter().filter_map(|it| Some(it.request.as_ref()?.object_ref())));
        for ingress in resources.ingresses().filter(|_| !naming.is_empty()) {
            self.shards_of(resources, &naming, ingress);
        }
    }

    /// What it asks for outside, and what is forwarded to it.
    fn by_service(&mut self, options: &Options, service: &Service) {
        let before = self.shards.len();
        let hosts = translate_service::touched(service, &options.gateways);
        self.shards.extend(hosts.map(|(gateway, port, host)| ShardKey { gateway, port: Some(port), host }));
        self.listening |= self.shards.len() > before;
    }

    fn by_class(&mut self, resources: &Resources, options: &Options, class: &IngressClass) {
        for ingress in resources.ingresses_of_class(&class.meta.name.name) {
            self.shards_of(resources, &options.gateways, ingress);
        }
    }

    fn by_secret(&mut self, resources: &Resources, options: &Options, secret: &Secret) {
        let named = resources.ingresses_of_secret(&secret.meta.name);
        let of_gateway = secret.meta.name.namespace == options.ingress.istio.namespace;
        let elsewhere = of_gateway.then(|| resources.ingresses_of_secret_name(&secret.meta.name.name)).into_iter().flatten();
        for ingress in named.chain(elsewhere) {
            self.shards_of(resources, &options.gateways, ingress);
        }
    }

    fn by_frontend(&mut self, resources: &Resources, gateways: &[SharedGateway], touch: Touch) {
        for (id, port, host) in touch.hosts {
            // Whose a host is counts on both of a gateway's own ports, and for Ingresses.
            let shared = gateways.iter().find(|it| it.id == id && (port == it.http || port == it.https));
            for port in shared.iter().flat_map(|it| [it.http, it.https]).chain([port]) {
                self.shards.extend(with_wildcard(id.clone(), port, host.clone()));
            }
            let of_ingress = match &host {
                HostPattern::AnyDepth(suffix) => HostPattern::OneLabel(suffix.clone()),
                other => other.clone(),
            };
            if shared.is_some() && resources.ingresses_of_host(&of_ingress).next().is_some() {
                self.shards.insert(ShardKey { gateway: id, port: None, host: of_ingress });
            }
        }
        self.objects.extend(touch.objects);
        self.listening |= touch.wanted;
    }

    /// Other gateways than before: whatever may be served by one that is different.
    fn by_gateways(&mut self, resources: &Resources, options: &Options, before: &[SharedGateway]) {
        // Who was second may be first now.
        self.objects.extend(resources.ingress_gateways().map(|it| it.object_ref()));
        let moved = requests::moved(before, &options.gateways);
        if moved.is_empty() {
            return;
        }
        self.listening = true;
        let covered = |name: &Name| moved.iter().any(|it| it.scope.covers(&name.namespace));
        let called = |name: &Name| moved.iter().any(|it| it.services.contains(name));
        let named = |class: &ClassGateway| moved.iter().any(|it| it.is_named_by(class));
        for gateways in [before, &options.gateways] {
            self.shards.extend(passed::keys(gateways).filter(|key| moved.iter().any(|it| it.id == key.gateway)));
            for ingress in resources.ingresses().filter(|it| covered(&it.meta.name)) {
                self.shards_of(resources, gateways, ingress);
            }
            for gateway in resources.istio_gateways().filter(|it| covered(&it.meta.name)) {
                let object = Object::IstioGateway(gateway.clone());
                self.by_frontend(resources, gateways, translate_istio::touched(resources, &options.istio, gateways, &object));
            }
            for class in resources.gateway_classes().filter(|it| it.gateway.as_ref().is_some_and(named)) {
                let object = Object::GatewayClass(class.clone());
                let touch = translate_gateway_api::touched(resources, &options.gateway_api, gateways, None, Some(&object));
                self.by_frontend(resources, gateways, touch);
            }
            for gateway in resources.gateways() {
                if called(&gateway.workload_name()) || gateway.joined_service().is_some_and(|(service, _)| called(&service)) {
                    let object = Object::Gateway(gateway.clone());
                    let touch = translate_gateway_api::touched(resources, &options.gateway_api, gateways, None, Some(&object));
                    self.by_frontend(resources, gateways, touch);
                }
            }
        }
    }

    /// A namespace has become a project, or of another workspace: hosts may be others' now.
    fn by_project(&mut self, resources: &Resources, options: &Options, namespace: &Text) {
        for ingress in resources.ingresses().filter(|it| it.meta.name.namespace == *namespace) {
            self.shards_of(resources, &options.gateways, ingress);
        }
        for service in resources.virtual_services().filter(|it| it.meta.name.namespace == *namespace) {
            let touch = translate_istio::touched(resources, &options.istio, &options.gateways, &Object::VirtualService(service.clone()));
            self.by_frontend(resources, &options.gateways, touch);
        }
        for route in resources.routes_in(namespace) {
            let name = route.meta().name.clone();
            let object = resources.get(route.kind(), &name);
            let touch = translate_gateway_api::touched(resources, &options.gateway_api, &options.gateways, None, object.as_ref());
            self.by_frontend(resources, &options.gateways, touch);
        }
    }

    fn shards_of(&mut self, resources: &Resources, gateways: &[SharedGateway], ingress: &Ingress) {
        let alone = !frontends(resources);
        for gateway in gateways.iter().filter(|gateway| gateway.scope.covers(&ingress.meta.name.namespace)) {
            let mut key = |port, host: &HostPattern| self.shards.insert(ShardKey { gateway: gateway.id.clone(), port, host: host.clone() });
            for host in ingress.hosts() {
                key(None, &host);
                // Where others may have the host too, the shards of a port have all of it.
                for port in [gateway.http, gateway.https].into_iter().filter(|_| !alone) {
                    key(Some(port), &host);
                }
            }
        }
    }
}
