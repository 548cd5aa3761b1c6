//! A data plane that only remembers, connections that break when told, and what two gateways are to have.

use super::sample::{backend, certificate};
use crate::follow::{Dialed, Follower, LinkState};
use crate::framing::LinkError;
use crate::hub::Hub;
use crate::identity::Identity;
use crate::intake::{Families, Intake};
use crate::serve::serve_stream;
use model::{
    Ack, Action, BackendId, Binding, BindingState, Endpoint, Forward, Gateway, GatewayId, Host, HostTls, Listener, ListenerProtocol, Match,
    Nack, ObjectRef, Replies, Route, SectionName, Shard, ShardKey, Source, Update, Version,
};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::watch;
use tokio::time::Instant;

/// What a gateway serves, or is to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub endpoints: BTreeMap<BackendId, Vec<Endpoint>>,
    pub gateways: BTreeMap<GatewayId, Vec<SectionName>>,
    pub shards: BTreeMap<ShardKey, Host>,
}

/// A data plane that remembers.
#[derive(Default)]
pub struct Plane(Mutex<Remembered>);

#[derive(Default)]
pub struct Remembered {
    pub served: Served,
    pub version: Version,
    /// Shards that were sent, in all.
    pub bodies: usize,
    pub updates: usize,
    /// Refuses these, for this reason.
    pub refuses: BTreeMap<ShardKey, String>,
    pub refused: Vec<SocketAddr>,
}

impl Plane {
    pub fn look(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().expect("nothing panics with it")
    }
}

impl Served {
    pub fn apply(&mut self, update: &Update) {
        for (id, endpoints) in &update.endpoints {
            match endpoints {
                Some(all) => drop(self.endpoints.insert(id.clone(), all.to_vec())),
                None => drop(self.endpoints.remove(id)),
            }
        }
        for (id, gateway) in &update.gateways {
            match gateway {
                Some(it) => drop(self.gateways.insert(id.clone(), it.listeners.iter().map(|it| it.name.clone()).collect())),
                None => drop(self.gateways.remove(id)),
            }
        }
        for (key, shard) in &update.shards {
            match shard {
                Some(it) => drop(self.shards.insert(key.clone(), (*it.host).clone())),
                None => drop(self.shards.remove(key)),
            }
        }
    }

    /// What one gateway has of it.
    pub fn of(&self, gateway: &GatewayId) -> Self {
        let shards: BTreeMap<ShardKey, Host> =
            self.shards.iter().filter(|it| it.0.gateway == *gateway).map(|(key, it)| (key.clone(), it.clone())).collect();
        let needed = |id: &BackendId| shards.values().any(|host| host.backends().any(|it| it.id == *id));
        Self {
            endpoints: self.endpoints.iter().filter(|it| needed(it.0)).map(|(id, it)| (id.clone(), it.clone())).collect(),
            gateways: self.gateways.iter().filter(|it| it.0 == gateway).map(|(id, it)| (id.clone(), it.clone())).collect(),
            shards,
        }
    }
}

impl Follower for Plane {
    async fn apply(&self, update: Update) -> Ack {
        tokio::task::yield_now().await;
        let mut it = self.look();
        assert!(update.version >= it.version, "{} after {}", update.version, it.version);
        let nack = |key: &ShardKey| Some(Nack { shard: key.clone(), route: 0, message: it.refuses.get(key)?.clone() });
        let nacks = update.shards.iter().filter(|it| it.1.is_some()).filter_map(|(key, _)| nack(key)).collect();
        it.served.apply(&update);
        it.version = update.version;
        it.bodies += update.shards.len();
        it.updates += 1;
        // No route leads to what it has not heard of.
        for host in it.served.shards.values() {
            for id in host.backends().map(|it| &it.id) {
                assert!(it.served.endpoints.contains_key(id), "{id} is not known");
            }
        }
        let bound = |(id, listeners): (&GatewayId, &Vec<SectionName>)| {
            let state = |listener: &SectionName| BindingState {
                gateway: id.clone(),
                listener: listener.clone(),
                address: ([0, 0, 0, 0], 80).into(),
                bound: Ok(([0, 0, 0, 0], 80).into()),
            };
            listeners.iter().map(state).collect::<Vec<_>>()
        };
        Ack { version: update.version, bindings: it.served.gateways.iter().flat_map(bound).collect(), nacks }
    }

