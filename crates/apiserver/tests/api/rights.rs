//! Who may do what, over the wire: users by certificate, by token and in somebody's place.

mod accounts;
mod audit;
mod escalation;
mod matrix;
mod reviews;
mod tokens;

use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::client::{Answer, Server, request};

pub const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Asks as the administrator does in somebody's place.
pub async fn send_as(server: &Server, user: &str, method: Method, path: &str, body: &Value) -> Answer {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let media_type = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let mut request = request(method, path, media_type, &text);
    request.headers_mut().insert("impersonate-user", HeaderValue::from_str(user).expect("a name"));
    server.ask(request).await
}

pub async fn get_as(server: &Server, user: &str, path: &str) -> Answer {
    send_as(server, user, Method::GET, path, &Value::Null).await
}

/// Makes a role of the cluster with one rule, of groups, resources and verbs parted by commas.
pub async fn role(server: &Server, name: &str, groups: &str, resources: &str, verbs: &str) {
    let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rule = json!({ "apiGroups": words(groups), "resources": words(resources), "verbs": words(verbs) });
    server.post(&format!("{RBAC}/clusterroles"), &json!({ "metadata": { "name": name }, "rules": [rule] })).await.ok();
}

/// Gives a role of the cluster to a user, in a namespace or, with `""`, everywhere.
pub async fn bind(server: &Server, role: &str, user: &str, namespace: &str) {
    let name = format!("{role}-{}", user.replace(':', "-"));
    let body = json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [{ "kind": "User", "name": user }],
    });
    let path = match namespace {
        "" => format!("{RBAC}/clusterrolebindings"),
        namespace => format!("{RBAC}/namespaces/{namespace}/rolebindings"),
    };
    server.post(&path, &body).await.ok();
}

#[tokio::test]
async fn nobody_may_anything_until_a_role_says_so() {
    let server = Server::start().await;
    let path = "/api/v1/namespaces/default/configmaps";
    let status = get_as(&server, "ann", path).await.refused(403);
    assert_eq!(
        status,
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": r#"configmaps is forbidden: User "ann" cannot list resource "configmaps" in API group "" in the namespace "default""#,
            "details": { "kind": "configmaps" },
        })
    );
    for (path, message) in [
        (
            "/apis/networking.k8s.io/v1/namespaces/default/ingresses/web",
            r#"ingresses.networking.k8s.io "web" is forbidden: User "ann" cannot get resource "ingresses" in API group "networking.k8s.io" in the namespace "default""#,
        ),
        ("/api/v1/nodes", r#"nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope"#),
        (
            "/api/v1/namespaces/default",
            r#"namespaces "default" is forbidden: User "ann" cannot get resource "namespaces" in API group "" in the namespace "default""#,
        ),
        ("/metrics", r#"forbidden: User "ann" cannot get path "/metrics""#),
        // What is not served is not told to who may not ask.
        (
            "/apis/example.io/v1/things",
            r#"things.example.io is forbidden: User "ann" cannot list resource "things" in API group "example.io" at the cluster scope"#,
        ),
    ] {
        assert_eq!(get_as(&server, "ann", path).await.refused(403)["message"], message);
    }
    for path in ["/api", "/apis", "/api/v1", "/openapi/v3", "/version", "/healthz"] {
        assert!(get_as(&server, "ann", path).await.status.is_success(), "{path}: everybody who is known may look round");
    }
}

#[tokio::test]
async fn a_binding_holds_for_the_next_request_and_no_longer_than_it_is_there() {
    let server = Server::start().await;
    role(&server, "reader", "", "configmaps,namespaces", "get,list,watch").await;
    let path = "/api/v1/namespaces/default/configmaps";
    for round in 0..20 {
        get_as(&server, "ann", path).await.refused(403);
        bind(&server, "reader", "ann", "default").await;
        assert!(get_as(&server, "ann", path).await.status.is_success(), "round {round}");
        get_as(&server, "ann", "/api/v1/configmaps").await.refused(403);
        get_as(&server, "bob", path).await.refused(403);
        get_as(&server, "ann", "/api/v1/namespaces/default").await.ok();
        server.delete(&format!("{RBAC}/namespaces/default/rolebindings/reader-ann")).await.ok();
    }
    // A role that loses its rules, and one that goes, are as quick.
    bind(&server, "reader", "ann", "default").await;
    let none = json!({ "metadata": { "name": "reader" }, "rules": [] });
    server.put(&format!("{RBAC}/clusterroles/reader"), &none).await.ok();
    get_as(&server, "ann", path).await.refused(403);
    server.delete(&format!("{RBAC}/clusterroles/reader")).await.ok();
    let said = get_as(&server, "ann", path).await.refused(403)["message"].to_string();
    assert!(said.contains(r#": RBAC: clusterrole.rbac.authorization.k8s.io \"reader\" not found"#), "{said}");
    let server = server.restart().await;
    role(&server, "reader", "", "configmaps", "list").await;
    get_as(&server, "ann", path).await.ok();
}

#[tokio::test]
async fn who_may_see_one_object_may_list_it_alone() {
    let server = Server::start().await;
    for name in ["a", "b"] {
        server.post("/api/v1/namespaces/default/secrets", &json!({ "metadata": { "name": name } })).await.ok();
    }
    let rule = json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get", "list", "watch"] });
    server.post(&format!("{RBAC}/clusterroles"), &json!({ "metadata": { "name": "a-only" }, "rules": [rule] })).await.ok();
    bind(&server, "a-only", "ann", "default").await;
    let path = "/api/v1/namespaces/default/secrets";
    let list = get_as(&server, "ann", &format!("{path}?fieldSelector=metadata.name%3Da")).await.ok();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    get_as(&server, "ann", &format!("{path}/a")).await.ok();
    for query in [
        "/b",
        "",
        "?fieldSelector=metadata.name%3Db",
        "?fieldSelector=metadata.name!%3Da",
        "?fieldSelector=type%3DOpaque",
        "?labelSelector=metadata.name%3Da",
    ] {
        get_as(&server, "ann", &format!("{path}{query}")).await.refused(403);
    }
    // A name that does not narrow the selection is no way round.
    let both = get_as(&server, "ann", &format!("{path}?fieldSelector=metadata.name%3Da,metadata.name%3Db")).await.ok();
    assert_eq!(both["items"], json!([]));
}

#[tokio::test]
async fn to_apply_what_is_not_there_is_to_create_it() {
    let server = Server::start().await;
    role(&server, "patcher", "", "configmaps", "patch,get").await;
    bind(&server, "patcher", "ann", "default").await;
    let path = "/api/v1/namespaces/default/configmaps/a?fieldManager=test";
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "x": "y" } });
    let apply = async || {
        let mut request = request(Method::PATCH, path, "application/apply-patch+yaml", &body.to_string());
        request.headers_mut().insert("impersonate-user", HeaderValue::from_static("ann"));
        server.ask(request).await
    };
    let message = apply().await.refused(403)["message"].to_string();
    assert!(message.contains("cannot create resource"), "{message}");
    server.post("/api/v1/namespaces/default/configmaps", &json!({ "metadata": { "name": "a" } })).await.ok();
    apply().await.ok();
}

