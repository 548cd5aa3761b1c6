//! What goes over the link comes out as it went in: every host of every golden case, and one of everything.

use super::sample::{everything, kinds};
use crate::carry::{self, Known, Shared, host, read_host};
use model::{
    Binding, Collector, CollectorProtocol, Endpoint, Gateway, GatewayId, GatewayOptions, Host, Listener, ListenerProtocol, Percent,
    Replies, Scheme, SectionName, Tracing,
};
use prost::Message;
use resources::{Name, Resources, SharedGateway, load};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use testkit::golden;
use translate::Options;

/// A host's octets, and what reading them needs.
pub fn written(it: &Host) -> (Vec<u8>, Known) {
    let mut shared = Shared::default();
    let octets = host(it, &mut shared).encode_to_vec();
    (octets, known(shared))
}

fn known(shared: Shared) -> Known {
    let certificate = |octets: Vec<u8>| Arc::new(carry::read_certificate(&octets).expect("it was just written"));
    let trust = |octets: Vec<u8>| Arc::new(carry::read_trust(&octets).expect("it was just written"));
    Known {
        certificates: shared.certificates.into_iter().map(|(digest, it)| (digest, certificate(it))).collect(),
        trusts: shared.trusts.into_iter().map(|(digest, it)| (digest, trust(it))).collect(),
    }
}

fn check(it: &Host, what: &str) {
    let (octets, known) = written(it);
    let (read, unread) = read_host(&it.name, &octets, &known);
    assert_eq!(unread, [], "{what}");
    assert_eq!(read, *it, "{what}");
    assert_eq!(host(&read, &mut Shared::default()).encode_to_vec(), octets, "{what}: written as before");
}

fn options() -> Options {
    let shared = SharedGateway {
        labels: [("istio".into(), "ingressgateway".into())].into(),
        namespace: "istio-system".into(),
        services: vec![Name::new("istio-system", "istio-ingressgateway")],
        ..SharedGateway::new(GatewayId::new("default"))
    };
    Options { gateways: vec![shared], ..Options::new(GatewayId::new("default")) }
}

#[test]
fn every_golden_host_arrives_as_it_was_sent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace is two folders up");
    let (cases, errors) = golden::cases(root);
    assert_eq!(errors, Vec::<String>::new());
    let (mut hosts, mut routes) = (0, 0);
    for case in &cases {
        let loaded = load::load("in.yaml", &case.input).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.name));
        let objects: Vec<Value> = loaded.into_iter().map(|it| it.object).collect();
        for (key, shard) in translate::translate(&Resources::of(&objects), &options()).shards {
            check(&shard.host, &format!("{}: {key}", case.name));
            hosts += 1;
            routes += shard.host.routes.len();
        }
    }
    assert!(hosts > 150 && routes > 250, "{hosts} hosts with {routes} routes in {} cases", cases.len());
}

#[test]
fn one_of_everything_arrives_as_it_was_sent() {
    check(&everything("all.demo.test"), "everything");
    for it in kinds() {
        check(&it, "a kind of host");
    }
}

fn traced(sampling: Percent, scheme: Scheme, protocol: CollectorProtocol) -> GatewayOptions {
    let collector = Collector { scheme, host: "collector.test".into(), port: 4317, protocol };
    GatewayOptions { tracing: Some(Arc::new(Tracing { sampling, collector })), ..GatewayOptions::default() }
}

#[test]
fn a_gateway_and_its_endpoints_arrive_as_they_were_sent() {
    let id = GatewayId::new("demo/web");
    let listener = |name: &str, protocol, port: u16| Listener {
        name: SectionName::new(name),
        protocol,
        port,
        bindings: vec![
            Binding { address: ([0, 0, 0, 0], port).into(), https_port: Some(443) },
            Binding { address: "[fe80::1%3]:80".parse().expect("an address"), https_port: None },
        ],
    };
    let protocols = [ListenerProtocol::Http, ListenerProtocol::Https, ListenerProtocol::Tcp, ListenerProtocol::Udp];
    let listeners: Vec<Listener> = protocols.into_iter().zip(1_u16..).map(|(it, port)| listener(&format!("l{port}"), it, port)).collect();
    let certificate = super::sample::certificate(b"key");
    let kinds = [
        (None, GatewayOptions::default()),
        (Some(certificate), super::sample::options()),
        (None, traced(Percent(1), Scheme::Http, CollectorProtocol::Grpc)),
        (None, traced(Percent::ALL, Scheme::Https, CollectorProtocol::Http("/v1/traces".into()))),
    ];
    for (default_certificate, options) in kinds {
        let (listeners, options) = (listeners.clone(), Arc::new(options));
        let gateway = Gateway { id: id.clone(), listeners, default_certificate, replies: Replies::default(), options };
        let mut shared = Shared::default();
        let octets = carry::gateway(&gateway, &mut shared).encode_to_vec();
        let (read, unread) = carry::read_gateway(&id, &octets, &known(shared)).expect("it was just written");
        assert_eq!((read, unread), (gateway, Vec::new()));
    }
    let all: Vec<Endpoint> = ["10.0.0.1:80", "[2001:db8::1]:8080"].map(|it| Endpoint { address: it.parse().expect("an address") }).into();
    let octets = carry::endpoints(&all).encode_to_vec();
    assert_eq!(*carry::read_endpoints(&octets).expect("they were just written"), *all);
}

/// Whatever octets come: nothing panics, and what counts as understood is a host that can be sent on as it was read.
#[test]
fn spoiled_octets_close_or_are_a_host() {
    let it = everything("all.demo.test");
    let (octets, known) = written(&it);
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut closed, mut whole) = (0, 0);
    for _ in 0..1_500 {
        let mut spoiled = octets.clone();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..spoiled.len());
            match rng.u8(..3) {
                0 => spoiled[at] = rng.u8(..),
                1 => spoiled.truncate(at.max(1)),
                _ => spoiled.insert(at, rng.u8(..)),
            }
        }
        let (read, unread) = read_host(&it.name, &spoiled, &known);
        if unread.is_empty() {
            check(&read, "what was understood");
            whole += 1;
        } else {
            closed += 1;
        }
    }
    assert!(closed > 300 && whole > 10, "{closed} closed, {whole} understood");
}
