//! Generated hosts, addresses and certificates, for the console.

use super::gateways::Here;
use access::{SeenGateway, SeenPort, Serves};
use console::{Addresses, Gateways, Host, Owner, Pem, Pool, Port, Secrets, Serving, Waiting};
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use kube::Client;
use kube::api::{Api, ListParams};
use model::GatewayId;
use resources::{Kind, Projects};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use translate::Listening;

/// On a namespace: whose workspace it is in.
const WORKSPACE: &str = "kubesphere.io/workspace";
/// Addresses of a pool that are counted.
const COUNTED: usize = 1 << 20;

pub struct Known {
    pub client: Client,
    pub gateways: Arc<Here>,
    pub pool: pools::Pool,
    /// Where node ports are.
    pub node: IpAddr,
}

/// A gateway, and for how many projects it is.
struct Home {
    id: GatewayId,
    projects: Projects,
}

// === impl Known ===

impl Known {
    /// The gateway that serves a namespace's routes that name none.
    async fn home(&self, namespace: &str) -> Result<Option<Home>, kube::Error> {
        if let Some(id) = self.gateways.asked_for_in(namespace) {
            return Ok(Some(Home { id, projects: Projects::One }));
        }
        let found = Api::<Namespace>::all(self.client.clone()).get_opt(namespace).await?;
        let workspace = found.and_then(|it| it.metadata.labels?.remove(WORKSPACE));
        let of_workspace = workspace.and_then(|it| self.gateways.asked_for_in(&format!("workspace-{it}")));
        let id = of_workspace.or_else(|| self.gateways.shared().cloned());
        Ok(id.map(|id| Home { id, projects: Projects::Many }))
    }

    async fn make(&self, namespace: &str, service: &str, serving: &Home) -> Result<Host, String> {
        let Some((of, name)) = self.gateways.service(&serving.id) else { return Ok(none("The gateway is not there yet.")) };
        let found = Api::<Service>::namespaced(self.client.clone(), &of).get_opt(&name).await.map_err(|error| error.to_string())?;
        let found = found.and_then(|it| serde_json::to_value(it).ok()).unwrap_or_default();
        Ok(host(&found, &serving.id, serving.projects, (namespace, service)))
    }

    /// The same with what only this process knows; `None`: nothing runs for it.
    fn told(&self, seen: &SeenGateway, serving: Serving) -> Option<Serving> {
        let is_asked_for = *seen.object.kind != *Kind::Service.name();
        let (namespace, name) = match is_asked_for {
            true => (serving.namespace.clone(), serving.name.clone()),
            false => (translate::PLATFORM.to_owned(), "cluster".to_owned()),
        };
        self.gateways.find(&namespace, &name)?;
        Some(Serving { namespace, name, nodes: vec![self.node.to_string()], ..serving })
    }

    async fn owners(&self) -> Result<Vec<Owner>, kube::Error> {
        let mut owners = Vec::new();
        for service in Api::<Service>::all(self.client.clone()).list(&ListParams::default()).await? {
            let (namespace, name) = (service.metadata.namespace.unwrap_or_default(), service.metadata.name.unwrap_or_default());
            let given = service.status.and_then(|it| it.load_balancer?.ingress).unwrap_or_default();
            for address in given.into_iter().filter_map(|it| it.ip) {
                if !address.parse::<IpAddr>().is_ok_and(|it| self.pool.contains(it)) {
                    continue;
                }
                let own = || ("Service".to_owned(), namespace.clone(), name.clone());
                let (kind, namespace, name) = self.gateways.owner(&namespace, &name).unwrap_or_else(own);
                owners.push(Owner { address, namespace, name, kind });
            }
        }
        owners.sort_by_cached_key(|it| (it.address.parse::<IpAddr>().ok(), it.namespace.clone(), it.name.clone()));
        Ok(owners)
    }
}

/// The host that a route of `namespace` would be given for `service` on the gateway whose Service this is.
pub fn host(own: &Value, gateway: &GatewayId, projects: Projects, (namespace, service): (&str, &str)) -> Host {
    let Some(mut template) = control::host_template(own, gateway, (&Listening::default(), &[])) else {
        return none("The gateway has no address yet.");
    };
    template.projects = projects;
    let begin = match projects {
        Projects::One => "{service}",
        Projects::Many => "{service}.{project}",
    };
    let text = format!("{begin}.{{address}}.{}", template.suffix);
    let Some(address) = template.address else { return Host { template: text, ..none("The gateway has no address yet.") } };
    match template.host(service, namespace, address) {
        Some(host) => Host { host: host.to_string(), template: text, address: Some(address.to_string()), why: None },
        None => Host { template: text, address: Some(address.to_string()), ..none("The host would be too long for a name.") },
    }
}

