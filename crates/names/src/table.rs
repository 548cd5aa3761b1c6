//! Hosts of routes, and where they lead.

use model::HostPattern;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// Shared between whoever knows the routes and whoever answers.
#[derive(Clone, Debug, Default)]
pub struct Table(Arc<RwLock<Hosts>>);

/// Where a host leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    /// The addresses of the gateways that serve it.
    pub to: BTreeSet<IpAddr>,
    /// Addresses that these gateways have or had: a host that holds one of these was made of it, and leads where the gateway is now.
    pub made_of: BTreeSet<IpAddr>,
}

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Leads(Arc<Leads>),
    /// The name is there, without an address.
    Exists,
    /// Not there, and somebody asks below a host that is: of how many labels that is.
    Missing,
    /// Nothing is known here.
    Unknown,
}

#[derive(Debug, Default)]
struct Hosts {
    /// By name, or by what follows a wildcard; in lower case.
    by_name: HashMap<Box<str>, Node>,
}

#[derive(Debug, Default)]
struct Node {
    exact: Option<Arc<Leads>>,
    one_label: Option<Arc<Leads>>,
    any_depth: Option<Arc<Leads>>,
    /// Names right below this one that are known, or have some below them.
    below: usize,
}

impl Table {
    /// A host leads there from now on. `None`: nowhere any more. The pattern for every host has no name, so it is passed over.
    pub fn put(&self, host: &HostPattern, leads: Option<Arc<Leads>>) {
        let mut hosts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match host {
            HostPattern::Exact(name) => hosts.edit(name.as_str(), |node| node.exact = leads),
            HostPattern::OneLabel(name) => hosts.edit(name.as_str(), |node| node.one_label = leads),
            HostPattern::AnyDepth(name) => hosts.edit(name.as_str(), |node| node.any_depth = leads),
            HostPattern::Any => {}
        }
    }

    /// `name`: in lower case. Returns also how many labels of it belong to the host that is known.
    pub fn find(&self, name: &str) -> (Found, usize) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).find(name)
    }
}

// === impl Hosts ===

impl Hosts {
    fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Node)) {
        let name = name.to_ascii_lowercase();
        let was_there = self.by_name.contains_key(&*name);
        let node = self.by_name.entry(name.clone().into()).or_default();
        edit(node);
        let is_there = !node.is_empty();
        if !is_there {
            self.by_name.remove(&*name);
        }
        if was_there != is_there {
            self.count(&name, was_there);
        }
    }

    /// Tells the names above one that has come or gone.
    fn count(&mut self, name: &str, gone: bool) {
        let mut rest = name;
        while let Some((_, above)) = rest.split_once('.') {
            let was_there = self.by_name.contains_key(above);
            let node = self.by_name.entry(above.into()).or_default();
            node.below = if gone { node.below.saturating_sub(1) } else { node.below + 1 };
            let is_there = !node.is_empty();
            if !is_there {
                self.by_name.remove(above);
            }
            if was_there == is_there {
                return;
            }
            rest = above;
        }
    }

    fn find(&self, name: &str) -> (Found, usize) {
        let labels = |it: &str| it.split('.').count();
        let own = self.by_name.get(name);
        if let Some(leads) = own.and_then(|it| it.exact.clone()) {
            return (Found::Leads(leads), labels(name));
        }
        let (mut zone, mut wild, mut rest, mut depth) = (None, None, name, 0);
        while let Some((_, above)) = rest.split_once('.') {
            depth += 1;
            if let Some(node) = self.by_name.get(above).filter(|it| it.is_host()) {
                zone = zone.or(Some(labels(above)));
                let leads = node.one_label.clone().filter(|_| depth == 1).or_else(|| node.any_depth.clone());
                wild = wild.or(leads.map(|it| (it, labels(above))));
            }
            rest = above;
        }
        match (wild, zone, own) {
            (Some((leads, labels)), ..) => (Found::Leads(leads), labels),
            (None, _, Some(node)) if node.is_host() => (Found::Exists, labels(name)),
            (None, Some(zone), Some(_)) => (Found::Exists, zone),
            (None, Some(zone), None) => (Found::Missing, zone),
            (None, None, Some(_)) => (Found::Exists, 0),
            (None, None, None) => (Found::Unknown, 0),
        }
    }
}

// === impl Node ===

impl Node {
    fn is_host(&self) -> bool {
        self.exact.is_some() || self.one_label.is_some() || self.any_depth.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.is_host() && self.below == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Hostname;

    fn pattern(text: &str) -> HostPattern {
        let host = |it: &str| Hostname::parse(it).expect("a host");
        match (text.strip_prefix("**."), text.strip_prefix("*.")) {
            (Some(suffix), _) => HostPattern::AnyDepth(host(suffix)),
            (_, Some(suffix)) => HostPattern::OneLabel(host(suffix)),
            _ => HostPattern::Exact(host(text)),
        }
    }

    fn leads(octet: u8) -> Leads {
        Leads { to: [IpAddr::from([10, 0, 0, octet])].into(), ..Leads::default() }
    }

    fn shown(table: &Table, name: &str) -> String {
        match table.find(name) {
            (Found::Leads(leads), labels) => format!("{} {labels}", leads.to.first().expect("an address")),
            (Found::Exists, labels) => format!("exists {labels}"),
            (Found::Missing, labels) => format!("missing {labels}"),
            (Found::Unknown, _) => "unknown".into(),
        }
    }

    #[test]
    fn hosts_wildcards_and_what_is_around_them() {
        let table = Table::default();
        for (octet, host) in [(1, "shop.example"), (2, "*.apps.example"), (3, "**.deep.example"), (4, "x.y.deep.example")] {
            table.put(&pattern(host), Some(leads(octet).into()));
        }
        table.put(&HostPattern::Any, Some(leads(9).into()));
        for (name, expect) in [
            ("shop.example", "10.0.0.1 2"),
            ("a.shop.example", "missing 2"),
            ("apps.example", "exists 2"),
            ("a.apps.example", "10.0.0.2 2"),
            ("a.b.apps.example", "missing 2"),
            ("deep.example", "exists 2"),
            ("a.deep.example", "10.0.0.3 2"),
            ("a.b.c.deep.example", "10.0.0.3 2"),
            ("x.y.deep.example", "10.0.0.4 4"),
            ("example", "exists 0"),
            ("other.example", "unknown"),
            ("other", "unknown"),
        ] {
            assert_eq!(shown(&table, name), expect, "{name}");
        }
    }

    #[test]
    fn what_goes_leaves_nothing_behind() {
        let table = Table::default();
        let hosts = ["a.b.c.example", "b.c.example", "*.c.example", "**.b.c.example", "A.B.C.example"];
        for host in hosts {
            table.put(&pattern(host), Some(leads(1).into()));
            table.put(&pattern(host), Some(leads(2).into()));
        }
        for host in hosts {
            table.put(&pattern(host), None);
            table.put(&pattern(host), None);
        }
        assert!(table.0.read().expect("not poisoned").by_name.is_empty(), "{table:?}");
    }
}
