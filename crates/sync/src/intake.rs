//! The state of the link, at the gateway's end. No IO. It outlives connections: what a gateway has, it need not be sent again.

use crate::LinkError;
use crate::carry::{self, Digest, Known};
use crate::entry::{Entry, named, read_shard_key, shard_key};
use crate::wire::frame::{self, Said, Told};
use crate::wire::{Unread, wholly};
use bytes::Bytes;
use model::{Ack, BackendId, GatewayId, Nack, SectionName, Shard, ShardKey, Update, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// Things in one change, and their octets: far more than there is in any cluster, and less than would end a machine.
const MOST: usize = 2_000_000;
const MOST_OCTETS: usize = 1 << 30;

/// Entries of one part of what is lacking.
const PART: usize = 65_536;
/// Nacks that are told, and octets of each.
const NACKS: usize = 1_000;
const NACK: usize = 512;

/// Which gateway this is, what it has, and what is on its way.
///
/// **Invariant:** what is in force is what the last commit said, whole; a connection that breaks before changes nothing.
pub struct Intake {
    families: Families,
    id: Option<GatewayId>,
    /// The newest that has been heard: an older control is no longer obeyed.
    epoch: u64,
    have: BTreeMap<Entry, Digest>,
    known: Known,
    /// What of each shard is not served, read or compiled.
    nacks: BTreeMap<ShardKey, Vec<Nack>>,
    /// Listeners that were not understood.
    faults: Vec<(SectionName, Unread)>,
    coming: Coming,
}

/// The addresses that sockets here can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    Both,
    /// No IPv6: what is to listen there does not.
    V4,
}

/// A change that is not in force yet.
#[derive(Default)]
struct Coming {
    /// All there is, where that is being told. `None` in it: something that this version does not know.
    inventory: Option<Vec<(Option<Entry>, Digest)>>,
    bodies: BTreeMap<Entry, (Digest, Bytes)>,
    octets: usize,
    gone: BTreeSet<Entry>,
}

/// What a message leads to.
pub enum Step {
    Nothing,
    Say(Vec<Said>),
    /// To be put in force, and then told to [`Intake::applied`].
    Apply(Box<Order>),
}

/// A change, understood.
pub struct Order {
    pub update: Update,
    /// Backends that nothing leads to once the update is in force: not earlier, since requests are still under way to them.
    pub retired: Vec<BackendId>,
    /// Addresses that are refused as endpoints, where those are different.
    pub refused: Option<Vec<SocketAddr>>,
    nacks: Vec<Nack>,
    faults: Option<Vec<(SectionName, Unread)>>,
    have: BTreeMap<Entry, Digest>,
}

// === impl Intake ===

impl Intake {
    pub fn new(families: Families) -> Self {
        Self {
            families,
            id: None,
            epoch: 0,
            have: BTreeMap::new(),
            known: Known::default(),
            nacks: BTreeMap::new(),
            faults: Vec::new(),
            coming: Coming::default(),
        }
    }

    /// Who this is, as control has said.
    pub fn id(&self) -> Option<&GatewayId> {
        self.id.as_ref()
    }

    /// A new connection: what was on its way over the last one is forgotten.
    pub fn connected(&mut self) {
        self.coming = Coming::default();
    }

    pub fn told(&mut self, told: Told) -> Result<Step, LinkError> {
        match told {
            Told::Welcome(it) => self.welcome(&it).map(|()| Step::Nothing),
            Told::Inventory(it) => self.inventory(it),
            Told::Body(it) => self.body(it).map(|()| Step::Nothing),
            Told::Gone(key) => self.gone(&key).map(|()| Step::Nothing),
            Told::Commit(it) => self.commit(Version { epoch: it.epoch, sequence: it.sequence }),
            Told::Ping(_) => Ok(Step::Nothing),
            Told::Refused(it) => Err(LinkError::Refused(it.why)),
            Told::Enrolled(_) => Err(LinkError::Unexpected("a certificate")),
        }
    }

    fn welcome(&mut self, welcome: &frame::Welcome) -> Result<(), LinkError> {
        if welcome.epoch < self.epoch {
            return Err(LinkError::Stale(welcome.epoch, self.epoch));
        }
        let id = GatewayId::new(welcome.gateway.as_str());
        // What one gateway was told is nothing to another.
        if self.id.as_ref().is_some_and(|it| *it != id) {
            return Err(LinkError::Unexpected("the name of another gateway"));
        }
        (self.epoch, self.id) = (welcome.epoch, Some(id));
        Ok(())
    }

