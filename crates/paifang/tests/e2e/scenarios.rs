//! The stories that projects' people live through, by kubectl as each of them with a kubeconfig of their own.
//!
//! `up.kubectl` is the platform's administrator; everybody else has what their role gives.

use crate::harness::{GATEWAY, Up, binary, chance, run, text, word};
use crate::objects::service;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

const KIND: &str = "ingressgateways.paifang.dev";

/// Somebody with a kubeconfig.
struct Person {
    name: &'static str,
    kubeconfig: PathBuf,
}

impl Person {
    fn of(up: &Up, name: &'static str) -> Self {
        let kubeconfig = up.dir.path().join(format!("{name}.conf"));
        let path = kubeconfig.display().to_string();
        eventually("a kubeconfig of one's own", || {
            let mut command = Command::new(binary());
            command.env("KUBECONFIG", up.kubeconfig()).args(["user", "kubeconfig", name, "--file", &path]);
            run(&mut command, "").status.success().then_some(())
        });
        Self { name, kubeconfig }
    }

    fn new(up: &Up, name: &'static str) -> Self {
        up.paifang(&["user", "create", name, "--no-password"]);
        Self::of(up, name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    fn try_to(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let output = run(self.command().args(arguments), input);
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        self.try_to(arguments, input).unwrap_or_else(|error| panic!("{} cannot {arguments:?}: {error}", self.name))
    }

    /// A right that came a moment ago may still be on its way.
    fn soon(&self, arguments: &[&str], input: &str) -> String {
        eventually(&format!("{} may {arguments:?}", self.name), || self.try_to(arguments, input).ok())
    }

    fn refused(&self, arguments: &[&str], input: &str) {
        let said = self.try_to(arguments, input).expect_err("it is not theirs to do");
        assert!(said.contains("(Forbidden)"), "{}: {arguments:?}: {said}", self.name);
    }

    fn get(&self, arguments: &[&str]) -> Option<Value> {
        serde_json::from_str(&self.try_to(&[&["get", "-o", "json"], arguments].concat(), "").ok()?).ok()
    }

    fn create(&self, object: &Value) {
        self.kubectl(&["create", "-f", "-"], &object.to_string());
    }

    fn apply(&self, object: &Value) {
        self.kubectl(&["apply", "-f", "-"], &object.to_string());
    }

    /// What `kubectl describe` would show of it, `REASON MESSAGE`.
    fn event(&self, project: &str, name: &str, words: &[&str]) -> String {
        eventually(&format!("{} reads an event of {name} with {words:?}", self.name), || {
            let selector = format!("involvedObject.name={name}");
            let list = self.get(&["events", "-n", project, "--field-selector", &selector])?;
            let line = |it: &Value| Some(format!("{} {}", it["reason"].as_str()?, it["message"].as_str()?));
            let events = list["items"].as_array()?.clone();
            events.iter().filter_map(line).find(|it| words.iter().all(|word| it.contains(word)))
        })
    }

    fn condition(&self, project: &str, name: &str, kind: &str, beginning: &str) -> String {
        eventually(&format!("{} sees {kind}: {beginning}", self.name), || {
            let gateway = self.get(&[KIND, "-n", project, name])?;
            let condition = gateway.pointer("/status/conditions")?.as_array()?.iter().find(|it| it["type"] == kind)?.clone();
            let word = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            Some(format!("{} {} {}", word("status"), word("reason"), word("message"))).filter(|it| it.starts_with(beginning))
        })
    }

    fn status(&self, project: &str) -> Value {
        self.get(&[KIND, "-n", project, "gateway"]).and_then(|it| it.get("status").cloned()).unwrap_or_default()
    }

    /// Where their gateway says that it answers, once that is so.
    fn reached(&self, project: &str, scheme: &str, is: impl Fn(IpAddr) -> bool) -> SocketAddr {
        self.condition(project, "gateway", "Programmed", "True");
        eventually("an address and a port", || {
            let status = self.status(project);
            let address = status.pointer("/addresses/0/value")?.as_str()?.parse().ok().filter(|it| is(*it))?;
            Some(SocketAddr::new(address, port(&status, scheme, "reachedAt")?))
        })
    }

    /// The addresses that a route of theirs shows.
    fn shown(&self, project: &str, route: &str) -> Vec<String> {
        let ingress = self.get(&["ingress", "-n", project, route]).unwrap_or_default();
        let entries = ingress.pointer("/status/loadBalancer/ingress").and_then(Value::as_array).cloned().unwrap_or_default();
        entries.iter().filter_map(|it| it["ip"].as_str().map(str::to_owned)).collect()
    }

    /// The host that was made for a route of theirs.
    fn host(&self, project: &str, route: &str, expect: &str) {
        eventually(&format!("{route} has host {expect}"), || {
            let ingress = self.get(&["ingress", "-n", project, route])?;
            let host = ingress.pointer("/metadata/annotations/paifang.dev~1generated-host")?.as_str()?.to_owned();
            assert_eq!(ingress.pointer("/spec/rules/0/host"), None, "what was applied stays");
            (host == expect).then_some(())
        });
    }

    /// What "Click to visit" would lead to.
    fn link(&self, project: &str, expect: &str) {
        eventually(&format!("{} is told {expect}", self.name), || {
            let mut command = Command::new(binary());
            command.env("KUBECONFIG", &self.kubeconfig).args(["get", "access", "-n", project, "-o", "json"]);
            let list: Value = serde_json::from_slice(&run(&mut command, "").stdout).ok()?;
            list["items"].as_array()?.iter().any(|it| it["link"] == expect).then_some(())
        });
    }

    /// Makes a route as one types it.
    fn route(&self, project: &str, name: &str, rule: &str, more: &[&str]) {
        let rule = format!("--rule={rule}");
        self.soon(&[&["create", "ingress", name, "-n", project, &rule], more].concat(), "");
    }
}

fn port(status: &Value, name: &str, field: &str) -> Option<u16> {
    let port = status.get("ports")?.as_array()?.iter().find(|it| it["name"] == name)?.clone();
    port.get(field)?.as_u64().and_then(|it| u16::try_from(it).ok())
}

fn request(project: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": project }, "spec": spec })
}

fn balanced(address: IpAddr) -> Value {
    json!({ "access": { "type": "LoadBalancer", "loadBalancerIP": address.to_string() } })
}

/// One of the pool that nobody was given at a start.
fn of_pool(up: &Up, last: u8) -> IpAddr {
    let first: IpAddr = up.pool.split('/').next().and_then(|it| it.parse().ok()).expect("a pool");
    let IpAddr::V4(first) = first else { panic!("of IPv4") };
    let mut octets = first.octets();
    octets[3] += last;
    octets.into()
}

/// A workspace `demo`, managed by `wendy`, with these projects of hers.
fn workspace(up: &Up, projects: &[&str]) -> Person {
    let wendy = Person::new(up, "wendy");
    up.paifang(&["workspace", "create", "demo", "--admin", "wendy"]);
    for project in projects {
        let kubeconfig = wendy.kubeconfig.clone();
        eventually("wendy makes a project", || {
            let mut command = Command::new(binary());
            command.env("KUBECONFIG", &kubeconfig).args(["project", "create", project, "--workspace", "demo"]);
            run(&mut command, "").status.success().then_some(())
        });
    }
    wendy
}

fn member(up: &Up, name: &'static str, project: &str, role: &str) -> Person {
    let person = Person::new(up, name);
    up.paifang(&["invite", name, "--project", project, "--role", role]);
    person
}

fn deployments(up: &Up) -> Vec<String> {
    let list = up.get(&["deploy", "-n", GATEWAY.0]).unwrap_or_default();
    list["items"].as_array().into_iter().flatten().filter_map(|it| it.pointer("/metadata/name")?.as_str().map(str::to_owned)).collect()
}

/// `kubectl get -w`, until dropped.
struct Following(Child, PathBuf);

impl Following {
    fn address(up: &Up, who: &Person, project: &str, route: &str) -> Self {
        let path = up.dir.path().join(format!("{project}-{route}.watch"));
        let file = std::fs::File::create(&path).expect("a file");
        let mut command = who.command();
        let line = "jsonpath={.status.loadBalancer.ingress[*].ip}{\"\\n\"}";
        command.args(["get", "ingress", "-n", project, route, "--watch", "-o", line]).stdin(Stdio::null()).stdout(file);
        Self(command.spawn().expect("kubectl starts"), path)
    }

    /// What it has printed, each once in a row.
    fn seen(&self) -> Vec<String> {
        let mut lines: Vec<String> = crate::harness::read(&self.1).lines().filter(|it| !it.is_empty()).map(str::to_owned).collect();
        lines.dedup();
        lines
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// KubeSphere's "Project gateway": enabled with NodePort by the project's admin, looked at by its operator.
#[test]
fn a_project_admin_enables_a_gateway_with_node_ports_and_an_operator_looks_at_it() {
    let up = Up::start(&["--demo"]);
    let (project, router) = ("demo-project", "kubesphere-router-demo-project");
    // The samples come one after another.
    for name in ["project-admin", "project-regular"] {
        eventually("a sample user", || up.get(&["users.paifang.dev", name]));
    }
    let (admin, operator) = (Person::of(&up, "project-admin"), Person::of(&up, "project-regular"));
    let gateway = request(project, &json!({ "scope": "Project", "access": { "type": "NodePort" } }));
    // Nobody has asked for one yet, and everybody may look.
    for who in [&admin, &operator] {
        let none: Value = serde_json::from_str(&who.soon(&["get", KIND, "-n", project, "-o", "json"], "")).expect("JSON");
        assert_eq!(none["items"], json!([]));
    }
    operator.refused(&["create", "-f", "-"], &gateway.to_string());
    assert_eq!(deployments(&up), [GATEWAY.1]);

    admin.create(&gateway);
    let at = admin.reached(project, "http", |_| true);
    let status = operator.status(project);
    for name in ["http", "https"] {
        let node_port = port(&status, name, "nodePort").expect("a node port");
        assert!((30_000..=32_767).contains(&node_port), "{name}: {node_port}");
    }
    assert_eq!(port(&status, "http", "nodePort"), Some(at.port()));
    assert_eq!(status["addresses"], json!([{ "type": "IPAddress", "value": "127.0.0.1" }]), "the node's");
    assert_eq!(status["workload"], json!({ "namespace": GATEWAY.0, "name": router }));
    assert_eq!((&status["pods"][0]["phase"], &status["pods"][0]["ready"]), (&json!("Running"), &json!(true)));
    assert!(deployments(&up).contains(&router.to_owned()));
    let (answer, _, _) = up.curl(&format!("http://127.0.0.1:{}/", at.port()), at, &[]).expect("it answers");
    assert_eq!(answer, 404);

    // Its address is there for who may not look where it runs.
    let table = operator.kubectl(&["get", "igw", "-n", project], "");
    assert!(table.contains("NodePort") && table.contains("127.0.0.1") && table.contains(&at.port().to_string()), "{table}");
    for who in [&admin, &operator] {
        who.refused(&["get", "deployments,services,pods", "-n", GATEWAY.0], "");
        who.refused(&["get", "nodes"], "");
    }
    let raw = format!("/apis/paifang.dev/v1alpha1/namespaces/{project}/ingressgateways/gateway");
    operator.kubectl(&["get", "--raw", &raw], "");
    for verb in [&["delete", KIND, "gateway"][..], &["patch", KIND, "gateway", "--type=merge", "-p", r#"{"spec":{"replicas":2}}"#]] {
        operator.refused(&[verb, &["-n", project]].concat(), "");
    }

    let mut second = gateway;
    second["metadata"]["name"] = "second".into();
    admin.create(&second);
    let said = admin.condition(project, "second", "Accepted", "False Conflict");
    assert!(said.contains("demo-project/gateway"), "{said}");
    admin.kubectl(&["delete", KIND, "-n", project, "second"], "");
    assert_eq!(admin.reached(project, "http", |_| true), at, "the first one is as it was");
}

/// A LoadBalancer without a cloud: the address comes from the pool that the machine was given.
#[test]
fn a_gateway_is_switched_to_an_address_of_the_pool_and_back() {
    let rng = &mut chance("a_gateway_is_switched_to_an_address_of_the_pool_and_back");
    let (up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let (admin, operator) = (member(&up, "ada", &project, "admin"), member(&up, "oki", &project, "operator"));
    operator.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    admin.soon(&["create", "-f", "-"], &request(&project, &json!({})).to_string());
    operator.route(&project, "web", "demo2.kubesphere.example/*=web:80", &[]);
    let node = admin.reached(&project, "http", |_| true);
    up.until_at(node, "demo2.kubesphere.example", "/", "on the node port", |it| it.text() == "here");

    let annotations = json!({
        "lb.kubesphere.io/v1alpha1": "openelb", "protocol.openelb.kubesphere.io/v1alpha1": "layer2",
        "eip.openelb.kubesphere.io/v1alpha2": "layer2-eip",
    });
    let access = json!({ "type": "LoadBalancer", "provider": "OpenELB", "annotations": annotations });
    let patch = json!({ "spec": { "access": access } }).to_string();
    let patch = ["patch", KIND, "-n", &project, "gateway", "--type=merge", "-p", &patch];
    operator.refused(&patch, "");
    admin.kubectl(&patch, "");
    let pool: pools::Pool = up.pool.parse().expect("a pool");
    let at = admin.reached(&project, "http", |it| pool.contains(it));
    assert_ne!(at.ip(), up.front().ip(), "it shares none");
    // Without a port, where this user may listen on 80.
    assert_eq!(at.port(), 80 + up.offset);
    let url = format!("http://demo2.kubesphere.example{}/", crate::harness::shown_port(at.port(), 80));
    eventually("curl gets it", || up.curl(&url, at, &[]).ok().filter(|it| it.0 == 200 && it.2 == "here"));
    let status = operator.status(&project);
    assert_eq!([port(&status, "http", "nodePort"), port(&status, "https", "nodePort")], [None, None], "the old ones are gone");
    let seen = up.get(&["service", "-n", GATEWAY.0, &format!("kubesphere-router-{project}")]).expect("a Service");
    assert_eq!(seen["metadata"]["annotations"]["protocol.openelb.kubesphere.io/v1alpha1"], "layer2");
    assert!(seen["spec"]["ports"].as_array().into_iter().flatten().all(|it| it.get("nodePort").is_none_or(|it| *it == 0)), "{seen}");
    eventually("the route shows it", || (operator.shown(&project, "web") == [at.ip().to_string()]).then_some(()));

    // What an annotation asks for goes with it.
    admin.kubectl(
        &["patch", KIND, "-n", &project, "gateway", "--type=json", "-p", r#"[{"op":"replace","path":"/spec/access","value":{}}]"#],
        "",
    );
    let back = admin.reached(&project, "http", |it| !pool.contains(it));
    assert_eq!(back.ip(), node.ip());
    up.until_at(back, "demo2.kubesphere.example", "/", "on a node port again", |it| it.text() == "here");
    eventually("its annotations are gone", || {
        let seen = up.get(&["service", "-n", GATEWAY.0, &format!("kubesphere-router-{project}")])?;
        seen["metadata"]["annotations"].get("lb.kubesphere.io/v1alpha1").is_none().then_some(())
    });
}

#[test]
fn where_nobody_gives_addresses_a_project_admin_reads_why() {
    let rng = &mut chance("where_nobody_gives_addresses_a_project_admin_reads_why");
    let (up, project) = (Up::start(&["--pool", "none"]), word(rng));
    let _wendy = workspace(&up, &[&project]);
    let admin = member(&up, "ada", &project, "admin");
    admin.soon(&["create", "-f", "-"], &request(&project, &json!({ "access": { "type": "LoadBalancer" } })).to_string());
    let said = admin.condition(&project, "gateway", "AddressAssigned", "False NoPool");
    assert!(said.contains("Pending: no address available"), "{said}");
    admin.event(&project, "gateway", &["AddressPending", "no address", "pool"]);
    admin.condition(&project, "gateway", "Programmed", "False");
    let status = admin.status(&project);
    assert!(status["addresses"].as_array().is_none_or(Vec::is_empty), "{status}");
}

/// KubeSphere's "Auto generate", and where it leads.
#[test]
fn a_route_without_a_host_gets_one_that_follows_its_gateway() {
    let rng = &mut chance("a_route_without_a_host_gets_one_that_follows_its_gateway");
    let (up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let (admin, operator) = (member(&up, "ada", &project, "admin"), member(&up, "project-regular", &project, "operator"));
    operator.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    operator.route(&project, "web", "/*=web:80", &["--annotation=paifang.dev/host=auto"]);
    // On everybody's gateway, the project stands in it.
    let shared = format!("web.{project}.{}.nip.io", up.front().ip());
    operator.host(&project, "web", &shared);
    up.until(&shared, "/", "served", |it| it.text() == "here");

    // On the project's own it need not. The port stands in the link, not in the host.
    admin.create(&request(&project, &json!({ "access": { "type": "NodePort" } })));
    let node = admin.reached(&project, "http", |_| true);
    let of_node = format!("web.{}.nip.io", node.ip());
    operator.host(&project, "web", &of_node);
    let link = format!("http://{of_node}:{}/", port(&operator.status(&project), "http", "nodePort").expect("a node port"));
    operator.link(&project, &link);
    eventually("the link works", || up.curl(&link, node, &[]).ok().filter(|it| it.2 == "here"));

    let mut before = of_node;
    for last in [9, 10] {
        let address = of_pool(&up, last);
        admin.apply(&request(&project, &balanced(address)));
        let at = admin.reached(&project, "http", |it| it == address);
        let host = format!("web.{address}.nip.io");
        operator.host(&project, "web", &host);
        let link = format!("http://{host}{}/", crate::harness::shown_port(at.port(), 80));
        operator.link(&project, &link);
        eventually("the link works", || up.curl(&link, at, &[]).ok().filter(|it| it.2 == "here"));
        // Whoever still has the old link gets there too, as soon as the name leads there.
        up.until_at(at, &before, "/", "the former host is served", |it| it.text() == "here");
        up.until_at(at, "another.example", "/", "no other is", |it| it.status == 404);
        before = host;
    }
    // Nobody writes it by hand.
    operator.kubectl(&["annotate", "--overwrite", "ingress", "web", "-n", &project, "paifang.dev/generated-host=bank.example"], "");
    operator.host(&project, "web", &before);
}

#[test]
fn generated_hosts_end_in_the_suffix_that_was_configured() {
    let rng = &mut chance("generated_hosts_end_in_the_suffix_that_was_configured");
    let (up, project, origin) = (Up::start(&["--dns-suffix", "apps.example"]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let operator = member(&up, "oki", &project, "operator");
    operator.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    operator.route(&project, "web", "/*=web:80", &["--annotation=paifang.dev/host=auto"]);
    let host = format!("web.{project}.{}.apps.example", up.front().ip());
    operator.host(&project, "web", &host);
    up.until(&host, "/", "served", |it| it.text() == "here");
}

/// Everybody's gateway beside one of a project's own.
#[test]
fn projects_with_and_without_a_gateway_live_side_by_side() {
    let rng = &mut chance("projects_with_and_without_a_gateway_live_side_by_side");
    let (up, a, b, c) = (Up::start(&[]), word(rng), word(rng), word(rng));
    let wendy = workspace(&up, &[&a, &b, &c]);
    let (admin_a, admin_b) = (member(&up, "ada", &a, "admin"), member(&up, "bob", &b, "admin"));
    let (of_a, of_b, of_c) = (member(&up, "amy", &a, "operator"), member(&up, "ben", &b, "operator"), member(&up, "cleo", &c, "operator"));
    let origins = ["of a", "of b", "of c"].map(|it| Origin::start(Behaviour::body(it)));
    for ((who, project), origin) in [(&of_a, &a), (&of_b, &b), (&of_c, &c)].into_iter().zip(&origins) {
        who.soon(&["apply", "-f", "-"], &service(project, "web", &[origin.address()]).to_string());
    }
    let address = of_pool(&up, 9);
    admin_a.soon(&["create", "-f", "-"], &request(&a, &balanced(address)).to_string());
    let own = admin_a.reached(&a, "http", |it| it == address);
    of_a.route(&a, "web", "a.example/*=web:80", &[]);
    of_b.route(&b, "web", "b.example/*=web:80", &[]);
    up.until_at(own, "a.example", "/", "A's by A's own", |it| it.text() == "of a");
    up.until("b.example", "/", "B's by everybody's", |it| it.text() == "of b");
    assert_eq!(up.ask("a.example", "/").status, 404, "A's by A's own alone");
    up.until_at(own, "b.example", "/", "B's not by A's", |it| it.status == 404);
    let everybody = up.front().ip().to_string();
    eventually("each shows where it is", || {
        (of_a.shown(&a, "web") == [address.to_string()] && of_b.shown(&b, "web") == [everybody.clone()]).then_some(())
    });
    let following = Following::address(&up, &of_b, &b, "web");
    eventually("the watch has begun", || (following.seen() == [everybody.clone()]).then_some(()));

    // A's people look after A's gateway alone.
    of_a.refused(&["delete", KIND, "-n", &a, "gateway"], "");
    admin_b.refused(&["get", KIND, "-n", &a], "");
    admin_b.refused(&["delete", KIND, "-n", &a, "gateway"], "");
    for _ in 0..2 {
        admin_a.kubectl(&["delete", KIND, "-n", &a, "gateway"], "");
        up.until("a.example", "/", "disabled: everybody's takes over", |it| it.text() == "of a");
        eventually("and the route says so", || (of_a.shown(&a, "web") == [everybody.clone()]).then_some(()));
        admin_a.create(&request(&a, &balanced(address)));
        let again = admin_a.reached(&a, "http", |it| it == address);
        up.until_at(again, "a.example", "/", "enabled again", |it| it.text() == "of a");
        eventually("and the route says so", || (of_a.shown(&a, "web") == [address.to_string()]).then_some(()));
    }

    // C wants what B has on the gateway that both share. Ages are of whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    of_c.route(&c, "web", "b.example/*=web:80", &[]);
    of_c.event(&c, "web", &["HostTaken", "b.example", &b]);
    assert_eq!(up.ask("b.example", "/").text(), "of b");
    assert!(of_c.shown(&c, "web").is_empty(), "it is served nowhere");

    // The address is A's; with A it goes back.
    admin_b.soon(&["create", "-f", "-"], &request(&b, &balanced(address)).to_string());
    let said = admin_b.condition(&b, "gateway", "AddressAssigned", "False AddressTaken");
    assert!(said.contains(&address.to_string()), "{said}");
    admin_b.kubectl(&["delete", KIND, "-n", &b, "gateway"], "");
    // Waiting takes a right to list namespaces, which nobody has for one of them alone.
    wendy.kubectl(&["delete", "namespace", &a, "--wait=false"], "");
    eventually("A's gateway went with A", || (deployments(&up) == [GATEWAY.1]).then_some(()));
    assert_eq!(following.seen(), [everybody], "what became of others moved B's route nowhere");
    drop(following);
    admin_b.create(&request(&b, &balanced(address)));
    let now = admin_b.reached(&b, "http", |it| it == address);
    up.until_at(now, "b.example", "/", "B has the address now", |it| it.text() == "of b");
}

/// KubeSphere's own kind, where somebody has installed it; a definition as small as they get.
#[test]
fn who_asks_with_kubesphere_s_own_kind_gets_a_gateway_and_its_address_in_the_status() {
    let rng = &mut chance("who_asks_with_kubesphere_s_own_kind_gets_a_gateway_and_its_address_in_the_status");
    let (up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let operator = member(&up, "oki", &project, "operator");
    operator.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    operator.route(&project, "web", "web.example/*=web:80", &[]);
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    up.apply(&[json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "gateways.gateway.kubesphere.io" },
        "spec": {
            "group": "gateway.kubesphere.io", "scope": "Namespaced",
            "names": { "kind": "Gateway", "plural": "gateways", "singular": "gateway", "listKind": "GatewayList" },
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": anything, "status": anything } } },
            }],
        },
    })]);
    up.kubectl(&["wait", "--for=condition=Established", "crd/gateways.gateway.kubesphere.io", "--timeout=60s"], "").expect("it is served");
    let (name, kind) = (format!("kubesphere-router-{project}"), "gateways.gateway.kubesphere.io");
    let gateway = |service: Value| {
        json!({
            "apiVersion": "gateway.kubesphere.io/v1alpha1", "kind": "Gateway",
            "metadata": { "name": name, "namespace": GATEWAY.0, "annotations": { "kubesphere.io/creator": "admin" } },
            "spec": {
                "controller": { "scope": { "enabled": true, "namespace": project }, "config": { "proxy-body-size": "50m" } },
                "service": service, "deployment": { "replicas": 1 },
            },
        })
    };
    up.apply(&[gateway(json!({ "type": "NodePort" }))]);
    let stored = |pointer: &str| up.get(&[kind, "-n", GATEWAY.0, &name])?.pointer(pointer).cloned();
    let node_port = eventually("a node port in its status", || {
        let ports = stored("/status/service")?;
        let http = ports.as_array()?.iter().find(|it| it["name"] == "http")?.clone();
        http["nodePort"].as_u64().and_then(|it| u16::try_from(it).ok())
    });
    eventually("the node in its status", || (stored("/status/loadBalancer/ingress")? == json!([{ "ip": "127.0.0.1" }])).then_some(()));
    let at = SocketAddr::from(([127, 0, 0, 1], node_port));
    up.until_at(at, "web.example", "/", "the project's route", |it| it.text() == "here");
    assert!(deployments(&up).contains(&name));

    up.apply(&[gateway(json!({ "type": "LoadBalancer" }))]);
    let pool: pools::Pool = up.pool.parse().expect("a pool");
    let address = eventually("an address of the pool in its status", || {
        stored("/status/loadBalancer/ingress/0/ip")?.as_str()?.parse().ok().filter(|it: &IpAddr| pool.contains(*it))
    });
    eventually("the route shows it", || (operator.shown(&project, "web") == [address.to_string()]).then_some(()));
    up.until_at(SocketAddr::new(address, 80 + up.offset), "web.example", "/", "at the address", |it| it.text() == "here");
    up.kubectl(&["delete", kind, "-n", GATEWAY.0, &name], "").expect("it is disabled");
    up.until("web.example", "/", "everybody's takes over", |it| it.text() == "here");
}

/// Objects of other controllers, all with a class that says so.
fn of_others(project: &str) -> Vec<Value> {
    let http =
        json!({ "paths": [{ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } }] });
    let ingress = |name: &str, host: &str| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": { "name": name, "namespace": project, "annotations": {} },
            "spec": { "rules": [{ "host": host, "http": http }] },
        })
    };
    let mut chosen = ingress("by-class", "other.example");
    chosen["spec"]["ingressClassName"] = "apisix".into();
    let mut annotated = ingress("by-annotation", "old.example");
    annotated["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "kong".into();
    let v1 = "gateway.networking.k8s.io/v1";
    let listener = json!({ "name": "http", "port": 80, "protocol": "HTTP" });
    let rule = json!({ "backendRefs": [{ "name": "web", "port": 80 }] });
    let class = |name: &str, controller: &str| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": name }, "spec": { "controller": controller },
        })
    };
    vec![
        class("apisix", "apisix.apache.org/apisix-ingress-controller"),
        class("kong", "ingress-controllers.konghq.com/kong"),
        json!({
            "apiVersion": v1, "kind": "GatewayClass", "metadata": { "name": "traefik" },
            "spec": { "controllerName": "traefik.io/gateway-controller" },
        }),
        chosen,
        annotated,
        json!({
            "apiVersion": v1, "kind": "Gateway", "metadata": { "name": "other", "namespace": project },
            "spec": { "gatewayClassName": "traefik", "listeners": [listener] },
        }),
        json!({
            "apiVersion": v1, "kind": "HTTPRoute", "metadata": { "name": "other", "namespace": project },
            "spec": { "parentRefs": [{ "name": "other" }], "hostnames": ["route.example"], "rules": [rule] },
        }),
    ]
}

