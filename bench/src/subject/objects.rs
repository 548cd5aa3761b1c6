//! The table as Kubernetes objects, translated as `control` translates them: an edit begins with an object, as a watch brings it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use model::{BackendId, ShardKey, Update};
use resources::{Change, Resources};
use serde_json::{Value, json};
use translate::{InUse, Options, touched, translate_shard};

use super::{Arguments, generate};
use crate::table::{Row, Table};

/// Where edited hosts go.
const SECOND: &str = "second";

pub struct World {
    resources: Resources,
    options: Options,
    in_use: InUse,
    sequence: u64,
    table: Table,
}

// === impl World ===

impl World {
    /// Every object of the table, and the Service that edits lead to.
    pub fn new(arguments: &Arguments, second: SocketAddr) -> Self {
        let table = Table { size: arguments.size.clone(), origin: arguments.origin, second: None };
        let services = (0..table.size.backends).map(service).flat_map(|name| with_slice(&name, table.origin));
        let ingresses = table.rows().map(|row| ingress(&row, &service(row.backend)));
        let objects: Vec<Value> = services.chain(with_slice(SECOND, second)).chain(ingresses).collect();
        let (resources, options) = (Resources::of(&objects), Options::new(generate::gateway_id()));
        Self { resources, options, in_use: InUse::default(), sequence: 0, table }
    }

    /// Everything, the gateway included.
    pub fn whole(&mut self, arguments: &Arguments) -> Update {
        let keys = translate::keys(&self.resources, &self.options);
        let mut update = self.translate(keys, BTreeSet::new());
        update.gateways = generate::gateways(arguments, None);
        update
    }

    /// One Ingress leads to the other Service.
    pub fn edit(&mut self, index: usize) -> Result<Update> {
        let object = ingress(&self.table.row(index), SECOND);
        let applied = self.resources.apply(Change::of(&object).context("an Ingress has a kind and a name")?);
        let touched = touched(&self.resources, &self.options, &applied);
        let backends = self.in_use.of(&touched.services);
        Ok(self.translate(touched.shards, backends))
    }

    fn translate(&mut self, keys: BTreeSet<ShardKey>, mut backends: BTreeSet<BackendId>) -> Update {
        self.sequence += 1;
        let mut update = Update { version: generate::version(self.sequence), ..Update::default() };
        for key in keys {
            let (shard, _) = translate_shard(&self.resources, &self.options, &key);
            backends.extend(self.in_use.update(&key, shard.as_ref()).begun);
            update.shards.push((key, shard));
        }
        for id in backends {
            let (endpoints, _) = translate::endpoints(&self.resources, &self.options, &id);
            update.endpoints.push((id, Some(endpoints.into())));
        }
        update
    }
}

fn service(backend: usize) -> String {
    format!("service{backend}")
}

fn with_slice(name: &str, origin: SocketAddr) -> [Value; 2] {
    let port = origin.port();
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "bench"},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": format!("{name}-1"), "namespace": "bench", "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [origin.ip().to_string()], "conditions": {"ready": true}}],
        }),
    ]
}

/// Of a host without a regular expression: edits are measured on those alone.
fn ingress(row: &Row, service: &str) -> Value {
    let name = row.host.split('.').next().unwrap_or_default();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "bench"},
        "spec": {"rules": [{"host": row.host, "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}},
        ]}}]},
    })
}
