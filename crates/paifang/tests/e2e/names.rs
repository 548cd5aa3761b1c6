//! Names that hold addresses, the hosts of routes, and hosts that are generated: asked with dig, used with curl.

use crate::harness::{Up, chance, run, text, word};
use crate::objects::{by_number, ingress, namespace, path, service, simple};
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use testkit::eventually;
use testkit::origin::Origin;
use testkit::ports::own_address;

/// Whether there is a dig to ask with; a test without one says that it is skipped.
pub fn has_dig() -> bool {
    let there = Command::new("dig").arg("-v").output().is_ok();
    if !there {
        eprintln!("skipped: there is no `dig`; on Debian it is in bind9-dnsutils");
    }
    there
}

/// What dig prints.
fn dig(server: SocketAddr, arguments: &[&str]) -> String {
    let mut command = Command::new("dig");
    command.args([&format!("@{}", server.ip()), "-p", &server.port().to_string(), "+tries=3", "+time=5"]).args(arguments);
    let output = run(&mut command, "");
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Only the data of the answers.
fn short(server: SocketAddr, arguments: &[&str]) -> String {
    dig(server, &[&["+short"], arguments].concat()).trim().replace('\n', " ")
}

fn with_wish(mut object: Value, wish: &str) -> Value {
    object["metadata"]["annotations"]["paifang.dev/host"] = wish.into();
    object
}

/// The hosts that an object shows.
fn shown(up: &Up, namespace: &str, kind: &str, name: &str) -> Option<String> {
    let object = up.get(&[kind, "-n", namespace, name])?;
    Some(object.pointer("/metadata/annotations")?.get("paifang.dev/generated-host")?.as_str()?.to_owned())
}

#[test]
fn every_form_is_answered_as_dig_asks() {
    if !has_dig() {
        return;
    }
    let dns = own_address();
    let up = Up::start(&["--dns-address", &dns.to_string(), "--dns-suffix", "nip.io,apps.example"]);
    let forwards = [format!("server=/nip.io/apps.example/{}#{}", dns.ip(), dns.port()), format!("DNS={dns}")];
    eventually("it says where names are answered, and what to do", || {
        let said = up.said();
        (said.contains(&format!("names     {dns}")) && forwards.iter().any(|it| said.contains(it))).then_some(())
    });
    for (name, kind, expect) in [
        ("10.0.0.1.nip.io", "A", "10.0.0.1"),
        ("app.10.0.0.1.nip.io", "A", "10.0.0.1"),
        ("customer1.app.10.0.0.1.nip.io", "A", "10.0.0.1"),
        ("customer2.app.10.0.0.1.nip.io", "A", "10.0.0.1"),
        ("otherapp.10.0.0.1.nip.io", "A", "10.0.0.1"),
        ("10-0-0-1.nip.io", "A", "10.0.0.1"),
        ("app-10-0-0-1.nip.io", "A", "10.0.0.1"),
        ("x.app-116-203-255-68.nip.io", "A", "116.203.255.68"),
        ("0a000803.nip.io", "A", "10.0.8.3"),
        ("app-c0a801fc.nip.io", "A", "192.168.1.252"),
        ("2a01-4f8-c17-b8f--2.nip.io", "AAAA", "2a01:4f8:c17:b8f::2"),
        ("app.2a01-4f8-c17-b8f--2.nip.io", "AAAA", "2a01:4f8:c17:b8f::2"),
        ("--1.nip.io", "AAAA", "::1"),
        ("a.b.c.10.0.0.1.apps.example", "A", "10.0.0.1"),
        ("10.0.0.1.nip.io", "AAAA", ""),
        ("10.0.0.1.nip.io", "ANY", "\"RFC8482\" \"\""),
        ("nip.io", "NS", "ns.nip.io."),
        ("ns.nip.io", "A", &dns.ip().to_string()),
        ("nip.io", "SOA", "ns.nip.io. hostmaster.nip.io. 1 3600 600 86400 5"),
    ] {
        for way in [&["+notcp", "+edns"][..], &["+notcp", "+noedns"], &["+tcp", "+edns"]] {
            // A name may begin like an option.
            assert_eq!(short(dns, &[way, &["-q", name, "-t", kind]].concat()), expect, "{name} {kind} {way:?}");
        }
    }
    let whole = dig(dns, &["WwW.10.0.0.1.NiP.iO", "A"]);
    assert!(whole.contains("WwW.10.0.0.1.NiP.iO.") && whole.contains("flags: qr aa rd;"), "{whole}");
    for (asked, says) in [
        (&["nothing.nip.io", "A"][..], "status: NXDOMAIN"),
        (&["0.0.1.nip.io", "A"], "status: NOERROR"),
        (&["example.org", "A"], "status: REFUSED"),
        (&["10.0.0.1.nip.io", "A", "+edns=1", "+noednsneg"], "status: BADVERS"),
        (&["10.0.0.1.nip.io", "A", "+opcode=update"], "status: NOTIMP"),
        (&["10.0.0.1.nip.io", "-c", "CH", "A"], "status: REFUSED"),
        (&["nip.io", "AXFR"], "Transfer failed"),
    ] {
        let whole = dig(dns, asked);
        assert!(whole.contains(says), "{asked:?}: {whole}");
    }
    for (name, flag) in [("nothing.nip.io", "ANSWER: 0, AUTHORITY: 1"), ("10.0.0.1.nip.io", "ANSWER: 0, AUTHORITY: 1")] {
        let whole = dig(dns, &[name, "MX"]);
        assert!(whole.contains(flag) && whole.contains("SOA\tns.nip.io."), "{whole}");
    }
    let metrics = up.said().split_once("metrics   ").map(|(_, it)| it.split_whitespace().next().unwrap_or_default().to_owned());
    let page = run(Command::new("curl").args(["--silent", &metrics.expect("where metrics are")]), "");
    let page = text(&page.stdout);
    assert!(page.contains("paifang_dns_answers_total{outcome=\"nxdomain\"}") && page.ends_with("# EOF\n"), "{page}");
}

#[test]
fn a_taken_port_is_said_and_no_end() {
    let dns = own_address();
    let taken = UdpSocket::bind(dns).expect("it is free");
    let up = Up::start(&["--dns-address", &dns.to_string()]);
    let event = up.event("kubesphere-controls-system", "kubesphere-router-kubesphere-system", &["NamesNotAnswered", &dns.to_string()]);
    assert!(event.contains("the port is taken by another program"), "{event}");
    eventually("it is printed", || up.said().contains("NamesNotAnswered").then_some(()));
    drop(taken);
    if has_dig() {
        eventually("it answers", || {
            let mut command = Command::new("dig");
            command.args(["+short", "+tries=1", "+time=1", &format!("@{}", dns.ip()), "-p", &dns.port().to_string(), "10.0.0.1.nip.io"]);
            (text(&run(&mut command, "").stdout).trim() == "10.0.0.1").then_some(())
        });
    }
}

#[test]
fn a_generated_host_is_shown_answered_served_and_follows_its_gateway() {
    let rng = &mut chance("a_generated_host_is_shown_answered_served_and_follows_its_gateway");
    let (dns, project) = (own_address(), word(rng));
    let origin = Origin::recording();
    let mut up = Up::start(&["--dns-address", &dns.to_string()]);
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()])]);
    let shop = with_wish(ingress(&project, "shop", "", &[path("/", "Prefix", by_number("web"))]), "auto");
    up.apply(&[shop]);
    let host = format!("web.{project}.{}.nip.io", up.front().ip());
    eventually("the host is shown", || shown(&up, &project, "ingress", "shop").filter(|it| *it == host));
    let spec = up.get(&["ingress", "-n", &project, "shop"]).expect("it is there");
    assert_eq!(spec.pointer("/spec/rules/0/host"), None, "what was applied stays as it is");
    up.until(&host, "/", "served", |it| it.status == 200);
    assert_eq!(up.ask("other.example", "/").status, 404);
    if has_dig() {
        assert_eq!(short(dns, &[&host, "A"]), up.front().ip().to_string());
    }
    assert!(up.paifang(&["get", "routes", "-n", &project]).contains(&host));

    // By hand it opens nothing, and is put right.
    up.kubectl(&["annotate", "--overwrite", "-n", &project, "ingress", "shop", "paifang.dev/generated-host=bank.example"], "")
        .expect("it may");
    eventually("it is put right", || shown(&up, &project, "ingress", "shop").filter(|it| *it == host));
    assert_eq!(up.ask("bank.example", "/").status, 404);

    // The hosts of routes are answered too.
    up.apply(&[simple(&project, "named", &format!("{project}.example"), "web")]);
    if has_dig() {
        eventually("its own host is answered", || {
            (short(dns, &[&format!("{project}.example"), "A"]) == up.front().ip().to_string()).then_some(())
        });
        assert_eq!(short(dns, &[&format!("x.{project}.example"), "A"]), "");
    }

    // After a start with other addresses the host follows, and the old one is still served.
    up.kill();
    let (a, b) = (rng.u8(64..128), rng.u8(..));
    up.pool = format!("127.{a}.{b}.240/28");
    up.start_again();
    let moved = format!("web.{project}.{}.nip.io", up.front().ip());
    assert_ne!(moved, host);
    eventually("the new host is shown", || shown(&up, &project, "ingress", "shop").filter(|it| *it == moved));
    for it in [&moved, &host] {
        up.until(it, "/", "served", |it| it.status == 200);
        if has_dig() {
            eventually("it leads to where the gateway is", || (short(dns, &[it, "A"]) == up.front().ip().to_string()).then_some(()));
        }
    }

    // Whoever no longer asks has no host any more.
    up.kubectl(&["annotate", "-n", &project, "ingress", "shop", "paifang.dev/host-"], "").expect("it may");
    eventually("nothing is shown", || {
        let object = up.get(&["ingress", "-n", &project, "shop"])?;
        object.pointer("/metadata/annotations/paifang.dev~1generated-host").is_none().then_some(())
    });
}
