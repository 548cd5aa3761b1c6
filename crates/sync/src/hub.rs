//! What control publishes, for gateways in pods of their own; and their acknowledgements, joined into what control hears.
//!
//! To control it is the same as a data plane in its own process: updates go in, an [`Ack`] of a version comes out.
//!
//! **Invariant:** a gateway is handed what is its own, by the name in its certificate, and nothing else.
//!
//! **Invariant:** publishing waits for nobody. A pod that lags behind gets what is there once it is ready for it; one that says nothing is let go,
//! and counts no more.

use crate::intake::read_nack;
use crate::stock::{Items, Stock};
use crate::wire::frame;
use model::{Ack, BackendId, BindingState, Endpoint, Gateway, GatewayId, Nack, ShardKey, Update, Version};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// Added to ports below 1024, which need a privilege that pods do not have: 80 becomes 10080.
const SHIFT: u16 = 10_000;
const PRIVILEGED: u16 = 1_024;

/// Where a pod listens for the port that users ask for. `asked`: all that they ask for, since somebody may want that very number.
pub fn container_port(port: u16, asked: &BTreeSet<u16>) -> u16 {
    if port >= PRIVILEGED {
        return port;
    }
    let shifted = port + SHIFT;
    // By such steps no two ports ever become the same.
    (shifted..=u16::MAX).step_by(usize::from(PRIVILEGED)).find(|it| !asked.contains(it)).unwrap_or(shifted)
}

/// What all gateways are to have, and who is connected.
pub struct Hub {
    state: Mutex<State>,
    /// Counts changes, for those who wait for one.
    changed: watch::Sender<u64>,
    news: Notify,
    refused: Vec<SocketAddr>,
    pub(crate) epoch: u64,
}

#[derive(Default)]
struct State {
    version: Version,
    gateways: BTreeMap<GatewayId, Published>,
    endpoints: HashMap<BackendId, Arc<[Endpoint]>>,
    links: BTreeMap<u64, Link>,
    next: u64,
    /// What was said of a version, so that it is not said again.
    told: Option<(Version, Vec<BindingState>)>,
    nacks_told: BTreeSet<(ShardKey, usize, String)>,
    /// What is too large to be sent.
    unsent: BTreeMap<ShardKey, Nack>,
}

/// One gateway.
struct Published {
    /// As control has it, with the addresses that it plans.
    gateway: Option<Arc<Gateway>>,
    stock: Stock,
}

/// One connection of a gateway's pod.
struct Link {
    gateway: GatewayId,
    instance: String,
    acked: Option<Acked>,
}

struct Acked {
    version: Version,
    /// Why a listener does not listen; an empty name: all of them.
    faults: BTreeMap<String, String>,
    nacks: Vec<Nack>,
}

/// One pod, for whoever looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    pub gateway: GatewayId,
    pub instance: String,
    /// What it serves.
    pub version: Option<Version>,
}

// === impl Hub ===

impl Hub {
    /// `epoch`: of the versions that are published; higher at each start. `refused`: addresses that no backend may have.
    pub fn new(epoch: u64, refused: Vec<SocketAddr>) -> Arc<Self> {
        let (changed, news) = (watch::Sender::new(0), Notify::new());
        Arc::new(Self { state: Mutex::default(), changed, news, refused, epoch })
    }

    /// Takes a change. Every gateway it touches will hear of it.
    pub fn publish(&self, update: &Update) {
        let mut state = self.lock();
        state.publish(update, &self.refused);
        drop(state);
        self.changed.send_modify(|it| *it = it.wrapping_add(1));
        self.news.notify_one();
    }

    /// Says what is served whenever that is something else, until nobody listens.
    pub async fn acknowledge(&self, acks: mpsc::Sender<Ack>) {
        loop {
            let news = self.news.notified();
            let ack = self.lock().joined();
            if let Some(ack) = ack {
                if acks.send(ack).await.is_err() {
                    return;
                }
            } else {
                tokio::select! {
                    () = news => {}
                    () = acks.closed() => return,
                }
            }
        }
    }

    /// Who is connected.
    pub fn connected(&self) -> Vec<Connected> {
        let state = self.lock();
        let one = |it: &Link| Connected {
            gateway: it.gateway.clone(),
            instance: it.instance.clone(),
            version: it.acked.as_ref().map(|it| it.version),
        };
        state.links.values().map(one).collect()
    }

