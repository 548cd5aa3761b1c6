//! Gateway: an entrance with listeners and addresses of its own.

use serde_json::json;

use super::super::shape::{Shape, int32, list, map, object, text, word};
use super::super::{Column, Definition};
use super::{
    GROUP, PATH, SUBDOMAIN, alike, conditions, group, hostname, kind, name, namespace, pending, port, reference, secret_reference,
    section_name, selector, top,
};

pub(super) fn definition() -> Definition {
    let spec = object([
        ("gatewayClassName", name().about("The GatewayClass.")),
        ("listeners", listeners()),
        ("addresses", addresses()),
        ("infrastructure", infrastructure()),
        ("allowedListeners", object([("namespaces", listener_namespaces())]).about("Whose ListenerSets may add listeners.")),
        ("tls", tls()),
    ])
    .required(["gatewayClassName", "listeners"]);
    let columns = vec![
        Column::text("Class", ".spec.gatewayClassName"),
        Column::text("Address", ".status.addresses[*].value"),
        Column::text("Programmed", ".status.conditions[?(@.type==\"Programmed\")].status"),
        Column::age(),
    ];
    let schema = top("An entrance: listeners on addresses.", spec, status());
    let versions = ["v1", "v1beta1"].map(|name| (name, schema.clone())).into();
    Definition { short_names: &["gtw"], ..super::definition("Gateway", "gateways", columns, versions) }
}