/// The gateways that these objects show to serve a namespace, the nearest first; without one, all of them.
pub fn places(objects: &[Value], namespace: Option<&str>, workspace: Option<&str>) -> Vec<(SeenGateway, Serving)> {
    let mut found: Vec<(u8, SeenGateway, Serving)> = Vec::new();
    for seen in access::gateways(objects) {
        let (rank, scope) = match &seen.serves {
            Serves::Project(of) if namespace.is_none_or(|it| it == of) => (0, "Project"),
            Serves::Workspace(of) if namespace.is_none() || workspace == Some(of) => (1, "Workspace"),
            Serves::Everybody => (2, "Cluster"),
            _ => continue,
        };
        let serving = serving(&seen, scope, objects);
        found.push((rank, seen, serving));
    }
    found.sort_by(|a, b| (a.0, &a.2.namespace, &a.2.name).cmp(&(b.0, &b.2.namespace, &b.2.name)));
    found.into_iter().map(|(_, seen, serving)| (seen, serving)).collect()
}

/// A gateway as its own object says.
fn serving(seen: &SeenGateway, scope: &str, objects: &[Value]) -> Serving {
    let port = |it: &SeenPort| Port { name: it.name.clone(), port: it.port, node_port: it.node_port, reached: it.reached };
    let (namespace, name) = (seen.object.namespace.to_string(), seen.object.name.to_string());
    Serving {
        tracing: is_traced(&seen.object.kind, objects, &namespace, &name),
        namespace,
        name,
        scope: scope.to_owned(),
        access: seen.access.map(access::access_word).unwrap_or_default().to_owned(),
        addresses: seen.addresses.clone(),
        nodes: Vec::new(),
        ports: seen.ports.iter().map(port).collect(),
        class: seen.class.clone(),
        is_there_anyway: false,
    }
}

/// Whether who asks for it wants it traced.
fn is_traced(kind: &str, objects: &[Value], namespace: &str, name: &str) -> bool {
    let asked = [Kind::IngressGateway, Kind::KubesphereGateway].into_iter().find(|it| kind == it.name());
    asked.and_then(|kind| find(objects, kind, namespace, name)).is_some_and(|it| it["spec"]["tracing"]["enabled"] == true)
}

fn find<'a>(objects: &'a [Value], kind: Kind, namespace: &str, name: &str) -> Option<&'a Value> {
    let meta = |it: &Value, field: &str| it["metadata"][field].as_str().unwrap_or_default().to_owned();
    let is_of = |it: &Value| it["kind"] == kind.word() && kind.api_versions().iter().any(|version| it["apiVersion"] == *version);
    objects.iter().find(|it| is_of(it) && meta(it, "namespace") == namespace && meta(it, "name") == name)
}

fn none(why: &str) -> Host {
    Host { why: Some(why.to_owned()), ..Host::default() }
}

impl Addresses for Known {
    fn host(&self, namespace: String, service: String, gateway: Option<(String, String)>) -> Waiting<'_, Result<Host, String>> {
        Box::pin(async move {
            let serving = match gateway {
                None => self.home(&namespace).await.map_err(|error| error.to_string())?,
                Some((of, name)) => {
                    let projects = if of == namespace { Projects::One } else { Projects::Many };
                    self.gateways.find(&of, &name).map(|id| Home { id, projects })
                }
            };
            match serving {
                Some(serving) => self.make(&namespace, &service, &serving).await,
                None => Ok(none("No gateway serves this project.")),
            }
        })
    }

    fn serving(&self, namespace: Option<String>) -> Waiting<'_, Result<Vec<Serving>, String>> {
        Box::pin(async move {
            let kinds = [Kind::IngressGateway, Kind::KubesphereGateway, Kind::Service, Kind::Namespace];
            let objects = cli::objects::some(&self.client, &kinds).await.map_err(|error| format!("{error:#}"))?;
            let project = namespace.as_deref().and_then(|it| find(&objects, Kind::Namespace, "", it));
            let workspace = project.and_then(|it| it["metadata"]["labels"][WORKSPACE].as_str());
            let found = places(&objects, namespace.as_deref(), workspace).into_iter();
            Ok(found.filter_map(|(seen, serving)| self.told(&seen, serving)).collect())
        })
    }

    fn pools(&self) -> Waiting<'_, Result<Vec<Pool>, String>> {
        Box::pin(async move {
            let text = self.pool.to_string();
            if text == "none" {
                return Ok(Vec::new());
            }
            let ranges = text.split(',').map(|it| it.trim().to_owned()).collect();
            let total = self.pool.addresses().take(COUNTED).count() as u64;
            let owners = self.owners().await.map_err(|error| error.to_string())?;
            Ok(vec![Pool { name: "pool".to_owned(), ranges, total, owners }])
        })
    }
}

impl Secrets for Known {
    fn certificate(&self, namespace: String, name: String) -> Waiting<'_, Result<Option<Pem>, String>> {
        Box::pin(async move {
            let found =
                Api::<Secret>::namespaced(self.client.clone(), &namespace).get_opt(&name).await.map_err(|error| error.to_string())?;
            Ok(found.and_then(|it| serde_json::to_value(it).ok()).map(|it| Pem::of(&it)))
        })
    }
}
