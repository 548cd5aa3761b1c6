//! One host.

use super::closed::{closed_host, closed_route};
use super::gateway::{network, read_network};
use super::route::{read_route, read_source, read_weighted, route, source, weighted};
use super::{Backends, Known, Shared, nanoseconds, needed};
use crate::wire::host::{Host, HostPattern, HostTls, Networks, Replies, TlsPolicy, Tunnel};
use crate::wire::word::Word;
use crate::wire::{Unread, wholly};
use model::{Hostname, ServerHeader};
use prost::Message;
use std::time::Duration;

/// Writes a host. What it shares with others goes to `shared`.
pub fn host(it: &model::Host, shared: &mut Shared) -> Host {
    let model::Host { name, tls, tls_policy, tunnel: stream, datagrams, routes, on_miss, replies: local } = it;
    Host {
        name: Some(pattern(name)),
        tls: Some(host_tls(tls, shared)),
        tls_policy: Some(policy(tls_policy, shared)),
        tunnel: stream.as_ref().map(tunnel),
        datagrams: datagrams.as_ref().map(tunnel),
        routes: routes.iter().map(|it| route(it).encode_to_vec()).collect(),
        on_miss: on_miss.number(),
        replies: Some(replies(local)),
    }
}

/// A host as it is to be served, and what of it cannot be: route and why. Those routes are closed; where the host as such is not understood,
/// all of it is.
pub fn read_host(name: &model::HostPattern, octets: &[u8], known: &Known) -> (model::Host, Vec<(usize, Unread)>) {
    match read_frame(name, octets, known) {
        Ok(read) => read,
        Err(why) => (closed_host(name.clone()), vec![(0, why)]),
    }
}

fn read_frame(name: &model::HostPattern, octets: &[u8], known: &Known) -> Result<(model::Host, Vec<(usize, Unread)>), Unread> {
    let from: Host = wholly("the host", octets)?;
    if read_pattern(&needed("the host's name", from.name)?)? != *name {
        return Err(Unread("the host has another name than its shard".into()));
    }
    let (mut backends, mut unread) = (Backends::default(), Vec::new());
    let mut routes = Vec::with_capacity(from.routes.len());
    for (index, octets) in from.routes.iter().enumerate() {
        routes.push(read_route(octets, &mut backends).unwrap_or_else(|why| {
            unread.push((index, why));
            closed_route(octets)
        }));
    }
    let host = model::Host {
        name: name.clone(),
        tls: read_host_tls(&needed("the host's TLS", from.tls)?, known)?,
        tls_policy: read_policy(&needed("the host's TLS policy", from.tls_policy)?, known)?,
        tunnel: from.tunnel.map(|it| read_tunnel(it, &mut backends)).transpose()?,
        datagrams: from.datagrams.map(|it| read_tunnel(it, &mut backends)).transpose()?,
        routes,
        on_miss: model::OnMiss::read(from.on_miss)?,
        replies: read_replies(needed("the look of replies", from.replies)?)?,
    };
    Ok((host, unread))
}

// === names ===

pub fn pattern(it: &model::HostPattern) -> HostPattern {
    let (kind, name) = match it {
        model::HostPattern::Exact(name) => (1, name.as_str()),
        model::HostPattern::OneLabel(name) => (2, name.as_str()),
        model::HostPattern::AnyDepth(name) => (3, name.as_str()),
        model::HostPattern::Any => (4, ""),
    };
    HostPattern { kind, name: name.to_owned() }
}

pub fn read_pattern(from: &HostPattern) -> Result<model::HostPattern, Unread> {
    let name = || Hostname::parse(&from.name).map_err(|error| Unread(format!("a host's name: {error}")));
    match from.kind {
        1 => name().map(model::HostPattern::Exact),
        2 => name().map(model::HostPattern::OneLabel),
        3 => name().map(model::HostPattern::AnyDepth),
        4 => Ok(model::HostPattern::Any),
        _ => Err(Unread::unknown("a host's name")),
    }
}

