//! What somebody is a member of: their own User's status says it, as a list cannot be filtered by what one may see.

use super::ask::{Asker, is, refusal};
use super::show::text;
use crate::args::people::MineArgs;
use anyhow::Result;
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::names::{ALIAS, GROUP, WORKSPACE_LABEL};

/// Whose places are shown.
pub(super) enum Mine {
    Own(Vec<Value>),
    /// All there are: asked for, or by who is no User.
    All(Vec<Value>),
}

/// Entries of `projects` or `workspaces`, as a User's status has them, or made from all there are.
pub(super) async fn places(asker: &Asker, args: &MineArgs, kind: Kind) -> Result<Mine> {
    let field = if kind == Kind::Workspace { "workspaces" } else { "projects" };
    if !args.all
        && let Some(user) = asker.own().await?
    {
        return Ok(Mine::Own(user["status"][field].as_array().cloned().unwrap_or_default()));
    }
    let who = "a platform admin can; without --all you are shown yours";
    let (listed, selector) = if kind == Kind::Workspace { (Kind::Workspace, "") } else { (Kind::Namespace, WORKSPACE_LABEL) };
    let all = match asker.list(listed, "", selector).await {
        Ok(all) => all,
        // Nobody has invited who is no User either.
        Err(error) if is(&error, 403) && !args.all => return Ok(Mine::Own(Vec::new())),
        Err(error) => return Err(refusal(error, &format!("list all {field}"), who)),
    };
    let place = |it: &Value| {
        let annotation = |key: &str| it["metadata"]["annotations"][key].as_str().unwrap_or_default().to_owned();
        let mut place = json!({ "name": text(it, "/metadata/name"), "alias": annotation(ALIAS), "roles": [] });
        if kind != Kind::Workspace {
            place["workspace"] = it["metadata"]["labels"][WORKSPACE_LABEL].clone();
        }
        place
    };
    Ok(Mine::All(all.iter().map(place).collect()))
}

/// `name (role, role)`, with commas between.
pub(super) fn roles(places: &Value) -> String {
    let one = |it: &Value| format!("{} ({})", text(it, "/name"), list(&it["roles"]));
    places.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

pub(super) fn list(roles: &Value) -> String {
    roles.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// As `-o name` says a place.
pub(super) fn name(kind: Kind, name: &str) -> String {
    if kind == Kind::Workspace { format!("workspace.{GROUP}/{name}") } else { format!("namespace/{name}") }
}
