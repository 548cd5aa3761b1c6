//! Who set which field: `metadata.managedFields`, and how a write changes it.
//!
//! Follows Kubernetes' structured-merge-diff. All versions of a kind are stored as one, so a field is the same in each.
//!
//! **Invariant:** after a write no manager holds a field that the object lost, and a manager that holds nothing is not there.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::typed::Shape;
use crate::kinds::Kind;
use crate::object::Object;

/// Entries of `Update` in one object; the oldest of more become one.
const UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";
/// Holds what was there before anyone applied.
const BEFORE: &str = "before-first-apply";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) api_version: String,
    pub(super) subresource: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    manager: Manager,
    time: String,
    fields: Fields,
}

/// The managers of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Managers(Vec<Entry>);

/// Fields that an apply would take from others.
#[derive(Debug)]
pub(super) struct Conflict {
    /// As Kubernetes names it: `"kubectl" using v1`.
    pub(super) holder: String,
    pub(super) fields: Fields,
}

/// What a request may write; nobody holds the rest by it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The status is a subresource.
    AllButStatus,
    All,
    Only(&'static str),
}

// === impl Manager ===

impl Manager {
    /// One who applies is the same in every version.
    fn is(&self, other: &Self) -> bool {
        let version = self.operation == Operation::Apply || self.api_version == other.api_version;
        self.name == other.name && self.operation == other.operation && self.subresource == other.subresource && version
    }
}

// === impl Part ===

impl Part {
    /// Without the fields that this part does not have and those that only the server writes.
    pub(super) fn of(self, mut fields: Fields) -> Fields {
        match self {
            Self::All => {}
            Self::AllButStatus => {
                fields.0.remove("f:status");
            }
            Self::Only(field) => fields.0.retain(|step, _| step.strip_prefix("f:") == Some(field)),
        }
        fields.0.remove("f:apiVersion");
        fields.0.remove("f:kind");
        if let Some(mut meta) = fields.0.remove("f:metadata") {
            meta.held = false;
            for name in [
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            ] {
                meta.below.0.remove(&super::fields::field(name));
            }
            fields.put("f:metadata".into(), meta);
        }
        fields
    }
}

// === impl Managers ===

impl Managers {
    /// `None` when there are none, or when one of them cannot be read.
    pub(super) fn read(kind: &Kind, object: &Value) -> Option<Self> {
        let entries = object.meta()?.get("managedFields")?.as_array().filter(|entries| !entries.is_empty())?;
        let mut managers = Self::default();
        for entry in entries.iter().map(read_entry) {
            let mut entry = entry?;
            let version = entry.manager.api_version.clone();
            entry.fields.rename(|name| crate::events::renamed(&version, &kind.api_version, name));
            managers.0.retain(|known| !known.manager.is(&entry.manager));
            managers.0.push(entry);
        }
        Some(managers)
    }

