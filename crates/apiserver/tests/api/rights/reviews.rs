//! Questions about rights, and asking in somebody's place, with the real kubectl.

use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::{RBAC, bind, get_as, role, send_as};
use crate::client::{Server, request};
use crate::kubectl::{Kubectl, check};

const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_asks_what_it_may() {
    let server = Server::start().await;
    let admin = Kubectl::new(&server);
    admin.ok("create clusterrole reader --verb=get,list,watch --resource=configmaps,ingresses.networking.k8s.io").await;
    admin.ok("create rolebinding ann --clusterrole=reader --user=ann").await;
    let ann = Kubectl::with_kubeconfig(&server, &server.running.kubeconfig_for("ann", "team-a").expect("a kubeconfig"));
    check(&ann.ok("auth whoami").await, &["ann", "team-a", "system:authenticated"]);
    for (line, expect) in [
        ("list configmaps", true),
        ("get ingresses", true),
        ("create configmaps", false),
        ("list configmaps -n kube-system", false),
        ("list configmaps -A", false),
        ("* *", false),
        ("get /api", true),
        ("get /metrics", false),
    ] {
        let line = format!("auth can-i {line}");
        if expect {
            assert_eq!(ann.ok(&line).await.trim(), "yes", "{line}");
        } else {
            ann.fails_with(&line, "").await;
        }
        // The administrator hears the same in her place.
        let line = format!("{line} --as=ann");
        if expect { drop(admin.ok(&line).await) } else { drop(admin.fails_with(&line, "").await) }
    }
    let list = ann.ok("auth can-i --list").await;
    check(
        &list,
        &["configmaps", "ingresses.networking.k8s.io", "[get list watch]", "selfsubjectaccessreviews.authorization.k8s.io", "/openapi/*"],
    );
    assert!(!list.contains("*.*"), "{list}");
    check(&admin.ok("auth can-i --list").await, &["*.*"]);
    assert_eq!(admin.ok("auth can-i * *").await.trim(), "yes");
    ann.ok("get configmaps,ingresses").await;
    check(
        &ann.fails_with("get services", "").await,
        &["User \"ann\" cannot list resource \"services\" in API group \"\" in the namespace \"default\""],
    );
    check(&ann.fails_with("get configmaps --as=bob", "").await, &["users \"bob\" is forbidden", "cannot impersonate resource \"users\""]);
    check(&admin.ok("auth whoami --as=bob --as-group=x --as-uid=7").await, &["bob", "x", "7", "system:authenticated"]);
    check(&admin.fails_with("get nodes --as=bob", "").await, &["User \"bob\" cannot list resource \"nodes\""]);
    admin.ok("get nodes --as=bob --as-group=system:masters").await;
    let roles = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: default}\nrules:\n- {apiGroups: [''], \
                 resources: [pods], verbs: [get]}\n";
    check(&admin.ok_with("auth reconcile -f -", roles).await, &["role.rbac.authorization.k8s.io/r reconciled"]);
    check(&admin.ok("describe clusterrole view").await, &["configmaps", "[get list watch]"]);
}

