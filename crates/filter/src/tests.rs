use super::*;
use model::*;
use proptest::prelude::*;
use route::{Lookup, Snapshot};
use std::sync::Arc;

/// What became of one request through one route.
struct Ran {
    flow: Flow,
    edits: Edits,
    route: Arc<CompiledRoute>,
}

struct Asked {
    scheme: Scheme,
    host: &'static str,
    path: String,
    query: Option<&'static str>,
    raw_target: String,
    https_port: Option<u16>,
    certificate_known: bool,
    chance: u32,
    method: &'static str,
    headers: Vec<(&'static str, &'static str)>,
}

fn get(path: &str) -> Asked {
    Asked {
        scheme: Scheme::Http,
        host: "a.test",
        path: path.into(),
        query: None,
        raw_target: path.into(),
        https_port: None,
        certificate_known: true,
        chance: 0,
        method: "GET",
        headers: Vec::new(),
    }
}

fn ran(filters: Vec<Filter>, action: Action, asked: &Asked) -> Ran {
    let route = Route {
        replies: None,
        source: Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "rules[0]".into() },
        matches: vec![Match::default()],
        filters,
        action,
    };
    let host = Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name: HostPattern::Any,
        tls: HostTls::None,
        routes: vec![route],
        on_miss: OnMiss::Stop,
        replies: Replies::default(),
    };
    let gateway = GatewayId::new("demo/gateway");
    let key = ShardKey { port: None, gateway: gateway.clone(), host: HostPattern::Any };
    let (snapshot, nacks) = Snapshot::empty().apply(&Update { shards: vec![(key, Some(Shard::new(host)))], ..Update::default() });
    assert_eq!(nacks, []);
    let authority = format!("{}:8080", asked.host);
    let headers = asked.headers.as_slice();
    let request = Request {
        method: asked.method,
        scheme: asked.scheme,
        port: 80,
        host: asked.host,
        authority: &authority,
        path: &asked.path,
        query: asked.query,
        headers: &headers,
    };
    let Lookup::Route(route) = snapshot.gateway(&gateway).expect("a gateway").find(&request) else { panic!("one route takes all") };
    let known = || asked.certificate_known;
    let context =
        Context { raw_target: &asked.raw_target, https_port: asked.https_port, certificate_known: &known, chance: &|| asked.chance };
    let mut edits = Edits::default();
    // Edits are reused: what one request left must not show in the next.
    let both = || match run(route, &request, &context, &mut edits) {
        Flow::Continue => run_backend(route, 0, &request, &context, &mut edits),
        flow => flow,
    };
    let flow = std::iter::repeat_with(both).take(2).last().expect("two");
    Ran { flow, edits, route: route.clone() }
}

fn forward() -> Action {
    Action::Forward(Forward::to(Arc::new(Backend::new(BackendId::new("demo/web:80")))))
}

fn target(filters: Vec<Filter>, asked: &Asked) -> Option<String> {
    let ran = ran(filters, forward(), asked);
    assert_eq!(ran.flow, Flow::Continue);
    ran.edits.target().map(str::to_owned)
}

fn location(ran: &Ran) -> &str {
    match &ran.flow {
        Flow::Respond(Reply { location: Some(location), .. }) => location,
        other => panic!("no redirect but {other:?}"),
    }
}

/// As frontends read `/$2`: digits after `$` are captures.
fn template(text: &str) -> Vec<TemplatePart> {
    let mut parts = text.split('$');
    let literal = |text: &str| TemplatePart::Literal(text.into());
    let mut template = vec![literal(parts.next().unwrap_or_default())];
    for part in parts {
        let (digit, rest) = part.split_at(1);
        template.extend([TemplatePart::Capture(digit.parse().expect("a digit")), literal(rest)]);
    }
    template
}

fn regex(pattern: &str, to: &str) -> Filter {
    let pattern = Pattern { text: pattern.into(), case: Case::Insensitive, anchor: Anchor::None, engine: Engine::Linear };
    Filter::Rewrite(Rewrite::Regex { pattern, template: template(to) })
}

