use super::*;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn shown(names: &[&str], from: i64, until: i64) -> Shaken {
    let names = names.iter().map(|it| (*it).to_owned()).collect();
    Shaken::Shown(Shown { names, not_before: from, not_after: until, issuer: "CN=x".into(), is_self_signed: false })
}

#[test]
fn each_way_to_fail_a_handshake_has_its_words() {
    let day = 86_400;
    for (shaken, verdict, word) in [
        (shown(&["a.test"], 0, NOW + day), Verdict::Good, "until 2027"),
        (shown(&["*.test"], 0, NOW + day), Verdict::Good, "*.test"),
        (shown(&["b.test"], 0, NOW + day), Verdict::Broken, "one for b.test, not for a.test"),
        (shown(&["*.a.test"], 0, NOW + day), Verdict::Broken, "not for a.test"),
        (shown(&["a.test"], 0, NOW), Verdict::Broken, "has expired"),
        (shown(&["a.test"], NOW + day, NOW + day + day), Verdict::Broken, "not good before"),
        (shown(&["paifang.invalid"], 0, NOW + day), Verdict::Broken, "there is none for a.test"),
        (Shaken::Refused("HandshakeFailure".into()), Verdict::Broken, "ends the handshake"),
        (Shaken::NotTls, Verdict::Broken, "speaks no TLS"),
        (Shaken::Silent, Verdict::Broken, "not answered"),
        (Shaken::Failed("x".into()), Verdict::Broken, "fails"),
    ] {
        let hop = certificate_hop("a.test", &shaken, NOW, false);
        assert_eq!(hop.verdict, verdict, "{hop:?}");
        assert!(hop.said().contains(word), "{word}: {hop:?}");
        assert_eq!(hop.mend.is_none(), verdict == Verdict::Good, "{hop:?}");
    }
    assert_eq!(certificate_hop("a.test", &Shaken::Refused(String::new()), NOW, true).verdict, Verdict::Unknown);
}

/// Objects of somebody who may see their project alone: a route, and where its own status says that it is.
fn known(at: &str, port: u16) -> Known {
    let ports: Value = json!([{ "port": port, "protocol": "TCP" }, { "port": port, "protocol": "TCP" }]);
    let paths = json!([{ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } }]);
    let objects = vec![
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "web", "namespace": "demo" },
            "spec": { "rules": [{ "host": "127.0.0.1.nobody.invalid", "http": { "paths": paths } }, { "host": "web.example", "http": { "paths": paths } }] },
            "status": { "loadBalancer": { "ingress": [{ "ip": at, "ports": ports }] } } }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "demo" }, "spec": { "ports": [{ "port": 80 }] } }),
        json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": { "name": "web-1", "namespace": "demo", "labels": { "kubernetes.io/service-name": "web" } },
            "endpoints": [{ "addresses": ["10.1.0.1"] }], "ports": [{ "port": 8080 }] }),
    ];
    Known::new(&Gathered { objects, from: Reach::Part, api: None })
}

fn how(touch: Touch) -> How {
    How { touch, resolver: Resolver::System, patience: Duration::from_secs(10), now: NOW, gateway: None }
}

