use super::*;
use crate::{Applied, Change, Kind, Resources};
use proptest::prelude::*;
use serde_json::{Value, json};

fn template(address: &str) -> HostTemplate {
    HostTemplate {
        ingresses: Some(Scope::Cluster),
        parents: [Name::new("demo", "gw")].into(),
        projects: Projects::Many,
        form: AddressForm::Dotted,
        suffix: "nip.io".into(),
        address: address.parse().ok(),
        former: Vec::new(),
    }
}

#[test]
fn hosts_of_every_form() {
    let one = HostTemplate { projects: Projects::One, ..template("10.0.0.1") };
    let dashed = HostTemplate { form: AddressForm::Dashed, suffix: "apps.example".into(), ..template("10.0.0.1") };
    for (template, service, address, expect) in [
        (&template("10.0.0.1"), "web", "10.0.0.1", "web.demo.10.0.0.1.nip.io"),
        (&one, "web", "10.0.0.1", "web.10.0.0.1.nip.io"),
        (&dashed, "web", "10.0.0.1", "web.demo.10-0-0-1.apps.example"),
        (&one, "web", "2001:db8::1", "web.2001-db8--1.nip.io"),
        (&one, "web", "::1", "web.0--1.nip.io"),
        (&one, "web", "fe80::", "web.fe80--0.nip.io"),
        (&one, "web", "::ffff:10.0.0.1", "web.10.0.0.1.nip.io"),
        (&one, "Web", "10.0.0.1", "web-72645431.10.0.0.1.nip.io"),
    ] {
        let host = template.host(service, "demo", address.parse().expect("an address")).expect("a host");
        assert_eq!(host.as_str(), expect);
    }
}

#[test]
fn a_suffix_that_leaves_no_room_gives_no_host() {
    let long = HostTemplate { suffix: vec!["a".repeat(60); 4].join(".").into(), ..template("10.0.0.1") };
    assert_eq!(long.host("web", "demo", IpAddr::from([10, 0, 0, 1])), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_becomes_a_label_and_two_never_the_same(one in ".{0,80}", other in "[A-Za-z0-9._-]{0,80}") {
        for text in [&one, &other] {
            let label = label(text);
            prop_assert!(label.len() <= 63 && Hostname::parse(&label).is_ok(), "{text:?} {label}");
            prop_assert!(label.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-'));
        }
        prop_assert!(one == other || label(&one) != label(&other));
        prop_assert!(label(&other.to_uppercase()) != label(&other.to_lowercase()) || other.to_uppercase() == other.to_lowercase());
    }

    #[test]
    fn every_host_is_one(service in ".{0,80}", project in "[a-z0-9-]{0,63}", v6 in any::<u128>(), v4 in any::<u32>(), dashes in any::<bool>()) {
        let form = if dashes { AddressForm::Dashed } else { AddressForm::Dotted };
        let template = HostTemplate { form, suffix: "a.rather.long.suffix.of.seventy.nine.octets.or.so.that.is.still.allowed.example".into(), ..template("") };
        for address in [IpAddr::from(v4.to_be_bytes()), IpAddr::from(v6.to_be_bytes())] {
            prop_assert!(template.host(&service, &project, address).is_some());
        }
    }
}

fn ingress(host: &str, rules: Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "one", "namespace": "demo", "annotations": {"paifang.dev/host": host}}, "spec": {"rules": rules},
    })
}

