//! What an object's schema says about merging: the fields it sets, the merge of two, their difference, one without some fields.
//!
//! Follows Kubernetes' structured-merge-diff. A value without a schema merges map by map; its lists are replaced whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use schema::{Cursor, List, Type};
use serde_json::{Map, Value};

use super::fields::{Fields, Place, field};

/// The schema at one place, where there is one.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a>(Option<Cursor<'a>>);

/// What became of the fields between two versions of an object.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) added: Fields,
    pub(super) removed: Fields,
    pub(super) modified: Fields,
}

/// What a value is to a merge.
enum Parts<'v> {
    Map(&'v Map<String, Value>),
    /// A list whose elements are told apart.
    List(&'v [Value], Vec<String>),
    /// Anything that is kept or replaced whole.
    Leaf,
}

// === impl Difference ===

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        [&self.added, &self.removed, &self.modified].into_iter().all(Fields::is_empty)
    }
}

// === impl Shape ===

impl<'a> Shape<'a> {
    pub(super) fn new(root: Cursor<'a>) -> Self {
        Self(Some(root))
    }

    fn field(self, name: &str, value: &Value) -> Self {
        Self(self.0.and_then(|here| here.property(name)).map(|field| field.fitting(value)))
    }

    fn item(self, value: &Value) -> Self {
        Self(self.0.and_then(Cursor::items).map(|item| item.fitting(value)))
    }

    fn declares(self, name: &str) -> bool {
        self.0.is_some_and(|here| here.declares(name))
    }

