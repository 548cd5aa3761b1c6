//! Where a request comes from, as far as proxies in front of the gateway may say so.
//!
//! **Invariant:** only what comes from an address that [`Forwarded`] names is believed, and one address is the measure of all of it: client,
//! scheme, port and host. Everybody else's word changes nothing but what backends read in `X-Original-Forwarded-For` and `-Host`.

use crate::connection::Connection;
use crate::outgoing::{Forwarding, joined};
use http1::{RequestHead, authority};
use model::{Forwarded, ForwardedFor, Scheme};
use std::net::{IpAddr, SocketAddr};

/// What a believed proxy said.
#[derive(Debug)]
pub(crate) struct Origin {
    pub client: IpAddr,
    pub scheme: Scheme,
    /// The host that the client asked for, with its port.
    pub host: Option<String>,
    pub forwarding: Forwarding,
}

impl Connection {
    /// `None`: whoever is connected is not believed, and is the client.
    pub fn origin(&self, forwarded: &Forwarded, head: &RequestHead, octets: &[u8]) -> Option<Origin> {
        let peer = self.peer.ip().to_canonical();
        if !forwarded.believes(peer) {
            return None;
        }
        let list = joined(head.fields.named(octets, &forwarded.field));
        let client = client(forwarded, peer, &list);
        let scheme = said(head, octets, "x-forwarded-proto").and_then(scheme);
        let port = said(head, octets, "x-forwarded-port").and_then(|it| it.parse().ok()).filter(|it: &u16| *it > 0);
        let host = said(head, octets, "x-forwarded-host").filter(|it| authority(it.as_bytes()).is_ok()).map(str::to_ascii_lowercase);
        let port = port.or(scheme.map(|it| match it {
            it if it == self.scheme => self.context.port,
            Scheme::Http => 80,
            Scheme::Https => 443,
        }));
        let scheme = scheme.unwrap_or(self.scheme);
        let all = (forwarded.addresses == ForwardedFor::All && !list.is_empty())
            .then(|| [&list, &b", "[..], peer.to_string().as_bytes()].concat());
        let forwarding = self.forwarding.of_client(client, all, port, word(scheme));
        Some(Origin { client, scheme, host, forwarding })
    }
}

pub(crate) fn word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn scheme(text: &str) -> Option<Scheme> {
    match text {
        it if it.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        it if it.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        _ => None,
    }
}

/// A field that is there once and says one thing: of several it is not known who said which.
fn said<'a>(head: &'a RequestHead, octets: &'a [u8], name: &str) -> Option<&'a str> {
    let mut values = head.fields.named(octets, name);
    let (first, more) = (values.next()?, values.next());
    let text = std::str::from_utf8(first).ok()?.trim();
    (more.is_none() && !text.is_empty() && !text.contains(',')).then_some(text)
}

/// From whoever is connected back along the list, as long as the one before is believed. What cannot be read ends it.
fn client(forwarded: &Forwarded, peer: IpAddr, list: &[u8]) -> IpAddr {
    let mut client = peer;
    for word in list.rsplit(|it| *it == b',') {
        let Some(said) = std::str::from_utf8(word).ok().and_then(|it| address(it.trim())) else { break };
        client = said;
        if !forwarded.believes(client) {
            break;
        }
    }
    client
}

/// With or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    read.map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_the_client_is() {
        let check = |from: &[&str], list: &str, expect: &str| {
            let from = from.iter().map(|it| it.parse().expect("a range")).collect();
            let forwarded = Forwarded { from, field: "x-forwarded-for".into(), addresses: ForwardedFor::Client };
            let peer = "10.0.0.1".parse().expect("an address");
            assert_eq!(client(&forwarded, peer, list.as_bytes()).to_string(), expect, "{list}");
        };
        let own = &["10.0.0.0/8"][..];
        check(own, "", "10.0.0.1");
        check(own, "192.0.2.1", "192.0.2.1");
        check(own, "203.0.113.9, 192.0.2.1", "192.0.2.1");
        check(own, "192.0.2.1, 10.0.0.2", "192.0.2.1");
        check(own, "10.0.0.3, 10.0.0.2", "10.0.0.3");
        check(own, "192.0.2.1:4711", "192.0.2.1");
        check(own, "[2001:db8::1]:4711", "2001:db8::1");
        check(own, "[2001:db8::1]", "2001:db8::1");
        check(own, "::ffff:192.0.2.1", "192.0.2.1");
        check(own, "192.0.2.1, unknown", "10.0.0.1");
        check(own, "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2");
        check(own, "192.0.2.1,", "10.0.0.1");
        check(&["0.0.0.0/0"], "203.0.113.9, 192.0.2.1", "203.0.113.9");
    }
}
