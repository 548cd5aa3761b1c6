//! How routes are reached, as their people are told, and where the way there breaks.

use crate::harness::{GATEWAY, Up, binary, chance, run, shown_port, text, word};
use crate::objects::{bare_service, namespace, path, service, simple, with_tls};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::own_address;

/// A kubeconfig of somebody's own.
fn kubeconfig(up: &Up, user: &str) -> PathBuf {
    let path = up.dir.path().join(format!("{user}.kubeconfig"));
    up.paifang(&["user", "kubeconfig", user, "--file", path.to_str().expect("a plain path")]);
    path
}

fn paifang(kubeconfig: &Path, arguments: &[&str]) -> Output {
    run(Command::new(binary()).env("KUBECONFIG", kubeconfig).args(arguments), "")
}

fn rows(kubeconfig: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = paifang(kubeconfig, &[&["get", "access", "-o", "json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    list["items"].as_array().expect("a list").clone()
}

/// What curl gets by the very line that is printed.
fn status_of(curl: &str) -> String {
    let quiet = "curl --silent --noproxy '*' --max-time 20 --output /dev/null --write-out '%{http_code}' ";
    let line = curl.trim_start().replacen("curl ", quiet, 1);
    text(&run(Command::new("bash").args(["-c", &line]), "").stdout)
}

/// Runs every curl line of a printed table, and says how many there were.
fn all_answer(printed: &str) -> usize {
    let lines: Vec<&str> = printed.lines().filter(|it| it.trim_start().starts_with("curl ")).collect();
    for line in &lines {
        eventually(line, || (status_of(line) == "200").then_some(()));
    }
    lines.len()
}

fn access_of(kubeconfig: &Path, wanted: &str) -> Vec<Value> {
    eventually(&format!("each row says {wanted}"), || {
        let found = rows(kubeconfig, &["-n", "demo-project"]);
        (found.len() == 3 && found.iter().all(|it| it["access"] == wanted && it["link"].is_string())).then_some(found)
    })
}

#[test]
fn a_project_s_people_are_told_how_its_routes_are_reached_and_others_nothing() {
    let up = Up::start(&["--demo"]);
    eventually("it says what to try", || up.said().contains("people ").then_some(()));
    up.paifang(&["user", "create", "stranger", "--no-password"]);
    let (regular, stranger) = (kubeconfig(&up, "project-regular"), kubeconfig(&up, "stranger"));

    // On the gateway for everybody, which they may not see.
    let found = access_of(&regular, "LoadBalancer");
    let (front, port) = (up.front(), shown_port(up.front().port(), 80));
    assert_eq!(found[0]["link"], format!("http://demo.kubesphere.io{port}/"));
    assert_eq!(found[0]["hosts"], format!("{} demo.kubesphere.io", front.ip()));
    assert_eq!(
        (&found[0]["domain"], &found[0]["path"], &found[0]["backend"]),
        (&json!("demo.kubesphere.io"), &json!("/"), &json!("httpbin:http"))
    );
    assert_eq!((&found[2]["scheme"], &found[2]["port"]), (&json!("https"), &json!(up.https[0].port())));
    let output = paifang(&regular, &["get", "access", "-n", "demo-project"]);
    let printed = text(&output.stdout);
    assert_eq!(all_answer(&printed), 3, "{printed}");
    for line in printed.lines().filter(|it| it.starts_with(|it: char| it.is_ascii_alphabetic())) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(text(&paifang(&regular, &["get", "gateways", "-n", "demo-project"]).stderr).contains(&front.ip().to_string()));
    let names = text(&paifang(&regular, &["get", "access", "-o", "name"]).stdout);
    assert_eq!(names.lines().collect::<Vec<_>>(), ["demo", "hello", "secure"].map(|it| format!("ingress.networking.k8s.io/{it}")));
    assert!(text(&paifang(&regular, &["get", "access", "-A", "-o", "yaml"]).stdout).starts_with("items:"));

    // Somebody of another project, or of none, is told nothing.
    for arguments in [&["get", "access", "-n", "demo-project"][..], &["get", "access", "-A"], &["get", "gateways"]] {
        let refused = paifang(&stranger, arguments);
        assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(1), ""), "{arguments:?}");
        assert!(text(&refused.stderr).contains("you may see no"), "{}", text(&refused.stderr));
    }

    // By node ports: still nobody may see that gateway, and the port is told.
    let node_port = |it: &Value| it["port"].as_u64().is_some_and(|it| (30_000..=32_767).contains(&it));
    let patch = |kind: &str| {
        up.kubectl(
            &["-n", GATEWAY.0, "patch", "service", GATEWAY.1, "--type=merge", "-p", &format!(r#"{{"spec":{{"type":"{kind}"}}}}"#)],
            "",
        )
    };
    patch("NodePort").expect("its owner may");
    let found = access_of(&regular, "NodePort");
    assert!(found.iter().all(node_port), "{found:?}");
    assert_eq!(found[0]["link"], format!("http://demo.kubesphere.io:{}/", up.http[1].port()));
    assert_eq!(all_answer(&text(&paifang(&regular, &["get", "access"]).stdout)), 3);
    patch("LoadBalancer").expect("its owner may");
    access_of(&regular, "LoadBalancer");

    // On a gateway of the project's own.
    let request = |access: &Value| {
        json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": "demo-project" },
            "spec": { "access": access } })
    };
    up.apply(&[request(&json!({ "type": "NodePort" }))]);
    let found = eventually("on its own gateway", || {
        Some(access_of(&regular, "NodePort")).filter(|all| {
            all.iter().all(|it| it["gateway"]["name"] == "gateway" && it["port"] != up.http[1].port() && it["port"] != up.https[1].port())
        })
    });
    assert!(found.iter().all(node_port), "{found:?}");
    assert_eq!(all_answer(&text(&paifang(&regular, &["get", "access", "-n", "demo-project", "-o", "wide"]).stdout)), 3);
    let gateways = text(&paifang(&regular, &["get", "gateways"]).stdout);
    assert_eq!(gateways.lines().count(), 2, "{gateways}");
    assert!(["demo-project", "IngressGateway", "NodePort", "True"].iter().all(|it| gateways.contains(it)), "{gateways}");
    up.apply(&[request(&json!({ "type": "NodePort", "publicAddresses": ["gw.example.com", "203.0.113.7"] }))]);
    eventually("what people really use wins", || {
        let found = rows(&regular, &[]);
        found
            .iter()
            .all(|it| {
                it["addresses"] == json!(["gw.example.com", "203.0.113.7"])
                    && it["hosts"].as_str().is_some_and(|it| it.starts_with("203.0.113.7 "))
            })
            .then_some(())
    });
}

/// A Secret of a certificate for a name, good until a year.
fn secret(namespace: &str, name: &str, host: &str, year: i32) -> Value {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(year, 1, 1));
    let key = KeyPair::generate().expect("random octets");
    let certificate = params.self_signed(&key).expect("the parameters are complete");
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": { "name": name, "namespace": namespace },
        "stringData": { "tls.crt": certificate.pem(), "tls.key": key.serialize_pem() },
    })
}

