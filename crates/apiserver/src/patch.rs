//! Patches: each type makes a new object of the old one; from there on a patch is an update.

use http::StatusCode;
use json_patch::PatchOperation;
use serde_json::Value;

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
        check_identity(&old, &new)?;
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
    Json(Vec<PatchOperation>),
    Merge(Value),
    Strategic(Value),
}

// === impl Patch ===

impl Patch {
    fn read(patch_type: PatchType, bytes: &[u8]) -> Result<Self, Failure> {
        let parsed = body::json(bytes)?;
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
                json_patch::patch(&mut new, operations).map_err(|error| Failure::unprocessable(error.to_string()))?;
            }
            Form::Merge(patch) => json_patch::merge(&mut new, patch),
            Form::Strategic(patch) => {
                strategic::merge(&mut new, patch, kind.rules.cursor()).map_err(Failure::bad_request)?;
            }
        }
        Ok(new)
    }
}

fn operations(value: Value) -> Result<Vec<PatchOperation>, Failure> {
    let operations: Vec<PatchOperation> =
        serde_json::from_value(value).map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    if operations.len() > OPERATIONS {
        return Err(Failure::too_large(OPERATIONS));
    }
    Ok(operations)
}

fn object(value: Value) -> Result<Value, Failure> {
    if value.is_object() { Ok(value) } else { Err(Failure::bad_request("the patch must be an object")) }
}

/// A patch may not make another object of this one.
fn check_identity(old: &Value, new: &Value) -> Result<(), Failure> {
    for (path, what) in [
        ("/apiVersion", "apiVersion"),
        ("/kind", "kind"),
        ("/metadata/name", "metadata.name"),
        ("/metadata/namespace", "metadata.namespace"),
    ] {
        if new.pointer(path) != old.pointer(path) {
            return Err(Failure::bad_request(format!("a patch cannot change {what}")));
        }
    }
    Ok(())
}
