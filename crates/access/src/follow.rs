//! Following a name from DNS to an endpoint, hop by hop, to the first that is broken. A name of a route that leads nowhere is no end: who asks may
//! have it in a hosts file of their own, so the way goes on where the route's gateway is.
//!
//! ```text
//! name ─► address ─► port ─► certificate ─► route ─► endpoint
//! └── tried: resolver, TCP, handshake ──┘   └─ of objects ─┘
//! ```
//!
//! **Invariant:** nothing is ever sent but a DNS question, a SYN and a handshake; each has a deadline. Where somebody else's word decides what is
//! tried ([`Touch::Only`]), no address is connected to that the caller has not named, and no name is looked up that is neither a route's nor where its
//! gateway says that it is.

use crate::Asked;
use crate::certificate::Shown;
use crate::explain::Answer;
use crate::gateways::{SeenGateway, gateways};
use crate::hop::{Hop, HopName, Verdict};
use crate::resolve::{Resolver, Unresolved};
use crate::rows::{Row, in_url, rows};
use crate::saying::Saying;
use crate::served::{Gathered, Reach, Served, ServedGateway};
use crate::tried::{Connected, Shaken, connect, handshake};
use control::Access;
use model::{ObjectRef, Scheme};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// What is known before anything is tried.
pub struct Known {
    pub served: Served,
    pub rows: Vec<Row>,
    pub gateways: Vec<SeenGateway>,
    from: Reach,
}

/// What may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Whatever the name leads to: who asks does it from their own machine.
    Anything,
    /// These addresses alone, which are gateways': it is done for somebody else.
    Only(BTreeSet<IpAddr>),
}

/// How it is tried.
#[derive(Clone, Debug)]
pub struct How {
    pub touch: Touch,
    pub resolver: Resolver,
    /// For each thing that is waited for.
    pub patience: Duration,
    /// Seconds since 1970: certificates end.
    pub now: i64,
    /// Ask this gateway, where several have a route: its namespace and name, or its name.
    pub gateway: Option<String>,
}

/// Every hop, in order; after a broken one nothing is tried, but for a name whose gateway is known.
pub async fn follow(asked: &Asked, known: &Known, how: &How) -> Vec<Hop> {
    let way = Way { asked, known, how, target: known.target(asked) };
    let mut hops = Vec::new();
    if let Ok(arrived) = way.tried(&mut hops).await {
        hops.extend(way.of_objects(arrived));
    }
    let rest: Vec<HopName> = HopName::ALL.into_iter().filter(|name| hops.iter().all(|it| it.hop != *name)).collect();
    hops.extend(rest.into_iter().map(Hop::untried));
    hops.sort_by_key(|it| it.hop);
    hops
}

/// The most addresses of a name that are tried.
const TRIED: usize = 4;
/// What stands in the certificate that a gateway shows where it has none.
const OWN_NAME: &str = "paifang.invalid";

/// Where a request is to arrive.
#[derive(Default)]
struct Target<'a> {
    /// Those for its host, as near as there are.
    rows: Vec<&'a Row>,
    /// As people are to use them.
    addresses: Vec<String>,
    http: BTreeSet<u16>,
    https: BTreeSet<u16>,
    is_public: bool,
    has_node_ports: bool,
    gateway: Option<&'a ObjectRef>,
}

// === impl Known ===

impl Known {
    pub fn new(gathered: &Gathered) -> Self {
        let objects = &gathered.objects;
        Self { served: Served::new(gathered), rows: rows(objects), gateways: gateways(objects), from: gathered.from }
    }

