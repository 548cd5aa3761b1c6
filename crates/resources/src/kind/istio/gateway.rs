//! `networking.istio.io` Gateway.

use super::{closes, host_pattern, labels, no_host, not_followed, texts, unsupported};
use crate::at::{At, Problems};
use crate::certificate;
use crate::kind::meta::{Meta, Name};
use crate::problem::{Cause, Problem};
use model::{HostPattern, Pin, Text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstioGateway {
    pub meta: Meta,
    /// Labels of workloads; empty: every workload. `None`: it cannot be read, and nothing is selected.
    pub selector: Option<BTreeMap<Text, Text>>,
    pub servers: Vec<Server>,
    pub problems: Vec<Problem>,
}

/// One port of a Gateway, for some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub index: usize,
    pub port: u16,
    pub port_name: Text,
    pub serves: Serves,
    pub hosts: Vec<ServerHost>,
    /// For HTTP: answer everything with a redirect to https.
    pub https_redirect: bool,
}

/// What a server does with connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    Http,
    Tcp,
    /// TLS is ended here, and HTTP is in it.
    Https(Box<ServerTls>),
    /// TLS is ended here, and something else is in it.
    Tls(Box<ServerTls>),
    /// TLS passes through, by its server name.
    Passthrough,
    /// TLS, and it cannot be had as asked for: the handshake fails.
    RefusedTls,
}

/// What makes two servers of one port incompatible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Http,
    Tls,
    Tcp,
}

/// A host of a server, and whose VirtualServices it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHost {
    pub index: usize,
    /// `None`: those of every namespace.
    pub namespace: Option<Text>,
    pub host: HostPattern,
}

/// Credentials and demands of a server that ends TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    pub clients: Clients,
    /// The first is shown.
    pub credentials: Vec<Credential>,
    /// Of the authorities of clients, in place of the one that belongs to the credential.
    pub authorities: Option<Credential>,
    pub names: Vec<Text>,
    pub pins: Vec<Pin>,
    pub versions: model::TlsVersions,
}

/// Whether clients show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    Anyone,
    Optional,
    Required,
    /// Any certificate will do.
    Unverified,
}

/// A Secret by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where the name stands.
    pub field: Text,
    /// As in `namespace/name`; `None`: the gateway's own, or the object's.
    pub namespace: Option<Text>,
    pub name: Text,
}

// === impl IstioGateway ===

impl IstioGateway {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut gateway = Self { meta, selector: None, servers: Vec::new(), problems: Vec::new() };
        match root.field("spec") {
            Some(spec) => {
                let before = problems.len();
                let selector = labels(&spec, "selector", &mut problems);
                gateway.selector = (problems.len() == before).then_some(selector);
                let namespace = gateway.meta.name.namespace.clone();
                spec.list("servers", &mut problems, |index, at, problems| {
                    gateway.servers.extend(Server::read(index, at, &namespace, problems));
                });
                if spec.field("servers").is_none_or(|at| at.value.as_array().is_some_and(Vec::is_empty)) {
                    problems.push(Problem::error("spec.servers", Cause::Malformed, "there is no server, so nothing is listened on"));
                }
            }
            None => problems.push(Problem::error("spec", Cause::Malformed, "it is missing")),
        }
        gateway.problems = problems;
        gateway
    }

    /// Every Secret it names, as far as one can tell without knowing where the gateway runs.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.servers.iter().filter_map(Server::tls).flat_map(|tls| tls.credentials.iter().chain(&tls.authorities))
    }
}

// === impl Server ===