#[test]
fn a_rewrite_replaces_the_whole_path_and_keeps_the_query() {
    let check = |pattern, to, path, query, expect: Option<&str>| {
        let asked = Asked { query, ..get(path) };
        assert_eq!(target(vec![regex(pattern, to)], &asked).as_deref(), expect, "{pattern} → {to} of {path}");
    };
    check("/shop(/|$)(.*)", "/$2", "/shop/cart", None, Some("/cart"));
    check("/shop(/|$)(.*)", "/$2", "/shop", Some("a=b&c"), Some("/?a=b&c"));
    check("/SHOP(/|$)(.*)", "/$2", "/shop/x%20y", None, Some("/x%20y"));
    check("/shop(/|$)(.*)", "/$2", "/other", Some("a"), None);
    check("/shop", "/", "/shop/cart", None, Some("/"));
    check("/shop/(.*)", "$1", "/shop/cart", None, Some("/cart"));
    check("/shop/(.*)", "/$1?from=shop", "/shop/cart", Some("a=b"), Some("/cart?from=shop&a=b"));
    check("/(a)?(b)?", "/[$1][$2]", "/b", None, Some("/[][b]"));
    check("/(.)(.*)", "/$2$1", "/%41", None, Some("/41%25"));
    check("/(..)/(.*)", "/$2/../x", "/ab/c", None, Some("/x"));
    check("/%(..)(.*)", "/%$1", "/%2e", None, Some("/"));
    check("/x", "/caf\u{e9} #1", "/x", None, Some("/caf%C3%A9%20%231"));
    check("/x", "/a\r\nSet-Cookie:b", "/x", None, Some("/a%0D%0ASet-Cookie:b"));
}

#[test]
fn a_template_makes_no_path_without_end() {
    let of = |rewrite: fn(Pattern, Vec<TemplatePart>) -> Rewrite, times, path: &str| {
        let pattern = Pattern { text: "(.*)".into(), case: Case::Sensitive, anchor: Anchor::None, engine: Engine::Linear };
        let rewrite = rewrite(pattern, vec![TemplatePart::Capture(1); times]);
        ran(vec![Filter::Rewrite(rewrite)], Action::Respond(Respond { status: 200, reason: Reason::Respond, body: None }), &get(path))
    };
    let path = "/".to_owned() + &"a".repeat(1023);
    for rewrite in [|pattern, template| Rewrite::Regex { pattern, template }, |pattern, template| Rewrite::Replace { pattern, template }] {
        let answer = |times| match of(rewrite, times, &path).flow {
            Flow::Respond(reply) => reply.status,
            Flow::Continue => panic!("a route that answers by itself"),
        };
        assert_eq!((answer(64), answer(65), answer(100_000)), (200, 400, 400));
    }
}

#[test]
fn rewrites_follow_one_another() {
    let filters = vec![regex("/a/(.*)", "/b/$1?x"), regex("/b/(.*)", "/c/$1?y"), regex("/a", "/never")];
    assert_eq!(target(filters, &Asked { query: Some("q"), ..get("/a/z") }).as_deref(), Some("/c/z?y&x&q"));
}

#[test]
fn a_prefix_is_replaced_segment_by_segment() {
    let check = |prefix: &str, to: &str, path, expect: &str| {
        let rewrite = Rewrite::Prefix { prefix: prefix.into(), replacement: to.into() };
        assert_eq!(target(vec![Filter::Rewrite(rewrite)], &get(path)).as_deref(), Some(expect), "{prefix} → {to} of {path}");
    };
    // The table of Gateway API's `ReplacePrefixMatch`.
    check("/foo", "/xyz", "/foo/bar", "/xyz/bar");
    check("/foo", "/xyz/", "/foo/bar", "/xyz/bar");
    check("/foo/", "/xyz", "/foo/bar", "/xyz/bar");
    check("/foo/", "/xyz/", "/foo/bar", "/xyz/bar");
    check("/foo", "/xyz", "/foo", "/xyz");
    check("/foo", "/xyz", "/foo/", "/xyz/");
    check("/foo", "", "/foo/bar", "/bar");
    check("/foo/", "", "/foo/bar", "/bar");
    check("/foo", "/", "/foo", "/");
    check("/foo", "/", "/foo/", "/");
    check("/foo", "/", "/foo/bar", "/bar");
    check("/foo", "/xyz", "/foobar", "/foobar");
    check("", "/xyz", "/foo", "/xyz/foo");
}

