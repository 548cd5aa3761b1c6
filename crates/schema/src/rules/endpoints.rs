//! Endpoints and EndpointSlice.
//!
//! Kubernetes refuses loopback addresses because an endpoint is reached from another machine. Ours may be on this one, so 127.0.0.0/8 and
//! ::1 are accepted; link-local, where clouds keep their metadata services, stays refused.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::Value;

use super::service::{check_app_protocol, check_protocol};
use super::{given, immutable, list, number, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const MOST_ENDPOINTS: usize = 1000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 20000;
const ADDRESS_TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];

pub(super) fn check_slice(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let kind = text(new, "addressType");
    let path = Path::new("addressType");
    match kind {
        "" => found.push(path.required("")),
        known if ADDRESS_TYPES.contains(&known) => {}
        other => found.push(path.not_supported(other, &ADDRESS_TYPES)),
    }
    if let Some(old) = old {
        immutable(found, &path, new.get("addressType"), old.get("addressType"));
    }
    check_slice_ports(list(new, "ports"), &Path::new("ports"), found);
    let path = Path::new("endpoints");
    let endpoints = list(new, "endpoints");
    if endpoints.len() > MOST_ENDPOINTS {
        found.push(path.too_many(endpoints.len(), MOST_ENDPOINTS));
    } else {
        for (index, endpoint) in endpoints.iter().enumerate() {
            check_endpoint(kind, endpoint, &path.index(index), found);
        }
    }
}

fn check_endpoint(kind: &str, endpoint: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let addresses = list(endpoint, "addresses");
    let list_at = path.child("addresses");
    if addresses.is_empty() {
        found.push(list_at.required("must contain at least 1 address"));
    } else if addresses.len() > MOST_ADDRESSES {
        found.push(list_at.too_many(addresses.len(), MOST_ADDRESSES));
    }
    for (index, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
        let at = list_at.index(index);
        match (kind, address.parse::<IpAddr>()) {
            ("IPv4", Ok(IpAddr::V6(_))) => found.push(list_at.invalid(address, "must be an IPv4 address")),
            ("IPv6", Ok(IpAddr::V4(_))) => found.push(list_at.invalid(address, "must be an IPv6 address")),
            ("IPv4" | "IPv6", _) => check_address(address, &at, found),
            ("FQDN", _) => check_full_name(address, &at, found),
            _ => {}
        }
    }
    check_node(endpoint, path, found);
    if let Some(hostname) = given(endpoint, "hostname").and_then(Value::as_str) {
        say(found, &path.child("hostname"), hostname, name::dns_label(hostname));
    }
}

fn check_node(endpoint: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    if let Some(node) = given(endpoint, "nodeName").and_then(Value::as_str) {
        say(found, &path.child("nodeName"), node, name::dns_subdomain(node));
    }
}

fn check_full_name(text: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let complete = text.strip_suffix('.').unwrap_or(text);
    let wrong = name::dns_subdomain(complete);
    if text.is_empty() {
        found.push(path.required(""));
    } else if !wrong.is_empty() {
        found.push(path.invalid(complete, wrong.join(",")));
    } else if !complete.contains('.') {
        found.push(path.invalid(complete, "should be a domain with at least two segments separated by dots"));
    }
}

fn check_slice_ports(ports: &[Value], path: &Path<'_>, found: &mut Vec<Violation>) {
    if ports.len() > MOST_PORTS {
        found.push(path.too_many(ports.len(), MOST_PORTS));
        return;
    }
    let mut names = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = path.index(index);
        let name = text(port, "name");
        if !name.is_empty() {
            say(found, &at.child("name"), name, name::dns_label(name));
        }
        if !names.insert(name) {
            found.push(at.child("name").duplicate(name));
        }
        check_protocol(port, &at, found);
        check_app_protocol(port, &at, found);
    }
}

pub(super) fn check_endpoints(new: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("subsets");
    for (index, subset) in list(new, "subsets").iter().enumerate() {
        let at = path.index(index);
        if list(subset, "addresses").is_empty() && list(subset, "notReadyAddresses").is_empty() {
            found.push(at.required("must specify `addresses` or `notReadyAddresses`"));
        }
        for group in ["addresses", "notReadyAddresses"] {
            let group_at = at.child(group);
            for (index, address) in list(subset, group).iter().enumerate() {
                let address_at = group_at.index(index);
                let ip = text(address, "ip");
                check_address(ip, &address_at.child("ip"), found);
                if ip.parse::<IpAddr>().is_err() {
                    found.push(address_at.child("ip").invalid(ip, "must be a valid IP address"));
                }
                check_node(address, &address_at, found);
                let hostname = text(address, "hostname");
                if !hostname.is_empty() {
                    say(found, &address_at.child("hostname"), hostname, name::dns_label(hostname));
                }
            }
        }
        check_ports(list(subset, "ports"), &at.child("ports"), found);
    }
}

fn check_ports(ports: &[Value], path: &Path<'_>, found: &mut Vec<Violation>) {
    for (index, port) in ports.iter().enumerate() {
        let at = path.index(index);
        match text(port, "name") {
            "" if ports.len() > 1 => found.push(at.child("name").required("")),
            "" => {}
            name => say(found, &at.child("name"), name, name::dns_label(name)),
        }
        say(found, &at.child("port"), number(port, "port"), name::port_number(number(port, "port")));
        check_protocol(port, &at, found);
        check_app_protocol(port, &at, found);
    }
}

/// An address that traffic may be sent to.
pub(super) fn check_address(text: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let Ok(address) = text.parse::<IpAddr>() else {
        found.push(path.invalid(text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
        return;
    };
    // `::ffff:169.254.169.254` reaches the same place as the address inside it.
    let address = address.to_canonical();
    let (link_local, link_local_multicast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(v6) => (v6.segments()[0] & 0xffc0 == 0xfe80, v6.segments()[0] & 0xff0f == 0xff02),
    };
    if address.is_unspecified() {
        found.push(path.invalid(text, format!("may not be unspecified ({text})")));
    } else if link_local {
        found.push(path.invalid(text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    } else if link_local_multicast {
        found.push(path.invalid(text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }
}
