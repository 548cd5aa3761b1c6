//! The whole of it against a matcher written straight from the model's documentation.

use crate::{Beaten, Lookup, NoHeaders, Outcome, Part, Request, Server, Shown, Snapshot, Tried};
use model::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// By port, and name.
type Hosts = BTreeMap<(Option<u16>, HostPattern), Host>;
type Names = (Option<u16>, HostPattern);

const GATEWAY: &str = "demo/gateway";

// === a matcher that does nothing clever ===

/// Port, host and index of the route, or nothing.
fn naive<'h>(hosts: &'h Hosts, request: &Request) -> Option<(&'h Names, usize)> {
    let there = |port: Option<u16>, name: &HostPattern| hosts.contains_key(&(port, name.clone()));
    let own = |port: &Option<u16>, name: &HostPattern| match port {
        Some(port) => *port == request.port,
        None => !there(Some(request.port), name),
    };
    let mut covering: Vec<(&Names, &Host)> =
        hosts.iter().filter(|((port, name), _)| name.covers(request.host) && own(port, name)).collect();
    covering.sort_by_key(|(_, host)| match &host.name {
        HostPattern::Exact(_) => (0, 0, 0),
        HostPattern::OneLabel(suffix) => (1, usize::MAX - suffix.as_str().len(), 0),
        HostPattern::AnyDepth(suffix) => (1, usize::MAX - suffix.as_str().len(), 1),
        HostPattern::Any => (2, 0, 0),
    });
    for (names, host) in covering {
        if let Some(index) = host.routes.iter().position(|route| route.matches.iter().any(|it| holds(it, request))) {
            return Some((names, index));
        }
        if host.on_miss == OnMiss::Stop {
            return None;
        }
    }
    None
}

fn holds(it: &Match, request: &Request) -> bool {
    let path = match &it.path {
        PathMatch::Any => true,
        PathMatch::Exact(text) => **text == *request.path,
        PathMatch::Prefix(text) => *request.path == **text || request.path.starts_with(&format!("{text}/")),
        PathMatch::StartsWith(text) => request.path.starts_with(&**text),
        PathMatch::Regex(pattern) => regex(pattern, request.path.as_bytes()),
    };
    let method = it.method.as_ref().is_none_or(|method| **method == *request.method);
    let scheme = it.scheme.is_none_or(|scheme| scheme == request.scheme);
    let headers = it.headers.iter().all(|it| {
        let mut all = Vec::new();
        match &*it.name {
            ":authority" => all.push(request.authority.to_owned()),
            ":method" => all.push(request.method.to_owned()),
            ":scheme" => all.push(if request.scheme == Scheme::Http { "http" } else { "https" }.to_owned()),
            ":path" => all.push([request.path, &request.query.map(|query| format!("?{query}")).unwrap_or_default()].concat()),
            name => request.headers.each(name, &mut |value| all.push(String::from_utf8_lossy(value).into_owned())),
        }
        value(&it.value, (!all.is_empty()).then(|| all.join(",")).as_deref())
    });
    let query = it.query.iter().all(|it| {
        let mut pairs = request.query.iter().flat_map(|query| query.split('&')).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        value(&it.value, pairs.find(|(key, _)| **key == *it.name).map(|(_, value)| value))
    });
    path && method && scheme && headers && query
}

fn value(wanted: &ValueMatch, value_of: Option<&str>) -> bool {
    match (wanted, value_of) {
        (ValueMatch::Present, value) => value.is_some(),
        (ValueMatch::Absent, value) => value.is_none(),
        (ValueMatch::Not(inner), it) => !value(inner, it),
        (_, None) => false,
        (ValueMatch::Exact(text), Some(value)) => **text == *value,
        (ValueMatch::Prefix(text), Some(value)) => value.starts_with(&**text),
        (ValueMatch::Regex(pattern), Some(value)) => regex(pattern, value.as_bytes()),
    }
}

fn regex(pattern: &Pattern, text: &[u8]) -> bool {
    let flags = if pattern.case == Case::Insensitive { "(?i)" } else { "" };
    let text_of = match pattern.anchor {
        Anchor::None => format!("{flags}{}", pattern.text),
        Anchor::Start => format!("{flags}^(?:{})", pattern.text),
        Anchor::Whole => format!("{flags}^(?:{})$", pattern.text),
    };
    regex_automata::meta::Regex::new(&text_of).expect("it compiles").is_match(text)
}