struct Followed<'a> {
    kubeconfig: &'a Path,
    more: Vec<String>,
}

// === impl Followed ===

impl Followed<'_> {
    /// Exit code, and hop by hop what was found.
    fn hops(&self, url: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
        let arguments: Vec<&str> =
            ["explain", url, "-o", "json"].into_iter().chain(self.more.iter().map(String::as_str)).chain(more.iter().copied()).collect();
        let output = paifang(self.kubeconfig, &arguments);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{url}: {}", text(&output.stderr)));
        (output.status.code(), told["hops"].as_array().expect("hops").clone())
    }

    /// Until it is as wanted: the hop that breaks and a word of what is said or mends it; what is behind that is not tried.
    fn until(&self, url: &str, more: &[&str], broken: Option<(&str, &str)>) {
        let behind = self.behind(url, more, broken);
        assert!(behind.iter().all(|it| it["verdict"] == "unknown" && it["said"] == "not tried"), "{behind:#?}");
    }

    /// Until it is as wanted: the hops behind the one that breaks.
    fn behind(&self, url: &str, more: &[&str], broken: Option<(&str, &str)>) -> Vec<Value> {
        let mut last = (None, Vec::new());
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(url, || {
                last = self.hops(url, more);
                let found = last.1.iter().find(|it| it["verdict"] == "broken");
                let says = |hop: &Value, word: &str| format!("{} {}", hop["said"], hop["mend"]).contains(word);
                match (found, broken) {
                    (None, None) => Some(()),
                    (Some(hop), Some((name, word))) if hop["hop"] == name && says(hop, word) => Some(()),
                    _ => None,
                }
            });
        }));
        let (code, hops) = last;
        assert!(seen.is_ok(), "{url} was to break at {broken:?}: {hops:#?}");
        let names: Vec<&str> = hops.iter().filter_map(|it| it["hop"].as_str()).collect();
        assert_eq!(names, ["name", "address", "port", "certificate", "route", "endpoint"]);
        assert_eq!(code, Some(i32::from(broken.is_some())), "{url}");
        let Some(at) = hops.iter().position(|it| it["verdict"] == "broken") else {
            assert!(hops.iter().all(|it| it["verdict"] == "good"), "{hops:#?}");
            return Vec::new();
        };
        assert!(hops[..at].iter().all(|it| it["verdict"] == "good"), "{hops:#?}");
        assert!(hops[at]["mend"].as_str().is_some_and(|it| !it.is_empty()), "{hops:#?}");
        hops[at + 1..].to_vec()
    }
}

