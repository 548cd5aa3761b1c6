//! The model in words, for people.

use model::{
    Fault, Filter, HeaderEdit, HttpsRedirect, ListenerProtocol, Match, Mirror, ObjectRef, PathMatch, Percent, Rewrite, Scheme, Source,
    TemplatePart,
};
use resources::{Condition, Status, Truth};
use serde_json::{Value, json};

/// A match in words, for `explain` and `get routes`.
pub fn match_text(wanted: &Match) -> String {
    let mut parts = vec![match &wanted.path {
        PathMatch::Any => "any path".to_owned(),
        PathMatch::Exact(path) => format!("{path} exactly"),
        PathMatch::Prefix(path) if path.is_empty() => "/ and below".to_owned(),
        PathMatch::Prefix(path) => format!("{path} and below"),
        PathMatch::StartsWith(path) => format!("{path}…"),
        PathMatch::Regex(pattern) => format!("~ {}", pattern.text),
    }];
    parts.extend(wanted.method.iter().map(|it| format!("method {it}")));
    parts.extend(wanted.scheme.iter().map(|it| if *it == Scheme::Http { "http only".to_owned() } else { "https only".to_owned() }));
    parts.extend(wanted.headers.iter().map(|it| format!("header {}", it.name)));
    parts.extend(wanted.query.iter().map(|it| format!("query {}", it.name)));
    parts.extend(wanted.cookies.iter().map(|it| format!("cookie {}", it.name)));
    parts.join(", ")
}

pub fn filter_text(filter: &Filter) -> String {
    match filter {
        Filter::HttpsRedirect(HttpsRedirect { when, status, .. }) => match when {
            model::RedirectWhen::Always => format!("redirect http to https ({status})"),
            model::RedirectWhen::HasCertificate => format!("redirect http to https ({status}) where the host has a certificate"),
        },
        Filter::Rewrite(Rewrite::Regex { pattern, template }) => format!("rewrite {} to {}", pattern.text, template_text(template)),
        Filter::Rewrite(Rewrite::Replace { pattern, template }) => {
            format!("replace every {} by {}", pattern.text, template_text(template))
        }
        Filter::Rewrite(Rewrite::Prefix { prefix, replacement }) => format!("rewrite prefix {prefix} to {replacement}"),
        Filter::Rewrite(Rewrite::Full(path)) => format!("rewrite to {path}"),
        Filter::SetHost(host) => format!("Host: {host}"),
        Filter::BodyLimit(limit) => format!("bodies up to {limit} bytes"),
        Filter::RequestHeader(edit) => format!("request {}", edit_text(edit)),
        Filter::ResponseHeader(edit) => format!("response {}", edit_text(edit)),
        Filter::Hsts(value) => format!("Strict-Transport-Security: {value}"),
        Filter::Cors(cors) => format!("CORS for {} origins", cors.origins.len()),
        Filter::Fault(fault) => fault_text(fault),
        Filter::Mirror(Mirror { backend, percent }) => {
            let to = backend.as_ref().map_or_else(|| "nobody".to_owned(), |it| it.id.to_string());
            format!("a copy of {} to {to}", share(*percent))
        }
        Filter::ErrorPages(pages) => {
            let statuses: Vec<String> = pages.statuses.iter().map(ToString::to_string).collect();
            let backends = pages.forward.backends.iter().filter_map(|it| it.backend.as_ref());
            let from: Vec<String> = backends.map(|it| it.id.to_string()).collect();
            format!("answers {} give way to those of {}", statuses.join(", "), from.join(", "))
        }
    }
}

fn fault_text(fault: &Fault) -> String {
    let delay = fault.delay.map(|(percent, time)| format!("{} delayed by {} ms", share(percent), time.as_millis()));
    let abort = fault.abort.map(|(percent, status)| format!("{} answered {status}", share(percent)));
    let parts: Vec<String> = delay.into_iter().chain(abort).collect();
    format!("fault: {}", parts.join(", "))
}

fn share(percent: Percent) -> String {
    format!("{} %", f64::from(percent.0) / 10_000.0)
}

fn template_text(template: &[TemplatePart]) -> String {
    let part = |it: &TemplatePart| match it {
        TemplatePart::Literal(text) => text.to_string(),
        TemplatePart::Capture(n) => format!("${n}"),
    };
    template.iter().map(part).collect()
}

fn edit_text(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Set { name, value } => format!("header {name} set to {value}"),
        HeaderEdit::Add { name, value } => format!("header {name}: {value} added"),
        HeaderEdit::Remove { name } => format!("header {name} removed"),
    }
}

pub fn source_text(source: &Source) -> String {
    format!("{}  {}", name(&source.object), source.rule)
}

pub fn name(object: &ObjectRef) -> String {
    if object.namespace.is_empty() {
        format!("{} {}", object.kind, object.name)
    } else {
        format!("{} {}/{}", object.kind, object.namespace, object.name)
    }
}

pub fn object_json(object: &ObjectRef) -> Value {
    json!({ "kind": *object.kind, "namespace": *object.namespace, "name": *object.name })
}

/// The API an object's routes come from.
pub fn frontend(object: &ObjectRef) -> &'static str {
    match object.kind.as_str() {
        "Ingress" => "Ingress",
        "VirtualService" | "Gateway.networking.istio.io" => "Istio",
        _ => "Gateway API",
    }
}

pub fn protocol(protocol: ListenerProtocol) -> &'static str {
    match protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https => "HTTPS",
        ListenerProtocol::Tcp => "TCP",
        ListenerProtocol::Udp => "UDP",
    }
}

/// Every condition of a status, of listeners and parents too.
pub fn conditions(status: &Status) -> Vec<&Condition> {
    match status {
        Status::Route(parents) => parents.iter().flat_map(|it| &it.conditions).collect(),
        Status::Gateway(gateway) => gateway.conditions.iter().chain(gateway.listeners.iter().flat_map(|it| &it.conditions)).collect(),
        Status::Conditions(conditions) | Status::Class { conditions, .. } | Status::Entrance(conditions) => conditions.iter().collect(),
    }
}

/// Conditions that say something bad where they are true.
const NEGATIVE: [&str; 5] = ["Conflicted", "OptionsIgnored", "OverlappingTLSConfig", "PartiallyInvalid", "InsecureFrontendValidationMode"];

/// Whether a condition is bad news.
pub fn is_bad(condition: &Condition) -> bool {
    is_bad_news(&condition.kind, condition.status.as_str())
}

/// The same of one as it is written: its type and status.
pub(crate) fn is_bad_news(kind: &str, status: &str) -> bool {
    status == if NEGATIVE.contains(&kind) { Truth::True } else { Truth::False }.as_str()
}
