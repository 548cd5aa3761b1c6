//! Nobody gives what they do not have.

use http::Method;
use serde_json::{Value, json};

use super::{RBAC, bind, get_as, role, send_as};
use crate::client::{Answer, Server};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";

/// `mallory` may write roles and bindings in `default`, read ConfigMaps there, and nothing else.
async fn server() -> Server {
    let server = Server::start().await;
    role(
        &server,
        "role-writer",
        "rbac.authorization.k8s.io",
        "roles,rolebindings,clusterroles,clusterrolebindings",
        "get,create,update,patch",
    )
    .await;
    role(&server, "map-reader", "", "configmaps", "get,list").await;
    bind(&server, "role-writer", "mallory", "default").await;
    bind(&server, "map-reader", "mallory", "default").await;
    server
}

async fn mallory(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    send_as(server, "mallory", method, path, body).await
}

fn new_role(name: &str, resource: &str, verbs: &[&str]) -> Value {
    json!({ "metadata": { "name": name }, "rules": [{ "apiGroups": [""], "resources": [resource], "verbs": verbs }] })
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
        "subjects": [{ "kind": "User", "name": "mallory" }],
    })
}

#[tokio::test]
async fn a_role_holds_no_more_than_its_writer() {
    let server = server().await;
    mallory(&server, Method::POST, ROLES, &new_role("maps", "configmaps", &["get", "list"])).await.ok();
    let status = mallory(&server, Method::POST, ROLES, &new_role("all", "configmaps", &["get", "delete", "watch"])).await.refused(403);
    assert_eq!(
        status["message"],
        "roles.rbac.authorization.k8s.io \"all\" is forbidden: user \"mallory\" (groups=[\"system:authenticated\"]) is attempting to grant \
         RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"delete\" \"watch\"]}"
    );
    for resource in ["secrets", "*", "configmaps/status"] {
        mallory(&server, Method::POST, ROLES, &new_role("all", resource, &["get"])).await.refused(403);
    }
    // Neither may a role grow that is there, by an update or a patch.
    mallory(&server, Method::PUT, &format!("{ROLES}/maps"), &new_role("maps", "secrets", &["get"])).await.refused(403);
    let patch = json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] });
    mallory(&server, Method::PATCH, &format!("{ROLES}/maps"), &patch).await.refused(403);
    // To label a role that holds more is to write it.
    server.post(ROLES, &new_role("strong", "secrets", &["get"])).await.ok();
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    mallory(&server, Method::PATCH, &format!("{ROLES}/strong"), &label).await.refused(403);
    let owner = json!({ "metadata": { "finalizers": ["example.io/a"] } });
    mallory(&server, Method::PATCH, &format!("{ROLES}/strong"), &owner).await.ok();
    // `escalate` lifts this.
    role(&server, "escalator", "rbac.authorization.k8s.io", "roles", "escalate").await;
    bind(&server, "escalator", "mallory", "default").await;
    mallory(&server, Method::POST, ROLES, &new_role("all", "secrets", &["get"])).await.ok();
}

#[tokio::test]
async fn a_binding_gives_no_more_than_its_writer_has() {
    let server = server().await;
    mallory(&server, Method::POST, BINDINGS, &binding("mine", "ClusterRole", "map-reader")).await.ok();
    let status = mallory(&server, Method::POST, BINDINGS, &binding("all", "ClusterRole", "cluster-admin")).await.refused(403);
    assert_eq!(
        status["message"],
        "rolebindings.rbac.authorization.k8s.io \"all\" is forbidden: user \"mallory\" (groups=[\"system:authenticated\"]) is attempting to \
         grant RBAC permissions not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}\n{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"
    );
    let status = mallory(&server, Method::POST, BINDINGS, &binding("all", "ClusterRole", "nothing")).await.refused(404);
    assert_eq!(status["message"], "rolebindings.rbac.authorization.k8s.io \"nothing\" not found");
    // What is held in one namespace is not held in all.
    mallory(&server, Method::POST, &format!("{RBAC}/clusterrolebindings"), &binding("all", "ClusterRole", "map-reader")).await.refused(403);
    bind(&server, "role-writer", "mallory", "").await;
    mallory(&server, Method::POST, &format!("{RBAC}/clusterrolebindings"), &binding("all", "ClusterRole", "map-reader")).await.refused(403);
    // More subjects for a binding that is there are a new grant.
    server.post(BINDINGS, &binding("strong", "ClusterRole", "view")).await.ok();
    server.delete(&format!("{BINDINGS}/strong")).await.ok();
    let mut strong = binding("strong", "ClusterRole", "view");
    strong["subjects"] = json!([{ "kind": "User", "name": "ann" }]);
    server.post(BINDINGS, &strong).await.ok();
    mallory(&server, Method::PUT, &format!("{BINDINGS}/strong"), &binding("strong", "ClusterRole", "view")).await.refused(403);
    // The role of a binding stays, whoever writes.
    let status = server.put(&format!("{BINDINGS}/strong"), &binding("strong", "ClusterRole", "edit")).await.refused(422);
    assert!(status["message"].to_string().contains("cannot change roleRef"), "{status}");
    // `bind` on that role, and no other, lifts this.
    let rule =
        json!({ "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "resourceNames": ["view"], "verbs": ["bind"] });
    server.post(&format!("{RBAC}/clusterroles"), &json!({ "metadata": { "name": "binder" }, "rules": [rule] })).await.ok();
    bind(&server, "binder", "mallory", "default").await;
    mallory(&server, Method::POST, BINDINGS, &binding("seen", "ClusterRole", "view")).await.ok();
    mallory(&server, Method::POST, BINDINGS, &binding("edits", "ClusterRole", "edit")).await.refused(403);
    get_as(&server, "mallory", "/api/v1/namespaces/default/services").await.ok();
}

#[tokio::test]
async fn what_gathers_is_the_administrators() {
    let server = server().await;
    bind(&server, "role-writer", "mallory", "").await;
    let path = format!("{RBAC}/clusterroles");
    let selectors = json!({ "clusterRoleSelectors": [{ "matchLabels": { "a": "b" } }] });
    let body = json!({ "metadata": { "name": "gather" }, "aggregationRule": selectors, "rules": [] });
    let status = mallory(&server, Method::POST, &path, &body).await.refused(403);
    let words = "must have cluster-admin privileges to use the aggregationRule";
    assert_eq!(status["message"], format!("clusterroles.rbac.authorization.k8s.io \"gather\" is forbidden: {words}"));
    // A label that makes a role be gathered is as good as its rules.
    let labels = json!({ "rbac.authorization.k8s.io/aggregate-to-view": "true" });
    let rule = json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] });
    mallory(&server, Method::POST, &path, &json!({ "metadata": { "name": "more", "labels": labels }, "rules": [rule] })).await.refused(403);
    mallory(&server, Method::PATCH, &format!("{path}/view"), &json!({ "aggregationRule": selectors })).await.refused(403);
    bind(&server, "cluster-admin", "mallory", "").await;
    mallory(&server, Method::POST, &path, &body).await.ok();
}
