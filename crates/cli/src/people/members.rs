//! Who is a member of a workspace or a project, and by what.

use super::ask::{Asker, refusal};
use super::show::{Many, Row, Table, age, text};
use crate::Exit;
use crate::args::people::MembersArgs;
use anyhow::Result;
use serde_json::Value;
use tenancy::Kind;
use tenancy::names::KEPT_LABEL;

const HEADER: &[&str] = &["MEMBER", "KIND", "ROLE", "BY", "AGE"];

/// Prints the subjects of a namespace's bindings.
pub(super) async fn print(args: &MembersArgs, namespace: &str, word: &str) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let who = format!("the {word}'s admins and viewers can");
    let doing = format!("see the members of the {word} {}", args.name);
    let bindings = asker.list(Kind::RoleBinding, namespace, "").await.map_err(|it| refusal(it, &doing, &who))?;
    let mut rows: Vec<Row> = bindings.iter().flat_map(of_binding).collect();
    rows.sort_by(|a, b| a.cells.cmp(&b.cells));
    let none = format!("the {word} {} has no members, or there is none of that name", args.name);
    Table { header: HEADER, wide: &[], rows, none: &none }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

fn of_binding(binding: &Value) -> Vec<Row> {
    let name = text(binding, "/metadata/name");
    let mirrored = binding["metadata"]["labels"][KEPT_LABEL].is_string();
    let by = if mirrored { "its workspace".to_owned() } else { format!("rolebinding {name}") };
    let row = |subject: &Value| Row {
        name: format!("rolebinding.{}/{name}", tenancy::names::RBAC),
        cells: vec![text(subject, "/name"), text(subject, "/kind"), text(binding, "/roleRef/name"), by.clone(), age(binding)],
        wide: Vec::new(),
        object: binding.clone(),
    };
    binding["subjects"].as_array().into_iter().flatten().map(row).collect()
}
