//! `scale`: how many replicas, in the one form that all kinds with replicas have.

use http::StatusCode;
use serde_json::{Value, json};
use store::Object as Stored;

use crate::api::{Api, Ask};
use crate::body::Parsed;
use crate::failure::{Cause, Failure};
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, empty};
use crate::patch::Patch;
use crate::reply::Reply;
use crate::write::{self, Origin};

pub(crate) const GROUP: &str = "autoscaling";
pub(crate) const VERSION: &str = "v1";
pub(crate) const KIND: &str = "Scale";
const TRIES: usize = 5;

/// Where an object of a kind says how many there are, as JSON pointers.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    wanted: String,
    running: String,
    selector: Chosen,
}

/// How the selector of what is counted is written.
#[derive(Clone, Debug)]
enum Chosen {
    /// As an object, in `spec.selector`.
    Object,
    /// As text, here; empty for nowhere.
    Text(String),
}

impl Replicas {
    pub(crate) fn of_workload() -> Self {
        Self { wanted: "/spec/replicas".into(), running: "/status/replicas".into(), selector: Chosen::Object }
    }

    /// What `subresources.scale` of a definition says.
    pub(crate) fn of_definition(scale: &Value) -> Self {
        let at = |field: &str| scale[field].as_str().unwrap_or("").replace('.', "/");
        Self { wanted: at("specReplicasPath"), running: at("statusReplicasPath"), selector: Chosen::Text(at("labelSelectorPath")) }
    }
}

pub(crate) fn has(kind: &Kind) -> bool {
    kind.scale.is_some()
}

pub(crate) fn is_target(ask: &Ask) -> bool {
    ask.target.subresource == "scale"
}

pub(crate) fn get(api: &Api, ask: &Ask) -> Result<Reply, Failure> {
    let scale = scale_of(&ask.kind, &decode(&ask.kind, &read(api, ask)?))?;
    Ok(ask.format.reply(StatusCode::OK, &scale))
}

pub(crate) async fn update(api: &Api, ask: &Ask, body: Parsed) -> Result<Reply, Failure> {
    let insists = !body.value.meta_str("resourceVersion").is_empty();
    change(api, ask, insists, |_| Ok(body.value.clone())).await
}

pub(crate) async fn patch(api: &Api, ask: &Ask, patch: &Patch) -> Result<Reply, Failure> {
    change(api, ask, patch.names_revision(), |scale| patch.apply(&ask.kind, scale)).await
}

async fn change(api: &Api, ask: &Ask, insists: bool, make: impl Fn(&Value) -> Result<Value, Failure>) -> Result<Reply, Failure> {
    let mut last = Failure::modified(&ask.kind, &ask.target.name);
    for _ in 0..TRIES {
        let stored = read(api, ask)?;
        let old = decode(&ask.kind, &stored);
        let new = scaled(&ask.kind, &old, &make(&scale_of(&ask.kind, &old)?)?)?;
        match write::replace(api, ask, &stored, new, &[], Origin::Sent).await {
            Ok(written) => {
                let reply = ask.format.reply(StatusCode::OK, &scale_of(&ask.kind, &written.object)?);
                return Ok(reply.warn(written.warnings));
            }
            Err(failure) if failure.is_conflict() && !insists => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

fn read(api: &Api, ask: &Ask) -> Result<Stored, Failure> {
    api.store.get(&ask.key()).ok_or_else(|| Failure::not_found(&ask.kind, &ask.target.name))
}

/// The object with as many replicas as `scale` says.
fn scaled(kind: &Kind, object: &Value, scale: &Value) -> Result<Value, Failure> {
    let expected = format!("{GROUP}/{VERSION}");
    for (field, expected) in [("apiVersion", expected.as_str()), ("kind", KIND)] {
        let said = scale.get(field).and_then(Value::as_str).unwrap_or(expected);
        if said != expected {
            return Err(Failure::bad_request(format!("the {field} in the data ({said}) does not match the expected {field} ({expected})")));
        }
    }
    let said = scale.meta_str("name");
    match said {
        "" => return Err(Failure::unnamed(object.name())),
        said if said != object.name() => return Err(Failure::misnamed(said, object.name())),
        _ => {}
    }
    if !scale.namespace().is_empty() && scale.namespace() != object.namespace() {
        return Err(Failure::misplaced());
    }
    let replicas = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => json!(0),
        Some(number) if number.as_i64().is_some_and(|number| number < 0) => {
            let message = format!("Invalid value: {number}: must be greater than or equal to 0");
            return Err(Failure::invalid_review_of(GROUP, KIND, object.name(), Cause::new("FieldValueInvalid", "spec.replicas", message)));
        }
        Some(number) if number.is_i64() || number.is_u64() => number.clone(),
        Some(other) => return Err(Failure::bad_request(format!("spec.replicas must be a whole number, not {other}"))),
    };
    let mut object = object.clone();
    put(&mut object, &places(kind)?.wanted, replicas);
    for field in ["uid", "resourceVersion"] {
        let said = scale.meta_str(field);
        if !said.is_empty() {
            object.meta_mut().insert(field.into(), said.into());
        }
    }
    Ok(object)
}

fn places(kind: &Kind) -> Result<&Replicas, Failure> {
    kind.scale.as_ref().ok_or_else(Failure::no_resource)
}

/// Sets a value at a pointer through objects; what stands in the way is replaced.
fn put(object: &mut Value, at: &str, value: Value) {
    let mut place = object;
    for step in at.split('/').skip(1) {
        place = as_map(place).entry(step).or_insert_with(empty);
    }
    *place = value;
}

fn scale_of(kind: &Kind, object: &Value) -> Result<Value, Failure> {
    let places = places(kind)?;
    let count = |at: &str| object.pointer(at).and_then(Value::as_i64);
    let wanted = match (count(&places.wanted), &places.selector) {
        (Some(wanted), _) => wanted,
        (None, Chosen::Object) => 0,
        (None, Chosen::Text(_)) => {
            let path = places.wanted.replace('/', ".");
            return Err(Failure::internal(format!("the spec replicas field \"{path}\" does not exist")));
        }
    };
    let meta = object.meta();
    let kept = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
    let meta: serde_json::Map<_, _> = kept.iter().filter_map(|key| Some(((*key).to_owned(), meta?.get(*key)?.clone()))).collect();
    let mut status = json!({ "replicas": count(&places.running).unwrap_or(0) });
    let selector = match &places.selector {
        Chosen::Object => crate::selector::written(object.pointer("/spec/selector")),
        Chosen::Text(at) if at.is_empty() => String::new(),
        Chosen::Text(at) => object.pointer(at).and_then(Value::as_str).unwrap_or("").to_owned(),
    };
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    Ok(json!({
        "kind": KIND, "apiVersion": format!("{GROUP}/{VERSION}"), "metadata": meta, "spec": { "replicas": wanted }, "status": status,
    }))
}
