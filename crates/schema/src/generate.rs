//! The schemas of the built-in kinds, made once from the types of `k8s-openapi` and our own table of how lists merge.
//!
//! ```text
//! k8s-openapi's JsonSchema → dress: references, merge keys, group-version-kind → definitions → nodes
//!                                                                              ↘ OpenAPI v2 and v3
//! ```

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use k8s_openapi::api::{apps, autoscaling, coordination, core, discovery, events, networking, rbac};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::kind::{Kind, builtin};
use crate::merge;
use crate::structural::{Structural, read};

/// Where references point in OpenAPI v3; v2 rewrites them.
pub(crate) const REFERENCE: &str = "#/components/schemas/";

/// The schema of a built-in kind.
pub fn structural(kind: &Kind) -> &'static Structural {
    static ALL: LazyLock<HashMap<&'static str, Structural>> = LazyLock::new(|| {
        let (nodes, named) = read::builtin(definitions());
        let nodes = Arc::new(nodes);
        let of = |kind: &Kind| Structural::of_definition(Arc::clone(&nodes), named[kind.definition], kind.definition);
        builtin().kinds().iter().map(|kind| (kind.definition, of(kind))).collect()
    });
    &ALL[kind.definition]
}

/// All definitions by name, as OpenAPI v3 has them under `components.schemas`.
pub(crate) fn definitions() -> &'static Map<String, Value> {
    static DEFINITIONS: LazyLock<Map<String, Value>> = LazyLock::new(generate);
    &DEFINITIONS
}

macro_rules! types {
    ($generator:ident: $($type:ty),* $(,)?) => { $( $generator.subschema_for::<$type>(); )* };
}

fn generate() -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    types!(generator:
        core::v1::ConfigMap, core::v1::Endpoints, core::v1::Event, core::v1::Namespace, core::v1::Node, core::v1::Pod, core::v1::Secret,
        core::v1::Service, core::v1::ServiceAccount, apps::v1::Deployment, autoscaling::v1::Scale, discovery::v1::EndpointSlice, events::v1::Event, coordination::v1::Lease,
        networking::v1::Ingress, networking::v1::IngressClass, rbac::v1::Role, rbac::v1::RoleBinding, rbac::v1::ClusterRole,
        rbac::v1::ClusterRoleBinding, apiextensions::v1::CustomResourceDefinition, meta::v1::ObjectMeta, meta::v1::ListMeta,
        meta::v1::Status, meta::v1::DeleteOptions, meta::v1::Patch,
    );
    let mut definitions = generator.take_definitions(false);
    definitions.values_mut().for_each(point);
    loosen(&mut definitions);
    merge::mark(&mut definitions);
    for kind in builtin().kinds() {
        if let Some(schema) = definitions.get_mut(kind.definition) {
            schema["x-kubernetes-group-version-kind"] = json!([{ "group": kind.group, "version": kind.version, "kind": kind.kind }]);
        }
    }
    definitions
}

/// References point where OpenAPI v3 keeps schemas, and stand alone: beside a description they go into an `allOf`.
fn point(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(point);
            let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next()).map(str::to_owned)
            else {
                return;
            };
            let target = json!({ "$ref": format!("{REFERENCE}{name}") });
            if fields.len() == 1 {
                *schema = target;
            } else {
                fields.remove("$ref");
                fields.insert("allOf".to_owned(), json!([target]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point),
        _ => {}
    }
}

/// Definitions that say less or more than they mean: `object` for any value, nothing for a number or a text.
fn loosen(definitions: &mut Map<String, Value>) {
    for (name, other) in
        [("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "integer"), ("io.k8s.apimachinery.pkg.api.resource.Quantity", "number")]
    {
        if let Some(schema) = definitions.get_mut(name) {
            schema["oneOf"] = json!([{ "type": other }, { "type": "string" }]);
        }
    }
    for name in [
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
        "io.k8s.apimachinery.pkg.runtime.RawExtension",
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    ] {
        if let Some(fields) = definitions.get_mut(name).and_then(Value::as_object_mut) {
            fields.remove("type");
            fields.insert("x-kubernetes-preserve-unknown-fields".to_owned(), Value::Bool(true));
        }
    }
}