impl Server {
    /// A server whose port cannot be read, or that is bound to some address, is left out: it must not become another one.
    fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let (number, port_name, protocol) = Self::port(at, problems)?;
        if let Some(bind) = at.text("bind", problems).filter(|bind| !matches!(&**bind, "" | "0.0.0.0" | "::")) {
            let message = format!("listening on `{bind}` alone is not supported, so this server is closed");
            problems.push(Problem::error(format!("{at}.bind"), Cause::Unsupported, message).hint("Leave `bind` out"));
            return None;
        }
        if at.field("bind").is_some_and(|bind| !bind.value.is_string()) {
            return None;
        }
        let mut hosts = Vec::new();
        at.list("hosts", problems, |index, at, problems| hosts.extend(ServerHost::read(index, at, namespace, problems)));
        if at.field("hosts").is_none_or(|at| at.value.as_array().is_some_and(Vec::is_empty)) {
            problems.push(
                Problem::error(format!("{at}.hosts"), Cause::Malformed, "a server names at least one host").hint("For all, write `*`"),
            );
        }
        // `*/*` stands for all the others too.
        if at.value["hosts"].as_array().is_some_and(|hosts| hosts.iter().any(|host| host.as_str() == Some("*/*"))) {
            hosts.retain(|host| host.host == HostPattern::Any && host.namespace.is_none());
            hosts.truncate(1);
        }
        unsupported(at, &[("defaultEndpoint", "it does nothing in Istio either")], problems);
        let (serves, https_redirect) = Serves::read(at, &protocol, problems)?;
        Some(Self { index, port: number, port_name, serves, hosts, https_redirect })
    }

    fn port(at: &At<'_>, problems: &mut Problems) -> Option<(u16, Text, Text)> {
        let Some(port) = at.field("port") else {
            problems.push(Problem::error(format!("{at}.port"), Cause::Malformed, "a server names a port"));
            return None;
        };
        for name in ["number", "protocol"] {
            if port.field(name).is_none() {
                problems.push(Problem::error(format!("{port}.{name}"), Cause::Malformed, "it is missing"));
            }
        }
        let number = port.port("number", problems);
        let protocol = port.text("protocol", problems);
        let name = port.text("name", problems).unwrap_or_default();
        unsupported(&port, &[("targetPort", "a Gateway's port is its own target")], problems);
        Some((number?, name, protocol?))
    }

    pub fn family(&self) -> Family {
        match self.serves {
            Serves::Http => Family::Http,
            Serves::Tcp => Family::Tcp,
            Serves::Https(_) | Serves::Tls(_) | Serves::Passthrough | Serves::RefusedTls => Family::Tls,
        }
    }

    pub fn tls(&self) -> Option<&ServerTls> {
        match &self.serves {
            Serves::Https(tls) | Serves::Tls(tls) => Some(tls),
            _ => None,
        }
    }
}

// === impl ServerHost ===

impl ServerHost {
    fn read(index: usize, at: &At<'_>, own: &Text, problems: &mut Problems) -> Option<Self> {
        let text = at.expected(at.value.as_str(), "a string", problems)?;
        let (namespace, host) = match text.split_once('/') {
            None => (None, text),
            Some(("*", host)) => (None, host),
            Some((".", host)) => (Some(own.clone()), host),
            Some((namespace, host)) => (Some(namespace.into()), host),
        };
        let pattern = host_pattern(host).and_then(|pattern| match &pattern {
            HostPattern::Exact(name) if !name.as_str().contains('.') && name.as_str().parse::<std::net::IpAddr>().is_err() => {
                Err("a name has a dot".to_owned())
            }
            _ => Ok(pattern),
        });
        match pattern {
            Ok(pattern) => Some(Self { index, namespace, host: pattern }),
            Err(why) => {
                problems.push(no_host(at, text, &why));
                None
            }
        }
    }

    /// Whether a VirtualService of this namespace may be served under it.
    pub fn is_for(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}

// === impl Serves ===

impl Serves {
    /// With whether everything is redirected to https. `None`: the server is closed.
    fn read(at: &At<'_>, protocol: &str, problems: &mut Problems) -> Option<(Self, bool)> {
        let tls = at.field("tls");
        match protocol.to_ascii_uppercase().as_str() {
            "HTTP" => Some((Self::Http, Self::redirect(tls.as_ref(), problems)?)),
            "HTTP2" | "GRPC" | "GRPC-WEB" => {
                let message = format!("`{protocol}` is served as HTTP/1.1: HTTP/2 is not spoken yet");
                problems.push(Problem::warning(format!("{at}.port.protocol"), Cause::Unsupported, message));
                Some((Self::Http, Self::redirect(tls.as_ref(), problems)?))
            }
            "TCP" | "MONGO" | "REDIS" | "MYSQL" => match tls {
                None => Some((Self::Tcp, false)),
                Some(tls) => {
                    let message = format!("a server of protocol `{protocol}` has no TLS, so this one is closed");
                    problems.push(Problem::error(tls.path(), Cause::InvalidValue, message).hint("For TLS, write `protocol: TLS`"));
                    None
                }
            },
            "HTTPS" => Some((Self::over_tls(at, tls.as_ref(), Self::Https, problems), false)),
            "TLS" => Some((Self::over_tls(at, tls.as_ref(), Self::Tls, problems), false)),
            _ => {
                let message = format!("`{protocol}` is no protocol, so this server is closed");
                let problem = Problem::error(format!("{at}.port.protocol"), Cause::InvalidValue, message);
                problems.push(problem.hint("Known are HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS, TCP, MONGO, REDIS and MYSQL"));
                None
            }
        }
    }

