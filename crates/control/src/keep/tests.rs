use super::*;
use crate::gateways::{Taken, asks};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use translate::Listening;

struct Kept {
    keeper: Keeper,
    machine: Machine,
    asks: Asks,
    plans: Gateways,
    notes: Notes,
}

fn kept(shape: Shape) -> Kept {
    let node_address = IpAddr::from([192, 0, 2, 1]);
    let machine =
        Machine { shape, node_address, pool: "127.1.0.0/24".parse().expect("a pool"), port_offset: 0, node_ports: 30_000..=32_767 };
    let asks = asks(&crate::shared_gateway(&translate::Naming::default()), &Listening::default(), Wishes::default());
    let plans = machine.plan(&asks, &BTreeMap::new(), &Taken::default());
    let notes = [("paifang.dev/route-order".to_owned(), "istio".to_owned())].into();
    let mut keeper = Keeper::default();
    keeper.may_name(true);
    Kept { keeper, machine, asks, plans, notes }
}

impl Kept {
    /// What is put into the mailbox by wanting these gateways.
    fn want(&mut self, left_alone: Option<&Name>) -> Vec<String> {
        let with = With { machine: &self.machine, host: "here", notes: &self.notes };
        shown(self.keeper.want(with, (&self.asks, &self.plans), left_alone))
    }

    /// Everything is there as it should be.
    fn settle(&mut self) {
        let with = With { machine: &self.machine, host: "here", notes: &self.notes };
        for (target, wishes) in wanted(with, &self.asks, &self.plans) {
            let mut object = json!({});
            for wish in wishes {
                match wish {
                    Wish::Object(it) => object = it,
                    Wish::Addresses(it) => {
                        let entries: Vec<Value> = it.iter().map(|it| json!({ "ip": it })).collect();
                        object["status"] = json!({ "loadBalancer": { "ingress": entries } });
                    }
                    Wish::Status(it) => object["status"] = said(&it),
                    other => panic!("{other:?}"),
                }
            }
            self.keeper.observe(&target, Some(&object), false);
        }
    }
}

fn said(statement: &status::Statement) -> Value {
    let status::Shape::Plain { conditions, fields } = &statement.shape else { panic!("plain") };
    let mut status = Value::Object(fields.clone());
    let condition = |it: &resources::Condition| json!({ "type": it.kind, "status": it.status.as_str(), "reason": it.reason, "message": it.message, "lastTransitionTime": "" });
    status["conditions"] = conditions.iter().map(condition).collect();
    status
}

/// Kind and name of what is written, in order.
fn shown(writes: Writes) -> Vec<String> {
    let mut all: Vec<String> = writes.into_iter().map(|(target, wish)| one(&target, &wish)).collect();
    all.sort();
    all.dedup();
    all
}

fn one(target: &Target, wish: &Wish) -> String {
    let gone = if *wish == Wish::Absent { "no " } else { "" };
    format!("{gone}{} {}", target.kind, target.name)
}

const ALL: [&str; 10] = [
    "Deployment istio-ingressgateway",
    "Deployment kubesphere-router-kubesphere-system",
    "GatewayClass kubesphere-router-kubesphere-system",
    "IngressClass kubesphere-router-kubesphere-system",
    "Pod istio-ingressgateway-0",
    "Pod kubesphere-router-kubesphere-system-0",
    "Service istio-ingressgateway",
    "Service kubesphere-router-kubesphere-system",
    "ServiceAccount istio-ingressgateway",
    "ServiceAccount kubesphere-router-kubesphere-system",
];

const OWN: (&str, &str) = ("kubesphere-controls-system", "kubesphere-router-kubesphere-system");

fn own() -> Target {
    Target::new(Kind::Service, OWN.0, OWN.1)
}