#[tokio::test]
async fn the_roles_of_the_first_start_are_repaired_but_not_against_their_owners() {
    let server = Server::start().await;
    let names = server.get(&format!("{RBAC}/clusterroles")).await.ok();
    let names: Vec<&str> = names["items"].as_array().expect("a list").iter().filter_map(|role| role["metadata"]["name"].as_str()).collect();
    for name in ["admin", "cluster-admin", "edit", "system:basic-user", "system:discovery", "system:public-info-viewer", "view"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let role = |name: &str| format!("{RBAC}/clusterroles/{name}");
    let edit = server.get(&role("edit")).await.ok();
    assert!(edit["rules"].to_string().contains("ingresses"), "what is gathered can be read: {edit}");
    // Rules taken away come back, and rules added stay; one that says so is left alone.
    let extra = json!({ "apiGroups": ["example.io"], "resources": ["things"], "verbs": ["get"] });
    let merge = "application/merge-patch+json";
    server.patch(&role("system:discovery"), merge, &json!({ "rules": [extra] })).await.ok();
    let mine = json!({ "metadata": { "annotations": { "rbac.authorization.kubernetes.io/autoupdate": "false" } }, "rules": [] });
    server.patch(&role("system:basic-user"), merge, &mine).await.ok();
    server.delete(&role("view")).await.ok();
    server.delete(&format!("{RBAC}/clusterrolebindings/system:discovery")).await.ok();
    get_as(&server, "ann", "/api").await.refused(403);
    let server = server.restart().await;
    get_as(&server, "ann", "/api").await.ok();
    let discovery = server.get(&role("system:discovery")).await.ok();
    assert!(discovery["rules"].as_array().is_some_and(|rules| rules.contains(&extra) && rules.len() > 1), "{discovery}");
    assert_eq!(server.get(&role("system:basic-user")).await.ok()["rules"], json!([]));
    assert!(server.get(&role("view")).await.ok()["rules"].to_string().contains("configmaps"));
    // A third start finds nothing to do.
    let before = server.store.revision();
    let server = server.restart().await;
    assert_eq!(server.store.revision(), before);
}

#[tokio::test]
async fn a_role_gathers_what_carries_its_label_at_once() {
    let server = Server::start().await;
    bind(&server, "view", "ann", "default").await;
    let path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways";
    get_as(&server, "ann", path).await.refused(403);
    let rule = json!({ "apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["list"] });
    let labels = json!({ "rbac.authorization.k8s.io/aggregate-to-view": "true" });
    server.post(&format!("{RBAC}/clusterroles"), &json!({ "metadata": { "name": "more", "labels": labels }, "rules": [rule] })).await.ok();
    get_as(&server, "ann", path).await.ok();
    // Rules that are written into the gathering role are replaced by what it gathers, and count for nothing before.
    let all = json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] });
    server.patch(&format!("{RBAC}/clusterroles/view"), "application/merge-patch+json", &all).await.ok();
    get_as(&server, "ann", "/api/v1/namespaces/default/secrets").await.refused(403);
    let until = std::time::Instant::now() + crate::client::PATIENCE;
    loop {
        let view = server.get(&format!("{RBAC}/clusterroles/view")).await.ok();
        if view["rules"].to_string().contains("gateways") {
            break;
        }
        assert!(std::time::Instant::now() < until, "{view}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
