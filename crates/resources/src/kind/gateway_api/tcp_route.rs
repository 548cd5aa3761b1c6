//! `gateway.networking.k8s.io` TCPRoute.

use super::{ParentRef, StreamRule};
use crate::at::At;
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpRoute {
    pub meta: Meta,
    pub parents: Vec<ParentRef>,
    pub rules: Vec<StreamRule>,
    pub problems: Vec<Problem>,
}

// === impl TcpRoute ===

impl TcpRoute {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut route = Self { meta, parents: Vec::new(), rules: Vec::new(), problems: Vec::new() };
        if let Some(spec) = root.field("spec") {
            let own = &route.meta.name.namespace;
            route.parents = super::parents(own, &spec, &mut problems);
            route.rules = StreamRule::list(own, &spec, &mut problems);
        }
        route.problems = problems;
        route
    }
}
