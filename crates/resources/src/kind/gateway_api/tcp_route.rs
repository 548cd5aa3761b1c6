//! `gateway.networking.k8s.io` TCPRoute.

use crate::at::At;
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpRoute {
    pub meta: Meta,
    pub problems: Vec<Problem>,
}

// === impl TcpRoute ===

impl TcpRoute {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        Self { meta, problems }
    }
}