#[test]
fn plain_text_is_sent_to_https_as_ingress_nginx_does() {
    let redirect = |when, trailing_slash| vec![Filter::HttpsRedirect(HttpsRedirect { when, status: 308, trailing_slash })];
    let strip = || redirect(RedirectWhen::HasCertificate, TrailingSlash::Strip);
    let check =
        |filters, asked: &Asked, expect: &str| assert_eq!(location(&ran(filters, forward(), asked)), expect, "{}", asked.raw_target);
    let raw = |target: &str| Asked { raw_target: target.into(), ..get("/x") };
    check(strip(), &raw("/cart?a=b"), "https://a.test/cart?a=b");
    check(strip(), &raw("/cart/"), "https://a.test/cart");
    check(strip(), &raw("/"), "https://a.test");
    check(strip(), &raw("/?a=/"), "https://a.test/?a=");
    check(redirect(RedirectWhen::Always, TrailingSlash::Keep), &raw("/cart/"), "https://a.test/cart/");
    check(strip(), &Asked { https_port: Some(10_443), ..raw("/x") }, "https://a.test:10443/x");
    check(strip(), &Asked { https_port: Some(443), ..raw("/x") }, "https://a.test/x");
    check(strip(), &raw("/a\r\nb"), "https://a.test/a%0D%0Ab");
    check(strip(), &raw("//evil.test/"), "https://a.test//evil.test");
    check(strip(), &raw("?a=b"), "https://a.test/?a=b");
    check(strip(), &raw(".evil.test"), "https://a.test/.evil.test");
    let goes_on = |filters, asked: &Asked| assert_eq!(ran(filters, forward(), asked).flow, Flow::Continue);
    goes_on(strip(), &Asked { certificate_known: false, ..get("/x") });
    goes_on(strip(), &Asked { scheme: Scheme::Https, ..get("/x") });
    let always = redirect(RedirectWhen::Always, TrailingSlash::Strip);
    check(always.clone(), &Asked { certificate_known: false, ..raw("/x") }, "https://a.test/x");
    let nowhere = ran(always, forward(), &Asked { host: "", ..get("/x") }).flow;
    assert!(matches!(nowhere, Flow::Respond(Reply { status: 400, location: None, .. })), "{nowhere:?}");
}

#[test]
fn a_redirect_ends_the_list() {
    let redirect = HttpsRedirect { when: RedirectWhen::Always, status: 308, trailing_slash: TrailingSlash::Keep };
    let ran = ran(vec![Filter::HttpsRedirect(redirect), Filter::BodyLimit(1)], forward(), &get("/x"));
    assert_eq!(ran.edits.body_limit(), None);
}

#[test]
fn edits_are_listed_in_order() {
    let set = |name: &str| HeaderEdit::Set { name: name.into(), value: "v".into() };
    let filters = vec![
        Filter::RequestHeader(set("x-a")),
        Filter::ResponseHeader(HeaderEdit::Remove { name: "server".into() }),
        Filter::RequestHeader(set("x-b")),
        Filter::BodyLimit(20),
        Filter::BodyLimit(10),
        Filter::BodyLimit(30),
        Filter::SetHost("inner.test".into()),
        Filter::Hsts("max-age=1".into()),
    ];
    for (scheme, hsts) in [(Scheme::Http, None), (Scheme::Https, Some("max-age=1"))] {
        let Ran { edits, route, .. } = ran(filters.clone(), forward(), &Asked { scheme, ..get("/x") });
        let names: Vec<_> = edits.request_headers(&route).cloned().collect();
        assert_eq!(names, [set("x-a"), set("x-b")]);
        assert_eq!(edits.response_headers(&route).count(), 1);
        assert_eq!((edits.body_limit(), edits.host(&route), edits.hsts(&route)), (Some(10), Some("inner.test"), hsts));
        assert_eq!(edits.target(), None);
    }
}