// === inputs ===

fn pick<T: Clone + std::fmt::Debug + 'static>(of: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(of.to_vec())
}

fn patterns() -> impl Strategy<Value = HostPattern> {
    let names =
        pick(&["test", "a.test", "b.a.test", "c.b.a.test", "x.a.test"]).prop_map(|name| Hostname::parse(name).expect("a good name"));
    (0..4, names).prop_map(|(kind, name)| match kind {
        0 => HostPattern::Exact(name),
        1 => HostPattern::OneLabel(name),
        2 => HostPattern::AnyDepth(name),
        _ => HostPattern::Any,
    })
}

fn expressions() -> impl Strategy<Value = Pattern> {
    let texts = pick(&["/a(/|$)(.*)", "/a/b", "/[ab]+", "^/b(.*)", "b$", "/(a|b)/c", "/a.*c", "", "/A/[^/]+/c"]);
    (texts, pick(&[Case::Sensitive, Case::Insensitive]), pick(&[Anchor::None, Anchor::Start, Anchor::Whole]))
        .prop_map(|(text, case, anchor)| Pattern { text: text.into(), case, anchor, engine: Engine::Linear })
}

fn paths() -> impl Strategy<Value = PathMatch> {
    let plain = || prop::collection::vec(pick(&["a", "b", "c", "A"]), 0..4).prop_map(|parts| Text::from(format!("/{}", parts.join("/"))));
    let prefix = prop::collection::vec(pick(&["/a", "/b", "/ab"]), 0..3).prop_map(|parts| Text::from(parts.concat()));
    prop_oneof![
        1 => Just(PathMatch::Any),
        3 => plain().prop_map(PathMatch::Exact),
        3 => prefix.prop_map(PathMatch::Prefix),
        2 => "/[abA]{0,3}".prop_map(|text| PathMatch::StartsWith(text.into())),
        3 => expressions().prop_map(PathMatch::Regex),
    ]
}

fn values() -> impl Strategy<Value = ValueMatch> {
    let leaf = prop_oneof![
        Just(ValueMatch::Present),
        Just(ValueMatch::Absent),
        pick(&["1", "2", "always", "GET", "https", "/a/b?x=1", "a.test:8080"]).prop_map(|text| ValueMatch::Exact(text.into())),
        pick(&["1", "al", "/a", "a.test"]).prop_map(|text| ValueMatch::Prefix(text.into())),
        expressions().prop_map(ValueMatch::Regex),
    ];
    leaf.prop_recursive(2, 4, 1, |inner| inner.prop_map(|inner| ValueMatch::Not(Box::new(inner))))
}

fn named(names: &[&'static str]) -> impl Strategy<Value = Vec<NamedMatch>> + use<> {
    let one = (pick(names), values()).prop_map(|(name, value)| NamedMatch { name: name.into(), value });
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(one, 1..3)]
}

fn matches() -> impl Strategy<Value = Match> {
    let method = prop_oneof![3 => Just(None), 1 => pick(&[Some(Text::from("GET")), Some(Text::from("POST"))])];
    let scheme = prop_oneof![4 => Just(None), 1 => pick(&[Some(Scheme::Http), Some(Scheme::Https)])];
    (paths(), method, scheme, named(&["x", "y", ":authority", ":method", ":scheme", ":path"]), named(&["x", "y"]))
        .prop_map(|(path, method, scheme, headers, query)| Match { path, method, scheme, headers, query, cookies: Vec::new() })
}

fn route(number: usize, matches: Vec<Match>) -> Route {
    Route {
        replies: None,
        source: Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: format!("rules[{number}]").into() },
        matches,
        filters: Vec::new(),
        action: Action::Respond(Respond { status: 200, reason: Reason::Respond, body: None }),
    }
}

fn hosts() -> impl Strategy<Value = Host> {
    // Below and above the number of matches from which on a tree is built.
    let routes = prop::collection::vec(prop::collection::vec(matches(), 1..3), 0..14);
    (patterns(), routes, pick(&[OnMiss::Stop, OnMiss::Wider])).prop_map(|(name, routes, on_miss)| Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name,
        tls: HostTls::None,
        routes: routes.into_iter().enumerate().map(|(number, matches)| route(number, matches)).collect(),
        on_miss,
        replies: Replies::default(),
    })
}

