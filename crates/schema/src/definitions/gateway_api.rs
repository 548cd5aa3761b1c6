//! `gateway.networking.k8s.io`, the standard channel.

mod gateway;
mod gateway_class;
mod http_filter;
mod http_route;
mod reference_grant;
mod tcp_route;
mod tls_route;

use serde_json::json;

use super::shape::{Shape, int32, integer, list, map, object, text, word};
use super::{Column, Definition, Scope, Version};

pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// Which release of the API this is; tools compare it.
const RELEASE: &[(&str, &str)] = &[
    ("api-approved.kubernetes.io", "https://github.com/kubernetes-sigs/gateway-api/pull/4530"),
    ("gateway.networking.k8s.io/bundle-version", "v1.6.3"),
    ("gateway.networking.k8s.io/channel", "standard"),
];

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
/// What may follow the slash of a controller's name.
const PATH: &str = r"[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+";

pub(super) fn definitions() -> [Definition; 6] {
    [
        gateway_class::definition(),
        gateway::definition(),
        http_route::definition(),
        reference_grant::definition(),
        tcp_route::definition(),
        tls_route::definition(),
    ]
}

/// A definition of this group; the schemas by version, the preferred one first, the first one stored.
fn definition(kind: &'static str, plural: &'static str, columns: Vec<Column>, versions: Vec<(&'static str, Shape)>) -> Definition {
    let versions =
        versions.into_iter().enumerate().map(|(at, (name, schema))| Version { name, storage: at == 0, deprecated: None, schema });
    Definition {
        group: GROUP,
        kind,
        plural,
        short_names: &[],
        categories: &["gateway-api"],
        scope: Scope::Namespaced,
        has_status: true,
        columns,
        annotations: RELEASE,
        versions: versions.collect(),
    }
}

/// A kind's top level.
fn top(about: &str, spec: Shape, status: Shape) -> Shape {
    object([("spec", spec), ("status", status)]).required(["spec"]).about(about)
}

fn group() -> Shape {
    text().length(0, 253).pattern(&format!("^$|^{SUBDOMAIN}$"))
}

fn kind() -> Shape {
    text().length(1, 63).pattern("^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
}

fn name() -> Shape {
    text().length(1, 253)
}

fn namespace() -> Shape {
    text().length(1, 63).pattern(&format!("^{LABEL}$"))
}

fn section_name() -> Shape {
    text().length(1, 253).pattern(&format!("^{SUBDOMAIN}$"))
}

/// A host name, or `*.` and one.
fn hostname() -> Shape {
    text().length(1, 253).pattern(&format!(r"^(\*\.)?{SUBDOMAIN}$"))
}

fn precise_hostname() -> Shape {
    text().length(1, 253).pattern(&format!("^{SUBDOMAIN}$"))
}

fn port() -> Shape {
    int32().least(1).most(65535)
}

fn controller_name() -> Shape {
    text().length(1, 253).pattern(&format!(r"^{SUBDOMAIN}\/{PATH}$"))
}

fn header_name() -> Shape {
    text().length(1, 256).pattern(r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$")
}

/// An object of this group or another.
fn reference() -> Shape {
    object([("group", group()), ("kind", kind()), ("name", name())]).required(["group", "kind", "name"])
}

/// A Secret, unless it says otherwise.
fn secret_reference() -> Shape {
    object([
        ("group", group().default("")),
        ("kind", kind().default("Secret")),
        ("name", name()),
        ("namespace", namespace().about("Another namespace must have a ReferenceGrant.")),
    ])
    .required(["name"])
}

/// Selects by labels.
fn selector() -> Shape {
    let expression = object([("key", text()), ("operator", text()), ("values", list(text()))]).required(["key", "operator"]);
    object([("matchLabels", map(text())), ("matchExpressions", list(expression))]).atomic()
}

fn conditions() -> Shape {
    let kind = format!("^({SUBDOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$");
    let condition = object([
        ("type", text().length(0, 316).pattern(&kind)),
        ("status", word(["True", "False", "Unknown"])),
        ("reason", text().length(1, 1024).pattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")),
        ("message", text().length(0, 32768)),
        ("observedGeneration", integer().format("int64").least(0).about("The generation that this speaks of.")),
        ("lastTransitionTime", text().format("date-time")),
    ]);
    list(condition.required(["lastTransitionTime", "message", "reason", "status", "type"])).items(0, 8).keyed("type")
}

/// Conditions as they are before a controller has looked.
fn pending<const N: usize>(kinds: [&str; N]) -> serde_json::Value {
    let one = |kind: &&str| {
        json!({
            "type": kind, "status": "Unknown", "reason": "Pending", "message": "Waiting for controller",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        })
    };
    kinds.iter().map(one).collect()
}

fn parent_reference() -> Shape {
    object([
        ("group", group().default(GROUP)),
        ("kind", kind().default("Gateway")),
        ("name", name()),
        ("namespace", namespace().about("The route's own where absent.")),
        ("sectionName", section_name().about("One listener.")),
        ("port", port().about("The listeners of one port.")),
    ])
    .required(["name"])
}

/// Whether a field that may be absent is alike in `a` and `b`. Of what a ternary gives, Kubernetes cannot tell what comparing it costs.
fn alike(field: &str) -> String {
    format!("has(a.{field}) == has(b.{field}) && (!has(a.{field}) || a.{field} == b.{field})")
}

fn parents() -> Shape {
    let same = format!("a.group == b.group && a.kind == b.kind && a.name == b.name && {}", alike("__namespace__"));
    list(parent_reference())
        .items(0, 32)
        .about("The Gateways to attach to.")
        .rule(
            &format!("self.all(a, self.all(b, !({same}) || has(a.sectionName) == has(b.sectionName)))"),
            "where one parent is named twice, each needs a sectionName",
        )
        .rule(
            &format!("self.all(a, self.exists_one(b, {same} && {}))", alike("sectionName")),
            "where one parent is named twice, each needs a sectionName of its own",
        )
}

/// Where requests go, or copies of them.
fn backend() -> Shape {
    object([
        ("group", group().default("")),
        ("kind", kind().default("Service")),
        ("name", name()),
        ("namespace", namespace().about("Another namespace must have a ReferenceGrant.")),
        ("port", port().about("The Service's port.")),
    ])
    .required(["name"])
    .rule("self.group != '' || self.kind != 'Service' || has(self.port)", "a Service needs a port")
}

fn weighted_backend() -> Shape {
    backend().with("weight", int32().least(0).most(1_000_000).default(1).about("Its share of all weights."))
}

/// What the controllers of its parents say about a route.
fn route_status() -> Shape {
    let parent =
        object([("parentRef", parent_reference()), ("controllerName", controller_name()), ("conditions", conditions().items(1, 8))]);
    object([("parents", list(parent.required(["conditions", "controllerName", "parentRef"])).items(0, 32))]).required(["parents"])
}

/// All versions but the first are going away.
fn deprecate(definition: &mut Definition) {
    let kind = definition.kind;
    for version in definition.versions.iter_mut().skip(1) {
        version.deprecated = Some(format!("{GROUP}/{} {kind} is deprecated; use {GROUP}/v1", version.name));
    }
}
