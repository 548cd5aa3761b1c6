//! `paifang get`: what is served, in columns.

use crate::Exit;
use crate::args::{GetArgs, TableOutput, What};
use crate::explain::{match_text, name};
use crate::objects;
use crate::served::Served;
use crate::text::{safe, table};
use anyhow::Result;
use model::{Action, Route};
use serde_json::{Value, json};
use std::io::Write;

/// A line of the table, and the same as JSON.
struct Row {
    cells: Vec<String>,
    wide: Vec<String>,
    json: Value,
}

/// Runs the command.
pub async fn run(args: &GetArgs) -> Result<Exit> {
    let served = Served::new(&objects::gather(&args.objects).await?);
    let (header, wide, rows) = match args.what {
        What::Gateways => (GATEWAY, GATEWAY_WIDE, gateways(&served)),
        What::Routes => (ROUTE, ROUTE_WIDE, routes(&served, args.namespace.as_deref())),
    };
    let mut out = std::io::stdout().lock();
    if args.output == Some(TableOutput::Json) {
        let items: Vec<&Value> = rows.iter().map(|it| &it.json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "items": items }))?)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        eprintln!("nothing is served");
        return Ok(Exit::Done);
    }
    let is_wide = args.output == Some(TableOutput::Wide);
    let header: Vec<&str> = header.iter().chain(wide.iter().filter(|_| is_wide)).copied().collect();
    let cells = |it: &Row| it.cells.iter().chain(it.wide.iter().filter(|_| is_wide)).map(|it| safe(it)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    write!(out, "{}", table((!args.no_headers).then_some(&header), &rows))?;
    Ok(Exit::Done)
}

const GATEWAY: &[&str] = &["NAME", "ADDRESS", "HTTP", "HTTPS", "HOSTS"];
const GATEWAY_WIDE: &[&str] = &["NODE-ADDRESS", "NODE-HTTP", "NODE-HTTPS"];

fn gateways(served: &Served) -> Vec<Row> {
    let Some(plan) = &served.plan else { return Vec::new() };
    let port = |it: Option<u16>| it.map_or_else(|| "<none>".to_owned(), |it| it.to_string());
    let address = plan.address.map_or_else(|| "<pending>".to_owned(), |it| it.to_string());
    let (http, https) = plan.ports;
    vec![Row {
        cells: vec![served.id.to_string(), address, http.to_string(), https.to_string(), served.shards.len().to_string()],
        wide: vec![plan.node_address.to_string(), port(plan.node_ports.0), port(plan.node_ports.1)],
        json: json!({
            "name": served.id.as_str(),
            "address": plan.address.map(|it| it.to_string()),
            "http": http,
            "https": https,
            "nodeAddress": plan.node_address.to_string(),
            "nodeHttp": plan.node_ports.0,
            "nodeHttps": plan.node_ports.1,
            "hosts": served.shards.len(),
        }),
    }]
}

const ROUTE: &[&str] = &["HOST", "MATCH", "OBJECT", "BACKEND", "READY"];
const ROUTE_WIDE: &[&str] = &["RULE", "FILTERS"];

fn routes(served: &Served, namespace: Option<&str>) -> Vec<Row> {
    let routes = served.shards.iter().flat_map(|(key, shard)| shard.host.routes.iter().map(move |route| (key.host.to_string(), route)));
    routes.filter(|(_, it)| namespace.is_none_or(|ns| it.source.object.namespace == *ns)).map(|(host, it)| row(served, host, it)).collect()
}

fn row(served: &Served, host: String, route: &Route) -> Row {
    let matches: Vec<String> = route.matches.iter().map(match_text).collect();
    let (backend, ready) = target(served, route);
    let object = name(&route.source.object);
    Row {
        json: json!({ "host": host, "matches": matches, "object": object, "rule": *route.source.rule, "backend": backend, "ready": ready }),
        cells: vec![host, matches.join(" or "), object, backend, ready.map_or_else(String::new, |it| it.to_string())],
        wide: vec![route.source.rule.to_string(), route.filters.len().to_string()],
    }
}

/// Where requests go, and how many ready endpoints there are.
fn target(served: &Served, route: &Route) -> (String, Option<usize>) {
    match &route.action {
        Action::Forward(forward) => {
            let shown = |it: &model::WeightedBackend| {
                let id = it.backend.as_ref().map_or_else(|| "<none>".to_owned(), |it| it.id.to_string());
                if forward.backends.len() > 1 { format!("{id} ({})", it.weight) } else { id }
            };
            let ready = route.backends().filter_map(|it| served.endpoints.get(&it.id)).map(Vec::len).sum();
            (forward.backends.iter().map(shown).collect::<Vec<_>>().join(", "), Some(ready))
        }
        Action::Redirect(redirect) => (format!("redirect {}", redirect.status), None),
        Action::Respond(respond) => (format!("{} {}", respond.status, respond.reason), None),
    }
}
