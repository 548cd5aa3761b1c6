//! Server-side apply, and who set which field.
//!
//! ```text
//! config ─► check ─► merge with what is there ─► prune what was given up ─► conflicts? ─► write (as an update or a create)
//! any other write ─► track: what changed belongs to the writer
//! ```
//!
//! **Invariant:** what nobody holds is never taken away by an apply, nor what others hold.

mod fields;
mod managers;
#[cfg(test)]
mod tests;
mod typed;

use http::StatusCode;
use serde_json::Value;

use self::managers::{Apply, Conflict, Manager, Managers, Operation, Part};
use self::typed::Shape;
use crate::api::{Api, Ask};
use crate::body::{self, Parsed};
use crate::clock;
use crate::failure::{Cause, Failure};
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, empty, set};
use crate::rbac::Attempt;
use crate::read::shaped;
use crate::reply::Reply;
use crate::request::Verb;
use crate::write::{self, Origin};

const TRIES: usize = 5;
/// The longest name of a manager.
const LONGEST_NAME: usize = 128;
/// What client-side apply remembers.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager that takes over from client-side apply.
const KUBECTL: &str = "kubectl";

pub(crate) async fn apply(api: &Api, ask: &Ask, bytes: &[u8]) -> Result<Reply, Failure> {
    let Parsed { value: mut config, duplicates } = body::yaml(bytes)?;
    let said_namespace = config.namespace().to_owned();
    settle(ask, &mut config)?;
    check(ask, &config, &said_namespace)?;
    let insists = !config.meta_str("resourceVersion").is_empty();
    let mut last = Failure::modified(&ask.kind, &ask.target.name);
    for _ in 0..TRIES {
        let stored = api.store.get(&ask.key());
        let old = stored.as_ref().map(|stored| decode(&ask.kind, stored));
        let (code, written) = match (&stored, &old) {
            (Some(stored), Some(old)) => {
                let uid = config.meta_str("uid");
                if !uid.is_empty() && uid != old.meta_str("uid") {
                    return Err(Failure::another(&ask.kind, &ask.target.name, uid));
                }
                let new = onto(ask, old, &config)?;
                (StatusCode::OK, write::replace(api, ask, stored, new, &duplicates, Origin::Applied).await)
            }
            _ if !ask.target.subresource.is_empty() => return Err(Failure::not_found(&ask.kind, &ask.target.name)),
            _ if !config.meta_str("uid").is_empty() => return Err(Failure::another(&ask.kind, &ask.target.name, config.meta_str("uid"))),
            _ => {
                // Who may patch what is there may not therefore make it.
                api.allow(&ask.user, &Attempt::at(Verb::Create.as_str(), &ask.target, None))?;
                let mut new = onto(ask, &empty(), &config)?;
                // The state that was named is no more; Kubernetes makes the object all the same.
                new.meta_mut().shift_remove("resourceVersion");
                let body = Parsed { value: new, duplicates: duplicates.clone() };
                (StatusCode::CREATED, write::create_object(api, ask, body, Origin::Applied).await)
            }
        };
        match written {
            Ok(written) => return Ok(shaped(ask, code, written.object)?.warn(written.warnings)),
            // Someone else made it or changed it in between.
            Err(failure) if failure.code == StatusCode::CONFLICT && !insists => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

/// Makes a configuration of what was sent: of this object, and nothing but what this request may set.
fn settle(ask: &Ask, config: &mut Value) -> Result<(), Failure> {
    let said = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or("");
    let (version, kind) = (said("apiVersion"), said("kind"));
    if !(config.is_object() || config.is_null()) || version != ask.kind.api_version || kind != ask.kind.kind {
        let slash = if version.contains('/') { "" } else { "/" };
        return Err(Failure::bad_request(format!("invalid object type: {slash}{version}, Kind={kind}")));
    }
    write::identify(&ask.kind, config)?;
    let (name, said) = (&ask.target.name, config.name());
    if !said.is_empty() && said != name {
        return Err(Failure::misnamed(said, name));
    }
    let meta = config.meta_mut();
    if meta.get("managedFields").is_some_and(|managers| managers.as_array().is_none_or(|list| !list.is_empty()) && !managers.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    for field in ["managedFields", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"] {
        meta.shift_remove(field);
    }
    meta.insert("name".into(), name.clone().into());
    if ask.kind.namespaced && config.namespace().is_empty() {
        config.meta_mut().insert("namespace".into(), ask.target.namespace.clone().into());
    }
    match part(ask) {
        Part::All => {}
        Part::AllButStatus => set(as_map(config), "status", None),
        Part::Only(field) => {
            as_map(config).retain(|name, _| ["apiVersion", "kind", "metadata", field].contains(&name.as_str()));
            config.meta_mut().retain(|name, _| ["name", "namespace", "uid", "resourceVersion"].contains(&name.as_str()));
        }
    }
    Ok(())
}

fn check(ask: &Ask, config: &Value, said_namespace: &str) -> Result<(), Failure> {
    let wrong = shape(ask).check(config);
    if wrong.is_empty() {
        return Ok(());
    }
    let Kind { group, version, kind, .. } = &*ask.kind;
    let (namespace, name) = (said_namespace, &ask.target.name);
    let wrong = wrong.join("\n");
    Err(Failure::bad_request(format!("failed to create typed patch object ({namespace}/{name}; {group}/{version}, Kind={kind}): {wrong}")))
}

/// What `old` becomes when `config` is applied to it.
fn onto(ask: &Ask, old: &Value, config: &Value) -> Result<Value, Failure> {
    let (shape, part, now) = (shape(ask), part(ask), clock::now());
    let manager = manager(ask, Operation::Apply);
    let mut managers = Managers::read(&ask.kind, old).unwrap_or_default();
    managers.settle(shape);
    if managers.is_empty() && old.meta().is_some() {
        managers.begin(shape, old, &ask.kind.api_version, part, &now);
    }
    let mut live = old.clone();
    live.meta_mut().shift_remove("managedFields");
    let force = ask.query.is_true("force");
    let apply = Apply { shape, live: &live, config, manager: &manager, part, force, now: &now };
    let mut new = match managers.apply(&apply) {
        Ok(new) => new,
        Err(conflicts) => {
            let left = left_of(ask, shape, &live, conflicts);
            if !left.is_empty() {
                return Err(failure(&left));
            }
            managers.apply(&Apply { force: true, ..apply }).map_err(|conflicts| failure(&conflicts))?
        }
    };
    remember(ask, &live, config, &mut new);
    managers.write(&ask.kind, &mut new);
    Ok(new)
}

/// The conflicts that are none when `kubectl` applies what `kubectl` applied from the client before.
fn left_of(ask: &Ask, shape: Shape<'_>, live: &Value, mut conflicts: Vec<Conflict>) -> Vec<Conflict> {
    let text = live["metadata"]["annotations"][LAST_APPLIED].as_str().filter(|_| manager(ask, Operation::Apply).name == KUBECTL);
    let Some(last) = text.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return conflicts };
    if last["apiVersion"] != *ask.kind.api_version {
        return conflicts;
    }
    let difference = shape.compare(&last, live);
    let allowed = shape.fields(&last).without(&difference.modified).without(&difference.added).without(&difference.removed);
    for conflict in &mut conflicts {
        conflict.fields = conflict.fields.without(&allowed);
    }
    conflicts.retain(|conflict| !conflict.fields.is_empty());
    conflicts
}

/// Keeps what client-side apply remembers up to date, where it was used before.
fn remember(ask: &Ask, live: &Value, config: &Value, new: &mut Value) {
    let used = live["metadata"]["annotations"][LAST_APPLIED].as_str().is_some_and(|text| !text.is_empty());
    if !used || manager(ask, Operation::Apply).name != KUBECTL || !ask.target.subresource.is_empty() {
        return;
    }
    let mut last = config.clone();
    if let Some(annotations) = last.meta_mut().get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(LAST_APPLIED);
    }
    last.sort_all_objects();
    let annotations = new.meta_mut().entry("annotations").or_insert_with(empty);
    as_map(annotations).insert(LAST_APPLIED.into(), format!("{last}\n").into());
}

fn failure(conflicts: &[Conflict]) -> Failure {
    let causes = conflicts.iter().flat_map(|Conflict { holder, fields }| {
        fields.paths().into_iter().map(move |path| Cause::new("FieldManagerConflict", path, format!("conflict with {holder}")))
    });
    let causes: Vec<Cause> = causes.collect();
    let message = match causes.as_slice() {
        [one] => format!("Apply failed with 1 conflict: {}: {}", one.message, one.field),
        many => {
            let lines = conflicts.iter().flat_map(|Conflict { holder, fields }| {
                let paths = fields.paths().into_iter().map(|path| format!("- {path}"));
                std::iter::once(format!("conflicts with {holder}:")).chain(paths)
            });
            format!("Apply failed with {} conflicts: {}", many.len(), lines.collect::<Vec<_>>().join("\n"))
        }
    };
    Failure::apply_conflict(message, causes)
}

/// Gives what a create, an update or a patch changed to its writer.
pub(crate) fn track(ask: &Ask, old: Option<&Value>, new: &mut Value) {
    let (shape, nothing) = (shape(ask), empty());
    let old = old.unwrap_or(&nothing);
    let before = |object: &Value| Managers::read(&ask.kind, object);
    let mut managers = if !ask.target.subresource.is_empty() {
        before(old).unwrap_or_default()
    } else if is_reset(new) {
        Managers::default()
    } else {
        // Who does not know managers must not lose them.
        before(new).or_else(|| before(old)).unwrap_or_default()
    };
    managers.settle(shape);
    let manager = manager(ask, Operation::Update);
    managers.update(shape, old, new, &manager, part(ask), &clock::now());
    managers.write(&ask.kind, new);
}

/// An empty list, or one empty entry, asks to forget all managers.
fn is_reset(object: &Value) -> bool {
    let managers = object.meta().and_then(|meta| meta.get("managedFields")).and_then(Value::as_array);
    managers.is_some_and(|list| list.is_empty() || list.len() == 1 && list[0].as_object().is_some_and(serde_json::Map::is_empty))
}

/// A write that changes nothing but the times of managers is no write.
pub(crate) fn keep_times(old: &Value, new: &mut Value) {
    let managers = |object: &Value| object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let (before, now) = (managers(old), managers(new));
    let timeless = |list: &[Value]| {
        let mut list = list.to_vec();
        list.iter_mut().for_each(|entry| set(as_map(entry), "time", None));
        list
    };
    let is_in = |entry: &Value| timeless(&before).contains(entry);
    if before == now || before.len() != now.len() || !timeless(&now).iter().all(is_in) {
        return;
    }
    let rest = |object: &Value| {
        let mut object = object.clone();
        object.meta_mut().retain(|field, _| !["managedFields", "resourceVersion"].contains(&field.as_str()));
        object
    };
    if rest(old) == rest(new) {
        new.meta_mut().insert("managedFields".into(), before.into());
    }
}

fn shape(ask: &Ask) -> Shape<'_> {
    Shape::new(ask.kind.rules.cursor())
}

fn part(ask: &Ask) -> Part {
    match ask.target.subresource.as_str() {
        "status" => Part::Only("status"),
        "finalize" | "scale" => Part::Only("spec"),
        _ if ask.kind.status => Part::AllButStatus,
        _ => Part::All,
    }
}

fn manager(ask: &Ask, operation: Operation) -> Manager {
    let named = ask.query.get("fieldManager").map(str::to_owned);
    Manager {
        name: named.unwrap_or_else(|| from_agent(&ask.agent)),
        operation,
        api_version: ask.kind.api_version.clone(),
        subresource: ask.target.subresource.clone(),
    }
}

/// `kubectl` of `kubectl/v1.34.0 (linux/amd64)`.
fn from_agent(agent: &str) -> String {
    let name: String = agent.split('/').next().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
    let end = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST_NAME).last();
    if name.trim().is_empty() { "unknown".into() } else { name[..end.unwrap_or(0)].to_owned() }
}

/// Refuses options of a write that name no manager, or a wrong one.
pub(crate) fn check_options(ask: &Ask, options: &str, applies: bool) -> Result<(), Failure> {
    let wrong =
        |reason: &str, field: &str, message: String| Err(Failure::invalid_options(options, vec![Cause::new(reason, field, message)]));
    match ask.query.get("fieldManager") {
        None if applies => wrong("FieldValueRequired", "fieldManager", "Required value: is required for apply patch".into()),
        Some(name) if name.len() > LONGEST_NAME => {
            wrong("FieldValueTooLong", "fieldManager", format!("Too long: may not be more than {LONGEST_NAME} bytes"))
        }
        Some(name) if name.chars().any(char::is_control) => {
            let (at, c) = name.char_indices().find(|(_, c)| c.is_control()).unwrap_or_default();
            let what = format!("invalid character U+{:04X} (at position {at})", u32::from(c));
            wrong("FieldValueInvalid", "fieldManager", format!("Invalid value: {name:?}: {what}"))
        }
        _ if !applies && ask.query.get("force").is_some() => {
            wrong("FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch".into())
        }
        _ => Ok(()),
    }
}
