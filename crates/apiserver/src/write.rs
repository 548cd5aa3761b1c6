//! Create and update, and what both do to an object before it is stored.
//!
//! ```text
//! body ─► identify ─► prepare (server's metadata, status apart) ─► prune ─► default ─► validate ─► admit ─► store
//! ```

use http::StatusCode;
use serde_json::{Map, Value};
use store::{Expect, Object as Stored, Op, Revision, WriteError};

use crate::api::{Api, Ask};
use crate::body::Parsed;
use crate::failure::{Cause, Failure};
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, encode, same_intent, set};
use crate::rbac::Attempt;
use crate::read::shaped;
use crate::reply::Reply;
use crate::request::{Query, Verb};
use crate::{apply, builtin, clock, crd, names, scale};

/// Group and plural of the kinds whose objects an update makes.
const MADE_BY_UPDATE: [(&str, &str); 9] = [
    ("", "endpoints"),
    ("", "events"),
    ("", "services"),
    ("coordination.k8s.io", "leases"),
    ("events.k8s.io", "events"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
];

/// What is done about fields that no schema knows and keys that come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    Ignore,
    Warn,
    Strict,
}

/// Where a new object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client sent it: what it changed is its own.
    Sent,
    /// An apply made it, and its managers are in it.
    Applied,
}

