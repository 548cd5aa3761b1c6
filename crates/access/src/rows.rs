//! How each domain and path of the routes is reached: what people ask first.
//!
//! Of objects and their statuses alone, so that whoever may see a route is told all of it.

mod gateway_api;
mod ingress;
mod istio;

use crate::at::{of, text};
use crate::gateways::{Reached, SeenGateway, access_word, gateways};
use crate::saying::Saying;
use crate::words::object_json;
use model::{HostPattern, Hostname, ObjectRef};
use resources::{Kind, deep_host_pattern};
use serde_json::{Value, json};
use std::net::IpAddr;

/// A domain and a path of a route, and how they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `*`: every one.
    pub domain: String,
    /// As it stands in the route; empty where nothing of a request is read.
    pub path: String,
    pub path_type: PathType,
    /// Whether the domain has a certificate, so that it is visited by https.
    pub is_secure: bool,
    /// Nobody but itself signed that certificate: clients refuse it unless they are told not to.
    pub is_self_signed: bool,
    pub reached: Reached,
    pub object: ObjectRef,
    /// Where its requests go, for example `httpbin:8000`.
    pub backend: String,
    /// Why it is not reached, or not through us.
    pub note: Option<Saying>,
}

/// What a path of a route means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathType {
    Prefix,
    Exact,
    /// A regular expression.
    Pattern,
    /// There is none: connections are passed on as they are.
    None,
}

/// A row for each domain and path of these objects' routes, in the order of the objects. Where there are two for one, such as a canary beside its
/// main route, the first stands for both.
pub fn rows(objects: &[Value]) -> Vec<Row> {
    let known = Known { objects, gateways: gateways(objects) };
    let mut rows: Vec<Row> = of(objects, Kind::Ingress).flat_map(|it| known.of_ingress(it)).collect();
    rows.extend(of(objects, Kind::HttpRoute).flat_map(|it| known.of_http_route(it)));
    rows.extend(of(objects, Kind::TlsRoute).flat_map(|it| known.of_tls_route(it)));
    rows.extend(of(objects, Kind::VirtualService).flat_map(|it| known.of_virtual_service(it)));
    let mut distinct: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let same = |it: &&mut Row| {
            (&it.domain, &it.path, it.path_type, &it.object.namespace) == (&row.domain, &row.path, row.path_type, &row.object.namespace)
                && it.reached == row.reached
        };
        if distinct.iter_mut().find(same).is_none() {
            distinct.push(row);
        }
    }
    distinct
}

/// What rows are made of.
struct Known<'a> {
    objects: &'a [Value],
    gateways: Vec<SeenGateway>,
}

/// The domain of a route for every one.
const EVERY: &str = "*";

// === impl Row ===

impl Row {
    /// Whether it is for this host.
    pub fn covers(&self, host: &str) -> bool {
        self.domain == EVERY || pattern(&self.domain).is_some_and(|it| it.covers(host))
    }

    /// The port a client connects to.
    pub fn port(&self) -> Option<u16> {
        if self.is_secure { self.reached.https } else { self.reached.http }
    }

    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// The address that stands in the lines: an IP address where there is one.
    pub fn address(&self) -> Option<&str> {
        let addresses = || self.reached.addresses.iter();
        let ip = addresses().find(|it| it.parse::<IpAddr>().is_ok());
        // A status may say anything; what stands in a command is a name.
        ip.or_else(|| addresses().find(|it| Hostname::parse(it).is_ok())).map(String::as_str)
    }

    /// Whether one name, and not a pattern of them, leads there.
    fn is_one_name(&self) -> bool {
        matches!(pattern(&self.domain), Some(HostPattern::Exact(_)))
    }

    /// What to visit: the port stands here and never in the host. `None`: the domain is a pattern, or nothing is reached.
    pub fn link(&self) -> Option<String> {
        let (address, port) = (self.address()?, self.port()?);
        let host = match self.domain.as_str() {
            EVERY => in_url(address),
            domain if self.is_one_name() => domain.to_owned(),
            _ => return None,
        };
        let usual = if self.is_secure { 443 } else { 80 };
        let port = if port == usual { String::new() } else { format!(":{port}") };
        Some(format!("{}://{host}{port}{}", self.scheme(), self.visited()))
    }

    /// A path that the route's path lets through.
    fn visited(&self) -> &str {
        match self.path_type {
            PathType::Pattern => {
                let end = self.path.find(['(', '[', '*', '?', '+', '^', '$', '\\', '|', '.', '{']).unwrap_or(self.path.len());
                let literal = &self.path[..end];
                literal.rfind('/').map_or("/", |it| &literal[..=it])
            }
            _ if self.path.starts_with('/') => &self.path,
            _ => "/",
        }
    }

