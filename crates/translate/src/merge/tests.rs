use super::*;
use model::{Action, ClientTrust, HostPattern, PathMatch, Reason, ReplyBody, Respond, ServerHeader, Tunnel};
use resources::Kind;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const DAY: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];

fn source(kind: Kind, name: &str) -> Source {
    Source { object: kind.object_ref(&resources::Name::new("demo", name)), rule: "spec.rules[0]".into() }
}

fn route(source: Source, path: &str) -> Route {
    Route {
        source,
        replies: None,
        matches: vec![Match { path: PathMatch::Prefix(path.into()), ..Match::default() }],
        filters: Vec::new(),
        action: Action::Respond(Respond { status: 200, reason: Reason::Respond, body: None }),
    }
}

fn istio() -> Replies {
    Replies { body: ReplyBody::Empty, server: ServerHeader::Set("istio-envoy".into()) }
}

/// An Ingress as old as `ingress` says, and a VirtualService likewise.
fn ages(ingress: usize, service: usize) -> Resources {
    let object = |version: &str, kind: &str, day: usize| json!({ "apiVersion": version, "kind": kind, "metadata": { "namespace": "demo", "name": "web", "creationTimestamp": DAY[day] } });
    Resources::of(&[object("networking.k8s.io/v1", "Ingress", ingress), object("networking.istio.io/v1", "VirtualService", service)])
}

fn filled(frontend: Frontend, paths: &[&str]) -> Filled {
    let (kind, replies) = match frontend {
        Frontend::Istio => (Kind::VirtualService, istio()),
        _ => (Kind::Ingress, Replies::default()),
    };
    let routes = paths.iter().map(|path| route(source(kind, "web"), path)).collect();
    Filled { frontend, host: Host { routes, replies, ..Host::new(HostPattern::Any) } }
}

fn tunnel() -> Filled {
    let tunnel = Tunnel {
        source: source(Kind::VirtualService, "web"),
        backends: Vec::new(),
        connect: Duration::ZERO,
        idle: Duration::ZERO,
        clients: None,
    };
    Filled { frontend: Frontend::Istio, host: Host { tunnel: Some(tunnel), ..Host::new(HostPattern::Any) } }
}

/// What each route matches and whose it is, and who was told.
fn merged(resources: &Resources, filled: Vec<Filled>, protocol: Option<ListenerProtocol>) -> (Host, Vec<String>, Vec<String>) {
    let (host, reports) = merge(resources, &HostPattern::Any, filled, || protocol);
    let shown = |route: &Route| format!("{} {:?}", route.source.object.kind, route.matches[0].path);
    let routes = host.routes.iter().map(shown).collect();
    (host, routes, reports.iter().map(|report| report.object.to_string()).collect())
}

#[test]
fn routes_come_one_after_another_each_with_its_own_look() {
    let (host, routes, told) = merged(&ages(0, 0), vec![filled(Frontend::Istio, &["/b", "/a"]), filled(Frontend::Ingress, &["/c"])], None);
    let expect = ["VirtualService Prefix(\"/b\")", "VirtualService Prefix(\"/a\")", "Ingress Prefix(\"/c\")"];
    assert_eq!((routes.as_slice(), told.as_slice()), (&expect.map(str::to_owned)[..], &[][..]));
    assert_eq!(host.replies, istio(), "what matches nothing looks as the first one's");
    let looks: Vec<_> = host.routes.iter().map(|route| route.replies.clone()).collect();
    assert_eq!(looks, [None, None, Some(Replies::default())]);
}

#[test]
fn of_two_with_one_match_the_older_keeps_it_whatever_the_order() {
    for (ingress, service, owner, told) in [(0, 1, "Ingress", "VirtualService demo/web"), (1, 0, "VirtualService", "Ingress demo/web")] {
        for order in [[Frontend::Istio, Frontend::Ingress], [Frontend::Ingress, Frontend::Istio]] {
            let parts = order.map(|frontend| filled(frontend, &["/same"])).into();
            let (_, routes, said) = merged(&ages(ingress, service), parts, None);
            assert_eq!(routes, [format!("{owner} Prefix(\"/same\")")], "{order:?}");
            assert_eq!(said, [told], "{order:?}");
        }
    }
}

