//! Rows of VirtualServices.

use super::{Known, PathType, Row, meet, narrower};
use crate::at::{list, namespace, port, reference, text, texts};
use crate::gateways::Reached;
use crate::saying::Saying;
use resources::Kind;
use serde_json::Value;

/// The gateway of calls between workloads, which nobody reaches from outside.
const MESH: &str = "mesh";

impl Known<'_> {
    pub(super) fn of_virtual_service(&self, object: &Value) -> Vec<Row> {
        let paths = paths(object);
        let mut rows = Vec::new();
        for wanted in texts(object, "/spec/gateways").iter().filter(|it| *it != MESH) {
            let (at, name) = wanted.split_once('/').unwrap_or((namespace(object), wanted));
            for host in texts(object, "/spec/hosts") {
                let host = host.to_ascii_lowercase();
                for (domain, secret, reached, note) in self.servers(at, name, &host) {
                    rows.extend(paths.iter().map(|(path, path_type, backend)| Row {
                        domain: domain.clone(),
                        path: path.clone(),
                        path_type: *path_type,
                        is_secure: secret.is_some(),
                        is_self_signed: secret.as_ref().is_some_and(|(namespace, name)| self.is_self_signed(namespace, name)),
                        reached: reached.clone(),
                        object: reference(Kind::VirtualService, object),
                        backend: backend.clone(),
                        note: note.clone(),
                    }));
                }
            }
        }
        rows
    }

    /// Domain, Secret, where and why not, of the servers of a Gateway that are for a host.
    #[expect(clippy::type_complexity, reason = "it is taken apart where it is made")]
    fn servers(&self, at: &str, name: &str, host: &str) -> Vec<(String, Option<(String, String)>, Reached, Option<Saying>)> {
        let nowhere = |note: Saying| vec![(host.to_owned(), None, Reached::default(), Some(note))];
        let Some((gateway, seen)) = self.gateway(Kind::IstioGateway, at, name) else {
            return nowhere(Saying::GatewayMissing { gateway: format!("{at}/{name}") });
        };
        let mut found: Option<(String, Option<(String, String)>)> = None;
        let (mut http, mut https) = (None, None);
        for server in list(gateway, "/spec/servers") {
            let hosts = texts(server, "/hosts");
            let own = hosts.iter().map(|it| it.rsplit_once('/').map_or(it.as_str(), |(_, host)| host)).find(|it| meet(it, host));
            let Some(own) = own else { continue };
            let real = port(server, "/port/number").and_then(|number| seen.ports.iter().find(|it| it.port == number)).map(|it| it.reached);
            let (_, secret) = found.get_or_insert_with(|| (narrower(host, own), None));
            match text(server, "/port/protocol").to_ascii_uppercase().as_str() {
                "HTTPS" | "TLS" => {
                    https = https.or(real);
                    if text(server, "/tls/mode") != "PASSTHROUGH" && secret.is_none() {
                        *secret = Some((at.to_owned(), text(server, "/tls/credentialName").to_owned()));
                    }
                }
                "TCP" | "MONGO" => {}
                _ => http = http.or(real),
            }
        }
        let Some((domain, secret)) = found else {
            return nowhere(Saying::NoServerOfGateway { gateway: format!("{at}/{name}") });
        };
        let note = seen.addresses.is_empty().then_some(Saying::GatewayUnseen {});
        vec![(domain, secret, seen.reached_at(http, https), note)]
    }
}

/// Each path, what it means, and where it leads.
fn paths(object: &Value) -> Vec<(String, PathType, String)> {
    let mut paths = Vec::new();
    for route in list(object, "/spec/http") {
        let to: Vec<String> = list(route, "/route").map(destination).collect();
        let to = to.join(", ");
        let mut matches = list(route, "/match").peekable();
        if matches.peek().is_none() {
            paths.push(("/".to_owned(), PathType::Prefix, to.clone()));
        }
        for wanted in matches {
            let forms = [("exact", PathType::Exact), ("prefix", PathType::Prefix), ("regex", PathType::Pattern)];
            let found = forms.iter().find_map(|(form, kind)| Some((wanted.pointer(&format!("/uri/{form}"))?.as_str()?, *kind)));
            let (path, kind) = found.unwrap_or(("/", PathType::Prefix));
            paths.push((path.to_owned(), kind, to.clone()));
        }
    }
    for route in list(object, "/spec/tls") {
        let to: Vec<String> = list(route, "/route").map(destination).collect();
        paths.push((String::new(), PathType::None, to.join(", ")));
    }
    paths
}

fn destination(route: &Value) -> String {
    match port(route, "/destination/port/number") {
        Some(number) => format!("{}:{number}", text(route, "/destination/host")),
        None => text(route, "/destination/host").to_owned(),
    }
}
