//! The table as updates of the model, as `control` would send them.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use model::{
    Action, Anchor, Backend, BackendId, Binding, Case, Certificate, Endpoint, Engine, Filter, Forward, Gateway, GatewayId, Host,
    HostPattern, HostTls, Hostname, Listener, ListenerProtocol, Match, ObjectRef, OnMiss, PathMatch, Pattern, Replies, Rewrite, Route,
    Sealed, SectionName, Shard, ShardKey, Source, TemplatePart, Update, Version,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Arguments;
use crate::certificates;
use crate::table::{self, Path, Row, Table};

/// Hosts of one update: the whole table at once would be held twice.
const HOSTS_AT_ONCE: usize = 500;

/// Endpoints and the gateway first, then the hosts in portions.
pub fn updates(arguments: &Arguments) -> Result<impl Iterator<Item = Result<Update>> + '_> {
    let table = Table { size: arguments.size.clone(), origin: arguments.origin, second: None };
    let certificates = (0..table.size.certificates).map(|index| certificate(arguments, index)).collect::<Result<Vec<_>>>()?;
    let backends: Vec<Arc<Backend>> = (0..table.size.backends).map(|index| Arc::new(Backend::new(backend_id(index)))).collect();
    let first = Update {
        version: version(1),
        endpoints: backends.iter().map(|backend| (backend.id.clone(), Some(endpoints(table.origin)))).collect(),
        gateways: gateways(arguments, certificates.first()),
        shards: Vec::new(),
    };
    let portions = (0..table.size.hosts).step_by(HOSTS_AT_ONCE).map(move |begin| {
        let end = table.size.hosts.min(begin + HOSTS_AT_ONCE);
        let shards = (begin..end).map(|index| shard(&table.row(index), &backends, &certificates)).collect::<Result<_>>()?;
        Ok(Update { version: version(2 + (begin / HOSTS_AT_ONCE) as u64), shards, ..Update::default() })
    });
    Ok(std::iter::once(Ok(first)).chain(portions))
}

fn version(sequence: u64) -> Version {
    Version { epoch: 1, sequence }
}

fn gateway_id() -> GatewayId {
    GatewayId::new("bench/gateway")
}

fn backend_id(index: usize) -> BackendId {
    BackendId::new(format!("bench/service{index}:80"))
}

fn endpoints(origin: SocketAddr) -> Arc<[Endpoint]> {
    Arc::from([Endpoint { address: origin }])
}

/// The one gateway, as an update has it.
fn gateways(arguments: &Arguments, default: Option<&Arc<Certificate>>) -> Vec<(GatewayId, Option<Arc<Gateway>>)> {
    vec![(gateway_id(), Some(Arc::new(gateway(arguments, default))))]
}

fn gateway(arguments: &Arguments, default: Option<&Arc<Certificate>>) -> Gateway {
    let listener = |name: &str, protocol, port, address, https_port| Listener {
        name: SectionName::new(name),
        protocol,
        port,
        bindings: vec![Binding { address, https_port }],
    };
    let http = listener("http", ListenerProtocol::Http, 80, arguments.http, Some(arguments.https.port()));
    let https = default.map(|_| listener("https", ListenerProtocol::Https, 443, arguments.https, None));
    Gateway {
        id: gateway_id(),
        listeners: std::iter::once(http).chain(https).collect(),
        default_certificate: default.cloned(),
        replies: Replies::default(),
        options: Arc::default(),
    }
}

fn certificate(arguments: &Arguments, index: usize) -> Result<Arc<Certificate>> {
    let files = certificates::files(&arguments.folder, index);
    let chain = CertificateDer::pem_slice_iter(&fs::read(&files.chain)?).map(|der| Ok(der?.to_vec())).collect::<Result<_>>()?;
    let key = PrivateKeyDer::from_pem_slice(&fs::read(&files.key)?).context("the key")?;
    Ok(Arc::new(Certificate {
        origin: format!("Secret bench/certificate{index}").into(),
        chain,
        key: Sealed::new(key.secret_der().to_vec()),
        names: vec![table::host(index).into()],
    }))
}

fn shard(row: &Row, backends: &[Arc<Backend>], certificates: &[Arc<Certificate>]) -> Result<(ShardKey, Option<Shard>)> {
    let tls = row.certificate.map_or(HostTls::None, |index| HostTls::Certificate(certificates[index].clone()));
    let host = host(row, tls, route(row, &backends[row.backend]))?;
    Ok((shard_key(row)?, Some(Shard::new(host))))
}

fn shard_key(row: &Row) -> Result<ShardKey> {
    Ok(ShardKey { port: None, gateway: gateway_id(), host: pattern(row)? })
}

fn pattern(row: &Row) -> Result<HostPattern> {
    Ok(HostPattern::Exact(Hostname::parse(&row.host)?))
}

fn host(row: &Row, tls: HostTls, route: Route) -> Result<Host> {
    Ok(Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name: pattern(row)?,
        tls,
        routes: vec![route],
        on_miss: OnMiss::Stop,
        replies: Replies::default(),
    })
}

fn route(row: &Row, backend: &Arc<Backend>) -> Route {
    let expression = |text: String| Pattern { text: text.into(), case: Case::Insensitive, anchor: Anchor::Start, engine: Engine::Linear };
    let (path, filters) = match &row.path {
        Path::All => (PathMatch::Prefix("".into()), Vec::new()),
        Path::Captured { prefix } => {
            let pattern = expression(format!("{prefix}(/|$)(.*)"));
            let template = vec![TemplatePart::Literal("/".into()), TemplatePart::Capture(2)];
            (PathMatch::Regex(pattern.clone()), vec![Filter::Rewrite(Rewrite::Regex { pattern, template })])
        }
        Path::Pattern(text) => (PathMatch::Regex(expression(text.clone())), Vec::new()),
    };
    Route {
        replies: None,
        source: Source { object: ObjectRef::new("Ingress", "bench", row.host.clone()), rule: "spec.rules[0].http.paths[0]".into() },
        matches: vec![Match { path, ..Match::default() }],
        filters,
        action: Action::Forward(Forward::to(backend.clone())),
    }
}
