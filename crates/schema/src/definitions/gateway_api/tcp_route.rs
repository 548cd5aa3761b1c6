//! TCPRoute: where connections of a TCP listener go.

use super::super::shape::{Shape, list, object};
use super::super::{Column, Definition};
use super::{parents, route_status, section_name, top, weighted_backend};

pub(super) fn definition() -> Definition {
    let schema = |most| top("Where connections of a TCP listener go.", spec(most), route_status());
    let mut definition = super::definition("TCPRoute", "tcproutes", vec![Column::age()], vec![("v1", schema(1)), ("v1alpha2", schema(16))]);
    super::deprecate(&mut definition);
    definition
}

fn spec(most_rules: u64) -> Shape {
    object([("parentRefs", parents()), ("rules", rules(most_rules))]).required(["rules"])
}

/// Rules of routes that know nothing but connections.
pub(super) fn rules(most: u64) -> Shape {
    let rule = object([("name", section_name()), ("backendRefs", list(weighted_backend()).items(1, 16).about("By weight."))]);
    list(rule.required(["backendRefs"])).items(1, most)
}
