//! IngressGateway: the gateway that somebody asks for, for a project, a workspace or everybody.

use super::super::shape::{Shape, decimal, flag, int32, integer, list, map, number_or_text, object, text, word};
use super::super::{Column, Definition, Scope};

pub(super) fn definition() -> Definition {
    let columns = vec![
        Column::text("Scope", ".spec.scope"),
        Column::text("Access", ".spec.access.type"),
        Column::text("Address", ".status.addresses[*].value"),
        Column::text("Http", ".status.ports[?(@.name==\"http\")].reachedAt"),
        Column::text("Https", ".status.ports[?(@.name==\"https\")].reachedAt"),
        Column::of("Routes", "integer", ".status.attachedRoutes").about("how many objects have routes on it").wide(),
        Column::text("Programmed", ".status.conditions[?(@.type==\"Programmed\")].status"),
        Column::age(),
    ];
    let schema = object([("spec", spec().default(serde_json::json!({ "scope": "Project" }))), ("status", status())])
        .about("A gateway that somebody asks for. It is seen as Deployment, Service and Pods in the gateways' own namespace.");
    Definition { short_names: &["igw"], ..super::definition("IngressGateway", "ingressgateways", Scope::Namespaced, columns, schema) }
}

fn spec() -> Shape {
    object([
        (
            "scope",
            word(["Project", "Workspace", "Cluster"])
                .default("Project")
                .about("Whose routes it serves: those of its own namespace, of a workspace's projects, or of all. The last two are for namespace kubesphere-system alone."),
        ),
        ("workspace", text().length(1, 63).about("The workspace, where the scope is Workspace.")),
        ("access", access().default(serde_json::json!({}))),
        ("replicas", int32().least(0).most(1000).about("Pods that serve it in a cluster; where absent, whoever scales its Deployment decides.")),
        ("autoscaling", autoscaling()),
        ("resources", object([("requests", map(number_or_text())), ("limits", map(number_or_text()))]).about("Of each Pod in a cluster.")),
        ("config", map(text().length(0, 65_536)).entries(256).about("Options by the names that ingress-nginx has for them, for example `proxy-body-size: 50m`.")),
        ("tcp", passed().about("Ports whose connections are passed on as they are: `9000: NAMESPACE/SERVICE:PORT`.")),
        ("udp", passed().about("The same of datagrams. A port is for one of both.")),
        ("tracing", tracing()),
        ("governance", flag().about("Turns tracing on, as KubeSphere's application governance does. No sidecar is needed.")),
        ("labels", map(text().length(0, 63)).entries(32).about("Labels of its Pods: what selectors of Istio's Gateways match.")),
    ])
    .rule("self.scope == 'Workspace' ? has(self.workspace) : !has(self.workspace)", "scope Workspace names a workspace, and no other does")
}

/// As ingress-nginx's `tcp-services` and `udp-services`.
fn passed() -> Shape {
    map(text().length(1, 320)).entries(64)
}

fn access() -> Shape {
    let port = || int32().least(1).most(65_535);
    let ports = object([("http", port()), ("https", port())])
        .rule("!has(self.http) || !has(self.https) || self.http != self.https", "http and https cannot have the same node port")
        .about("Node ports to have; free ones are chosen where absent.");
    object([
        ("type", word(["NodePort", "LoadBalancer", "ClusterIP"]).default("NodePort").about("How the gateway is reached.")),
        ("provider", text().length(0, 253).about("Who gives the LoadBalancer address, for those who look.")),
        ("annotations", map(text().length(0, 65_536)).entries(64).about("For the Service, for example those of a cloud's load balancer.")),
        ("nodePorts", ports),
        ("loadBalancerIP", text().length(1, 45).about("The one address to have.")),
        ("loadBalancerClass", text().length(1, 253)),
        ("externalTrafficPolicy", word(["Cluster", "Local"])),
        (
            "publicAddresses",
            list(text().length(1, 253))
                .items(0, 16)
                .distinct()
                .about("Addresses or host names that people really use: shown in place of the gateway's own."),
        ),
    ])
    .rule("self.type != 'ClusterIP' || !has(self.nodePorts)", "type ClusterIP has no node ports")
    .rule("self.type == 'LoadBalancer' || !has(self.loadBalancerIP)", "loadBalancerIP is for type LoadBalancer")
}

fn autoscaling() -> Shape {
    let replicas = || int32().least(1).most(1000);
    object([("minReplicas", replicas()), ("maxReplicas", replicas()), ("targetCPUUtilizationPercentage", int32().least(1).most(1000))])
        .rule(
            "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
            "minReplicas is at most maxReplicas",
        )
        .about("In a cluster, as many Pods as it takes; wins over replicas. Where absent: from 1 to 10, at 80 percent of the CPU that is requested.")
}

fn tracing() -> Shape {
    object([
        ("enabled", flag().default(true)),
        ("sampling", decimal().least(0).most(100).about("Percent of the requests that begin a trace here; all where absent.")),
        (
            "endpoint",
            text()
                .length(1, 2048)
                .about("An OTLP collector, for example http://collector.monitoring:4317; with port 4318 or a path, over HTTP."),
        ),
    ])
    .about("Spans of requests, for a collector.")
}

fn status() -> Shape {
    let address = object([("type", word(["IPAddress", "Hostname"])), ("value", text().length(1, 253))]).required(["type", "value"]);
    let port = object([
        ("name", text()),
        ("port", int32().about("As routes have it.")),
        ("protocol", text()),
        ("nodePort", int32()),
        ("reachedAt", int32().about("The port at which the addresses answer.")),
    ]);
    let pod = object([("name", text()), ("phase", text()), ("ready", flag()), ("node", text())]);
    object([
        ("conditions", super::conditions()),
        ("observedGeneration", integer().format("int64")),
        ("addresses", list(address.required(["value"]))),
        ("ports", list(port.required(["name", "port"]))),
        ("replicas", int32()),
        ("readyReplicas", int32()),
        ("pods", list(pod.required(["name"]))),
        ("attachedRoutes", int32().about("Objects that have routes on it.")),
        ("workload", object([("namespace", text()), ("name", text())]).about("What it is seen as.")),
        ("ingressClassName", text().about("The IngressClass that names it.")),
    ])
}
