//! The console's HTTP side, with the real binary: sign-in over TLS, the API in the place of who is signed in, and what is no object.

use crate::harness::{GATEWAY, Up, run, text};
use crate::objects::{bare_service, namespace, service, simple};
use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;

const PASSWORD: &str = "correct horse battery";

/// A browser, as far as curl is one.
struct Browser<'a> {
    up: &'a Up,
    url: String,
    dir: TempDir,
    token: String,
}

fn start() -> (Up, TempDir) {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("password");
    std::fs::write(&path, PASSWORD).expect("a file");
    (Up::start(&["--console-address", "127.0.0.1:0", "--admin-password-file", &path.display().to_string()]), dir)
}

/// What it says after a word at the beginning of a line.
fn said(up: &Up, word: &str) -> String {
    eventually(&format!("it says where the {word} is"), || {
        let said = up.said();
        let line = said.lines().rev().find_map(|line| line.trim_start().strip_prefix(word))?;
        Some(line.trim().to_owned())
    })
}

impl<'a> Browser<'a> {
    fn open(up: &'a Up) -> Self {
        Self { up, url: said(up, "console"), dir: TempDir::new().expect("a folder"), token: String::new() }
    }

    /// Code, headers, body.
    fn ask(&self, path: &str, more: &[&str], body: &str) -> (u16, String, String) {
        let (jar, heads) = (self.dir.path().join("jar"), self.dir.path().join("heads"));
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--path-as-is"]);
        command.arg("--cacert").arg(self.up.data().join("pki/ca.crt"));
        command.arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar).arg("--dump-header").arg(&heads);
        command.args(["--write-out", "\n%{http_code}"]).args(more);
        if !self.token.is_empty() {
            command.args(["--header", &format!("x-csrf-token: {}", self.token)]);
        }
        if !body.is_empty() {
            command.args(["--header", "content-type: application/json", "--data-binary", "@-"]);
        }
        let output = run(command.arg(format!("{}{path}", self.url)), body);
        assert!(output.status.success(), "{path}: {}", text(&output.stderr));
        let answer = text(&output.stdout);
        let (body, code) = answer.rsplit_once('\n').expect("curl writes the code");
        (code.parse().expect("a code"), std::fs::read_to_string(heads).unwrap_or_default(), body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let (code, _, body) = self.ask(path, &[], "");
        (code, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (code, _, body) = self.ask(path, &[], &body.to_string());
        (code, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// The header that sets the cookie.
    fn sign_in(&mut self, user: &str, password: &str) -> String {
        let (code, heads, body) = self.ask("/console/login", &[], &json!({ "username": user, "password": password }).to_string());
        assert_eq!(code, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        self.token = body["csrf"].as_str().expect("a token").to_owned();
        let line = heads.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:")).expect("a cookie");
        line.trim().to_owned()
    }
}

const CLUSTER: &str = "/console/gateways/kubesphere-system/cluster";

#[test]
fn whoever_signs_in_sees_what_is_theirs() {
    let (up, _dir) = start();
    let mut admin = Browser::open(&up);
    let (code, heads, page) = admin.ask("/", &[], "");
    assert!(code == 200 && heads.contains("content-security-policy: default-src 'none'") && page.contains("<html"), "{heads}{page}");
    assert_eq!(admin.get("/console/session").0, 401);
    let cookie = admin.sign_in("admin", PASSWORD);
    assert!(cookie.contains("__Host-paifang=") && cookie.ends_with("; Path=/; HttpOnly; Secure; SameSite=Strict"), "{cookie}");
    let (_, session) = admin.get("/console/session");
    assert_eq!((session["user"].as_str(), session["mode"].as_str()), (Some("admin"), Some("up")));
    // As the user, and as kubectl shows it.
    let name = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    eventually("the administrator's role is there", || (admin.post("/api/v1/namespaces", &name).0 == 201).then_some(()));
    assert!(up.get(&["namespace", "shop"]).is_some());
    up.apply(&[json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "User", "metadata": { "name": "eve" }, "spec": {} })]);
    let path = "/apis/paifang.dev/v1alpha1/users/eve/password";
    assert_eq!(admin.post(path, &json!({ "newPassword": PASSWORD })).0, 201);
    let mut eve = Browser::open(&up);
    eve.sign_in("eve", PASSWORD);
    let (code, refused) = eve.get("/api/v1/namespaces/shop/secrets");
    assert_eq!(code, 403);
    assert!(refused["message"].as_str().is_some_and(|it| it.contains(r#"User "eve" cannot list resource "secrets""#)), "{refused}");
    for path in ["metrics", "logs"] {
        assert_eq!(eve.get(&format!("{CLUSTER}/{path}")).0, 403, "{path}");
    }
    // The API's own words for who is not let in any longer.
    up.kubectl(&["patch", "user", "eve", "--type=merge", "-p", r#"{"spec":{"suspended":true}}"#], "").expect("suspended");
    assert_eq!(eve.get("/console/session").0, 401);
    assert!(!up.said().contains(PASSWORD), "a password is told nowhere");
}

#[test]
fn a_gateway_tells_what_it_does() {
    let (up, _dir) = start();
    let mut admin = Browser::open(&up);
    admin.sign_in("admin", PASSWORD);
    eventually("the administrator's role is there", || (admin.get(&format!("{CLUSTER}/metrics")).0 == 200).then_some(()));
    let request = json!({ "method": "GET", "url": "http://nobody.example/lost?x=y", "headers": { "x-test": "1" } });
    let (code, tried) = admin.post(&format!("{CLUSTER}/try"), &request);
    assert_eq!((code, tried["answer"]["status"].as_u64()), (200, Some(404)), "{tried}");
    assert_eq!(tried["explanation"]["gateway"], format!("{}/{}", GATEWAY.0, GATEWAY.1));
    let line = eventually("it is in the log", || {
        let (_, _, lines) = admin.ask(&format!("{CLUSTER}/logs?search=/LOST"), &[], "");
        serde_json::from_str::<Value>(lines.lines().next()?).ok()
    });
    assert_eq!((line["host"].as_str(), line["status"].as_u64()), (Some("nobody.example"), Some(404)));
    eventually("it is counted", || {
        let (_, measured) = admin.get(&format!("{CLUSTER}/metrics?window=5m"));
        // One more each time: the first step counts nothing that was there before.
        admin.post(&format!("{CLUSTER}/try"), &request);
        (measured["total"]["s4xx"].as_u64()? > 0 && measured["total"]["p95"].is_number()).then_some(())
    });
    let (_, checked) = admin.post(&format!("{CLUSTER}/check"), &json!({ "url": "http://nobody.example/" }));
    let hops = checked["hops"].as_array().expect("hops");
    assert!(hops.iter().any(|hop| hop["hop"] == "route" && hop["verdict"] == "broken" && hop["mend"].is_string()), "{checked}");
    let (_, pools) = admin.get("/console/pools");
    let pool = &pools["pools"][0];
    assert_eq!((pool["ranges"][0].as_str(), pool["total"].as_u64()), (Some(up.pool.as_str()), Some(14)));
    let owners = pool["owners"].as_array().expect("owners");
    assert!(owners.iter().any(|it| it["name"] == GATEWAY.1 && it["address"] == up.http[0].ip().to_string()), "{pools}");
    let (_, host) = admin.post("/console/generated-host", &json!({ "namespace": "default", "services": ["web"] }));
    assert_eq!(host["host"], format!("web.default.{}.nip.io", up.http[0].ip()), "{host}");
    let (_, gateways) = admin.get("/console/gateways?namespace=default");
    let gateway = &gateways[0];
    assert_eq!((gateway["namespace"].as_str(), gateway["name"].as_str()), (Some("kubesphere-system"), Some("cluster")), "{gateways}");
    assert_eq!((gateway["scope"].as_str(), gateway["type"].as_str()), (Some("Cluster"), Some("LoadBalancer")), "{gateways}");
    assert_eq!(gateway["addresses"][0], up.http[0].ip().to_string());
    let http = gateway["ports"].as_array().expect("ports").iter().find(|it| it["name"] == "http").expect("http").clone();
    assert_eq!((http["reachedAt"].as_u64(), http["nodePort"].as_u64()), (Some(up.http[0].port().into()), Some(up.http[1].port().into())));
    for list in ["annotations", "options", "permissions"] {
        let (code, all) = admin.get(&format!("/console/{list}"));
        assert!(code == 200 && all.as_array().is_some_and(|it| it.len() > 10), "{list}");
        assert!(all[0]["about"]["en"].is_string() && all[0]["about"]["zh"].is_string());
    }
}

#[test]
fn endpoints_fare_as_the_gateway_finds_them() {
    let (up, _dir) = start();
    let mut admin = Browser::open(&up);
    admin.sign_in("admin", PASSWORD);
    let origin = Origin::start(Behaviour::body("here"));
    let gone = Refusing::new();
    up.apply(&[
        namespace("shop"),
        service("shop", "web", &[origin.address()]),
        service("shop", "gone", &[gone.address()]),
        bare_service("shop", "empty"),
        simple("shop", "web", "web.example", "web"),
        simple("shop", "gone", "gone.example", "gone"),
        simple("shop", "empty", "empty.example", "empty"),
    ]);
    let fares = |route: &str| -> Value {
        let (code, told) = admin.get(&format!("{CLUSTER}/endpoints?route=shop/{route}"));
        if code == 200 { told["backends"].clone() } else { Value::Null }
    };
    let asked = |host: &str| admin.post(&format!("{CLUSTER}/try"), &json!({ "method": "GET", "url": format!("http://{host}/") }));
    eventually("it serves", || (asked("web.example").1["answer"]["status"] == 200).then_some(()));
    let web = fares("web");
    let endpoint = &web[0]["endpoints"][0];
    assert_eq!((&web[0]["backend"], &endpoint["address"]), (&json!("shop/web:80"), &json!(origin.address().to_string())), "{web}");
    assert_eq!((&endpoint["state"], &endpoint["trouble"], &endpoint["inFlight"]), (&json!("Serving"), &Value::Null, &Value::Null), "{web}");
    let failing = eventually("one that refuses is known", || {
        asked("gone.example");
        Some(fares("gone")).filter(|it| it[0]["endpoints"][0]["state"] == "Failing")
    });
    assert_eq!(failing[0]["endpoints"][0]["trouble"], "Refused", "{failing}");
    eventually("none is none", || (fares("empty")[0]["endpoints"] == json!([])).then_some(()));
    assert_eq!(fares("nothing"), json!([]), "no such route is there");
}

#[test]
fn a_port_that_is_taken_is_told_and_ends_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("bound").to_string();
    let up = Up::start(&["--console-address", &address]);
    let told = format!("no console: {address} is taken by another program");
    eventually(&told, || up.said().contains(&told).then_some(()));
    assert!(up.get(&["namespace", "default"]).is_some());
}