/// On a port, or on all.
fn placed() -> impl Strategy<Value = (Names, Host)> {
    (pick(&[None, None, Some(80), Some(443)]), hosts()).prop_map(|(port, host)| ((port, host.name.clone()), host))
}

#[derive(Clone, Debug)]
struct Asked {
    host: String,
    port: u16,
    path: String,
    method: &'static str,
    scheme: Scheme,
    headers: Vec<(&'static str, &'static str)>,
    query: Option<&'static str>,
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        pick(&["", "test", "a.test", "b.a.test", "c.b.a.test", "d.c.b.a.test", "x.a.test", ".a.test", "other", "10.0.0.1"]),
        prop::collection::vec(pick(&["/a", "/b", "/c", "/ab", "/A", "/"]), 1..5),
        pick(&["GET", "POST"]),
        (pick(&[Scheme::Http, Scheme::Https]), pick(&[80, 443, 8080])),
        prop::collection::vec((pick(&["x", "y"]), pick(&["1", "2", "always", "/a/b"])), 0..3),
        pick(&[None, Some("x=1"), Some("y=2&x=always"), Some("x"), Some("x=1&x=2")]),
    )
        .prop_map(|(host, path, method, (scheme, port), headers, query)| Asked {
            host: host.into(),
            port,
            path: path.concat(),
            method,
            scheme,
            headers,
            query,
        })
}

impl Asked {
    fn with<T>(&self, f: impl FnOnce(&Request) -> T) -> T {
        let headers = self.headers.as_slice();
        f(&Request {
            method: self.method,
            scheme: self.scheme,
            port: self.port,
            host: &self.host,
            authority: &format!("{}:8080", self.host),
            path: &self.path,
            query: self.query,
            headers: &headers,
        })
    }
}

// === comparing ===

fn update(hosts: impl IntoIterator<Item = (HostPattern, Option<Host>)>) -> Update {
    update_of(hosts.into_iter().map(|(name, host)| ((None, name), host)))
}

fn update_of(hosts: impl IntoIterator<Item = (Names, Option<Host>)>) -> Update {
    let key = |(port, host)| ShardKey { gateway: GatewayId::new(GATEWAY), port, host };
    Update { shards: hosts.into_iter().map(|(names, host)| (key(names), host.map(Shard::new))).collect(), ..Update::default() }
}