    fn refuse(&self, addresses: Vec<SocketAddr>) {
        self.look().refused = addresses;
    }
}

/// A connection that breaks after so many octets, and remembers what was read.
pub struct Fragile {
    inner: DuplexStream,
    left: usize,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Fragile {
    fn spend(&mut self, octets: usize) -> io::Result<()> {
        self.left = self.left.saturating_sub(octets);
        if self.left == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Fragile {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = buf.filled()[before..].to_vec();
        self.read.lock().expect("nothing panics with it").extend_from_slice(&new);
        Poll::Ready(self.spend(new.len()))
    }
}

impl AsyncWrite for Fragile {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        Poll::Ready(self.spend(written).map(|()| written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A gateway's process.
pub struct Pod {
    pub id: GatewayId,
    pub plane: Arc<Plane>,
    pub intake: Intake,
    pub state: watch::Sender<LinkState>,
    /// All that it ever read.
    pub read: Arc<Mutex<Vec<u8>>>,
}

impl Pod {
    pub fn of(id: &str) -> Self {
        Self {
            id: GatewayId::new(id),
            plane: Arc::default(),
            intake: Intake::new(Families::Both),
            state: watch::Sender::new(LinkState::default()),
            read: Arc::default(),
        }
    }

    /// One connection, until it ends or `octets` have gone over it.
    pub async fn talk(&mut self, hub: &Arc<Hub>, octets: usize) -> LinkError {
        let (here, there) = tokio::io::duplex(1 << 20);
        let identity = Identity { gateway: self.id.clone(), until: SystemTime::now() + Duration::from_secs(86_400) };
        let server = tokio::spawn(serve_stream(there, identity, hub.clone()));
        let dialed = Dialed {
            intake: &mut self.intake,
            follower: &*self.plane,
            state: &self.state,
            instance: "pod-1",
            until: Instant::now() + Duration::from_secs(86_400),
        };
        let ended = dialed.talk(Fragile { inner: here, left: octets, read: self.read.clone() }).await;
        // It notices by itself.
        let _ = server.await;
        ended
    }

    /// As [`Pod::talk`], for so long.
    pub async fn talk_for(&mut self, hub: &Arc<Hub>, time: Duration) -> Option<LinkError> {
        tokio::time::timeout(time, self.talk(hub, usize::MAX)).await.ok()
    }
}

pub fn key(gateway: &str, host: &str) -> ShardKey {
    ShardKey { gateway: GatewayId::new(gateway), port: None, host: super::sample::name(host) }
}

/// A gateway with one listener.
pub fn gateway(id: &str) -> (GatewayId, Option<Arc<Gateway>>) {
    let id = GatewayId::new(id);
    let binding = Binding { address: ([192, 0, 2, 1], 30_080).into(), https_port: None };
    let listener = Listener { name: SectionName::new("http"), protocol: ListenerProtocol::Http, port: 80, bindings: vec![binding] };
    let gateway = Gateway {
        id: id.clone(),
        listeners: vec![listener],
        default_certificate: None,
        replies: Replies::default(),
        options: Arc::default(),
    };
    (id, Some(Arc::new(gateway)))
}

/// A host with a certificate of this key, whose routes lead to these backends.
pub fn shard(host: &str, secret: &str, backends: &[&str]) -> Shard {
    let route = |id: &&str| Route {
        source: Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "spec".into() },
        replies: None,
        matches: vec![Match::default()],
        filters: Vec::new(),
        action: Action::Forward(Forward::to(backend(id))),
    };
    let tls = HostTls::Certificate(certificate(secret.as_bytes()));
    Shard::new(Host { tls, routes: backends.iter().map(route).collect(), ..Host::new(super::sample::name(host)) })
}

pub fn endpoints(id: &str, last: u8) -> (BackendId, Option<Arc<[Endpoint]>>) {
    (BackendId::new(id), Some(Arc::from([Endpoint { address: ([10, 0, 0, last], 80).into() }])))
}

pub fn version(epoch: u64, sequence: u64) -> Version {
    Version { epoch, sequence }
}