fn path(service: &str) -> Value {
    json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

fn hosts(resources: &Resources) -> Vec<String> {
    let mut hosts: Vec<String> = resources.ingress_hosts().map(ToString::to_string).collect();
    hosts.sort();
    hosts
}

fn at(resources: &mut Resources, gateway: &str, template: Option<HostTemplate>) -> Applied {
    resources.apply(Change::Hosts { gateway: GatewayId::new(gateway), template })
}

#[test]
fn a_rule_without_host_follows_the_gateway() {
    let rules = json!([{"http": {"paths": [path("web"), path("api")]}}, {"host": "own.test", "http": {"paths": [path("web")]}}]);
    let mut resources = Resources::of(&[ingress("auto", rules)]);
    assert_eq!(hosts(&resources), ["own.test"], "no gateway is known yet");
    let Applied::Several(changes) = at(&mut resources, "g", Some(template("10.0.0.1"))) else { panic!("it changed") };
    assert_eq!(changes.len(), 1);
    assert_eq!(hosts(&resources), ["own.test", "web.demo.10.0.0.1.nip.io"]);
    let moved = HostTemplate { former: vec![IpAddr::from([10, 0, 0, 1])], ..template("10.0.0.2") };
    at(&mut resources, "g", Some(moved));
    assert_eq!(hosts(&resources), ["own.test", "web.demo.10.0.0.1.nip.io", "web.demo.10.0.0.2.nip.io"]);
    let ingress = resources.ingress(&Name::new("demo", "one")).expect("it is there").clone();
    assert_eq!(ingress.generated_hosts(&[GatewayId::new("g")].into()), [Text::from("web.demo.10.0.0.2.nip.io")].into());
    assert!(ingress.generated_hosts(&[GatewayId::new("other")].into()).is_empty());
    assert!(ingress.is_at(&host("web.demo.10.0.0.1.nip.io"), &GatewayId::new("g")));
    assert!(!ingress.is_at(&host("web.demo.10.0.0.1.nip.io"), &GatewayId::new("other")));
    assert!(ingress.is_at(&host("own.test"), &GatewayId::new("other")));
    at(&mut resources, "g", None);
    assert_eq!(hosts(&resources), ["own.test"]);
    assert!(matches!(at(&mut resources, "g", None), Applied::Nothing));
}

fn host(text: &str) -> HostPattern {
    crate::host_pattern(text).expect("a host")
}

#[test]
fn two_gateways_at_one_address_are_one_host() {
    let mut resources = Resources::of(&[ingress("auto", json!([{"http": {"paths": [path("web")]}}]))]);
    at(&mut resources, "g", Some(template("10.0.0.1")));
    at(&mut resources, "h", Some(template("10.0.0.1")));
    at(&mut resources, "other", Some(HostTemplate { ingresses: Some(Scope::Namespace("x".into())), ..template("10.0.0.9") }));
    let ingress = resources.ingress(&Name::new("demo", "one")).expect("it is there");
    assert_eq!((ingress.rules.len(), ingress.rules[0].generated.len()), (1, 2));
}

#[test]
fn what_is_not_understood_or_has_nowhere_to_go_is_for_no_host() {
    for (wish, address, cause) in [("Auto!", "10.0.0.1", Cause::InvalidValue), ("auto", "", Cause::HostPending)] {
        let mut resources = Resources::of(&[ingress(wish, json!([{"http": {"paths": [path("web")]}}]))]);
        at(&mut resources, "g", Some(template(address)));
        let ingress = resources.ingress(&Name::new("demo", "one")).expect("it is there");
        assert!(ingress.rules.is_empty() && !ingress.catch_all);
        assert_eq!(ingress.problems.iter().map(|it| it.reason).collect::<Vec<_>>(), [cause]);
    }
    let resources = Resources::of(&[ingress("auto", json!([{"host": "own.test", "http": {"paths": [path("web")]}}]))]);
    let ingress = resources.ingress(&Name::new("demo", "one")).expect("it is there");
    assert_eq!(ingress.problems.iter().map(|it| it.reason).collect::<Vec<_>>(), [Cause::NoEffect]);
}

#[test]
fn what_is_written_by_hand_where_hosts_are_shown_opens_nothing() {
    let mut object = ingress("auto", json!([{"http": {"paths": [path("web")]}}]));
    object["metadata"]["annotations"][GENERATED_HOST_ANNOTATION] = "bank.demo.10.0.0.7.nip.io".into();
    let mut resources = Resources::of(&[object]);
    at(&mut resources, "g", Some(template("10.0.0.1")));
    assert_eq!(hosts(&resources), ["web.demo.10.0.0.1.nip.io"]);
}

#[test]
fn a_default_backend_alone_gets_a_host_of_its_own() {
    let mut object = ingress("auto", json!([]));
    object["spec"] = json!({"defaultBackend": {"service": {"name": "fallback", "port": {"number": 80}}}});
    let mut resources = Resources::of(&[object]);
    at(&mut resources, "g", Some(template("10.0.0.1")));
    assert_eq!(hosts(&resources), ["fallback.demo.10.0.0.1.nip.io"]);
}

#[test]
fn a_route_gets_one_host_for_the_gateways_of_its_parents() {
    let mut object = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "one", "namespace": "demo", "annotations": {"paifang.dev/host": "auto"}},
        "spec": {"parentRefs": [{"name": "gw"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    });
    let hosts = |object: &Value, gateway: &str| {
        let mut resources = Resources::of(std::slice::from_ref(object));
        let parents = [Name::new("demo", gateway)].into();
        at(&mut resources, "g", Some(HostTemplate { parents, ..template("10.0.0.1") }));
        let Some(Object::HttpRoute(route)) = resources.get(Kind::HttpRoute, &Name::new("demo", "one")) else { panic!("it is there") };
        route.hosts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&object, "gw"), ["web.demo.10.0.0.1.nip.io"]);
    assert!(hosts(&object, "other").is_empty(), "it is served nowhere, not everywhere");
    object["spec"]["hostnames"] = json!(["own.test"]);
    assert_eq!(hosts(&object, "gw"), ["own.test"]);
}