fn found(snapshot: &Snapshot, request: &Request) -> Option<(Host, usize)> {
    match snapshot.gateway(&GatewayId::new(GATEWAY))?.find(request) {
        Lookup::Route(route) => Some((route.host().clone(), route.index())),
        Lookup::Miss { .. } => None,
        Lookup::OverBudget { .. } => panic!("no backtracking pattern was given"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn it_finds_what_the_naive_matcher_finds(
        all in prop::collection::vec(placed(), 1..7),
        requests in prop::collection::vec(asked(), 24),
    ) {
        let all: Hosts = all.into_iter().collect();
        let (snapshot, nacks) = Snapshot::empty().apply(&update_of(all.clone().into_iter().map(|(name, host)| (name, Some(host)))));
        prop_assert!(nacks.is_empty());
        for asked in &requests {
            asked.with(|request| {
                let expect = naive(&all, request);
                prop_assert_eq!(found(&snapshot, request), expect.map(|(names, index)| (all[names].clone(), index)), "{:?}", asked);
                let told = snapshot.gateway(&GatewayId::new(GATEWAY)).map(|it| it.explain(request));
                let winner = told.and_then(|it| match it.outcome {
                    Outcome::Route { host, route, .. } => Some(((it.hosts[host].port, it.hosts[host].pattern.clone()), route)),
                    _ => None,
                });
                prop_assert_eq!(winner, expect.map(|(names, index)| (names.clone(), index)), "explain {:?}", asked);
                Ok(())
            })?;
        }
    }

    #[test]
    fn step_by_step_is_the_same_as_at_once(
        steps in prop::collection::vec(prop::collection::vec((placed(), any::<bool>()), 1..4), 1..8),
        requests in prop::collection::vec(asked(), 24),
    ) {
        let mut now = Hosts::new();
        let mut snapshot = Snapshot::empty();
        for step in steps {
            let change: BTreeMap<_, _> = step.into_iter().map(|((names, host), keep)| (names, keep.then_some(host))).collect();
            for (name, host) in &change {
                match host {
                    Some(host) => now.insert(name.clone(), host.clone()),
                    None => now.remove(name),
                };
            }
            snapshot = snapshot.apply(&update_of(change)).0;
        }
        let (fresh, _) = Snapshot::empty().apply(&update_of(now.into_iter().map(|(name, host)| (name, Some(host)))));
        for asked in &requests {
            asked.with(|request| {
                prop_assert_eq!(found(&snapshot, request), found(&fresh, request), "{:?}", asked);
                Ok(())
            })?;
        }
    }
}

// === cases ===

fn host(name: HostPattern, paths: Vec<PathMatch>) -> Host {
    let routes = paths.into_iter().enumerate().map(|(n, path)| route(n, vec![Match { path, ..Match::default() }])).collect();
    Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name,
        tls: HostTls::None,
        routes,
        on_miss: OnMiss::Stop,
        replies: Replies::default(),
    }
}

fn exact(name: &str) -> HostPattern {
    HostPattern::Exact(Hostname::parse(name).expect("a good name"))
}

fn get<'a>(host: &'a str, path: &'a str) -> Request<'a> {
    Request { method: "GET", scheme: Scheme::Http, port: 80, host, authority: host, path, query: None, headers: &NoHeaders }
}

fn pattern(text: &str, engine: Engine) -> Pattern {
    Pattern { text: text.into(), case: Case::Insensitive, anchor: Anchor::Start, engine }
}

#[test]
fn an_unchanged_shard_is_not_compiled_again() {
    let (a, b) = (host(exact("a.test"), vec![PathMatch::Any]), host(exact("b.test"), vec![PathMatch::Any]));
    let (first, _) = Snapshot::empty().apply(&update([(a.name.clone(), Some(a.clone())), (b.name.clone(), Some(b))]));
    let (second, _) = first.apply(&update([(a.name.clone(), Some(a))]));
    let table = |snapshot: &Snapshot, name: &str| match snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway").find(&get(name, "/"))
    {
        Lookup::Route(route) => route.clone(),
        _ => panic!("it is served"),
    };
    for name in ["a.test", "b.test"] {
        assert!(Arc::ptr_eq(&table(&first, name), &table(&second, name)), "{name}");
    }
}

#[test]
fn a_broken_pattern_closes_its_own_route_alone() {
    let broken = |text| PathMatch::Regex(pattern(text, Engine::Linear));
    let paths = vec![broken("/secret(/|$"), broken("/(x"), PathMatch::Prefix("/a".into()), PathMatch::Any];
    let (snapshot, nacks) = Snapshot::empty().apply(&update([(exact("a.test"), Some(host(exact("a.test"), paths)))]));
    let routes: Vec<usize> = nacks.iter().map(|nack| nack.route).collect();
    assert_eq!(routes, [0, 1]);
    assert!(nacks[0].message.starts_with("matches[0]: unclosed group"), "{}", nacks[0].message);
    let table = snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway");
    for (path, index, status) in [("/secret/key", 0, 503), ("/Secret", 0, 503), ("/a/b", 2, 200), ("/x", 3, 200)] {
        let Lookup::Route(route) = table.find(&get("a.test", path)) else { panic!("{path} is served") };
        let Action::Respond(respond) = route.action() else { panic!("{path} responds") };
        assert_eq!((route.index(), respond.status), (index, status), "{path}");
    }
}

#[test]
fn a_broken_rewrite_closes_its_route() {
    let mut host = host(exact("a.test"), vec![PathMatch::Any]);
    let pattern = pattern("/(a", Engine::Linear);
    host.routes[0].filters = vec![Filter::Rewrite(Rewrite::Regex { pattern, template: Vec::new() })];
    let (snapshot, nacks) = Snapshot::empty().apply(&update([(host.name.clone(), Some(host))]));
    assert_eq!(nacks.len(), 1);
    assert!(nacks[0].message.starts_with("filters[0]: "), "{}", nacks[0].message);
    let Lookup::Route(route) = snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway").find(&get("a.test", "/")) else {
        panic!("it is served")
    };
    assert_eq!(route.filters().count(), 0);
    assert!(matches!(route.action(), Action::Respond(respond) if respond.status == 503 && respond.reason == Reason::Closed));
}

