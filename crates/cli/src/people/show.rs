//! Objects on the terminal, as kubectl shows them.

use crate::args::people::{ObjectOutput, ShowArgs};
use crate::text::{safe, table};
use anyhow::Result;
use serde_json::{Value, json};
use std::io::Write;

/// A table of objects.
pub(super) struct Table<'a> {
    pub header: &'a [&'a str],
    pub wide: &'a [&'a str],
    pub rows: Vec<Row>,
    /// Said where there is no row.
    pub none: &'a str,
}

pub(super) struct Row {
    /// As `-o name` says it.
    pub name: String,
    pub cells: Vec<String>,
    pub wide: Vec<String>,
    pub object: Value,
}

/// One object by itself is printed as it is, several as a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Many {
    One,
    List,
}

// === impl Table ===

impl Table<'_> {
    pub(super) fn print(&self, args: &ShowArgs, many: Many) -> Result<()> {
        let mut out = std::io::stdout().lock();
        match args.output {
            Some(ObjectOutput::Json) => writeln!(out, "{}", serde_json::to_string_pretty(&self.value(many))?)?,
            Some(ObjectOutput::Yaml) => writeln!(out, "{}", serde_saphyr::to_string(&self.value(many))?.trim_end())?,
            Some(ObjectOutput::Name) => {
                for row in &self.rows {
                    writeln!(out, "{}", safe(&row.name))?;
                }
            }
            None if self.rows.is_empty() => eprintln!("{}", self.none),
            Some(ObjectOutput::Wide) if self.rows.is_empty() => eprintln!("{}", self.none),
            None | Some(ObjectOutput::Wide) => {
                let is_wide = args.output == Some(ObjectOutput::Wide);
                let header: Vec<&str> = self.header.iter().chain(self.wide.iter().filter(|_| is_wide)).copied().collect();
                let cells = |it: &Row| it.cells.iter().chain(it.wide.iter().filter(|_| is_wide)).map(|it| filled(it)).collect();
                let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
                write!(out, "{}", table((!args.no_headers).then_some(&header), &rows))?;
            }
        }
        Ok(())
    }

    fn value(&self, many: Many) -> Value {
        match (many, self.rows.as_slice()) {
            (Many::One, [row]) => row.object.clone(),
            (_, rows) => json!({ "apiVersion": "v1", "kind": "List", "items": rows.iter().map(|it| &it.object).collect::<Vec<_>>() }),
        }
    }
}

fn filled(cell: &str) -> String {
    if cell.is_empty() { "<none>".to_owned() } else { safe(cell) }
}

pub(super) fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn annotation(object: &Value, key: &str) -> String {
    object.pointer("/metadata/annotations").and_then(|it| it.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Texts of a list, with commas between.
pub(super) fn joined(list: &Value) -> String {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

/// How long ago, in kubectl's words.
pub(super) fn age(object: &Value) -> String {
    let Ok(then) = text(object, "/metadata/creationTimestamp").parse::<jiff::Timestamp>() else { return "<unknown>".to_owned() };
    let seconds = jiff::Timestamp::now().as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