#[test]
fn what_other_controllers_serve_is_neither_written_to_nor_called_unserved() {
    let rng = &mut chance("what_other_controllers_serve_is_neither_written_to_nor_called_unserved");
    let (mut up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let (admin, operator) = (member(&up, "ada", &project, "admin"), member(&up, "oki", &project, "operator"));
    operator.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    let theirs = of_others(&project);
    up.apply(&theirs);
    let versions = |up: &Up| -> Vec<String> {
        let version = |it: &Value| {
            let kind = format!("{}.{}", it["kind"].as_str()?, it["apiVersion"].as_str()?.split('/').next()?);
            let (kind, name) = (kind.to_lowercase(), it["metadata"]["name"].as_str()?);
            let found = match it["metadata"]["namespace"].as_str() {
                Some(namespace) => up.get(&[&kind, "-n", namespace, name])?,
                None => up.get(&[&kind, name])?,
            };
            Some(format!("{kind} {name} {} {}", found["metadata"]["resourceVersion"], found["status"]["loadBalancer"]["ingress"]))
        };
        theirs.iter().map(|it| version(it).expect("it is there")).collect()
    };
    let before = versions(&up);
    // Everything that could make us speak of them: gateways that come and go, a start, a problem of ours that is said after them.
    admin.soon(&["create", "-f", "-"], &request(&project, &json!({})).to_string());
    operator.route(&project, "ours", "ours.example/*=web:80", &[]);
    let at = admin.reached(&project, "http", |_| true);
    up.until_at(at, "ours.example", "/", "ours is served", |it| it.text() == "here");
    up.event(&project, "ours", &["Accepted", &format!("served by IngressGateway {project}/gateway")]);
    for host in ["other.example", "old.example", "route.example"] {
        assert_eq!(up.ask(host, "/").status, 404, "{host}");
        up.until_at(at, host, "/", "not ours to serve", |it| it.status == 404);
    }
    admin.kubectl(&["delete", KIND, "-n", &project, "gateway"], "");
    up.until("ours.example", "/", "everybody's takes over", |it| it.text() == "here");
    up.kill();
    up.start_again();
    operator.route(&project, "broken", "broken.example/*=nothing:80", &[]);
    up.event(&project, "broken", &["nothing"]);
    assert_eq!(versions(&up), before);
    for object in &theirs {
        let name = object["metadata"]["name"].as_str().expect("a name");
        assert_eq!(up.events(&project, name), Vec::<String>::new(), "{name}");
        assert_eq!(up.events("default", name), Vec::<String>::new(), "{name}");
    }
    let said = up.said();
    for word in ["by-class", "by-annotation"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
    // They are there to be looked at, with whose they are.
    let classes = operator.try_to(&["get", "ingressclasses"], "").or_else(|_| up.kubectl(&["get", "ingressclasses"], "")).expect("a table");
    assert!(classes.contains("apisix.apache.org/apisix-ingress-controller"), "{classes}");
}

#[test]
fn one_setting_names_where_gateways_are_and_what_they_are_called() {
    let rng = &mut chance("one_setting_names_where_gateways_are_and_what_they_are_called");
    let (mut up, project, origin) = (Up::start(&["--gateway-names", "edge/gate"]), word(rng), Origin::start(Behaviour::body("here")));
    let _wendy = workspace(&up, &[&project]);
    let admin = member(&up, "ada", &project, "admin");
    admin.soon(&["apply", "-f", "-"], &service(&project, "web", &[origin.address()]).to_string());
    admin.soon(&["create", "-f", "-"], &request(&project, &json!({})).to_string());
    admin.route(&project, "web", "web.example/*=web:80", &[]);
    let at = admin.reached(&project, "http", |_| true);
    up.until_at(at, "web.example", "/", "served", |it| it.text() == "here");
    assert_eq!(admin.status(&project)["workload"], json!({ "namespace": "edge", "name": format!("gate-{project}") }));
    let list = up.get(&["deploy", "-A"]).unwrap_or_default();
    let place = |it: &Value| {
        format!("{}/{}", it["metadata"]["namespace"].as_str().unwrap_or_default(), it["metadata"]["name"].as_str().unwrap_or_default())
    };
    let mut seen: Vec<String> = list["items"].as_array().into_iter().flatten().map(place).collect();
    seen.sort();
    let mut expect =
        ["edge/gate-kubesphere-system".to_owned(), format!("edge/gate-{project}"), "istio-system/istio-ingressgateway".to_owned()];
    expect.sort();
    assert_eq!(seen, expect);
    // Whoever looks from elsewhere finds them by themselves.
    let gateways = up.paifang(&["get", "gateways"]);
    let row = |words: [&str; 2]| gateways.lines().any(|it| it.split_whitespace().take(2).eq(words));
    assert!(row(["edge", "gate-kubesphere-system"]) && row([&project, "gateway"]), "{gateways}");
    assert!(up.paifang(&["get", "routes", "-n", &project]).contains("web.example"));
    // Where people of a project have rights no gateway is.
    up.kill();
    let mut wrong = Command::new(binary());
    wrong.args(["up", "--api-address", "127.0.0.1:0", "--admin-address", "none", "--dns-address", "none", "--pool", "none", "--data-dir"]);
    let output = run(wrong.arg(up.data()).args(["--gateway-names", &format!("{project}/gate")]), "");
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains(&format!("namespace {project} is a project of workspace demo")), "{said}");
}
