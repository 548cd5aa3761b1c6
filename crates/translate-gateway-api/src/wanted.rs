//! The gateways that are asked for, and their ports.

use crate::given::Given;
use crate::listener::{Judged, Protocol, judged};
use crate::ours::{Ours, ours};
use crate::place::{Place, own_id, place};
use model::{GatewayId, ListenerProtocol, SectionName, Text};
use resources::{Entrance, Gateway, Kind, Size, Wanted, WantedPort, Workload, WorkloadAccess};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Istio's annotation for how a workload is reached.
pub(crate) const SERVICE_TYPE: &str = "networking.istio.io/service-type";

const NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
const CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";

pub(crate) fn wanted(given: Given<'_>) -> Vec<Wanted> {
    let ours = given.resources.gateways().filter_map(|gateway| ours(given, gateway));
    ours.filter_map(|ours| of_gateway(given, ours)).collect()
}

fn of_gateway(given: Given<'_>, ours: Ours<'_>) -> Option<Wanted> {
    let (gateway, workload): (GatewayId, _) = match place(given, ours).ok()? {
        Place::Own(address) => (own_id(ours.gateway), Some(workload(ours, address))),
        Place::Joined(id) => (id, None),
    };
    let ports = ports(ours.gateway, &judged(given, ours));
    // A Service without a port is none.
    (!ports.is_empty()).then(|| Wanted { gateway, workload, request: None, ports, replies: ours.replies.clone() })
}

/// One for each port that some listener serves, named after the first.
fn ports(gateway: &Gateway, judged: &[Judged<'_>]) -> Vec<WantedPort> {
    let mut ports: BTreeMap<u16, (usize, ListenerProtocol, &SectionName)> = BTreeMap::new();
    for it in judged.iter().filter(|it| it.serves()) {
        let Some(protocol) = it.protocol.map(Protocol::wire) else { continue };
        ports.entry(it.listener.port).or_insert((it.listener.index, protocol, &it.listener.name));
    }
    let mut ports: Vec<_> = ports.into_iter().collect();
    ports.sort_by_key(|(_, (index, ..))| *index);
    let mut taken = BTreeSet::new();
    let port = |(number, (index, protocol, name)): (u16, (usize, ListenerProtocol, &SectionName))| WantedPort {
        number,
        protocol,
        name: SectionName(port_name(name.as_str(), number, &mut taken)),
        owner: Kind::Gateway.object_ref(&gateway.meta.name),
        created: gateway.meta.created,
        field: format!("spec.listeners[{index}].port").into(),
    };
    ports.into_iter().map(port).collect()
}

/// A listener's name as a Service's port may have it: at most 63 characters, no dot, and no two alike.
fn port_name(name: &str, number: u16, taken: &mut BTreeSet<String>) -> Text {
    let plain: String = name.chars().map(|char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let short = |most: usize| plain.chars().take(most).collect::<String>().trim_end_matches('-').to_owned();
    let mut wish = short(63);
    if wish.is_empty() || taken.contains(&wish) {
        wish = format!("{}-{number}", short(57));
    }
    taken.insert(wish.clone());
    wish.trim_start_matches('-').into()
}

fn workload(ours: Ours<'_>, address: Option<IpAddr>) -> Workload {
    let gateway = ours.gateway;
    Workload {
        owner: Kind::Gateway.object_ref(&gateway.meta.name),
        owner_uid: gateway.meta.uid.clone(),
        name: gateway.workload_name(),
        class: gateway.class.clone(),
        entrance: Entrance { access: access(gateway).unwrap_or_default(), address, ..Entrance::default() },
        size: Size::default(),
        labels: labels(ours),
        annotations: annotations(gateway),
    }
}

/// `None`: the annotation is not understood.
pub(crate) fn access(gateway: &Gateway) -> Option<WorkloadAccess> {
    match gateway.meta.annotation(SERVICE_TYPE).map(|it| &**it) {
        None | Some("LoadBalancer") => Some(WorkloadAccess::LoadBalancer),
        Some("NodePort") => Some(WorkloadAccess::NodePort),
        Some("ClusterIP") => Some(WorkloadAccess::ClusterIp),
        Some(_) => None,
    }
}

/// What the infrastructure says, or where it says nothing what the Gateway itself has; and what tells a gateway's parts by.
fn labels(ours: Ours<'_>) -> BTreeMap<Text, Text> {
    let gateway = ours.gateway;
    let mut labels = wished(gateway.infrastructure.labels.as_ref(), &gateway.meta.labels);
    labels.insert(NAME_LABEL.into(), label_value(&gateway.meta.name.name));
    labels.insert(CLASS_LABEL.into(), label_value(&gateway.class));
    if ours.controller.starts_with("istio.io/") {
        labels.insert("gateway.istio.io/managed".into(), ours.controller.replace('/', "-").into());
        labels.insert("istio.io/dataplane-mode".into(), "none".into());
    }
    labels
}

fn annotations(gateway: &Gateway) -> BTreeMap<Text, Text> {
    wished(gateway.infrastructure.annotations.as_ref(), &gateway.meta.annotations)
}

fn wished(infrastructure: Option<&BTreeMap<Text, Text>>, own: &BTreeMap<Text, Text>) -> BTreeMap<Text, Text> {
    let foreign = |key: &str| {
        let reserved = ["gateway.networking.k8s.io/", "gateway.istio.io/", "kubectl.kubernetes.io/", "paifang.dev/"];
        !reserved.iter().any(|prefix| key.starts_with(prefix)) && key != SERVICE_TYPE
    };
    let of = infrastructure.unwrap_or(own);
    of.iter().filter(|(key, _)| foreign(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A value of a label has at most 63 characters; a Gateway's name may have 253.
fn label_value(name: &Text) -> Text {
    match name.char_indices().nth(63) {
        None => name.clone(),
        Some((at, _)) => name[..at].trim_end_matches(['-', '.', '_']).into(),
    }
}
