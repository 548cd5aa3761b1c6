//! A host with one of everything.

use model::{
    Action, Anchor, Backend, BackendId, BackendProtocol, Balancing, Case, Certificate, ClientAuth, ClientTrust, Cors, Engine, ErrorPages,
    Fault, Filter, Forward, Forwarded, ForwardedFor, GatewayOptions, HeaderEdit, Host, HostPattern, HostTls, Hostname, HttpsRedirect,
    Limits, LogEscape, LogFormat, LogLine, LogPart, LogValue, Match, Mirror, NamedMatch, ObjectRef, OnMiss, PathMatch, PathModifier,
    Pattern, Percent, Pin, Reason, Redirect, RedirectPort, RedirectWhen, Replies, ReplyBody, Respond, Retries, RetryOn, Rewrite, Route,
    Scheme, Sealed, ServerHeader, Source, Spill, TemplatePart, Text, Timeouts, TlsPolicy, TlsVersions, TrailingSlash, Tunnel, Unavailable,
    UnmatchedPreflight, ValueMatch, WeightedBackend,
};
use std::sync::Arc;
use std::time::Duration;

pub fn name(host: &str) -> HostPattern {
    HostPattern::Exact(Hostname::parse(host).expect("a good name"))
}

pub fn backend(id: &str) -> Arc<Backend> {
    let limits = Limits {
        connections: 7,
        idle_per_worker: 0,
        requests: 9,
        pending: 3,
        requests_per_connection: Some(0),
        connect: Some(Duration::from_millis(1)),
        idle: Some(Duration::ZERO),
    };
    Arc::new(Backend { id: BackendId::new(id), protocol: BackendProtocol::Http1, balancing: Balancing::LeastRequest, limits })
}

pub fn certificate(key: &[u8]) -> Arc<Certificate> {
    Arc::new(Certificate {
        origin: "Secret demo/tls".into(),
        chain: vec![vec![1, 2, 3], Vec::new()],
        key: Sealed::new(key.to_vec()),
        names: vec!["*.demo.test".into()],
    })
}

fn pattern(text: &str) -> Pattern {
    Pattern { text: text.into(), case: Case::Insensitive, anchor: Anchor::Whole, engine: Engine::Backtracking }
}

fn source(rule: &str) -> Source {
    Source { object: ObjectRef::new("HTTPRoute", "demo", "web"), rule: rule.into() }
}

fn values() -> Vec<ValueMatch> {
    let not = ValueMatch::Not(Box::new(ValueMatch::Not(Box::new(ValueMatch::Exact("x".into())))));
    vec![
        ValueMatch::Present,
        ValueMatch::Absent,
        ValueMatch::Exact(Text::default()),
        ValueMatch::Prefix("p".into()),
        ValueMatch::Regex(pattern("a|b")),
        not,
    ]
}

fn matches() -> Vec<Match> {
    let paths = [
        PathMatch::Any,
        PathMatch::Exact("/a".into()),
        PathMatch::Prefix(Text::default()),
        PathMatch::StartsWith("/b".into()),
        PathMatch::Regex(pattern("/c(.*)")),
    ];
    let named = || values().into_iter().map(|value| NamedMatch { name: "x-a".into(), value }).collect::<Vec<_>>();
    let scheme = [None, Some(Scheme::Http), Some(Scheme::Https)];
    paths
        .into_iter()
        .zip(scheme.into_iter().cycle())
        .map(|(path, scheme)| Match {
            path,
            scheme,
            method: scheme.map(|_| "GET".into()),
            headers: named(),
            query: named(),
            cookies: named(),
        })
        .collect()
}

