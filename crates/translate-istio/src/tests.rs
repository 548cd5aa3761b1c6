//! What a change costs, and what it names.

use super::*;
use resources::{Applied, Change};
use serde_json::{Value, json};

fn gateway() -> SharedGateway {
    SharedGateway {
        labels: [("istio".into(), "ingressgateway".into())].into(),
        namespace: "istio-system".into(),
        ..SharedGateway::new(GatewayId::new("g"))
    }
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name, "namespace": "a"}, "spec": spec})
}

fn server(port: u16, protocol: &str, host: &str, tls: &Value) -> Value {
    json!({"port": {"number": port, "name": format!("p{port}"), "protocol": protocol}, "hosts": [host], "tls": tls})
}

fn route(host: &str, service: &str) -> Value {
    json!({"hosts": [host], "gateways": ["gate"], "http": [{"route": [{"destination": {"host": service}}]}]})
}

/// A hundred VirtualServices of one Gateway, each with a host of its own.
fn many() -> Resources {
    let servers =
        [server(80, "HTTP", "*", &Value::Null), server(443, "HTTPS", "*.test", &json!({"mode": "SIMPLE", "credentialName": "cert"}))];
    let mut resources = Resources::of([&object("Gateway", "gate", &json!({"selector": {"istio": "ingressgateway"}, "servers": servers}))]);
    for n in 0..100 {
        change(&mut resources, &object("VirtualService", &format!("of-{n}"), &route(&format!("host-{n}.test"), &format!("web-{n}"))));
    }
    resources
}

fn change(resources: &mut Resources, object: &Value) -> Touch {
    let applied = resources.apply(Change::of(object).expect("a change"));
    let (options, shared) = (Options::default(), [gateway()]);
    let Applied::Object { old, new } = applied else { return Touch::default() };
    let mut touch = Touch::default();
    for object in old.iter().chain(&new) {
        touch.extend(touched(resources, &options, &shared, object));
    }
    touch
}

fn hosts(touch: &Touch) -> Vec<String> {
    touch.hosts.iter().map(|(_, port, host)| format!("{host}:{port}")).collect()
}

#[test]
fn one_edit_among_many_touches_the_hosts_it_names() {
    let mut resources = many();
    let touch = change(&mut resources, &object("VirtualService", "of-7", &route("host-7.test", "api")));
    assert_eq!(hosts(&touch), ["host-7.test:80", "host-7.test:443"]);
    assert_eq!(touch.objects.len(), 1);
    assert!(!touch.wanted);
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-9", "namespace": "a"}, "spec": {"ports": [{"port": 80}]}});
    assert_eq!(hosts(&change(&mut resources, &service)), ["host-9.test:80", "host-9.test:443"]);
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
        "metadata": {"name": "web-9", "namespace": "a", "labels": {"kubernetes.io/service-name": "web-9"}},
    });
    assert_eq!(change(&mut resources, &slice), Touch::default());
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert", "namespace": "istio-system"}});
    assert!(hosts(&change(&mut resources, &secret)).contains(&"host-3.test:443".to_owned()));
}

#[test]
fn a_nearer_server_of_tls_touches_what_the_wider_had() {
    let mut resources = many();
    let near =
        json!({"selector": {"istio": "ingressgateway"}, "servers": [server(443, "TLS", "*.host-7.test", &json!({"mode": "PASSTHROUGH"}))]});
    change(&mut resources, &object("VirtualService", "deep", &route("a.host-7.test", "web-7")));
    let touch = change(&mut resources, &object("Gateway", "near", &near));
    assert_eq!(hosts(&touch), ["a.host-7.test:443", "*.host-7.test:443"]);
    assert!(touch.wanted);
}

#[test]
fn nothing_is_looked_at_where_it_is_off() {
    let options = Options { enabled: false, ..Options::default() };
    let (resources, shared) = (many(), [gateway()]);
    assert!(super::hosts(&resources, &options, &shared).is_empty());
    assert!(wanted(&resources, &options, &shared).is_empty());
    let gate = ObjectRef::new("Gateway.networking.istio.io", "a", "gate");
    assert_eq!(report(&resources, &options, &shared, &gate), None);
}

#[test]
fn the_workload_s_own_port_is_the_service_s() {
    let shared = [SharedGateway { aliases: [(8080, 80)].into(), ..gateway() }];
    let servers = [server(8080, "HTTP", "*", &Value::Null), server(9090, "HTTP", "*", &Value::Null)];
    let resources = Resources::of([
        &object("Gateway", "gate", &json!({"selector": {"istio": "ingressgateway"}, "servers": servers})),
        &object("VirtualService", "web", &route("web.test", "web")),
    ]);
    let wanted = wanted(&resources, &Options::default(), &shared);
    let ports: Vec<u16> = wanted.iter().flat_map(|wanted| &wanted.ports).map(|port| port.number).collect();
    assert_eq!(ports, [80, 9090]);
    let host = resources::deep_host_pattern("web.test").expect("a host");
    let (id, options) = (GatewayId::new("g"), Options::default());
    assert!(translate_host(&resources, &options, &shared, (&id, 80, &host)).0.is_some());
    assert!(translate_host(&resources, &options, &shared, (&id, 8080, &host)).0.is_none());
}

// === goldens ===

#[expect(clippy::disallowed_methods, reason = "the goldens are files")]
fn below(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            below(&entry, found);
        } else if entry.file_name().is_some_and(|name| name == "status.yaml") {
            found.push(std::fs::read_to_string(&entry).expect("a text"));
        }
    }
}

#[test]
fn every_condition_is_in_some_golden_and_none_goes_unlisted() {
    let mut statuses = Vec::new();
    below(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"), &mut statuses);
    assert!(statuses.len() >= 30, "{}", statuses.len());
    let lines = statuses.iter().flat_map(|status| status.lines());
    let conditions = lines.filter_map(|line| line.trim().strip_prefix("- \"")?.split_once(':')).map(|(condition, _)| condition);
    let said: BTreeSet<&str> = conditions.filter(|it| it.contains("=True ") || it.contains("=False ")).collect();
    assert_eq!(said, conditions::CONDITIONS.iter().map(|(condition, _)| *condition).collect());
}

#[test]
fn the_page_names_every_condition_and_step() {
    let page = reference_markdown();
    for (condition, _) in conditions::CONDITIONS {
        let (kind, reason) = condition.split_once(' ').expect("two words");
        assert!(page.contains(&format!("| `{kind}` | `{reason}` |")), "{condition}");
    }
    assert!(page.contains("Fault, Cors, Rewrite, Host, RequestHeaders, Mirror, ResponseHeaders"));
}