    fn redirect(tls: Option<&At<'_>>, problems: &mut Problems) -> Option<bool> {
        let Some(tls) = tls else { return Some(false) };
        let before = problems.len();
        let redirect = tls.flag("httpsRedirect", problems).unwrap_or(false);
        for name in ["mode", "credentialName", "credentialNames", "serverCertificate"] {
            if let Some(field) = tls.field(name) {
                let message = "a server of HTTP has no TLS but `httpsRedirect`, so this one is closed";
                problems.push(Problem::error(field.path(), Cause::InvalidValue, message).hint("For TLS, write `protocol: HTTPS`"));
            }
        }
        (!closes(&problems[before..])).then_some(redirect)
    }

    fn over_tls(at: &At<'_>, tls: Option<&At<'_>>, ended: fn(Box<ServerTls>) -> Self, problems: &mut Problems) -> Self {
        let Some(tls) = tls else {
            let message = "TLS needs a `tls` section, so every handshake is refused";
            problems.push(
                Problem::error(format!("{at}.tls"), Cause::Malformed, message)
                    .hint("For example `tls: {mode: SIMPLE, credentialName: NAME}`"),
            );
            return Self::RefusedTls;
        };
        let before = problems.len();
        let serves = match ServerTls::mode(tls, problems) {
            Some(Mode::Passthrough) => Some(Self::Passthrough),
            Some(Mode::Ended(clients)) => ServerTls::read(tls, clients, problems).map(|read| ended(Box::new(read))),
            None => None,
        };
        serves.filter(|_| !closes(&problems[before..])).unwrap_or(Self::RefusedTls)
    }
}

enum Mode {
    Passthrough,
    Ended(Clients),
}

// === impl ServerTls ===

impl ServerTls {
    fn mode(tls: &At<'_>, problems: &mut Problems) -> Option<Mode> {
        let mode = match tls.field("mode") {
            None => return Some(Mode::Passthrough),
            Some(_) => tls.text("mode", problems)?,
        };
        let unverified = tls.flag("insecureSkipVerify", problems).unwrap_or(false);
        let clients = |clients| if unverified { Clients::Unverified } else { clients };
        match mode.as_str() {
            "PASSTHROUGH" => Some(Mode::Passthrough),
            "SIMPLE" => Some(Mode::Ended(Clients::Anyone)),
            "MUTUAL" => Some(Mode::Ended(clients(Clients::Required))),
            "OPTIONAL_MUTUAL" => Some(Mode::Ended(clients(Clients::Optional))),
            "ISTIO_MUTUAL" | "AUTO_PASSTHROUGH" => {
                let message = format!("`{mode}` needs Istio's mesh, which is not here, so every handshake is refused");
                let problem = Problem::error(format!("{tls}.mode"), Cause::Unsupported, message);
                problems.push(problem.hint("Use SIMPLE or MUTUAL with a `credentialName`, or PASSTHROUGH"));
                None
            }
            _ => {
                let message = format!("`{mode}` is no mode, so every handshake is refused");
                let problem = Problem::error(format!("{tls}.mode"), Cause::InvalidValue, message);
                problems.push(problem.hint("Known are SIMPLE, MUTUAL, OPTIONAL_MUTUAL and PASSTHROUGH"));
                None
            }
        }
    }

