//! TLSRoute: where connections of a TLS listener go, by server name.

use super::super::shape::{Shape, list, object};
use super::super::{Column, Definition};
use super::tcp_route::rules;
use super::{hostname, parents, route_status, top};

pub(super) fn definition() -> Definition {
    let schema = |spec| top("Where connections of a TLS listener go, by server name.", spec, route_status());
    let names = || list(hostname()).items(0, 1024).about("Server names of the handshake.");
    let today = names().items(1, 1024).rule("self.all(h, !isIP(h))", "a server name is no address");
    let today = spec(today, 1).required(["hostnames", "rules"]);
    let before = spec(names(), 16).required(["rules"]);
    let versions = vec![("v1", schema(today.clone())), ("v1alpha3", schema(today)), ("v1alpha2", schema(before))];
    let mut definition = super::definition("TLSRoute", "tlsroutes", vec![Column::age()], versions);
    super::deprecate(&mut definition);
    definition
}

fn spec(hostnames: Shape, most_rules: u64) -> Shape {
    object([("parentRefs", parents()), ("hostnames", hostnames), ("rules", rules(most_rules))])
}
