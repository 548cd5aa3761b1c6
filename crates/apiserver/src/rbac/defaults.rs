//! The roles and bindings that Kubernetes has from the start, for the kinds that are served here.
//!
//! **Invariant:** what somebody added to one of them stays; what they took away comes back with the next start, unless the object says
//! `rbac.authorization.kubernetes.io/autoupdate: "false"`.

use serde_json::{Map, Value, json};
use store::{Expect, Op, WriteError};

use super::rule::Rule;
use super::{GROUP, cover};
use crate::access::{AUTHENTICATED, MASTERS, UNAUTHENTICATED};
use crate::api::Api;
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, empty, encode};
use crate::{clock, names};

const UPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";
const READ: &str = "get list watch";
const WRITE: &str = "create delete deletecollection patch update";
const ALL: &str = "create delete deletecollection get list patch update watch";

struct Role {
    name: &'static str,
    labels: &'static [&'static str],
    holds: Holds,
}

enum Holds {
    Rules(Vec<Rule>),
    /// What carries this label.
    Labelled(&'static str),
}

const TO_ADMIN: &str = "rbac.authorization.k8s.io/aggregate-to-admin";
const TO_EDIT: &str = "rbac.authorization.k8s.io/aggregate-to-edit";
const TO_VIEW: &str = "rbac.authorization.k8s.io/aggregate-to-view";

/// Name of the binding and of the role, and the groups.
const BINDINGS: [(&str, &[&str]); 4] = [
    ("cluster-admin", &[MASTERS]),
    ("system:basic-user", &[AUTHENTICATED]),
    ("system:discovery", &[AUTHENTICATED]),
    ("system:public-info-viewer", &[AUTHENTICATED, UNAUTHENTICATED]),
];

fn roles() -> Vec<Role> {
    let core = |resources, verbs| Rule::resources(&[""], resources, verbs);
    let of = |group, resources, verbs| Rule::resources(&[group], resources, verbs);
    let role = |name, labels, rules| Role { name, labels, holds: Holds::Rules(rules) };
    let open = "/healthz /livez /readyz /version /version/";
    vec![
        role("cluster-admin", &[], vec![of("*", "*", "*"), Rule::urls("*", "*")]),
        Role { name: "admin", labels: &[], holds: Holds::Labelled(TO_ADMIN) },
        Role { name: "edit", labels: &[TO_ADMIN], holds: Holds::Labelled(TO_EDIT) },
        Role { name: "view", labels: &[TO_EDIT], holds: Holds::Labelled(TO_VIEW) },
        role(
            "system:aggregate-to-admin",
            &[TO_ADMIN],
            vec![of("authorization.k8s.io", "localsubjectaccessreviews", "create"), of(GROUP, "rolebindings roles", ALL)],
        ),
        role(
            "system:aggregate-to-edit",
            &[TO_EDIT],
            vec![
                core("secrets", READ),
                core("serviceaccounts", "impersonate"),
                core("pods", WRITE),
                core("configmaps events secrets serviceaccounts services", WRITE),
                core("serviceaccounts/token", "create"),
                of("events.k8s.io", "events", WRITE),
                of("apps", "deployments deployments/scale", WRITE),
                of("networking.k8s.io", "ingresses", WRITE),
                of("coordination.k8s.io", "leases", ALL),
            ],
        ),
        role(
            "system:aggregate-to-view",
            &[TO_VIEW],
            vec![
                core("configmaps endpoints pods serviceaccounts services services/status", READ),
                core("events namespaces/status pods/log pods/status", READ),
                of("events.k8s.io", "events", READ),
                core("namespaces", READ),
                of("discovery.k8s.io", "endpointslices", READ),
                of("apps", "deployments deployments/scale deployments/status", READ),
                of("networking.k8s.io", "ingresses ingresses/status", READ),
            ],
        ),
        role(
            "system:auth-delegator",
            &[],
            vec![of("authentication.k8s.io", "tokenreviews", "create"), of("authorization.k8s.io", "subjectaccessreviews", "create")],
        ),
        role(
            "system:basic-user",
            &[],
            vec![
                of("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
                of("authentication.k8s.io", "selfsubjectreviews", "create"),
            ],
        ),
        role(
            "system:discovery",
            &[],
            vec![Rule::urls("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/", "get")],
        ),
        role("system:public-info-viewer", &[], vec![Rule::urls(open, "get")]),
    ]
}

/// Makes what is missing and repairs what is there.
pub(crate) async fn install(api: &Api) -> Result<(), WriteError> {
    let kinds = api.kinds();
    let [Some(role_kind), Some(binding_kind)] = ["clusterroles", "clusterrolebindings"].map(|plural| kinds.find(GROUP, "v1", plural))
    else {
        return Ok(());
    };
    let roles = roles().into_iter().filter_map(|role| put(api, role_kind, &role.to_value(), repair_role));
    let bindings = BINDINGS.into_iter().filter_map(|(name, groups)| put(api, binding_kind, &binding(name, groups), repair_binding));
    let ops: Vec<Op> = roles.chain(bindings).collect();
    if !ops.is_empty() {
        api.store.write(ops).await?;
    }
    super::aggregate::settle(api).await
}

/// All of them, for a test without a store.
#[cfg(test)]
pub(super) fn every(mut take: impl FnMut(super::policy::Sort, &Value)) {
    use super::policy::Sort;
    roles().iter().for_each(|role| take(Sort::ClusterRole, &role.to_value()));
    BINDINGS.iter().for_each(|(name, groups)| take(Sort::ClusterRoleBinding, &binding(name, groups)));
}

fn put(api: &Api, kind: &Kind, wanted: &Value, repair: fn(&mut Value, &Value)) -> Option<Op> {
    let key = kind.key("", wanted.name());
    let fresh = || {
        let mut new = wanted.clone();
        new.meta_mut().insert("uid".into(), names::uid().into());
        new.meta_mut().insert("creationTimestamp".into(), clock::now().into());
        new
    };
    let Some(stored) = api.store.get(&key) else { return Some(Op::put(key, Expect::Absent, encode(kind, &fresh()))) };
    let old = decode(kind, &stored);
    if old["metadata"]["annotations"][UPDATE] == "false" {
        return None;
    }
    // Nobody may change what a binding refers to; one that refers elsewhere is made anew.
    let mut new = if old["roleRef"] == wanted["roleRef"] { old.clone() } else { fresh() };
    for field in ["labels", "annotations"] {
        let own = as_map(new.meta_mut().entry(field).or_insert_with(empty));
        for (key, value) in wanted["metadata"][field].as_object().into_iter().flatten() {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    repair(&mut new, wanted);
    (new != old).then(|| Op::put(key, Expect::Revision(stored.revision), encode(kind, &new)))
}

fn repair_role(role: &mut Value, wanted: &Value) {
    if let Some(selectors) = wanted.pointer("/aggregationRule/clusterRoleSelectors") {
        let aggregation = as_map(as_map(role).entry("aggregationRule").or_insert_with(empty));
        add(aggregation.entry("clusterRoleSelectors").or_insert_with(|| json!([])), selectors);
        return;
    }
    let held = Rule::read_all(role);
    let missing = cover::missing(&held.iter().collect::<Vec<_>>(), &Rule::read_all(wanted));
    if missing.is_empty() {
        return;
    }
    let rules = as_map(role).entry("rules").or_insert_with(|| json!([]));
    add(rules, &missing.iter().map(Rule::to_value).collect());
}

fn repair_binding(binding: &mut Value, wanted: &Value) {
    add(as_map(binding).entry("subjects").or_insert_with(|| json!([])), &wanted["subjects"]);
}

/// What of `wanted` is not in `list` yet.
fn add(list: &mut Value, wanted: &Value) {
    if !list.is_array() {
        *list = json!([]);
    }
    if let (Value::Array(list), Value::Array(wanted)) = (list, wanted) {
        for one in wanted {
            if !list.contains(one) {
                list.push(one.clone());
            }
        }
    }
}

fn binding(name: &str, groups: &[&str]) -> Value {
    let subjects: Vec<Value> = groups.iter().map(|group| json!({ "kind": "Group", "apiGroup": GROUP, "name": group })).collect();
    let mut binding = json!({ "metadata": metadata(name, &[]) });
    binding["subjects"] = Value::Array(subjects);
    binding["roleRef"] = json!({ "apiGroup": GROUP, "kind": "ClusterRole", "name": name });
    binding
}

fn metadata(name: &str, labels: &[&str]) -> Value {
    let mut all = Map::from_iter([("kubernetes.io/bootstrapping".to_owned(), json!("rbac-defaults"))]);
    all.extend(labels.iter().map(|label| ((*label).to_owned(), json!("true"))));
    json!({ "name": name, "labels": all, "annotations": { UPDATE: "true" } })
}

// === impl Role ===

impl Role {
    fn to_value(&self) -> Value {
        let mut role = json!({ "metadata": metadata(self.name, self.labels) });
        match &self.holds {
            Holds::Rules(rules) => role["rules"] = rules.iter().map(Rule::to_value).collect(),
            Holds::Labelled(label) => {
                role["aggregationRule"] = json!({ "clusterRoleSelectors": [{ "matchLabels": { *label: "true" } }] });
            }
        }
        role
    }
}
