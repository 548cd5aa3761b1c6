//! Patches: each type makes a new object of the old one; from there on a patch is an update.

mod operations;

use http::StatusCode;
use serde_json::{Map, Value};

use self::operations::Operation;

use crate::api::{Api, Ask};
use crate::body;
use crate::failure::Failure;
use crate::kinds::Kind;
use crate::object::{Object, decode};
use crate::read::shaped;
use crate::reply::Reply;
use crate::write::{self, Origin};
use crate::{apply, scale, strategic, table};

/// How a patch is written. The reference table says which kinds take which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' merge patch that knows how lists of the built-in kinds merge.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// Operations in one JSON patch.
const OPERATIONS: usize = 10_000;
const TRIES: usize = 5;

// === impl PatchType ===

impl PatchType {
    pub const ALL: [Self; 4] = [Self::Json, Self::Merge, Self::Strategic, Self::Apply];

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    /// As the reference writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Merge => "merge",
            Self::Strategic => "strategic",
            Self::Apply => "apply",
        }
    }

    fn of(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.media_type() == media_type)
    }
}

/// Refuses a patch type that is not taken here, before the body is read.
pub(crate) fn check_media(ask: &Ask, media_type: &str) -> Result<PatchType, Failure> {
    let taken = table::patches(&ask.kind, &ask.target.subresource);
    PatchType::of(media_type).filter(|patch| taken.contains(patch)).ok_or_else(|| {
        let taken: Vec<&str> = taken.iter().map(|patch| patch.media_type()).collect();
        Failure::unsupported_media(&taken.join(", "))
    })
}

pub(crate) async fn patch(api: &Api, ask: &Ask, media_type: &str, bytes: &[u8]) -> Result<Reply, Failure> {
    let name = &ask.target.name;
    let patch_type = check_media(ask, media_type)?;
    apply::check_options(ask, "PatchOptions", patch_type == PatchType::Apply)?;
    if patch_type == PatchType::Apply {
        return apply::apply(api, ask, bytes).await;
    }
    let patch = Patch::read(patch_type, bytes)?;
    if scale::is_target(ask) {
        return scale::patch(api, ask, &patch).await;
    }
    let mut last = Failure::modified(&ask.kind, name);
    for _ in 0..TRIES {
        let stored = api.store.get(&ask.key()).ok_or_else(|| Failure::not_found(&ask.kind, name))?;
        let old = decode(&ask.kind, &stored);
        let new = patch.apply(&ask.kind, &old)?;
        let new = identified(ask, &old, new)?;
        // The old revision came along in `new`; another one can only stand there because the patch says so.
        let insists = new.meta_str("resourceVersion") != old.meta_str("resourceVersion");
        match write::replace(api, ask, &stored, new, &patch.duplicates, Origin::Sent).await {
            Ok(written) => return Ok(shaped(ask, StatusCode::OK, written.object)?.warn(written.warnings)),
            Err(failure) if failure.is_conflict() && !insists && !patch.names_revision => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

pub(crate) struct Patch {
    form: Form,
    duplicates: Vec<String>,
    names_revision: bool,
}

enum Form {
    Json(Vec<Operation>),
    Merge(Value),
    Strategic(Value),
}

// === impl Patch ===

impl Patch {
    fn read(patch_type: PatchType, bytes: &[u8]) -> Result<Self, Failure> {
        let parsed = body::json(bytes).map_err(|failure| failure.of_patch())?;
        let names_revision = parsed.value.pointer("/metadata/resourceVersion").is_some();
        let form = match patch_type {
            PatchType::Json => Form::Json(operations(parsed.value)?),
            PatchType::Merge => Form::Merge(object(parsed.value)?),
            PatchType::Strategic => Form::Strategic(object(parsed.value)?),
            PatchType::Apply => return Err(Failure::bad_request("an apply is no patch of what is there")),
        };
        Ok(Self { form, duplicates: parsed.duplicates, names_revision })
    }

    /// Whether it says which state of the object it is for.
    pub(crate) fn names_revision(&self) -> bool {
        self.names_revision
    }

    pub(crate) fn apply(&self, kind: &Kind, old: &Value) -> Result<Value, Failure> {
        let mut new = old.clone();
        match &self.form {
            Form::Json(operations) => {
                operations::apply(&mut new, operations).map_err(Failure::unprocessable)?;
            }
            Form::Merge(patch) => json_patch::merge(&mut new, patch),
            Form::Strategic(patch) => {
                strategic::merge(&mut new, patch, kind.rules.cursor()).map_err(Failure::bad_request)?;
            }
        }
        Ok(new)
    }
}

fn operations(value: Value) -> Result<Vec<Operation>, Failure> {
    let wrong = |what: &str| Failure::bad_request(format!("error decoding patch: {what}"));
    let list = match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        _ => return Err(wrong("it must be a list of operations")),
    };
    if list.len() > OPERATIONS {
        let count = list.len();
        return Err(Failure::larger_than(format!("The allowed maximum operations in a JSON patch is {OPERATIONS}, got {count}")));
    }
    let read = |operation: &Value| match operation {
        Value::Object(operation) => Ok(Operation::read(operation)),
        Value::Null => Ok(Operation::read(&Map::new())),
        _ => Err(wrong("an operation must be an object")),
    };
    list.iter().map(read).collect()
}

fn object(value: Value) -> Result<Value, Failure> {
    if value.is_object() { Ok(value) } else { Err(Failure::bad_request("error decoding patch: it must be an object")) }
}

/// A patch may not make another object of this one. What it takes away of what says which kind this is comes back.
fn identified(ask: &Ask, old: &Value, mut new: Value) -> Result<Value, Failure> {
    if !new.is_object() {
        return Err(Failure::unprocessable("what is left is no object"));
    }
    write::identify(&ask.kind, &mut new)?;
    let name = &ask.target.name;
    match new.name() {
        "" => return Err(Failure::unnamed(name)),
        said if said != name => return Err(Failure::misnamed(said, name)),
        _ => {}
    }
    if !new.namespace().is_empty() && new.namespace() != old.namespace() {
        return Err(Failure::misplaced());
    }
    let uid = new.meta_str("uid");
    if !uid.is_empty() && uid != old.meta_str("uid") {
        return Err(Failure::another(&ask.kind, name, uid));
    }
    Ok(new)
}