/// An object that was stored, and what the client should hear beside it.
pub(crate) struct Written {
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

impl Unknown {
    fn of(query: &Query, options: &str) -> Result<Self, Failure> {
        match query.get("fieldValidation") {
            None | Some("Warn") => Ok(Self::Warn),
            Some("Ignore") => Ok(Self::Ignore),
            Some("Strict") => Ok(Self::Strict),
            Some(other) => {
                let message = format!(r#"Unsupported value: {other:?}: supported values: "", "Ignore", "Strict", "Warn""#);
                Err(Failure::invalid_options(options, vec![Cause::new("FieldValueNotSupported", "fieldValidation", message)]))
            }
        }
    }
}

pub(crate) async fn create(api: &Api, ask: &Ask, body: Parsed) -> Result<Reply, Failure> {
    apply::check_options(ask, "CreateOptions", false)?;
    let written = create_object(api, ask, body, Origin::Sent).await?;
    let name = written.object.name().to_owned();
    Ok(shaped(ask, StatusCode::CREATED, written.object)?.warn(written.warnings).making(&name))
}

pub(crate) async fn create_object(api: &Api, ask: &Ask, body: Parsed, origin: Origin) -> Result<Written, Failure> {
    let Parsed { value: mut new, duplicates } = body;
    identify(&ask.kind, &mut new)?;
    let unreadable = names::check_replaced(&new);
    if !unreadable.is_empty() {
        return Err(Failure::undecodable(&ask.kind, &unreadable));
    }
    if !new.meta_str("resourceVersion").is_empty() {
        return Err(Failure::bad_request("resourceVersion should not be set on objects to be created"));
    }
    settle_namespace(ask, &mut new)?;
    guards(api, ask, &new)?;
    let generated = settle_name(&mut new);
    stamp(&ask.kind, &mut new);
    builtin::prepare_create(&ask.kind, &mut new);
    let mut warnings = shape(ask, &mut new, &duplicates)?;
    builtin::default(&ask.kind, &mut new);
    if origin == Origin::Sent {
        apply::track(ask, None, &mut new);
    }
    validate(api, ask, &new, None)?;
    warnings.extend(api.admit(ask, None, Some(&new))?);
    let name = new.name().to_owned();
    let key = ask.kind.key(&ask.target.namespace, &name);
    if ask.dry_run {
        if api.store.get(&key).is_some() {
            return Err(exists(api, ask, &key, &name));
        }
        return Ok(Written { object: new, warnings });
    }
    let revision = insert(api, ask, &key, &new, generated).await?;
    new.meta_mut().insert("resourceVersion".into(), revision.to_string().into());
    after(api, &ask.kind);
    Ok(Written { object: new, warnings })
}

async fn insert(api: &Api, ask: &Ask, key: &str, new: &Value, generated: bool) -> Result<Revision, Failure> {
    let (name, bytes) = (new.name(), encode(&ask.kind, new));
    loop {
        let mut ops = guards(api, ask, new)?;
        ops.push(Op::put(key, Expect::Absent, bytes.clone()));
        match api.store.write(ops).await {
            Ok(revision) => return Ok(revision),
            // A guard was changed in between: it is looked at again, and refuses if it must. The request's deadline
            // ends a race that does not.
            Err(WriteError::Conflict { .. } | WriteError::NotFound { .. }) => {}
            // Kubernetes asks the client to try again when the name it made up was taken.
            Err(WriteError::Exists { .. }) if generated => {
                return Err(Failure::conflict(&ask.kind, name, "the generated name was taken"));
            }
            Err(WriteError::Exists { .. }) => return Err(exists(api, ask, key, name)),
            Err(error) => return Err(Failure::storage(&error)),
        }
    }
}

fn exists(api: &Api, ask: &Ask, key: &str, name: &str) -> Failure {
    let going = api.store.get(key).is_some_and(|stored| decode(&ask.kind, &stored).is_deleting());
    if going { Failure::exists_still(&ask.kind, name) } else { Failure::exists(&ask.kind, name) }
}

/// What must still be so when a new object is stored: that its namespace, and the definition of its kind, are there
/// and stay. Otherwise it would be left behind when they go.
fn guards(api: &Api, ask: &Ask, new: &Value) -> Result<Vec<Op>, Failure> {
    let (kinds, mut checks) = (api.kinds(), Vec::new());
    let mut guard = |kind: &Kind, name: &str, going: Failure| {
        let key = kind.key("", name);
        let stored = api.store.get(&key).ok_or_else(|| Failure::not_found(kind, name))?;
        if decode(kind, &stored).is_deleting() {
            return Err(going);
        }
        checks.push(Op::check(key, Expect::Revision(stored.revision)));
        Ok(())
    };
    if ask.kind.namespaced {
        let namespace = &ask.target.namespace;
        let kind = kinds.find("", "v1", "namespaces").ok_or_else(Failure::no_resource)?;
        guard(kind, namespace, Failure::namespace_terminating(&ask.kind, new.name(), namespace))?;
    }
    if !ask.kind.is_builtin() {
        let kind = kinds.find(crd::GROUP, "v1", crd::PLURAL).ok_or_else(Failure::no_resource)?;
        guard(kind, &ask.kind.qualified_plural(), Failure::method_not_allowed())?;
    }
    Ok(checks)
}

pub(crate) async fn update(api: &Api, ask: &Ask, body: Parsed) -> Result<Reply, Failure> {
    apply::check_options(ask, "UpdateOptions", false)?;
    let Parsed { value: mut new, duplicates } = body;
    identify(&ask.kind, &mut new)?;
    let name = &ask.target.name;
    match new.name() {
        "" => return Err(Failure::unnamed(name)),
        other if other != name => return Err(Failure::misnamed(other, name)),
        _ => {}
    }
    // A client that names no revision means whatever is there; then a change in between is met with another try.
    let tries = if new.meta_str("resourceVersion").is_empty() { 5 } else { 1 };
    let mut last = Failure::modified(&ask.kind, name);
    for _ in 0..tries {
        let Some(old) = api.store.get(&ask.key()) else {
            return create_by_update(api, ask, Parsed { value: new, duplicates }).await;
        };
        match replace(api, ask, &old, new.clone(), &duplicates, Origin::Sent).await {
            Ok(written) => return Ok(shaped(ask, StatusCode::OK, written.object)?.warn(written.warnings)),
            Err(failure) if failure.is_conflict() => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

/// Makes what an update did not find, where Kubernetes does.
async fn create_by_update(api: &Api, ask: &Ask, body: Parsed) -> Result<Reply, Failure> {
    if !ask.target.subresource.is_empty() || !MADE_BY_UPDATE.contains(&(&*ask.kind.group, &*ask.kind.plural)) {
        return Err(Failure::not_found(&ask.kind, &ask.target.name));
    }
    // Who may change what is there may not therefore make it.
    api.allow(&ask.user, &Attempt::at(Verb::Create.as_str(), &ask.target, None))?;
    let Parsed { mut value, duplicates } = body;
    let uid = value.meta_str("uid");
    if !uid.is_empty() {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: ");
        return Err(Failure::conflict(&ask.kind, &ask.target.name, &why));
    }
    value.meta_mut().shift_remove("resourceVersion");
    let written = create_object(api, ask, Parsed { value, duplicates }, Origin::Sent).await?;
    Ok(shaped(ask, StatusCode::CREATED, written.object)?.warn(written.warnings))
}

/// Puts `new` in the place of `old`, as far as this request may change it.
pub(crate) async fn replace(
    api: &Api,
    ask: &Ask,
    stored: &Stored,
    new: Value,
    duplicates: &[String],
    origin: Origin,
) -> Result<Written, Failure> {
    let old = decode(&ask.kind, stored);
    let (mut new, mut warnings) = (new, Vec::new());
    settle_namespace(ask, &mut new)?;
    check_preconditions(&ask.kind, &old, &new)?;
    if ask.target.subresource == "finalize" {
        new = only(&old, &new, "spec");
    } else if scale::is_target(ask) {
        new = only(&old, &new, "spec");
        count_generation(&ask.kind, &old, &mut new);
    } else if ask.target.subresource == "status" {
        warnings.extend(shape(ask, &mut new, duplicates)?);
        ask.kind.rules.default(&mut new);
        let managers = new.meta_mut().shift_remove("managedFields").filter(|_| origin == Origin::Applied);
        new = only(&old, &new, "status");
        if managers.is_some() {
            set(new.meta_mut(), "managedFields", managers);
        }
    } else {
        keep_metadata(&old, &mut new);
        if ask.kind.status {
            set(as_map(&mut new), "status", old.get("status").cloned());
        }
        builtin::prepare_update(&ask.kind, &old, &mut new);
        warnings.extend(shape(ask, &mut new, duplicates)?);
        builtin::default(&ask.kind, &mut new);
        count_generation(&ask.kind, &old, &mut new);
    }
    if origin == Origin::Sent {
        apply::track(ask, Some(&old), &mut new);
    }
    apply::keep_times(&old, &mut new);
    validate(api, ask, &new, Some(&old))?;
    warnings.extend(api.admit(ask, Some(&old), Some(&new))?);
    let object = commit(api, ask, stored, &old, new).await?;
    Ok(Written { object, warnings })
}

/// Stores `new`, unless nothing changed; an object that waited only for its last finalizer goes.
async fn commit(api: &Api, ask: &Ask, stored: &Stored, old: &Value, mut new: Value) -> Result<Value, Failure> {
    let gone = new.is_deleting() && !new.has_finalizers() && !builtin::still_needed(&ask.kind, &new);
    let revision = old.meta_str("resourceVersion").to_owned();
    new.meta_mut().insert("resourceVersion".into(), revision.into());
    if (new == *old && !gone) || ask.dry_run {
        return Ok(new);
    }
    let (key, expect) = (ask.key(), Expect::Revision(stored.revision));
    let op = if gone { Op::delete(key, expect) } else { Op::put(key, expect, encode(&ask.kind, &new)) };
    let revision = api.store.write(vec![op]).await.map_err(|error| write_failure(&ask.kind, &ask.target.name, &error))?;
    new.meta_mut().insert("resourceVersion".into(), revision.to_string().into());
    after(api, &ask.kind);
    Ok(new)
}

/// What a definition says is served before its writer hears that it was written.
pub(crate) fn after(api: &Api, kind: &Kind) {
    if kind.is(crd::GROUP, crd::PLURAL) {
        crd::refresh(api);
    }
}

pub(crate) fn write_failure(kind: &Kind, name: &str, error: &WriteError) -> Failure {
    match error {
        WriteError::Conflict { .. } => Failure::modified(kind, name),
        WriteError::NotFound { .. } => Failure::not_found(kind, name),
        WriteError::Exists { .. } => Failure::exists(kind, name),
        error => Failure::storage(error),
    }
}

/// The body must be an object, and of this kind if it says of which.
pub(crate) fn identify(kind: &Kind, object: &mut Value) -> Result<(), Failure> {
    if !object.is_object() {
        return Err(Failure::bad_request("the body must be an object"));
    }
    if !object.get("metadata").is_none_or(|meta| meta.is_object() || meta.is_null()) {
        return Err(Failure::bad_request("metadata must be an object"));
    }
    for (field, expected) in [("apiVersion", &kind.api_version), ("kind", &kind.kind)] {
        let said = match object.get(field) {
            None | Some(Value::Null) => "",
            Some(Value::String(said)) => said,
            Some(other) => return Err(Failure::bad_request(format!("couldn't get version/kind; {field} must be a string, not {other}"))),
        };
        if !said.is_empty() && said != expected {
            let what = if field == "kind" { "kind" } else { "API version" };
            return Err(Failure::bad_request(format!("the {what} in the data ({said}) does not match the expected {what} ({expected})")));
        }
    }
    let map = as_map(object);
    map.insert("apiVersion".into(), kind.api_version.clone().into());
    map.insert("kind".into(), kind.kind.clone().into());
    Ok(())
}

fn settle_namespace(ask: &Ask, new: &mut Value) -> Result<(), Failure> {
    let namespace = &ask.target.namespace;
    let said = new.namespace();
    if !ask.kind.namespaced {
        if !said.is_empty() {
            let cause = Cause::new("FieldValueForbidden", "metadata.namespace", "Forbidden: not allowed on this type");
            return Err(Failure::invalid(&ask.kind, new.name(), vec![cause]));
        }
        return Ok(());
    }
    if namespace.is_empty() {
        return Err(Failure::bad_request("an empty namespace may not be set during creation"));
    }
    if !said.is_empty() && said != namespace {
        return Err(Failure::misplaced());
    }
    new.meta_mut().insert("namespace".into(), namespace.clone().into());
    Ok(())
}

/// Makes up a name where `generateName` asks for one; says whether it did.
fn settle_name(new: &mut Value) -> bool {
    let base = new.meta_str("generateName");
    if !new.name().is_empty() || base.is_empty() {
        return false;
    }
    let name = names::generate(base);
    new.meta_mut().insert("name".into(), name.into());
    true
}

/// The metadata that only the server writes.
fn stamp(kind: &Kind, new: &mut Value) {
    if kind.status {
        as_map(new).shift_remove("status");
    }
    let meta = new.meta_mut();
    for key in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"] {
        meta.shift_remove(key);
    }
    meta.insert("uid".into(), names::uid().into());
    meta.insert("creationTimestamp".into(), clock::now().into());
    if kind.counts_generations() {
        meta.insert("generation".into(), 1.into());
    }
}

/// An update that names another object of the same name, or an older state of this one, is refused.
fn check_preconditions(kind: &Kind, old: &Value, new: &Value) -> Result<(), Failure> {
    let (uid, is) = (new.meta_str("uid"), old.meta_str("uid"));
    if !uid.is_empty() && uid != is {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {is}");
        return Err(Failure::conflict(kind, old.name(), &why));
    }
    let revision = new.meta_str("resourceVersion");
    if !revision.is_empty() && revision != "0" && revision != old.meta_str("resourceVersion") {
        return Err(Failure::modified(kind, old.name()));
    }
    Ok(())
}

fn keep_metadata(old: &Value, new: &mut Value) {
    let meta = new.meta_mut();
    for key in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName", "selfLink"] {
        set(meta, key, old.meta().and_then(|meta| meta.get(key)).cloned());
    }
    meta.insert("name".into(), old.name().into());
}

/// `old` with one field of `new`.
fn only(old: &Value, new: &Value, field: &str) -> Value {
    let mut object = old.clone();
    set(as_map(&mut object), field, new.get(field).cloned());
    object
}

fn count_generation(kind: &Kind, old: &Value, new: &mut Value) {
    // What a Deployment's controller does, its annotations decide as well.
    let annotations = |object: &Value| object.meta().and_then(|meta| meta.get("annotations")).cloned();
    let annotated = kind.is("apps", "deployments") && annotations(old) != annotations(new);
    if kind.counts_generations() && (annotated || !same_intent(old, new, kind.status)) {
        let next = old.generation() + 1;
        new.meta_mut().insert("generation".into(), next.into());
    }
}

/// Takes away what the schema does not know, and says so as `fieldValidation` asks.
fn shape(ask: &Ask, new: &mut Value, duplicates: &[String]) -> Result<Vec<String>, Failure> {
    let level = Unknown::of(&ask.query, ask.verb.options())?;
    drop_empties(new.meta_mut());
    let unknown = ask.kind.rules.prune(new);
    let unknown = unknown.iter().map(|field| format!("unknown field \"{field}\""));
    let twice = duplicates.iter().map(|field| format!("duplicate field \"{field}\""));
    let wrong: Vec<String> = twice.chain(unknown).collect();
    match level {
        Unknown::Ignore => Ok(Vec::new()),
        // What a patch makes of an object was decoded before, so it is the patch that is wrong.
        Unknown::Strict if !wrong.is_empty() && ask.verb == Verb::Patch => {
            let message = format!("Invalid value: \"\": strict decoding error: {}", wrong.join(", "));
            Err(Failure::invalid_patch(Cause::new("FieldValueInvalid", "patch", message)))
        }
        Unknown::Strict if !wrong.is_empty() => Err(Failure::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
            ask.kind.kind,
            ask.kind.version,
            ask.kind.kind,
            wrong.join(", ")
        ))),
        Unknown::Warn | Unknown::Strict => Ok(wrong),
    }
}

/// `labels: null` and `labels: {}` mean none.
fn drop_empties(meta: &mut Map<String, Value>) {
    meta.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    });
}

fn validate(api: &Api, ask: &Ask, new: &Value, old: Option<&Value>) -> Result<(), Failure> {
    let kind = &ask.kind;
    let mut causes = names::check_metadata(kind, new, old);
    if causes.is_empty() {
        causes = kind.rules.validate(new, old);
    }
    // Kubernetes decodes a built-in object that is sent whole before it judges it.
    if kind.is_builtin() && ask.verb != Verb::Patch && causes.iter().any(|cause| cause.reason == "FieldValueTypeInvalid") {
        return Err(Failure::undecodable(kind, &causes));
    }
    if causes.is_empty() && kind.is(crd::GROUP, crd::PLURAL) {
        causes = crd::check(api, new);
    }
    if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(kind, new.name(), causes)) }
}