#[test]
fn a_routes_own_redirect_keeps_what_it_does_not_name() {
    let none = Redirect { status: 302, scheme: None, host: None, port: RedirectPort::Own, path: None };
    let check = |redirect: Redirect, expect: &str| {
        let asked = Asked { query: Some("q=1"), ..get("/foo/bar") };
        let ran = ran(Vec::new(), Action::Redirect(redirect), &asked);
        assert_eq!(location(&ran), expect);
    };
    check(none.clone(), "http://a.test:8080/foo/bar?q=1");
    check(Redirect { scheme: Some(Scheme::Https), ..none.clone() }, "https://a.test/foo/bar?q=1");
    check(Redirect { scheme: Some(Scheme::Https), port: RedirectPort::Number(8443), ..none.clone() }, "https://a.test:8443/foo/bar?q=1");
    check(Redirect { host: Some("b.test".into()), port: RedirectPort::Number(80), ..none.clone() }, "http://b.test/foo/bar?q=1");
    check(Redirect { path: Some(PathModifier::Full("/new".into())), ..none.clone() }, "http://a.test:8080/new?q=1");
    let prefix = PathModifier::Prefix { prefix: "/foo".into(), replacement: "/".into() };
    check(Redirect { path: Some(prefix), ..none }, "http://a.test:8080/bar?q=1");
}

#[test]
fn a_redirect_names_the_port_it_is_told() {
    let redirect = |port, scheme| Redirect { status: 302, scheme, host: None, port, path: None };
    let check = |port, scheme, expect: &str| {
        let asked = Asked { https_port: Some(8443), ..get("/") };
        assert_eq!(location(&ran(Vec::new(), Action::Redirect(redirect(port, scheme)), &asked)), expect, "{port:?} {scheme:?}");
    };
    // The request came to the listener of port 80 as `a.test:8080`.
    let https = Some(Scheme::Https);
    check(RedirectPort::Own, None, "http://a.test:8080/");
    check(RedirectPort::Own, Some(Scheme::Http), "http://a.test:8080/");
    check(RedirectPort::Own, https, "https://a.test:8443/");
    check(RedirectPort::OfScheme, None, "http://a.test/");
    check(RedirectPort::OfScheme, https, "https://a.test/");
    check(RedirectPort::Listener, None, "http://a.test/");
    check(RedirectPort::Listener, https, "https://a.test:80/");
    check(RedirectPort::Request, None, "http://a.test:8080/");
    check(RedirectPort::Request, https, "https://a.test:8080/");
    check(RedirectPort::Number(443), https, "https://a.test/");
}

#[test]
fn each_place_where_a_pattern_is_found_is_replaced() {
    let check = |pattern: &str, to: &str, path: &str, expect: Option<&str>| {
        let pattern = Pattern { text: pattern.into(), case: Case::Sensitive, anchor: Anchor::None, engine: Engine::Linear };
        let filter = Filter::Rewrite(Rewrite::Replace { pattern, template: template(to) });
        let asked = Asked { query: Some("q=aa"), ..get(path) };
        assert_eq!(target(vec![filter], &asked).as_deref(), expect, "{path} → {to}");
    };
    check("a+", "b", "/aa/xaay", Some("/b/xby?q=aa"));
    check("/([^/]+)/([^/]+)", "/$2/$1", "/1/2/3/4/5", Some("/2/1/4/3/5?q=aa"));
    check("^/v1", "/v2", "/v1/v1", Some("/v2/v1?q=aa"));
    check("x*", "-", "/axb", Some("/-/-a-b-?q=aa"));
    check("z", "b", "/aa", None);
    let all = Asked { ..get(&"/a".repeat(2000)) };
    let pattern = Pattern { text: "a".into(), case: Case::Sensitive, anchor: Anchor::None, engine: Engine::Linear };
    let long = Filter::Rewrite(Rewrite::Replace { pattern, template: template(&"b".repeat(1000)) });
    assert!(matches!(ran(vec![long], forward(), &all).flow, Flow::Respond(Reply { status: 400, .. })));
}

fn cors() -> Cors {
    let regex = Pattern { text: r"https://.+\.good\.test".into(), case: Case::Sensitive, anchor: Anchor::Whole, engine: Engine::Linear };
    Cors {
        origins: vec![ValueMatch::Exact("https://a.test".into()), ValueMatch::Regex(regex)],
        methods: vec!["GET".into(), "POST".into()],
        headers: vec!["X-One".into(), "X-Two".into()],
        expose: vec!["X-Out".into()],
        credentials: false,
        max_age: Some(std::time::Duration::from_secs(86_400)),
        preflight: 200,
        unmatched: UnmatchedPreflight::Forward,
    }
}

