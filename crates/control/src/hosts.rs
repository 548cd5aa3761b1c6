//! Where gateways are and were, for the hosts that are made of their addresses.

use crate::services::is_ours;
use crate::{Gateways, Plan};
use model::{GatewayId, Text};
use resources::{AddressForm, Change, HostTemplate, Kind as ReadKind, Name, Projects, Scope, SharedGateway};
use serde_json::Value;
use status::{Kind, Mailbox, Target, Wish};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use translate::Listening;

/// On a gateway's Service: how hosts are made there, of which address, and of which ones they were made until lately. For later starts, and for
/// those who look from elsewhere.
const HOSTS: &str = "paifang.dev/hosts";

/// Former addresses that are kept of one gateway.
const MOST: usize = 16;

/// What an operator decides about generated hosts.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// What they end in, for example `nip.io`.
    pub suffix: Text,
    pub form: AddressForm,
    /// How long hosts made of an address are served once the gateway has another one.
    pub grace: Duration,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self { suffix: "nip.io".into(), form: AddressForm::Dotted, grace: Duration::from_secs(3600) }
    }
}

/// Remembers addresses over restarts in an annotation of the gateways' own Services, which those who make routes cannot write.
///
/// **Invariant:** what a Service says from an earlier time is taken in before anything is written there.
#[derive(Default)]
pub(crate) struct Hosts {
    options: HostOptions,
    gateways: BTreeMap<GatewayId, Known>,
    /// As translation was told.
    told: BTreeMap<GatewayId, HostTemplate>,
    /// Services of ours, and what they say.
    services: BTreeMap<Name, Said>,
}

/// The annotation, `FORM SUFFIX: ADDRESSES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    form: AddressForm,
    suffix: Text,
    memory: Memory,
}

#[derive(Default)]
struct Known {
    memory: Memory,
    /// Whether its Service has been seen.
    seen: bool,
}

/// Addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Memory {
    current: Option<IpAddr>,
    /// Until when; in seconds since 1970.
    former: BTreeMap<IpAddr, i64>,
}

// === impl Hosts ===

impl Hosts {
    pub fn new(options: HostOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// An object as it is now.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) {
        if target.kind != Kind::Service {
            return;
        }
        let name = Name::new(target.namespace.as_str(), target.name.as_str());
        match object.filter(|it| is_ours(it)) {
            Some(object) => {
                self.services.insert(name, Said::of(object).unwrap_or_default());
            }
            None => drop(self.services.remove(&name)),
        }
    }

    /// What translation has to be told, now that the gateways are there.
    pub fn follow(&mut self, plans: &Gateways, (listening, shared): (&Listening, &[SharedGateway]), now: i64) -> Vec<Change> {
        self.gateways.retain(|id, _| plans.get(id).is_some());
        for plan in plans.iter() {
            let known = self.gateways.entry(plan.id.clone()).or_default();
            let said = plan.services.first().filter(|_| !known.seen).and_then(|it| self.services.get(it));
            // Of a cluster's many nodes it stays with the one it had.
            let had = known.memory.current.or_else(|| said?.memory.current).filter(|it| shown(plan).contains(it));
            known.memory.follow(had.or_else(|| address(plan)), now, self.options.grace);
            if let Some(said) = said {
                known.seen = true;
                known.memory.remember(&said.memory, now, self.options.grace);
            }
            known.memory.forget(now);
        }
        let template = |(id, known): (&GatewayId, &Known)| (id.clone(), template(id, &self.said(&known.memory), (listening, shared)));
        let now: BTreeMap<GatewayId, HostTemplate> = self.gateways.iter().map(template).collect();
        let gone = self.told.keys().filter(|id| !now.contains_key(*id)).map(|id| Change::Hosts { gateway: id.clone(), template: None });
        let new = now.iter().filter(|(id, it)| self.told.get(*id) != Some(*it));
        let new = new.map(|(id, it)| Change::Hosts { gateway: id.clone(), template: Some(it.clone()) });
        let changes = gone.chain(new).collect();
        self.told = now;
        changes
    }

    /// Whether an address is no longer kept.
    pub fn is_due(&self, now: i64) -> bool {
        self.gateways.values().any(|it| it.memory.former.values().any(|until| *until <= now))
    }

