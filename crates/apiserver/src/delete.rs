//! Delete, of one object and of a collection.

use futures::StreamExt;
use http::StatusCode;
use serde_json::{Value, json};
use store::{Expect, Object as Stored, Op};

use crate::api::{Api, Ask};
use crate::body::Parsed;
use crate::builtin::BASIC_NAMESPACES;
use crate::failure::{Cause, Failure};
use crate::object::{Object, decode, encode};
use crate::read::{selector, shaped};
use crate::reply::Reply;
use crate::write::write_failure;
use crate::{garbage, lifecycle, listing, request};

const OPTIONS: &str = "DeleteOptions";

/// What a delete asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    uid: Option<String>,
    revision: Option<String>,
    dry_run: bool,
    dependents: Dependents,
}

/// What becomes of what the object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dependents {
    /// They go when it is gone.
    #[default]
    After,
    /// It goes when they are gone.
    Before,
    Stay,
}

/// What became of an object.
enum Deleted {
    Gone,
    /// It stays until its finalizers are done.
    Waiting,
}

/// What the body asks for; what the query does, where there is none.
///
/// # Errors
/// For whatever is not understood: a delete that does something else than was meant cannot be taken back.
pub(crate) fn options(ask: &Ask, body: Parsed) -> Result<Options, Failure> {
    let value = if body.value.is_null() { of_query(ask)? } else { body.value };
    check_types(&value)?;
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) = text("/kind").filter(|kind| kind != "DeleteOptions") {
        return Err(Failure::bad_request(format!("the body must be DeleteOptions, not {kind}")));
    }
    let said: Vec<String> = value["dryRun"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let dry_run = request::dry_run(&said, OPTIONS)?;
    let policy = text("/propagationPolicy");
    let wrong = |reason: &str, message: String| Failure::invalid_options(OPTIONS, vec![Cause::new(reason, "propagationPolicy", message)]);
    match &policy {
        Some(policy) if !value["orphanDependents"].is_null() => {
            let what = "orphanDependents and deletionPropagation cannot be both set";
            return Err(wrong("FieldValueInvalid", format!("Invalid value: {policy:?}: {what}")));
        }
        Some(policy) if !["Orphan", "Background", "Foreground"].contains(&policy.as_str()) => {
            let known = r#""Foreground", "Background", "Orphan", "nil""#;
            return Err(wrong("FieldValueNotSupported", format!("Unsupported value: {policy:?}: supported values: {known}")));
        }
        _ => {}
    }
    let dependents = match policy.as_deref() {
        Some("Orphan") => Dependents::Stay,
        Some("Foreground") => Dependents::Before,
        _ if value["orphanDependents"] == true => Dependents::Stay,
        _ => Dependents::After,
    };
    Ok(Options { uid: text("/preconditions/uid"), revision: text("/preconditions/resourceVersion"), dry_run, dependents })
}

fn of_query(ask: &Ask) -> Result<Value, Failure> {
    let mut value = json!({});
    for field in ["propagationPolicy", "orphanDependents"] {
        match ask.query.get(field) {
            Some(_) if field == "orphanDependents" => value[field] = ask.query.is_true(field).into(),
            Some(text) => value[field] = text.into(),
            None => {}
        }
    }
    ask.query.count("gracePeriodSeconds")?;
    Ok(value)
}

fn check_types(value: &Value) -> Result<(), Failure> {
    let fits = |pointer: &str, fits: fn(&Value) -> bool| value.pointer(pointer).is_none_or(|value| value.is_null() || fits(value));
    let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    let is = |name: &str, fits: bool| if fits { None } else { Some(name.to_owned()) };
    let wrong = [
        is("the body", value.is_object()),
        is("kind", fits("/kind", Value::is_string)),
        is("apiVersion", fits("/apiVersion", Value::is_string)),
        is("dryRun", fits("/dryRun", texts)),
        is("gracePeriodSeconds", fits("/gracePeriodSeconds", Value::is_i64)),
        is("orphanDependents", fits("/orphanDependents", Value::is_boolean)),
        is("propagationPolicy", fits("/propagationPolicy", Value::is_string)),
        is("preconditions", fits("/preconditions", Value::is_object)),
        is("preconditions.uid", fits("/preconditions/uid", Value::is_string)),
        is("preconditions.resourceVersion", fits("/preconditions/resourceVersion", Value::is_string)),
    ];
    match wrong.into_iter().flatten().next() {
        Some(field) => Err(Failure::bad_request(format!("{OPTIONS} cannot be read: {field} is of another type"))),
        None => Ok(()),
    }
}

