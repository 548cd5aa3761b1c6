//! `paifang user`.

use super::ask::{Asker, is, metadata, refusal, until_gone, value};
use super::kubeconfig;
use super::mine::roles;
use super::secret::{self, Line};
use super::show::{Many, Row, Table, age, annotation, joined, text};
use crate::Exit;
use crate::args::people::{ListArgs, NamesArgs, PasswordArgs, UserArgs, UserCommand, UserCreateArgs, UserGetArgs};
use anyhow::{Result, anyhow, bail};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::names::{ALIAS, GROUP};

pub(super) const ADMIN: &str = "a platform admin can";
const HEADER: &[&str] = &["NAME", "DISPLAY-NAME", "EMAIL", "ROLES", "WORKSPACES", "PROJECTS", "STATE", "AGE"];
const WIDE: &[&str] = &["ALIAS", "IDENTITIES"];

/// Runs the command.
///
/// # Errors
/// What the API refused, and who could do it.
pub async fn run(args: &UserArgs) -> Result<Exit> {
    match &args.command {
        UserCommand::Create(args) => create(args).await,
        UserCommand::List(args) => list(args).await,
        UserCommand::Get(args) => get(args).await,
        UserCommand::Delete(args) => delete(args).await,
        UserCommand::Suspend(args) => suspend(args, true).await,
        UserCommand::Resume(args) => suspend(args, false).await,
        UserCommand::Password(args) => password(args).await,
        UserCommand::Kubeconfig(args) => kubeconfig::of_user(args).await,
    }
}

async fn create(args: &UserCreateArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let given = if args.password_stdin { Some(secret::line(&mut secret::lines(), Line::Password)?) } else { None };
    let mut spec = json!({});
    for (field, value) in [("displayName", &args.display_name), ("email", &args.email)] {
        if let Some(value) = value {
            spec[field] = value.as_str().into();
        }
    }
    if !args.identities.is_empty() {
        spec["identities"] = json!(args.identities);
    }
    let name = &args.name;
    let object = json!({ "metadata": metadata(name, &args.words), "spec": spec });
    asker
        .create(Kind::User, "", object)
        .await
        .map_err(|error| if is(&error, 409) { anyhow!("there is a user {name} already") } else { refusal(error, "make users", ADMIN) })?;
    tell!("user {name} made");
    if args.no_password {
        return Ok(Exit::Done);
    }
    let (password, made_up) = match given {
        Some(it) => (it, false),
        None => (login::password::one_time()?.open().clone(), true),
    };
    match set(&asker, name, &json!({ "newPassword": password, "mustChange": made_up })).await {
        Ok(()) if made_up => {
            tell!("one-time password: {password}");
            tell!("with it, `paifang login {name}` asks for another");
        }
        Ok(()) => {}
        // A cluster's own API has no passwords.
        Err(error) if is(&error, 404) => {
            tell!("this API has no passwords; a kubeconfig for them: paifang user kubeconfig {name}");
        }
        Err(error) => return Err(refusal(error, &format!("give {name} a password"), ADMIN)),
    }
    Ok(Exit::Done)
}

async fn set(asker: &Asker, name: &str, body: &Value) -> Result<(), kube::Error> {
    post(asker, name, "password", body).await.map(drop)
}

/// A subresource of a User that is only created.
pub(super) async fn post(asker: &Asker, name: &str, subresource: &str, body: &Value) -> Result<Value, kube::Error> {
    let path = format!("/apis/{}/users/{name}/{subresource}", tenancy::names::VERSION);
    let request = http::Request::post(path).header(http::header::CONTENT_TYPE, "application/json");
    let request = request.body(body.to_string().into_bytes()).map_err(kube::Error::HttpError)?;
    asker.client.request::<Value>(request).await
}

