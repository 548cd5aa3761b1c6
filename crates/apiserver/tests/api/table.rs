//! The table, cell by cell: what it holds works, what it does not hold is refused as Kubernetes refuses it.

use apiserver::table::{Row, rows};
use apiserver::{PatchType, Verb};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Server, request};

/// An object that every check accepts.
fn sample(row: &Row, name: &str) -> Value {
    let group_version = if row.group.is_empty() { row.version.clone() } else { format!("{}/{}", row.group, row.version) };
    let (kind, rest) = match row.resource.as_str() {
        "configmaps" => ("ConfigMap", json!({ "data": { "a": "b" } })),
        "endpoints" => ("Endpoints", json!({ "subsets": [] })),
        "events" if row.group.is_empty() => {
            ("Event", json!({ "involvedObject": { "kind": "ConfigMap", "name": "a", "namespace": "default" } }))
        }
        "events" => (
            "Event",
            json!({
                "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "paifang.dev/test",
                "reportingInstance": "test-1", "action": "Test", "reason": "Tested", "type": "Normal",
                "regarding": { "kind": "ConfigMap", "name": "a", "namespace": "default" },
            }),
        ),
        "namespaces" => ("Namespace", json!({})),
        "nodes" => ("Node", json!({})),
        "pods" => ("Pod", json!({ "spec": { "containers": [{ "name": "a", "image": "example/a" }] } })),
        "deployments" => {
            let labels = json!({ "app": "a" });
            let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "a", "image": "example/a" }] } });
            ("Deployment", json!({ "spec": { "selector": { "matchLabels": labels }, "template": template } }))
        }
        "secrets" => ("Secret", json!({ "stringData": { "a": "b" } })),
        "serviceaccounts" => ("ServiceAccount", json!({})),
        "services" => ("Service", json!({ "spec": { "ports": [{ "port": 80 }] } })),
        "leases" => ("Lease", json!({ "spec": { "holderIdentity": "a" } })),
        "endpointslices" => ("EndpointSlice", json!({ "addressType": "IPv4", "endpoints": [], "ports": [] })),
        "ingresses" => ("Ingress", json!({ "spec": { "defaultBackend": { "service": { "name": "a", "port": { "number": 80 } } } } })),
        "ingressclasses" => ("IngressClass", json!({ "spec": { "controller": "paifang.dev/test" } })),
        "roles" => ("Role", json!({ "rules": [] })),
        "clusterroles" => ("ClusterRole", json!({ "rules": [] })),
        "rolebindings" | "clusterrolebindings" => {
            let kind = if row.namespaced { "RoleBinding" } else { "ClusterRoleBinding" };
            let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a" });
            (kind, json!({ "roleRef": role, "subjects": [] }))
        }
        "customresourcedefinitions" => return crate::custom::definition(&format!("{name}s"), "tables.example"),
        other => panic!("no sample for {other}"),
    };
    let mut object = json!({ "apiVersion": group_version, "kind": kind, "metadata": { "name": name } });
    for (key, value) in rest.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

/// Where the row's objects are.
fn collection(row: &Row) -> String {
    let base = if row.group.is_empty() { format!("/api/{}", row.version) } else { format!("/apis/{}/{}", row.group, row.version) };
    if row.namespaced { format!("{base}/namespaces/default/{}", row.resource) } else { format!("{base}/{}", row.resource) }
}

struct Cell<'a> {
    server: &'a Server,
    row: &'a Row,
    /// Of the object.
    path: String,
    collection: String,
    name: String,
}

impl<'a> Cell<'a> {
    /// A new object for one cell.
    async fn new(server: &'a Server, row: &'a Row, name: &str) -> Self {
        let collection = collection(row);
        let made = server.post(&collection, &sample(row, name)).await.ok();
        let name = made["metadata"]["name"].as_str().expect("a name").to_owned();
        Self { server, row, path: format!("{collection}/{name}"), collection, name: name.replace('.', "-") }
    }

    fn target(&self) -> String {
        if self.row.subresource.is_empty() { self.path.clone() } else { format!("{}/{}", self.path, self.row.subresource) }
    }

    async fn run(&self, verb: Verb) -> Answer {
        let server = self.server;
        // A subresource has no collection; what would be one is its own address.
        let collection = if self.row.subresource.is_empty() { self.collection.clone() } else { self.target() };
        match verb {
            Verb::Get => server.get(&self.target()).await,
            Verb::List => server.get(&collection).await,
            Verb::Watch => Answer::head(server, &format!("{collection}?watch=true")).await,
            Verb::Create if self.row.subresource == "token" => server.post(&self.target(), &json!({})).await,
            Verb::Create => server.post(&collection, &sample(self.row, &format!("{}-too", self.name))).await,
            Verb::Update => {
                let whole = if self.row.subresource == "scale" { self.target() } else { self.path.clone() };
                let object = server.get(&whole).await.ok();
                server.put(&self.target(), &object).await
            }
            Verb::Patch => self.patch(self.row.patches[0]).await,
            Verb::Delete => server.delete(&self.target()).await,
            Verb::DeleteCollection => server.delete(&format!("{collection}?labelSelector=no=such")).await,
        }
    }

