//! Another version at the other end: what it alone knows closes, and is named.

use super::goldens::written;
use super::sample::{backend, certificate, everything, name};
use crate::carry::{self, Known, read_host};
use crate::wire::gateway;
use crate::wire::host::Host as OnTheWire;
use crate::wire::route::{Filter, Match, PathMatch, Route as RouteOnTheWire};
use model::{Action, Forward, GatewayId, Host, HostTls, Match as Matches, ObjectRef, PathMatch as Path, Reason, Route, Source};
use prost::Message;

/// Field 99, a number: no version has it yet.
const NEW: [u8; 3] = [0x98, 0x06, 0x01];

fn host() -> Host {
    let route = |path: &str| Route {
        source: Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: path.into() },
        replies: None,
        matches: vec![Matches { path: Path::Prefix(path.into()), method: Some("GET".into()), ..Matches::default() }],
        filters: Vec::new(),
        action: Action::Forward(Forward::to(backend("demo/web:80"))),
    };
    Host { tls: HostTls::Certificate(certificate(b"key")), routes: vec![route("/a"), route("/b")], ..Host::new(name("a.test")) }
}

/// What a newer control would send, made of what this one does: `change` has the host's first route.
fn newer(change: impl FnOnce(&mut RouteOnTheWire) -> Vec<u8>) -> (Vec<u8>, Known) {
    let (octets, known) = written(&host());
    let mut on_wire = OnTheWire::decode(octets.as_slice()).expect("it was just written");
    let mut route = RouteOnTheWire::decode(on_wire.routes[0].as_slice()).expect("it was just written");
    on_wire.routes[0] = change(&mut route);
    (on_wire.encode_to_vec(), known)
}

fn is_closed(route: &Route) -> bool {
    matches!(&route.action, Action::Respond(it) if it.status == 503 && it.reason == Reason::Closed) && route.filters.is_empty()
}

/// The first route is closed and named by these words, and the second is as it was.
fn check((octets, known): (Vec<u8>, Known), words: &str) -> Route {
    let (read, unread) = read_host(&host().name, &octets, &known);
    let said: Vec<(usize, String)> = unread.iter().map(|(index, why)| (*index, why.to_string())).collect();
    assert!(matches!(said.as_slice(), [(0, why)] if why.contains(words)), "{said:?} is to say {words:?}");
    assert!(is_closed(&read.routes[0]), "{:?}", read.routes[0]);
    assert_eq!(read.routes[1], host().routes[1]);
    assert_eq!(read.tls, host().tls);
    read.routes[0].clone()
}

#[test]
fn a_filter_that_is_not_known_closes_its_route_and_is_named() {
    let route = check(
        newer(|route| {
            route.filters.push(Filter { name: "rate-limit".into(), kind: None });
            route.encode_to_vec()
        }),
        "`rate-limit`",
    );
    assert_eq!(route.matches, host().routes[0].matches, "it is closed where it would have matched, and nowhere else");
    assert_eq!(route.source, host().routes[0].source);
}

#[test]
fn a_new_field_closes_the_route_that_uses_it() {
    check(newer(|route| [route.encode_to_vec(), NEW.to_vec()].concat()), "does not know");
}

#[test]
fn a_new_kind_of_match_closes_all_that_it_could_have_matched() {
    let route = check(
        newer(|route| {
            route.matches = vec![Match { path: Some(PathMatch { kind: 77, ..PathMatch::default() }), ..route.matches[0].clone() }];
            route.encode_to_vec()
        }),
        "a path to match",
    );
    assert_eq!(route.matches, [Matches { path: Path::Any, method: Some("GET".into()), ..Matches::default() }]);
}

#[test]
fn a_new_action_closes_its_route() {
    check(
        newer(|route| {
            route.action = None;
            // Field 90, empty: an action of another kind.
            [route.encode_to_vec(), vec![0xd2, 0x05, 0x00]].concat()
        }),
        "the route",
    );
}

#[test]
fn octets_that_are_no_route_close_everything_behind_it() {
    let route = check(newer(|_| vec![0xff; 9]), "cannot be read");
    assert_eq!(route.matches, [Matches::default()]);
}

#[test]
fn a_host_that_is_not_understood_is_closed_and_shows_no_certificate() {
    let (octets, known) = written(&everything("a.test"));
    let refused = |octets: &[u8], known: &Known| {
        let (read, unread) = read_host(&name("a.test"), octets, known);
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert_eq!(read.tls, HostTls::Refuse);
        assert!(read.tunnel.is_none() && read.datagrams.is_none());
        assert!(matches!(read.routes.as_slice(), [route] if is_closed(route) && route.matches == [Matches::default()]));
    };
    refused(&[octets.as_slice(), &NEW].concat(), &known);
    refused(&[0xff; 4], &known);
    refused(&[], &known);
    // Its certificate is not there.
    refused(&octets, &Known::default());
    let on_wire = |change: fn(&mut OnTheWire)| {
        let mut on_wire = OnTheWire::decode(octets.as_slice()).expect("it was just written");
        change(&mut on_wire);
        on_wire.encode_to_vec()
    };
    refused(&on_wire(|it| it.tls.as_mut().expect("it is there").kind = 9), &known);
    refused(&on_wire(|it| it.tls_policy.as_mut().expect("it is there").client = 9), &known);
    refused(&on_wire(|it| it.tls_policy = None), &known);
    // The name of another host.
    refused(&written(&everything("b.test")).0, &known);
}

#[test]
fn a_listener_that_is_not_understood_costs_itself() {
    let (id, listener) = (GatewayId::new("demo/web"), |name: &str, protocol| gateway::Listener {
        name: name.into(),
        protocol,
        port: 80,
        bindings: Vec::new(),
    });
    let listeners = vec![
        listener("old", 1).encode_to_vec(),
        listener("quic", 44).encode_to_vec(),
        [listener("new", 1).encode_to_vec(), NEW.to_vec()].concat(),
    ];
    let replies = crate::wire::host::Replies { body: 1, server: 1, server_value: String::new() };
    let octets = gateway::Gateway { listeners, default_certificate: Vec::new(), replies: Some(replies), options: None }.encode_to_vec();
    let (read, unread) = carry::read_gateway(&id, &octets, &Known::default()).expect("the rest is understood");
    assert_eq!(read.listeners.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["old"]);
    assert_eq!(unread.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["quic", "new"]);
}

/// The other direction: what was written before a field came reads as it always did, since what nobody uses is not in the octets.
#[test]
fn what_is_not_used_is_not_sent() {
    let (octets, _) = written(&Host::new(name("a.test")));
    assert!(octets.len() < 40, "{} octets for a host without anything", octets.len());
}
