//! `networking.k8s.io/v1` IngressClass.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressClass {
    pub meta: Meta,
    /// Whose it is, for example `paifang.dev/ingress-controller`.
    pub controller: Text,
    pub problems: Vec<Problem>,
}

// === impl IngressClass ===

impl IngressClass {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let controller = root.field("spec").and_then(|spec| spec.text("controller", &mut problems)).unwrap_or_default();
        Self { meta, controller, problems }
    }
}
