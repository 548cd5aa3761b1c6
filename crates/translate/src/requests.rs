//! Gateways that objects ask for: which of them there are to be, and why others are not.

use crate::{Options, Workloads, tracing};
use model::{GatewayId, ListenerProtocol, ObjectRef, Replies, SectionName, Text};
use resources::{
    Cause, Condition, GatewayScope, IngressGateway, Kind, Name, Origin, Problem, Report, Resources, Scope, SharedGateway, Size, Status,
    Truth, Wanted, WantedPort, Workload,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where requests for more than a project are made.
pub const PLATFORM: &str = "kubesphere-system";

/// What the gateways that are asked for are called, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Where their workloads are seen.
    pub namespace: Text,
    /// A project's is `PREFIX-PROJECT`, a workspace's `PREFIX-workspace-WORKSPACE`.
    pub prefix: Text,
}

/// A name of a Service has at most so many characters.
const NAME: usize = 63;

// === impl Naming ===

impl Default for Naming {
    /// As KubeSphere names them.
    fn default() -> Self {
        Self { namespace: "kubesphere-controls-system".into(), prefix: "kubesphere-router".into() }
    }
}

impl Naming {
    /// The workload of the gateway that is there whoever asks.
    pub fn everybody(&self) -> Name {
        Name::new(self.namespace.clone(), short(format!("{}-{PLATFORM}", self.prefix)))
    }

    /// The workload of a request; `None`: that gateway is there anyway.
    fn workload(&self, request: &IngressGateway) -> Option<Name> {
        let of = |what: &str| Some(Name::new(self.namespace.clone(), short(format!("{}-{what}", self.prefix))));
        match &request.scope {
            GatewayScope::Project => of(&request.project),
            GatewayScope::Workspace(workspace) => of(&format!("workspace-{workspace}")),
            GatewayScope::Cluster | GatewayScope::Unknown => None,
        }
    }
}

/// A name that is too long is cut, and stays one of its own.
fn short(name: String) -> String {
    if name.len() <= NAME {
        return name;
    }
    // FNV-1a: the same in every process, and nobody gains by two names that meet.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let kept: String = name.chars().take(NAME - 9).collect();
    format!("{}-{:08x}", kept.trim_end_matches('-'), hash >> 32)
}

/// The operator's gateways, and those that are asked for.
pub(crate) fn gateways(resources: &Resources, options: &Options) -> Vec<SharedGateway> {
    let mut gateways: Vec<SharedGateway> = options.gateways.iter().filter(|it| it.origin == Origin::Operator).cloned().collect();
    gateways.iter_mut().for_each(|it| it.request = None);
    for (request, _) in judged(resources, options).into_iter().filter(|(_, verdict)| verdict.is_ok()) {
        match options.naming.workload(request) {
            Some(name) => gateways.push(made(resources, request, name)),
            None => {
                if let Some(everybody) = gateways.iter_mut().find(|it| it.scope == Scope::Cluster) {
                    everybody.request = Some(request.clone());
                }
            }
        }
    }
    gateways
}

fn made(resources: &Resources, request: &Arc<IngressGateway>, name: Name) -> SharedGateway {
    let own = &request.project;
    let (scope, namespace) = match &request.scope {
        GatewayScope::Workspace(workspace) => {
            let projects = resources.namespaces().filter(|it| it.workspace() == Some(workspace)).map(|it| it.meta.name.name.clone());
            let scope = Scope::Workspace { name: workspace.clone(), projects: Arc::new(projects.collect()) };
            (scope, format!("workspace-{workspace}").into())
        }
        _ => (Scope::Namespace(own.clone()), own.clone()),
    };
    let labels = [("app.kubernetes.io/instance", name.name.clone()), ("kubesphere.io/gateway-type", word(&request.scope).into())];
    SharedGateway {
        scope,
        labels: labels.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        // Where credentials are looked for that an Istio Gateway names: with whom it serves, never with the platform.
        namespace,
        services: vec![name.clone()],
        request: Some(request.clone()),
        origin: Origin::Request,
        ..SharedGateway::new(GatewayId::new(name.to_string()))
    }
}

/// As KubeSphere's label has it.
fn word(scope: &GatewayScope) -> &'static str {
    match scope {
        GatewayScope::Project | GatewayScope::Unknown => "project",
        GatewayScope::Workspace(_) => "workspace",
        GatewayScope::Cluster => "cluster",
    }
}

