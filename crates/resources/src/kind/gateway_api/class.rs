//! `gateway.networking.k8s.io` GatewayClass.

use crate::at::At;
use crate::kind::class::ClassGateway;
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayClass {
    pub meta: Meta,
    /// Whose it is, for example `paifang.dev/gateway-controller`.
    pub controller: Text,
    /// The gateway that all its Gateways join; `None`: each has one of its own.
    pub gateway: Option<ClassGateway>,
    /// `parametersRef` is there, and names no IngressGateway.
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
        let parameters = spec.as_ref().and_then(|spec| spec.field("parametersRef")).map(|it| it.value);
        let gateway = ClassGateway::read(&meta, parameters, "group");
        let has_parameters = parameters.is_some() && !matches!(gateway, Some(ClassGateway::Object(_)));
        Self { meta, controller, gateway, has_parameters, problems }
    }
}
