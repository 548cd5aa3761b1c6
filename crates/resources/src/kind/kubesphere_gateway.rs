//! `gateway.kubesphere.io` Gateway: KubeSphere's way to ask for a gateway, read as an IngressGateway.

use super::Kind;
use super::ingress_gateway::{GatewayScope, IngressGateway, texts};
use super::meta::{Meta, Name};
use super::size::Size;
use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use crate::wanted::WorkloadAccess;
use model::Text;
use serde_json::Value;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubesphereGateway {
    pub meta: Meta,
    /// What it asks for.
    pub request: Arc<IngressGateway>,
    pub problems: Vec<Problem>,
}

// === impl KubesphereGateway ===

impl KubesphereGateway {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut request = IngressGateway::of(meta.clone(), Kind::KubesphereGateway);
        // As its chart has it where nothing is said.
        request.entrance.access = WorkloadAccess::LoadBalancer;
        request.scope = GatewayScope::Cluster;
        if let Some(spec) = root.field("spec") {
            controller(&mut request, &spec, &mut problems);
            service(&mut request, &spec, &mut problems);
            deployment(&mut request, &spec, &mut problems);
        }
        request.trace_if_governed();
        Self { meta, request: Arc::new(request), problems }
    }
}

fn controller(request: &mut IngressGateway, spec: &At<'_>, problems: &mut Problems) {
    let Some(controller) = spec.field("controller") else { return };
    request.config = texts(&controller, "config", problems);
    if let Some(scope) = controller.field("scope")
        && scope.flag("enabled", problems).unwrap_or(false)
    {
        request.scope = GatewayScope::Project;
        request.project = scope.text("namespace", problems).filter(|it| !it.is_empty()).unwrap_or_else(|| request.project.clone());
    }
    for name in ["tcp", "udp"] {
        if let Some(at) = controller.field(name).filter(|it| it.value.as_object().is_some_and(|it| !it.is_empty())) {
            let problem =
                Problem::warning(at.path(), Cause::NotSupportedYet, "ports of a gateway that lead to Services are not supported yet");
            problems.push(problem.hint("Use a Service of type LoadBalancer or NodePort, or a TCPRoute"));
        }
    }
}

fn service(request: &mut IngressGateway, spec: &At<'_>, problems: &mut Problems) {
    let Some(service) = spec.field("service") else { return };
    request.annotations = texts(&service, "annotations", problems);
    if let Some(at) = service.field("type") {
        let read = match at.value.as_str() {
            Some("NodePort") => Some(WorkloadAccess::NodePort),
            Some("LoadBalancer") => Some(WorkloadAccess::LoadBalancer),
            Some("ClusterIP") => Some(WorkloadAccess::ClusterIp),
            _ => None,
        };
        request.entrance.access = at.expected(read, "NodePort or LoadBalancer", problems).unwrap_or_default();
    }
}

fn deployment(request: &mut IngressGateway, spec: &At<'_>, problems: &mut Problems) {
    let Some(deployment) = spec.field("deployment") else { return };
    // It has no autoscaling of its own.
    request.size = Size { autoscaling: None, ..Size::read(&deployment, problems) };
    let annotations = texts(&deployment, "annotations", problems);
    request.governance |= annotations.get(super::ingress_gateway::GOVERNANCE).is_some_and(|it: &Text| *it == *"true");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_kubesphere_s_console_writes_is_read() {
        let spec = json!({
            "controller": { "replicas": 1, "config": { "proxy-body-size": "50m" }, "scope": { "enabled": true, "namespace": "demo" } },
            "service": { "type": "NodePort", "annotations": { "lb.kubesphere.io/v1alpha1": "openelb" } },
            "deployment": { "replicas": 2, "annotations": { "servicemesh.kubesphere.io/enabled": "true" } },
        });
        let name = Name::new("kubesphere-controls-system", "kubesphere-router-demo");
        let read = KubesphereGateway::read(name.clone(), &json!({ "metadata": {}, "spec": spec }));
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        let request = &read.request;
        assert_eq!((&request.scope, request.project.as_str()), (&GatewayScope::Project, "demo"));
        assert_eq!((request.entrance.access, request.size.replicas, request.governance), (WorkloadAccess::NodePort, Some(2), true));
        assert!(request.tracing.is_some() && request.annotations.len() == 1 && request.config.len() == 1);
        let of_all =
            KubesphereGateway::read(name, &json!({ "spec": { "controller": { "scope": { "enabled": false }, "tcp": { "1": "a/b:2" } } } }));
        assert_eq!((&of_all.request.scope, of_all.problems.len()), (&GatewayScope::Cluster, 1));
        assert_eq!(of_all.request.entrance.access, WorkloadAccess::LoadBalancer);
    }
}
