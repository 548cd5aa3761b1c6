//! Hosts, routes, what they match and what they do.

use crate::{Backend, Certificate, Filter, HostPattern, Reason, Source, Text, TlsPolicy};
use ipnet::IpNet;
use serde::Serialize;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// All that is known about one host name of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Host {
    pub name: HostPattern,
    pub tls: HostTls,
    pub tls_policy: TlsPolicy,
    /// Set: its connections are not HTTP to us; after TLS is ended, or as they come ([`HostTls::Passthrough`]), they go here, and `routes` is empty.
    pub tunnel: Option<Tunnel>,
    /// Where datagrams of its port go, each client's to one endpoint: TCP and UDP of one number may have different owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datagrams: Option<Tunnel>,
    /// The first route that matches wins.
    pub routes: Vec<Route>,
    pub on_miss: OnMiss,
    pub replies: Replies,
}

/// What a TLS handshake for this host shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum HostTls {
    /// Nobody asked for TLS: a fitting wildcard's certificate, else the gateway's default.
    #[default]
    None,
    /// Asked for, but its certificate is not usable: the default one, and the host counts as having one.
    Default,
    Certificate(Arc<Certificate>),
    /// TLS is not ended here: the octets go to the host's tunnel.
    Passthrough,
    /// It was asked for, cannot be had, and nothing else may stand in: the handshake fails. The host's policy then says only whether
    /// anything would have been demanded of clients.
    Refuse,
}

/// What happens when the best host has no matching route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum OnMiss {
    /// 404. Wider hosts are not asked (Ingress, Istio).
    Stop,
    /// The next wider host is asked (Gateway API).
    Wider,
}

/// How answers look that the gateway gives by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Replies {
    pub body: ReplyBody,
    pub server: ServerHeader,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ReplyBody {
    /// A line of text that names the reason.
    #[default]
    Text,
    Empty,
}

/// The `Server` field of answers, the backend's and our own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ServerHeader {
    /// None at all (ingress-nginx with `server-tokens: false`).
    #[default]
    Remove,
    /// The backend's, if it sent one.
    Keep,
    Set(Text),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Route {
    pub source: Source,
    /// `None`: as the host's.
    pub replies: Option<Replies>,
    /// One of them suffices.
    pub matches: Vec<Match>,
    /// In the order they run.
    pub filters: Vec<Filter>,
    pub action: Action,
}

/// All parts must hold.
///
/// Among the headers, `:authority` (host and port as sent), `:method`, `:scheme` and `:path` (with query) are the request's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Match {
    pub path: PathMatch,
    /// Upper case, for example `GET`.
    pub method: Option<Text>,
    /// `None`: both.
    pub scheme: Option<Scheme>,
    pub headers: Vec<NamedMatch>,
    pub query: Vec<NamedMatch>,
    pub cookies: Vec<NamedMatch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Scheme {
    Http,
    Https,
}

/// A header (name in lower case), query parameter or cookie, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct NamedMatch {
    pub name: Text,
    pub value: ValueMatch,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ValueMatch {
    Present,
    Absent,
    Exact(Text),
    Prefix(Text),
    Regex(Pattern),
    /// Not this value; also holds when the name is absent.
    Not(Box<ValueMatch>),
}

/// Matches the canonical path (RFC 3986 6.2.2: unreserved octets decoded, escapes in upper case, dot segments removed), without query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum PathMatch {
    #[default]
    Any,
    Exact(Text),
    /// Segment by segment: `/a` covers `/a` and `/a/b`, not `/ab`. Without a trailing `/`; the empty text covers all.
    Prefix(Text),
    /// Octet by octet.
    StartsWith(Text),
    Regex(Pattern),
}

/// A user's regular expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Pattern {
    pub text: Text,
    pub case: Case,
    pub anchor: Anchor,
    pub engine: Engine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Case {
    Sensitive,
    Insensitive,
}

