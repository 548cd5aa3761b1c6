//! What single built-in kinds do beyond their schemas.

mod service;

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::object::{as_map, empty, set};
use crate::{clock, crd, names};

pub(crate) const BASIC_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// A namespace as it is stored first.
pub(crate) fn new_namespace(kind: &Kind, name: &str) -> Value {
    let mut object = json!({ "metadata": { "name": name, "uid": names::uid(), "creationTimestamp": clock::now() } });
    prepare_create(kind, &mut object);
    default(kind, &mut object);
    object
}

pub(crate) fn prepare_create(kind: &Kind, new: &mut Value) {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "namespaces") => {
            new["spec"] = json!({ "finalizers": ["kubernetes"] });
            new["status"] = json!({ "phase": "Active" });
        }
        ("apps", "deployments") => new["status"] = empty(),
        // Nothing ever runs it, unless somebody stands in and says so.
        ("", "pods") => new["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" }),
        ("apiextensions.k8s.io", _) => crd::prepare(new),
        _ => {}
    }
}

pub(crate) fn prepare_update(kind: &Kind, old: &Value, new: &mut Value) {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "namespaces") => {
            // Only the `finalize` subresource changes them.
            let finalizers = old["spec"]["finalizers"].clone();
            set(as_map(as_map(new).entry("spec").or_insert_with(empty)), "finalizers", Some(finalizers));
        }
        ("", "services") => service::drop_dependent(old, new),
        ("apiextensions.k8s.io", _) => crd::prepare(new),
        _ => {}
    }
}

pub(crate) fn default(kind: &Kind, new: &mut Value) {
    kind.rules.default(new);
    if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
        crd::establish(new);
    }
}

/// A namespace goes when its contents are gone, whatever its metadata says.
pub(crate) fn still_needed(kind: &Kind, new: &Value) -> bool {
    kind.is("", "namespaces") && new["spec"]["finalizers"].as_array().is_some_and(|list| !list.is_empty())
}