    /// The request as routes see it: at the address where it arrived, or, where gateways' Services cannot be seen, at the port that stands for its.
    pub fn placed(&self, asked: &Asked, arrived: Option<IpAddr>) -> Asked {
        let mut placed = asked.clone();
        if self.from == Reach::Api {
            placed.at = arrived.map_or(placed.at, |it| it.to_string());
            return placed;
        }
        let protocols: &[&str] = if asked.scheme == Scheme::Http { &["HTTP", "HTTP2", "GRPC"] } else { &["HTTPS", "TLS"] };
        let target = self.target(asked);
        let mut ports =
            self.gateways.iter().filter(|it| target.gateway.is_none_or(|gateway| it.object == *gateway)).flat_map(|it| &it.ports);
        let seen = ports.find(|it| it.reached == asked.port && protocols.contains(&it.protocol.as_str())).map(|it| it.port);
        let usual = if asked.scheme == Scheme::Http { 80 } else { 443 };
        let unseen = target.ports(asked.scheme).contains(&asked.port).then_some(usual);
        placed.port = seen.or(unseen).unwrap_or(asked.port);
        placed
    }

    fn target(&self, asked: &Asked) -> Target<'_> {
        let covering = || self.rows.iter().filter(|it| it.covers(&asked.host));
        let nearness = |it: &Row| match it.domain.as_str() {
            domain if domain == asked.host => usize::MAX,
            "*" => 0,
            domain => domain.len(),
        };
        let nearest = covering().map(nearness).max();
        let rows: Vec<&Row> = covering().filter(|it| Some(nearness(it)) == nearest).collect();
        let mut target = Target { rows, ..Target::default() };
        let of_rows: Vec<_> = target.rows.iter().map(|it| it.reached.clone()).collect();
        let of_gateways = || self.gateways.iter().map(SeenGateway::reached).collect();
        let all = if of_rows.is_empty() { of_gateways() } else { of_rows };
        for reached in all {
            target.addresses.extend(reached.addresses.iter().filter(|it| !target.addresses.contains(it)).cloned().collect::<BTreeSet<_>>());
            target.http.extend(reached.http);
            target.https.extend(reached.https);
            target.is_public |= reached.is_public;
            target.has_node_ports |= reached.access == Some(Access::NodePort);
        }
        target.gateway = target.rows.iter().find_map(|it| it.reached.gateway.as_ref());
        target
    }
}

// === impl Target ===

impl Target<'_> {
    fn ports(&self, scheme: Scheme) -> &BTreeSet<u16> {
        if scheme == Scheme::Http { &self.http } else { &self.https }
    }

    fn ip(&self) -> Option<IpAddr> {
        self.addresses.iter().find_map(|it| it.parse().ok())
    }

    /// The addresses at which a route's gateway is, where they are such.
    fn own(&self) -> Option<BTreeSet<IpAddr>> {
        let own: BTreeSet<IpAddr> = self.addresses.iter().filter_map(|it| it.parse().ok()).collect();
        (!self.rows.is_empty() && !own.is_empty()).then_some(own)
    }

    /// The gateway's namespace and name.
    fn who(&self) -> Option<String> {
        self.gateway.map(|it| format!("{}/{}", it.namespace, it.name))
    }

    fn note(&self) -> Option<Saying> {
        self.rows.iter().find_map(|it| it.note.clone())
    }

    /// What makes a name that leads nowhere lead here.
    fn lead(&self, host: &str) -> Saying {
        let host = host.to_owned();
        match (self.ip(), self.addresses.first()) {
            (Some(ip), _) => Saying::AddHostsLine { host, address: ip.to_string() },
            (None, Some(name)) => Saying::MakeAlias { host, name: name.clone() },
            (None, None) => self.note().unwrap_or(Saying::MakeRoute { host }),
        }
    }

    /// What makes a name that leads elsewhere lead here.
    fn lead_back(&self, host: &str) -> Saying {
        match self.lead(host) {
            Saying::AddHostsLine { host, address } => Saying::CorrectHostsLine { host, address },
            other => other,
        }
    }
}

/// A request on its way.
struct Way<'a> {
    asked: &'a Asked,
    known: &'a Known,
    how: &'a How,
    target: Target<'a>,
}

// === impl Way ===

