//! `paifang workspace`.

use super::ask::{Asker, is, metadata, refusal, until_gone, until_ready};
use super::members;
use super::mine::{self, Mine};
use super::show::{Many, Row, Table, text};
use super::user::ADMIN;
use crate::Exit;
use crate::args::people::{MineArgs, WorkspaceArgs, WorkspaceCommand, WorkspaceCreateArgs, WorkspaceDeleteArgs};
use anyhow::{Result, anyhow};
use kube::api::{DeleteParams, PropagationPolicy};
use serde_json::json;
use tenancy::Kind;
use tenancy::names::workspace_namespace;

/// Runs the command.
///
/// # Errors
/// What the API refused, and who could do it.
pub async fn run(args: &WorkspaceArgs) -> Result<Exit> {
    match &args.command {
        WorkspaceCommand::Create(args) => create(args).await,
        WorkspaceCommand::List(args) => list(args).await,
        WorkspaceCommand::Delete(args) => delete(args).await,
        WorkspaceCommand::Members(args) => members::print(args, &workspace_namespace(&args.name), "workspace").await,
    }
}

async fn create(args: &WorkspaceCreateArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let mut admins = args.admins.clone();
    if admins.is_empty()
        && let Some(own) = asker.own().await?
    {
        admins.push(text(&own, "/metadata/name"));
    }
    let name = &args.name;
    let object = json!({ "metadata": metadata(name, &args.words), "spec": { "admins": admins } });
    asker.create(Kind::Workspace, "", object).await.map_err(|error| {
        let who = "a platform admin can, and can let you: paifang invite YOU --platform --role platform-self-provisioner";
        if is(&error, 409) { anyhow!("there is a workspace {name} already") } else { refusal(error, "make workspaces", who) }
    })?;
    // Who made it and is no admin of it may not look.
    match until_ready(&asker, Kind::Workspace, "", name).await {
        Err(error) if error.to_string().starts_with("you may not") => tell!("workspace {name} is being made"),
        ready => {
            ready?;
            tell!("workspace {name} made");
        }
    }
    Ok(Exit::Done)
}

async fn list(args: &MineArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let (places, none) = match mine::places(&asker, args, Kind::Workspace).await? {
        Mine::Own(places) => (places, "you are a member of no workspace; whoever manages one can invite you"),
        Mine::All(places) => (places, "there are no workspaces"),
    };
    let row = |it: serde_json::Value| Row {
        name: mine::name(Kind::Workspace, &text(&it, "/name")),
        cells: vec![text(&it, "/name"), text(&it, "/alias"), mine::list(&it["roles"])],
        wide: Vec::new(),
        object: it,
    };
    let rows = places.into_iter().map(row).collect();
    Table { header: &["NAME", "ALIAS", "ROLES"], wide: &[], rows, none }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

async fn delete(args: &WorkspaceDeleteArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let name = &args.name;
    let propagation = if args.keep_projects { PropagationPolicy::Orphan } else { PropagationPolicy::Background };
    let delete = DeleteParams { propagation_policy: Some(propagation), ..DeleteParams::default() };
    asker.api(Kind::Workspace, "").delete(name, &delete).await.map_err(|error| {
        let who = format!("its admins and {ADMIN}");
        if is(&error, 404) { anyhow!("there is no workspace {name}") } else { refusal(error, "delete this workspace", &who) }
    })?;
    until_gone(&asker, Kind::Workspace, "", name).await?;
    until_gone(&asker, Kind::Namespace, "", &workspace_namespace(name)).await?;
    tell!("workspace {name} deleted");
    Ok(Exit::Done)
}