#[test]
fn a_pattern_that_takes_too_long_ends_the_search() {
    let evil = pattern(r"^/(a|aa)+(?!b)$\1", Engine::Backtracking);
    let many = (0..9).map(|n| PathMatch::Exact(format!("/x{n}").into()));
    for more in [0, 9] {
        let paths = many.clone().take(more).chain([PathMatch::Regex(evil.clone()), PathMatch::Any]).collect();
        let (snapshot, _) = Snapshot::empty().apply(&update([(exact("a.test"), Some(host(exact("a.test"), paths)))]));
        let table = snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway");
        let path = ["/", &"a".repeat(200)].concat();
        assert!(matches!(table.find(&get("a.test", &path)), Lookup::OverBudget { .. }));
        assert!(matches!(table.explain(&get("a.test", &path)).outcome, Outcome::OverBudget { route, .. } if route == more));
        assert!(matches!(table.find(&get("a.test", "/b")), Lookup::Route(_)));
    }
}

#[test]
fn certificates_follow_the_most_specific_host_that_asked() {
    let certificate = |name: &str| {
        let it = Certificate { origin: name.into(), chain: Vec::new(), key: Sealed::new(Vec::new()), names: Vec::new() };
        Arc::new(it)
    };
    let suffix = |name| Hostname::parse(name).expect("a good name");
    let own = |name: &str| HostTls::Certificate(certificate(name));
    let with = |name: HostPattern, tls| (name.clone(), Some(Host { tls, ..host(name, Vec::new()) }));
    let id = GatewayId::new(GATEWAY);
    let gateway = Gateway {
        id: id.clone(),
        listeners: Vec::new(),
        default_certificate: Some(certificate("default")),
        replies: Replies::default(),
        options: Arc::default(),
    };
    let mut change = update([
        with(exact("a.test"), own("a")),
        with(exact("plain.test"), HostTls::None),
        with(exact("broken.wild.test"), HostTls::Default),
        with(exact("none.wild.test"), HostTls::None),
        with(HostPattern::OneLabel(suffix("wild.test")), own("wild")),
        with(HostPattern::AnyDepth(suffix("deep.test")), own("deep")),
    ]);
    change.gateways.push((id.clone(), Some(Arc::new(gateway))));
    let (snapshot, _) = Snapshot::empty().apply(&change);
    let check = |name: Option<&str>, origin: &str, known: bool| {
        let table = snapshot.gateway(&id).expect("a gateway");
        assert_eq!(table.certificate(443, name).map(|it| it.origin.as_str()), Some(origin), "{name:?}");
        assert_eq!(table.knows_certificate(name.unwrap_or_default()), known, "{name:?}");
    };
    check(Some("a.test"), "a", true);
    check(Some("plain.test"), "default", false);
    check(Some("broken.wild.test"), "default", true);
    check(Some("none.wild.test"), "wild", true);
    check(Some("x.wild.test"), "wild", true);
    check(Some("y.x.wild.test"), "default", false);
    check(Some("y.x.deep.test"), "deep", true);
    check(Some("unknown"), "default", false);
    check(None, "default", false);
}

