//! Gateway API's objects in the set.

use super::Resources;
use crate::kind::Kind;
use crate::kind::config_map::ConfigMap;
use crate::kind::gateway_api::ParentRef;
use crate::kind::gateway_api::class::GatewayClass;
use crate::kind::gateway_api::gateway::Gateway;
use crate::kind::gateway_api::grant::ReferenceGrant;
use crate::kind::gateway_api::http_route::HttpRoute;
use crate::kind::gateway_api::tcp_route::TcpRoute;
use crate::kind::gateway_api::tls_route::TlsRoute;
use crate::kind::meta::{Meta, Name};
use crate::kind::namespace::Namespace;
use model::{HostPattern, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A route of any kind.
#[derive(Clone, Debug)]
pub enum GatewayRoute {
    Http(Arc<HttpRoute>),
    Tls(Arc<TlsRoute>),
    Tcp(Arc<TcpRoute>),
}

impl GatewayRoute {
    pub const KINDS: [Kind; 3] = [Kind::HttpRoute, Kind::TlsRoute, Kind::TcpRoute];

    pub fn kind(&self) -> Kind {
        match self {
            Self::Http(_) => Kind::HttpRoute,
            Self::Tls(_) => Kind::TlsRoute,
            Self::Tcp(_) => Kind::TcpRoute,
        }
    }

    pub fn meta(&self) -> &Meta {
        match self {
            Self::Http(it) => &it.meta,
            Self::Tls(it) => &it.meta,
            Self::Tcp(it) => &it.meta,
        }
    }

    pub fn parents(&self) -> &[ParentRef] {
        match self {
            Self::Http(it) => &it.parents,
            Self::Tls(it) => &it.parents,
            Self::Tcp(it) => &it.parents,
        }
    }

    /// The hosts it is for.
    pub fn hosts(&self) -> &[HostPattern] {
        match self {
            Self::Http(it) => &it.hosts,
            Self::Tls(it) => &it.hosts,
            Self::Tcp(_) => &[HostPattern::Any],
        }
    }
}

impl Resources {
    pub fn gateway_class(&self, name: &str) -> Option<&Arc<GatewayClass>> {
        self.gateway_classes.get(&Name::new("", name))
    }

    pub fn gateway_classes(&self) -> impl Iterator<Item = &Arc<GatewayClass>> {
        self.gateway_classes.values()
    }

    pub fn gateway(&self, name: &Name) -> Option<&Arc<Gateway>> {
        self.gateways.get(name)
    }

    pub fn gateways(&self) -> impl Iterator<Item = &Arc<Gateway>> {
        self.gateways.values()
    }

    /// Names of Gateways that may have been meant by `name`.
    pub fn gateways_like<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        super::alike(&self.gateways, name)
    }

    pub fn namespace(&self, name: &str) -> Option<&Arc<Namespace>> {
        self.namespaces.get(&Name::new("", name))
    }

    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Namespace>> {
        self.namespaces.values()
    }

    pub fn config_map(&self, name: &Name) -> Option<&Arc<ConfigMap>> {
        self.config_maps.get(name)
    }

    /// The labels of a namespace; none where it is not at hand.
    pub fn namespace_labels(&self, name: &str) -> &BTreeMap<Text, Text> {
        static NONE: BTreeMap<Text, Text> = BTreeMap::new();
        self.namespace(name).map_or(&NONE, |namespace| &namespace.meta.labels)
    }

    /// The grants of a namespace.
    pub fn grants_in<'a>(&'a self, namespace: &'a Text) -> impl Iterator<Item = &'a Arc<ReferenceGrant>> {
        within(&self.grants, namespace)
    }

    pub fn route(&self, kind: Kind, name: &Name) -> Option<GatewayRoute> {
        match kind {
            Kind::HttpRoute => self.http_routes.get(name).cloned().map(GatewayRoute::Http),
            Kind::TlsRoute => self.tls_routes.get(name).cloned().map(GatewayRoute::Tls),
            Kind::TcpRoute => self.tcp_routes.get(name).cloned().map(GatewayRoute::Tcp),
            _ => None,
        }
    }

    // what names what

    pub fn gateways_of_class<'a>(&'a self, class: &Text) -> impl Iterator<Item = &'a Arc<Gateway>> {
        self.references.gateway_api.gateways_by_class.get(class).filter_map(|name| self.gateways.get(name))
    }

    /// The Gateways whose own workload would have this Service.
    pub fn gateways_of_workload<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<Gateway>> {
        self.references.gateway_api.gateways_by_workload.get(service).filter_map(|name| self.gateways.get(name))
    }

    /// The Gateways whose one address is the host name of this Service.
    pub fn gateways_joining<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<Gateway>> {
        self.references.gateway_api.gateways_by_address.get(service).filter_map(|name| self.gateways.get(name))
    }

    pub fn gateways_of_secret<'a>(&'a self, secret: &Name) -> impl Iterator<Item = &'a Arc<Gateway>> {
        self.references.gateway_api.gateways_by_secret.get(secret).filter_map(|name| self.gateways.get(name))
    }

    pub fn gateways_of_config_map<'a>(&'a self, config_map: &Name) -> impl Iterator<Item = &'a Arc<Gateway>> {
        self.references.gateway_api.gateways_by_config_map.get(config_map).filter_map(|name| self.gateways.get(name))
    }

    /// The Gateways that point at something in this namespace, which is not their own.
    pub fn gateways_pointing_into<'a>(&'a self, namespace: &Text) -> impl Iterator<Item = &'a Arc<Gateway>> {
        let names = self.references.gateway_api.by_target.get(&(Kind::Gateway, namespace.clone()));
        names.filter_map(|name| self.gateways.get(name))
    }

    /// The Gateways of a namespace.
    pub fn gateways_in<'a>(&'a self, namespace: &'a Text) -> impl Iterator<Item = &'a Arc<Gateway>> {
        within(&self.gateways, namespace)
    }

    /// The routes of a kind that name this Gateway as a parent.
    pub fn routes_of_gateway<'a>(&'a self, kind: Kind, gateway: &Name) -> impl Iterator<Item = GatewayRoute> + use<'a> {
        let names = self.references.gateway_api.routes_by_parent.get(&(kind, gateway.clone()));
        names.filter_map(move |name| self.route(kind, name))
    }

    /// Of those the ones that are for exactly this host.
    pub fn routes_of_host<'a>(&'a self, kind: Kind, gateway: &Name, host: &HostPattern) -> impl Iterator<Item = GatewayRoute> + use<'a> {
        let names = self.references.gateway_api.routes_by_host.get(&(kind, gateway.clone(), host.clone()));
        names.filter_map(move |name| self.route(kind, name))
    }

    pub fn routes_of_service<'a>(&'a self, kind: Kind, service: &Name) -> impl Iterator<Item = GatewayRoute> + use<'a> {
        let names = self.references.gateway_api.routes_by_backend.get(&(kind, service.clone()));
        names.filter_map(move |name| self.route(kind, name))
    }

    /// The routes that point at something in this namespace, which is not their own.
    pub fn routes_pointing_into<'a>(&'a self, kind: Kind, namespace: &Text) -> impl Iterator<Item = GatewayRoute> + use<'a> {
        self.references.gateway_api.by_target.get(&(kind, namespace.clone())).filter_map(move |name| self.route(kind, name))
    }

    /// The routes of a namespace, of every kind.
    pub fn routes_in<'a>(&'a self, namespace: &'a Text) -> impl Iterator<Item = GatewayRoute> + 'a {
        let http = within(&self.http_routes, namespace).cloned().map(GatewayRoute::Http);
        let tls = within(&self.tls_routes, namespace).cloned().map(GatewayRoute::Tls);
        http.chain(tls).chain(within(&self.tcp_routes, namespace).cloned().map(GatewayRoute::Tcp))
    }
}

fn within<'a, T>(objects: &'a BTreeMap<Name, Arc<T>>, namespace: &'a Text) -> impl Iterator<Item = &'a Arc<T>> {
    let from = objects.range(Name::new(namespace.clone(), "")..);
    from.take_while(move |(name, _)| name.namespace == *namespace).map(|(_, object)| object)
}
