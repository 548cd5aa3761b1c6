//! `paifang role`: roles, and the permissions that own ones are put together from.

use super::ask::{Asker, is, metadata, refusal};
use super::show::{Many, Row, Table, age, annotation, text};
use crate::Exit;
use crate::args::people::{Given, PermissionsArgs, PlaceArgs, RoleArgs, RoleCommand, RoleCreateArgs, RoleDeleteArgs, RoleListArgs};
use crate::text::safe;
use anyhow::{Result, anyhow, bail};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::catalogue::{self, Permissions, Place, Rule};
use tenancy::names::{DESCRIPTION, PERMISSIONS, RBAC, workspace_namespace};

/// Runs the command.
///
/// # Errors
/// What the API refused, and who could do it.
pub async fn run(args: &RoleArgs) -> Result<Exit> {
    match &args.command {
        RoleCommand::List(args) => list(args).await,
        RoleCommand::Permissions(args) => permissions(args),
        RoleCommand::Create(args) => create(args).await,
        RoleCommand::Delete(args) => delete(args).await,
    }
}

/// Where it holds, its namespace, and in words.
fn place(args: &PlaceArgs) -> Option<(Place, String, String)> {
    match (&args.project, &args.workspace) {
        (Some(project), _) => Some((Place::Project, project.clone(), format!("the project {project}"))),
        (None, Some(workspace)) => Some((Place::Workspace, workspace_namespace(workspace), format!("the workspace {workspace}"))),
        (None, None) => None,
    }
}

async fn list(args: &RoleListArgs) -> Result<Exit> {
    let Some((place, namespace, words)) = place(&args.place) else { return built_in(args) };
    let asker = Asker::new(&args.ask).await?;
    let who = format!("the admins of {words} and its viewers can");
    let roles = asker.list(Kind::Role, &namespace, "").await.map_err(|it| refusal(it, &format!("list the roles of {words}"), &who))?;
    let rows = roles.into_iter().map(|it| row(place, it)).collect();
    let none = format!("{words} has no roles, or there is none of that name");
    Table { header: &["NAME", "KIND", "ALLOWS", "AGE"], wide: &["DESCRIPTION"], rows, none: &none }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

fn row(place: Place, role: Value) -> Row {
    let name = text(&role, "/metadata/name");
    let told = |told: Vec<(String, String)>| told.iter().map(|(name, level)| format!("{name}={level}")).collect::<Vec<_>>().join(",");
    let (kind, allows) = match (catalogue::built_in(place, &name), catalogue::drift(place, &role)) {
        (Some(it), _) if Rule::read_all(&role) == it.rules() => ("built-in", it.about.to_owned()),
        (Some(_), _) => ("built-in", "its rules have been changed".to_owned()),
        (None, Some(Ok(it))) => ("own", told(it.iter().map(|(name, level)| ((*name).to_owned(), level.to_string())).collect())),
        (None, Some(Err(problem))) => ("own", format!("problem: {problem}")),
        (None, None) => ("by rules", format!("{} rules", role["rules"].as_array().map_or(0, Vec::len))),
    };
    Row {
        name: format!("role.{RBAC}/{name}"),
        cells: vec![name, kind.to_owned(), allows, age(&role)],
        wide: vec![annotation(&role, DESCRIPTION)],
        object: role,
    }
}

fn word(place: Place) -> &'static str {
    match place {
        Place::Platform => "platform",
        Place::Workspace => "workspace",
        Place::Project => "project",
    }
}

