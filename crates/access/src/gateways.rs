//! The gateways that objects show, and how each is reached, as statuses say: whoever may see a gateway's object needs to see nothing else.

use crate::at::{annotation, balanced, condition, label, list, name, namespace, of, port, reference, text};
use crate::words::is_bad_news;
use control::Access;
use model::ObjectRef;
use resources::{Kind, Truth};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Whose routes a gateway serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    Project(String),
    Workspace(String),
    Everybody,
    /// Those that name it.
    Named,
}

/// A gateway, as objects show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenGateway {
    /// What asks for it; the Service of the one that is there whoever asks.
    pub object: ObjectRef,
    pub serves: Serves,
    pub access: Option<Access>,
    /// As people are to use them: IP addresses or names.
    pub addresses: Vec<String>,
    /// Whether the addresses are what its owner says, and not where it listens itself.
    pub is_public: bool,
    pub ports: Vec<SeenPort>,
    /// Whether it answers.
    pub ready: Truth,
    /// Objects that have routes on it; `None`: it does not say.
    pub routes: Option<u64>,
    pub problems: Vec<SeenProblem>,
    /// The IngressClass that names it.
    pub class: Option<String>,
}

/// A port of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPort {
    pub name: String,
    /// In capitals.
    pub protocol: String,
    /// As routes have it, for example 80.
    pub port: u16,
    /// The port at which the addresses answer.
    pub reached: u16,
    pub node_port: Option<u16>,
}

/// A condition that is bad news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenProblem {
    pub reason: String,
    pub message: String,
}

/// Every gateway that these objects show.
pub fn gateways(objects: &[Value]) -> Vec<SeenGateway> {
    let mut found: Vec<SeenGateway> = of(objects, Kind::IngressGateway).map(of_paifang).collect();
    found.extend(of(objects, Kind::KubesphereGateway).map(of_kubesphere));
    // Who asks for everybody's says how that one is.
    if !found.iter().any(|it| it.serves == Serves::Everybody && it.ready != Truth::Unknown) {
        found.extend(of(objects, Kind::Service).filter(|it| is_everybodys(it)).map(everybodys));
    }
    let services: Vec<&Value> = of(objects, Kind::Service).collect();
    found.extend(of(objects, Kind::Gateway).map(|it| of_gateway_api(it, &services)));
    let istio: Vec<SeenGateway> = of(objects, Kind::IstioGateway).map(|it| of_istio(it, objects, &services, &found)).collect();
    found.extend(istio);
    found
}

fn of_paifang(object: &Value) -> SeenGateway {
    let serves = match text(object, "/spec/scope") {
        "Workspace" => Serves::Workspace(text(object, "/spec/workspace").to_owned()),
        "Cluster" => Serves::Everybody,
        _ => Serves::Project(namespace(object).to_owned()),
    };
    let seen_port = |it: &Value| {
        let number = port(it, "/port")?;
        Some(SeenPort {
            name: text(it, "/name").to_owned(),
            protocol: text(it, "/protocol").to_owned(),
            port: number,
            reached: port(it, "/reachedAt").unwrap_or(number),
            node_port: port(it, "/nodePort"),
        })
    };
    SeenGateway {
        access: Some(access(text(object, "/spec/access/type")).unwrap_or(Access::NodePort)),
        addresses: list(object, "/status/addresses").map(|it| text(it, "/value").to_owned()).collect(),
        is_public: list(object, "/spec/access/publicAddresses").next().is_some(),
        ports: list(object, "/status/ports").filter_map(seen_port).collect(),
        routes: object.pointer("/status/attachedRoutes").and_then(Value::as_u64),
        class: Some(text(object, "/status/ingressClassName").to_owned()).filter(|it| !it.is_empty()),
        ..seen(Kind::IngressGateway, object, serves)
    }
}

fn of_kubesphere(object: &Value) -> SeenGateway {
    let serves = match object.pointer("/spec/controller/scope/enabled").and_then(Value::as_bool) {
        Some(true) => Serves::Project(text(object, "/spec/controller/scope/namespace").to_owned()),
        _ => Serves::Everybody,
    };
    let access = access(text(object, "/spec/service/type")).unwrap_or(Access::LoadBalancer);
    SeenGateway {
        access: Some(access),
        addresses: balanced(object).into_iter().map(|(address, _)| address).collect(),
        ports: list(object, "/status/service").filter_map(|it| service_port(it, access)).collect(),
        class: Some(name(object).to_owned()),
        ..seen(Kind::KubesphereGateway, object, serves)
    }
}