/// What a port has of its own hides what all ports have of that name, and what is wider is still asked.
#[test]
fn a_port_has_its_own_policies_tunnels_and_passages() {
    let id = GatewayId::new(GATEWAY);
    let suffix = || Hostname::parse("wild.test").expect("a good name");
    let only13 = TlsPolicy { client: ClientAuth::Unverified, versions: TlsVersions::Only13 };
    let tunnel = |rule: &str| {
        let source = Source { object: ObjectRef::new("VirtualService", "demo", "web"), rule: rule.into() };
        Some(Tunnel { source, backends: Vec::new(), connect: Duration::ZERO, idle: Duration::ZERO, clients: None })
    };
    let certificate = |name: &str| {
        HostTls::Certificate(Arc::new(Certificate {
            origin: name.into(),
            chain: Vec::new(),
            key: Sealed::new(Vec::new()),
            names: Vec::new(),
        }))
    };
    let blank = |name: HostPattern| host(name, Vec::new());
    let hosts = [
        (None, Host { tls: certificate("common"), ..blank(exact("a.test")) }),
        (None, blank(exact("plain.wild.test"))),
        (Some(443), Host { tls: certificate("own"), tls_policy: only13.clone(), ..blank(exact("a.test")) }),
        (Some(443), Host { tls: HostTls::Passthrough, tunnel: tunnel("tls"), ..blank(HostPattern::AnyDepth(suffix())) }),
        (Some(443), Host { tls: HostTls::Refuse, ..blank(HostPattern::Any) }),
        (Some(31400), Host { tunnel: tunnel("tcp"), ..blank(HostPattern::Any) }),
    ];
    let (snapshot, _) = Snapshot::empty().apply(&update_of(hosts.map(|(port, host)| ((port, host.name.clone()), Some(host)))));
    let table = snapshot.gateway(&id).expect("a gateway");
    let seen = |port, name| {
        let Server { shown, policy, tunnel } = table.server(port, name);
        let shown = match shown {
            Shown::Certificate(certificate) => certificate.origin.as_str(),
            Shown::Passthrough => "through",
            Shown::Refuse => "refused",
            Shown::Close => "closed",
        };
        (shown, *policy == only13, tunnel.map(|it| it.source.rule.as_str()))
    };
    assert_eq!(seen(443, Some("a.test")), ("own", true, None));
    assert_eq!(seen(8443, Some("a.test")), ("common", false, None));
    assert_eq!(seen(443, Some("x.y.wild.test")), ("through", false, Some("tls")));
    assert_eq!(seen(443, Some("plain.wild.test")), ("through", false, Some("tls")), "nobody asked to end TLS for it");
    assert_eq!(seen(443, None), ("refused", false, None));
    assert_eq!(seen(8443, Some("b.test")), ("refused", false, None), "there is no default certificate");
    assert_eq!(table.tunnel(31400).map(|it| it.source.rule.as_str()), Some("tcp"));
    assert!(table.tunnel(443).is_none() && table.tunnel(80).is_none());
    assert!(table.knows_certificate("a.test") && table.knows_certificate("z.wild.test") && !table.knows_certificate("b.test"));
}

/// With one host whose requests are read there, TLS is spoken on the port, and refusals are in its words.
#[test]
fn where_all_is_handed_on_nobodys_connection_is_closed() {
    let source = Source { object: ObjectRef::new("TLSRoute", "demo", "web"), rule: "spec.rules[0]".into() };
    let tunnel = Tunnel { source, backends: Vec::new(), connect: Duration::ZERO, idle: Duration::ZERO, clients: None };
    let passed = Host { tls: HostTls::Passthrough, tunnel: Some(tunnel), ..host(exact("passed.test"), Vec::new()) };
    let refused = Host { tls: HostTls::Refuse, ..host(HostPattern::Any, Vec::new()) };
    let read = host(exact("read.test"), Vec::new());
    let change = |port, host: &Host, to: Option<&Host>| ((port, host.name.clone()), to.cloned());
    let seen = |snapshot: &Snapshot| {
        let table = snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway");
        [Some("nobody.test"), None, Some("passed.test")].map(|name| match table.server(443, name).shown {
            Shown::Close => "closed",
            Shown::Refuse => "refused",
            Shown::Passthrough => "through",
            Shown::Certificate(_) => "met",
        })
    };
    let on = Some(443);
    // Of two changes of one host the later counts.
    let twice = [change(on, &passed, None), change(on, &passed, Some(&passed)), change(Some(80), &read, Some(&read))];
    let (snapshot, _) = Snapshot::empty().apply(&update_of(twice));
    assert_eq!(seen(&snapshot), ["closed", "closed", "through"]);
    let (snapshot, _) = snapshot.apply(&update_of([change(on, &refused, Some(&refused)), change(on, &passed, Some(&passed))]));
    assert_eq!(seen(&snapshot), ["closed", "closed", "through"]);
    for port in [on, None] {
        let (with, _) = snapshot.apply(&update_of([change(port, &read, Some(&read))]));
        assert_eq!(seen(&with), ["refused", "refused", "through"], "{port:?}");
        let (without, _) = with.apply(&update_of([change(port, &read, None)]));
        assert_eq!(seen(&without), ["closed", "closed", "through"], "{port:?}");
    }
    let (none, _) = snapshot.apply(&update_of([change(on, &passed, None)]));
    assert_eq!(seen(&none), ["refused", "refused", "refused"]);
}

