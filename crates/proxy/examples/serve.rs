//! The data plane alone, from a model made of its arguments: for measurements, and for a look at it without anything around.
//!
//! ```text
//! serve LISTEN UPSTREAM[,UPSTREAM…] [--hosts N] [--workers N] [--tls CERT.der KEY.der] [--log FILE]
//! ```
//!
//! Hosts are `host-0.test` and so on, each with `/` to the upstreams; any other host has the same route. Prints the address once it serves.

use model::{
    Action, Backend, BackendId, Binding, Certificate, Endpoint, Forward, Gateway, GatewayId, Host, HostPattern, HostTls, Hostname,
    Listener, ListenerProtocol, Match, ObjectRef, OnMiss, PathMatch, Replies, Route, Sealed, SectionName, Shard, ShardKey, Source, Update,
};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

struct Arguments {
    listen: std::net::SocketAddr,
    upstreams: Arc<[Endpoint]>,
    hosts: usize,
    workers: Option<NonZeroUsize>,
    certificate: Option<Arc<Certificate>>,
    log: proxy::Sink,
}

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments = arguments()?;
    let dataplane = proxy::start(proxy::Options { workers: arguments.workers, access_log: arguments.log.clone(), ..Default::default() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ack = runtime.block_on(dataplane.apply(update(&arguments)?));
    for binding in ack.bindings {
        println!("{}", binding.bound?);
    }
    loop {
        std::thread::park();
    }
}

fn arguments() -> Result<Arguments, Error> {
    let mut given = std::env::args().skip(1);
    let mut next = |what: &str| given.next().ok_or(format!("{what} is missing"));
    let listen = next("LISTEN")?.parse()?;
    let address = |text: &str| text.parse().map(|address| Endpoint { address });
    let upstreams = next("UPSTREAM")?.split(',').map(address).collect::<Result<_, _>>()?;
    let mut it = Arguments { listen, upstreams, hosts: 10, workers: None, certificate: None, log: proxy::Sink::None };
    while let Ok(option) = next("") {
        match option.as_str() {
            "--hosts" => it.hosts = next("N")?.parse()?,
            "--workers" => it.workers = Some(next("N")?.parse()?),
            "--tls" => it.certificate = Some(certificate(Path::new(&next("CERT.der")?), Path::new(&next("KEY.der")?))?),
            "--log" => it.log = proxy::Sink::File(next("FILE")?.into()),
            other => return Err(format!("{other} is not an option").into()),
        }
    }
    Ok(it)
}

fn certificate(chain: &Path, key: &Path) -> Result<Arc<Certificate>, Error> {
    let (chain, key) = (vec![std::fs::read(chain)?], Sealed::new(std::fs::read(key)?));
    Ok(Arc::new(Certificate { origin: "arguments".into(), chain, key, names: Vec::new() }))
}

fn update(arguments: &Arguments) -> Result<Update, Error> {
    let id = GatewayId::new("example/serve");
    let protocol = if arguments.certificate.is_some() { ListenerProtocol::Https } else { ListenerProtocol::Http };
    let gateway = Gateway {
        id: id.clone(),
        listeners: vec![Listener {
            name: SectionName::new("web"),
            protocol,
            port: arguments.listen.port(),
            bindings: vec![Binding { address: arguments.listen, https_port: None }],
        }],
        default_certificate: arguments.certificate.clone(),
        replies: Replies::default(),
        options: Arc::default(),
    };
    let backend = Arc::new(Backend::new(BackendId::new("example/upstream:80")));
    let names = (0..arguments.hosts).map(|at| Hostname::parse(&format!("host-{at}.test")).map(HostPattern::Exact));
    let hosts: Vec<HostPattern> = names.chain([Ok(HostPattern::Any)]).collect::<Result<_, _>>()?;
    let shard = |name: HostPattern| {
        let source = Source { object: ObjectRef::new("Ingress", "example", format!("{name}")), rule: "spec.rules[0].http.paths[0]".into() };
        let matches = vec![Match { path: PathMatch::Prefix("".into()), ..Match::default() }];
        let route = Route { replies: None, source, matches, filters: Vec::new(), action: Action::Forward(Forward::to(backend.clone())) };
        let host = Host {
            tls_policy: Default::default(),
            tunnel: None,
            datagrams: None,
            name: name.clone(),
            tls: HostTls::None,
            routes: vec![route],
            on_miss: OnMiss::Stop,
            replies: Replies::default(),
        };
        (ShardKey { port: None, gateway: id.clone(), host: name }, Some(Shard::new(host)))
    };
    Ok(Update {
        endpoints: vec![(backend.id.clone(), Some(arguments.upstreams.clone()))],
        gateways: vec![(id.clone(), Some(Arc::new(gateway)))],
        shards: hosts.into_iter().map(shard).collect(),
        ..Update::default()
    })
}
