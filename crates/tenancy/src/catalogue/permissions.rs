//! The permissions, a row each.

use super::{Level, Place, Rule};

const VIEW: &str = "get list watch";
const MANAGE: &str = "create delete deletecollection get list patch update watch";

/// Something one may be allowed.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    pub name: &'static str,
    pub place: Place,
    pub about: &'static str,
    /// Whether a project's operators manage it.
    pub(super) of_operators: bool,
    /// Groups and their resources, with blanks between, that are seen and managed.
    resources: &'static [(&'static str, &'static str)],
    /// Resources that are only ever seen, by whoever sees the others.
    seen: &'static [(&'static str, &'static str)],
    /// Who manages also has: group, resources, verbs.
    more: &'static [(&'static str, &'static str, &'static str)],
    /// What may be made by who may not manage.
    made: &'static [(&'static str, &'static str)],
}

const NONE: Permission =
    Permission { name: "", place: Place::Project, about: "", of_operators: false, resources: &[], seen: &[], more: &[], made: &[] };

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ISTIO: &str = "networking.istio.io";
const RBAC: &str = "rbac.authorization.k8s.io";

pub const PERMISSIONS: &[Permission] = &[
    Permission {
        name: "routes",
        about: "Ingresses, Gateway API's routes, Istio's VirtualServices and DestinationRules",
        of_operators: true,
        resources: &[
            ("networking.k8s.io", "ingresses"),
            (GATEWAY_API, "backendtlspolicies grpcroutes httproutes referencegrants tcproutes tlsroutes udproutes"),
            (ISTIO, "destinationrules serviceentries virtualservices"),
        ],
        seen: &[
            ("networking.k8s.io", "ingresses/status"),
            (GATEWAY_API, "grpcroutes/status httproutes/status tcproutes/status tlsroutes/status udproutes/status"),
        ],
        ..NONE
    },
    Permission {
        name: "gateway",
        about: "the project's gateway: IngressGateways, and Gateways of Gateway API and Istio",
        resources: &[
            ("paifang.dev", "ingressgateways"),
            ("gateway.kubesphere.io", "gateways"),
            (GATEWAY_API, "gateways listenersets"),
            (ISTIO, "gateways"),
        ],
        seen: &[
            ("paifang.dev", "ingressgateways/status"),
            ("gateway.kubesphere.io", "gateways/status"),
            (GATEWAY_API, "gateways/status listenersets/status"),
        ],
        more: &[("paifang.dev", "ingressgateways/scale", "get patch update")],
        ..NONE
    },
    Permission {
        name: "services",
        about: "Services and their endpoints",
        of_operators: true,
        resources: &[("", "endpoints services"), ("discovery.k8s.io", "endpointslices")],
        seen: &[("", "services/status")],
        ..NONE
    },
    Permission {
        name: "workloads",
        about: "Deployments, Pods and what else runs",
        of_operators: true,
        resources: &[
            ("", "pods replicationcontrollers"),
            ("apps", "controllerrevisions daemonsets deployments replicasets statefulsets"),
            ("autoscaling", "horizontalpodautoscalers"),
            ("batch", "cronjobs jobs"),
            ("policy", "poddisruptionbudgets"),
        ],
        seen: &[
            ("", "pods/log pods/status replicationcontrollers/scale"),
            ("apps", "daemonsets/status deployments/scale deployments/status replicasets/scale statefulsets/scale statefulsets/status"),
        ],
        more: &[
            ("", "pods/attach pods/exec pods/portforward pods/proxy", "create get"),
            ("", "pods/eviction", "create"),
            ("apps", "deployments/scale replicasets/scale statefulsets/scale", "patch update"),
        ],
        ..NONE
    },
    Permission {
        name: "grayscale",
        about: "canary, blue-green and mirroring tasks",
        of_operators: true,
        resources: &[("servicemesh.kubesphere.io", "servicepolicies strategies")],
        ..NONE
    },
    Permission { name: "configuration", about: "ConfigMaps", of_operators: true, resources: &[("", "configmaps")], ..NONE },
    Permission {
        name: "secrets",
        about: "Secrets, certificates' keys among them",
        of_operators: true,
        resources: &[("", "secrets")],
        ..NONE
    },
    Permission {
        name: "volumes",
        about: "PersistentVolumeClaims",
        of_operators: true,
        resources: &[("", "persistentvolumeclaims")],
        ..NONE
    },
    Permission {
        name: "network",
        about: "NetworkPolicies",
        of_operators: true,
        resources: &[("networking.k8s.io", "networkpolicies")],
        ..NONE
    },
    Permission {
        name: "accounts",
        about: "ServiceAccounts and their tokens",
        resources: &[("", "serviceaccounts")],
        more: &[("", "serviceaccounts/token", "create"), ("", "serviceaccounts", "impersonate")],
        ..NONE
    },
    Permission {
        name: "members",
        about: "who is a member; nobody can give a role that has more than their own",
        resources: &[(RBAC, "rolebindings")],
        seen: &[(RBAC, "roles")],
        ..NONE
    },
    Permission {
        name: "roles",
        about: "the project's own roles; nobody can put more into a role than they have",
        resources: &[(RBAC, "roles")],
        more: &[("authorization.k8s.io", "localsubjectaccessreviews", "create")],
        ..NONE
    },
    Permission {
        name: "settings",
        about: "the project itself: quotas, leases, events; managing it includes deleting it",
        resources: &[("coordination.k8s.io", "leases")],
        seen: &[("", "events limitranges namespaces namespaces/status resourcequotas"), ("events.k8s.io", "events")],
        more: &[("", "namespaces", "delete"), ("", "events", "create patch update"), ("events.k8s.io", "events", "create patch update")],
        ..NONE
    },
    Permission {
        name: "projects",
        place: Place::Workspace,
        about: "the workspace's Projects: what makes and deletes its namespaces",
        resources: &[("paifang.dev", "projects")],
        seen: &[("paifang.dev", "projects/status")],
        made: &[("paifang.dev", "projects")],
        ..NONE
    },
    Permission {
        name: "members",
        place: Place::Workspace,
        about: "who is a member of the workspace; nobody can give a role that has more than their own",
        resources: &[(RBAC, "rolebindings")],
        seen: &[(RBAC, "roles"), ("", "namespaces")],
        ..NONE
    },
    Permission {
        name: "roles",
        place: Place::Workspace,
        about: "the workspace's own roles; nobody can put more into a role than they have",
        resources: &[(RBAC, "roles")],
        ..NONE
    },
];

// === impl Permission ===

impl Permission {
    /// Which levels there are.
    pub fn levels(&self) -> Vec<Level> {
        let mut levels = vec![Level::View, Level::Manage];
        if !self.made.is_empty() {
            levels.insert(1, Level::Create);
        }
        levels
    }

    /// That level.
    ///
    /// # Errors
    /// A sentence where this permission has no such level.
    pub(super) fn level(&self, level: Level) -> Result<Level, String> {
        let known = self.levels().contains(&level);
        known.then_some(level).ok_or_else(|| format!("the permission {:?} has no level {level}", self.name))
    }

    pub(super) fn rules(&self, level: Level) -> Vec<Rule> {
        let of = |list: &[(&str, &str)], verbs: &str| list.iter().map(|(group, them)| Rule::of(group, them, verbs)).collect::<Vec<_>>();
        let mut rules = of(self.seen, VIEW);
        rules.extend(of(self.resources, if level == Level::Manage { MANAGE } else { VIEW }));
        if level >= Level::Create {
            rules.extend(of(self.made, "create"));
        }
        if level == Level::Manage {
            rules.extend(self.more.iter().map(|(group, them, verbs)| Rule::of(group, them, verbs)));
        }
        rules
    }
}
