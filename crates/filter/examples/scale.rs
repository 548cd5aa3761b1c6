//! What 10,000 hosts cost: memory, one changed host, one request through routing and filters.
//!
//! `cargo run --profile quick -p filter --example scale [HOSTS]`
#![expect(clippy::disallowed_methods, reason = "it measures")]

use filter::{Context, Edits};
use model::*;
use route::{Expression, Found, Lookup, Request, Snapshot};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const BACKENDS: usize = 2_000;
const REQUESTS: usize = 2_000_000;

struct NoFields;

impl route::Headers for NoFields {
    fn first(&self, _: &str) -> Option<&[u8]> {
        None
    }
    fn each(&self, _: &str, _: &mut dyn FnMut(&[u8])) {}
}

fn main() {
    let hosts: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let gateway = GatewayId::new("demo/gateway");
    let backends: Vec<Arc<Backend>> =
        (0..BACKENDS).map(|n| Arc::new(Backend::new(BackendId::new(format!("demo/service-{n}:80"))))).collect();
    let shard = |n: usize, tries: u8| {
        let host = host(n, &backends, tries);
        (ShardKey { port: None, gateway: gateway.clone(), host: host.name.clone() }, Some(Shard::new(host)))
    };

    let before = resident();
    let update = Update { shards: (0..hosts).map(|n| shard(n, 3)).collect(), ..Update::default() };
    let model = resident();
    let start = Instant::now();
    let (snapshot, nacks) = Snapshot::empty().apply(&update);
    let took = start.elapsed();
    assert!(nacks.is_empty(), "{nacks:?}");
    drop(update);
    let all = resident();
    println!("{hosts} hosts: model {:.1} MiB, compiled {:.1} MiB more, in {took:?}", mib(model - before), mib(all.saturating_sub(model)));

    let changes: Vec<Update> = (0..200).map(|n| Update { shards: vec![shard(n * 37 % hosts, 2)], ..Update::default() }).collect();
    let start = Instant::now();
    let mut next = snapshot.clone();
    for change in &changes {
        next = black_box(next.apply(change)).0;
    }
    println!("one changed host: {:?}", start.elapsed() / 200);

    let engines: Vec<Expression> = (0..200).map(|n| compile(&format!("/user-{n}/([0-9]+)/(edit|view)$"))).collect();
    let start = running();
    assert!(engines.iter().enumerate().all(|(n, it)| it.is_match(format!("/user-{n}/17/edit").as_bytes()) == Found::Yes));
    println!("first use of a pattern that needs an engine: {} µs", (running() - start) / 200 / 1000);

    let table = snapshot.gateway(&gateway).expect("it was made");
    let names: Vec<(String, String)> = (0..hosts)
        .map(|n| {
            (format!("host-{n}.demo.kubesphere.io"), if n % 10 < 3 { format!("/api-{n}/v1/items") } else { "/static/app.js".to_owned() })
        })
        .collect();
    let mut edits = Edits::default();
    for (what, filters) in [("find", false), ("find and filters", true)] {
        for (which, step) in [("one host", 0), ("every host in turn", 7919)] {
            let start = running();
            for n in 0..REQUESTS {
                let (host, path) = &names[n * step % names.len()];
                let request =
                    Request { method: "GET", scheme: Scheme::Http, port: 80, host, authority: host, path, query: None, headers: &NoFields };
                let Lookup::Route(route) = table.find(&request) else { panic!("{host}{path} is served") };
                if filters {
                    let known = || table.knows_certificate(host);
                    let context = Context { raw_target: path, https_port: None, certificate_known: &known, chance: &|| 0 };
                    black_box(filter::run(route, &request, &context, &mut edits));
                }
                black_box(route);
            }
            println!("{what}, {which}: {:.0} ns a request", (running() - start) as f64 / REQUESTS as f64);
        }
    }
}

fn compile(text: &str) -> Expression {
    let pattern = Pattern { text: text.into(), case: Case::Insensitive, anchor: Anchor::Start, engine: Engine::Linear };
    Expression::compile(&pattern).expect("it compiles")
}

/// Three routes; on 30 % of hosts one of them is a regular expression with a rewrite, as KubeSphere users write them.
fn host(n: usize, backends: &[Arc<Backend>], tries: u8) -> Host {
    let pattern = |anchor| Pattern { text: format!("/api-{n}(/|$)(.*)").into(), case: Case::Insensitive, anchor, engine: Engine::Linear };
    let regex = n % 10 < 3;
    let paths = [
        if regex { PathMatch::Regex(pattern(Anchor::Start)) } else { PathMatch::Exact("/healthz".into()) },
        PathMatch::Prefix("/static".into()),
        PathMatch::Prefix("".into()),
    ];
    let redirect = HttpsRedirect { when: RedirectWhen::HasCertificate, status: 308, trailing_slash: TrailingSlash::Strip };
    let template = vec![TemplatePart::Literal("/".into()), TemplatePart::Capture(2)];
    let object = ObjectRef::new("Ingress", "demo", format!("host-{n}"));
    let route = |(index, path): (usize, PathMatch)| Route {
        replies: None,
        source: Source { object: object.clone(), rule: format!("spec.rules[0].http.paths[{index}]").into() },
        filters: match &path {
            PathMatch::Regex(_) => {
                let rewrite = Rewrite::Regex { pattern: pattern(Anchor::None), template: template.clone() };
                vec![Filter::HttpsRedirect(redirect.clone()), Filter::Rewrite(rewrite)]
            }
            _ => vec![Filter::HttpsRedirect(redirect.clone())],
        },
        matches: vec![Match { path, ..Match::default() }],
        action: Action::Forward(Forward {
            retries: if tries == 3 { Retries::usual() } else { Retries { tries, ..Retries::default() }.into() },
            ..Forward::to(backends[n % backends.len()].clone())
        }),
    };
    Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name: HostPattern::Exact(Hostname::parse(&format!("host-{n}.demo.kubesphere.io")).expect("a good name")),
        tls: HostTls::None,
        routes: paths.into_iter().enumerate().map(route).collect(),
        on_miss: OnMiss::Stop,
        replies: Replies::default(),
    }
}

/// Processor time of this thread in nanoseconds (Linux): others on the machine do not count.
fn running() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}

/// Resident memory of this process, in octets (Linux).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

fn mib(octets: usize) -> f64 {
    octets as f64 / f64::from(1 << 20)
}