fn filters() -> Vec<Filter> {
    let template = || vec![TemplatePart::Literal("/x".into()), TemplatePart::Capture(1)];
    let edit = |it: HeaderEdit| [Filter::RequestHeader(it.clone()), Filter::ResponseHeader(it)];
    let cors = Cors {
        origins: values(),
        methods: vec!["*".into()],
        headers: vec!["a".into(), "b".into()],
        expose: Vec::new(),
        credentials: true,
        max_age: Some(Duration::from_secs(5)),
        preflight: 204,
        unmatched: UnmatchedPreflight::Answer,
    };
    let delay = Some((Percent(5), Duration::from_millis(3)));
    let mut all = vec![
        Filter::HttpsRedirect(HttpsRedirect { when: RedirectWhen::Always, status: 308, trailing_slash: TrailingSlash::Strip }),
        Filter::HttpsRedirect(HttpsRedirect { when: RedirectWhen::HasCertificate, status: 301, trailing_slash: TrailingSlash::Keep }),
        Filter::Rewrite(Rewrite::Regex { pattern: pattern("/a(.*)"), template: template() }),
        Filter::Rewrite(Rewrite::Prefix { prefix: "/a".into(), replacement: Text::default() }),
        Filter::Rewrite(Rewrite::Full("/f".into())),
        Filter::Rewrite(Rewrite::Replace { pattern: pattern("b"), template: template() }),
        Filter::SetHost("inner".into()),
        Filter::BodyLimit(u64::MAX),
        Filter::Hsts("max-age=1".into()),
        Filter::Cors(cors.clone()),
        Filter::Cors(Cors { max_age: None, unmatched: UnmatchedPreflight::Forward, credentials: false, ..cors }),
        Filter::Fault(Fault { delay, abort: Some((Percent::ALL, 418)) }),
        Filter::Fault(Fault { delay: None, abort: None }),
        Filter::Mirror(Mirror { backend: Some(backend("demo/mirror:80")), percent: Percent(1) }),
        Filter::Mirror(Mirror { backend: None, percent: Percent(0) }),
        Filter::ErrorPages(Arc::new(ErrorPages {
            statuses: vec![404, 503],
            unavailable: Unavailable::Page,
            forward: Forward { unresolved: 500, ..Forward::to(backend("demo/pages:80")) },
            fields: vec![("X-Namespace".into(), "demo".into())],
        })),
        Filter::ErrorPages(Arc::new(ErrorPages {
            statuses: Vec::new(),
            unavailable: Unavailable::ByStatus,
            forward: Forward::to(backend("demo/pages:80")),
            fields: Vec::new(),
        })),
    ];
    let (name, value): (Text, Text) = ("x-b".into(), "1".into());
    all.extend(edit(HeaderEdit::Set { name: name.clone(), value: value.clone() }));
    all.extend(edit(HeaderEdit::Add { name: name.clone(), value }));
    all.extend(edit(HeaderEdit::Remove { name }));
    all
}

fn actions() -> Vec<Action> {
    let weighted = |to: Option<Arc<Backend>>| WeightedBackend { backend: to, weight: 3, filters: vec![Filter::SetHost("b".into())] };
    let retries = Retries {
        tries: 4,
        on: vec![RetryOn::ConnectFailure, RetryOn::SafeReset, RetryOn::Reset, RetryOn::Status(503), RetryOn::ServerError],
        per_try: Some(Duration::from_secs(1)),
        backoff: Some(Duration::from_millis(25)),
    };
    let forward = Forward {
        backends: vec![weighted(Some(backend("demo/web:80"))), weighted(None)],
        spill: Spill::ToFirst,
        timeouts: Timeouts { request: Some(Duration::from_secs(7)), ..Timeouts::default() },
        retries: Arc::new(retries),
        unresolved: 500,
    };
    let ports = [RedirectPort::Own, RedirectPort::OfScheme, RedirectPort::Listener, RedirectPort::Request, RedirectPort::Number(8443)];
    let path = [None, Some(PathModifier::Full("/".into())), Some(PathModifier::Prefix { prefix: "/a".into(), replacement: "/b".into() })];
    let redirect = |(port, path): (RedirectPort, Option<PathModifier>)| {
        let host = path.as_ref().map(|_| "other.test".into());
        Action::Redirect(Redirect { status: 302, scheme: host.as_ref().map(|_| Scheme::Https), host, port, path })
    };
    let respond =
        |reason: Reason| Action::Respond(Respond { status: 503, reason, body: (reason == Reason::Respond).then(|| "said".into()) });
    let mut all = vec![Action::Forward(forward), Action::Forward(Forward::to(backend("demo/web:80")))];
    all.extend(ports.into_iter().zip(path.into_iter().cycle()).map(redirect));
    all.extend(Reason::ALL.map(respond));
    all
}