async fn list(args: &ListArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let doing = "list users";
    let users =
        asker.list(Kind::User, "", "").await.map_err(|it| refusal(it, doing, "a platform admin can; `paifang user get` shows you"))?;
    let rows = users.into_iter().map(row).collect();
    Table { header: HEADER, wide: WIDE, rows, none: "there are no users" }.print(&args.show, Many::List)?;
    Ok(Exit::Done)
}

async fn get(args: &UserGetArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let user = match &args.name {
        None => asker.own().await?.ok_or_else(|| anyhow!("you are no user of this platform; name one, or use `paifang user list`"))?,
        Some(name) => {
            let found = asker.api(Kind::User, "").get_opt(name).await;
            let found = found.map_err(|it| refusal(it, &format!("see the user {name}"), "they themselves and a platform admin can"))?;
            value(Kind::User, found.ok_or_else(|| anyhow!("there is no user {name}"))?)?
        }
    };
    Table { header: HEADER, wide: WIDE, rows: vec![row(user)], none: "" }.print(&args.show, Many::One)?;
    Ok(Exit::Done)
}

fn row(user: Value) -> Row {
    let name = text(&user, "/metadata/name");
    let suspended = user.pointer("/spec/suspended").is_some_and(|it| it == true);
    let state = match (suspended, user.pointer("/metadata/deletionTimestamp")) {
        (_, Some(_)) => "Deleting",
        (true, _) => "Suspended",
        _ => "Active",
    };
    Row {
        name: format!("user.{GROUP}/{name}"),
        cells: vec![
            name,
            text(&user, "/spec/displayName"),
            text(&user, "/spec/email"),
            joined(&user["status"]["roles"]),
            roles(&user["status"]["workspaces"]),
            roles(&user["status"]["projects"]),
            state.to_owned(),
            age(&user),
        ],
        wide: vec![annotation(&user, ALIAS), joined(&user["spec"]["identities"])],
        object: user,
    }
}

async fn delete(args: &NamesArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    for name in &args.names {
        asker
            .api(Kind::User, "")
            .delete(name, &DeleteParams::default())
            .await
            .map_err(|error| if is(&error, 404) { anyhow!("there is no user {name}") } else { refusal(error, "delete users", ADMIN) })?;
        until_gone(&asker, Kind::User, "", name).await?;
        tell!("user {name} deleted");
    }
    Ok(Exit::Done)
}

async fn suspend(args: &NamesArgs, suspended: bool) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let own = if suspended { asker.who().await? } else { String::new() };
    for name in &args.names {
        if *name == own {
            bail!("that is you; somebody else would have to let you in again");
        }
        let patch = json!({ "spec": { "suspended": suspended } });
        let patch = asker.api(Kind::User, "").patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
        patch.map_err(|error| {
            let doing = if suspended { "suspend users" } else { "resume users" };
            if is(&error, 404) { anyhow!("there is no user {name}") } else { refusal(error, doing, ADMIN) }
        })?;
        tell!("user {name} {}", if suspended { "suspended" } else { "resumed" });
    }
    Ok(Exit::Done)
}

async fn password(args: &PasswordArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let own = asker.who().await?;
    let name = args.name.as_ref().unwrap_or(&own);
    let mut from = if args.password_stdin { secret::lines() } else { secret::prompts()? };
    let mut body = json!({});
    if *name == own {
        body["currentPassword"] = secret::line(&mut from, Line::Current)?.into();
    }
    let new = secret::line(&mut from, Line::New)?;
    if !args.password_stdin && secret::line(&mut from, Line::Again)? != new {
        bail!("the two are not the same; nothing has changed");
    }
    body["newPassword"] = new.into();
    set(&asker, name, &body).await.map_err(|error| {
        if is(&error, 404) {
            return anyhow!("there is no user {name} here, or this API has no passwords");
        }
        refusal(error, &format!("change the password of {name}"), "they themselves and a platform admin can")
    })?;
    tell!("password of {name} changed; sessions and kubeconfigs with tokens from before have ended");
    Ok(Exit::Done)
}