    /// Writes them into `object`, in Kubernetes' order.
    pub(super) fn write(mut self, kind: &Kind, object: &mut Value) {
        self.0.retain(|entry| !entry.fields.is_empty());
        for entry in &mut self.0 {
            entry.fields.rename(|name| crate::events::renamed(&kind.api_version, &entry.manager.api_version, name));
        }
        let order = |entry: &Entry| {
            let Manager { name, operation, api_version, subresource } = entry.manager.clone();
            (operation, entry.time.clone(), name, api_version, subresource)
        };
        self.0.sort_by_cached_key(order);
        let list: Vec<Value> = self.0.iter().map(write_entry).collect();
        let meta = object.meta_mut();
        crate::object::set(meta, "managedFields", (!list.is_empty()).then(|| list.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn settle(&mut self, shape: Shape<'_>) {
        self.0.iter_mut().for_each(|entry| entry.fields = shape.settle(&entry.fields));
    }

    fn fields_of(&self, manager: &Manager) -> Option<&Fields> {
        self.0.iter().find(|entry| entry.manager.is(manager)).map(|entry| &entry.fields)
    }

    fn set(&mut self, manager: &Manager, fields: Fields, now: &str) {
        self.0.retain(|entry| !entry.manager.is(manager));
        self.0.push(Entry { manager: manager.clone(), time: now.to_owned(), fields });
    }

    /// `manager` wrote `new` over `old`: what it changed is its own from now on.
    pub(super) fn update(&mut self, shape: Shape<'_>, old: &Value, new: &Value, manager: &Manager, part: Part, now: &str) {
        let difference = shape.compare(old, new);
        let changed = part.of(difference.added.union(&difference.modified));
        for entry in &mut self.0 {
            entry.fields = entry.fields.without(&difference.removed);
            if !entry.manager.is(manager) {
                entry.fields = entry.fields.without(&changed);
            }
        }
        if !changed.is_empty() {
            let before = self.fields_of(manager).cloned().unwrap_or_default();
            self.set(manager, before.union(&changed), now);
        }
        self.cap();
    }

    /// Whatever `live` holds without a manager was there before the first apply.
    pub(super) fn begin(&mut self, shape: Shape<'_>, live: &Value, api_version: &str, part: Part, now: &str) {
        let (name, operation) = (BEFORE.to_owned(), Operation::Update);
        let manager = Manager { name, operation, api_version: api_version.to_owned(), subresource: String::new() };
        self.update(shape, &Value::Object(Map::new()), live, &manager, part, now);
    }

    /// The object that comes of `manager` applying `config`; what it gave up and nobody else holds goes.
    ///
    /// # Errors
    /// The fields of others that `config` would change, unless `force`.
    pub(super) fn apply(&mut self, apply: &Apply<'_>) -> Result<Value, Vec<Conflict>> {
        let Apply { shape, live, config, manager, part, force, now } = *apply;
        let merged = shape.merge(live, config);
        let last = self.fields_of(manager).cloned().unwrap_or_default();
        let set = shape.fields(config);
        let mut others: Vec<Entry> = self.0.iter().filter(|entry| !entry.manager.is(manager)).cloned().collect();
        let held = others.iter().fold(set.clone(), |all, entry| all.union(&entry.fields));
        let new = prune(shape, &merged, &last, &held);
        let difference = shape.compare(live, &new);
        let changed = difference.added.union(&difference.modified);
        let mut conflicts = Vec::new();
        for entry in &mut others {
            let fields = entry.fields.both(&changed);
            if !fields.is_empty() {
                conflicts.push(Conflict { holder: holder(entry), fields });
            }
            entry.fields = entry.fields.without(&changed).without(&difference.removed);
        }
        conflicts.sort_by(|a, b| a.holder.cmp(&b.holder));
        if !conflicts.is_empty() && !force {
            return Err(conflicts);
        }
        let set = part.of(set);
        let same = last == set && difference.is_empty();
        let unchanged = self.0.iter().find(|entry| entry.manager.is(manager)).filter(|_| same).cloned();
        self.0 = others;
        match unchanged {
            Some(entry) => self.0.push(entry),
            None => self.set(manager, set, now),
        }
        Ok(new)
    }

    /// Many who once updated are remembered as one.
    fn cap(&mut self) {
        let updates = |entry: &&Entry| entry.manager.operation == Operation::Update && !entry.fields.is_empty();
        while self.0.iter().filter(updates).count() > UPDATERS {
            let at = |skip: Option<usize>| {
                let updaters = self.0.iter().enumerate().filter(|(at, entry)| updates(entry) && Some(*at) != skip);
                updaters.min_by(|(_, a), (_, b)| a.time.cmp(&b.time)).map(|(at, _)| at)
            };
            let Some(first) = at(None) else { return };
            let Some(second) = at(Some(first)) else { return };
            let fields = self.0[first].fields.union(&self.0[second].fields);
            let older = &self.0[first];
            let manager =
                Manager { name: ANCIENT.into(), operation: Operation::Update, subresource: String::new(), ..older.manager.clone() };
            let time = self.0[second].time.clone();
            let (high, low) = (first.max(second), first.min(second));
            self.0.remove(high);
            self.0.remove(low);
            let fields = self.fields_of(&manager).map_or(fields.clone(), |known| known.union(&fields));
            self.set(&manager, fields, &time);
        }
    }
}

/// An apply, ready to be done.
#[derive(Clone, Copy)]
pub(super) struct Apply<'a> {
    pub(super) shape: Shape<'a>,
    pub(super) live: &'a Value,
    pub(super) config: &'a Value,
    pub(super) manager: &'a Manager,
    pub(super) part: Part,
    pub(super) force: bool,
    pub(super) now: &'a str,
}

/// `merged` without what was in `last` and is held by nobody now.
fn prune(shape: Shape<'_>, merged: &Value, last: &Fields, held: &Fields) -> Value {
    if last.is_empty() {
        return merged.clone();
    }
    let without = |gone: &Fields| shape.without(merged, gone).unwrap_or_else(crate::object::empty);
    let named = |fields: &Fields| shape.with_parents(fields);
    let all = named(&shape.fields(merged));
    // What lies inside something given up goes along, but for what others hold there.
    let pruned = without(&named(last));
    let kept = named(&shape.fields(&pruned)).union(&named(held));
    let pruned = without(&all.without(&kept));
    // What was never of the applier's stays, though it hangs in the air.
    let kept = named(&shape.fields(&pruned));
    without(&all.without(&kept).both(&named(last)))
}

fn holder(entry: &Entry) -> String {
    let Manager { name, operation, api_version, subresource } = &entry.manager;
    let mut text = format!("{name:?}");
    if !subresource.is_empty() {
        text += &format!(" with subresource {subresource:?}");
    }
    if *operation == Operation::Update {
        text += &format!(" using {api_version}");
    }
    text
}

fn read_entry(entry: &Value) -> Option<Entry> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let operation = match text("operation").as_str() {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return None,
    };
    let fields = match entry.get("fieldsV1") {
        Some(fields) if text("fieldsType") == "FieldsV1" => Fields::read(fields)?,
        None | Some(Value::Null) => Fields::default(),
        Some(_) => return None,
    };
    let manager = Manager { name: text("manager"), operation, api_version: text("apiVersion"), subresource: text("subresource") };
    Some(Entry { manager, time: text("time"), fields })
}

fn write_entry(entry: &Entry) -> Value {
    let Manager { name, operation, api_version, subresource } = &entry.manager;
    let operation = if *operation == Operation::Apply { "Apply" } else { "Update" };
    let mut value = json!({
        "manager": name, "operation": operation, "apiVersion": api_version, "time": entry.time,
        "fieldsType": "FieldsV1", "fieldsV1": entry.fields.to_json(),
    });
    if !subresource.is_empty() {
        value["subresource"] = subresource.clone().into();
    }
    if entry.time.is_empty() {
        crate::object::as_map(&mut value).shift_remove("time");
    }
    value
}
