//! Rows of Gateway API's routes.

use super::{EVERY, Known, PathType, Row, generated, meet, narrower};
use crate::at::{condition, list, namespace, port, reference, text, texts};
use crate::gateways::{Reached, SeenGateway};
use crate::saying::Saying;
use resources::Kind;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a route is served for one domain.
#[derive(Default)]
struct Served {
    reached: Reached,
    /// The listener's Secret, where that ends TLS.
    secret: Option<(String, String)>,
    note: Option<Saying>,
}

impl Known<'_> {
    pub(super) fn of_http_route(&self, object: &Value) -> Vec<Row> {
        let mut paths = Vec::new();
        for rule in list(object, "/spec/rules") {
            let backends: Vec<String> = list(rule, "/backendRefs").map(backend).collect();
            let backend = backends.join(", ");
            let mut matches = list(rule, "/matches").peekable();
            if matches.peek().is_none() {
                paths.push(("/".to_owned(), PathType::Prefix, backend.clone()));
            }
            for wanted in matches {
                let path = Some(text(wanted, "/path/value")).filter(|it| !it.is_empty()).unwrap_or("/").to_owned();
                let kind = match text(wanted, "/path/type") {
                    "Exact" => PathType::Exact,
                    "RegularExpression" => PathType::Pattern,
                    _ => PathType::Prefix,
                };
                paths.push((path, kind, backend.clone()));
            }
        }
        self.of_route(Kind::HttpRoute, object, &paths)
    }

    pub(super) fn of_tls_route(&self, object: &Value) -> Vec<Row> {
        let backends: Vec<String> = list(object, "/spec/rules").flat_map(|it| list(it, "/backendRefs")).map(backend).collect();
        let mut rows = self.of_route(Kind::TlsRoute, object, &[(String::new(), PathType::None, backends.join(", "))]);
        rows.iter_mut().for_each(|it| it.is_secure = true);
        rows
    }

    fn of_route(&self, kind: Kind, object: &Value, paths: &[(String, PathType, String)]) -> Vec<Row> {
        let mut hosts = texts(object, "/spec/hostnames");
        if hosts.is_empty() {
            hosts = generated(object);
        }
        if hosts.is_empty() {
            hosts.push(EVERY.to_owned());
        }
        let mut rows = Vec::new();
        for parent in list(object, "/spec/parentRefs") {
            for (domain, served) in self.served(kind, object, parent, &hosts) {
                rows.extend(paths.iter().map(|(path, path_type, backend)| Row {
                    domain: domain.clone(),
                    path: path.clone(),
                    path_type: *path_type,
                    is_secure: served.secret.is_some(),
                    is_self_signed: served.secret.as_ref().is_some_and(|(namespace, name)| self.is_self_signed(namespace, name)),
                    reached: served.reached.clone(),
                    object: reference(kind, object),
                    backend: backend.clone(),
                    note: served.note.clone(),
                }));
            }
        }
        rows
    }

    /// By domain, where a parent serves it.
    fn served(&self, kind: Kind, route: &Value, parent: &Value, hosts: &[String]) -> BTreeMap<String, Served> {
        let at = Some(text(parent, "/namespace")).filter(|it| !it.is_empty()).unwrap_or_else(|| namespace(route));
        let name = text(parent, "/name");
        let nowhere =
            |note: Saying| hosts.iter().map(|it| (it.clone(), Served { note: Some(note.clone()), ..Served::default() })).collect();
        if !matches!(text(parent, "/kind"), "" | "Gateway") {
            return nowhere(Saying::ParentIsNoGateway { parent: format!("{} {at}/{name}", text(parent, "/kind")) });
        }
        let Some((gateway, seen)) = self.gateway(Kind::Gateway, at, name) else {
            return nowhere(Saying::GatewayMissing { gateway: format!("{at}/{name}") });
        };
        let refused = list(route, "/status/parents")
            .filter(|it| text(it, "/parentRef/name") == name && text(it, "/parentRef/sectionName") == text(parent, "/sectionName"))
            .find_map(|it| condition(it, "/conditions", "Accepted").filter(|(status, ..)| *status == "False"));
        if let Some((_, reason, message)) = refused {
            return nowhere(Saying::GatewayRefuses { gateway: format!("{at}/{name}"), why: format!("{reason}: {message}") });
        }
        let mut served: BTreeMap<String, Served> = BTreeMap::new();
        for listener in list(gateway, "/spec/listeners").filter(|it| is_meant(it, parent) && speaks(it, kind)) {
            let own = Some(text(listener, "/hostname")).filter(|it| !it.is_empty()).unwrap_or(EVERY);
            for host in hosts.iter().filter(|it| meet(it, own)) {
                self.add(served.entry(narrower(host, own)).or_default(), seen, gateway, listener);
            }
        }
        if served.is_empty() {
            return nowhere(Saying::NoListenerOfGateway { gateway: format!("{at}/{name}") });
        }
        served
    }

    fn add(&self, served: &mut Served, seen: &SeenGateway, gateway: &Value, listener: &Value) {
        let real = port(listener, "/port").and_then(|number| seen.ports.iter().find(|it| it.port == number)).map(|it| it.reached);
        let (mut http, mut https) = (served.reached.http, served.reached.https);
        match text(listener, "/protocol") {
            "HTTP" => http = http.or(real),
            _ => {
                https = https.or(real);
                if text(listener, "/tls/mode") != "Passthrough" && served.secret.is_none() {
                    let reference = list(listener, "/tls/certificateRefs").next().unwrap_or(&Value::Null);
                    let at = Some(text(reference, "/namespace")).filter(|it| !it.is_empty()).unwrap_or_else(|| namespace(gateway));
                    served.secret = Some((at.to_owned(), text(reference, "/name").to_owned()));
                }
            }
        }
        served.reached = seen.reached_at(http, https);
        served.note = seen.addresses.is_empty().then(|| match seen.problems.first() {
            Some(problem) => Saying::NoAddress { problem: problem.message.clone() },
            None => Saying::NoAddressYet {},
        });
    }
}

/// Whether a reference to the Gateway means this listener.
fn is_meant(listener: &Value, parent: &Value) -> bool {
    let section = text(parent, "/sectionName");
    (section.is_empty() || section == text(listener, "/name")) && port(parent, "/port").is_none_or(|it| Some(it) == port(listener, "/port"))
}

fn speaks(listener: &Value, kind: Kind) -> bool {
    match (kind, text(listener, "/protocol")) {
        (Kind::TlsRoute, protocol) => protocol == "TLS",
        (_, protocol) => matches!(protocol, "HTTP" | "HTTPS"),
    }
}

fn backend(reference: &Value) -> String {
    match port(reference, "/port") {
        Some(number) => format!("{}:{number}", text(reference, "/name")),
        None => text(reference, "/name").to_owned(),
    }
}
