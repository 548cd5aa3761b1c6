//! `networking.istio.io`: three versions, one schema.
//!
//! Every field that Istio's own definitions accept is accepted here, also those that only a mesh acts on.

mod destination_rule;
mod gateway;
mod virtual_service;

use super::shape::{Shape, list, map, number_or_text, object, text, uint32, word};
use super::{Column, Definition, Scope, Version};

pub(super) const GROUP: &str = "networking.istio.io";

pub(super) fn definitions() -> [Definition; 3] {
    [destination_rule::definition(), gateway::definition(), virtual_service::definition()]
}

/// A definition as all of Istio's are: named, served and stored alike.
fn definition(
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    columns: Vec<Column>,
    about: &'static str,
    spec: Shape,
) -> Definition {
    let schema = object([("spec", spec), ("status", status())]).about(about);
    Definition {
        group: GROUP,
        kind,
        plural,
        short_names,
        categories: &["istio-io", "networking-istio-io"],
        scope: Scope::Namespaced,
        has_status: true,
        columns,
        annotations: &[],
        versions: ["v1", "v1beta1", "v1alpha3"]
            .map(|name| Version { name, storage: name == "v1", deprecated: None, schema: schema.clone() })
            .into(),
    }
}

/// Open: what writes it may say more.
fn status() -> Shape {
    let time = || text().format("date-time");
    let condition = object([
        ("type", text()),
        ("status", text()),
        ("reason", text()),
        ("message", text()),
        ("observedGeneration", number_or_text()),
        ("lastTransitionTime", time()),
        ("lastProbeTime", time()),
    ]);
    let message = object([
        ("type", object([("name", text()), ("code", text())])),
        ("level", word(["UNKNOWN", "ERROR", "WARNING", "INFO"])),
        ("documentationUrl", text()),
    ]);
    object([
        ("conditions", list(condition).about("What became of this object.")),
        ("observedGeneration", number_or_text().about("The generation that the conditions speak of.")),
        ("validationMessages", list(message)),
    ])
    .open()
}

/// A duration such as `1.5s`.
fn duration() -> Shape {
    text().rule("duration(self) >= duration('1ms')", "must be a duration such as 500ms or 1.5s, and no shorter than 1ms")
}

/// One way to compare a text.
fn text_match() -> Shape {
    object([
        ("exact", text().about("Equal to this.")),
        ("prefix", text().about("Begins with this.")),
        ("regex", text().about("As a whole matched by this RE2 expression.")),
    ])
    .at_most_one(["exact", "prefix", "regex"])
}

fn destination() -> Shape {
    object([
        ("host", text().about("The Service: a name in this namespace, or a full one.")),
        ("port", port_selector().about("Which of its ports; needed where it has several.")),
        ("subset", text().about("A subset that a DestinationRule of this host names.")),
    ])
    .required(["host"])
}

fn port_selector() -> Shape {
    object([("number", uint32())])
}

fn labels() -> Shape {
    map(text())
}

fn export_to() -> Shape {
    list(text()).about("Namespaces that see this object: `*` all, `.` its own, or names.")
}
