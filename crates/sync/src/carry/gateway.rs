//! Listeners, endpoints, certificates and whom to trust.

use super::host::{read_replies, replies};
use super::options::{options, read_options};
use super::{Known, Shared, needed, number, strings, texts};
use crate::wire::gateway::{Address, Binding, Certificate, Endpoint, Endpoints, Gateway, Listener, Network, Pin, Settings, Trust};
use crate::wire::word::Word;
use crate::wire::{Unread, wholly};
use ipnet::IpNet;
use model::{GatewayId, ListenerProtocol, Sealed, SectionName};
use prost::Message;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

// === addresses ===

pub fn address(it: SocketAddr) -> Address {
    let scope = match it {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    };
    Address { ip: octets(it.ip()), port: it.port().into(), scope }
}

pub fn read_address(from: &Address) -> Result<SocketAddr, Unread> {
    let mut read = SocketAddr::new(read_ip(&from.ip)?, number("an address", from.port)?);
    if let SocketAddr::V6(v6) = &mut read {
        v6.set_scope_id(from.scope);
    }
    Ok(read)
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(it) => it.octets().to_vec(),
        IpAddr::V6(it) => it.octets().to_vec(),
    }
}

fn read_ip(octets: &[u8]) -> Result<IpAddr, Unread> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Ok(octets.into());
    }
    <[u8; 16]>::try_from(octets).map(IpAddr::from).map_err(|_| Unread::unknown("an address"))
}

pub(super) fn network(it: &IpNet) -> Network {
    Network { ip: octets(it.addr()), prefix: it.prefix_len().into() }
}

pub(super) fn read_network(from: &Network) -> Result<IpNet, Unread> {
    let prefix = number("a range of addresses", from.prefix)?;
    IpNet::new(read_ip(&from.ip)?, prefix).map_err(|_| Unread::unknown("a range of addresses"))
}

// === endpoints, settings ===

pub fn endpoints(all: &[model::Endpoint]) -> Endpoints {
    let endpoint = |it: &model::Endpoint| {
        let model::Endpoint { address: at } = it;
        Endpoint { address: Some(address(*at)) }
    };
    Endpoints { endpoints: all.iter().map(endpoint).collect() }
}

/// All of them or none: half of a backend's endpoints would get all of its requests.
pub fn read_endpoints(octets: &[u8]) -> Result<Arc<[model::Endpoint]>, Unread> {
    let from: Endpoints = wholly("a backend's endpoints", octets)?;
    let endpoint = |it: Endpoint| Ok(model::Endpoint { address: read_address(&needed("an endpoint's address", it.address)?)? });
    from.endpoints.into_iter().map(endpoint).collect()
}

pub fn settings(refused: &[SocketAddr]) -> Settings {
    Settings { refused: refused.iter().map(|it| address(*it)).collect() }
}

// === the gateway ===

pub fn gateway(it: &model::Gateway, shared: &mut Shared) -> Gateway {
    // Who it is goes without saying.
    let model::Gateway { id: _, listeners, default_certificate, replies: local, options: all } = it;
    Gateway {
        listeners: listeners.iter().map(|it| listener(it).encode_to_vec()).collect(),
        default_certificate: default_certificate.as_ref().map(|it| shared.certificate(it)).unwrap_or_default(),
        replies: Some(replies(local)),
        options: options(all),
    }
}

/// The gateway, and the listeners that are not understood: those are left closed, each with why.
pub fn read_gateway(id: &GatewayId, octets: &[u8], known: &Known) -> Result<(model::Gateway, Vec<(SectionName, Unread)>), Unread> {
    let from: Gateway = wholly("the gateway", octets)?;
    let (mut listeners, mut unread) = (Vec::new(), Vec::new());
    for octets in &from.listeners {
        match read_listener(octets) {
            Ok(listener) => listeners.push(listener),
            Err(why) => unread.push((name(octets), why)),
        }
    }
    let default_certificate = match from.default_certificate.as_slice() {
        [] => None,
        digest => Some(known.certificate(digest)?),
    };
    let replies = read_replies(needed("the look of replies", from.replies)?)?;
    let options = from.options.map(read_options).transpose()?.unwrap_or_default();
    Ok((model::Gateway { id: id.clone(), listeners, default_certificate, replies, options: Arc::new(options) }, unread))
}

/// What a listener is called that is not understood, as far as it can be read.
fn name(octets: &[u8]) -> SectionName {
    SectionName::new(Listener::decode(octets).map(|it| it.name).unwrap_or_default())
}

fn listener(it: &model::Listener) -> Listener {
    let model::Listener { name, protocol, port, bindings } = it;
    let binding = |it: &model::Binding| {
        let model::Binding { address: at, https_port } = it;
        Binding { address: Some(address(*at)), https_port: https_port.map(u32::from) }
    };
    Listener { name: name.to_string(), protocol: protocol.number(), port: (*port).into(), bindings: bindings.iter().map(binding).collect() }
}

fn read_listener(octets: &[u8]) -> Result<model::Listener, Unread> {
    let from: Listener = wholly("a listener", octets)?;
    let binding = |it: &Binding| {
        let https_port = it.https_port.map(|it| number("a listener", it)).transpose()?;
        Ok(model::Binding { address: read_address(&needed("a listener's address", it.address.clone())?)?, https_port })
    };
    Ok(model::Listener {
        name: SectionName::new(from.name),
        protocol: ListenerProtocol::read(from.protocol)?,
        port: number("a listener", from.port)?,
        bindings: from.bindings.iter().map(binding).collect::<Result<_, Unread>>()?,
    })
}

// === certificates ===

pub fn certificate(it: &model::Certificate) -> Certificate {
    let model::Certificate { origin, chain, key, names } = it;
    Certificate { origin: origin.to_string(), chain: chain.clone(), key: key.open().clone(), names: strings(names) }
}

pub fn read_certificate(octets: &[u8]) -> Result<model::Certificate, Unread> {
    let from: Certificate = wholly("a certificate", octets)?;
    Ok(model::Certificate { origin: from.origin.into(), chain: from.chain, key: Sealed::new(from.key), names: texts(from.names) })
}

pub fn trust(it: &model::ClientTrust) -> Trust {
    let model::ClientTrust { origin, authorities, revoked, names, pins } = it;
    let pin = |it: &model::Pin| match it {
        model::Pin::PublicKey(digest) => Pin { of: 1, digest: digest.to_vec() },
        model::Pin::Certificate(digest) => Pin { of: 2, digest: digest.to_vec() },
    };
    Trust {
        origin: origin.to_string(),
        authorities: authorities.clone(),
        revoked: revoked.clone(),
        names: strings(names),
        pins: pins.iter().map(pin).collect(),
    }
}

pub fn read_trust(octets: &[u8]) -> Result<model::ClientTrust, Unread> {
    let from: Trust = wholly("whom to trust", octets)?;
    let pin = |it: &Pin| {
        let digest = <[u8; 32]>::try_from(it.digest.as_slice()).map_err(|_| Unread::unknown("a pin"))?;
        match it.of {
            1 => Ok(model::Pin::PublicKey(digest)),
            2 => Ok(model::Pin::Certificate(digest)),
            _ => Err(Unread::unknown("a pin")),
        }
    };
    Ok(model::ClientTrust {
        origin: from.origin.into(),
        authorities: from.authorities,
        revoked: from.revoked,
        names: texts(from.names),
        pins: from.pins.iter().map(pin).collect::<Result<_, Unread>>()?,
    })
}