/// The Service of the gateway that is there whoever asks.
fn is_everybodys(service: &Value) -> bool {
    let id = format!("{}/{}", namespace(service), name(service));
    annotation(service, GATEWAY) == id && label(service, TYPE) == "cluster"
}

fn everybodys(service: &Value) -> SeenGateway {
    let access = access(text(service, "/spec/type")).unwrap_or(Access::LoadBalancer);
    let mut addresses: Vec<String> = balanced(service).into_iter().map(|(address, _)| address).collect();
    if addresses.is_empty() && access == Access::NodePort {
        addresses.push(annotation(service, NODE_ADDRESS).to_owned());
    }
    // As long as it waits for an address of its own, it is reached as one by node ports is.
    let waits = addresses.is_empty() && access == Access::LoadBalancer;
    let reached = |it: SeenPort| SeenPort { reached: it.node_port.filter(|_| waits).unwrap_or(it.reached), ..it };
    SeenGateway {
        access: Some(access),
        ready: if addresses.is_empty() { Truth::False } else { Truth::True },
        addresses,
        ports: list(service, "/spec/ports").filter_map(|it| service_port(it, access)).map(reached).collect(),
        class: Some(name(service).to_owned()),
        ..seen(Kind::Service, service, Serves::Everybody)
    }
}

fn of_gateway_api(object: &Value, services: &[&Value]) -> SeenGateway {
    let own = services.iter().find(|it| namespace(it) == namespace(object) && label(it, GATEWAY_NAME_LABEL) == name(object));
    let mut ports: Vec<SeenPort> = Vec::new();
    let mut routes = 0;
    for listener in list(object, "/spec/listeners") {
        let Some(number) = port(listener, "/port") else { continue };
        let said = list(object, "/status/listeners").find(|it| text(it, "/name") == text(listener, "/name"));
        routes += said.and_then(|it| it.pointer("/attachedRoutes")?.as_u64()).unwrap_or(0);
        if ports.iter().any(|it| it.port == number) {
            continue;
        }
        let moved = said.and_then(|it| condition(it, "/conditions", "Programmed")).map(|(.., message)| moved(message)).unwrap_or_default();
        let reached = moved.get(&number).copied().unwrap_or(number);
        ports.push(SeenPort {
            name: text(listener, "/name").to_owned(),
            protocol: text(listener, "/protocol").to_owned(),
            port: number,
            reached,
            node_port: NODE_PORTS.contains(&reached).then_some(reached),
        });
    }
    let addresses: Vec<String> = list(object, "/status/addresses").map(|it| text(it, "/value").to_owned()).collect();
    let access = own.and_then(|it| access(text(it, "/spec/type"))).or_else(|| guess(&addresses, ports.first().map(|it| it.reached)));
    SeenGateway { access, addresses, ports, routes: Some(routes), ..seen(Kind::Gateway, object, Serves::Named) }
}

/// It is served where its selector says: on an IngressGateway with those labels, on a Service that leads to such pods, on everybody's gateway.
fn of_istio(object: &Value, objects: &[Value], services: &[&Value], found: &[SeenGateway]) -> SeenGateway {
    let selector: BTreeMap<&str, &str> = object
        .pointer("/spec/selector")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect();
    let has = |it: &Value, pointer: &str| {
        let labels = it.pointer(pointer);
        !selector.is_empty() && selector.iter().all(|(key, value)| labels.and_then(|it| it.get(*key)?.as_str()) == Some(*value))
    };
    let said = condition(object, "/status/conditions", "Programmed");
    let mut seen = seen(Kind::IstioGateway, object, Serves::Named);
    let request = of(objects, Kind::IngressGateway).find(|it| namespace(it) == namespace(object) && has(it, "/spec/labels"));
    let workload = request.and_then(|it| found.iter().find(|known| known.object == reference(Kind::IngressGateway, it)));
    let of_everybody = selector.iter().all(|it| EVERYBODYS_LABELS.contains(&(*it.0, *it.1)));
    let service = || services.iter().find(|it| has(it, "/spec/selector") && text(it, "/spec/type") != "ClusterIP");
    if let Some(known) = workload.or_else(|| found.iter().find(|it| of_everybody && it.serves == Serves::Everybody)) {
        (seen.access, seen.addresses, seen.is_public) = (known.access, known.addresses.clone(), known.is_public);
    } else if let Some(service) = service() {
        let known = everybodys(service);
        (seen.access, seen.addresses) = (known.access, known.addresses);
    } else if let Some((_, reached)) = said.filter(|_| of_everybody).and_then(|_| unseen(objects, found)) {
        // The condition is ours, so everybody's gateway is.
        (seen.access, seen.addresses) = (reached.access, reached.addresses);
    }
    let moved = said.map(|(.., message)| moved(message)).unwrap_or_default();
    for server in list(object, "/spec/servers") {
        let Some(number) = port(server, "/port/number").filter(|it| seen.ports.iter().all(|known| known.port != *it)) else { continue };
        let reached = moved.get(&number).copied().unwrap_or(number);
        seen.ports.push(SeenPort {
            name: text(server, "/port/name").to_owned(),
            protocol: text(server, "/port/protocol").to_ascii_uppercase(),
            port: number,
            reached,
            node_port: NODE_PORTS.contains(&reached).then_some(reached),
        });
    }
    seen
}