    /// Writes what must outlive this process.
    pub fn keep(&self, plans: &Gateways, mailbox: &Mailbox) {
        for (id, known) in self.gateways.iter().filter(|(_, it)| it.seen) {
            let Some(service) = plans.get(id).and_then(|it| it.services.first()) else { continue };
            let wanted = self.said(&known.memory);
            if self.services.get(service).is_some_and(|said| *said != wanted) {
                let target = Target::new(Kind::Service, service.namespace.as_str(), service.name.as_str());
                mailbox.put(target, Wish::Annotation(HOSTS, Some(wanted.text())));
            }
        }
    }

    fn said(&self, memory: &Memory) -> Said {
        Said { form: self.options.form, suffix: self.options.suffix.clone(), memory: memory.clone() }
    }

    /// Addresses that hosts of a gateway hold.
    pub fn of(&self, id: &GatewayId) -> impl Iterator<Item = IpAddr> + '_ {
        let memory = self.gateways.get(id).map(|it| &it.memory);
        memory.into_iter().flat_map(|it| it.current.into_iter().chain(it.former.keys().copied()))
    }
}

/// What hosts are made of: the first IPv4 address that is shown, else the first of IPv6.
fn address(plan: &Plan) -> Option<IpAddr> {
    let addresses = shown(plan);
    addresses.iter().find(|it| it.is_ipv4()).or_else(|| addresses.first()).copied()
}

/// Addresses that lead to a gateway; others' names for it lead there by themselves.
pub(crate) fn shown(plan: &Plan) -> Vec<IpAddr> {
    plan.shown().iter().filter_map(|it| it.parse().ok()).filter(|it: &IpAddr| !it.is_unspecified()).collect()
}

/// How hosts are made on a gateway, as its Service says; `None`: it does not.
pub fn host_template(service: &Value, id: &GatewayId, around: (&Listening, &[SharedGateway])) -> Option<HostTemplate> {
    Some(template(id, &Said::of(service)?, around))
}

fn template(id: &GatewayId, said: &Said, (listening, shared): (&Listening, &[SharedGateway])) -> HostTemplate {
    let ingresses = shared.iter().find(|it| it.id == *id).map(|it| it.scope.clone());
    let owners = listening.gateways.get(id).into_iter().flat_map(|it| it.ports.values()).flat_map(|it| &it.owners);
    let parents = owners.filter(|it| it.kind == *ReadKind::Gateway.name()).map(|it| Name::new(it.namespace.clone(), it.name.clone()));
    HostTemplate {
        projects: if matches!(ingresses, Some(Scope::Namespace(_))) { Projects::One } else { Projects::Many },
        ingresses,
        parents: parents.collect(),
        form: said.form,
        suffix: said.suffix.clone(),
        address: said.memory.current,
        former: said.memory.former.keys().copied().collect(),
    }
}

// === impl Said ===

impl Said {
    fn of(service: &Value) -> Option<Self> {
        let said = service.pointer("/metadata/annotations")?.get(HOSTS)?.as_str()?;
        let (made, addresses) = said.split_once(": ")?;
        let (form, suffix) = made.split_once(' ')?;
        let form = if form == DASHED { AddressForm::Dashed } else { AddressForm::Dotted };
        Some(Self { form, suffix: suffix.into(), memory: Memory::read(addresses) })
    }

    fn text(&self) -> String {
        let form = match self.form {
            AddressForm::Dotted => DOTTED,
            AddressForm::Dashed => DASHED,
        };
        format!("{form} {}: {}", self.suffix, self.memory.text())
    }
}

const DOTTED: &str = "dotted";
const DASHED: &str = "dashed";

// === impl Memory ===

impl Memory {
    /// The address is this one from now on. One that is lost for a while is none that the gateway had.
    fn follow(&mut self, address: Option<IpAddr>, now: i64, grace: Duration) {
        let Some(address) = address.filter(|it| self.current != Some(*it)) else { return };
        if let Some(before) = self.current.replace(address) {
            self.leave(before, until(now, grace));
        }
        self.former.remove(&address);
    }

    /// What an earlier process knew.
    fn remember(&mut self, said: &Self, now: i64, grace: Duration) {
        for (address, end) in &said.former {
            // Whoever wrote more than we ever would means nothing by it.
            self.leave(*address, (*end).min(until(now, grace)));
        }
        match (said.current, self.current) {
            (Some(before), None) => self.current = Some(before),
            (Some(before), Some(_)) => self.leave(before, until(now, grace)),
            (None, _) => {}
        }
    }