#[test]
fn every_broken_hop_is_marked_with_what_mends_it() {
    let rng = &mut chance("every_broken_hop_is_marked_with_what_mends_it");
    let dns = own_address();
    let up = Up::start(&["--dns-address", &dns.to_string()]);
    let (project, origin) = (word(rng), Origin::start(Behaviour::body("here")));
    up.apply(&[
        namespace(&project),
        service(&project, "web", &[origin.address()]),
        bare_service(&project, "empty"),
        secret(&project, "good", "good.example", 2090),
        secret(&project, "old", "old.example", 2020),
        simple(&project, "web", "web.example", "web"),
        crate::objects::ingress(&project, "deep", "deep.example", &[path("/only", "Prefix", crate::objects::by_number("web"))]),
        simple(&project, "empty", "empty.example", "empty"),
        // A name that holds an address, of which no gateway is.
        simple(&project, "elsewhere", "elsewhere.127.9.9.9.nip.io", "web"),
        with_tls(simple(&project, "good", "good.example", "web"), &["good.example"], "good"),
        with_tls(simple(&project, "old", "old.example", "web"), &["old.example"], "old"),
    ]);
    let kubeconfig = up.kubeconfig();
    let server = vec!["--dns".to_owned(), dns.to_string()];
    let follow = Followed { kubeconfig: &kubeconfig, more: server };
    let (http, https) = (shown_port(up.http[0].port(), 80), shown_port(up.https[0].port(), 443));
    let at = up.front().ip().to_string();
    for (url, broken) in [
        (format!("http://web.example{http}/"), None),
        (format!("https://good.example{https}/"), None),
        (format!("http://elsewhere.127.9.9.9.nip.io{http}/"), Some(("address", at.as_str()))),
        ("http://web.example:9/".to_owned(), Some(("port", "nothing listens"))),
        (format!("https://web.example{https}/"), Some(("certificate", "shows its own"))),
        (format!("https://old.example{https}/"), Some(("certificate", "2020"))),
        (format!("http://deep.example{http}/other"), Some(("route", "Ingress"))),
        (format!("http://empty.example{http}/"), Some(("endpoint", "empty"))),
    ] {
        follow.until(&url, &[], broken);
    }
    // The system's resolver is asked unless another is named.
    let system = Followed { kubeconfig: &kubeconfig, more: Vec::new() };
    system.until("http://nobody.invalid/", &["--timeout", "20"], Some(("name", "nobody.invalid")));
    // Where it is known where the name should lead, that is what mends it, and the way goes on there.
    let refused = Followed {
        kubeconfig: &kubeconfig,
        more: vec!["--dns".to_owned(), own_address().to_string(), "--timeout".to_owned(), "1".to_owned()],
    };
    let behind = refused.behind(&format!("http://web.example{http}/"), &[], Some(("name", &format!("{at} web.example"))));
    assert!(behind.len() == 5 && behind.iter().all(|it| it["verdict"] == "good"), "{behind:#?}");
    // By address and Host header, as with curl.
    system.until(&format!("http://{}/", up.front()), &["-H", "Host: web.example"], None);
    system.until(&format!("http://{}/", up.http[1]), &["-H", "Host: web.example"], None);

    let told = paifang(&kubeconfig, &["explain", "http://web.example:9/", "--dns", &dns.to_string()]);
    let printed = text(&told.stdout);
    assert!(printed.contains("✗ port") && printed.contains("→ ") && printed.contains("· route"), "{printed}");
    // With a method, and from files, nothing is tried.
    let plain = paifang(&kubeconfig, &["explain", "GET", "http://nobody.invalid/"]);
    assert!(plain.status.success() && text(&plain.stdout).contains("404 no-route"), "{}", text(&plain.stdout));
}