    fn inventory(&mut self, part: frame::Inventory) -> Result<Step, LinkError> {
        let inventory = self.coming.inventory.get_or_insert_default();
        for frame::Entry { key, digest } in part.entries {
            if inventory.len() == MOST {
                return Err(LinkError::Unexpected("more than any gateway has"));
            }
            let digest = Digest::try_from(digest.as_slice()).map_err(|_| LinkError::Unexpected("a digest of another length"))?;
            inventory.push((known(key.as_ref()), digest));
        }
        if !part.last {
            return Ok(Step::Nothing);
        }
        let lacks = |(entry, digest): &(Option<Entry>, Digest)| entry.as_ref().is_some_and(|it| self.have.get(it) != Some(digest));
        let lacking = inventory.iter().enumerate().filter(|(_, it)| lacks(it)).filter_map(|(index, _)| u32::try_from(index).ok());
        let lacking: Vec<u32> = lacking.collect();
        let mut parts: Vec<frame::Lack> = lacking.chunks(PART).map(|it| frame::Lack { entries: it.to_vec(), last: false }).collect();
        match parts.last_mut() {
            Some(part) => part.last = true,
            None => parts.push(frame::Lack { entries: Vec::new(), last: true }),
        }
        Ok(Step::Say(parts.into_iter().map(Said::Lack).collect()))
    }

    fn body(&mut self, body: frame::Body) -> Result<(), LinkError> {
        let digest = Digest::try_from(body.digest.as_slice()).map_err(|_| LinkError::Unexpected("a digest of another length"))?;
        let Some(entry) = known(body.key.as_ref()) else { return Ok(()) };
        self.coming.octets = self.coming.octets.saturating_add(body.octets.len());
        if self.coming.octets > MOST_OCTETS || self.coming.bodies.len() >= MOST {
            return Err(LinkError::Unexpected("more than any gateway has"));
        }
        self.coming.gone.remove(&entry);
        self.coming.bodies.insert(entry, (digest, body.octets));
        Ok(())
    }

    fn gone(&mut self, key: &frame::Key) -> Result<(), LinkError> {
        if self.coming.gone.len() >= MOST {
            return Err(LinkError::Unexpected("more than any gateway has"));
        }
        if let Some(entry) = known(Some(key)) {
            self.coming.bodies.remove(&entry);
            self.coming.gone.insert(entry);
        }
        Ok(())
    }

    fn commit(&mut self, version: Version) -> Result<Step, LinkError> {
        let Some(id) = self.id.clone() else { return Err(LinkError::Unexpected("a commit before a welcome")) };
        if version.epoch != self.epoch {
            return Err(LinkError::Unexpected("a version of another epoch"));
        }
        let Coming { inventory, bodies, mut gone, .. } = std::mem::take(&mut self.coming);
        let mut have = self.have.clone();
        if let Some(inventory) = inventory {
            let there: BTreeSet<Entry> = inventory.into_iter().filter_map(|(entry, _)| entry).collect();
            gone.extend(have.keys().filter(|it| !there.contains(*it)).cloned());
        }
        have.retain(|entry, _| !gone.contains(entry));
        have.extend(bodies.iter().map(|(entry, (digest, _))| (entry.clone(), *digest)));
        let mut order = Order {
            update: Update { version, ..Update::default() },
            retired: Vec::new(),
            refused: None,
            nacks: Vec::new(),
            faults: None,
            have,
        };
        // In the order of entries: what others need comes first.
        for (entry, (_, octets)) in bodies {
            self.read(&id, entry, &octets, &mut order);
        }
        for entry in gone {
            match entry {
                Entry::Endpoints(backend) => order.retired.push(backend),
                Entry::Gateway => order.update.gateways.push((id.clone(), None)),
                Entry::Shard(port, host) => order.update.shards.push((named(&id, port, host), None)),
                Entry::Settings => order.refused = Some(Vec::new()),
                // Other things may still name it until this is in force.
                Entry::Certificate(_) | Entry::Trust(_) => {}
            }
        }
        Ok(Step::Apply(Box::new(order)))
    }

