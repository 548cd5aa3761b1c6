//! Rows of Ingresses.

use super::{EVERY, Known, PathType, Row, generated, meet};
use crate::at::{annotation, list, name, namespace, of, reference, text, texts};
use crate::gateways::{Reached, SeenGateway, Serves, class_of};
use crate::saying::Saying;
use control::Access;
use resources::{Kind, label};
use serde_json::Value;

const NGINX: &str = "nginx.ingress.kubernetes.io";
const WORKSPACE: &str = "kubesphere.io/workspace";

/// Where an Ingress is served.
struct Place {
    reached: Reached,
    note: Option<Saying>,
}

impl Known<'_> {
    pub(super) fn of_ingress(&self, object: &Value) -> Vec<Row> {
        let nginx = |key: &str| annotation(object, &format!("{NGINX}/{key}"));
        // Its share of requests comes by the main route's domains and paths.
        if nginx("canary") == "true" {
            return Vec::new();
        }
        let place = self.place(object);
        let is_pattern = nginx("use-regex") == "true" || !nginx("rewrite-target").is_empty();
        let default = object.pointer("/spec/defaultBackend").map(backend).unwrap_or_default();
        let row = |domain: String, path: &Value| {
            let secret = secret(object, &domain);
            Row {
                path: Some(text(path, "/path")).filter(|it| !it.is_empty()).unwrap_or("/").to_owned(),
                path_type: match text(path, "/pathType") {
                    "Exact" => PathType::Exact,
                    "ImplementationSpecific" if is_pattern => PathType::Pattern,
                    _ => PathType::Prefix,
                },
                is_secure: secret.is_some(),
                is_self_signed: secret.is_some_and(|it| self.is_self_signed(namespace(object), it)),
                reached: place.reached.clone(),
                object: reference(Kind::Ingress, object),
                backend: path.pointer("/backend").map_or_else(|| default.clone(), backend),
                note: place.note.clone(),
                domain,
            }
        };
        let mut rows = Vec::new();
        for rule in list(object, "/spec/rules") {
            let mut paths = list(rule, "/http/paths").peekable();
            let domains = domains(object, rule);
            if paths.peek().is_none() {
                rows.extend(domains.iter().map(|it| row(it.clone(), &Value::Null)));
            }
            for path in paths {
                rows.extend(domains.iter().map(|it| row(it.clone(), path)));
            }
        }
        if rows.is_empty() && !default.is_empty() {
            rows.extend(domains(object, &Value::Null).into_iter().map(|it| row(it, &Value::Null)));
        }
        rows
    }

    /// On the gateway that its class names, or on its project's, its workspace's, everybody's; where its own status says, if that one cannot be seen.
    fn place(&self, object: &Value) -> Place {
        let own = Reached::of_ingress(object);
        let class = class_of(object);
        let shown = |it: &&SeenGateway| own.as_ref().is_none_or(|own| it.addresses.iter().any(|address| own.addresses.contains(address)));
        let foreign = of(self.objects, Kind::IngressClass).find(|it| {
            name(it) == class
                && text(it, "/spec/controller") != control::CONTROLLER
                && text(it, "/spec/controller") != control::ISTIO_CONTROLLER
        });
        if let Some(controller) = foreign.map(|it| text(it, "/spec/controller")) {
            return Place { reached: own.unwrap_or_default(), note: Some(Saying::ServedByAnother { controller: controller.to_owned() }) };
        }
        let mut homes = self.homes(object, class);
        let reached = homes.clone().find(shown).map(SeenGateway::reached).or(own).or_else(|| homes.next().map(SeenGateway::reached));
        let reached = reached.unwrap_or_default();
        let note = match (reached.addresses.is_empty(), reached.access) {
            (true, _) => Some(self.why_nowhere(&reached, class)),
            (false, Some(Access::ClusterIp)) => Some(Saying::InsideAlone {}),
            (false, _) => None,
        };
        Place { reached, note }
    }

    /// The gateways that may have it, the most likely first.
    fn homes<'a>(&'a self, object: &'a Value, class: &'a str) -> impl Iterator<Item = &'a SeenGateway> + Clone {
        let namespace = namespace(object);
        let project = of(self.objects, Kind::Namespace).find(|it| name(it) == namespace);
        let workspace = project.map(|it| crate::at::label(it, WORKSPACE)).unwrap_or_default();
        let by_class = self.gateways.iter().filter(move |it| !class.is_empty() && it.class.as_deref() == Some(class));
        let by_place = [0, 1, 2].into_iter().flat_map(move |nearness| {
            self.gateways.iter().filter(move |it| match (&it.serves, nearness) {
                (Serves::Project(project), 0) => project == namespace,
                (Serves::Workspace(it), 1) => !it.is_empty() && it == workspace,
                (Serves::Everybody, 2) => true,
                _ => false,
            })
        });
        by_class.chain(by_place)
    }

    fn why_nowhere(&self, reached: &Reached, class: &str) -> Saying {
        let seen = reached.gateway.as_ref().and_then(|it| self.gateways.iter().find(|known| known.object == *it));
        match (seen, class) {
            (Some(gateway), _) => match gateway.problems.first() {
                Some(problem) => Saying::NoAddress { problem: problem.message.clone() },
                None => Saying::NoAddressYet {},
            },
            (None, "") => Saying::NoGateway {},
            (None, class) => Saying::ClassUnserved { class: class.to_owned() },
        }
    }
}

/// The hosts of a rule, those that were generated for it among them.
fn domains(object: &Value, rule: &Value) -> Vec<String> {
    let host = text(rule, "/host");
    if !host.is_empty() {
        return vec![host.to_ascii_lowercase()];
    }
    if annotation(object, resources::HOST_ANNOTATION).is_empty() {
        return vec![EVERY.to_owned()];
    }
    let first = list(rule, "/http/paths").next().map(|it| text(it, "/backend/service/name")).filter(|it| !it.is_empty());
    let service = first.unwrap_or_else(|| match text(object, "/spec/defaultBackend/service/name") {
        "" => name(object),
        service => service,
    });
    let beginning = format!("{}.", label(service));
    generated(object).into_iter().filter(|it| it.starts_with(&beginning)).collect()
}

/// The Secret of the certificate for a domain; empty: the gateway's own certificate is meant.
fn secret<'a>(object: &'a Value, domain: &str) -> Option<&'a str> {
    let is_generated = generated(object).iter().any(|it| it == domain);
    let entry = list(object, "/spec/tls").find(|it| {
        let hosts = texts(it, "/hosts");
        hosts.iter().any(|it| meet(it, domain)) || hosts.is_empty() && is_generated
    })?;
    Some(text(entry, "/secretName"))
}

fn backend(backend: &Value) -> String {
    let service = text(backend, "/service/name");
    if service.is_empty() {
        return text(backend, "/resource/name").to_owned();
    }
    match backend.pointer("/service/port/number") {
        Some(number) => format!("{service}:{number}"),
        None => format!("{service}:{}", text(backend, "/service/port/name")),
    }
}

/// A rule without host becomes one for each host that was generated for it.
pub(super) fn write_hosts(object: &mut Value) {
    let mut rules = Vec::new();
    for rule in list(object, "/spec/rules") {
        for domain in domains(object, rule) {
            let mut rule = rule.clone();
            rule["host"] = domain.into();
            rules.push(rule);
        }
    }
    object["spec"]["rules"] = rules.into();
}
