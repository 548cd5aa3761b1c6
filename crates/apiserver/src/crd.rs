//! CustomResourceDefinitions: from the stored definition to the kinds that are served.

use std::sync::Arc;

use schema::Structural;
use serde_json::{Value, json};
use store::Store;

use crate::api::Api;
use crate::clock;
use crate::kinds::{Kind, Kinds, Origin, api_version, prefix, priority};
use crate::object::{Object, as_map, decode, empty};
use crate::print::custom;
use crate::rules::Rules;

/// Keeps a definition until its objects are gone.
pub(crate) const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";
pub(crate) const GROUP: &str = "apiextensions.k8s.io";
pub(crate) const PLURAL: &str = "customresourcedefinitions";

/// What a definition gets when it is made.
pub(crate) fn prepare(new: &mut Value) {
    let finalizers = new.meta_mut().entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut()
        && !list.iter().any(|one| one == FINALIZER)
    {
        list.push(FINALIZER.into());
    }
}

/// Says that a definition is accepted: names cannot clash, for a definition's name is its plural and group.
pub(crate) fn establish(new: &mut Value) {
    let names = new["spec"]["names"].clone();
    let versions = new["spec"]["versions"].as_array().cloned().unwrap_or_default();
    let storage = versions.iter().find(|version| version["storage"] == true).map(|version| version["name"].clone());
    let status = as_map(as_map(new).entry("status").or_insert_with(empty));
    status.insert("acceptedNames".into(), names);
    let stored = status.entry("storedVersions").or_insert_with(|| json!([]));
    if let (Some(list), Some(storage)) = (stored.as_array_mut(), storage)
        && !list.contains(&storage)
    {
        list.push(storage);
    }
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    condition(conditions, "NamesAccepted", "NoConflicts", "no conflicts found");
    condition(conditions, "Established", "InitialNamesAccepted", "the initial names have been accepted");
}

fn condition(conditions: &mut Value, name: &str, reason: &str, message: &str) {
    let Some(list) = conditions.as_array_mut() else { return };
    if list.iter().any(|one| one["type"] == name && one["status"] == "True") {
        return;
    }
    list.retain(|one| one["type"] != name);
    list.push(json!({
        "type": name, "status": "True", "reason": reason, "message": message, "lastTransitionTime": clock::now(),
    }));
}

fn versions(definition: &Value) -> &[Value] {
    definition["spec"]["versions"].as_array().map_or(&[], Vec::as_slice)
}

/// The kinds of one definition: one for each version it serves.
fn kinds_of(definition: &Value) -> Vec<Arc<Kind>> {
    let mut versions: Vec<&Value> = versions(definition).iter().filter(|version| version["served"] == true).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version["name"].as_str().unwrap_or(""))));
    versions.into_iter().filter_map(|version| kind_of(definition, version)).map(Arc::new).collect()
}

fn kind_of(definition: &Value, version: &Value) -> Option<Kind> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let words = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let (group, name, plural) = (text(&spec["group"]), text(&version["name"]), text(&names["plural"]));
    let schema = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_else(|| json!({ "type": "object" }));
    let schema = match Structural::from_crd(&schema) {
        Ok(schema) => schema,
        Err(problems) => {
            // It was checked when it was written; an older version of this program may have checked less.
            tracing::error!(definition = definition.name(), ?problems, "a definition is not served");
            return None;
        }
    };
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    let selectable = selectable.map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned()).collect();
    let api_version = api_version(&group, &name);
    Some(Kind {
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        singular: text(&names["singular"]),
        short_names: words(&names["shortNames"]),
        categories: words(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        status: version.pointer("/subresources/status").is_some(),
        prefix: prefix(&api_version),
        root: format!("{group}/{plural}/"),
        api_version,
        rules: Rules::custom(schema),
        origin: Origin::Custom { columns: custom::read(version), selectable },
        group,
        version: name,
        plural,
    })
}

/// The built-in kinds and those of all stored definitions.
pub(crate) fn load(store: &Store, definitions: &Kind) -> Kinds {
    let (_, stored) = store.list(&definitions.root);
    Kinds::new(stored.iter().flat_map(|(_, stored)| kinds_of(&decode(definitions, stored))))
}

/// Serves what the definitions say, from now on. A write of a definition does this before it answers.
pub(crate) fn refresh(api: &Api) {
    let kinds = api.kinds();
    if let Some(definitions) = kinds.find(GROUP, "v1", PLURAL) {
        api.set_kinds(load(&api.store, definitions));
    }
}
