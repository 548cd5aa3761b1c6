//! CustomResourceDefinitions: from the stored definition to the kinds that are served.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use schema::Structural;
use serde_json::{Value, json};
use store::Revision;

use crate::api::Api;
use crate::clock;
use crate::failure::Cause;
use crate::kinds::{Kind, Kinds, Origin, api_version, prefix, priority};
use crate::object::{Object, as_map, decode, empty};
use crate::print::custom;
use crate::rules::Rules;
use crate::scale::Replicas;

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

/// Says that a definition is accepted; one whose names clash was refused.
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

/// Names that another definition of the group has. Kubernetes stores such a definition and never serves it; we refuse
/// it, which says the same at once.
pub(crate) fn check(api: &Api, new: &Value) -> Vec<Cause> {
    let spec = &new["spec"];
    let taken = |wanted: &Value| {
        let kinds = api.kinds();
        let others = kinds.iter().filter(|kind| spec["group"] == *kind.group && spec["names"]["plural"] != *kind.plural);
        let mut holders = others.filter(|kind| {
            let names = [&kind.kind, &kind.list_kind, &kind.singular, &kind.plural];
            names.into_iter().chain(&kind.short_names).any(|name| wanted == name)
        });
        holders.next().map(|kind| kind.qualified_plural())
    };
    let mut causes = Vec::new();
    let mut check = |field: String, wanted: &Value| {
        if let Some(holder) = taken(wanted) {
            let message = format!("Invalid value: {wanted}: is a name of {holder} already");
            causes.push(Cause::new("FieldValueInvalid", format!("spec.names.{field}"), message));
        }
    };
    for field in ["plural", "singular", "kind", "listKind"] {
        check(field.into(), &spec["names"][field]);
    }
    for (at, name) in spec["names"]["shortNames"].as_array().into_iter().flatten().enumerate() {
        check(format!("shortNames[{at}]"), name);
    }
    causes
}

fn versions(definition: &Value) -> &[Value] {
    definition["spec"]["versions"].as_array().map_or(&[], Vec::as_slice)
}

/// The kinds of one definition: one for each version it serves.
fn kinds_of(definition: &Value) -> Vec<Arc<Kind>> {
    let mut versions: Vec<&Value> = versions(definition).iter().filter(|version| version["served"] == true).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version["name"].as_str().unwrap_or(""))));
    let mut read: Vec<(Value, Structural)> = Vec::new();
    let mut kinds = Vec::with_capacity(versions.len());
    for version in versions {
        let schema = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_else(|| json!({ "type": "object" }));
        // Versions often have one schema: reading it is the expensive part.
        let structural = match read.iter().find(|(known, _)| *known == schema) {
            Some((_, structural)) => structural.clone(),
            None => match Structural::from_crd(&schema) {
                Ok(structural) => {
                    read.push((schema, structural.clone()));
                    structural
                }
                Err(problems) => {
                    // It was checked when it was written; an older version of this program may have checked less.
                    tracing::error!(definition = definition.name(), ?problems, "a definition is not served");
                    continue;
                }
            },
        };
        let structural = match version.pointer("/subresources/scale") {
            Some(scale) => structural.scaled(scale),
            None => structural,
        };
        kinds.push(Arc::new(kind_of(definition, version, Rules::custom(structural))));
    }
    kinds
}

fn kind_of(definition: &Value, version: &Value, rules: Rules) -> Kind {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let words = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let (group, name, plural) = (text(&spec["group"]), text(&version["name"]), text(&names["plural"]));
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    let selectable = selectable.map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned()).collect();
    let api_version = api_version(&group, &name);
    let warning = version["deprecationWarning"]
        .as_str()
        .map_or_else(|| format!("{api_version} {} is deprecated", text(&names["kind"])), str::to_owned);
    let deprecated = (version["deprecated"] == true).then_some(warning);
    Kind {
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        singular: text(&names["singular"]),
        short_names: words(&names["shortNames"]),
        categories: words(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        status: version.pointer("/subresources/status").is_some(),
        scale: version.pointer("/subresources/scale").map(Replicas::of_definition),
        prefix: prefix(&api_version),
        root: format!("{group}/{plural}/"),
        api_version,
        rules,
        origin: Origin::Custom { columns: custom::read(version), selectable },
        deprecated,
        group,
        version: name,
        plural,
    }
}

/// The kinds of the definitions as they were last read, so that a change of one is not a reading of all.
pub(crate) type Known = HashMap<Arc<str>, (Revision, Vec<Arc<Kind>>)>;

/// Serves what the definitions say, from now on. A write of a definition does this before it answers.
pub(crate) fn refresh(api: &Api) {
    let kinds = api.kinds();
    let Some(definitions) = kinds.find(GROUP, "v1", PLURAL) else { return };
    // Held until the kinds are set: who read earlier must not set later.
    let mut known = api.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut current = Known::new();
    for (key, stored) in api.store.list(&definitions.root).1 {
        let kinds = match known.remove(&key) {
            Some((revision, kinds)) if revision == stored.revision => kinds,
            _ => kinds_of(&decode(definitions, &stored)),
        };
        current.insert(key, (stored.revision, kinds));
    }
    api.set_kinds(Kinds::new(current.values().flat_map(|(_, kinds)| kinds.clone())));
    *known = current;
}
