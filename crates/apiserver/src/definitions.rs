//! Definitions that are there from the start.
//!
//! **Invariant:** a definition that a user wrote or changed is left as it is.

use serde_json::{Value, json};
use store::{Expect, Op, WriteError};

use crate::api::Api;
use crate::kinds::Kind;
use crate::object::{Object, decode, empty, encode};
use crate::{builtin, clock, crd, names, openapi};

/// The hash of the `spec` that this program wrote: as long as it fits, nobody else has changed it.
const MARK: &str = "paifang.dev/definition";

/// Stores the definitions that are missing, and those of ours that have a newer text.
pub(crate) async fn install(api: &Api, definitions: &[Value]) -> Result<(), WriteError> {
    let kinds = api.kinds();
    let Some(kind) = kinds.find(crd::GROUP, "v1", crd::PLURAL) else { return Ok(()) };
    let wanted: Vec<Op> = definitions.iter().filter_map(|definition| put(api, kind, definition.clone())).collect();
    if !wanted.is_empty() {
        api.store.write(wanted).await?;
        crd::refresh(api);
    }
    Ok(())
}

fn put(api: &Api, kind: &Kind, mut new: Value) -> Option<Op> {
    builtin::prepare_create(kind, &mut new);
    builtin::default(kind, &mut new);
    let mark = hash(&new);
    let key = kind.key("", new.name());
    let Some(stored) = api.store.get(&key) else {
        let meta = new.meta_mut();
        meta.insert("uid".into(), names::uid().into());
        meta.insert("creationTimestamp".into(), clock::now().into());
        meta.insert("generation".into(), 1.into());
        set_mark(&mut new, &mark);
        return Some(Op::put(key, Expect::Absent, encode(kind, &new)));
    };
    let mut old = decode(kind, &stored);
    let said = old["metadata"]["annotations"][MARK].as_str().unwrap_or("");
    if old.is_deleting() || said != hash(&old) || said == mark {
        return None;
    }
    let generation = old.generation() + 1;
    old["spec"] = new["spec"].take();
    old.meta_mut().insert("generation".into(), generation.into());
    set_mark(&mut old, &mark);
    crd::establish(&mut old);
    Some(Op::put(key, Expect::Revision(stored.revision), encode(kind, &old)))
}

fn hash(definition: &Value) -> String {
    let mut spec = definition["spec"].clone();
    spec.sort_all_objects();
    openapi::hash(spec.to_string().as_bytes())
}

fn set_mark(definition: &mut Value, mark: &str) {
    let annotations = definition.meta_mut().entry("annotations").or_insert_with(empty);
    annotations[MARK] = json!(mark);
}
