//! `paifang invite`: somebody becomes a member, or is none any more.

use super::ask::{Asker, is, refusal};
use super::show::text;
use crate::Exit;
use crate::args::people::InviteArgs;
use anyhow::{Result, anyhow, bail};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::catalogue::{self, Place};
use tenancy::names::{KEPT_LABEL, RBAC, invitation, workspace_namespace};

/// Where somebody is invited to.
struct Where {
    place: Place,
    /// Empty for the platform.
    namespace: String,
    /// As a person calls it.
    words: String,
    who: String,
}

/// Runs the command.
///
/// # Errors
/// What the API refused, and who could do it.
pub async fn run(args: &InviteArgs) -> Result<Exit> {
    let asker = Asker::new(&args.ask).await?;
    let place = Where::of(args);
    match (&args.role, args.remove) {
        (role, true) => remove(&asker, &place, &args.user, role.as_deref()).await,
        (Some(role), false) => add(&asker, &place, &args.user, role).await,
        (None, false) => bail!("say with --role as what"),
    }
}

async fn add(asker: &Asker, place: &Where, user: &str, role: &str) -> Result<Exit> {
    let words = &place.words;
    there_is(asker, user).await?;
    check_role(asker, place, role).await?;
    let role_ref = json!({ "apiGroup": RBAC, "kind": place.role_kind().word(), "name": role });
    let subjects = json!([{ "apiGroup": RBAC, "kind": "User", "name": user }]);
    let object = json!({ "metadata": { "name": invitation(user, role) }, "roleRef": role_ref, "subjects": subjects });
    match asker.create(place.binding_kind(), &place.namespace, object).await {
        Ok(_) => tell!("{user} is {role} of {words}"),
        Err(error) if is(&error, 409) => tell!("{user} is {role} of {words} already"),
        Err(error) if is(&error, 404) => bail!("there is no {words}"),
        Err(error) => return Err(refusal(error, &format!("make somebody {role} of {words}"), &place.who)),
    }
    Ok(Exit::Done)
}

/// Whether there is such a user; who may not know is told that nobody has looked.
async fn there_is(asker: &Asker, user: &str) -> Result<()> {
    match asker.api(Kind::User, "").get_opt(user).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => bail!("there is no user {user}; a platform admin makes one: paifang user create {user}"),
        Err(error) if is(&error, 403) => {
            eprintln!("note: only a platform admin may see whether there is a user {user}; if there is none, this waits for one");
            Ok(())
        }
        Err(error) => Err(refusal(error, &format!("look for the user {user}"), "")),
    }
}

async fn check_role(asker: &Asker, place: &Where, role: &str) -> Result<()> {
    match asker.api(place.role_kind(), &place.namespace).get_opt(role).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            let built_in: Vec<&str> = catalogue::built_ins(place.place).map(|it| it.name).collect();
            bail!("{} has no role {role}, or is not there; the built-in ones are {}", place.words, built_in.join(", "))
        }
        // The API says whether it may be given.
        Err(_) => Ok(()),
    }
}

async fn remove(asker: &Asker, place: &Where, user: &str, role: Option<&str>) -> Result<Exit> {
    let (words, kind) = (&place.words, place.binding_kind());
    let doing = format!("change the members of {words}");
    let bindings = asker.list(kind, &place.namespace, "").await.map_err(|it| refusal(it, &doing, &place.who))?;
    let is_user = |it: &&Value| it["kind"] == "User" && it["name"] == user;
    let kept = |it: &Value| it["metadata"]["labels"][KEPT_LABEL].is_string();
    let wanted = |it: &&Value| {
        it["subjects"].as_array().into_iter().flatten().any(|one| is_user(&one)) && role.is_none_or(|role| it["roleRef"]["name"] == role)
    };
    let (ours, bound): (Vec<&Value>, Vec<&Value>) = bindings.iter().filter(wanted).partition(|it| kept(it));
    for binding in &bound {
        let (name, left) = (text(binding, "/metadata/name"), left(binding, user));
        let api = asker.api(kind, &place.namespace);
        let done = match left.is_empty() {
            true => api.delete(&name, &DeleteParams::default()).await.map(drop),
            false => {
                let patch = json!({ "metadata": { "resourceVersion": text(binding, "/metadata/resourceVersion") }, "subjects": left });
                api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop)
            }
        };
        done.map_err(|it| refusal(it, &doing, &place.who))?;
        tell!("{user} is no longer {} of {words}", text(binding, "/roleRef/name"));
    }
    if !ours.is_empty() && place.place == Place::Project {
        tell!("{user} is still {} of {words} as a member of its workspace", text(ours[0], "/roleRef/name"));
    } else if bound.is_empty() {
        return Err(anyhow!("{user} has no {} of {words} that could be taken away", role.unwrap_or("role")));
    }
    Ok(Exit::Done)
}

/// Subjects without that user.
fn left<'a>(binding: &'a Value, user: &str) -> Vec<&'a Value> {
    binding["subjects"].as_array().into_iter().flatten().filter(|it| !(it["kind"] == "User" && it["name"] == user)).collect()
}

// === impl Where ===

impl Where {
    fn of(args: &InviteArgs) -> Self {
        let admins = |of: &str| format!("the admins of {of}, and platform admins, can");
        match (&args.place.project, &args.place.workspace) {
            (Some(project), _) => {
                let words = format!("the project {project}");
                Self { place: Place::Project, namespace: project.clone(), who: admins(&words), words }
            }
            (None, Some(workspace)) => {
                let words = format!("the workspace {workspace}");
                Self { place: Place::Workspace, namespace: workspace_namespace(workspace), who: admins(&words), words }
            }
            (None, None) => {
                let words = "the platform".to_owned();
                Self { place: Place::Platform, namespace: String::new(), who: "platform admins can".to_owned(), words }
            }
        }
    }

    const fn role_kind(&self) -> Kind {
        if matches!(self.place, Place::Platform) { Kind::ClusterRole } else { Kind::Role }
    }

    const fn binding_kind(&self) -> Kind {
        if matches!(self.place, Place::Platform) { Kind::ClusterRoleBinding } else { Kind::RoleBinding }
    }
}
