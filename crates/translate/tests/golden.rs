//! Every golden case of every frontend: what it leads to, and that its probes get what they expect.
//!
//! Probes go through the product's own data plane, running in this process: real sockets, a real handshake, an origin for each backend.
//! The runner proves the cases alive: with an empty model, every case that has probes must fail.

#[path = "golden/asked.rs"]
mod asked;
#[path = "golden/trusting.rs"]
mod trusting;
#[path = "golden/written.rs"]
mod written;

use asked::Asked;
use model::{Egress, GatewayId};
use resources::{AddressForm, Change, HostTemplate, Name, Projects, Resources, Scope, SharedGateway, load};
use serde_json::Value;
use std::path::Path;
use testkit::golden::{self, Produced};
use testkit::probe;
use translate::Options;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace is two folders up")
}

/// 2026-01-01, so that certificates expire or not whenever the test runs.
const NOW: i64 = 1_767_225_600;

fn options() -> Options {
    let egress = Egress::new(vec!["127.0.0.1:6443".parse().expect("an address")]);
    let shared = SharedGateway {
        labels: [("istio".into(), "ingressgateway".into())].into(),
        namespace: "istio-system".into(),
        services: vec![Name::new("istio-system", "istio-ingressgateway")],
        ..SharedGateway::new(GatewayId::new("default"))
    };
    let mut options = Options { gateways: vec![shared], egress, ..Options::new(GatewayId::new("default")) };
    options.set_now(Some(NOW));
    options
}

fn resources(input: &str) -> Resources {
    let loaded = load::load("in.yaml", input).unwrap_or_else(|errors| panic!("{errors:?}"));
    let objects: Vec<Value> = loaded.into_iter().map(|loaded| written::with_certificate(loaded.object)).collect();
    let mut resources = Resources::of(&objects);
    // For those that ask for a generated host.
    let template = HostTemplate {
        ingresses: Some(Scope::Cluster),
        parents: resources.gateways().map(|it| it.meta.name.clone()).collect(),
        projects: Projects::Many,
        form: AddressForm::Dotted,
        suffix: "nip.io".into(),
        address: Some([10, 0, 0, 2].into()),
        former: vec![[10, 0, 0, 1].into()],
    };
    resources.apply(Change::Hosts { gateway: GatewayId::new("default"), template: Some(template) });
    resources
}

#[test]
fn cases_lead_to_what_is_written() {
    golden::check_all(root(), |input| {
        let (model, status) = written::write(&resources(input), &options());
        Produced { model, status }
    });
}

#[test]
fn probes_get_what_they_expect() {
    let (cases, _) = golden::cases(root());
    let fails = cases.iter().flat_map(|case| {
        let asked = Asked::of(&resources(&case.input), &options());
        let fails = probe::check(&case.probes, |request| asked.ask(request));
        fails.into_iter().map(|why| format!("{}/probe.http, {why}", case.name))
    });
    let fails: Vec<String> = fails.collect();
    assert!(fails.is_empty(), "{}", fails.join("\n"));
}

#[test]
fn probes_notice_an_empty_model() {
    let (cases, _) = golden::cases(root());
    let empty = Asked::of(&Resources::default(), &options());
    for case in cases.iter().filter(|case| !case.probes.is_empty()) {
        let fails = probe::check(&case.probes, |request| empty.ask(request));
        assert!(!fails.is_empty(), "{}: its probes are content with an empty model", case.name);
    }
}

#[test]
fn there_are_cases_with_probes() {
    let (cases, errors) = golden::cases(root());
    assert_eq!(errors, Vec::<String>::new());
    let probed = cases.iter().filter(|case| !case.probes.is_empty()).count();
    assert!(cases.len() >= 12 && probed >= 10, "{} cases, {probed} with probes", cases.len());
}
