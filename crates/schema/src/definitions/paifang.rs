//! `paifang.dev`: kinds of our own.

mod ingress_gateway;
mod project;
mod user;
mod workspace;

use super::shape::{Shape, list, object, text, word};
use super::{Column, Definition, Scope, Version};

pub(super) const GROUP: &str = "paifang.dev";

pub(super) fn definitions() -> Vec<Definition> {
    vec![ingress_gateway::definition(), user::definition(), workspace::definition(), project::definition()]
}

/// A definition as all of ours are: one version, with a status.
fn definition(kind: &'static str, plural: &'static str, scope: Scope, columns: Vec<Column>, schema: Shape) -> Definition {
    Definition {
        group: GROUP,
        kind,
        plural,
        short_names: &[],
        categories: &["paifang"],
        scope,
        has_status: true,
        columns,
        annotations: &[],
        versions: vec![Version { name: "v1alpha1", storage: true, deprecated: None, schema }],
    }
}

fn conditions() -> Shape {
    let condition = object([
        ("type", text().length(1, 316)),
        ("status", word(["True", "False", "Unknown"])),
        ("observedGeneration", super::shape::integer().format("int64").least(0)),
        ("lastTransitionTime", text().format("date-time")),
        ("reason", text().length(0, 1024)),
        ("message", text().length(0, 32_768)),
    ]);
    list(condition.required(["type", "status", "lastTransitionTime"])).items(0, 32).keyed("type")
}

/// Where KubeSphere keeps what people call an object.
fn alias() -> &'static str {
    r".metadata.annotations['kubesphere\.io/alias-name']"
}