#[test]
fn a_project_s_people_follow_their_own_routes() {
    let dns = own_address();
    let up = Up::start(&["--demo", "--dns-address", &dns.to_string()]);
    eventually("it says what to try", || up.said().contains("people ").then_some(()));
    let regular = kubeconfig(&up, "project-regular");
    let follow = Followed { kubeconfig: &regular, more: vec!["--dns".to_owned(), dns.to_string()] };
    let (http, https) = (shown_port(up.http[0].port(), 80), shown_port(up.https[0].port(), 443));
    follow.until(&format!("http://demo.kubesphere.io{http}/get"), &[], None);
    follow.until(&format!("https://secure.kubesphere.io{https}/get"), &[], None);
    up.apply(&[bare_service("demo-project", "empty"), simple("demo-project", "empty", "empty.example", "empty")]);
    follow.until(&format!("http://empty.example{http}/"), &[], Some(("endpoint", "demo-project/empty")));
    let gateway = json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway",
        "metadata": { "name": "gateway", "namespace": "demo-project" }, "spec": { "access": { "type": "NodePort" } } });
    up.apply(&[gateway]);
    let link = eventually("a link with a node port", || {
        let found = rows(&regular, &["-n", "demo-project"]);
        let row =
            found.iter().find(|it| it["domain"] == "demo.kubesphere.io" && it["gateway"]["name"] == "gateway" && it["link"].is_string())?;
        row["link"].as_str().map(str::to_owned)
    });
    follow.until(&link, &[], None);
    follow.until("http://demo.kubesphere.io:9/", &[], Some(("port", &link)));
    // At everybody's gateway it is not served any more.
    let admin = up.kubeconfig();
    let front = format!("http://{}/", up.front());
    for kubeconfig in [&regular, &admin] {
        let follow = Followed { kubeconfig, more: Vec::new() };
        follow.until(&front, &["-H", "Host: demo.kubesphere.io"], Some(("address", "ask at 127.0.0.1")));
    }
    let explained = text(&paifang(&regular, &["explain", "GET", &link]).stdout);
    assert!(explained.contains("Ingress demo-project/demo"), "{explained}");
}