#[test]
fn what_is_seen_is_made_once_and_mended_when_somebody_changes_it() {
    let mut kept = kept(Shape::Up);
    assert_eq!(kept.want(None), ALL);
    kept.settle();
    assert_eq!(kept.want(None), Vec::<String>::new(), "nothing is written where all is as it should be");

    let mut changed = kept.keeper.found[&own()].object.clone();
    changed["spec"]["ports"] = json!([]);
    assert!(kept.keeper.observe(&own(), Some(&changed), false));
    assert_eq!(kept.want(None), ["Service kubesphere-router-kubesphere-system"]);
    let name = Name::new(OWN.0, OWN.1);
    assert_eq!(kept.want(Some(&name)), Vec::<String>::new(), "what its owner cannot have is left as it is");
}

#[test]
fn what_is_missing_is_made_again_with_its_namespace() {
    let mut kept = kept(Shape::Up);
    kept.want(None);
    kept.settle();
    assert_eq!(shown(kept.keeper.missing(&BTreeSet::from(["kubesphere-controls-system", "istio-system"]))), Vec::<String>::new());
    let pod = Target::new(Kind::Pod, "istio-system", "istio-ingressgateway-0");
    assert!(kept.keeper.observe(&pod, None, false));
    assert_eq!(kept.want(None), ["Pod istio-ingressgateway-0"], "at once");
    assert_eq!(
        shown(kept.keeper.missing(&BTreeSet::from(["kubesphere-controls-system", "istio-system"]))),
        ["Namespace istio-system", "Pod istio-ingressgateway-0", "ServiceAccount istio-ingressgateway"],
        "whether there is an account is not watched"
    );
}

#[test]
fn somebody_else_s_service_is_in_the_way() {
    let mut kept = kept(Shape::Cluster);
    let theirs = Target::new(Kind::Service, "istio-system", "istio-ingressgateway");
    kept.keeper.observe(&theirs, Some(&json!({ "metadata": { "labels": { "app": "istio-ingressgateway" } } })), false);
    let written = kept.want(None);
    assert!(!written.contains(&"Service istio-ingressgateway".to_owned()), "{written:?}");
    assert!(kept.keeper.is_foreign(&Name::new("istio-system", "istio-ingressgateway")));
    assert!(
        !kept.keeper.observe(&Target::new(Kind::Service, "demo", "web"), Some(&json!({})), false),
        "others' Services are nothing to us"
    );
}

#[test]
fn in_a_cluster_slices_lead_to_the_node_and_nothing_else_is_seen() {
    let mut kept = kept(Shape::Cluster);
    assert_eq!(
        kept.want(None),
        [
            "EndpointSlice istio-ingressgateway-paifang",
            "EndpointSlice kubesphere-router-kubesphere-system-paifang",
            "GatewayClass kubesphere-router-kubesphere-system",
            "IngressClass kubesphere-router-kubesphere-system",
            "Service istio-ingressgateway",
            "Service kubesphere-router-kubesphere-system"
        ]
    );
    kept.settle();
    kept.asks.clear();
    kept.plans = Gateways::default();
    assert_eq!(kept.want(None).len(), 6);
    assert!(kept.want(None).is_empty(), "what goes, goes once");
    let known = |requests| Known { gateways: true, requests };
    assert_eq!(shown(kept.keeper.orphans(known(true))).len(), 6, "until it is seen to be gone");
    assert!(kept.keeper.orphans(known(false)).is_empty(), "nothing is an orphan whose owner may not have been seen yet");
}

#[test]
fn a_class_of_gateways_is_written_once_the_server_has_such_classes() {
    let mut kept = kept(Shape::Cluster);
    kept.keeper.may_name(false);
    let class = "GatewayClass kubesphere-router-kubesphere-system";
    assert!(!kept.want(None).iter().any(|it| it == class));
    let missing = |kept: &Kept| shown(kept.keeper.missing(&BTreeSet::new())).iter().any(|it| it == class);
    assert!(!missing(&kept));
    kept.keeper.may_name(true);
    assert!(missing(&kept));
}
