//! Service.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::endpoints::check_address;
use super::metadata::check_labels;
use super::{given, immutable, list, number, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
pub(super) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    let kind = text(spec, "type");
    let headless = text(spec, "clusterIP") == "None";
    if list(spec, "ports").is_empty() && !headless && kind != "ExternalName" {
        found.push(path.child("ports").required(""));
    }
    check_type(spec, kind, &path, found);
    check_ports(spec, kind, &path.child("ports"), found);
    check_labels(spec.get("selector"), &path.child("selector"), found);
    check_affinity(spec, &path, found);
    check_addresses(spec, &path, found);
    check_policies(spec, kind, &path, found);
    check_balancer(spec, kind, &path, found);
    check_status(new, kind, found);
    if let Some(old) = old.and_then(|old| old.get("spec")) {
        check_update(spec, old, &path, found);
    }
}

fn check_type(spec: &Value, kind: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let headless = text(spec, "clusterIP") == "None";
    match kind {
        "" => found.push(path.child("type").required("")),
        "LoadBalancer" | "NodePort" if headless => {
            let at = path.child("clusterIPs");
            found.push(at.index(0).invalid("None", format!("may not be set to 'None' for {kind} services")));
        }
        "ExternalName" => {
            if !text(spec, "clusterIP").is_empty() {
                found.push(path.child("clusterIPs").forbidden("may not be set for ExternalName services"));
            }
            let at = path.child("externalName");
            // A trailing dot says that the name is complete.
            match text(spec, "externalName").trim_end_matches('.') {
                "" => found.push(at.required("")),
                name => say(found, &at, name, name::dns_subdomain(name)),
            }
        }
        known if TYPES.contains(&known) => {}
        other => found.push(path.child("type").not_supported(other, &TYPES)),
    }
}

fn check_ports(spec: &Value, kind: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let ports = list(spec, "ports");
    let (mut names, mut pairs, mut node_ports) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (index, port) in ports.iter().enumerate() {
        let at = path.index(index);
        match text(port, "name") {
            "" if ports.len() > 1 => found.push(at.child("name").required("")),
            "" => {}
            name => {
                say(found, &at.child("name"), name, name::dns_label(name));
                if !names.insert(name) {
                    found.push(at.child("name").duplicate(name));
                }
            }
        }
        check_port(port, kind, &at, found);
        let (protocol, number_of, node_port) = (text(port, "protocol"), number(port, "port"), number(port, "nodePort"));
        if node_port != 0 && !node_ports.insert((protocol, node_port)) {
            found.push(at.child("nodePort").duplicate(node_port));
        }
        if !pairs.insert((protocol, number_of)) {
            found.push(at.duplicate(as_go_prints(protocol, number_of)));
        }
    }
}

/// The key of a port that stands twice, as Kubernetes shows it: its internal type has no JSON names.
fn as_go_prints(protocol: &str, port: i64) -> Value {
    json!({ "Name": "", "Protocol": protocol, "AppProtocol": null, "Port": port, "TargetPort": 0, "NodePort": 0 })
}

fn check_port(port: &Value, kind: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let number_of = number(port, "port");
    say(found, &path.child("port"), number_of, name::port_number(number_of));
    check_protocol(port, path, found);
    let target = path.child("targetPort");
    match port.get("targetPort") {
        Some(Value::String(name)) => say(found, &target, name.as_str(), name::port_name(name)),
        Some(value) => say(found, &target, value.clone(), name::port_number(value.as_i64().unwrap_or(0))),
        None => {}
    }
    check_app_protocol(port, path, found);
    let node_port = number(port, "nodePort");
    if node_port != 0 && kind == "ClusterIP" {
        found.push(path.child("nodePort").forbidden("may not be used when `type` is 'ClusterIP'"));
    } else if node_port != 0 && !(30000..=32767).contains(&node_port) {
        let detail = "provided port is not in the valid range. The range of valid ports is 30000-32767";
        found.push(path.child("nodePort").invalid(node_port, detail));
    }
}

/// The protocol of a port of a Service, Endpoints or EndpointSlice.
pub(super) fn check_protocol(port: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    match text(port, "protocol") {
        "" => found.push(path.child("protocol").required("")),
        known if PROTOCOLS.contains(&known) => {}
        other => found.push(path.child("protocol").not_supported(other, &PROTOCOLS)),
    }
}

pub(super) fn check_app_protocol(port: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    if let Some(protocol) = port.get("appProtocol").and_then(Value::as_str) {
        say(found, &path.child("appProtocol"), protocol, name::qualified(protocol));
    }
}

fn check_affinity(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let (at, config) = (path.child("sessionAffinity"), path.child("sessionAffinityConfig"));
    match text(spec, "sessionAffinity") {
        "" => found.push(at.required("")),
        "None" if given(spec, "sessionAffinityConfig").is_some() => {
            found.push(config.forbidden("must not be set when session affinity is None"));
        }
        "None" => {}
        "ClientIP" => match spec.pointer("/sessionAffinityConfig/clientIP") {
            Some(client) => {
                let seconds = number(client, "timeoutSeconds");
                if !(1..=86400).contains(&seconds) {
                    let client_at = config.child("clientIP");
                    let detail = "must be greater than 0 and less than 86400";
                    found.push(client_at.child("timeoutSeconds").invalid(seconds, detail));
                }
            }
            None => found.push(config.required("when session affinity type is ClientIP")),
        },
        other => found.push(at.not_supported(other, &["ClientIP", "None"])),
    }
}