/// What every gateway's object says in the same way.
fn seen(kind: Kind, object: &Value, serves: Serves) -> SeenGateway {
    let ready = match condition(object, "/status/conditions", "Programmed") {
        Some(("True", ..)) => Truth::True,
        Some(("False", ..)) => Truth::False,
        _ => Truth::Unknown,
    };
    let mut problems: Vec<SeenProblem> = Vec::new();
    let own = list(object, "/status/conditions");
    for it in own.chain(list(object, "/status/listeners").flat_map(|it| list(it, "/conditions"))) {
        let problem = SeenProblem { reason: text(it, "/reason").to_owned(), message: text(it, "/message").to_owned() };
        if is_bad_news(text(it, "/type"), text(it, "/status")) && !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    SeenGateway {
        object: reference(kind, object),
        serves,
        access: None,
        addresses: Vec::new(),
        is_public: false,
        ports: Vec::new(),
        ready,
        routes: None,
        problems,
        class: None,
    }
}

/// Where clients connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// `None`: none of the objects is it.
    pub gateway: Option<ObjectRef>,
    pub access: Option<Access>,
    pub addresses: Vec<String>,
    /// Whether the addresses are what an owner says, and not where the gateway listens itself.
    pub is_public: bool,
    pub http: Option<u16>,
    pub https: Option<u16>,
}

/// The gateway that Ingresses without a class show and that is none of these, with one of those Ingresses.
pub(crate) fn unseen<'a>(objects: &'a [Value], found: &[SeenGateway]) -> Option<(&'a Value, Reached)> {
    let known: BTreeSet<&String> = found.iter().flat_map(|it| &it.addresses).collect();
    of(objects, Kind::Ingress).filter(|it| matches!(class_of(it), "" | "paifang")).find_map(|it| {
        let reached = Reached::of_ingress(it)?;
        reached.addresses.iter().all(|it| !known.contains(it)).then_some((it, reached))
    })
}

/// The class that an Ingress names.
pub(crate) fn class_of(ingress: &Value) -> &str {
    match text(ingress, "/spec/ingressClassName") {
        "" => annotation(ingress, "kubernetes.io/ingress.class"),
        class => class,
    }
}

/// As the gateway's Services are marked.
const GATEWAY: &str = "paifang.dev/gateway";
const NODE_ADDRESS: &str = "paifang.dev/node-address";
const TYPE: &str = "kubesphere.io/gateway-type";
const GATEWAY_NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
/// What the workload of everybody's gateway is labelled with.
const EVERYBODYS_LABELS: [(&str, &str); 2] = [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];
/// Where Kubernetes takes node ports from, unless it is told otherwise.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

fn access(kind: &str) -> Option<Access> {
    match kind {
        "NodePort" => Some(Access::NodePort),
        "LoadBalancer" => Some(Access::LoadBalancer),
        "ClusterIP" => Some(Access::ClusterIp),
        _ => None,
    }
}

/// By its port, of a gateway that cannot be seen.
fn guess(addresses: &[String], port: Option<u16>) -> Option<Access> {
    let is_node_port = port.is_some_and(|it| NODE_PORTS.contains(&it));
    (!addresses.is_empty()).then_some(if is_node_port { Access::NodePort } else { Access::LoadBalancer })
}

