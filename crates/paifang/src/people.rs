//! `--demo`: a workspace, a project and two people in it, and what each of them types first.

use crate::fault::Fault;
use anyhow::Context;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use model::Sealed;
use serde_json::{Value, json};
use tenancy::Kind;
use tenancy::names::{ALIAS, DESCRIPTION, RBAC, SYSTEM_NAMESPACE, VERSION, WORKSPACE_LABEL, invitation, password_secret};

const WORKSPACE: &str = "demo-workspace";
const PROJECT: &str = "demo-project";
/// Name, role in the project, and words for people.
const PEOPLE: [(&str, &str, &str); 2] = [
    ("project-admin", "admin", "manages the project demo-project: its members, its gateway and its routes"),
    ("project-regular", "operator", "makes routes in the project demo-project"),
];

/// Somebody who can log in.
#[derive(Debug)]
pub struct Person {
    pub name: &'static str,
    pub role: &'static str,
    /// One that was made just now.
    pub password: Option<Sealed<String>>,
}

/// Makes what is not there; what is stays as its owner left it. The project's namespace is there already.
pub async fn start(client: &Client) -> Result<Vec<Person>, Fault> {
    let words = |alias: &str, description: &str| json!({ ALIAS: alias, DESCRIPTION: description });
    let annotations = words("Demo workspace", "projects and people to try things with");
    make(client, Kind::Workspace, "", WORKSPACE, json!({ "metadata": { "annotations": annotations }, "spec": {} })).await?;
    join(client, &words("Demo project", "the sample backends and their routes")).await?;
    let mut people = Vec::new();
    for (name, role, about) in PEOPLE {
        let user = json!({ "metadata": { "annotations": words(name, about) }, "spec": { "displayName": name } });
        if make(client, Kind::User, "", name, user).await? {
            let subjects = json!([{ "apiGroup": RBAC, "kind": "User", "name": name }]);
            let binding = json!({ "roleRef": { "apiGroup": RBAC, "kind": "Role", "name": role }, "subjects": subjects });
            make(client, Kind::RoleBinding, PROJECT, &invitation(name, role), binding).await?;
        }
        people.push(Person { name, role, password: password(client, name).await? });
    }
    Ok(people)
}

/// Puts the project into the workspace, unless it is in one.
async fn join(client: &Client, words: &Value) -> Result<(), Fault> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Namespace.resource());
    let project = api.get(PROJECT).await.context("cannot read the sample project")?;
    if project.metadata.labels.is_some_and(|it| it.contains_key(WORKSPACE_LABEL)) {
        return Ok(());
    }
    let patch = json!({ "metadata": { "labels": { WORKSPACE_LABEL: WORKSPACE }, "annotations": words } });
    api.patch(PROJECT, &PatchParams::default(), &Patch::Merge(&patch)).await.context("cannot put the sample project into its workspace")?;
    Ok(())
}

/// Creates an object; `false`: it was there.
async fn make(client: &Client, kind: Kind, namespace: &str, name: &str, mut object: Value) -> Result<bool, Fault> {
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.word().into();
    object["metadata"]["name"] = name.into();
    let api: Api<DynamicObject> = match kind.namespaced() {
        true => Api::namespaced_with(client.clone(), namespace, &kind.resource()),
        false => Api::all_with(client.clone(), &kind.resource()),
    };
    let object: DynamicObject = serde_json::from_value(object).context("a sample is an object")?;
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot make the sample {kind} {name}")).into()),
    }
}

/// A one-time password for who has none.
async fn password(client: &Client, user: &str) -> Result<Option<Sealed<String>>, Fault> {
    let secrets: Api<DynamicObject> = Api::namespaced_with(client.clone(), SYSTEM_NAMESPACE, &Kind::Secret.resource());
    if secrets.get_opt(&password_secret(user)).await.context("cannot look for a password")?.is_some() {
        return Ok(None);
    }
    let password = login::password::one_time().context("cannot make up a password")?;
    let body = json!({ "newPassword": password.open(), "mustChange": true }).to_string().into_bytes();
    let request = http::Request::post(format!("/apis/{VERSION}/users/{user}/password")).header("content-type", "application/json");
    let request = request.body(body).context("a request that can be sent")?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(Some(password)),
        // Somebody has given them one meanwhile.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot give {user} a password")).into()),
    }
}
