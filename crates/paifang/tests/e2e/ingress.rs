//! A route as KubeSphere makes it, and everything around it.

use crate::harness::{Up, chance, shown_port, word};
use crate::objects::{annotated, by_name, by_number, ingress, namespace, path, service, simple, with_tls};
use serde_json::json;
use std::net::SocketAddr;
use testkit::certificates::Authority;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

/// An origin that says its name and what it was asked.
fn origin(name: &'static str) -> Origin {
    Origin::start(Behaviour::make(move |head, _| {
        let body = format!("{name} {} {}", head.target(), head.get("host").unwrap_or_default());
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }))
}

#[test]
fn the_literal_route() {
    route("demo-project", "demo", "httpbin", "demo.kubesphere.io");
}

#[test]
fn a_random_route() {
    let rng = &mut chance("a_random_route");
    let host = format!("{}.{}.example", word(rng), word(rng));
    route(&word(rng), &word(rng), &word(rng), &host);
}

/// Over http and https, by port name and number, on the LoadBalancer address and the node port; redirected once there is a certificate.
fn route(project: &str, name: &str, backend: &str, host: &str) {
    let (up, one) = (Up::start(&[]), origin("one"));
    let numbered = path("/number", "Prefix", by_number(backend));
    let named = path("/", "ImplementationSpecific", by_name(backend));
    let plain = ingress(project, name, host, &[named, numbered]);
    up.apply(&[namespace(project), service(project, backend, &[one.address()]), plain.clone()]);
    up.until(host, "/a", "served", |it| it.status == 200);
    for at in &up.http {
        for path in ["/x/y?q=1", "/number"] {
            let url = format!("http://{host}{}{path}", shown_port(at.port(), 80));
            let (status, _, body) = up.curl(&url, *at, &[]).expect("an answer");
            assert_eq!((status, body.starts_with(&format!("one {path} {host}"))), (200, true), "{at}: {body}");
        }
    }
    status(&up, project, name);
    tls(&up, project, &plain, host);
}

fn status(up: &Up, project: &str, name: &str) {
    let shown = eventually("an address in the status", || {
        let ingress = up.get(&["ingress", "-n", project, name])?;
        Some(ingress.pointer("/status/loadBalancer/ingress/0/ip")?.as_str()?.to_owned())
    });
    assert_eq!(shown, up.front().ip().to_string());
}

fn tls(up: &Up, project: &str, plain: &serde_json::Value, host: &str) {
    let (authority, other) = (Authority::new(), format!("other.{host}"));
    let trusted = up.file("ca.pem", &authority.certificate_pem());
    let trust = ["--cacert", trusted.to_str().expect("a plain path")];
    for (secret, name) in [("first", host), ("second", other.as_str())] {
        let issued = authority.issue(&[name]);
        let (cert, key) = (up.file("tls.crt", &issued.chain_pem), up.file("tls.key", &issued.key_pem));
        let (cert, key) = (format!("--cert={}", cert.display()), format!("--key={}", key.display()));
        up.kubectl(&["-n", project, "create", "secret", "tls", secret, &cert, &key], "").expect("a Secret");
    }
    let mut second = with_tls(plain.clone(), &[&other], "second");
    second["metadata"]["name"] = "second".into();
    second["spec"]["rules"][0]["host"] = other.as_str().into();
    up.apply(&[with_tls(plain.clone(), &[host], "first"), second]);
    for host in [host, &other] {
        for (http, https) in up.http.iter().zip(&up.https) {
            let url = format!("https://{host}{}/s", shown_port(https.port(), 443));
            let (_, _, body) = eventually("its own certificate", || up.curl(&url, *https, &trust).ok().filter(|it| it.0 == 200));
            assert!(body.starts_with("one /s "), "{body}");
            let ask = format!("http://{host}{}/a?b=c", shown_port(http.port(), 80));
            let (status, location, _) = eventually("a redirect", || up.curl(&ask, *http, &[]).ok().filter(|it| it.0 == 308));
            assert_eq!((status, location), (308, format!("https://{host}{}/a?b=c", shown_port(https.port(), 443))));
        }
    }
    assert!(
        up.curl(&format!("https://{host}.nobody:{}/", up.https[0].port()), up.https[0], &trust).is_err(),
        "the default certificate is not trusted"
    );
}