    /// What a gateway is to have. `None`: nobody asks for such a gateway, or what it is to have is not known yet.
    pub(crate) fn items(&self, gateway: &GatewayId) -> Option<(Items, Version)> {
        let state = self.lock();
        let published = state.gateways.get(gateway).filter(|it| it.gateway.is_some() && it.stock.is_complete())?;
        Some((published.stock.items(), state.version))
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn join(self: &Arc<Self>, gateway: GatewayId, instance: String) -> Joined {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.links.insert(id, Link { gateway, instance, acked: None });
        Joined { hub: self.clone(), id }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connected pod; it counts no more when dropped.
pub(crate) struct Joined {
    hub: Arc<Hub>,
    id: u64,
}

impl Joined {
    pub fn acknowledged(&self, version: Version, ack: &frame::Ack) {
        let mut state = self.hub.lock();
        if let Some(link) = state.links.get_mut(&self.id) {
            let faults = ack.bindings.iter().filter(|it| !it.fault.is_empty());
            link.acked = Some(Acked {
                version,
                faults: faults.map(|it| (it.listener.clone(), it.fault.clone())).collect(),
                nacks: ack.nacks.iter().filter_map(|it| read_nack(&link.gateway, it)).collect(),
            });
        }
        drop(state);
        self.hub.news.notify_one();
    }

    /// What it has acknowledged is what this version is for it: something may have changed, and changed back.
    pub fn current(&self, version: Version) {
        let mut state = self.hub.lock();
        let acked = state.links.get_mut(&self.id).and_then(|it| it.acked.as_mut());
        let Some(acked) = acked.filter(|it| it.version < version) else { return };
        acked.version = version;
        drop(state);
        self.hub.news.notify_one();
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.hub.lock().links.remove(&self.id);
        self.hub.news.notify_one();
    }
}

// === impl State ===

impl State {
    fn publish(&mut self, update: &Update, refused: &[SocketAddr]) {
        self.version = self.version.max(update.version);
        let version = self.version;
        for (id, endpoints) in &update.endpoints {
            match endpoints {
                Some(all) => drop(self.endpoints.insert(id.clone(), all.clone())),
                None => drop(self.endpoints.remove(id)),
            }
            for published in self.gateways.values_mut().filter(|it| it.stock.needs(id)) {
                match endpoints {
                    Some(all) => published.stock.endpoints(id, all),
                    None => published.stock.without_endpoints(id),
                }
                published.stock.changed = version;
            }
        }
        for (id, gateway) in &update.gateways {
            match gateway {
                Some(gateway) => {
                    let published = self.entry(id, refused);
                    published.stock.gateway(&in_a_pod(gateway));
                    published.gateway = Some(gateway.clone());
                    published.stock.changed = version;
                }
                None => drop(self.gateways.remove(id)),
            }
        }
        for (key, shard) in &update.shards {
            self.nacks_told.retain(|(told, ..)| told != key);
            let endpoints = std::mem::take(&mut self.endpoints);
            let published = self.entry(&key.gateway, refused);
            let unsent = published.stock.shard(key, shard.as_ref(), &endpoints);
            published.stock.changed = version;
            self.endpoints = endpoints;
            match unsent {
                Some(nack) => drop(self.unsent.insert(key.clone(), nack)),
                None => drop(self.unsent.remove(key)),
            }
        }
    }

    /// A shard may come before its gateway.
    fn entry(&mut self, id: &GatewayId, refused: &[SocketAddr]) -> &mut Published {
        self.gateways.entry(id.clone()).or_insert_with(|| Published { gateway: None, stock: Stock::new(refused) })
    }

    /// What is served of all gateways: the oldest version that a pod which serves at all still has. `None`: nothing that was not said.
    fn joined(&mut self) -> Option<Ack> {
        let (mut version, mut nacks) = (self.version, self.unsent.values().cloned().collect::<Vec<_>>());
        for link in self.links.values() {
            let (Some(acked), Some(published)) = (&link.acked, self.gateways.get(&link.gateway)) else { continue };
            if published.stock.changed > acked.version {
                // What it refused may be mended by what is on its way.
                version = version.min(acked.version);
            } else {
                nacks.extend(acked.nacks.iter().cloned());
            }
        }
        nacks.retain(|it| !self.nacks_told.contains(&(it.shard.clone(), it.route, it.message.clone())));
        let mut new = BTreeSet::new();
        nacks.retain(|it| new.insert((it.shard.clone(), it.route, it.message.clone())));
        let bindings: Vec<BindingState> = self.gateways.values().flat_map(|it| self.bindings(it)).collect();
        let now = (version, bindings);
        if nacks.is_empty() && self.told.as_ref() == Some(&now) {
            return None;
        }
        self.nacks_told.extend(new);
        self.told = Some(now.clone());
        (version != Version::default()).then_some(Ack { version: now.0, bindings: now.1, nacks })
    }

    fn bindings(&self, published: &Published) -> Vec<BindingState> {
        let Some(gateway) = &published.gateway else { return Vec::new() };
        let pods: Vec<(&str, &Acked)> = self
            .links
            .values()
            .filter(|it| it.gateway == gateway.id)
            .filter_map(|it| Some((it.instance.as_str(), it.acked.as_ref()?)))
            .collect();
        // Nobody has tried yet.
        if pods.is_empty() {
            return Vec::new();
        }
        let state = |listener: &str| {
            let fault = |acked: &Acked| acked.faults.get(listener).or_else(|| acked.faults.get("")).cloned();
            pods.iter().find_map(|(pod, acked)| Some(format!("{pod}: {}", fault(acked)?))).map_or(Ok(()), Err)
        };
        let of = |it: &model::Listener| {
            let (name, state) = (it.name.clone(), state(it.name.as_str()));
            it.bindings.clone().into_iter().map(move |binding| BindingState {
                gateway: gateway.id.clone(),
                listener: name.clone(),
                address: binding.address,
                bound: state.clone().map(|()| binding.address),
            })
        };
        gateway.listeners.iter().flat_map(of).collect()
    }
}

/// The gateway as its pods have it: every address of a pod, and ports that need no privilege.
fn in_a_pod(gateway: &Gateway) -> Gateway {
    let asked: BTreeSet<u16> = gateway.listeners.iter().map(|it| it.port).collect();
    let https = |it: &model::Listener| it.bindings.iter().find_map(|it| it.https_port);
    let listener = |it: &model::Listener| {
        let port = container_port(it.port, &asked);
        let every = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let binding = |ip| model::Binding { address: SocketAddr::new(ip, port), https_port: https(it) };
        model::Listener { bindings: every.map(binding).into(), ..it.clone() }
    };
    Gateway { listeners: gateway.listeners.iter().map(listener).collect(), ..gateway.clone() }
}
