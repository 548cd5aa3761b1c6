//! `paifang project`.

use super::ask::{Asker, is, metadata, refusal, until_gone, until_ready};
use super::members;
use super::mine::{self, Mine};
use super::show::{Many, Row, Table, text};
use super::user::ADMIN;
use crate::Exit;
use crate::args::people::{MineArgs, ProjectArgs, ProjectCommand, ProjectCreateArgs, ProjectDeleteArgs};
use anyhow::{Context, Result, anyhow, bail};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::names::workspace_namespace;

/// Runs the command.
///
/// # Errors
/// What the API refused, and who could do it.
pub async fn run(args: &ProjectArgs) -> Result<Exit> {
    match &args.command {
        ProjectCommand::Create(args) => create(args).await,
        ProjectCommand::List(args) => list(args).await,
        ProjectCommand::Delete(args) => delete(args).await,
        ProjectCommand::Members(args) => members::print(args, &args.name, "project").await,
    }
}

async fn create(args: &ProjectCreateArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let own = asker.own().await?;
    let workspace = match &args.workspace {
        Some(it) => it.clone(),
        None => only_workspace(own.as_ref())?,
    };
    let mut admins = args.admins.clone();
    if admins.is_empty()
        && let Some(own) = &own
    {
        admins.push(text(own, "/metadata/name"));
    }
    let (name, namespace) = (&args.name, workspace_namespace(&workspace));
    let object = json!({ "metadata": metadata(name, &args.words), "spec": { "admins": admins } });
    asker.create(Kind::Project, &namespace, object).await.map_err(|error| {
        let who = format!("its admins can, and can let you: paifang invite YOU --workspace {workspace} --role self-provisioner");
        match &error {
            error if is(error, 409) => anyhow!("the workspace {workspace} has a project {name} already"),
            error if is(error, 404) => anyhow!("there is no workspace {workspace}"),
            _ => refusal(error, &format!("make projects in the workspace {workspace}"), &who),
        }
    })?;
    until_ready(&asker, Kind::Project, &namespace, name).await.with_context(|| format!("project {name}"))?;
    tell!("project {name} made in the workspace {workspace}");
    Ok(Exit::Done)
}

fn only_workspace(own: Option<&Value>) -> Result<String> {
    let places = own.and_then(|it| it["status"]["workspaces"].as_array()).cloned().unwrap_or_default();
    let names: Vec<String> = places.iter().map(|it| text(it, "/name")).collect();
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("say with --workspace in which workspace"),
        _ => bail!("say with --workspace in which workspace; you are a member of {}", names.join(", ")),
    }
}

async fn list(args: &MineArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let (places, none) = match mine::places(&asker, args, Kind::Project).await? {
        Mine::Own(places) => (places, "you are a member of no project; whoever manages one can invite you"),
        Mine::All(places) => (places, "there are no projects"),
    };
    let row = |it: Value| Row {
        name: mine::name(Kind::Namespace, &text(&it, "/name")),
        cells: vec![text(&it, "/name"), text(&it, "/workspace"), text(&it, "/alias"), mine::list(&it["roles"])],
        wide: Vec::new(),
        object: it,
    };
    let rows = places.into_iter().map(row).collect();
    Table { header: &["NAME", "WORKSPACE", "ALIAS", "ROLES"], wide: &[], rows, none }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

/// Whoever may delete a project may delete its namespace; the Project goes with it.
async fn delete(args: &ProjectDeleteArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let name = &args.name;
    let who = format!("the admins of the project, those of its workspace, and {ADMIN}");
    let doing = "delete this project";
    let namespace = asker.api(Kind::Namespace, "").get_opt(name).await.map_err(|it| refusal(it, doing, &who))?;
    let namespace = namespace.ok_or_else(|| anyhow!("there is no project {name}"))?;
    let label = namespace.metadata.labels.as_ref().and_then(|it| it.get(tenancy::names::WORKSPACE_LABEL));
    if label.is_none() {
        bail!("the namespace {name} is no project: it belongs to no workspace. To delete it all the same: kubectl delete namespace {name}");
    }
    asker.api(Kind::Namespace, "").delete(name, &DeleteParams::default()).await.map_err(|it| refusal(it, doing, &who))?;
    until_gone(&asker, Kind::Namespace, "", name).await?;
    tell!("project {name} deleted");
    Ok(Exit::Done)
}