fn listeners() -> Shape {
    let protocol = format!(r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|{SUBDOMAIN}\/[A-Za-z0-9]+$");
    let listener = object([
        ("name", section_name()),
        ("hostname", hostname().about("The hosts it is for; any where absent.")),
        ("port", port()),
        ("protocol", text().length(1, 255).pattern(&protocol).about("HTTP, HTTPS, TLS, TCP or UDP.")),
        ("tls", listener_tls()),
        ("allowedRoutes", allowed_routes()),
    ]);
    let alike = format!("a.port == b.port && a.protocol == b.protocol && {}", alike("hostname"));
    list(listener.required(["name", "port", "protocol"]))
        .items(1, 64)
        .keyed("name")
        .rule("self.all(l, !(l.protocol in ['HTTP', 'TCP', 'UDP']) || !has(l.tls))", "a listener of HTTP, TCP or UDP has no tls")
        .rule(
            "self.all(l, l.protocol != 'HTTPS' || !has(l.tls) || l.tls.mode in ['', 'Terminate'])",
            "HTTPS terminates TLS: its mode is Terminate",
        )
        .rule("self.all(l, l.protocol != 'TLS' || has(l.tls) && has(l.tls.mode) && l.tls.mode != '')", "a listener of TLS needs tls.mode")
        .rule(
            "self.all(l, !(l.protocol in ['TCP', 'UDP']) || !has(l.hostname) || l.hostname == '')",
            "a listener of TCP or UDP has no hostname",
        )
        .rule("self.all(a, self.exists_one(b, a.name == b.name))", "each listener has a name of its own")
        .rule(&format!("self.all(a, self.exists_one(b, {alike}))"), "no two listeners have the same port, protocol and hostname")
}

fn listener_tls() -> Shape {
    object([
        ("mode", word(["Terminate", "Passthrough"]).default("Terminate")),
        ("certificateRefs", list(secret_reference()).items(0, 64)),
        ("options", map(text().length(0, 4096)).entries(16)),
    ])
    .rule(
        "self.mode != 'Terminate' || has(self.certificateRefs) && size(self.certificateRefs) > 0 || has(self.options) && size(self.options) > 0",
        "Terminate needs certificateRefs or options",
    )
}

fn allowed_routes() -> Shape {
    let namespaces = object([("from", word(["All", "Selector", "Same"]).default("Same")), ("selector", selector())]);
    object([
        ("namespaces", namespaces.default(json!({ "from": "Same" })).about("Namespaces that routes may be in.")),
        ("kinds", route_kinds().about("Kinds of routes; those of the protocol where absent.")),
    ])
    .default(json!({ "namespaces": { "from": "Same" } }))
}

fn route_kinds() -> Shape {
    list(object([("group", group().default(GROUP)), ("kind", kind())]).required(["kind"])).items(0, 8)
}

fn listener_namespaces() -> Shape {
    object([("from", word(["All", "Selector", "Same", "None"]).default("None")), ("selector", selector())])
        .default(json!({ "from": "None" }))
}

/// An address, wished for or had.
fn address() -> Shape {
    let kind = format!(r"^Hostname|IPAddress|NamedAddress|{SUBDOMAIN}\/{PATH}$");
    let ip = json!({ "properties": {
        "type": { "enum": ["IPAddress"] }, "value": { "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] },
    } });
    let other = json!({ "properties": { "type": { "not": { "enum": ["IPAddress"] } } } });
    object([("type", text().length(1, 253).pattern(&kind).default("IPAddress")), ("value", text().length(0, 253))])
        .narrowed("oneOf", json!([ip, other]))
        .rule(
            &format!(r"self.type != 'Hostname' || !has(self.value) || self.value.matches('^(\\*\\.)?{}$')", SUBDOMAIN.replace('\\', r"\\")),
            "the value of a Hostname is a host name",
        )
}

fn addresses() -> Shape {
    let once = |kind: &str| {
        format!(
            "self.all(a, a.type != '{kind}' || !has(a.value) || self.exists_one(b, b.type == a.type && has(b.value) && b.value == a.value))"
        )
    };
    list(address())
        .items(0, 16)
        .about("Addresses to have; some are chosen where absent.")
        .rule(&once("IPAddress"), "no address is asked for twice")
        .rule(&once("Hostname"), "no hostname is asked for twice")
}

fn infrastructure() -> Shape {
    let key = format!("^({SUBDOMAIN}/)?([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]$").replace('\\', r"\\");
    let keys = |map: Shape, what: &str| {
        map.rule(
            &format!("self.all(key, key.matches('{key}'))"),
            &format!("a key of {what} is a name of up to 63 characters, after a domain and a slash if any"),
        )
        .rule("self.all(key, size(key.split('/')[0]) < 253)", "the domain of a key is shorter than 253 characters")
    };
    let label = text().length(0, 63).pattern("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$");
    object([
        ("labels", keys(map(label).entries(8), "labels")),
        ("annotations", keys(map(text().length(0, 4096)).entries(16), "annotations")),
        ("parametersRef", reference()),
    ])
    .about("What is made for this Gateway carries these.")
}

fn tls() -> Shape {
    let authority = reference().with("namespace", namespace());
    let validation = object([
        ("caCertificateRefs", list(authority).items(1, 16)),
        ("mode", word(["AllowValidOnly", "AllowInsecureFallback"]).default("AllowValidOnly")),
    ]);
    let client = object([("validation", validation.required(["caCertificateRefs"]).about("How certificates of clients are checked."))]);
    let port = object([("port", port()), ("tls", client.clone())]).required(["port", "tls"]);
    let ports = list(port)
        .items(0, 64)
        .keyed("port")
        .rule("self.all(a, self.exists_one(b, a.port == b.port))", "each port is there once")
        .about("In the place of `default`, by port.");
    object([
        ("backend", object([("clientCertificateRef", secret_reference())]).about("Towards backends.")),
        ("frontend", object([("default", client), ("perPort", ports)]).required(["default"]).about("Towards clients.")),
    ])
}

fn status() -> Shape {
    let listener =
        object([("name", section_name()), ("supportedKinds", route_kinds()), ("attachedRoutes", int32()), ("conditions", conditions())]);
    let waiting = pending(["Accepted", "Programmed"]);
    let address = address().with("value", text().length(1, 253)).required(["value"]);
    object([
        ("addresses", list(address).items(0, 16)),
        ("conditions", conditions().default(waiting.clone())),
        ("listeners", list(listener.required(["attachedRoutes", "conditions", "name"])).items(0, 64).keyed("name")),
        ("attachedListenerSets", int32()),
    ])
    .default(json!({ "conditions": waiting }))
}