/// A host that has every kind of match, filter and action, and a tunnel besides.
pub fn everything(host: &str) -> Host {
    let replies = Replies { body: ReplyBody::Empty, server: ServerHeader::Set("us".into()) };
    let route = |(index, action): (usize, Action)| Route {
        source: source(&format!("spec.rules[{index}]")),
        replies: (index % 2 == 0).then(|| Replies { server: ServerHeader::Keep, ..Replies::default() }),
        matches: if index == 1 { Vec::new() } else { matches() },
        filters: if index == 2 { Vec::new() } else { filters() },
        action,
    };
    let tunnel = |clients: Option<&[&str]>| Tunnel {
        source: source("spec"),
        backends: vec![WeightedBackend::new(Some(backend("demo/tcp:5432")), 1), WeightedBackend::new(None, 0)],
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(600),
        clients: clients.map(|all| all.iter().map(|it| it.parse().expect("a range")).collect()),
    };
    let trust = ClientTrust {
        origin: "Secret demo/ca".into(),
        authorities: vec![vec![9; 40]],
        revoked: vec![vec![8]],
        names: vec!["spiffe://*".into()],
        pins: vec![Pin::PublicKey([1; 32]), Pin::Certificate([2; 32])],
    };
    Host {
        name: name(host),
        tls: HostTls::Certificate(certificate(b"the key of everything")),
        tls_policy: TlsPolicy { client: ClientAuth::Required(Arc::new(trust)), versions: TlsVersions::Only13 },
        tunnel: Some(tunnel(Some(&["10.0.0.0/8", "2001:db8::/32"]))),
        datagrams: Some(tunnel(None)),
        routes: actions().into_iter().enumerate().map(route).collect(),
        on_miss: OnMiss::Wider,
        replies,
    }
}

/// Hosts that differ in what a host can be but for its routes.
pub fn kinds() -> Vec<Host> {
    let suffix = || Hostname::parse("demo.test").expect("a good name");
    let names = [HostPattern::Any, HostPattern::OneLabel(suffix()), HostPattern::AnyDepth(suffix())];
    let tls = [HostTls::None, HostTls::Default, HostTls::Passthrough, HostTls::Refuse];
    let trust =
        Arc::new(ClientTrust { origin: "b".into(), authorities: Vec::new(), revoked: Vec::new(), names: Vec::new(), pins: Vec::new() });
    let clients = [ClientAuth::None, ClientAuth::Unverified, ClientAuth::Optional(trust)];
    let mut all = Vec::new();
    for name in names {
        for tls in &tls {
            for (client, versions) in clients.iter().zip([TlsVersions::Both, TlsVersions::Only12, TlsVersions::Only13]) {
                let tls_policy = TlsPolicy { client: client.clone(), versions };
                all.push(Host { tls: tls.clone(), tls_policy, ..Host::new(name.clone()) });
            }
        }
    }
    all
}

/// What holds for all requests of a gateway, with every value a line can have.
pub fn options() -> GatewayOptions {
    use LogValue as V;
    let values = [
        V::Client,
        V::Peer,
        V::PeerPort,
        V::User,
        V::TimeLocal,
        V::TimeIso,
        V::TimeSeconds,
        V::RequestLine,
        V::Method,
        V::Target,
        V::Path,
        V::Query,
        V::QueryMark,
        V::Protocol,
        V::Scheme,
        V::ClientScheme,
        V::Host,
        V::Port,
        V::Status,
        V::BodySent,
        V::RequestLength,
        V::Duration,
        V::RequestId,
        V::Namespace,
        V::Object,
        V::Service,
        V::ServicePort,
        V::Backend,
        V::Endpoint,
        V::EndpointStatus,
        V::EndpointSent,
        V::EndpointDuration,
        V::EndpointConnect,
        V::EndpointHead,
        V::Nothing,
        V::Header("user-agent".into()),
        V::Cookie("Session".into()),
        V::Parameter("q".into()),
    ];
    let text = LogPart::Text("- ".into());
    let parts = values.into_iter().flat_map(|it| [text.clone(), LogPart::Value(it)]).collect();
    GatewayOptions {
        forwarded: Some(Forwarded {
            from: vec!["10.0.0.0/8".parse().expect("a range"), "::/0".parse().expect("a range")],
            field: "x-forwarded-for".into(),
            addresses: ForwardedFor::All,
        }),
        log: Some(Arc::new(LogFormat { parts, escape: LogEscape::Json, line: LogLine::Named })),
        tracing: None,
    }
}