/// Why there is to be no gateway: a condition's reason, and what is wrong.
type Refusal = (&'static str, Problem);

/// All requests, oldest first: of two for one gateway the older has it.
fn judged<'a>(resources: &'a Resources, options: &Options) -> Vec<(&'a Arc<IngressGateway>, Result<(), Refusal>)> {
    let mut requests: Vec<&Arc<IngressGateway>> = resources.ingress_gateways().collect();
    requests.sort_by_cached_key(|it| (it.meta.created, it.object_ref()));
    let mut first: BTreeMap<Option<Name>, ObjectRef> = BTreeMap::new();
    let mut judge = |request: &'a Arc<IngressGateway>| {
        allowed(request, &options.naming)?;
        let gateway = options.naming.workload(request);
        if gateway.is_none() && !options.gateways.iter().any(|it| it.origin == Origin::Operator && it.scope == Scope::Cluster) {
            return Err(not_allowed("spec.scope", "there is no gateway for everybody here".to_owned(), "Ask for one for a project"));
        }
        let owner = first.entry(gateway).or_insert_with(|| request.object_ref());
        if *owner == request.object_ref() {
            return Ok(());
        }
        let message = format!("{owner} asked for this gateway first, and has it");
        Err(("Conflict", Problem::error("spec.scope", Cause::Conflict, message).hint("Change that one, or delete one of the two")))
    };
    requests.into_iter().map(|it| (it, judge(it))).collect()
}

/// KubeSphere's requests for everybody, and for projects, are where its gateways are, which is nobody's project.
fn allowed(request: &IngressGateway, naming: &Naming) -> Result<(), Refusal> {
    let namespace = &request.meta.name.namespace;
    let of_platform = *namespace == *PLATFORM || request.kind == Kind::KubesphereGateway && *namespace == naming.namespace;
    match &request.scope {
        GatewayScope::Unknown => {
            Err(("Invalid", Problem::error("spec.scope", Cause::Malformed, "it says for nobody whom it is").hint("Write `scope: Project`")))
        }
        GatewayScope::Project if *request.project == *PLATFORM => {
            let message = format!("namespace `{PLATFORM}` is no project");
            Err(not_allowed("spec.scope", message, "Write `scope: Cluster` for the gateway of everybody"))
        }
        GatewayScope::Project if request.project != *namespace && !of_platform => {
            let message = format!("namespace `{namespace}` cannot ask for a gateway of project `{}`", request.project);
            Err(not_allowed("spec.controller.scope.namespace", message, "Ask for it in that project"))
        }
        GatewayScope::Workspace(_) | GatewayScope::Cluster if !of_platform => {
            let message =
                format!("a gateway for more than a project is asked for in namespace `{PLATFORM}` alone, and this is `{namespace}`");
            Err(not_allowed("spec.scope", message, "Write `scope: Project`, or have it made there"))
        }
        _ => Ok(()),
    }
}

fn not_allowed(field: &str, message: String, hint: &str) -> Refusal {
    ("ScopeNotAllowed", Problem::error(field, Cause::ScopeNotAllowed, message).hint(hint))
}

/// What is wanted of the gateways that requests are for: their ports, and how they are reached.
pub(crate) fn wanted(options: &Options) -> Vec<Wanted> {
    let asked = options.gateways.iter().filter_map(|gateway| Some((gateway, gateway.request.as_ref()?)));
    asked.map(|(gateway, request)| of_request(gateway, request)).collect()
}

fn of_request(gateway: &SharedGateway, request: &Arc<IngressGateway>) -> Wanted {
    let owner = request.object_ref();
    let port = |number, protocol, name: &str| WantedPort {
        number,
        protocol,
        name: SectionName::new(name.to_owned()),
        owner: owner.clone(),
        // These are the gateway's own, whoever came first.
        created: i64::MIN,
        field: "spec".into(),
    };
    let own = gateway.origin == Origin::Request;
    let ports = [port(gateway.http, ListenerProtocol::Http, "http"), port(gateway.https, ListenerProtocol::Https, "https")];
    let mut labels = request.labels.clone();
    labels.extend(gateway.labels.clone());
    let workload = gateway.services.first().filter(|_| own).map(|name| Workload {
        owner: owner.clone(),
        owner_uid: request.meta.uid.clone(),
        name: name.clone(),
        class: Text::default(),
        entrance: request.entrance.clone(),
        size: request.size.clone(),
        labels,
        annotations: request.service_annotations(),
    });
    let ports = ports.into_iter().filter(|_| own).chain(crate::passed::wanted(request)).collect();
    Wanted { gateway: gateway.id.clone(), workload, request: Some(request.clone()), ports, replies: Replies::default() }
}

