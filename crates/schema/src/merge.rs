//! How the lists of the built-in kinds merge: what is a set, what has keys, what a strategic merge patch merges instead of replacing.
//!
//! The Go types carry this in tags that never reach `k8s-openapi`'s schemas, so the rows stand here. A list without a row is atomic.

use serde_json::{Map, Value, json};

/// A list property of a definition.
struct Row(&'static str, &'static str, Merge);

enum Merge {
    /// Elements are values; patches add and remove single ones.
    Set,
    /// Elements are objects told apart by the keys; patches go by the first.
    Keys(&'static [&'static str]),
    /// As `Keys`; a patch of an element also says which of its fields stay.
    KeysRetained(&'static [&'static str]),
    /// A set to server-side apply that patches replace whole.
    SetReplaced,
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers", Merge::Set),
    Row("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "ownerReferences", Merge::Keys(&["uid"])),
    Row("io.k8s.api.core.v1.ServiceSpec", "ports", Merge::Keys(&["port", "protocol"])),
    Row("io.k8s.api.core.v1.ServiceStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.api.core.v1.ServiceAccount", "secrets", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.NamespaceStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.api.apps.v1.DeploymentStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.api.core.v1.PodSpec", "containers", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "initContainers", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "ephemeralContainers", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "volumes", Merge::KeysRetained(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "resourceClaims", Merge::KeysRetained(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "imagePullSecrets", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "schedulingGates", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodSpec", "hostAliases", Merge::Keys(&["ip"])),
    Row("io.k8s.api.core.v1.PodSpec", "topologySpreadConstraints", Merge::Keys(&["topologyKey", "whenUnsatisfiable"])),
    Row("io.k8s.api.core.v1.Container", "ports", Merge::Keys(&["containerPort", "protocol"])),
    Row("io.k8s.api.core.v1.Container", "env", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.Container", "volumeMounts", Merge::Keys(&["mountPath"])),
    Row("io.k8s.api.core.v1.Container", "volumeDevices", Merge::Keys(&["devicePath"])),
    Row("io.k8s.api.core.v1.EphemeralContainer", "ports", Merge::Keys(&["containerPort", "protocol"])),
    Row("io.k8s.api.core.v1.EphemeralContainer", "env", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.EphemeralContainer", "volumeMounts", Merge::Keys(&["mountPath"])),
    Row("io.k8s.api.core.v1.EphemeralContainer", "volumeDevices", Merge::Keys(&["devicePath"])),
    Row("io.k8s.api.core.v1.ResourceRequirements", "claims", Merge::Keys(&["name"])),
    Row("io.k8s.api.core.v1.PodStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.api.core.v1.PodStatus", "podIPs", Merge::Keys(&["ip"])),
    Row("io.k8s.api.core.v1.PodStatus", "resourceClaimStatuses", Merge::KeysRetained(&["name"])),
    Row("io.k8s.api.core.v1.NodeSpec", "podCIDRs", Merge::Set),
    Row("io.k8s.api.core.v1.NodeStatus", "addresses", Merge::Keys(&["type"])),
    Row("io.k8s.api.core.v1.NodeStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.api.discovery.v1.Endpoint", "addresses", Merge::SetReplaced),
    Row("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus", "conditions", Merge::Keys(&["type"])),
    Row("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps", "x-kubernetes-validations", Merge::Keys(&["rule"])),
];

/// Objects that are replaced whole, never field by field.
const ATOMIC: &[&str] = &[
    "io.k8s.api.core.v1.ConfigMapKeySelector",
    "io.k8s.api.core.v1.EndpointAddress",
    "io.k8s.api.core.v1.EndpointPort",
    "io.k8s.api.core.v1.ObjectReference",
    "io.k8s.api.core.v1.LocalObjectReference",
    "io.k8s.api.core.v1.NodeSelector",
    "io.k8s.api.core.v1.NodeSelectorTerm",
    "io.k8s.api.core.v1.ObjectFieldSelector",
    "io.k8s.api.core.v1.ResourceFieldSelector",
    "io.k8s.api.core.v1.SecretKeySelector",
    "io.k8s.api.core.v1.TypedLocalObjectReference",
    "io.k8s.api.discovery.v1.EndpointPort",
    "io.k8s.api.networking.v1.ServiceBackendPort",
    "io.k8s.api.rbac.v1.RoleRef",
    "io.k8s.api.rbac.v1.Subject",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
];

/// Maps that are replaced whole, by definition and property.
const ATOMIC_PROPERTIES: &[(&str, &str)] =
    &[("io.k8s.api.core.v1.ServiceSpec", "selector"), ("io.k8s.api.core.v1.PodSpec", "nodeSelector")];

/// Objects of which a patch says which fields stay: the fields of one kind of strategy are none of another.
const RETAINED: &[(&str, &str)] = &[("io.k8s.api.apps.v1.DeploymentSpec", "strategy")];

/// Keys of lists that Kubernetes fills in before it compares elements: a definition, its property and the value.
const DEFAULT_KEYS: &[(&str, &str, &str)] =
    &[("io.k8s.api.core.v1.ServicePort", "protocol", "TCP"), ("io.k8s.api.core.v1.ContainerPort", "protocol", "TCP")];

/// Writes the table into the definitions; every other list says that it is atomic.
pub(crate) fn mark(definitions: &mut Map<String, Value>) {
    for schema in definitions.values_mut() {
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
            if property["type"] == "array" {
                property["x-kubernetes-list-type"] = json!("atomic");
            }
        }
    }
    for Row(definition, property, merge) in ROWS {
        let Some(schema) = definitions.get_mut(*definition).and_then(|schema| schema["properties"].get_mut(*property)) else { continue };
        match merge {
            Merge::Set => {
                schema["x-kubernetes-list-type"] = json!("set");
                schema["x-kubernetes-patch-strategy"] = json!("merge");
            }
            Merge::SetReplaced => schema["x-kubernetes-list-type"] = json!("set"),
            Merge::Keys(keys) | Merge::KeysRetained(keys) => {
                let retained = matches!(merge, Merge::KeysRetained(_));
                schema["x-kubernetes-list-type"] = json!("map");
                schema["x-kubernetes-list-map-keys"] = json!(keys);
                schema["x-kubernetes-patch-strategy"] = json!(if retained { "merge,retainKeys" } else { "merge" });
                schema["x-kubernetes-patch-merge-key"] = json!(keys[0]);
            }
        }
    }
    for name in ATOMIC {
        if let Some(schema) = definitions.get_mut(*name) {
            schema["x-kubernetes-map-type"] = json!("atomic");
        }
    }
    let mut say = |definition: &str, property: &str, key: &str, value: Value| {
        if let Some(schema) = definitions.get_mut(definition).and_then(|schema| schema["properties"].get_mut(property)) {
            schema[key] = value;
        }
    };
    for (definition, property) in ATOMIC_PROPERTIES {
        say(definition, property, "x-kubernetes-map-type", json!("atomic"));
    }
    for (definition, property) in RETAINED {
        say(definition, property, "x-kubernetes-patch-strategy", json!("retainKeys"));
    }
    for (definition, property, value) in DEFAULT_KEYS {
        say(definition, property, "default", json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose definition or property is gone would silently stop merging.
    #[test]
    fn every_row_is_alive() {
        let definitions = crate::generate::definitions();
        for Row(definition, property, _) in ROWS {
            assert!(definitions[*definition]["properties"][*property]["x-kubernetes-list-type"] != "atomic", "{definition}.{property}");
        }
        for name in ATOMIC {
            assert!(definitions.contains_key(*name), "{name}");
        }
        for (definition, property) in ATOMIC_PROPERTIES {
            assert_eq!(definitions[*definition]["properties"][*property]["x-kubernetes-map-type"], "atomic", "{definition}.{property}");
        }
        for (definition, property) in RETAINED {
            assert_eq!(
                definitions[*definition]["properties"][*property]["x-kubernetes-patch-strategy"], "retainKeys",
                "{definition}.{property}"
            );
        }
        for (definition, property, value) in DEFAULT_KEYS {
            assert_eq!(definitions[*definition]["properties"][*property]["default"], *value, "{definition}.{property}");
        }
    }
}
