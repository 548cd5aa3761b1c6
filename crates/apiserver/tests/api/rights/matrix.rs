//! Role by verb by kind: what Kubernetes' own roles allow in one namespace.

use apiserver::Verb;
use apiserver::table::rows;
use serde_json::{Value, json};

use super::bind;
use crate::client::Server;

const READ: &str = "get list watch";
const WRITE: &str = "create update patch delete deletecollection";

/// What a role may do with a resource of a namespace it is bound in, beside `cluster-admin`, who may everything.
fn expected(role: &str, resource: &str) -> String {
    let (admin, edit) = (role == "admin", role != "view");
    match resource {
        "configmaps"
        | "events"
        | "events.events.k8s.io"
        | "pods"
        | "serviceaccounts"
        | "services"
        | "deployments.apps"
        | "deployments.apps/scale"
        | "ingresses.networking.k8s.io" => {
            if edit {
                format!("{READ} {WRITE}")
            } else {
                READ.into()
            }
        }
        "secrets" | "leases.coordination.k8s.io" if edit => format!("{READ} {WRITE}"),
        "serviceaccounts/token" if edit => "create".into(),
        "endpoints"
        | "endpointslices.discovery.k8s.io"
        | "services/status"
        | "pods/status"
        | "namespaces"
        | "namespaces/status"
        | "deployments.apps/status"
        | "ingresses.networking.k8s.io/status" => READ.into(),
        "roles.rbac.authorization.k8s.io" | "rolebindings.rbac.authorization.k8s.io" if admin => format!("{READ} {WRITE}"),
        _ => String::new(),
    }
}

async fn may(server: &Server, user: &str, verb: Verb, group: &str, resource: &str, subresource: &str) -> Value {
    let attributes =
        json!({ "namespace": "default", "verb": verb.as_str(), "group": group, "resource": resource, "subresource": subresource });
    let body = json!({ "spec": { "user": user, "resourceAttributes": attributes } });
    server.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &body).await.ok()["status"]["allowed"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_verb_and_kind() {
    let server = Server::start().await;
    let roles = ["view", "edit", "admin", "cluster-admin"];
    for role in roles {
        bind(&server, role, role, "default").await;
    }
    let mut cells = 0;
    for row in rows().iter().filter(|row| !(row.group.is_empty() && row.version != "v1")) {
        let dot = if row.group.is_empty() { String::new() } else { format!(".{}", row.group) };
        let slash = if row.subresource.is_empty() { String::new() } else { format!("/{}", row.subresource) };
        let what = format!("{}{dot}{slash}", row.resource);
        for role in roles {
            let expected = if role == "cluster-admin" { format!("{READ} {WRITE}") } else { expected(role, &what) };
            for verb in Verb::ALL {
                let allowed = may(&server, role, verb, &row.group, &row.resource, row.subresource).await;
                assert_eq!(allowed, expected.split(' ').any(|one| one == verb.as_str()), "{role} {verb} {what}");
                cells += 1;
            }
        }
        assert_eq!(may(&server, "nobody", Verb::Get, &row.group, &row.resource, row.subresource).await, false);
    }
    assert!(cells > 600, "{cells}");
}