impl Way<'_> {
    /// The hops that are tried; where the connection arrived, if that is known. An error: one of them is an end.
    async fn tried(&self, hops: &mut Vec<Hop>) -> Result<Option<IpAddr>, End> {
        let (name, found) = self.name().await;
        let leads_nowhere = name.verdict == Verdict::Broken;
        hops.push(name);
        let found = match found {
            Some(found) => found,
            None if leads_nowhere => self.target.own().ok_or(End)?,
            None => return Ok(None),
        };
        pass(hops, self.address(&found).await)?;
        let (port, arrived) = self.port(&found).await;
        pass(hops, port)?;
        let certificate = match (self.asked.scheme, arrived) {
            (Scheme::Http, _) => Hop::good(HopName::Certificate, Saying::NoneNeeded {}),
            (Scheme::Https, None) => Hop::untried(HopName::Certificate),
            (Scheme::Https, Some(arrived)) => self.certificate(arrived).await,
        };
        pass(hops, certificate)?;
        Ok(arrived.or_else(|| found.first().copied()))
    }

    /// `None`: it leads nowhere, or was not asked.
    async fn name(&self) -> (Hop, Option<BTreeSet<IpAddr>>) {
        let host = &self.asked.at;
        if let Ok(ip) = host.parse::<IpAddr>() {
            return (Hop::good(HopName::Name, Saying::AddressInUrl {}), Some([ip].into()));
        }
        if self.how.touch != Touch::Anything && self.target.rows.is_empty() {
            return (Hop::unknown(HopName::Name, Saying::NotAsked {}), None);
        }
        match self.how.resolver.find(host, self.how.patience).await {
            Ok(found) => (Hop::good(HopName::Name, Saying::NameFound { host: host.clone(), addresses: joined(&found) }), Some(found)),
            Err(why) => {
                let (host, resolver) = (host.clone(), self.how.resolver.text());
                let said = match why {
                    Unresolved::Missing => Saying::NoSuchName { host, resolver },
                    Unresolved::Failed(why) => Saying::NameUnanswered { host, resolver, why },
                };
                (Hop::broken(HopName::Name, said, self.target.lead(&self.asked.at)), None)
            }
        }
    }

    async fn address(&self, found: &BTreeSet<IpAddr>) -> Hop {
        if self.target.addresses.is_empty() && !found.iter().any(|it| self.is_listened_on(*it)) {
            return match self.target.note() {
                Some(note) => Hop::broken(HopName::Address, note, Saying::AskGateway {}),
                None => Hop::unknown(HopName::Address, Saying::AddressUnseen {}),
            };
        }
        let mut right: BTreeSet<IpAddr> = BTreeSet::new();
        for address in &self.target.addresses {
            match address.parse::<IpAddr>() {
                Ok(ip) => drop(right.insert(ip)),
                Err(_) => right.extend(self.how.resolver.find(address, self.how.patience).await.unwrap_or_default()),
            }
        }
        let everywhere = right.iter().any(IpAddr::is_unspecified);
        let wrong: BTreeSet<IpAddr> =
            found.iter().filter(|it| !everywhere && !right.contains(it) && !self.is_listened_on(**it)).copied().collect();
        if wrong.is_empty() {
            let addresses = joined(found);
            return Hop::good(
                HopName::Address,
                match self.target.who() {
                    Some(gateway) => Saying::AddressOfGateway { addresses, gateway },
                    None => Saying::AddressGood { addresses },
                },
            );
        }
        let mend = match self.asked.at.parse::<IpAddr>() {
            Ok(_) => Saying::AskAt { addresses: self.target.addresses.join(", ") },
            Err(_) => self.target.lead_back(&self.asked.at),
        };
        Hop::broken(HopName::Address, self.elsewhere(found, &wrong), mend)
    }

    /// That these of the addresses found are no gateway's.
    fn elsewhere(&self, found: &BTreeSet<IpAddr>, wrong: &BTreeSet<IpAddr>) -> Saying {
        let (name, right) = (self.asked.at.clone(), self.target.addresses.join(", "));
        let is_all = wrong.len() == found.len();
        let wrong = joined(wrong);
        match self.target.who().filter(|_| is_all) {
            Some(gateway) => Saying::WrongAddressForGateway { name, wrong, gateway, right },
            None if is_all => Saying::WrongAddress { name, wrong, right },
            None => Saying::AlsoWrongAddress { name, wrong, right },
        }
    }

    /// Whether the gateway listens there beside the address that it shows: node ports answer on the node's address and on loopback.
    fn is_listened_on(&self, address: IpAddr) -> bool {
        let target = &self.target;
        let sockets =
            |it: &ServedGateway| it.listeners.iter().flat_map(|listener| it.bindings(listener)).map(|it| it.address).collect::<Vec<_>>();
        let is_meant = |it: &SocketAddr| {
            (target.http.contains(&it.port()) || target.https.contains(&it.port()))
                && (target.is_public || target.addresses.contains(&it.ip().to_string()))
        };
        let mut gateways = self.known.served.gateways.iter().map(sockets).filter(|all| target.rows.is_empty() || all.iter().any(is_meant));
        let node_port = |it: &SeenGateway| it.ports.iter().any(|port| port.node_port == Some(self.asked.port));
        let is_own = address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST;
        gateways.any(|all| all.iter().any(|it| it.ip() == address))
            || is_own && (target.has_node_ports || target.rows.is_empty() && self.known.gateways.iter().any(node_port))
    }

    /// And the first address that takes connections.
    async fn port(&self, found: &BTreeSet<IpAddr>) -> (Hop, Option<IpAddr>) {
        let port = self.asked.port;
        let may = |it: &&IpAddr| match &self.how.touch {
            Touch::Anything => true,
            Touch::Only(own) => own.contains(it),
        };
        let tried: Vec<IpAddr> = found.iter().filter(may).take(TRIED).copied().collect();
        if tried.is_empty() {
            return (Hop::unknown(HopName::Port, Saying::PortNotTried {}), None);
        }
        let mut open = None;
        for ip in &tried {
            let at = SocketAddr::new(*ip, port);
            match connect(at, self.how.patience).await {
                Connected::Open => open = open.or(Some(*ip)),
                failed => return (Hop::broken(HopName::Port, self.closed(at, &failed), self.opened(&failed)), None),
            }
        }
        let all: Vec<String> = tried.iter().map(|it| SocketAddr::new(*it, port).to_string()).collect();
        (Hop::good(HopName::Port, Saying::PortOpen { sockets: all.join(", ") }), open)
    }

    fn closed(&self, at: SocketAddr, why: &Connected) -> Saying {
        let socket = at.to_string();
        match why {
            Connected::Silent => Saying::PortSilent { socket, seconds: self.how.patience.as_secs().to_string() },
            Connected::Failed(why) => Saying::Unreachable { socket, why: why.clone() },
            Connected::Refused | Connected::Open => Saying::PortClosed { socket },
        }
    }

    fn opened(&self, why: &Connected) -> Saying {
        let (scheme, port) = (self.asked.scheme, self.asked.port);
        let ports = self.target.ports(scheme);
        if !ports.contains(&port)
            && let Some(real) = ports.first()
        {
            let word = if scheme == Scheme::Http { "http" } else { "https" };
            let usual = *real == if scheme == Scheme::Http { 80 } else { 443 };
            let shown = if usual { String::new() } else { format!(":{real}") };
            let url = format!("{word}://{}{shown}{}", in_url(&self.asked.at), self.asked.target);
            return Saying::OtherPort { scheme: word.to_owned(), port: real.to_string(), url };
        }
        match (why, self.target.has_node_ports, self.target.who()) {
            (Connected::Silent, true, _) => Saying::OpenNodePort { port: port.to_string() },
            (Connected::Silent, false, _) => Saying::OpenPort { port: port.to_string() },
            (_, _, Some(gateway)) => Saying::SeeGatewayNamed { gateway },
            (_, _, None) => Saying::SeeGateway {},
        }
    }

    async fn certificate(&self, at: IpAddr) -> Hop {
        let host = &self.asked.host;
        let shaken = handshake(SocketAddr::new(at, self.asked.port), host, self.how.patience).await;
        let placed = self.known.placed(self.asked, Some(at));
        let demands = Answer::find(&self.known.served, &placed, self.how.gateway.as_deref()).demands_a_client();
        certificate_hop(host, &shaken, self.how.now, demands)
    }

    fn of_objects(&self, arrived: Option<IpAddr>) -> [Hop; 2] {
        let placed = self.known.placed(self.asked, arrived);
        let answer = Answer::find(&self.known.served, &placed, self.how.gateway.as_deref());
        let foreign = self.target.rows.iter().find_map(|it| it.note.as_ref().filter(|it| matches!(it, Saying::ServedByAnother { .. })));
        let [route, endpoint] = answer.way();
        match foreign {
            Some(note) if route.verdict == Verdict::Broken => [Hop::unknown(HopName::Route, note.clone()), Hop::untried(HopName::Endpoint)],
            // What somebody may not see may be what is missing.
            _ if self.known.from == Reach::Part
                && route.verdict == Verdict::Broken
                && !self.target.rows.is_empty()
                && answer.own_refusal() =>
            {
                [Hop { is_partly_seen: true, ..Hop::unknown(HopName::Route, route.said) }, endpoint]
            }
            _ if self.known.from == Reach::Part && route.verdict == Verdict::Broken => [Hop { is_partly_seen: true, ..route }, endpoint],
            _ => [route, endpoint],
        }
    }
}

