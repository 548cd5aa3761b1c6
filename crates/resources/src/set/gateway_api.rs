//! Gateway API's objects in the set.

use super::Resources;
use crate::kind::gateway_api::class::GatewayClass;
use crate::kind::gateway_api::gateway::Gateway;
use crate::kind::gateway_api::grant::ReferenceGrant;
use crate::kind::gateway_api::http_route::HttpRoute;
use crate::kind::gateway_api::tcp_route::TcpRoute;
use crate::kind::gateway_api::tls_route::TlsRoute;
use crate::kind::meta::Name;
use crate::kind::namespace::Namespace;
use std::sync::Arc;

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

    pub fn http_route(&self, name: &Name) -> Option<&Arc<HttpRoute>> {
        self.http_routes.get(name)
    }

    pub fn http_routes(&self) -> impl Iterator<Item = &Arc<HttpRoute>> {
        self.http_routes.values()
    }

    pub fn tls_route(&self, name: &Name) -> Option<&Arc<TlsRoute>> {
        self.tls_routes.get(name)
    }

    pub fn tls_routes(&self) -> impl Iterator<Item = &Arc<TlsRoute>> {
        self.tls_routes.values()
    }

    pub fn tcp_route(&self, name: &Name) -> Option<&Arc<TcpRoute>> {
        self.tcp_routes.get(name)
    }

    pub fn tcp_routes(&self) -> impl Iterator<Item = &Arc<TcpRoute>> {
        self.tcp_routes.values()
    }

    pub fn grant(&self, name: &Name) -> Option<&Arc<ReferenceGrant>> {
        self.grants.get(name)
    }

    pub fn grants(&self) -> impl Iterator<Item = &Arc<ReferenceGrant>> {
        self.grants.values()
    }

    pub fn namespace(&self, name: &str) -> Option<&Arc<Namespace>> {
        self.namespaces.get(&Name::new("", name))
    }

    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Namespace>> {
        self.namespaces.values()
    }
}
