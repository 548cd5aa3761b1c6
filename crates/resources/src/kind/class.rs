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
    /// The gateway it means; `None`: whichever is the Ingress's own.
    pub gateway: Option<ClassGateway>,
    pub problems: Vec<Problem>,
}

/// How a class says which gateway it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassGateway {
    /// `spec.parameters` names this IngressGateway.
    Object(Name),
    /// The annotation `paifang.dev/gateway`: its id, for example `kubesphere-controls-system/kubesphere-router-kubesphere-system`.
    Id(Text),
}

const GATEWAY: &str = "paifang.dev/gateway";

// === impl IngressClass ===

impl IngressClass {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let spec = root.field("spec");
        let controller = spec.as_ref().and_then(|spec| spec.text("controller", &mut problems)).unwrap_or_default();
        let parameters = spec.as_ref().and_then(|spec| spec.field("parameters")).map(|it| it.value);
        let gateway = ClassGateway::read(&meta, parameters, "apiGroup");
        Self { meta, controller, gateway, problems }
    }
}

// === impl ClassGateway ===

impl ClassGateway {
    /// By a class's parameters, whose field `group` names the group of their kind, else by its annotation.
    pub(super) fn read(meta: &Meta, parameters: Option<&Value>, group: &str) -> Option<Self> {
        let object = parameters.and_then(|it| request(it, group)).map(Self::Object);
        object.or_else(|| meta.annotation(GATEWAY).cloned().map(Self::Id))
    }
}

fn request(parameters: &Value, group: &str) -> Option<Name> {
    let text = |field: &str| parameters.get(field).and_then(Value::as_str);
    (text(group)? == "paifang.dev" && text("kind")? == "IngressGateway").then_some(())?;
    Some(Name::new(text("namespace").unwrap_or_default(), text("name")?))
}