    /// A line for a hosts file. `None`: there is no one name, or no IP address.
    pub fn hosts(&self) -> Option<String> {
        let address = self.reached.addresses.iter().find(|it| it.parse::<IpAddr>().is_ok())?;
        self.is_one_name().then(|| format!("{address} {}", self.domain))
    }

    /// A command that asks without any DNS.
    pub fn curl(&self) -> Option<String> {
        let (link, address, port) = (self.link()?, self.address()?, self.port()?);
        let insecure = if self.is_self_signed { " --insecure" } else { "" };
        let to = match (self.domain.as_str(), address.parse::<IpAddr>()) {
            (EVERY, _) => String::new(),
            (domain, Ok(_)) => format!(" --resolve {domain}:{port}:{address}"),
            (domain, Err(_)) => format!(" --connect-to {domain}:{port}:{address}:{port}"),
        };
        let plain = link.chars().all(|it| it.is_ascii_alphanumeric() || "-._~:/%@+,=".contains(it));
        let link = if plain { link } else { format!("'{}'", link.replace('\'', "%27")) };
        // Else curl takes them for a set of paths.
        let globoff = if self.visited().contains(['[', ']', '{', '}']) { " --globoff" } else { "" };
        Some(format!("curl{insecure}{globoff}{to} {link}"))
    }

    pub fn json(&self) -> Value {
        json!({
            "domain": self.domain,
            "path": self.path,
            "pathType": self.path_type.word(),
            "access": self.reached.access.map(access_word),
            "gateway": self.reached.gateway.as_ref().map(object_json),
            "addresses": self.reached.addresses,
            "port": self.port(),
            "scheme": self.scheme(),
            "object": object_json(&self.object),
            "backend": self.backend,
            "link": self.link(),
            "hosts": self.hosts(),
            "curl": self.curl(),
            "selfSigned": self.is_self_signed,
            "note": self.note.as_ref().map(ToString::to_string),
            "noteReason": self.note.as_ref().map(Saying::reason),
            "noteValues": self.note.as_ref().map(Saying::values),
        })
    }
}

// === impl PathType ===

impl PathType {
    pub fn word(self) -> &'static str {
        match self {
            Self::Prefix => "Prefix",
            Self::Exact => "Exact",
            Self::Pattern => "RegularExpression",
            Self::None => "None",
        }
    }
}

/// As a host of a URL.
pub(crate) fn in_url(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

fn pattern(domain: &str) -> Option<HostPattern> {
    deep_host_pattern(domain).ok()
}

/// Whether two domains have a name in common.
fn meet(one: &str, other: &str) -> bool {
    let covers = |wide: &str, narrow: &str| {
        wide == EVERY
            || wide == narrow
            || wide.strip_prefix('*').is_some_and(|suffix| narrow.len() > suffix.len() && narrow.ends_with(suffix))
    };
    covers(one, other) || covers(other, one)
}

/// The narrower of two domains that meet.
fn narrower(one: &str, other: &str) -> String {
    let wide = |it: &str| it == EVERY || it.starts_with("*.");
    match (wide(one), wide(other)) {
        (true, true) if other.len() > one.len() => other.to_owned(),
        (true, false) => other.to_owned(),
        _ => one.to_owned(),
    }
}

/// The hosts that were generated for an object.
fn generated(object: &Value) -> Vec<String> {
    let said = crate::at::annotation(object, resources::GENERATED_HOST_ANNOTATION);
    said.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// Writes the hosts that an object shows into its rules, for who cannot see the gateways that they are made of.
pub(crate) fn write_generated_hosts(object: &mut Value) {
    let hosts = generated(object);
    if hosts.is_empty() {
        return;
    }
    match Kind::of(object) {
        Some(Kind::HttpRoute) => object["spec"]["hostnames"] = hosts.into(),
        Some(Kind::Ingress) => ingress::write_hosts(object),
        _ => return,
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(resources::HOST_ANNOTATION);
    }
}

impl Known<'_> {
    /// Whether the first certificate of a Secret that may be seen was signed by nobody but itself.
    fn is_self_signed(&self, namespace: &str, secret: &str) -> bool {
        let found = of(self.objects, Kind::Secret).find(|it| crate::at::namespace(it) == namespace && crate::at::name(it) == secret);
        found.is_some_and(|it| crate::certificate::is_self_signed(text(it, "/data/tls.crt")))
    }

    fn gateway(&self, kind: Kind, namespace: &str, name: &str) -> Option<(&Value, &SeenGateway)> {
        let object = of(self.objects, kind).find(|it| crate::at::namespace(it) == namespace && crate::at::name(it) == name)?;
        let seen = self.gateways.iter().find(|it| it.object == crate::at::reference(kind, object))?;
        Some((object, seen))
    }
}

#[cfg(test)]
mod tests;