fn service_port(port_of: &Value, access: Access) -> Option<SeenPort> {
    let (number, node_port) = (port(port_of, "/port")?, port(port_of, "/nodePort"));
    let name = text(port_of, "/name").to_owned();
    let usual = match name.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    Some(SeenPort {
        protocol: usual.map_or("TCP", |it| if it == 80 { "HTTP" } else { "HTTPS" }).to_owned(),
        port: usual.unwrap_or(number),
        reached: if access == Access::NodePort { node_port? } else { number },
        name,
        node_port,
    })
}

/// The ports that a `Programmed` condition of ours says are reached at others.
fn moved(message: &str) -> BTreeMap<u16, u16> {
    let pair = |it: &str| {
        let (port, real) = it.rsplit_once("port ").and_then(|(before, real)| Some((before.strip_suffix(" is reached as ")?, real)))?;
        Some((port.rsplit_once("port ")?.1.parse().ok()?, real.parse().ok()?))
    };
    message.split("; ").filter_map(pair).collect()
}

// === impl Serves ===

impl std::fmt::Display for Serves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project(project) => write!(f, "Project {project}"),
            Self::Workspace(workspace) => write!(f, "Workspace {workspace}"),
            Self::Everybody => f.write_str("Cluster"),
            Self::Named => f.write_str("-"),
        }
    }
}

// === impl SeenGateway ===

impl SeenGateway {
    /// Where Ingresses on it are reached, or whatever else is for its first port of each protocol.
    pub fn reached(&self) -> Reached {
        let first = |protocol: &str, usual: u16| {
            let mut of = self.ports.iter().filter(|it| it.protocol == protocol);
            of.clone().find(|it| it.port == usual).or_else(|| of.next()).map(|it| it.reached)
        };
        self.reached_at(first("HTTP", 80), first("HTTPS", 443))
    }

    pub(crate) fn reached_at(&self, http: Option<u16>, https: Option<u16>) -> Reached {
        let (addresses, is_public) = (self.addresses.clone(), self.is_public);
        Reached { gateway: Some(self.object.clone()), access: self.access, addresses, is_public, http, https }
    }

    /// The word for the kind of object that it is.
    pub fn kind(&self) -> &str {
        match self.object.kind.as_str() {
            "Service" => "built in",
            "Gateway.gateway.kubesphere.io" => "KubeSphere Gateway",
            "Gateway.networking.istio.io" => "Istio Gateway",
            kind => kind,
        }
    }

    pub fn json(&self) -> Value {
        let port = |it: &SeenPort| json!({ "name": it.name, "protocol": it.protocol, "port": it.port, "reachedAt": it.reached, "nodePort": it.node_port });
        let problem = |it: &SeenProblem| json!({ "reason": it.reason, "message": it.message });
        json!({
            "kind": *self.object.kind,
            "namespace": *self.object.namespace,
            "name": *self.object.name,
            "scope": self.serves.to_string(),
            "access": self.access.map(access_word),
            "addresses": self.addresses,
            "ports": self.ports.iter().map(port).collect::<Vec<_>>(),
            "ready": self.ready.as_str(),
            "routes": self.routes,
            "problems": self.problems.iter().map(problem).collect::<Vec<_>>(),
            "ingressClassName": self.class,
        })
    }
}

/// As an IngressGateway has it.
pub fn access_word(access: Access) -> &'static str {
    match access {
        Access::LoadBalancer => "LoadBalancer",
        Access::NodePort => "NodePort",
        Access::ClusterIp => "ClusterIP",
    }
}

// === impl Reached ===

impl Reached {
    /// As an Ingress's own status says, for who may not see its gateway; `None`: it says nothing.
    pub(crate) fn of_ingress(ingress: &Value) -> Option<Self> {
        let said = balanced(ingress);
        let ports = said.first().map(|(_, ports)| ports.clone())?;
        let addresses: Vec<String> = said.into_iter().map(|(address, _)| address).collect();
        let (http, https) = match ports.as_slice() {
            [] => (Some(80), Some(443)),
            [one] => (Some(*one), None),
            [http, https, ..] => (Some(*http), Some(*https)),
        };
        Some(Self { access: guess(&addresses, http), addresses, http, https, ..Self::default() })
    }
}

#[cfg(test)]
mod tests;
