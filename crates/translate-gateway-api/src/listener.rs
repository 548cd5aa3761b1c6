//! Listeners, judged by themselves and beside one another.

use crate::given::Given;
use crate::ours::Ours;
use crate::place::{self, Place};
use model::{GatewayId, HostPattern, ListenerProtocol, Text};
use resources::gateway_api::{GATEWAY_GROUP, Listener, TlsMode};
use resources::{Gateway, Kind};

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
    /// TLS is ended here, and what is in it is not HTTP to us.
    Terminate,
    Passthrough,
    Tcp,
}

pub(crate) struct Judged<'a> {
    pub(crate) listener: &'a Listener,
    /// `None`: one that is not spoken here.
    pub(crate) protocol: Option<Protocol>,
    /// Why it serves nothing.
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: &'static str,
    /// Beside others of its port, not by itself.
    pub(crate) conflict: bool,
    /// Within the listener, for example `port`.
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

/// Whether clients must show a certificate, as Istio's option of a listener says it.
pub(crate) const TERMINATE_MODE: &str = "gateway.istio.io/tls-terminate-mode";

/// What that option may say.
const TERMINATE_MODES: [&str; 3] = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"];

/// All listeners of a Gateway, where it is served.
pub(crate) fn judged<'a>(given: Given<'a>, ours: Ours<'a>) -> Vec<Judged<'a>> {
    let mut judged = by_themselves(ours.gateway);
    if let Some(id) = place::served_by(given, ours) {
        beside_others(given, ours, &id, &mut judged);
    }
    judged
}

/// Without regard to other Gateways.
pub(crate) fn by_themselves(gateway: &Gateway) -> Vec<Judged<'_>> {
    let mut judged: Vec<Judged<'_>> = gateway.listeners.iter().map(judge).collect();
    let conflicts: Vec<Option<Fault>> = judged.iter().map(|it| conflict(it, &judged)).collect();
    for (it, conflict) in judged.iter_mut().zip(conflicts) {
        it.fault = it.fault.take().or(conflict);
    }
    judged
}

fn judge(listener: &Listener) -> Judged<'_> {
    let mode = listener.tls.as_ref().map_or(&TlsMode::Terminate, |tls| &tls.mode);
    let protocol = match (&*listener.protocol, mode) {
        ("HTTP", _) => Some(Protocol::Http),
        ("HTTPS", _) => Some(Protocol::Https),
        ("TLS", TlsMode::Passthrough) => Some(Protocol::Passthrough),
        ("TLS", _) => Some(Protocol::Terminate),
        ("TCP", _) => Some(Protocol::Tcp),
        _ => None,
    };
    let fault = |reason, field, message: String| Some(Fault { reason, conflict: false, field, message });
    let unsupported = |field, message| fault("UnsupportedValue", field, message);
    let fault = match (protocol, mode) {
        (None, _) => fault("UnsupportedProtocol", "protocol", format!("protocol `{}` is not spoken here", listener.protocol)),
        (Some(Protocol::Https | Protocol::Terminate), TlsMode::Unknown(mode)) => unsupported("tls.mode", format!("`{mode}` is no mode")),
        (Some(Protocol::Https), TlsMode::Passthrough) => unsupported("tls.mode", "HTTPS terminates TLS, and cannot pass it through".into()),
        _ if listener.host.is_none() => unsupported("hostname", "the host name is not understood".into()),
        (Some(Protocol::Tcp), _) if listener.host != Some(HostPattern::Any) => {
            unsupported("hostname", "connections that are not TLS have no host name".into())
        }
        _ => {
            terminate_mode(listener).and_then(|mode| unsupported("tls.options", format!("`{mode}` of `{TERMINATE_MODE}` is not done here")))
        }
    };
    Judged { listener, protocol, fault }
}

/// A value of Istio's option that is not understood.
fn terminate_mode(listener: &Listener) -> Option<&Text> {
    let mode = listener.tls.as_ref()?.options.get(TERMINATE_MODE)?;
    (!TERMINATE_MODES.contains(&&**mode)).then_some(mode)
}

/// Inside one Gateway nobody wins.
fn conflict(one: &Judged<'_>, all: &[Judged<'_>]) -> Option<Fault> {
    let protocol = one.protocol?;
    let same_port = |it: &&Judged<'_>| it.listener.index != one.listener.index && it.listener.port == one.listener.port;
    let fault = |reason, field, other: &Judged<'_>, what: &str| {
        let message = format!("listener `{}` has {what} too", other.listener.name);
        Some(Fault { reason, conflict: true, field, message })
    };
    // A host name that is not understood is nobody's.
    let others = || all.iter().filter(same_port).filter(|it| it.protocol.is_some() && it.listener.host.is_some());
    if let Some(other) = others().find(|it| it.protocol.map(Protocol::wire) != Some(protocol.wire())) {
        return fault("ProtocolConflict", "protocol", other, &format!("port {} for another protocol", one.listener.port));
    }
    let other = others().find(|it| protocol == Protocol::Tcp || it.host() == one.host())?;
    fault("HostnameConflict", "hostname", other, &format!("port {} and host `{}`", one.listener.port, one.host()))
}