fn hops(url: &str, host: &str, known: &Known, how: &How) -> Vec<(&'static str, &'static str, String)> {
    let headers: Vec<String> = if host.is_empty() { Vec::new() } else { vec![format!("Host: {host}")] };
    let asked = Asked::read("GET", url, &headers).expect(url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hops = runtime.block_on(follow(&asked, known, how));
    hops.into_iter().map(|it| (it.hop.word(), it.verdict.word(), it.said())).collect()
}

#[test]
fn a_way_that_is_whole_is_good_at_every_hop() {
    let listener = testkit::ports::listener();
    let port = listener.local_addr().expect("bound").port();
    let found = hops(&format!("http://127.0.0.1:{port}/"), "web.example", &known("127.0.0.1", port), &how(Touch::Anything));
    assert!(found.iter().all(|(_, verdict, _)| *verdict == "good"), "{found:?}");
    assert_eq!(found.len(), 6);
    drop(listener);
    let found = hops(&format!("http://127.0.0.1:{port}/"), "web.example", &known("127.0.0.1", port), &how(Touch::Anything));
    assert_eq!((found[2].1, found[3].2.as_str(), found[5].2.as_str()), ("broken", "not tried", "not tried"));
}

#[test]
fn a_name_that_leads_nowhere_is_no_end_where_the_gateway_is_known() {
    let listener = testkit::ports::listener();
    let port = listener.local_addr().expect("bound").port();
    let words = |port: u16, known: &Known| {
        let found = hops(&format!("http://127.0.0.1.nobody.invalid:{port}/"), "", known, &how(Touch::Anything));
        found.into_iter().map(|it| it.1).collect::<Vec<_>>()
    };
    assert_eq!(words(port, &known("127.0.0.1", port)), ["broken", "good", "good", "good", "good", "good"]);
    let nothing = testkit::ports::own();
    assert_eq!(words(nothing, &known("127.0.0.1", nothing))[1..], ["good", "broken", "unknown", "unknown", "unknown"]);
    // A name of no route's, and a gateway that is nowhere.
    let found = hops("http://nobody.invalid/", "", &known("127.0.0.1", port), &how(Touch::Anything));
    assert!(found[1..].iter().all(|it| it.2 == "not tried"), "{found:?}");
    let found = hops("http://127.0.0.1.nobody.invalid/", "", &known("gateway.invalid", port), &how(Touch::Anything));
    assert!(found[1..].iter().all(|it| it.2 == "not tried"), "{found:?}");
}

#[test]
fn who_asks_for_somebody_else_touches_only_what_it_named() {
    let listener = testkit::ports::listener();
    listener.set_nonblocking(true).expect("it may");
    let port = listener.local_addr().expect("bound").port();
    let url = format!("http://127.0.0.1:{port}/");
    let own = Touch::Only([Ipv4Addr::new(127, 0, 0, 9).into()].into());
    // What a route's owner can have shown as an address is not connected to.
    let found = hops(&url, "web.example", &known("127.0.0.1", port), &how(own.clone()));
    assert_eq!((found[2].0, found[2].1), ("port", "unknown"), "{found:?}");
    assert!(listener.accept().is_err(), "nobody came");
    // Nor is a name looked up that no route has.
    let found = hops("http://nobody.example/", "", &known("127.0.0.1", port), &how(own));
    assert_eq!((found[0].1, found[0].2.as_str()), ("unknown", "not asked: no route has this host"));
    assert_eq!((found[4].0, found[4].1), ("route", "broken"), "{found:?}");
    assert!(found[4].2.starts_with("among what you may see, "), "{found:?}");
    let order: Vec<&str> = found.iter().map(|it| it.0).collect();
    assert_eq!(order, ["name", "address", "port", "certificate", "route", "endpoint"]);
    let named = Touch::Only([Ipv4Addr::LOCALHOST.into()].into());
    let found = hops(&url, "web.example", &known("127.0.0.1", port), &how(named));
    assert!(found.iter().all(|(_, verdict, _)| *verdict == "good"), "{found:?}");
    assert!(listener.accept().is_ok());
}

#[test]
fn a_wrong_address_is_told_with_the_right_one() {
    let known = known("10.0.0.5", 80);
    let asked = Asked::read("GET", "http://127.0.0.1/", &["Host: web.example".into()]).expect("a URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(follow(&asked, &known, &how(Touch::Anything)));
    assert_eq!((found[1].verdict, found[1].mend().as_str()), (Verdict::Broken, "ask at 10.0.0.5"));
    assert!(found[2..].iter().all(|it| it.said == Saying::NotTried {}));
}
