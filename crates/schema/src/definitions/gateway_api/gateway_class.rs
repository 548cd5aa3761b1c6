//! GatewayClass: whose Gateways they are.

use serde_json::json;

use super::super::shape::{list, object, text};
use super::super::{Column, Definition, Scope};
use super::{conditions, controller_name, namespace, pending, reference, top};

pub(super) fn definition() -> Definition {
    let controller = controller_name().about("Who serves Gateways of this class.").rule("self == oldSelf", "a class keeps its controller");
    let spec = object([
        ("controllerName", controller),
        ("description", text().length(0, 64)),
        ("parametersRef", reference().with("namespace", namespace())),
    ])
    .required(["controllerName"]);
    let waiting = pending(["Accepted"]);
    let status = object([
        ("conditions", conditions().default(waiting.clone())),
        ("supportedFeatures", list(object([("name", text())]).required(["name"])).items(0, 64).keyed("name")),
    ])
    .default(json!({ "conditions": waiting }));
    let columns = vec![
        Column::text("Controller", ".spec.controllerName"),
        Column::text("Accepted", ".status.conditions[?(@.type==\"Accepted\")].status"),
        Column::age(),
        Column::text("Description", ".spec.description").wide(),
    ];
    let schema = top("A class of Gateways, served by one controller.", spec, status);
    let versions = ["v1", "v1beta1"].map(|name| (name, schema.clone())).into();
    Definition { scope: Scope::Cluster, short_names: &["gc"], ..super::definition("GatewayClass", "gatewayclasses", columns, versions) }
}