/// What each of these requests is answered: status, and the beginning of the body.
fn check(up: &Up, host: &str, cases: &[(&str, u16, &str)]) {
    for (path, status, body) in cases {
        up.until(host, path, &format!("{status} {body}"), |it| it.status == *status && it.text().starts_with(body));
    }
}

#[test]
fn paths_hosts_and_default_backends() {
    let rng = &mut chance("paths_hosts_and_default_backends");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let (one, two, three) = (origin("one"), origin("two"), origin("three"));
    let exact = path("/exact", "Exact", by_name("two"));
    let prefix = path("/prefix", "Prefix", by_name("three"));
    let mut catch_all = ingress(&project, "rest", "", &[]);
    catch_all["spec"] = json!({ "defaultBackend": by_name("three") });
    up.apply(&[
        namespace(&project),
        service(&project, "one", &[one.address()]),
        service(&project, "two", &[two.address()]),
        service(&project, "three", &[three.address()]),
        simple(&project, "first", &host, "one"),
        ingress(&project, "second", &host, &[exact, prefix]),
        simple(&project, "wild", &format!("*.{host}"), "two"),
        catch_all,
    ]);
    check(
        &up,
        &host,
        &[
            ("/", 200, "one / "),
            ("/exact", 200, "two /exact"),
            ("/exact/more", 200, "one /exact/more"),
            ("/prefix", 200, "three /prefix"),
            ("/prefix/a", 200, "three /prefix/a"),
            ("/prefixed", 200, "one /prefixed"),
        ],
    );
    check(&up, &format!("a.{host}"), &[("/w", 200, "two /w")]);
    check(&up, &format!("a.b.{host}"), &[("/w", 200, "three /w")]);
    check(&up, "nobody.example", &[("/d", 200, "three /d")]);
}

#[test]
fn rewrites_and_other_annotations() {
    let rng = &mut chance("rewrites_and_other_annotations");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let one = origin("one");
    let regex = path("/shop(/|$)(.*)", "ImplementationSpecific", by_name("one"));
    let host_of = |label: &str| format!("{label}.{host}");
    up.apply(&[
        namespace(&project),
        service(&project, "one", &[one.address()]),
        annotated(ingress(&project, "rewrite", &host_of("rewrite"), &[regex]), &[("use-regex", "true"), ("rewrite-target", "/$2")]),
        annotated(simple(&project, "vhost", &host_of("vhost"), "one"), &[("upstream-vhost", "inside.test")]),
        annotated(simple(&project, "cluster", &host_of("cluster"), "one"), &[("service-upstream", "true")]),
        annotated(simple(&project, "later", &host_of("later"), "one"), &[("proxy-buffer-size", "8k")]),
        annotated(simple(&project, "guarded", &host_of("guarded"), "one"), &[("auth-type", "basic"), ("auth-secret", "users")]),
    ]);
    check(&up, &host_of("rewrite"), &[("/shop/cart?x=1", 200, "one /cart?x=1"), ("/shop", 200, "one / "), ("/else", 404, "")]);
    check(&up, &host_of("vhost"), &[("/v", 200, "one /v inside.test")]);
    check(&up, &host_of("cluster"), &[("/c", 200, "one /c")]);
    check(&up, &host_of("later"), &[("/l", 200, "one /l")]);
    up.event(&project, "later", &["proxy-buffer-size", "not supported yet"]);
    let closed = up.until(&host_of("guarded"), "/", "closed", |it| it.status == 503);
    assert_eq!(closed.get("x-paifang-reason"), Some("closed"));
    up.event(&project, "guarded", &["auth-type", "not supported yet"]);
    assert!(one.requests().iter().all(|it| it.head.get("host").is_none_or(|it| !it.starts_with("guarded"))), "nothing slipped by");
}

#[test]
fn ssl_redirect_can_be_switched_off() {
    let rng = &mut chance("ssl_redirect_can_be_switched_off");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let one = origin("one");
    let ingress = with_tls(simple(&project, "web", &host, "one"), &[&host], "missing");
    up.apply(&[namespace(&project), service(&project, "one", &[one.address()]), ingress.clone()]);
    up.until(&host, "/", "redirected", |it| it.status == 308);
    up.apply(&[annotated(ingress, &[("ssl-redirect", "false")])]);
    check(&up, &host, &[("/x", 200, "one /x")]);
}