#[test]
fn the_404_of_a_host_is_nobody_s_match_and_comes_last() {
    for order in [[Frontend::Ingress, Frontend::Istio], [Frontend::Istio, Frontend::Ingress]] {
        let mut parts = order.map(|frontend| filled(frontend, if frontend == Frontend::Istio { &["/"] } else { &["/a", "/"] }));
        for route in parts.iter_mut().filter(|it| it.frontend == Frontend::Ingress).flat_map(|it| it.host.routes.iter_mut().skip(1)) {
            route.action = Action::Respond(Respond { status: 404, reason: Reason::NoRoute, body: None });
        }
        let (_, routes, told) = merged(&ages(0, 1), parts.into(), None);
        assert_eq!(routes.last().map(String::as_str), Some("Ingress Prefix(\"/\")"), "{order:?}");
        assert_eq!((routes.len(), told.len()), (3, 0), "{order:?}");
    }
}

#[test]
fn a_port_s_protocol_decides_between_http_and_a_tunnel_else_age() {
    for (protocol, service, expect_tunnel) in [
        (Some(ListenerProtocol::Http), 0, false),
        (Some(ListenerProtocol::Tcp), 2, true),
        (Some(ListenerProtocol::Https), 0, true),
        (None, 2, false),
    ] {
        let (host, routes, told) = merged(&ages(1, service), vec![tunnel(), filled(Frontend::Ingress, &["/"])], protocol);
        assert_eq!((host.tunnel.is_some(), routes.is_empty()), (expect_tunnel, expect_tunnel), "{protocol:?}");
        assert_eq!(told, [if expect_tunnel { "Ingress demo/web" } else { "VirtualService demo/web" }], "{protocol:?}");
    }
}

#[test]
fn what_one_demands_of_clients_the_other_does_not_give_away() {
    let (mut one, other) = (filled(Frontend::Istio, &["/a"]), filled(Frontend::Ingress, &["/b"]));
    one.host.tls_policy.client = ClientAuth::Unverified;
    one.host.on_miss = OnMiss::Wider;
    let (host, ..) = merged(&ages(0, 0), vec![other, one], None);
    assert_eq!((host.tls_policy.client, host.on_miss), (ClientAuth::Unverified, OnMiss::Stop));
}

fn required(authority: u8) -> ClientAuth {
    let authorities = vec![vec![authority]];
    ClientAuth::Required(Arc::new(ClientTrust {
        origin: "x".into(),
        authorities,
        revoked: Vec::new(),
        names: Vec::new(),
        pins: Vec::new(),
    }))
}

fn certificate() -> HostTls {
    let key = model::Sealed::new(Vec::new());
    HostTls::Certificate(Arc::new(model::Certificate { origin: "x".into(), chain: Vec::new(), key, names: Vec::new() }))
}

#[test]
fn under_the_handshake_of_another_nothing_is_served_of_what_cannot_have_its_own() {
    for (client, refuses, expect) in [(ClientAuth::None, false, "Ingress"), (ClientAuth::Unverified, true, "VirtualService")] {
        for order in [[0, 1], [1, 0]] {
            let (mut broken, mut good) = (filled(Frontend::Istio, &["/a"]), filled(Frontend::Ingress, &["/b"]));
            (broken.host.tls, broken.host.tls_policy.client) = (HostTls::Refuse, client.clone());
            good.host.tls = certificate();
            let mut parts = [Some(broken), Some(good)];
            let parts = order.iter().filter_map(|index| parts[*index].take()).collect();
            let (host, routes, told) = merged(&ages(0, 1), parts, None);
            assert_eq!((host.tls == HostTls::Refuse, told.contains(&"Ingress demo/web".to_owned())), (refuses, refuses), "{client:?}");
            assert!(refuses || routes.iter().all(|it| it.starts_with(expect)), "{client:?} {routes:?}");
        }
    }
}

#[test]
fn of_two_that_trust_other_clients_the_younger_has_nothing() {
    for (ingress, service, owner, trusted) in [(0, 1, "Ingress", 1), (1, 0, "VirtualService", 2)] {
        let (mut one, mut other) = (filled(Frontend::Ingress, &["/a"]), filled(Frontend::Istio, &["/b"]));
        (one.host.tls_policy.client, other.host.tls_policy.client) = (required(1), required(2));
        for parts in [[&one, &other], [&other, &one]] {
            let parts = parts.map(|it| Filled { frontend: it.frontend, host: it.host.clone() }).into();
            let (host, routes, told) = merged(&ages(ingress, service), parts, None);
            assert_eq!(host.tls_policy.client, required(trusted));
            assert!(routes.iter().all(|it| it.starts_with(owner)), "{routes:?}");
            assert_eq!((routes.len(), told.len()), (1, 1));
        }
    }
}