    async fn patch(&self, patch: PatchType) -> Answer {
        let body = match patch {
            PatchType::Json => json!([{ "op": "add", "path": "/metadata/labels", "value": { "patched": "yes" } }]),
            PatchType::Apply => {
                // A definition's name is made of the sample's.
                let name = self.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or("");
                let mut object = sample(self.row, name.trim_end_matches('s'));
                object["metadata"]["labels"] = json!({ "patched": "yes" });
                object
            }
            _ => json!({ "metadata": { "labels": { "patched": "yes" } } }),
        };
        self.server.patch(&format!("{}?fieldManager=table", self.target()), patch.media_type(), &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_table() {
    let server = Server::start().await;
    let rows = rows();
    assert!(rows.len() > 20, "the table has its kinds");
    for (at, row) in rows.iter().enumerate() {
        let cell = Cell::new(&server, row, &format!("row{at}")).await;
        for verb in Verb::ALL {
            let is_reading_alias = !row.subresource.is_empty() && matches!(verb, Verb::List | Verb::Watch);
            let has_no_request = !row.subresource.is_empty() && matches!(verb, Verb::DeleteCollection);
            if (row.verbs.contains(&verb) && verb == Verb::Delete) || is_reading_alias || has_no_request {
                continue;
            }
            let what = format!("{verb} {}/{}", row.resource, row.subresource);
            if row.verbs.contains(&verb) {
                let answer = cell.run(verb).await;
                assert!(answer.status.is_success(), "{what}: {} {:?}", answer.status, answer.bytes);
            } else if verb != Verb::Patch || !row.patches.is_empty() {
                let answer = cell.run(verb).await;
                assert_eq!(answer.refused(405)["reason"], "MethodNotAllowed", "{what}");
            }
        }
        patches(&cell).await;
        if row.verbs.contains(&Verb::Delete) {
            cell.run(Verb::Delete).await.ok();
        }
    }
}

async fn patches(cell: &Cell<'_>) {
    for patch in PatchType::ALL {
        let what = format!("{patch:?} {}/{}", cell.row.resource, cell.row.subresource);
        let answer = cell.patch(patch).await;
        if !cell.row.verbs.contains(&Verb::Patch) {
            answer.refused(405);
        } else if cell.row.patches.contains(&patch) {
            let object = answer.ok();
            // A status patch leaves the metadata alone.
            if cell.row.subresource.is_empty() {
                assert_eq!(object["metadata"]["labels"]["patched"], "yes", "{what}");
            }
        } else {
            let status = answer.refused(415);
            assert_eq!(status["reason"], "UnsupportedMediaType", "{what}");
        }
    }
}

#[tokio::test]
async fn subresources_that_do_not_exist_and_kinds_that_are_unknown() {
    let server = Server::start().await;
    for path in [
        "/api/v1/namespaces/default/configmaps/a/status",
        "/api/v1/namespaces/default/services/a/scale",
        "/api/v1/namespaces/default/pods/a/log",
        "/api/v1/namespaces/default/namespaces",
        "/api/v2/services",
        "/apis/none.example/v1/things",
        "/apis/networking.k8s.io/v1beta1/ingresses",
        "/apis/networking.k8s.io/v1beta1",
        "/apis/none.example",
    ] {
        let answer = server.get(path).await;
        if path.contains("none.example") {
            // As Kubernetes says it of a group that it does not know.
            assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (404, &b"404 page not found\n"[..]));
            continue;
        }
        let status = answer.refused(404);
        assert_eq!(status["message"], "the server could not find the requested resource", "{path}");
        assert_eq!(status["reason"], "NotFound");
    }
    let request = request(Method::TRACE, "/api/v1/services", "", "");
    server.ask(request).await.refused(405);
}

#[test]
fn the_reference_page_has_a_line_for_each_row() {
    let page = apiserver::reference_markdown();
    for row in rows() {
        let slash = if row.subresource.is_empty() { "" } else { "/" };
        assert!(page.contains(&format!("| {}{slash}{} |", row.resource, row.subresource)), "{row:?}");
    }
    assert!(page.contains("| networking.istio.io | VirtualService | virtualservices | vs | v1, v1beta1, v1alpha3 |"), "{page}");
}
