//! Gateways that projects ask for: enabled, reached, shared and disabled, as their admins do it.

use crate::harness::{GATEWAY, Up, chance, word};
use crate::objects::{namespace, service, simple};
use serde_json::{Value, json};
use std::net::SocketAddr;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

pub const KIND: &str = "ingressgateways.paifang.dev";

pub fn request(project: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": project }, "spec": spec })
}

pub fn of_workspace(project: &str, workspace: &str) -> Value {
    let mut namespace = namespace(project);
    namespace["metadata"]["labels"] = json!({ "kubesphere.io/workspace": workspace });
    namespace
}

pub fn router(project: &str) -> String {
    format!("kubesphere-router-{project}")
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    Some(object.pointer(pointer)?.as_str()?.to_owned())
}

fn status(up: &Up, project: &str) -> Option<Value> {
    up.get(&[KIND, "-n", project, "gateway"])?.get("status").cloned()
}

/// A number of a port in a gateway's status, for example `nodePort`.
fn port(status: &Value, name: &str, field: &str) -> Option<u16> {
    let port = status.get("ports")?.as_array()?.iter().find(|it| it["name"] == name)?.clone();
    port.get(field)?.as_u64().and_then(|it| u16::try_from(it).ok())
}

/// Where a gateway says that it answers http.
pub fn reached(up: &Up, project: &str) -> SocketAddr {
    up.until_condition(&[KIND, "-n", project, "gateway"], "/status/conditions", "Programmed", "True");
    eventually("an address and a port", || {
        let status = status(up, project)?;
        let address = text(&status, "/addresses/0/value")?.parse().ok()?;
        Some(SocketAddr::new(address, port(&status, "http", "reachedAt")?))
    })
}

/// The addresses in an Ingress's status.
fn shown(up: &Up, project: &str, name: &str) -> Vec<String> {
    let ingress = up.get(&["ingress", "-n", project, name]).unwrap_or_default();
    let entries = ingress.pointer("/status/loadBalancer/ingress").and_then(Value::as_array).cloned().unwrap_or_default();
    entries.iter().filter_map(|it| text(it, "/ip")).collect()
}

fn deployments(up: &Up) -> Vec<String> {
    let list = up.get(&["deploy", "-n", GATEWAY.0]).unwrap_or_default();
    list["items"].as_array().into_iter().flatten().filter_map(|it| text(it, "/metadata/name")).collect()
}

/// Both names in the order of lists, which is theirs and not the order they were made in.
fn in_order(a: &str, b: &str) -> [String; 2] {
    let mut names = [a.to_owned(), b.to_owned()];
    names.sort();
    names
}

#[test]
fn a_project_gateway_has_node_ports_of_its_own_and_is_seen_in_the_gateways_namespace() {
    let rng = &mut chance("a_project_gateway_has_node_ports_of_its_own_and_is_seen_in_the_gateways_namespace");
    let (mut up, project) = (Up::start(&[]), word(rng));
    let origin = Origin::start(Behaviour::body("here"));
    up.apply(&[of_workspace(&project, "demo"), service(&project, "web", &[origin.address()])]);
    assert_eq!(deployments(&up), [GATEWAY.1]);
    up.apply(&[request(&project, &json!({ "scope": "Project", "access": { "type": "NodePort" } }))]);
    let at = reached(&up, &project);
    let before = status(&up, &project).expect("a status");
    let ports = ["http", "https"].map(|name| port(&before, name, "nodePort").expect("a node port"));
    assert!(ports.iter().all(|it| (30_000..=32_767).contains(it)), "{ports:?}");
    assert_eq!((at.port(), before["readyReplicas"].clone(), before["pods"][0]["ready"].clone()), (ports[0], json!(1), json!(true)));
    up.until_at(at, "any.example", "/", "the gateway's own 404", |it| it.status == 404);

    assert_eq!(deployments(&up), in_order(GATEWAY.1, &router(&project)));
    let seen = up.get(&["service", "-n", GATEWAY.0, &router(&project)]).expect("a Service");
    assert_eq!((text(&seen, "/spec/type").as_deref(), seen.pointer("/metadata/ownerReferences")), (Some("NodePort"), None));
    let pods = up.get(&["pods", "-n", GATEWAY.0, "-l", &format!("app.kubernetes.io/instance={}", router(&project))]).expect("Pods");
    assert_eq!(text(&pods, "/items/0/status/phase").as_deref(), Some("Running"));

    let mut second = request(&project, &json!({}));
    second["metadata"]["name"] = "z-second".into();
    up.apply(&[second]);
    let said = up.until_condition(&[KIND, "-n", &project, "z-second"], "/status/conditions", "Accepted", "False Conflict");
    assert!(said.contains(&format!("{project}/gateway")), "{said}");

    up.kill();
    up.start_again();
    assert_eq!(reached(&up, &project), at, "a restart moves nothing");
    up.apply(&[simple(&project, "web", "web.example", "web")]);
    up.until_at(at, "web.example", "/", "its project's route", |it| it.text() == "here");
    eventually("the route is counted", || (status(&up, &project)?["attachedRoutes"] == 1).then_some(()));

    let wished: u16 = *up.node_ports.ports().end();
    assert!(!ports.contains(&wished));
    up.apply(&[request(&project, &json!({ "access": { "type": "NodePort", "nodePorts": { "http": wished } } }))]);
    eventually("the node port asked for", || (port(&status(&up, &project)?, "http", "nodePort")? == wished).then_some(()));

    up.apply(&[request(&project, &json!({ "access": { "type": "NodePort", "nodePorts": { "http": 80 } } }))]);
    let assigned = || up.condition(&[KIND, "-n", &project, "gateway"], "/status/conditions", "AddressAssigned");
    let said = eventually("a port of the node itself is not a project's to take", || assigned().filter(|it| it.contains("range")));
    assert!(said.contains("node port 80 is not in the range"), "{said}");
    let given = status(&up, &project).and_then(|it| port(&it, "http", "nodePort")).expect("one of the range");
    assert_ne!(given, 80);
}