fn preflight(origin: &'static str) -> Asked {
    let headers = vec![("origin", origin), ("access-control-request-method", "DELETE"), ("access-control-request-headers", "x-three")];
    Asked { method: "OPTIONS", headers, ..get("/") }
}

fn fields(ran: Ran) -> Vec<String> {
    match ran.flow {
        Flow::Respond(reply) => reply.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        Flow::Continue => vec!["forwarded".to_owned()],
    }
}

#[test]
fn a_preflight_of_an_allowed_origin_is_answered_here() {
    let expect = |origin| {
        vec![
            "Vary: Origin".to_owned(),
            format!("Access-Control-Allow-Origin: {origin}"),
            "Access-Control-Allow-Methods: GET,POST".to_owned(),
            "Access-Control-Allow-Headers: X-One,X-Two".to_owned(),
            "Access-Control-Expose-Headers: X-Out".to_owned(),
            "Access-Control-Max-Age: 86400".to_owned(),
        ]
    };
    // The rewrite before it has a pattern too: each filter gets its own.
    let filters = || vec![regex("/x", "/y"), Filter::Cors(cors())];
    for origin in ["https://a.test", "https://x.good.test"] {
        assert_eq!(fields(ran(filters(), forward(), &preflight(origin))), expect(origin));
    }
    for origin in ["https://b.test", "https://a.test.evil", "https://x.good.test.evil", "null", "https://a.test\r\nX: y"] {
        assert_eq!(fields(ran(filters(), forward(), &preflight(origin))), ["forwarded"], "{origin}");
    }
    let closed = Cors { unmatched: UnmatchedPreflight::Answer, ..cors() };
    assert_eq!(fields(ran(vec![Filter::Cors(closed)], forward(), &preflight("https://b.test"))), ["Vary: Origin"]);
}

#[test]
fn with_credentials_a_star_is_what_was_asked_for() {
    let star = || vec![Text::from("*")];
    let any = Cors { origins: vec![ValueMatch::Present], methods: star(), headers: star(), expose: Vec::new(), max_age: None, ..cors() };
    let told = |cors: Cors| fields(ran(vec![Filter::Cors(cors)], forward(), &preflight("https://b.test"))).join("; ");
    let common = "Vary: Origin; Access-Control-Allow-Origin: https://b.test; ";
    let open = "Access-Control-Allow-Methods: *; Access-Control-Allow-Headers: *";
    assert_eq!(told(any.clone()), [common, open].concat());
    let exact = "Access-Control-Allow-Credentials: true; Access-Control-Allow-Methods: DELETE; Access-Control-Allow-Headers: x-three";
    assert_eq!(told(Cors { credentials: true, ..any }), [common, exact].concat());
}

#[test]
fn an_actual_request_is_forwarded_with_its_permission() {
    let seen = |origin| {
        let asked = Asked { headers: vec![("origin", origin)], ..get("/") };
        let Ran { flow, edits, route } = ran(vec![Filter::Cors(cors())], forward(), &asked);
        assert_eq!(flow, Flow::Continue);
        assert_eq!(edits.changes_answer(), edits.permission(&route).is_some());
        edits.permission(&route).map(|it| (it.origin.to_owned(), it.expose(), it.credentials))
    };
    assert_eq!(seen("https://a.test"), Some(("https://a.test".to_owned(), Some("X-Out".to_owned()), false)));
    assert_eq!(seen("https://b.test"), None);
}