    /// `None`: it has no certificate that could be had.
    fn read(tls: &At<'_>, clients: Clients, problems: &mut Problems) -> Option<Self> {
        Self::notes(tls, problems);
        let mut read = Self {
            clients,
            credentials: Vec::new(),
            authorities: tls
                .text("caCertCredentialName", problems)
                .map(|name| Credential::new(&name, format!("{tls}.caCertCredentialName"))),
            names: texts(tls, "subjectAltNames", problems),
            pins: Vec::new(),
            versions: versions(tls, problems)?,
        };
        read.pins(tls, problems);
        read.credentials.extend(
            tls.text("credentialName", problems)
                .filter(|it| !it.is_empty())
                .map(|name| Credential::new(&name, format!("{tls}.credentialName"))),
        );
        for (index, name) in texts(tls, "credentialNames", problems).iter().enumerate() {
            read.credentials.push(Credential::new(name, format!("{tls}.credentialNames[{index}]")));
        }
        for second in read.credentials.iter().skip(1) {
            problems.push(not_followed(second.field.clone(), "the first certificate alone is shown"));
        }
        if read.credentials.is_empty() {
            let files = tls.field("serverCertificate").or_else(|| tls.field("tlsCertificates"));
            let problem = match files {
                Some(files) => {
                    let message = "certificates in files of the gateway's Pod are not read, so every handshake is refused";
                    Problem::error(files.path(), Cause::Unsupported, message)
                }
                None => Problem::error(
                    format!("{tls}.credentialName"),
                    Cause::Malformed,
                    "no certificate is named, so every handshake is refused",
                ),
            };
            problems.push(problem.hint("Put certificate and key into a Secret and write `credentialName`"));
            return None;
        }
        // The file may say whom to trust; without it nobody is.
        if let Some(files) = tls.field("caCertificates").or_else(|| tls.field("caCrl")) {
            let message = "authorities in files of the gateway's Pod are not read, so every handshake is refused";
            let problem = Problem::error(files.path(), Cause::Unsupported, message);
            problems.push(problem.hint("Put them into a Secret: key `ca.crt` (and `ca.crl`), or a Secret `NAME-cacert`"));
            return None;
        }
        Some(read)
    }

    fn notes(tls: &At<'_>, problems: &mut Problems) {
        let notes = [
            ("cipherSuites", "the gateway's own suites are used, all with forward secrecy"),
            ("ecdhCurves", "the gateway's own curves are used"),
        ];
        unsupported(tls, &notes, problems);
        if tls.flag("httpsRedirect", problems) == Some(true) {
            problems.push(
                Problem::note(format!("{tls}.httpsRedirect"), Cause::NoEffect, "what comes over TLS is redirected nowhere")
                    .hint("Put it into the server of HTTP"),
            );
        }
    }

    fn pins(&mut self, tls: &At<'_>, problems: &mut Problems) {
        tls.list("verifyCertificateSpki", problems, |_, at, problems| {
            let pin = at.value.as_str().and_then(certificate::base64).and_then(|octets| <[u8; 32]>::try_from(octets).ok());
            self.pins.extend(at.expected(pin, "the base64 of a SHA-256", problems).map(Pin::PublicKey));
        });
        tls.list("verifyCertificateHash", problems, |_, at, problems| {
            let pin = at.value.as_str().and_then(hex);
            self.pins.extend(at.expected(pin, "a SHA-256 in hexadecimal digits", problems).map(Pin::Certificate));
        });
    }
}

/// 64 digits, with or without colons.
fn hex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().filter(|char| *char != ':').map(|char| char.to_digit(16)).collect();
    let octets: Option<Vec<u8>> = digits?.chunks(2).map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok()).collect();
    octets?.try_into().ok()
}

/// `None`: none that is spoken here.
fn versions(tls: &At<'_>, problems: &mut Problems) -> Option<model::TlsVersions> {
    let mut read = |name: &str| {
        let Some(at) = tls.field(name) else { return Some(0) };
        let version = match at.value.as_str() {
            Some("TLS_AUTO" | "") => Some(0),
            Some("TLSV1_0") => Some(10),
            Some("TLSV1_1") => Some(11),
            Some("TLSV1_2") => Some(12),
            Some("TLSV1_3") => Some(13),
            _ => None,
        };
        at.expected(version, "TLS_AUTO, TLSV1_0, TLSV1_1, TLSV1_2 or TLSV1_3", problems)
    };
    let (least, most) = (read("minProtocolVersion")?, read("maxProtocolVersion")?);
    if matches!(least, 10 | 11) {
        problems.push(not_followed(format!("{tls}.minProtocolVersion"), "the least version that is spoken is 1.2"));
    }
    match (least, most) {
        (_, 10 | 11) | (13, 12) => {
            let message = "no version of TLS is left that is spoken here (1.2 and 1.3), so every handshake is refused";
            problems.push(
                Problem::error(format!("{tls}.maxProtocolVersion"), Cause::Unsupported, message).hint("Write TLSV1_3, or leave it out"),
            );
            None
        }
        (13, _) => Some(model::TlsVersions::Only13),
        (_, 12) => Some(model::TlsVersions::Only12),
        _ => Some(model::TlsVersions::Both),
    }
}

// === impl Credential ===

impl Credential {
    fn new(text: &str, field: String) -> Self {
        let text = text.strip_prefix("kubernetes://").unwrap_or(text);
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace.into()), name),
            None => (None, text),
        };
        Self { field: field.into(), namespace, name: name.into() }
    }
}