pub(crate) async fn one(api: &Api, ask: &Ask, options: Options) -> Result<Reply, Failure> {
    let name = &ask.target.name;
    if ask.kind.is("", "namespaces") && BASIC_NAMESPACES.contains(&name.as_str()) {
        return Err(Failure::forbidden(&ask.kind, name, "this namespace may not be deleted"));
    }
    let mut last = Failure::modified(&ask.kind, name);
    for _ in 0..5 {
        let stored = api.store.get(&ask.key()).ok_or_else(|| Failure::not_found(&ask.kind, name))?;
        match remove(api, ask, &options, &stored).await {
            Ok((Deleted::Waiting, object)) => return shaped(ask, StatusCode::OK, object),
            Ok((Deleted::Gone, object)) => return Ok(ask.format.reply(StatusCode::OK, &success(ask, &object))),
            Err(failure) if failure.is_conflict() && options.revision.is_none() && options.uid.is_none() => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

pub(crate) async fn collection(api: &Api, ask: &Ask, options: Options) -> Result<Reply, Failure> {
    listing::check(ask)?;
    let selector = selector(ask)?;
    let (revision, stored) = api.store.list(&ask.kind.keys_in(&ask.target.namespace));
    let options = &options;
    let selected = stored.into_iter().map(|(_, stored)| stored).filter(|stored| selector.matches(&decode(&ask.kind, stored)));
    let removals = selected.map(|stored| async move { remove(api, ask, options, &stored).await });
    let mut removed = futures::stream::iter(removals).buffered(lifecycle::AT_ONCE);
    let mut items = Vec::new();
    while let Some(removed) = removed.next().await {
        match removed {
            Ok((_, object)) => items.push(object),
            // Someone else changed or deleted it in between: what was selected is no more.
            Err(failure) if failure.is_conflict() || failure.code == StatusCode::NOT_FOUND => {}
            Err(failure) => return Err(failure),
        }
    }
    let list = json!({
        "kind": ask.kind.list_kind, "apiVersion": ask.kind.api_version,
        "metadata": { "resourceVersion": revision.to_string() }, "items": items,
    });
    Ok(ask.format.reply(StatusCode::OK, &list))
}

async fn remove(api: &Api, ask: &Ask, options: &Options, stored: &Stored) -> Result<(Deleted, Value), Failure> {
    let mut object = decode(&ask.kind, stored);
    check(ask, options, &object)?;
    api.admit(ask, Some(&object), None)?;
    if options.dependents == Dependents::Before {
        garbage::wait_for_dependents(&mut object);
    }
    let waits = object.has_finalizers() || crate::builtin::still_needed(&ask.kind, &object);
    let key = ask.kind.key(object.namespace(), object.name());
    let expect = Expect::Revision(stored.revision);
    let mut op = if !waits {
        Op::delete(key.clone(), expect)
    } else if object.is_deleting() && options.dependents != Dependents::Before {
        return Ok((Deleted::Waiting, object));
    } else {
        lifecycle::mark(&mut object);
        if ask.kind.is("", "namespaces") {
            object["status"]["phase"] = "Terminating".into();
        }
        Op::put(key.clone(), expect, encode(&ask.kind, &object))
    };
    if !(ask.dry_run || options.dry_run) {
        if options.dependents == Dependents::Stay {
            if !waits {
                // Who keeps what it owns must see that it goes, or makes it the owner again.
                let mut going = object.clone();
                lifecycle::mark(&mut going);
                let marked = api.store.write(vec![Op::put(key.clone(), expect, encode(&ask.kind, &going))]).await;
                let marked = marked.map_err(|error| write_failure(&ask.kind, object.name(), &error))?;
                op = Op::delete(key, Expect::Revision(marked));
            }
            garbage::orphan(api, object.meta_str("uid")).await;
        }
        let revision = api.store.write(vec![op]).await;
        let revision = revision.map_err(|error| write_failure(&ask.kind, object.name(), &error))?;
        object.meta_mut().insert("resourceVersion".into(), revision.to_string().into());
        crate::write::after(api, &ask.kind);
    }
    Ok((if waits { Deleted::Waiting } else { Deleted::Gone }, object))
}

fn check(ask: &Ask, options: &Options, object: &Value) -> Result<(), Failure> {
    for (wanted, field, what, happened) in
        [(&options.uid, "uid", "UID", "deleted and then recreated"), (&options.revision, "resourceVersion", "ResourceVersion", "modified")]
    {
        let is = object.meta_str(field);
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != is) {
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({is}). The object might have been {happened}"
            );
            return Err(Failure::conflict_of_kind(&ask.kind, object.name(), &why));
        }
    }
    Ok(())
}

fn success(ask: &Ask, object: &Value) -> Value {
    let mut details = json!({ "name": object.name() });
    if !ask.kind.group.is_empty() {
        details["group"] = ask.kind.group.clone().into();
    }
    details["kind"] = ask.kind.plural.clone().into();
    details["uid"] = object.meta_str("uid").into();
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