#[tokio::test]
async fn every_part_of_another_identity_must_be_allowed() {
    let server = Server::start().await;
    let groups = json!({ "apiGroups": [""], "resources": ["groups"], "resourceNames": ["team-a"], "verbs": ["impersonate"] });
    let users = json!({ "apiGroups": [""], "resources": ["users", "serviceaccounts"], "verbs": ["impersonate"] });
    let scopes = json!({ "apiGroups": ["authentication.k8s.io"], "resources": ["userextras/scopes"], "verbs": ["impersonate"] });
    let body = json!({ "metadata": { "name": "helper" }, "rules": [groups, users, scopes] });
    server.post(&format!("{RBAC}/clusterroles"), &body).await.ok();
    bind(&server, "helper", "helper", "").await;
    let kubeconfig = server.running.kubeconfig_for("helper", "").expect("a kubeconfig");
    let ask = async |headers: &[(&'static str, &'static str)]| {
        let mut request = request(Method::POST, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "application/json", "{}");
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        server.ask_with(&kubeconfig, request).await
    };
    assert_eq!(ask(&[]).await.ok()["status"]["userInfo"]["username"], "helper");
    let user = ask(&[("impersonate-user", "ann"), ("impersonate-group", "team-a"), ("impersonate-extra-scopes", "a")]).await.ok();
    assert_eq!(
        user["status"]["userInfo"],
        json!({ "username": "ann", "groups": ["team-a", "system:authenticated"], "extra": { "scopes": ["a"] } })
    );
    let robot = ask(&[("impersonate-user", "system:serviceaccount:shop:robot")]).await.ok();
    assert_eq!(robot["status"]["userInfo"]["groups"][1], "system:serviceaccounts:shop");
    for headers in [
        &[("impersonate-user", "ann"), ("impersonate-group", "system:masters")][..],
        &[("impersonate-user", "ann"), ("impersonate-group", "team-a"), ("impersonate-group", "team-b")],
        &[("impersonate-user", "ann"), ("impersonate-uid", "1")],
        &[("impersonate-user", "ann"), ("impersonate-extra-other", "a")],
    ] {
        ask(headers).await.refused(403);
    }
    ask(&[("impersonate-group", "team-a")]).await.refused(400);
    ask(&[("impersonate-user", "ann"), ("impersonate-all", "yes")]).await.refused(400);
    // Not even the administrator becomes this program.
    let map = json!({ "metadata": { "name": "a", "labels": { "paifang.dev/read-only": "true" } } });
    let mut request = request(Method::POST, "/api/v1/namespaces/default/configmaps", "application/json", &map.to_string());
    request.headers_mut().insert("impersonate-user", HeaderValue::from_static("paifang"));
    request.headers_mut().insert("impersonate-group", HeaderValue::from_static("system:masters"));
    server.ask(request).await.refused(403);
}

#[tokio::test]
async fn questions_about_others_need_a_right_and_a_form() {
    let server = Server::start().await;
    role(&server, "reader", "", "configmaps", "get").await;
    bind(&server, "reader", "ann", "default").await;
    let attributes = json!({ "namespace": "default", "verb": "get", "resource": "configmaps" });
    let review = json!({ "spec": { "user": "ann", "resourceAttributes": attributes } });
    let path = format!("{AUTHORIZATION}/subjectaccessreviews");
    send_as(&server, "bob", Method::POST, &path, &review).await.refused(403);
    let status = server.post(&path, &review).await.ok()["status"].clone();
    let by = r#"RBAC: allowed by RoleBinding "reader-ann/default" of ClusterRole "reader" to User "ann""#;
    assert_eq!(status, json!({ "allowed": true, "reason": by }));
    let local = format!("{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews");
    assert_eq!(server.post(&local, &review).await.ok()["status"]["allowed"], true);
    let elsewhere = format!("{AUTHORIZATION}/namespaces/kube-system/localsubjectaccessreviews");
    let status = server.post(&elsewhere, &review).await.refused(422);
    assert_eq!(
        status["message"],
        ".authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid value: \"default\": must match metadata.namespace"
    );
    for wrong in [
        json!({ "resourceAttributes": attributes }),
        json!({ "user": "ann" }),
        json!({ "user": "ann", "resourceAttributes": attributes, "nonResourceAttributes": { "path": "/", "verb": "get" } }),
    ] {
        server.post(&path, &json!({ "spec": wrong })).await.refused(422);
    }
    server.post(&path, &json!({ "kind": "Pod" })).await.refused(400);
    server.get(&path).await.refused(405);
    server.post(&format!("{AUTHORIZATION}/selfsubjectrulesreviews"), &json!({ "spec": {} })).await.refused(400);
    let rules = json!({ "spec": { "namespace": "default" } });
    let mine = send_as(&server, "ann", Method::POST, &format!("{AUTHORIZATION}/selfsubjectrulesreviews"), &rules).await.ok();
    let mine: &Vec<Value> = mine["status"]["resourceRules"].as_array().expect("rules");
    assert!(mine.contains(&json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"] })), "{mine:?}");
    get_as(&server, "ann", &path).await.refused(403);
}