fn built_in(args: &RoleListArgs) -> Result<Exit> {
    let row = |it: &catalogue::BuiltIn| Row {
        name: format!("{}/{}", word(it.place), it.name),
        cells: vec![it.name.to_owned(), word(it.place).to_owned(), it.about.to_owned()],
        wide: Vec::new(),
        object: json!({ "name": it.name, "of": word(it.place), "about": it.about, "rules": it.rules().iter().map(Rule::to_value).collect::<Vec<_>>() }),
    };
    let rows = catalogue::BUILT_IN.iter().map(row).collect();
    Table { header: &["NAME", "OF", "ABOUT"], wide: &[], rows, none: "" }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

fn permissions(args: &PermissionsArgs) -> Result<Exit> {
    let row = |it: &catalogue::Permission| {
        let levels: Vec<String> = it.levels().iter().map(ToString::to_string).collect();
        Row {
            name: format!("{}/{}", word(it.place), it.name),
            cells: vec![it.name.to_owned(), word(it.place).to_owned(), levels.join(","), it.about.to_owned()],
            wide: Vec::new(),
            object: json!({ "name": it.name, "of": word(it.place), "levels": levels, "about": it.about }),
        }
    };
    let rows = catalogue::PERMISSIONS.iter().map(row).collect();
    Table { header: &["NAME", "OF", "LEVELS", "ABOUT"], wide: &[], rows, none: "" }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

async fn create(args: &RoleCreateArgs) -> Result<Exit> {
    let (place, namespace, words) = place(&args.place).ok_or_else(|| anyhow!("say with --project or --workspace whose role it is"))?;
    let name = &args.name;
    if catalogue::built_in(place, name).is_some() {
        bail!("{name} is a built-in role; choose another name");
    }
    let permissions = chosen(place, &args.permissions)?;
    let mut object = json!({
        "metadata": metadata(name, &args.words),
        "rules": catalogue::rules(place, &permissions).iter().map(Rule::to_value).collect::<Vec<_>>(),
    });
    object["metadata"]["annotations"][PERMISSIONS] = catalogue::write(&permissions).into();
    let asker = Asker::new(&args.ask).await?;
    asker.create(Kind::Role, &namespace, object).await.map_err(|error| {
        let who = format!("the admins of {words} can; nobody can put more into a role than they have");
        match &error {
            error if is(error, 409) => anyhow!("{words} has a role {name} already"),
            error if is(error, 404) => anyhow!("there is no {words}"),
            _ => refusal(error, &format!("make this role in {words}"), &who),
        }
    })?;
    tell!("role {name} made in {words}; to give it: paifang invite USER --{} --role {name}", option(&args.place));
    Ok(Exit::Done)
}

fn option(args: &PlaceArgs) -> String {
    match (&args.project, &args.workspace) {
        (Some(it), _) => format!("project {}", safe(it)),
        (None, it) => format!("workspace {}", safe(it.as_deref().unwrap_or_default())),
    }
}

fn chosen(place: Place, given: &[Given]) -> Result<Permissions> {
    let named: serde_json::Map<String, Value> = given.iter().map(|it| (it.name.clone(), it.level.to_string().into())).collect();
    catalogue::read(place, &Value::Object(named).to_string()).map_err(|problem| {
        let known: Vec<&str> = catalogue::PERMISSIONS.iter().filter(|it| it.place == place).map(|it| it.name).collect();
        anyhow!("{problem}; a role of a {} has {}", word(place), known.join(", "))
    })
}

async fn delete(args: &RoleDeleteArgs) -> Result<Exit> {
    let (place, namespace, words) = place(&args.place).ok_or_else(|| anyhow!("say with --project or --workspace whose role it is"))?;
    let name = &args.name;
    if catalogue::built_in(place, name).is_some() {
        bail!("{name} is a built-in role: it would come back");
    }
    let asker = Asker::new(&args.ask).await?;
    let (doing, who) = (format!("delete roles of {words}"), format!("the admins of {words} can"));
    let bindings = asker.list(Kind::RoleBinding, &namespace, "").await.map_err(|it| refusal(it, &doing, &who))?;
    let holds = |it: &&Value| it["roleRef"]["kind"] == "Role" && it["roleRef"]["name"] == name.as_str();
    let members: Vec<String> = bindings
        .iter()
        .filter(holds)
        .flat_map(|it| it["subjects"].as_array().cloned().unwrap_or_default())
        .map(|it| text(&it, "/name"))
        .collect();
    if let Some(first) = members.first() {
        let rest = members.join(", ");
        bail!("{rest} still has it; first: paifang invite {first} --{} --role {name} --remove", option(&args.place));
    }
    asker
        .api(Kind::Role, &namespace)
        .delete(name, &DeleteParams::default())
        .await
        .map_err(|error| if is(&error, 404) { anyhow!("{words} has no role {name}") } else { refusal(error, &doing, &who) })?;
    tell!("role {name} of {words} deleted");
    Ok(Exit::Done)
}
