//! ReferenceGrant: which objects elsewhere may point at those of this namespace.

use super::super::shape::{list, object};
use super::super::{Column, Definition};
use super::{group, kind, name, namespace};

pub(super) fn definition() -> Definition {
    let from = object([("group", group()), ("kind", kind()), ("namespace", namespace())]).required(["group", "kind", "namespace"]);
    let to = object([("group", group()), ("kind", kind()), ("name", name().about("Every one where absent."))]).required(["group", "kind"]);
    let spec = object([
        ("from", list(from).items(1, 16).about("Who may point here.")),
        ("to", list(to).items(1, 16).about("What they may point at.")),
    ])
    .required(["from", "to"]);
    let schema = object([("spec", spec)]).required(["spec"]).about("Leave for objects elsewhere to point at objects of this namespace.");
    let mut definition =
        super::definition("ReferenceGrant", "referencegrants", vec![Column::age()], vec![("v1", schema.clone()), ("v1beta1", schema)]);
    // Older releases of the API know no other version: they must be able to read what is stored.
    definition.versions.iter_mut().for_each(|version| version.storage = version.name == "v1beta1");
    Definition { has_status: false, short_names: &["refgrant"], ..definition }
}