#[test]
fn a_gateway_goes_from_node_ports_to_an_address_of_the_pool() {
    let rng = &mut chance("a_gateway_goes_from_node_ports_to_an_address_of_the_pool");
    let (up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    up.apply(&[of_workspace(&project, "demo"), service(&project, "web", &[origin.address()]), request(&project, &json!({}))]);
    up.apply(&[simple(&project, "web", "demo2.kubesphere.example", "web")]);
    let node = reached(&up, &project);
    up.until_at(node, "demo2.kubesphere.example", "/", "on the node port", |it| it.text() == "here");

    let annotations = json!({ "lb.kubesphere.io/v1alpha1": "openelb", "eip.openelb.kubesphere.io/v1alpha2": "layer2-eip" });
    let access = json!({ "type": "LoadBalancer", "provider": "OpenELB", "annotations": annotations });
    up.apply(&[request(&project, &json!({ "access": access }))]);
    let at = eventually("an address of the pool", || {
        let status = status(&up, &project)?;
        let address: std::net::IpAddr =
            text(&status, "/addresses/0/value")?.parse().ok().filter(|it: &std::net::IpAddr| *it != node.ip())?;
        Some(SocketAddr::new(address, port(&status, "http", "reachedAt")?))
    });
    assert_ne!(at.ip(), up.front().ip(), "an address of its own");
    up.until_at(at, "demo2.kubesphere.example", "/", "on the address", |it| it.text() == "here");
    let now = status(&up, &project).expect("a status");
    assert_eq!(port(&now, "http", "nodePort"), None, "the old node port is no longer shown");
    up.until_condition(&[KIND, "-n", &project, "gateway"], "/status/conditions", "AddressAssigned", "True");
    let seen = up.get(&["service", "-n", GATEWAY.0, &router(&project)]).expect("a Service");
    assert_eq!(text(&seen, "/metadata/annotations/lb.kubesphere.io~1v1alpha1").as_deref(), Some("openelb"));
    eventually("the route shows it", || (shown(&up, &project, "web") == [at.ip().to_string()]).then_some(()));
}

#[test]
fn without_a_pool_an_address_is_pending_and_that_is_said() {
    let rng = &mut chance("without_a_pool_an_address_is_pending_and_that_is_said");
    let (up, project) = (Up::start(&["--pool", "none"]), word(rng));
    up.apply(&[of_workspace(&project, "demo"), request(&project, &json!({ "access": { "type": "LoadBalancer" } }))]);
    let object = [KIND, "-n", &project, "gateway"];
    let said = up.until_condition(&object, "/status/conditions", "AddressAssigned", "False NoPool");
    assert!(said.contains("Pending: no address available"), "{said}");
    up.until_condition(&object, "/status/conditions", "Programmed", "False AddressNotAssigned");
    up.event(&project, "gateway", &["AddressPending", "pool"]);
}

#[test]
fn projects_share_the_gateway_of_everybody_and_have_their_own() {
    let rng = &mut chance("projects_share_the_gateway_of_everybody_and_have_their_own");
    let (up, a, b) = (Up::start(&[]), word(rng), word(rng));
    let (of_a, of_b) = (Origin::start(Behaviour::body("of a")), Origin::start(Behaviour::body("of b")));
    for (project, origin) in [(&a, &of_a), (&b, &of_b)] {
        up.apply(&[of_workspace(project, "demo"), service(project, "web", &[origin.address()])]);
    }
    up.apply(&[request(&a, &json!({}))]);
    up.apply(&[simple(&a, "web", "a.example", "web"), simple(&b, "web", "b.example", "web")]);
    let own = reached(&up, &a);
    up.until_at(own, "a.example", "/", "A's on its own", |it| it.text() == "of a");
    up.until("b.example", "/", "B's on everybody's", |it| it.text() == "of b");
    assert_eq!(up.ask("a.example", "/").status, 404, "A's is served by its own alone");
    up.until_at(own, "b.example", "/", "B's is not", |it| it.status == 404);
    let everybody = up.front().ip().to_string();
    eventually("each shows its own", || {
        (shown(&up, &a, "web") == [own.ip().to_string()] && shown(&up, &b, "web") == [everybody.clone()]).then_some(())
    });

    // The class names the gateway, whatever is the project's own.
    let mut named = simple(&a, "named", "named.example", "web");
    named["spec"]["ingressClassName"] = GATEWAY.1.into();
    up.apply(&[named]);
    up.until("named.example", "/", "by class", |it| it.text() == "of a");
    up.kubectl(&["delete", "ingress", "-n", &a, "named"], "").expect("it is deleted");

    for _ in 0..2 {
        up.kubectl(&["delete", "-n", &a, KIND, "gateway"], "").expect("it is disabled");
        up.until("a.example", "/", "everybody's takes it over", |it| it.text() == "of a");
        eventually("and the route shows it", || (shown(&up, &a, "web") == [everybody.clone()]).then_some(()));
        up.apply(&[request(&a, &json!({}))]);
        let again = reached(&up, &a);
        up.until_at(again, "a.example", "/", "enabled again", |it| it.text() == "of a");
    }

    // A second project wants a host of everybody's gateway that B has.
    let c = word(rng);
    up.apply(&[of_workspace(&c, "other"), service(&c, "web", &[of_a.address()])]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    up.apply(&[simple(&c, "web", "b.example", "web")]);
    up.event(&c, "web", &["HostTaken", &b]);
    assert_eq!(up.ask("b.example", "/").text(), "of b");

    up.kubectl(&["delete", "namespace", &a], "").expect("it is deleted");
    eventually("its gateway goes with the project", || (deployments(&up) == [GATEWAY.1]).then_some(()));
    let left = up.get(&["services,ingressclasses", "-A"]).unwrap_or_default();
    let left: Vec<String> = left["items"].as_array().into_iter().flatten().filter_map(|it| text(it, "/metadata/name")).collect();
    assert!(!left.contains(&router(&a)), "{left:?}");
}

#[test]
fn a_gateway_of_gateway_api_joins_the_one_that_its_class_means() {
    let rng = &mut chance("a_gateway_of_gateway_api_joins_the_one_that_its_class_means");
    let (up, project) = (Up::start(&[]), word(rng));
    let origin = Origin::start(Behaviour::body("here"));
    up.apply(&[of_workspace(&project, "demo"), service(&project, "web", &[origin.address()])]);
    up.apply(&[request(&project, &json!({ "access": { "type": "NodePort" } }))]);
    let at = reached(&up, &project);
    let class = router(&project);
    up.until_condition(&["gatewayclass", &class], "/status/conditions", "Accepted", "True");
    let gateway = |namespace: &str| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": "web", "namespace": namespace },
            "spec": { "gatewayClassName": class, "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }] },
        })
    };
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web", "namespace": project },
        "spec": { "parentRefs": [{ "name": "web" }], "hostnames": ["web.example"], "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }] },
    });
    up.apply(&[gateway(&project), route, gateway("default")]);
    let gateways = "gateways.gateway.networking.k8s.io";
    up.until_condition(&[gateways, "-n", &project, "web"], "/status/conditions", "Programmed", "True");
    up.until_at(at, "web.example", "/", "the route at the project's gateway", |it| it.text() == "here");
    let address = || text(&up.get(&[gateways, "-n", &project, "web"])?, "/status/addresses/0/value");
    assert_eq!(address(), Some(at.ip().to_string()));
    assert!(up.get(&["service", "-n", &project, "web-paifang"]).is_none(), "it has nothing of its own");
    let said = up.until_condition(&[gateways, "-n", "default", "web"], "/status/conditions", "Accepted", "False ScopeNotAllowed");
    assert!(said.contains("does not serve namespace `default`"), "{said}");

    up.kubectl(&["delete", KIND, "-n", &project, "gateway"], "").expect("it is disabled");
    let said = up.until_condition(&[gateways, "-n", &project, "web"], "/status/conditions", "Programmed", "False Invalid");
    assert!(said.contains("gatewayClassName"), "{said}");
    eventually("its class goes with it", || up.get(&["gatewayclass", &class]).is_none().then_some(()));
}

