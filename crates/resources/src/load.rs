//! Objects from YAML text, and which line says what.

use model::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// An object of a file.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub object: Value,
    pub places: Places,
}

/// Where the fields of an object stand.
#[derive(Clone, Debug)]
pub struct Places {
    /// The file's name, for messages.
    pub file: Text,
    text: Arc<str>,
    of: HashMap<String, (usize, usize)>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: Text,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub line_text: String,
}

/// Text that is no YAML, or YAML that is no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub place: Place,
    pub message: String,
}

/// All objects of a YAML (or JSON) text: several documents, and the items of lists. Empty documents are passed over.
pub fn load(file: &str, text: &str) -> Result<Vec<Loaded>, Vec<LoadError>> {
    let places = Places { file: file.into(), text: text.into(), of: HashMap::new() };
    let documents: Vec<Spanned<Node>> = serde_saphyr::from_multiple(text).map_err(|error| vec![places.syntax(&error)])?;
    let (mut loaded, mut errors) = (Vec::new(), Vec::new());
    for document in documents.into_iter().filter(|document| !matches!(document.value, Node::Scalar(Value::Null))) {
        for node in items(document) {
            match read(&places, node) {
                Ok(object) => loaded.push(object),
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(errors) }
}

/// The documents of a `kind: List`, or the one document.
fn items(document: Spanned<Node>) -> Vec<Spanned<Node>> {
    let Node::Map(fields) = &document.value else { return vec![document] };
    let kind = fields.iter().find(|(key, _)| key.value == "kind").map(|(_, value)| &value.value);
    let is_list = matches!(kind, Some(Node::Scalar(Value::String(kind))) if kind == "List");
    if !is_list {
        return vec![document];
    }
    let Node::Map(fields) = document.value else { return Vec::new() };
    let items = fields.into_iter().find(|(key, _)| key.value == "items").map(|(_, value)| value.value);
    match items {
        Some(Node::List(items)) => items,
        _ => Vec::new(),
    }
}

fn read(file: &Places, node: Spanned<Node>) -> Result<Loaded, LoadError> {
    let mut places = Places { of: HashMap::new(), ..file.clone() };
    let start = at(&node.defined);
    let object = node.value.into_value(String::new(), &mut places.of);
    places.of.insert(String::new(), start);
    let text = |field: &str| object.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let missing = ["apiVersion", "kind"].into_iter().find(|field| !text(field));
    match (object.is_object(), missing) {
        (false, _) => Err(LoadError { place: places.at(start), message: "this is no Kubernetes object".into() }),
        (true, Some(field)) => Err(LoadError { place: places.at(start), message: format!("this object has no `{field}`") }),
        (true, None) => Ok(Loaded { object, places }),
    }
}

fn at(location: &serde_saphyr::Location) -> (usize, usize) {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    (number(location.line()), number(location.column()))
}

// === impl Places ===

impl Places {
    /// Where a field stands; the nearest field around it, where it is missing itself.
    pub fn of(&self, field: &str) -> Option<Place> {
        let mut field = field;
        loop {
            if let Some(place) = self.of.get(field) {
                return Some(self.at(*place));
            }
            field = parent(field)?;
        }
    }

    fn at(&self, (line, column): (usize, usize)) -> Place {
        let line_text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        Place { file: self.file.clone(), line, column, line_text }
    }

    fn syntax(&self, error: &serde_saphyr::Error) -> LoadError {
        let place = error.location().map_or((1, 1), |location| at(&location));
        LoadError { place: self.at(place), message: error.without_snippet().to_string() }
    }
}

/// `a.b[c.d]` → `a.b` → `a` → the object.
fn parent(field: &str) -> Option<&str> {
    if field.is_empty() {
        return None;
    }
    let cut = if field.ends_with(']') { field.find('[').and_then(|_| open(field)) } else { field.rfind('.') };
    Some(cut.map_or("", |cut| &field[..cut]))
}

/// Where the last bracket opens.
fn open(field: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in field.bytes().enumerate().rev() {
        match byte {
            b']' => depth += 1,
            b'[' if depth == 1 => return Some(index),
            b'[' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for LoadError {}

/// A YAML node with the places of what is in it.
#[derive(Debug)]
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

// === impl Node ===

impl Node {
    fn into_value(self, path: String, places: &mut HashMap<String, (usize, usize)>) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::List(items) => {
                let items = items.into_iter().enumerate().map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    places.insert(path.clone(), at(&item.defined));
                    item.value.into_value(path, places)
                });
                Value::Array(items.collect())
            }
            Self::Map(fields) => {
                let mut map = Map::new();
                for (key, value) in fields {
                    let path = step(&path, &key.value);
                    // What stands below its key is shown by its key: a reader looks for the name.
                    let place = match value.value {
                        Self::Scalar(_) => at(&value.defined),
                        Self::List(_) | Self::Map(_) => at(&key.defined),
                    };
                    places.insert(path.clone(), place);
                    map.insert(key.value, value.value.into_value(path, places));
                }
                Value::Object(map)
            }
        }
    }
}

/// The path of a field. Keys of mappings from names to values are written in brackets, as Kubernetes does.
fn step(path: &str, key: &str) -> String {
    let by_name = matches!(path, "metadata.annotations" | "metadata.labels" | "data" | "stringData");
    match path {
        "" => key.to_owned(),
        _ if by_name => format!("{path}[{key}]"),
        _ => format!("{path}.{key}"),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Map(fields))
    }
}

#[cfg(test)]
mod tests;
