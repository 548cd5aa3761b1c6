//! What stands where something is not understood: it answers 503, and lets nothing by.

use super::route::{read_match, read_source};
use crate::wire::route::Route;
use model::{Action, Host, HostPattern, HostTls, Match, OnMiss, Reason, Respond, Source};
use prost::Message;

/// Everything of the host is closed: requests get 503, and a handshake is refused, since what was demanded of clients is not known.
pub fn closed_host(name: HostPattern) -> Host {
    Host { tls: HostTls::Refuse, routes: vec![closed(nowhere(), Vec::new())], on_miss: OnMiss::Stop, ..Host::new(name) }
}

/// A route in the place of one that is not understood. It matches what that one would match or more: a request that a part of a match would
/// have sent on must not reach the next route unchecked.
pub fn closed_route(octets: &[u8]) -> model::Route {
    let Ok(from) = Route::decode(octets) else { return closed(nowhere(), Vec::new()) };
    let source = from.source.map_or_else(nowhere, read_source);
    // What of a match cannot be read is left out of it, which makes it wider.
    closed(source, from.matches.into_iter().map(|it| read_match(it).0).collect())
}

fn closed(source: Source, matches: Vec<Match>) -> model::Route {
    let matches = if matches.is_empty() { vec![Match::default()] } else { matches };
    let action = Action::Respond(Respond { status: 503, reason: Reason::Closed, body: None });
    model::Route { source, replies: None, matches, filters: Vec::new(), action }
}

fn nowhere() -> Source {
    read_source(crate::wire::route::Source::default())
}
