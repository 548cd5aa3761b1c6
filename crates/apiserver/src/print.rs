//! Tables: what `kubectl get` shows, in the columns that Kubernetes prints.

pub(crate) mod builtin;
pub(crate) mod custom;
mod path;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::kinds::{Kind, Origin};
use crate::read::metadata_only;
use crate::request::Query;

/// Whether a table names its columns; in a stream only the first does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    With,
    Without,
}

/// What of each object goes along with its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

// === impl Include ===

impl Include {
    pub(crate) fn of(query: &Query) -> Result<Self, Failure> {
        match query.get("includeObject") {
            None | Some("Metadata") => Ok(Self::Metadata),
            Some("None") => Ok(Self::Nothing),
            Some("Object") => Ok(Self::Object),
            Some(other) => {
                let wrong = format!("Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty");
                Err(Failure::bad_request(format!("Unable to convert to Table as requested: includeObject: {wrong}")))
            }
        }
    }
}

pub(crate) fn table(kind: &Kind, rows: Vec<Value>, meta: Value, header: Header) -> Value {
    let columns = match header {
        Header::With => columns(kind),
        Header::Without => Value::Null,
    };
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows })
}

pub(crate) fn row(kind: &Kind, object: &Value, include: Include) -> Value {
    let cells = match &kind.origin {
        Origin::Builtin => builtin::cells(kind, object),
        Origin::Custom { columns, .. } => custom::cells(columns, object),
    };
    match include {
        Include::Nothing => json!({ "cells": cells }),
        Include::Metadata => json!({ "cells": cells, "object": metadata_only(object) }),
        Include::Object => json!({ "cells": cells, "object": object }),
    }
}

fn columns(kind: &Kind) -> Value {
    match &kind.origin {
        Origin::Builtin => builtin::columns(kind)
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let (name, wide) = column.strip_prefix('+').map_or((*column, 0), |name| (name, 1));
                let format = if at == 0 && name == "Name" { "name" } else { "" };
                json!({ "name": name, "type": "string", "format": format, "description": "", "priority": wide })
            })
            .collect(),
        Origin::Custom { columns, .. } => custom::definitions(columns),
    }
}
