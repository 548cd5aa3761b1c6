//! What a gateway is seen as beside its Services, where nothing runs it but this process: a Deployment, a Pod, a ServiceAccount.
//!
//! They are read-only: they say what is, and nothing follows from changing them.

use crate::gateway::{ISTIO_NAME, ISTIO_NAMESPACE, LABELS};
use crate::gateways::Asked;
use crate::plan::Plan;
use crate::services::{GATEWAY, GATEWAY_NAME_LABEL, INSTANCE, MANAGER, labels, owner};
use resources::{Condition, Name, Truth};
use serde_json::{Map, Value, json};
use status::{Kind, Statement, Target, Wish};

/// Label and annotation of objects that only this process writes.
pub const READ_ONLY: &str = "paifang.dev/read-only";

/// What a Pod of this version says it runs.
const IMAGE: &str = concat!("paifang:", env!("CARGO_PKG_VERSION"));

/// An object, and what its status says.
pub(crate) struct View {
    pub target: Target,
    pub object: Value,
    pub status: Option<Statement>,
}

// === impl View ===

impl View {
    /// What there is to be written.
    pub fn wishes(self) -> Vec<Wish> {
        let status = self.status.map(|it| Wish::Status(Box::new(it)));
        std::iter::once(Wish::Object(self.object)).chain(status).collect()
    }
}

/// All views of a gateway.
pub(crate) fn views(asked: &Asked, plan: &Plan, host: &str) -> Vec<View> {
    let of = |name: &Name| {
        let seen = Seen { asked, plan, name: name.clone(), host };
        [seen.account(), seen.deployment(), seen.pod()]
    };
    plan.services.iter().flat_map(of).collect()
}

struct Seen<'a> {
    asked: &'a Asked,
    plan: &'a Plan,
    name: Name,
    /// Of this machine.
    host: &'a str,
}

// === impl Seen ===

impl Seen<'_> {
    fn metadata(&self, name: &str) -> Value {
        let mut labels = labels(self.asked, &self.name);
        labels.insert(READ_ONLY.into(), "true".into());
        let mut metadata = json!({
            "name": name, "namespace": *self.name.namespace, "labels": labels,
            "annotations": { READ_ONLY: "true", GATEWAY: self.plan.id.as_str() },
        });
        if let Some(owner) = owner(self.asked) {
            metadata["ownerReferences"] = owner;
        }
        metadata
    }

    /// What selects its Pod.
    fn selector(&self) -> Map<String, Value> {
        if self.name == Name::new(ISTIO_NAMESPACE, ISTIO_NAME) {
            return LABELS.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        }
        let of_gateway = self.asked.workload.is_some() && !self.plan.is_requested();
        let meant = if of_gateway { GATEWAY_NAME_LABEL } else { INSTANCE };
        labels(self.asked, &self.name).into_iter().filter(|(name, _)| name == meant).collect()
    }

    /// Nothing in it changes with the gateway's ports: a Pod's containers never do.
    fn spec(&self) -> Value {
        json!({ "serviceAccountName": *self.name.name, "containers": [{ "name": MANAGER, "image": IMAGE }] })
    }

    fn account(&self) -> View {
        let object = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.metadata(&self.name.name) });
        View { target: self.target(Kind::ServiceAccount, &self.name.name), object, status: None }
    }

    fn deployment(&self) -> View {
        let template = json!({ "metadata": { "labels": self.selector() }, "spec": self.spec() });
        let object = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self.metadata(&self.name.name),
            "spec": { "replicas": 1, "selector": { "matchLabels": self.selector() }, "template": template },
        });
        let one = json!({ "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1 });
        let conditions = vec![
            Condition::new("Available", Truth::True, "MinimumReplicasAvailable", "this process serves it"),
            Condition::new("Progressing", Truth::True, "NewReplicaSetAvailable", "this process serves it"),
        ];
        let status = plain(conditions, one);
        View { target: self.target(Kind::Deployment, &self.name.name), object, status: Some(status) }
    }

    fn pod(&self) -> View {
        let name = format!("{}-0", self.name.name);
        let mut spec = self.spec();
        spec["nodeName"] = self.host.into();
        let object = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": self.metadata(&name), "spec": spec });
        let address = self.plan.node_address.to_string();
        let fields = json!({
            "phase": "Running",
            "hostIP": address,
            "hostIPs": [{ "ip": address }],
            "podIP": address,
            "podIPs": [{ "ip": address }],
            "containerStatuses": [{
                "name": MANAGER,
                "image": IMAGE,
                "imageID": "",
                "ready": true,
                "started": true,
                "restartCount": 0,
                "state": { "running": {} },
            }],
        });
        let condition = |kind: &'static str| Condition::new(kind, Truth::True, "", "");
        let status = plain(["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition).into(), fields);
        View { target: self.target(Kind::Pod, &name), object, status: Some(status) }
    }

    fn target(&self, kind: Kind, name: &str) -> Target {
        Target::new(kind, self.name.namespace.as_str(), name)
    }
}

fn plain(conditions: Vec<Condition>, fields: Value) -> Statement {
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    // Its spec never changes, so it has one generation.
    Statement { uid: model::Text::default(), generation: 1, shape: status::Shape::Plain { conditions, fields } }
}