/// What there is to say about a request.
pub(crate) fn report(resources: &Resources, options: &Options, object: &ObjectRef) -> Option<Report> {
    let (request, verdict) = judged(resources, options).into_iter().find(|(it, _)| it.object_ref() == *object)?;
    let mut report = Report::new(object.clone());
    let mut conditions = Vec::new();
    match verdict {
        Ok(()) => {
            let gateway = options.gateways.iter().find(|it| it.request.as_ref().is_some_and(|it| it.object_ref() == *object));
            report.gateways.extend(gateway.map(|it| it.id.clone()));
            conditions.push(Condition::new("Accepted", Truth::True, "Accepted", served(gateway)));
            conditions.extend(noted(request, options.workloads));
            if let Some((traced, problem)) = tracing::said(request, options) {
                conditions.push(traced);
                report.problems.extend(problem);
            }
            let said = translate_ingress::said(resources, request);
            conditions.extend(said.conditions);
            report.problems.extend(said.problems);
            let passed = crate::passed::problems(resources, request);
            if let Some(first) = passed.first() {
                conditions.push(Condition::new("PortsIgnored", Truth::True, first.reason.to_string(), Problem::list(&passed)));
            }
            report.problems.extend(passed);
        }
        Err((reason, problem)) => {
            conditions.push(Condition::new("Accepted", Truth::False, reason, problem.to_string()));
            report.problems.insert(problem);
        }
    }
    report.status = Some(Status::Entrance(conditions));
    Some(report)
}

fn served(gateway: Option<&SharedGateway>) -> String {
    match gateway.map(|it| &it.scope) {
        Some(Scope::Namespace(project)) => format!("it serves the routes of project {project}"),
        Some(Scope::Workspace { name, projects }) => format!("it serves the routes of the {} projects of workspace {name}", projects.len()),
        _ => "it serves everybody's routes".to_owned(),
    }
}

/// What is asked for and needs no doing here.
fn noted(request: &IngressGateway, workloads: Workloads) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = match workloads {
        Workloads::OneProcess => one_process(&request.size),
        Workloads::Pods => autoscaled(&request.size),
    }
    .into_iter()
    .collect();
    if request.governance {
        let message = "what the gateway does for requests, it does by itself: no Pod needs a sidecar";
        conditions.push(Condition::new("SidecarNotNeeded", Truth::True, "ByTheGateway", message));
    }
    conditions
}

fn one_process(size: &Size) -> Option<Condition> {
    let replicas = size.replicas.is_some_and(|it| it != 1);
    let fields = [("replicas", replicas), ("autoscaling", size.autoscaling.is_some()), ("resources", size.has_resources())];
    let fields: Vec<&str> = fields.into_iter().filter(|(_, said)| *said).map(|(name, _)| name).collect();
    let fields = Some(fields.join(", spec.")).filter(|it| !it.is_empty())?;
    let message = format!("spec.{fields}: one process serves every gateway here, so there are no Pods to count or to limit");
    Some(Condition::new("ReplicasIgnored", Truth::True, "OneProcess", message))
}

fn autoscaled(size: &Size) -> Option<Condition> {
    let (replicas, autoscaling) = (size.replicas?, size.autoscaling?);
    let message =
        format!("spec.replicas: {replicas} is not held, since spec.autoscaling has from {} to {}", autoscaling.min, autoscaling.max);
    Some(Condition::new("ReplicasIgnored", Truth::True, "Autoscaling", message))
}

/// What other gateways than before mean: the objects that have a say in those that are different.
pub(crate) fn moved<'a>(before: &'a [SharedGateway], now: &'a [SharedGateway]) -> Vec<&'a SharedGateway> {
    let find = |all: &'a [SharedGateway], id: &GatewayId| all.iter().find(|it| it.id == *id);
    let ids: BTreeSet<&GatewayId> = before.iter().chain(now).map(|it| &it.id).collect();
    let different = ids.into_iter().filter(|id| find(before, id) != find(now, id));
    different.flat_map(|id| find(before, id).into_iter().chain(find(now, id))).collect()
}

#[cfg(test)]
mod tests;
