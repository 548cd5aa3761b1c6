//! `paifang get gateways`.

use super::{Row, Shown, object_name, or_none};
use ::access::{Gathered, SeenGateway, Served, Serves, access_word, gateways, rows};
use model::GatewayId;

/// Those of a namespace, or all; beside a project's own, everybody's that it uses without one.
pub(super) fn show(gathered: &Gathered, namespace: Option<&str>) -> Shown {
    let served = Served::new(gathered);
    let all = gateways(&gathered.objects);
    let seen = all.iter().filter(|it| namespace.is_none_or(|wanted| *it.object.namespace == *wanted || serves(it, wanted)));
    let rows: Vec<Row> = seen.map(|it| row(it, &served)).collect();
    let none = match namespace {
        Some(namespace) => nothing(gathered, namespace),
        None => "there is no gateway that you may see".to_owned(),
    };
    Shown {
        header: vec!["NAMESPACE", "NAME", "KIND", "SCOPE", "ACCESS", "ADDRESS", "PORTS", "READY", "ROUTES"],
        wide: WIDE,
        rows,
        more: String::new(),
        none,
    }
}

const WIDE: &[&str] = &["NODE-PORTS", "CLASS", "PROBLEMS"];

fn serves(gateway: &SeenGateway, namespace: &str) -> bool {
    matches!(&gateway.serves, Serves::Project(project) if project == namespace)
}

/// Where a project has no gateway of its own, its routes may say where they are served.
fn nothing(gathered: &Gathered, namespace: &str) -> String {
    let shown = rows(&gathered.objects).into_iter().find(|it| *it.object.namespace == *namespace && !it.reached.addresses.is_empty());
    let enable = "a project admin enables one with an IngressGateway";
    match shown {
        Some(row) => format!(
            "{namespace} has no gateway of its own ({enable}); its routes are served by a shared one at {}",
            row.reached.addresses.join(", ")
        ),
        None => format!("{namespace} has no gateway of its own; {enable}"),
    }
}

fn row(gateway: &SeenGateway, served: &Served) -> Row {
    let joined = |ports: Vec<u16>| or_none(ports.iter().map(u16::to_string).collect::<Vec<_>>().join(","));
    // Everybody's has no object that counts them.
    let id = GatewayId::new(format!("{}/{}", gateway.object.namespace, gateway.object.name));
    let counted = || {
        let here = served.shards.iter().filter(|(key, _)| key.gateway == id).flat_map(|(_, shard)| &shard.host.routes);
        here.map(|it| &it.source.object).collect::<std::collections::BTreeSet<_>>().len()
    };
    let is_built_in = gateway.object.kind == *"Service";
    let routes = gateway.routes.map(|it| it.to_string()).or_else(|| is_built_in.then(|| counted().to_string()));
    let mut json = gateway.json();
    if is_built_in {
        json["routes"] = counted().into();
    }
    let problems: Vec<&str> = gateway.problems.iter().map(|it| it.reason.as_str()).collect();
    Row {
        name: object_name(&gateway.object),
        cells: vec![
            gateway.object.namespace.to_string(),
            gateway.object.name.to_string(),
            gateway.kind().to_owned(),
            gateway.serves.to_string(),
            gateway.access.map_or("<unknown>", access_word).to_owned(),
            if gateway.addresses.is_empty() { "<pending>".to_owned() } else { gateway.addresses.join(",") },
            joined(gateway.ports.iter().map(|it| it.reached).collect()),
            if problems.is_empty() {
                gateway.ready.as_str().to_owned()
            } else {
                format!("{} ({})", gateway.ready.as_str(), problems.join(", "))
            },
            routes.unwrap_or_else(|| "-".to_owned()),
        ],
        wide: vec![
            joined(gateway.ports.iter().filter_map(|it| it.node_port).collect()),
            gateway.class.clone().unwrap_or_else(|| "<none>".to_owned()),
            or_none(gateway.problems.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join("; ")),
        ],
        json,
    }
}