    fn leave(&mut self, address: IpAddr, end: i64) {
        if Some(address) != self.current {
            let kept = self.former.entry(address).or_insert(end);
            *kept = (*kept).max(end);
        }
        while self.former.len() > MOST {
            let Some(first) = self.former.iter().min_by_key(|(_, end)| **end).map(|(it, _)| *it) else { break };
            self.former.remove(&first);
        }
    }

    fn forget(&mut self, now: i64) {
        self.former.retain(|_, end| *end > now);
    }

    /// `10.0.0.2, 10.0.0.1 until 2026-01-01T00:00:00Z`
    fn text(&self) -> String {
        let former = self.former.iter().map(|(address, end)| {
            let end = jiff::Timestamp::from_second(*end).unwrap_or(jiff::Timestamp::MAX);
            format!("{address} until {}", end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        });
        self.current.iter().map(IpAddr::to_string).chain(former).collect::<Vec<_>>().join(", ")
    }

    fn read(text: &str) -> Self {
        let mut memory = Self::default();
        for part in text.split(',').map(str::trim) {
            match part.split_once(" until ") {
                None => memory.current = memory.current.or_else(|| part.parse().ok()),
                Some((address, end)) => {
                    let end = end.parse::<jiff::Timestamp>().map(|it| it.as_second());
                    if let (Ok(address), Ok(end)) = (address.parse(), end) {
                        memory.leave(address, end);
                    }
                }
            }
        }
        memory
    }
}

fn until(now: i64, grace: Duration) -> i64 {
    now.saturating_add(i64::try_from(grace.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn an_address_is_kept_for_an_hour_after_the_gateway_has_left_it() {
        let mut memory = Memory::default();
        memory.follow(Some(ip(1)), 0, HOUR);
        memory.follow(Some(ip(2)), 100, HOUR);
        assert_eq!(memory.text(), "10.0.0.2, 10.0.0.1 until 1970-01-01T01:01:40Z");
        memory.follow(None, 200, HOUR);
        assert_eq!(memory.current, Some(ip(2)), "one that is lost for a while is not given up");
        memory.forget(3699);
        assert_eq!(memory.former.len(), 1);
        memory.forget(3700);
        assert!(memory.former.is_empty());
        memory.follow(Some(ip(1)), 4000, HOUR);
        memory.follow(Some(ip(2)), 4001, HOUR);
        assert_eq!(memory.former.keys().copied().collect::<Vec<_>>(), [ip(1)], "and back");
    }

    #[test]
    fn a_restart_forgets_nothing_and_believes_nothing_that_lasts_for_ever() {
        let said = Memory::read("10.0.0.2, 10.0.0.1 until 1970-01-01T00:50:00Z, 10.0.0.9 until 9000-01-01T00:00:00Z, junk, x until y");
        assert_eq!(Memory::read(&said.text()), said);
        let mut memory = Memory::default();
        memory.follow(Some(ip(3)), 60, HOUR);
        memory.remember(&said, 60, HOUR);
        let kept: Vec<(IpAddr, i64)> = memory.former.clone().into_iter().collect();
        assert_eq!(kept, [(ip(1), 3000), (ip(2), 3660), (ip(9), 3660)]);
    }

    #[test]
    fn what_a_service_says_reads_back() {
        let memory = Memory::read("2001:db8::1, 10.0.0.1 until 2026-01-01T00:00:00Z");
        for form in [AddressForm::Dotted, AddressForm::Dashed] {
            let said = Said { form, suffix: "apps.example".into(), memory: memory.clone() };
            let service = serde_json::json!({ "metadata": { "annotations": { HOSTS: said.text() } } });
            assert_eq!(Said::of(&service), Some(said));
        }
        assert_eq!(Said::of(&serde_json::json!({ "metadata": {} })), None);
    }

    #[test]
    fn nobody_makes_it_grow() {
        let mut memory = Memory::default();
        for last in 0..=255 {
            memory.follow(Some(ip(last)), i64::from(last), HOUR);
        }
        assert_eq!(memory.former.len(), MOST);
        assert!(memory.former.contains_key(&ip(254)) && !memory.former.contains_key(&ip(1)));
    }
}