#[test]
fn options_of_a_gateway_hold_for_its_routes_alone() {
    let rng = &mut chance("options_of_a_gateway_hold_for_its_routes_alone");
    let (up, project, other) = (Up::start(&[]), word(rng), word(rng));
    let origin = Origin::start(Behaviour::body("here"));
    for it in [&project, &other] {
        up.apply(&[of_workspace(it, "demo"), service(it, "web", &[origin.address()])]);
    }
    up.apply(&[simple(&project, "web", "limit.example", "web"), simple(&other, "web", "free.example", "web")]);
    let config = json!({ "proxy-body-size": "1k", "server-tokens": "true", "proxy-body-sise": "2m" });
    up.apply(&[request(&project, &json!({ "config": config, "replicas": 2 }))]);
    let at = reached(&up, &project);
    up.until_at(at, "limit.example", "/", "served", |it| it.text() == "here");
    let body = "x".repeat(2048);
    let post = |host: &str, at: SocketAddr| up.curl(&format!("http://{host}:{}/", at.port()), at, &["--data", &body]).expect("an answer").0;
    assert_eq!(post("limit.example", at), 413);
    assert_ne!(post("free.example", up.front()), 413);
    let object = [KIND, "-n", &project, "gateway"];
    let said = up.until_condition(&object, "/status/conditions", "OptionsIgnored", "True UnknownOptions");
    assert!(said.contains("proxy-body-sise") && said.contains("proxy-body-size"), "{said}");
    up.until_condition(&object, "/status/conditions", "ReplicasIgnored", "True OneProcess");
}

