//! Fields of objects as an API server shows them, statuses too.

use model::ObjectRef;
use resources::Kind;
use serde_json::Value;

/// The text at a pointer, or none of it.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn texts(object: &Value, pointer: &str) -> Vec<String> {
    list(object, pointer).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A port's number.
pub(crate) fn port(object: &Value, pointer: &str) -> Option<u16> {
    object.pointer(pointer).and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok()).filter(|it| *it != 0)
}

pub(crate) fn namespace(object: &Value) -> &str {
    match text(object, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    }
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object.pointer("/metadata/annotations").and_then(|it| it.get(key)?.as_str()).unwrap_or_default()
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object.pointer("/metadata/labels").and_then(|it| it.get(key)?.as_str()).unwrap_or_default()
}

pub(crate) fn reference(kind: Kind, object: &Value) -> ObjectRef {
    ObjectRef::new(kind.name(), namespace(object), name(object).to_owned())
}

pub(crate) fn of(objects: &[Value], kind: Kind) -> impl Iterator<Item = &Value> {
    objects.iter().filter(move |it| Kind::of(it) == Some(kind))
}

/// What a condition says, for example `("True", "Programmed", "port 80 is served")`.
pub(crate) fn condition<'a>(object: &'a Value, at: &str, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = list(object, at).find(|it| text(it, "/type") == kind)?;
    Some((text(found, "/status"), text(found, "/reason"), text(found, "/message")))
}

/// Addresses of a `loadBalancer` status, each with the ports that are said there.
pub(crate) fn balanced(object: &Value) -> Vec<(String, Vec<u16>)> {
    let entry = |it: &Value| {
        let address = match text(it, "/ip") {
            "" => text(it, "/hostname"),
            ip => ip,
        };
        let ports = list(it, "/ports").filter_map(|it| port(it, "/port")).collect();
        (!address.is_empty()).then(|| (address.to_owned(), ports))
    };
    list(object, "/status/loadBalancer/ingress").filter_map(entry).collect()
}
