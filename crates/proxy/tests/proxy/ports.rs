//! Hosts of one port of a gateway, beside those of all.

use crate::support::{HOST, bound, gateway, host, id, loopback, reason, shard};
use model::{Action, Host, HostPattern, Listener, ListenerProtocol, Reason, Respond, SectionName, ShardKey, Update};
use proxy::Options;
use std::num::NonZeroUsize;
use std::sync::Arc;
use testkit::client::Connection;

fn says(text: &str) -> Host {
    host(Action::Respond(Respond { status: 200, reason: Reason::Respond, body: Some(text.into()) }), Vec::new())
}

#[test]
fn a_port_asks_its_own_hosts_first() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let dataplane = proxy::start(Options { workers: NonZeroUsize::new(1), ..Options::default() }).expect("it starts");
    let mut gateway = gateway(ListenerProtocol::Http, &[loopback()]);
    let more = Listener { name: SectionName::new("more"), port: 8080, ..gateway.listeners[0].clone() };
    gateway.listeners.push(more);
    let on = |port, host: Host| {
        let (key, shard) = shard(host);
        (ShardKey { port, ..key }, shard)
    };
    let update = Update {
        gateways: vec![(id(), Some(Arc::new(gateway)))],
        shards: vec![on(None, says("common")), on(Some(8080), says("own"))],
        ..Update::default()
    };
    let addresses = bound(&runtime.block_on(dataplane.apply(update)));
    let said = || addresses.iter().map(|&address| Connection::open(address).get(HOST, "/").text()).collect::<Vec<_>>();
    assert_eq!(said(), ["common", "own"]);
    let gone = ShardKey { gateway: id(), port: None, host: HostPattern::Any };
    runtime.block_on(dataplane.apply(Update { shards: vec![(gone, None)], ..Update::default() }));
    let response = Connection::open(addresses[0]).get(HOST, "/");
    assert_eq!((response.status, reason(&response)), (404, "no-route"));
    assert_eq!(Connection::open(addresses[1]).get(HOST, "/").text(), "own");
}