// === TLS ===

fn host_tls(it: &model::HostTls, shared: &mut Shared) -> HostTls {
    let (kind, certificate) = match it {
        model::HostTls::None => (1, Vec::new()),
        model::HostTls::Default => (2, Vec::new()),
        model::HostTls::Certificate(certificate) => (3, shared.certificate(certificate)),
        model::HostTls::Passthrough => (4, Vec::new()),
        model::HostTls::Refuse => (5, Vec::new()),
    };
    HostTls { kind, certificate }
}

fn read_host_tls(from: &HostTls, known: &Known) -> Result<model::HostTls, Unread> {
    match from.kind {
        1 => Ok(model::HostTls::None),
        2 => Ok(model::HostTls::Default),
        3 => known.certificate(&from.certificate).map(model::HostTls::Certificate),
        4 => Ok(model::HostTls::Passthrough),
        5 => Ok(model::HostTls::Refuse),
        _ => Err(Unread::unknown("the host's TLS")),
    }
}

fn policy(it: &model::TlsPolicy, shared: &mut Shared) -> TlsPolicy {
    let model::TlsPolicy { client, versions } = it;
    let (client, trust) = match client {
        model::ClientAuth::None => (1, Vec::new()),
        model::ClientAuth::Optional(trust) => (2, shared.trust(trust)),
        model::ClientAuth::Required(trust) => (3, shared.trust(trust)),
        model::ClientAuth::Unverified => (4, Vec::new()),
    };
    TlsPolicy { client, trust, versions: versions.number() }
}

fn read_policy(from: &TlsPolicy, known: &Known) -> Result<model::TlsPolicy, Unread> {
    let client = match from.client {
        1 => model::ClientAuth::None,
        2 => model::ClientAuth::Optional(known.trust(&from.trust)?),
        3 => model::ClientAuth::Required(known.trust(&from.trust)?),
        4 => model::ClientAuth::Unverified,
        _ => return Err(Unread::unknown("a demand of client certificates")),
    };
    Ok(model::TlsPolicy { client, versions: model::TlsVersions::read(from.versions)? })
}

// === replies ===

pub(super) fn replies(it: &model::Replies) -> Replies {
    let model::Replies { body, server } = it;
    let (server, server_value) = match server {
        ServerHeader::Remove => (1, String::new()),
        ServerHeader::Keep => (2, String::new()),
        ServerHeader::Set(value) => (3, value.to_string()),
    };
    Replies { body: body.number(), server, server_value }
}

pub(super) fn read_replies(from: Replies) -> Result<model::Replies, Unread> {
    let server = match from.server {
        1 => ServerHeader::Remove,
        2 => ServerHeader::Keep,
        3 => ServerHeader::Set(from.server_value.into()),
        _ => return Err(Unread::unknown("a server header")),
    };
    Ok(model::Replies { body: model::ReplyBody::read(from.body)?, server })
}

// === tunnels ===

fn tunnel(it: &model::Tunnel) -> Tunnel {
    let model::Tunnel { source: from, backends, connect, idle, clients } = it;
    Tunnel {
        source: Some(source(from)),
        backends: backends.iter().map(weighted).collect(),
        connect: nanoseconds(*connect),
        idle: nanoseconds(*idle),
        clients: clients.as_ref().map(|all| Networks { all: all.iter().map(network).collect() }),
    }
}

fn read_tunnel(from: Tunnel, backends: &mut Backends) -> Result<model::Tunnel, Unread> {
    Ok(model::Tunnel {
        source: read_source(needed("a tunnel's source", from.source)?),
        backends: from.backends.into_iter().map(|it| read_weighted(it, backends)).collect::<Result<_, _>>()?,
        connect: Duration::from_nanos(from.connect),
        idle: Duration::from_nanos(from.idle),
        clients: from.clients.map(|it| it.all.iter().map(read_network).collect::<Result<_, _>>()).transpose()?,
    })
}
