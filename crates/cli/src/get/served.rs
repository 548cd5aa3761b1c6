//! What translation makes of objects: gateways, listeners, routes.

use super::{Row, Shown, object_name};
use ::access::words::{match_text, name, object_json, protocol};
use ::access::{Served, ServedGateway, ServedListener};
use model::{Action, ListenerProtocol, Route, ShardKey, Tunnel, WeightedBackend};
use serde_json::json;

const GATEWAY: &[&str] = &["NAME", "ADDRESS", "PORTS", "HOSTS"];
const GATEWAY_WIDE: &[&str] = &["NODE-ADDRESS", "NODE-PORTS"];

/// Of objects that have no statuses yet.
pub(super) fn gateways(served: &Served) -> Shown {
    shown(GATEWAY, GATEWAY_WIDE, served.gateways.iter().map(|it| gateway(served, it)).collect())
}

fn shown(header: &[&'static str], wide: &'static [&'static str], rows: Vec<Row>) -> Shown {
    Shown { header: header.to_vec(), wide, rows, more: String::new(), none: "nothing is served".to_owned() }
}

fn gateway(served: &Served, gateway: &ServedGateway) -> Row {
    let node = gateway.entrance.as_ref().and_then(|it| it.node_address).map(|it| it.to_string());
    let joined = |ports: Vec<u16>| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let node_port = |it: &ServedListener| it.node.map(|it| it.port());
    let hosts =
        served.shards.keys().filter(|key| key.gateway == gateway.id).map(|key| &key.host).collect::<std::collections::BTreeSet<_>>().len();
    // The two that Ingresses have; a gateway may lack one.
    let of = |protocol: ListenerProtocol| gateway.listeners.iter().find(|it| it.protocol == protocol);
    let (http, https) = (of(ListenerProtocol::Http), of(ListenerProtocol::Https));
    let port = |it: &ServedListener| json!({ "name": it.name.as_str(), "protocol": protocol(it.protocol), "port": it.number, "nodePort": node_port(it) });
    Row {
        name: gateway.id.to_string(),
        cells: vec![
            gateway.id.to_string(),
            gateway.address().unwrap_or("<pending>").to_owned(),
            joined(gateway.listeners.iter().map(|it| it.number).collect()),
            hosts.to_string(),
        ],
        wide: vec![node.clone().unwrap_or_else(|| "<none>".into()), joined(gateway.listeners.iter().filter_map(node_port).collect())],
        json: json!({
            "name": gateway.id.as_str(),
            "address": gateway.address(),
            "http": http.map(|it| it.number),
            "https": https.map(|it| it.number),
            "nodeAddress": node,
            "nodeHttp": http.and_then(node_port),
            "nodeHttps": https.and_then(node_port),
            "ports": gateway.listeners.iter().map(port).collect::<Vec<_>>(),
            "hosts": hosts,
        }),
    }
}

const LISTENER: &[&str] = &["GATEWAY", "ADDRESS", "PORT", "PROTOCOL", "HOSTS", "OWNERS"];
const LISTENER_WIDE: &[&str] = &["NAME", "NODE"];

pub(super) fn listeners(served: &Served) -> Shown {
    let rows = served.gateways.iter().flat_map(|gateway| gateway.listeners.iter().map(move |it| listener(served, gateway, it)));
    shown(LISTENER, LISTENER_WIDE, rows.collect())
}

fn listener(served: &Served, gateway: &ServedGateway, it: &ServedListener) -> Row {
    let hosts = served.hosts(gateway, it).len();
    let mut owners: Vec<String> = it.owners.iter().map(name).collect();
    if it.for_ingresses {
        owners.push("Ingresses".into());
    }
    let node = it.node.map(|it| it.to_string());
    Row {
        name: format!("{}/{}", gateway.id, it.name),
        cells: vec![
            gateway.id.to_string(),
            gateway.address().unwrap_or("<pending>").to_owned(),
            it.number.to_string(),
            protocol(it.protocol).to_owned(),
            hosts.to_string(),
            owners.join(", "),
        ],
        wide: vec![it.name.to_string(), node.clone().unwrap_or_else(|| "<none>".into())],
        json: json!({
            "gateway": gateway.id.as_str(),
            "name": it.name.as_str(),
            "address": gateway.address(),
            "port": it.number,
            "asked": it.port,
            "protocol": protocol(it.protocol),
            "node": node,
            "hosts": hosts,
            "owners": it.owners.iter().map(object_json).collect::<Vec<_>>(),
            "ingresses": it.for_ingresses,
        }),
    }
}

const ROUTE: &[&str] = &["HOST", "PORT", "MATCH", "OBJECT", "BACKEND", "READY"];
const ROUTE_WIDE: &[&str] = &["RULE", "FILTERS", "GATEWAY"];

pub(super) fn routes(served: &Served, namespace: Option<&str>) -> Shown {
    let mut rows = Vec::new();
    let wanted = |object: &model::ObjectRef| namespace.is_none_or(|ns| object.namespace == *ns);
    for (key, shard) in &served.shards {
        rows.extend(shard.host.tunnel.iter().filter(|it| wanted(&it.source.object)).map(|it| tunnel(served, key, it)));
        rows.extend(shard.host.routes.iter().filter(|it| wanted(&it.source.object)).map(|it| route(served, key, it)));
    }
    shown(ROUTE, ROUTE_WIDE, rows)
}

fn route(served: &Served, key: &ShardKey, it: &Route) -> Row {
    let matches: Vec<String> = it.matches.iter().map(match_text).collect();
    let (backend, ready) = target(served, it);
    row(key, &it.source, (matches, backend, ready), it.filters.len())
}

fn tunnel(served: &Served, key: &ShardKey, it: &Tunnel) -> Row {
    let (backend, ready) = backends(served, &it.backends);
    row(key, &it.source, (vec!["any connection".into()], backend, Some(ready)), 0)
}

/// `told`: matches, backends, ready endpoints.
fn row(key: &ShardKey, source: &model::Source, told: (Vec<String>, String, Option<usize>), filters: usize) -> Row {
    let (matches, backend, ready) = told;
    let (host, object) = (key.host.to_string(), name(&source.object));
    Row {
        name: object_name(&source.object),
        json: json!({
            "gateway": key.gateway.as_str(), "port": key.port, "host": host, "matches": matches, "object": object,
            "rule": *source.rule, "backend": backend, "ready": ready,
        }),
        cells: vec![
            host,
            key.port.map_or_else(|| "*".to_owned(), |it| it.to_string()),
            matches.join(" or "),
            object,
            backend,
            ready.map_or_else(String::new, |it| it.to_string()),
        ],
        wide: vec![source.rule.to_string(), filters.to_string(), key.gateway.to_string()],
    }
}

/// Where requests go, and how many ready endpoints there are.
fn target(served: &Served, route: &Route) -> (String, Option<usize>) {
    match &route.action {
        Action::Forward(forward) => {
            let (shown, ready) = backends(served, &forward.backends);
            (shown, Some(ready))
        }
        Action::Redirect(redirect) => (format!("redirect {}", redirect.status), None),
        Action::Respond(respond) => (format!("{} {}", respond.status, respond.reason), None),
    }
}

fn backends(served: &Served, backends: &[WeightedBackend]) -> (String, usize) {
    let shown = |it: &WeightedBackend| {
        let id = it.backend.as_ref().map_or_else(|| "<none>".to_owned(), |it| it.id.to_string());
        if backends.len() > 1 { format!("{id} ({})", it.weight) } else { id }
    };
    let ready = backends.iter().filter_map(|it| it.backend.as_ref()).filter_map(|it| served.endpoints.get(&it.id)).map(Vec::len).sum();
    (backends.iter().map(shown).collect::<Vec<_>>().join(", "), ready)
}