    fn read(&mut self, id: &GatewayId, entry: Entry, octets: &[u8], order: &mut Order) {
        let Order { update, nacks, refused, faults, .. } = order;
        match entry {
            Entry::Settings => *refused = Some(read_settings(octets)),
            // What names one that cannot be read is closed, and says so.
            Entry::Certificate(digest) => match carry::read_certificate(octets) {
                Ok(it) => drop(self.known.certificates.insert(digest, Arc::new(it))),
                Err(why) => tracing::warn!(%why, "a certificate cannot be used"),
            },
            Entry::Trust(digest) => match carry::read_trust(octets) {
                Ok(it) => drop(self.known.trusts.insert(digest, Arc::new(it))),
                Err(why) => tracing::warn!(%why, "a set of authorities cannot be used"),
            },
            Entry::Endpoints(backend) => {
                let endpoints = carry::read_endpoints(octets).unwrap_or_else(|why| {
                    tracing::warn!(%backend, %why, "the backend counts as having no endpoint");
                    Arc::from([])
                });
                update.endpoints.push((backend, Some(endpoints)));
            }
            Entry::Gateway => match carry::read_gateway(id, octets, &self.known) {
                Ok((mut gateway, unread)) => {
                    self.families.keep(&mut gateway);
                    update.gateways.push((id.clone(), Some(Arc::new(gateway))));
                    *faults = Some(unread);
                }
                Err(why) => {
                    update.gateways.push((id.clone(), None));
                    *faults = Some(vec![(SectionName::new(""), why)]);
                }
            },
            Entry::Shard(port, host) => {
                let key = named(id, port, host);
                let (host, unread) = carry::read_host(&key.host, octets, &self.known);
                nacks.extend(unread.into_iter().map(|(route, why)| Nack { shard: key.clone(), route, message: why.to_string() }));
                update.shards.push((key, Some(Shard::new(host))));
            }
        }
    }

    /// An order is in force. What is to be said of it.
    pub fn applied(&mut self, order: Order, ack: Ack) -> Said {
        for (key, _) in &order.update.shards {
            self.nacks.remove(key);
        }
        for nack in order.nacks.into_iter().chain(ack.nacks) {
            self.nacks.entry(nack.shard.clone()).or_default().push(nack);
        }
        if let Some(faults) = order.faults {
            self.faults = faults;
        }
        self.have = order.have;
        let have = &self.have;
        self.known.certificates.retain(|it, _| have.contains_key(&Entry::Certificate(*it)));
        self.known.trusts.retain(|it, _| have.contains_key(&Entry::Trust(*it)));
        let bound = ack.bindings.into_iter().map(|it| {
            let fault = it.bound.err().map(|why| format!("{}: {why}", it.address)).unwrap_or_default();
            frame::Bound { listener: it.listener.to_string(), fault }
        });
        let unread = self.faults.iter().map(|(name, why)| frame::Bound { listener: name.to_string(), fault: why.to_string() });
        let nacks = self.nacks.values().flatten().take(NACKS).map(|it| frame::Nack {
            shard: Some(shard_key(it.shard.port, &it.shard.host)),
            route: u32::try_from(it.route).unwrap_or(u32::MAX),
            message: it.message.chars().take(NACK).collect(),
        });
        let version = frame::Version { epoch: ack.version.epoch, sequence: ack.version.sequence };
        Said::Ack(frame::Ack { version: Some(version), bindings: bound.chain(unread).collect(), nacks: nacks.collect() })
    }
}

// === impl Families ===

impl Families {
    fn keep(self, gateway: &mut model::Gateway) {
        for listener in &mut gateway.listeners {
            listener.bindings.retain(|it| self == Self::Both || it.address.is_ipv4());
        }
    }
}

/// `None`: a thing of a kind that this version does not know. What needs it says so in its own words, which are not known either.
fn known(key: Option<&frame::Key>) -> Option<Entry> {
    match Entry::read(key.unwrap_or(&frame::Key::default())) {
        Ok(entry) => Some(entry),
        Err(why) => {
            tracing::warn!(%why, "control is newer, and has sent something that is left out");
            None
        }
    }
}

/// What of them can be read: each address refuses one more.
fn read_settings(octets: &[u8]) -> Vec<SocketAddr> {
    let settings = wholly("what the gateway as a whole is told", octets).or_else(|why| {
        tracing::warn!(%why, "control is newer, and has sent something that is left out");
        crate::wire::exactly(octets).map(|(it, _)| it)
    });
    let settings: crate::wire::gateway::Settings = settings.unwrap_or_default();
    settings.refused.iter().filter_map(|it| carry::read_address(it).ok()).collect()
}

/// A nack as it came.
pub fn read_nack(gateway: &GatewayId, from: &frame::Nack) -> Option<Nack> {
    let (port, host) = read_shard_key(from.shard.as_ref()?).ok()?;
    Some(Nack { shard: named(gateway, port, host), route: usize::try_from(from.route).ok()?, message: from.message.clone() })
}