#[test]
fn ports_share_what_is_the_same() {
    let mut shared = host(exact("a.test"), vec![PathMatch::Any]);
    let broken = PathMatch::Regex(pattern("/(x", Engine::Linear));
    shared.routes.push(route(1, vec![Match { path: broken, ..Match::default() }]));
    let on = |port| ((Some(port), shared.name.clone()), Some(shared.clone()));
    let (first, nacks) = Snapshot::empty().apply(&update_of([on(80), on(8080)]));
    assert_eq!(nacks.iter().map(|nack| nack.shard.port).collect::<Vec<_>>(), [Some(80), Some(8080)]);
    let (second, nacks) = first.apply(&update_of([on(8081)]));
    assert_eq!(nacks.iter().map(|nack| nack.shard.port).collect::<Vec<_>>(), [Some(8081)]);
    let table = second.gateway(&GatewayId::new(GATEWAY)).expect("a gateway");
    let route = |port| match table.find(&Request { port, ..get("a.test", "/") }) {
        Lookup::Route(route) => Some(Arc::as_ptr(route)),
        _ => None,
    };
    assert!(route(80).is_some() && route(80) == route(8080) && route(80) == route(8081));
    assert_eq!((route(443), table.len()), (None, 3));
    let (third, _) = second.apply(&update_of([80, 8080, 8081].map(|port| ((Some(port), exact("a.test")), None))));
    assert!(third.gateway(&GatewayId::new(GATEWAY)).is_none());
}

#[test]
fn explain_names_the_winner_the_reasons_and_the_runner_up() {
    let wide = HostPattern::Any;
    let mut narrow =
        host(exact("a.test"), vec![PathMatch::Exact("/a".into()), PathMatch::Prefix("/a".into()), PathMatch::StartsWith("/a".into())]);
    narrow.routes[1].matches[0].method = Some("POST".into());
    let all = [(narrow.name.clone(), Some(narrow)), (wide.clone(), Some(host(wide, vec![PathMatch::Any])))];
    let (snapshot, _) = Snapshot::empty().apply(&update(all));
    let told = snapshot.gateway(&GatewayId::new(GATEWAY)).expect("a gateway").explain(&get("a.test", "/a/b"));
    let parts = told.hosts[0].routes.iter().map(|route| match &route.matches[0] {
        Tried::Fails { part, .. } => Some(*part),
        _ => None,
    });
    assert_eq!(parts.collect::<Vec<_>>(), [Some(Part::Path), Some(Part::Method), None]);
    assert_eq!(told.outcome, Outcome::Route { host: 0, route: 2, runner_up: Some((1, 0)) });
    assert!(told.hosts[0].asked && !told.hosts[1].asked);
    assert!(matches!(told.winner().map(|it| &it.matches[0]), Some(Tried::Holds { .. })));
    let (_, why) = told.runner_up().expect("the wide host's route");
    assert_eq!(why, Beaten::Wider { host: HostPattern::Any, winner: exact("a.test") });
}

#[test]
fn cookies_and_escaped_parameters_are_found() {
    let mut host = host(exact("a.test"), vec![PathMatch::Any, PathMatch::Any]);
    let always = |name: &str, value: &str| vec![NamedMatch { name: name.into(), value: ValueMatch::Exact(value.into()) }];
    host.routes[0].matches[0].cookies = always("canary", "always");
    host.routes[1].matches[0].query = always("a b", "c&d");
    let (snapshot, _) = Snapshot::empty().apply(&update([(host.name.clone(), Some(host))]));
    let check = |cookie: &str, query, expect| {
        let headers = [("cookie", "x=y"), ("cookie", cookie)];
        let headers = headers.as_slice();
        let request = Request { query, headers: &headers, ..get("a.test", "/") };
        assert_eq!(found(&snapshot, &request).map(|(_, index)| index), expect, "{cookie} {query:?}");
    };
    check("a=b; canary=always; c=d", None, Some(0));
    check("canary=never; canary=always", None, None);
    check("notcanary=always", None, None);
    check("", Some("x=1&a%20b=c%26d"), Some(1));
    check("", Some("a%20b=c%2"), None);
}