#[test]
fn a_fault_hits_its_share_of_requests() {
    let second = std::time::Duration::from_secs(1);
    let half = Percent(500_000);
    let fault = |delay, abort| Filter::Fault(Fault { delay, abort });
    let seen = |filter: Filter, chance| {
        let Ran { flow, edits, .. } = ran(vec![filter], forward(), &Asked { chance, ..get("/") });
        let abort = match flow {
            Flow::Respond(reply) => Some((reply.status, reply.reason)),
            Flow::Continue => None,
        };
        (edits.delay(), abort)
    };
    assert_eq!(seen(fault(Some((half, second)), None), 499_999), (Some(second), None));
    assert_eq!(seen(fault(Some((half, second)), None), 500_000), (None, None));
    assert_eq!(seen(fault(Some((Percent::ALL, second)), Some((Percent::ALL, 418))), 999_999), (Some(second), Some((418, Reason::Fault))));
    assert_eq!(seen(fault(Some((Percent(0), second)), Some((Percent(0), 418))), 0), (None, None));
}

#[test]
fn a_mirror_takes_its_share_of_requests() {
    let mirror = |backend: Option<&str>, percent| {
        let backend = backend.map(|id| Arc::new(Backend::new(BackendId::new(id.to_owned()))));
        Filter::Mirror(Mirror { backend, percent })
    };
    let filters = vec![mirror(Some("a"), Percent(100)), mirror(Some("b"), Percent::ALL), mirror(None, Percent::ALL)];
    for (chance, expect) in [(99, vec!["a", "b"]), (100, vec!["b"])] {
        let Ran { edits, route, .. } = ran(filters.clone(), forward(), &Asked { chance, ..get("/") });
        let names: Vec<_> = edits.mirrors(&route).filter_map(|it| it.backend.as_ref()).map(|it| it.id.as_str()).collect();
        assert_eq!(names, expect);
    }
}

#[test]
fn a_backends_filters_come_after_the_routes() {
    let set = |name: &str| HeaderEdit::Set { name: name.into(), value: "v".into() };
    let mut to = Forward::to(Arc::new(Backend::new(BackendId::new("demo/web:80"))));
    to.backends[0].filters = vec![
        Filter::RequestHeader(set("x-backend")),
        Filter::ResponseHeader(set("x-out")),
        Filter::SetHost("inner.test".into()),
        regex("/b(.*)", "/c$1"),
    ];
    let filters = vec![Filter::RequestHeader(set("x-route")), Filter::SetHost("outer.test".into()), regex("/a(.*)", "/b$1")];
    let Ran { edits, route, .. } = ran(filters, Action::Forward(to), &get("/a/x"));
    let names: Vec<_> = edits.request_headers(&route).cloned().collect();
    assert_eq!(names, [set("x-route"), set("x-backend")]);
    assert_eq!(edits.response_headers(&route).cloned().collect::<Vec<_>>(), [set("x-out")]);
    assert_eq!((edits.host(&route), edits.target()), (Some("inner.test"), Some("/c/x")));
}

#[test]
fn a_fixed_answer_is_given_as_it_is() {
    let respond = Respond { status: 418, reason: Reason::Respond, body: Some("tea".into()) };
    let reply = Reply { status: 418, reason: Reason::Respond, location: None, body: Some("tea".into()), fields: Vec::new() };
    assert_eq!(ran(Vec::new(), Action::Respond(respond), &get("/")).flow, Flow::Respond(reply));
}

/// No dot segment, no octet that could end a line or begin another part of the URI, every `%` an escape.
fn is_safe(path: &str) -> bool {
    let octets = path.as_bytes();
    let escapes = path.match_indices('%').all(|(at, _)| {
        octets.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F')))
    });
    let dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    path.starts_with('/') && escapes && !dots && path.bytes().all(|octet| octet.is_ascii_graphic() && !br#""<>\^`{|}#"#.contains(&octet))
}

proptest! {
    #[test]
    fn nothing_unsafe_leaves_a_rewrite(to in "(/|[$][12]|\\.|%|[ -~]|\\PC|[\r\n\0]){0,8}", path in "(/|\\.|%2[eEfF0]|%C3|[a-z]){0,12}") {
        prop_assume!(!to.contains("$") || to.split('$').skip(1).all(|part| part.starts_with(['1', '2'])));
        let result = target(vec![regex("/([^/]*)(.*)", &to)], &get(&format!("/{path}"))).expect("it is rewritten");
        let path = result.split('?').next().unwrap_or_default();
        prop_assert!(is_safe(path), "{result:?}");
        prop_assert!(!result.contains(['\r', '\n', ' ', '\0', '#']), "{result:?}");
    }
}