/// On a gateway that several Gateways share, the older has a port that they want for different things.
fn beside_others(given: Given<'_>, ours: Ours<'_>, id: &GatewayId, judged: &mut [Judged<'_>]) {
    let shared = given.shared(id);
    let alone = shared.is_none() && matches!(place::place(given, ours), Ok(Place::Own(_)));
    let mut older = Vec::new();
    if !alone || given.resources.gateways_joining(&ours.gateway.workload_name()).next().is_some() {
        let there = place::at(given, id);
        older.extend(there.into_iter().map(|it| it.gateway).take_while(|it| it.meta.name != ours.gateway.meta.name));
    }
    for it in judged.iter_mut().filter(|it| it.fault.is_none()) {
        let (Some(protocol), port) = (it.protocol, it.listener.port) else { continue };
        let own = shared.and_then(|shared| of_its_own(shared.http, shared.https, port));
        let first = || older.iter().find_map(|older| Some((older, wire_of(older, port)?)));
        let taken = match own {
            Some(own) if own == protocol.wire() => None,
            Some(_) => Some(format!("port {port} of gateway `{id}` is there for Ingresses already")),
            None => first()
                .filter(|(_, wire)| *wire != protocol.wire())
                .map(|(older, _)| format!("Gateway `{}`, which is older, has port {port} for another protocol", older.meta.name)),
        };
        it.fault = taken.map(|message| Fault { reason: "PortUnavailable", conflict: false, field: "port", message });
    }
}

fn of_its_own(http: u16, https: u16, port: u16) -> Option<ListenerProtocol> {
    match port {
        _ if port == http => Some(ListenerProtocol::Http),
        _ if port == https => Some(ListenerProtocol::Https),
        _ => None,
    }
}

/// What a Gateway wants a port for.
pub(crate) fn wire_of(gateway: &Gateway, port: u16) -> Option<ListenerProtocol> {
    let there = by_themselves(gateway);
    there.iter().find(|it| it.serves() && it.listener.port == port).and_then(|it| it.protocol).map(Protocol::wire)
}

// === impl Judged ===

impl<'a> Judged<'a> {
    pub(crate) fn serves(&self) -> bool {
        self.protocol.is_some() && self.fault.is_none()
    }

    /// Whether its hosts are its own, so that no wider listener is asked for them: it serves, or it is refused where others of its port are
    /// served. What it would have guarded must not open because of a fault.
    pub(crate) fn owns_hosts(&self, all: &[Self]) -> bool {
        let served = |it: &&Self| it.serves() && it.listener.port == self.listener.port;
        let wire = self.protocol.map(Protocol::wire);
        self.listener.host.is_some() && wire.is_some() && all.iter().filter(served).any(|it| it.protocol.map(Protocol::wire) == wire)
    }

    pub(crate) fn host(&self) -> &'a HostPattern {
        self.listener.host.as_ref().unwrap_or(&HostPattern::Any)
    }

    /// Group and kind of the routes that may attach; and those it names that may not.
    pub(crate) fn kinds(&self) -> (Vec<Kind>, Vec<String>) {
        let possible = self.protocol.map_or(&[][..], Protocol::kinds);
        let Some(named) = &self.listener.kinds else { return (possible.to_vec(), Vec::new()) };
        let (mut kinds, mut others) = (Vec::new(), Vec::new());
        for (group, word) in named {
            match possible.iter().find(|kind| *group == GATEWAY_GROUP && kind.word() == &**word) {
                Some(kind) if !kinds.contains(kind) => kinds.push(*kind),
                Some(_) => {}
                None => others.push(if *group == GATEWAY_GROUP { word.to_string() } else { format!("{word}.{group}") }),
            }
        }
        (kinds, others)
    }

    /// Whether routes of this kind may attach.
    pub(crate) fn takes(&self, kind: Kind) -> bool {
        let named = |it: &Vec<(Text, Text)>| it.iter().any(|(group, word)| *group == GATEWAY_GROUP && kind.word() == &**word);
        self.protocol.is_some_and(|protocol| protocol.kinds().contains(&kind)) && self.listener.kinds.as_ref().is_none_or(named)
    }

    /// Of the Gateway, for messages.
    pub(crate) fn field(&self, rest: &str) -> String {
        format!("spec.listeners[{}].{rest}", self.listener.index)
    }
}

// === impl Protocol ===

impl Protocol {
    pub(crate) fn wire(self) -> ListenerProtocol {
        match self {
            Self::Http => ListenerProtocol::Http,
            Self::Https | Self::Terminate | Self::Passthrough => ListenerProtocol::Https,
            Self::Tcp => ListenerProtocol::Tcp,
        }
    }

    /// The routes that may attach.
    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Http | Self::Https => &[Kind::HttpRoute],
            Self::Terminate => &[Kind::TlsRoute, Kind::TcpRoute],
            Self::Passthrough => &[Kind::TlsRoute],
            Self::Tcp => &[Kind::TcpRoute],
        }
    }

    /// Whether the certificate shown is the listener's.
    pub(crate) fn ends_tls(self) -> bool {
        matches!(self, Self::Https | Self::Terminate)
    }
}