#[test]
fn the_project_s_admin_enables_its_gateway_and_others_only_look() {
    let up = Up::start(&[]);
    for user in ["pat", "oki", "vi"] {
        up.paifang(&["user", "create", user, "--no-password"]);
    }
    up.paifang(&["workspace", "create", "demo", "--admin", "pat"]);
    eventually("pat makes a project", || {
        let mut command = std::process::Command::new(crate::harness::binary());
        command.env("KUBECONFIG", up.kubeconfig()).args(["project", "create", "demo-project", "--workspace", "demo", "--as", "pat"]);
        crate::harness::run(&mut command, "").status.success().then_some(())
    });
    for (user, role) in [("oki", "operator"), ("vi", "viewer")] {
        up.paifang(&["invite", user, "--project", "demo-project", "--role", role]);
    }
    let gateway = request("demo-project", &json!({ "access": { "type": "NodePort" } })).to_string();
    for user in ["oki", "vi"] {
        let refused = up.kubectl(&["create", "--as", user, "-f", "-"], &gateway).expect_err("only admins enable a gateway");
        assert!(refused.contains("forbidden"), "{refused}");
    }
    up.kubectl(&["create", "--as", "pat", "-f", "-"], &gateway).expect("its admin does");
    reached(&up, "demo-project");
    for user in ["oki", "vi"] {
        let seen = up.kubectl(&["get", "igw", "-n", "demo-project", "--as", user], "").expect("others look");
        assert!(seen.contains("NodePort") && seen.contains("True"), "{seen}");
        let views = up.kubectl(&["get", "deploy", "-n", GATEWAY.0, "--as", user], "").expect_err("not into the gateways' namespace");
        assert!(views.contains("forbidden"), "{views}");
    }
}