    fn list(self) -> &'a List {
        self.0.map_or(&List::Atomic, Cursor::list)
    }

    /// Elements that cannot be told apart make a list a leaf.
    fn parts(self, value: &Value) -> Parts<'_> {
        match value {
            Value::Object(map) if !self.0.is_some_and(Cursor::is_whole) => Parts::Map(map),
            Value::Array(list) => match self.steps(list) {
                Some(steps) if steps.iter().collect::<HashSet<_>>().len() == steps.len() => Parts::List(list, steps),
                _ => Parts::Leaf,
            },
            _ => Parts::Leaf,
        }
    }

    fn steps(self, list: &[Value]) -> Option<Vec<String>> {
        match self.list() {
            List::Atomic => None,
            List::Set => Some(list.iter().map(|value| format!("v:{value}")).collect()),
            List::Map(keys) => list.iter().map(|value| self.key(keys, value)).collect(),
        }
    }

    fn key(self, keys: &[String], value: &Value) -> Option<String> {
        let map = value.as_object()?;
        let item = self.item(value);
        let default = |key: &str| item.0.and_then(|item| item.property(key)).and_then(Cursor::default);
        let found: BTreeMap<&String, &Value> = keys.iter().filter_map(|key| Some((key, map.get(key).or_else(|| default(key))?))).collect();
        if found.is_empty() { None } else { Some(format!("k:{}", serde_json::to_string(&found).ok()?)) }
    }

    /// What keeps `value` from being applied: fields that no schema knows, elements that cannot be told apart.
    pub(super) fn check(self, value: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check_at(value, &mut String::new(), &mut wrong);
        wrong
    }

    fn check_at(self, value: &Value, path: &mut String, wrong: &mut Vec<String>) {
        let length = path.len();
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    path.push('.');
                    path.push_str(name);
                    if self.0.is_some_and(|here| !here.allows(name)) {
                        wrong.push(format!("{path}: field not declared in schema"));
                    } else {
                        self.field(name, value).check_at(value, path, wrong);
                    }
                    path.truncate(length);
                }
            }
            Value::Array(list) => {
                self.check_keys(list, path, wrong);
                for (at, value) in list.iter().enumerate() {
                    path.push_str(&format!("[{at}]"));
                    self.item(value).check_at(value, path, wrong);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn check_keys(self, list: &[Value], path: &str, wrong: &mut Vec<String>) {
        if *self.list() == List::Atomic {
            return;
        }
        let Some(steps) = self.steps(list) else {
            wrong.push(format!("{path}: associative list with keys has an element that omits key field"));
            return;
        };
        let mut seen = HashSet::new();
        for step in steps.iter().filter(|step| !seen.insert(*step)) {
            let mut place = Fields::default();
            place.insert(std::slice::from_ref(step));
            wrong.push(format!("{path}: duplicate entries for key {}", place.paths().concat()));
        }
    }

    /// The fields that `value` sets.
    pub(super) fn fields(self, value: &Value) -> Fields {
        self.place(value).below
    }

    fn place(self, value: &Value) -> Place {
        let mut below = Fields::default();
        match self.parts(value) {
            Parts::Map(map) => {
                for (name, value) in map {
                    let mut place = self.field(name, value).place(value);
                    let empty = value.as_object().is_some_and(Map::is_empty);
                    place.held |= value.is_null() || empty || !self.declares(name);
                    below.put(field(name), place);
                }
                Place { held: false, below }
            }
            Parts::List(list, steps) => {
                for (value, step) in list.iter().zip(steps) {
                    let inside = self.item(value).place(value).below;
                    below.put(step, Place { held: true, below: inside });
                }
                Place { held: false, below }
            }
            Parts::Leaf => Place { held: true, below },
        }
    }

    /// `applied` laid over `live`.
    pub(super) fn merge(self, live: &Value, applied: &Value) -> Value {
        match (self.parts(live), self.parts(applied)) {
            (Parts::Map(live), Parts::Map(applied)) => {
                let mut merged = live.clone();
                for (name, value) in applied {
                    let value = match live.get(name) {
                        Some(live) => self.field(name, value).merge(live, value),
                        None => value.clone(),
                    };
                    merged.insert(name.clone(), value);
                }
                Value::Object(merged)
            }
            (Parts::List(live, left), Parts::List(applied, right)) => self.merge_lists(live, &left, applied, &right),
            _ => applied.clone(),
        }
    }

    /// Applied elements keep their order; live ones stay where they were between those that both lists have.
    fn merge_lists(self, live: &[Value], left: &[String], applied: &[Value], right: &[String]) -> Value {
        let lefts: HashMap<&String, &Value> = left.iter().zip(live).collect();
        let rights: HashSet<&String> = right.iter().collect();
        let mut shared = right.iter().filter(|step| lefts.contains_key(step));
        let mut next = shared.next();
        let mut done: HashSet<&String> = HashSet::new();
        let (mut merged, mut l, mut r) = (Vec::new(), 0, 0);
        let both = |step: &String, value: &Value| match lefts.get(step) {
            Some(live) => self.item(value).merge(live, value),
            None => value.clone(),
        };
        while l < left.len() || r < right.len() {
            if let (Some(mine), Some(theirs)) = (left.get(l), right.get(r)) {
                if mine == theirs {
                    done.insert(mine);
                    merged.push(both(mine, &applied[r]));
                    (l, r) = (l + 1, r + 1);
                    next = shared.next();
                    continue;
                }
                if rights.contains(mine) && next.is_some_and(|next| next != mine) {
                    l += 1;
                    continue;
                }
            }
            if let Some(mine) = left.get(l) {
                if !rights.contains(mine) {
                    merged.push(live[l].clone());
                    l += 1;
                    continue;
                }
                if done.contains(mine) {
                    l += 1;
                }
            }
            if let Some(theirs) = right.get(r) {
                done.insert(theirs);
                merged.push(both(theirs, &applied[r]));
                r += 1;
                if next == Some(theirs) {
                    next = shared.next();
                }
            }
        }
        Value::Array(merged)
    }

    /// What changed from `old` to `new`.
    pub(super) fn compare(self, old: &Value, new: &Value) -> Difference {
        let mut difference = Difference::default();
        self.compare_at(Some(old), Some(new), &mut Vec::new(), &mut difference);
        difference
    }

    fn compare_at(self, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<String>, found: &mut Difference) {
        let Some(children) = self.children(old, new) else {
            match (old, new) {
                (None, Some(_)) => found.added.insert(path),
                (Some(_), None) => found.removed.insert(path),
                (old, new) if old != new => found.modified.insert(path),
                _ => {}
            }
            return;
        };
        for (step, Child { shape, old, new }) in children {
            path.push(step);
            shape.compare_at(old, new, path, found);
            path.pop();
        }
        if old.is_none() {
            found.added.insert(path);
        } else if new.is_none() {
            found.removed.insert(path);
        }
    }

    /// What lies in either value; `None` when they are compared as a whole.
    fn children<'v>(self, old: Option<&'v Value>, new: Option<&'v Value>) -> Option<BTreeMap<String, Child<'a, 'v>>> {
        let sides = [old, new].map(|value| value.filter(|value| !is_bare(value)).map(|value| self.parts(value)));
        match &sides {
            [None, None] | [Some(Parts::Leaf), _] | [_, Some(Parts::Leaf)] => return None,
            [Some(Parts::Map(_)), Some(Parts::List(..))] | [Some(Parts::List(..)), Some(Parts::Map(_))] => return None,
            _ => {}
        }
        let mut children = BTreeMap::<String, Child<'a, 'v>>::new();
        for (at, side) in sides.into_iter().enumerate() {
            let mut put = |step: String, shape: Self, value: &'v Value| {
                let child = children.entry(step).or_insert(Child { shape, old: None, new: None });
                child.shape = shape;
                *(if at == 0 { &mut child.old } else { &mut child.new }) = Some(value);
            };
            match side {
                Some(Parts::Map(map)) => map.iter().for_each(|(name, value)| put(field(name), self.field(name, value), value)),
                Some(Parts::List(list, steps)) => list.iter().zip(steps).for_each(|(value, step)| put(step, self.item(value), value)),
                Some(Parts::Leaf) | None => {}
            }
        }
        Some(children)
    }

    /// `value` less the fields of `gone`; `None` when that leaves nothing of it.
    pub(super) fn without(self, value: &Value, gone: &Fields) -> Option<Value> {
        let keep = |step: &str, shape: Self, value: &Value| match gone.0.get(step) {
            None => Some(value.clone()),
            Some(place) if place.held => None,
            Some(place) => shape.without(value, &place.below),
        };
        match self.parts(value) {
            Parts::Map(map) if !map.is_empty() => {
                let left = map.iter().filter_map(|(name, value)| {
                    let value = keep(&field(name), self.field(name, value), value)?;
                    Some((name.clone(), value))
                });
                let left: Map<String, Value> = left.collect();
                (!left.is_empty()).then_some(Value::Object(left))
            }
            Parts::List(list, steps) if !list.is_empty() => {
                let left = list.iter().zip(&steps).filter_map(|(value, step)| keep(step, self.item(value), value));
                let left: Vec<Value> = left.collect();
                (!left.is_empty()).then_some(Value::Array(left))
            }
            _ => Some(value.clone()),
        }
    }

    fn below(self, step: &str) -> Self {
        Self(match step.strip_prefix("f:") {
            Some(name) => self.0.and_then(|here| here.property(name)),
            None => self.0.and_then(Cursor::items),
        })
    }

    /// `fields`, and the declared fields that they are in.
    pub(super) fn with_parents(self, fields: &Fields) -> Fields {
        let places = fields.0.iter().map(|(step, place)| {
            let declared = step.strip_prefix("f:").is_some_and(|name| self.declares(name));
            let held = place.held || declared && !place.below.is_empty();
            (step.clone(), Place { held, below: self.below(step).with_parents(&place.below) })
        });
        Fields(places.collect())
    }

    /// Of what is replaced whole there are no parts to hold, though there were under an older schema.
    pub(super) fn settle(self, fields: &Fields) -> Fields {
        let places = fields.0.iter().map(|(step, place)| {
            let below = self.below(step);
            let whole = below.0.is_some_and(|here| here.is_whole() || here.kind() == Type::Array && *here.list() == List::Atomic);
            let place = if whole && !place.below.is_empty() {
                Place { held: true, below: Fields::default() }
            } else {
                Place { held: place.held, below: below.settle(&place.below) }
            };
            (step.clone(), place)
        });
        Fields(places.collect())
    }
}

/// One place in two values.
struct Child<'a, 'v> {
    shape: Shape<'a>,
    old: Option<&'v Value>,
    new: Option<&'v Value>,
}

/// Nothing, or something that is empty.
fn is_bare(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
