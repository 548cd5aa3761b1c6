//! HTTPRoute: where requests of some hosts go.

use serde_json::json;

use super::super::shape::{Shape, list, object, text, word};
use super::super::{Column, Definition};
use super::http_filter::filters;
use super::{header_name, hostname, parents, route_status, section_name, top, weighted_backend};

const MOST_RULES: u64 = 16;

pub(super) fn definition() -> Definition {
    let spec = object([
        ("parentRefs", parents()),
        ("hostnames", list(hostname()).items(0, 16).about("Hosts that these routes are for; those of the listener where absent.")),
        ("rules", rules()),
    ]);
    let columns = vec![Column::text("Hostnames", ".spec.hostnames"), Column::age()];
    let schema = top("Routes of requests to some hosts.", spec, route_status());
    super::definition("HTTPRoute", "httproutes", columns, ["v1", "v1beta1"].map(|name| (name, schema.clone())).into())
}

fn rules() -> Shape {
    // Rule by rule: what summing up a list costs, older API servers cannot tell.
    let counts: Vec<String> = (0..MOST_RULES).map(|at| format!("(size(self) > {at} ? size(self[{at}].matches) : 0)")).collect();
    list(rule())
        .items(1, MOST_RULES)
        .default(json!([{ "matches": [any_path()] }]))
        .rule(&format!("{} <= 128", counts.join(" + ")), "all rules together have no more than 128 matches")
}

fn any_path() -> serde_json::Value {
    json!({ "path": { "type": "PathPrefix", "value": "/" } })
}

fn rule() -> Shape {
    let request = "!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s')";
    let timeouts = object([("request", timeout()), ("backendRequest", timeout())])
        .rule(&format!("{request} || duration(self.backendRequest) <= duration(self.request)"), "backendRequest is no longer than request");
    let rule = object([
        ("name", section_name()),
        ("matches", list(a_match()).items(0, 64).default(json!([any_path()])).about("The route is taken if any of these holds.")),
        ("filters", filters()),
        ("backendRefs", list(weighted_backend().with("filters", filters())).items(0, 16).about("Where requests go, by weight.")),
        ("timeouts", timeouts),
    ])
    .rule(
        "!has(self.backendRefs) || size(self.backendRefs) == 0 || !has(self.filters) || self.filters.all(f, !has(f.requestRedirect))",
        "what is redirected goes to no backend: a RequestRedirect excludes backendRefs",
    );
    ["requestRedirect", "urlRewrite"].into_iter().fold(rule, prefix_rules)
}

/// A prefix can be replaced only where one matched.
fn prefix_rules(rule: Shape, field: &str) -> Shape {
    let one_prefix = "size(self.matches) == 1 && has(self.matches[0].path) && self.matches[0].path.type == 'PathPrefix'";
    let replaces = format!(
        "f, has(f.{field}) && has(f.{field}.path) && f.{field}.path.type == 'ReplacePrefixMatch' && has(f.{field}.path.replacePrefixMatch)"
    );
    let message = format!("replacePrefixMatch of a {field} needs exactly one match, of a PathPrefix");
    rule.rule(&format!("!has(self.filters) || !self.filters.exists_one({replaces}) || {one_prefix}"), &message).rule(
        &format!(
            "!has(self.backendRefs) || !self.backendRefs.exists_one(b, has(b.filters) && b.filters.exists_one({replaces})) || {one_prefix}"
        ),
        &message,
    )
}

/// Hours, minutes, seconds and milliseconds.
fn timeout() -> Shape {
    text().pattern("^([0-9]{1,5}(h|m|s|ms)){1,4}$")
}

fn a_match() -> Shape {
    let value = |most| {
        object([
            ("type", word(["Exact", "RegularExpression"]).default("Exact")),
            ("name", header_name()),
            ("value", text().length(1, most)),
        ])
        .required(["name", "value"])
    };
    object([
        ("path", path()),
        ("headers", list(value(4096)).items(0, 16).keyed("name").about("All must match.")),
        ("queryParams", list(value(1024)).items(0, 16).keyed("name").about("All must match.")),
        ("method", word(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])),
    ])
}

fn path() -> Shape {
    let path = object([
        ("type", word(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix")),
        ("value", text().length(0, 1024).default("/")),
    ])
    .default(any_path()["path"].clone());
    let plain = |path: Shape, rule: String, message: String| path.rule(&format!("self.type == 'RegularExpression' || {rule}"), &message);
    let path = plain(path, "self.value.startsWith('/')".into(), "a path begins with /".into());
    let path = ["//", "/./", "/../", "%2f", "%2F", "#"]
        .into_iter()
        .fold(path, |path, part| plain(path, format!("!self.value.contains('{part}')"), format!("a path does not contain {part}")));
    let path = ["/..", "/."]
        .into_iter()
        .fold(path, |path, end| plain(path, format!("!self.value.endsWith('{end}')"), format!("a path does not end with {end}")));
    let characters = r#"self.value.matches("^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$")"#;
    plain(path, characters.into(), "a path has letters, digits, -._~!$&'()*+,;=:@/ and escapes such as %20".into())
}