/// Where a pattern must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Anchor {
    /// Anywhere.
    None,
    /// At the beginning (ingress-nginx's locations).
    Start,
    /// From beginning to end (Istio, Gateway API).
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Engine {
    /// Linear in the length of the text.
    Linear,
    /// Look-around and back-references, bounded in steps; past the bound the request gets 400.
    Backtracking,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Action {
    Forward(Forward),
    Redirect(Redirect),
    Respond(Respond),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Forward {
    /// Picked by weight; all weights zero: `unresolved`'s status.
    pub backends: Vec<WeightedBackend>,
    pub spill: Spill,
    pub timeouts: Timeouts,
    /// Shared: most routes have the same.
    pub retries: Arc<Retries>,
    /// Status where the picked backend does not exist or may not be used: 503 (Ingress, Istio), 500 (Gateway API).
    pub unresolved: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct WeightedBackend {
    /// `None`: it could not be resolved; its share gets `unresolved`'s status.
    pub backend: Option<Arc<Backend>>,
    pub weight: u32,
    /// Run after the route's, where this backend was picked: header edits and host rewrites.
    pub filters: Vec<Filter>,
}

/// What a picked backend without ready endpoints means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Spill {
    /// 503, `no-endpoints`.
    #[default]
    None,
    /// ingress-nginx's canary: the first backend must have endpoints, else 503 whichever was picked; another one without any gives way to
    /// the first.
    ToFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Timeouts {
    pub connect: Duration,
    /// Longest silence while reading from the upstream: before the answer's head and between two reads.
    pub read: Duration,
    /// Longest standstill while writing to the upstream.
    pub send: Duration,
    /// The whole exchange. `None`: no bound.
    pub request: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Retries {
    /// Tries in all, the first included; each at another endpoint while there is one.
    pub tries: u8,
    /// What brings the next try. A request that may have had an effect is repeated only where one of these says so and its body is at hand.
    pub on: Vec<RetryOn>,
    /// The longest one try may take. `None`: as the timeouts say.
    pub per_try: Option<Duration>,
    /// Before the second try; doubled, with jitter, before each further one. `None`: at once.
    pub backoff: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RetryOn {
    /// No connection came about.
    ConnectFailure,
    /// The connection ended, or a try's time was over, before the answer's head, and the request may be repeated without harm: its method
    /// is idempotent, or nothing of it was written.
    SafeReset,
    /// The same, whatever the request.
    Reset,
    /// The answer has this status.
    Status(u16),
    /// The answer's status is 500 to 599.
    ServerError,
}

/// Where a connection goes as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Tunnel {
    pub source: Source,
    /// Picked by weight, once a connection.
    pub backends: Vec<WeightedBackend>,
    pub connect: Duration,
    /// The longest silence in both directions.
    pub idle: Duration,
    /// Clients that may use it; `None`: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Arc<[IpNet]>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Redirect {
    pub status: u16,
    pub scheme: Option<Scheme>,
    pub host: Option<Text>,
    pub port: RedirectPort,
    pub path: Option<PathModifier>,
}

/// The port a redirect names. The one that goes without saying for the scheme is never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RedirectPort {
    /// Where the scheme changes, the gateway's own port of the new one, else none; where only host or path change, the request's.
    #[default]
    Own,
    /// None: the scheme's own.
    OfScheme,
    /// The one the request came to.
    Listener,
    /// As the request's `Host` had it.
    Request,
    Number(u16),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum PathModifier {
    Full(Text),
    Prefix { prefix: Text, replacement: Text },
}

/// A fixed answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Respond {
    pub status: u16,
    pub reason: Reason,
    /// `None`: as [`Replies`] says.
    pub body: Option<Text>,
}

impl Default for Timeouts {
    /// ingress-nginx's: 5 s to connect, 60 s between two reads or writes, no total.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), read: Duration::from_secs(60), send: Duration::from_secs(60), request: None }
    }
}

impl Default for Retries {
    /// ingress-nginx's `proxy-next-upstream-tries` and `proxy-next-upstream`.
    fn default() -> Self {
        Self { tries: 3, on: vec![RetryOn::ConnectFailure, RetryOn::SafeReset], per_try: None, backoff: None }
    }
}

impl Retries {
    /// The default, once for all routes that have it.
    pub fn usual() -> Arc<Self> {
        static USUAL: LazyLock<Arc<Retries>> = LazyLock::new(Arc::default);
        USUAL.clone()
    }
}

impl Forward {
    /// All to one backend, with defaults.
    pub fn to(backend: Arc<Backend>) -> Self {
        Self {
            backends: vec![WeightedBackend::new(Some(backend), 1)],
            spill: Spill::default(),
            timeouts: Timeouts::default(),
            retries: Retries::usual(),
            unresolved: 503,
        }
    }
}

impl WeightedBackend {
    pub fn new(backend: Option<Arc<Backend>>, weight: u32) -> Self {
        Self { backend, weight, filters: Vec::new() }
    }
}

impl Host {
    /// Without routes, and without TLS of its own.
    pub fn new(name: HostPattern) -> Self {
        Self {
            name,
            tls: HostTls::None,
            tls_policy: TlsPolicy::default(),
            tunnel: None,
            datagrams: None,
            routes: Vec::new(),
            on_miss: OnMiss::Stop,
            replies: Replies::default(),
        }
    }

    /// The backends connections and requests may be sent to, mirrors included.
    pub fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        let tunnel = self.tunnel.iter().chain(&self.datagrams).flat_map(|it| &it.backends).filter_map(|it| it.backend.as_ref());
        self.routes.iter().flat_map(Route::backends).chain(tunnel)
    }

    /// Of ten thousand hosts most have one route with one filter, and a list that grows begins with room for four.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.routes.shrink_to_fit();
        for route in &mut self.routes {
            route.matches.shrink_to_fit();
            route.filters.shrink_to_fit();
            if let Action::Forward(forward) = &mut route.action {
                forward.backends.shrink_to_fit();
            }
        }
    }
}

impl Tunnel {
    /// Whether a client at this address may use it.
    pub fn admits(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        self.clients.as_ref().is_none_or(|all| all.iter().any(|it| it.contains(&client)))
    }
}

impl Route {
    /// The backends requests may be sent to.
    pub fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        let weighted = match &self.action {
            Action::Forward(forward) => forward.backends.as_slice(),
            Action::Redirect(_) | Action::Respond(_) => &[],
        };
        let mirrors = self.filters.iter().filter_map(|it| match it {
            Filter::Mirror(mirror) => mirror.backend.as_ref(),
            _ => None,
        });
        let pages = self.filters.iter().flat_map(|it| match it {
            Filter::ErrorPages(pages) => pages.forward.backends.as_slice(),
            _ => &[],
        });
        weighted.iter().chain(pages).filter_map(|it| it.backend.as_ref()).chain(mirrors)
    }
}
