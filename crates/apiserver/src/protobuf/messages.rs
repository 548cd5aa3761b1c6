//! The messages by field number and by name, read once from `messages.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One message.
#[derive(Debug, Default)]
pub(super) struct Message {
    by_number: HashMap<u64, Field>,
    /// In the order of the table.
    numbers: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) kind: &'static str,
    /// Go writes it when it is zero.
    pub(super) kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    List,
    Map,
    /// A message whose fields are its parent's.
    Spread,
}

static MESSAGES: LazyLock<HashMap<&'static str, Message>> =
    LazyLock::new(|| include_str!("messages.txt").lines().filter_map(message).collect());

pub(super) fn find(name: &str) -> Option<&'static Message> {
    MESSAGES.get(name)
}

fn message(line: &'static str) -> Option<(&'static str, Message)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let fields: Vec<(u64, Field)> = words.filter_map(field).collect();
    let numbers = fields.iter().map(|(number, _)| *number).collect();
    Some((name, Message { by_number: fields.into_iter().collect(), numbers }))
}

fn field(text: &'static str) -> Option<(u64, Field)> {
    let mut parts = text.split(':');
    let (number, name, kind) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    // A group of a version may stand in a name, never in a type.
    let (kind, kept) = kind.strip_suffix('!').map_or((kind, false), |kind| (kind, true));
    let (shape, kind) = match kind.as_bytes() {
        _ if name == "+" => (Shape::Spread, kind),
        [b'*', ..] => (Shape::List, &kind[1..]),
        [b'%', ..] => (Shape::Map, &kind[1..]),
        _ => (Shape::One, kind),
    };
    Some((number, Field { name, shape, kind, kept }))
}

// === impl Message ===

impl Message {
    pub(super) fn field(&self, number: u64) -> Option<&Field> {
        self.by_number.get(&number)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (u64, &Field)> {
        self.numbers.iter().filter_map(|number| Some((*number, self.by_number.get(number)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_a_field_names_is_there() {
        for (name, message) in MESSAGES.iter() {
            for (_, field) in message.fields().filter(|(_, field)| field.kind.len() > 1) {
                assert!(MESSAGES.contains_key(field.kind), "{name}.{}: {}", field.name, field.kind);
            }
        }
    }

    #[test]
    fn every_line_has_all_its_fields() {
        for line in include_str!("messages.txt").lines() {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or("");
            assert_eq!(MESSAGES[name].by_number.len(), words.count(), "{name}");
        }
    }
}