#[test]
fn a_canary_by_header_cookie_and_weight() {
    let rng = &mut chance("a_canary_by_header_cookie_and_weight");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let (stable, canary) = (origin("stable"), origin("canary"));
    let header = format!("x-{}", word(rng));
    let by_header = [("canary", "true"), ("canary-by-header", header.as_str()), ("canary-by-cookie", "taste"), ("canary-weight", "0")];
    up.apply(&[
        namespace(&project),
        service(&project, "stable", &[stable.address()]),
        service(&project, "canary", &[canary.address()]),
        simple(&project, "web", &host, "stable"),
        annotated(simple(&project, "web-canary", &host, "canary"), &by_header),
    ]);
    let ask = |field: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{field}\r\n");
        Connection::open(up.front()).send(request).response("GET").text()
    };
    eventually("the header leads to the canary", || ask(&format!("{header}: always\r\n")).starts_with("canary").then_some(()));
    assert!(ask("").starts_with("stable"));
    assert!(ask(&format!("{header}: never\r\nCookie: taste=always\r\n")).starts_with("stable"), "the header comes before the cookie");
    assert!(ask("Cookie: a=b; taste=always\r\n").starts_with("canary"));

    let by_value = [("canary", "true"), ("canary-by-header", header.as_str()), ("canary-by-header-value", "blue")];
    up.apply(&[annotated(simple(&project, "web-canary", &host, "canary"), &by_value)]);
    eventually("the value leads to the canary", || ask(&format!("{header}: blue\r\n")).starts_with("canary").then_some(()));
    assert!(ask(&format!("{header}: green\r\n")).starts_with("stable"));

    up.apply(&[annotated(simple(&project, "web-canary", &host, "canary"), &[("canary", "true"), ("canary-weight", "30")])]);
    eventually("the header means nothing any more", || ask("").starts_with("canary").then_some(()));
    let of_canary = (0..400).filter(|_| ask("").starts_with("canary")).count();
    // Seven standard deviations around 120.
    assert!((56..=184).contains(&of_canary), "{of_canary} of 400");
}

#[test]
fn external_names_and_foreign_slices() {
    let rng = &mut chance("external_names_and_foreign_slices");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let one = origin("one");
    let SocketAddr::V4(_) = one.address() else { panic!("an IPv4 origin") };
    let external = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "away", "namespace": project },
        "spec": { "type": "ExternalName", "externalName": "localhost", "ports": [{ "name": "http", "port": one.address().port() }] },
    });
    let metadata = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "metadata", "namespace": project },
        "spec": { "type": "ExternalName", "externalName": "169.254.169.254", "ports": [{ "name": "http", "port": 80 }] },
    });
    up.apply(&[
        namespace(&project),
        external,
        metadata,
        simple(&project, "away", &host, "away"),
        simple(&project, "metadata", &format!("m.{host}"), "metadata"),
    ]);
    check(&up, &host, &[("/e", 200, "one /e")]);
    let refused = up.until(&format!("m.{host}"), "/", "refused", |it| it.status == 503);
    assert_eq!(refused.get("x-paifang-reason"), Some("no-endpoints"));
    up.event(&project, "metadata", &["EndpointRefused", "169.254.169.254"]);
    own_sockets(&up, &project, &host);
}

/// The API is no backend, however it is named.
fn own_sockets(up: &Up, project: &str, host: &str) {
    let kubeconfig = crate::harness::read(&up.kubeconfig());
    let api = kubeconfig.split("https://").nth(1).and_then(|it| it.split_whitespace().next()).expect("the API's address");
    let api: SocketAddr = api.trim_matches(['"', '\'']).parse().expect("an address");
    up.apply(&[service(project, "api", &[api]), simple(project, "api", &format!("api.{host}"), "api")]);
    let refused = up.until(&format!("api.{host}"), "/", "refused", |it| it.status == 503);
    assert_eq!(refused.get("x-paifang-reason"), Some("no-endpoints"));
    up.event(project, "api", &["EndpointRefused", &api.to_string()]);
}