fn check_addresses(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let cluster = text(spec, "clusterIP");
    if !cluster.is_empty() && cluster != "None" && !is_address(cluster) {
        found.push(path.child("clusterIPs").index(0).invalid(cluster, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
    }
    let at = path.child("externalIPs");
    for (index, address) in list(spec, "externalIPs").iter().filter_map(Value::as_str).enumerate() {
        check_address(address, &at.index(index), found);
    }
    let balancer = text(spec, "loadBalancerIP");
    if !balancer.is_empty() && !is_address(balancer) {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        found.push(path.child("loadBalancerIP").invalid(balancer, detail));
    }
}

fn check_policies(spec: &Value, kind: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let supported = ["Cluster", "Local"];
    let external = path.child("externalTrafficPolicy");
    let outward = matches!(kind, "LoadBalancer" | "NodePort") || kind == "ClusterIP" && !list(spec, "externalIPs").is_empty();
    match text(spec, "externalTrafficPolicy") {
        "" if outward => found.push(external.required("")),
        "" => {}
        known if !outward => found.push(external.invalid(known, "may only be set for externally-accessible services")),
        known if !supported.contains(&known) => found.push(external.not_supported(known, &supported)),
        _ => {}
    }
    match text(spec, "internalTrafficPolicy") {
        "" => {}
        known if supported.contains(&known) => {}
        other => found.push(path.child("internalTrafficPolicy").not_supported(other, &supported)),
    }
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if let Some(other) = spec.get("trafficDistribution").and_then(Value::as_str).filter(|one| !distributions.contains(one)) {
        found.push(path.child("trafficDistribution").not_supported(other, &distributions));
    }
    let health = number(spec, "healthCheckNodePort");
    if health != 0 && !(kind == "LoadBalancer" && text(spec, "externalTrafficPolicy") == "Local") {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        found.push(path.child("healthCheckNodePort").invalid(health, detail));
    }
}

fn check_balancer(spec: &Value, kind: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let ranges = path.child("LoadBalancerSourceRanges");
    if !list(spec, "loadBalancerSourceRanges").is_empty() && kind != "LoadBalancer" {
        found.push(ranges.forbidden("may only be used when `type` is 'LoadBalancer'"));
    }
    for (index, range) in list(spec, "loadBalancerSourceRanges").iter().filter_map(Value::as_str).enumerate() {
        let fine = range.trim().split_once('/').is_some_and(|(address, bits)| {
            let most = if address.contains(':') { 128 } else { 32 };
            address.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
        });
        if !fine {
            found.push(ranges.index(index).invalid(range, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
        }
    }
    if let Some(class) = spec.get("loadBalancerClass").and_then(Value::as_str) {
        let at = path.child("loadBalancerClass");
        if kind == "LoadBalancer" {
            say(found, &at, class, name::qualified(class));
        } else {
            found.push(at.forbidden("may only be used when `type` is 'LoadBalancer'"));
        }
    }
    if given(spec, "allocateLoadBalancerNodePorts").is_some() && kind != "LoadBalancer" {
        found.push(path.child("allocateLoadBalancerNodePorts").forbidden("may only be used when `type` is 'LoadBalancer'"));
    }
}

fn check_status(new: &Value, kind: &str, found: &mut Vec<Violation>) {
    let status = Path::new("status");
    let balancer = status.child("loadBalancer");
    let points = new.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
    if kind != "LoadBalancer" && points.is_some_and(|points| !points.is_empty()) {
        found.push(balancer.child("ingress").forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
        return;
    }
    check_ingress_points(new, &balancer, found);
}

/// `status.loadBalancer.ingress` of a Service or an Ingress.
pub(super) fn check_ingress_points(object: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let at = path.child("ingress");
    let points = object.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
    for (index, point) in points.into_iter().flatten().enumerate() {
        let at = at.index(index);
        let (ip, hostname) = (text(point, "ip"), text(point, "hostname"));
        if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
            found.push(at.child("ip").invalid(ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
        }
        if !hostname.is_empty() {
            say(found, &at.child("hostname"), hostname, name::dns_subdomain(hostname));
            if hostname.parse::<IpAddr>().is_ok() {
                found.push(at.child("hostname").invalid(hostname, "must be a DNS name, not an IP address"));
            }
        }
    }
}

fn check_update(new: &Value, old: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let outside = |spec: &Value| text(spec, "type") == "ExternalName";
    let (now, before) = (text(new, "clusterIP"), text(old, "clusterIP"));
    if !outside(new) && !outside(old) && !before.is_empty() && !now.is_empty() && now != before {
        let value = given(new, "clusterIPs").cloned().unwrap_or_else(|| json!([now]));
        found.push(path.child("clusterIPs").index(0).invalid(value, "may not change once set"));
    }
    if text(new, "type") == "LoadBalancer" && text(old, "type") == "LoadBalancer" {
        let at = path.child("loadBalancerClass");
        if given(new, "loadBalancerClass") != given(old, "loadBalancerClass") {
            let mut changed = Vec::new();
            immutable(&mut changed, &at, given(new, "loadBalancerClass"), given(old, "loadBalancerClass"));
            found.extend(changed.into_iter().map(|violation| Violation { detail: "may not change once set".to_owned(), ..violation }));
        }
    }
}
