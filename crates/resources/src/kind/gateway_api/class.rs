//! `gateway.networking.k8s.io` GatewayClass.

use crate::at::At;
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayClass {
    pub meta: Meta,
    /// Whose it is, for example `paifang.dev/gateway-controller`.
    pub controller: Text,
    /// `parametersRef` is there.
    pub has_parameters: bool,
    pub problems: Vec<Problem>,
}

// === impl GatewayClass ===

impl GatewayClass {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let spec = root.field("spec");
        let controller = spec.as_ref().and_then(|spec| spec.text("controllerName", &mut problems)).unwrap_or_default();
        let has_parameters = spec.as_ref().is_some_and(|spec| spec.field("parametersRef").is_some());
        Self { meta, controller, has_parameters, problems }
    }
}