/// Nothing behind it is tried.
struct End;

/// On to the next, where this one is not broken.
fn pass(hops: &mut Vec<Hop>, hop: Hop) -> Result<(), End> {
    let is_broken = hop.verdict == Verdict::Broken;
    hops.push(hop);
    if is_broken { Err(End) } else { Ok(()) }
}

/// What is to be said of a handshake.
fn certificate_hop(host: &str, shaken: &Shaken, now: i64, demands: bool) -> Hop {
    let broken = |said, mend| Hop::broken(HopName::Certificate, said, mend);
    let give = || Saying::GiveCertificate { host: host.to_owned() };
    match shaken {
        Shaken::Shown(shown) => judged(host, shown, now),
        Shaken::Refused(_) if demands => Hop::unknown(HopName::Certificate, Saying::ClientCertificateDemanded {}),
        Shaken::Refused(why) => broken(Saying::HandshakeEnded { why: why.clone() }, give()),
        Shaken::NotTls => broken(Saying::NotTls {}, Saying::AskByHttp {}),
        Shaken::Silent => broken(Saying::HandshakeSilent {}, Saying::LookBetween {}),
        Shaken::Failed(why) => broken(Saying::HandshakeFailed { why: why.clone() }, give()),
    }
}

fn judged(host: &str, shown: &Shown, now: i64) -> Hop {
    let broken = |said, mend| Hop::broken(HopName::Certificate, said, mend);
    let (from, until) = (date(shown.not_before), date(shown.not_after));
    let (host, names) = (host.to_owned(), shown.names.join(", "));
    if shown.names.iter().any(|it| it == OWN_NAME) {
        return broken(Saying::NoCertificate { host: host.clone() }, Saying::GiveCertificate { host });
    }
    let other = Saying::ReplaceCertificate { host: host.clone() };
    if !shown.covers(&host) {
        return broken(Saying::CertificateForOthers { host, names }, other);
    }
    if now >= shown.not_after {
        return broken(Saying::CertificateExpired { names, until }, other);
    }
    if now < shown.not_before {
        return broken(Saying::CertificateTooNew { names, from }, other);
    }
    Hop::good(
        HopName::Certificate,
        match shown.is_self_signed {
            true => Saying::CertificateSelfSigned { names, until },
            false => Saying::CertificateGood { names, until, issuer: shown.issuer.clone() },
        },
    )
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |it| it.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn joined(addresses: &BTreeSet<IpAddr>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
