//! Gateways in pods, as objects and as plans.

use super::*;
use crate::gateway::shared_gateway;
use crate::gateways::{Shape, Wishes, asks};
use crate::keep::{With, wanted};
use status::Wish;
use translate::Listening;

struct Shown {
    machine: Machine,
    asks: Asks,
}

fn shown() -> Shown {
    let pods = Pods {
        image: "registry.test/paifang-gateway:1".into(),
        control: "paifang-control.paifang-system.svc:7443".into(),
        authority: "PEM".into(),
        audience: "paifang-gateway".into(),
    };
    let machine = Machine {
        shape: Shape::Pods(Box::leak(Box::new(pods))),
        node_address: [192, 0, 2, 1].into(),
        pool: "none".parse().expect("a pool"),
        port_offset: 0,
        node_ports: 30_000..=32_767,
    };
    Shown { machine, asks: asks(&shared_gateway(), &Listening::default(), Wishes::default()) }
}

impl Shown {
    fn plans(&self, services: &[Value]) -> Gateways {
        let mut keeper = Keeper::default();
        for service in services {
            let name = service["metadata"]["name"].as_str().expect("a name");
            let namespace = service["metadata"]["namespace"].as_str().expect("a namespace");
            keeper.observe(&Target::new(Kind::Service, namespace, name), Some(service), true);
        }
        let given = self.asks.iter().map(|(id, it)| (id.clone(), keeper.given(&it.services))).collect();
        plan(&self.machine, &self.asks, &given, &keeper)
    }

    fn objects(&self, plans: &Gateways) -> BTreeMap<Target, Value> {
        let with = With { machine: &self.machine, host: "here", notes: &Notes::new() };
        let object = |wishes: Vec<Wish>| {
            wishes.into_iter().find_map(|it| match it {
                Wish::Object(object) => Some(object),
                _ => None,
            })
        };
        wanted(with, &self.asks, plans).into_iter().filter_map(|(target, wishes)| Some((target, object(wishes)?))).collect()
    }
}

fn main_service() -> Target {
    Target::new(Kind::Service, "kubesphere-controls-system", "kubesphere-router-kubesphere-system")
}

#[test]
fn a_gateway_is_a_deployment_an_account_and_services_that_lead_to_its_pods() {
    let shown = shown();
    let objects = shown.objects(&shown.plans(&[]));
    let of = |kind: Kind| objects.keys().filter(|it| it.kind == kind).map(|it| it.name.as_str()).collect::<Vec<_>>();
    assert_eq!(of(Kind::Deployment), ["kubesphere-router-kubesphere-system"]);
    assert_eq!(of(Kind::ServiceAccount), ["kubesphere-router-kubesphere-system"]);
    assert_eq!(of(Kind::Service), ["istio-ingressgateway", "kubesphere-router-kubesphere-system"]);
    assert_eq!((of(Kind::Pod), of(Kind::EndpointSlice)), (Vec::new(), Vec::new()), "a cluster makes those itself");
    let deployment = &objects[&Target { kind: Kind::Deployment, ..main_service() }];
    let template = &deployment["spec"]["template"]["metadata"]["labels"];
    for (target, service) in objects.iter().filter(|it| it.0.kind == Kind::Service) {
        let selector = service["spec"]["selector"].as_object().expect("a selector");
        assert!(!selector.is_empty() && selector.iter().all(|(key, value)| template[key] == *value), "{target}: {selector:?}");
        for port in service["spec"]["ports"].as_array().expect("ports") {
            let (port, to) = (port["port"].as_u64().expect("a port"), port["targetPort"].as_u64().expect("a port"));
            assert_eq!(to, if port < 1024 { port + 10_000 } else { port }, "{target}");
        }
        assert!(
            service["spec"]["ports"].as_array().into_iter().flatten().all(|it| it.get("nodePort").is_none()),
            "a cluster gives those out"
        );
    }
    // What selects pods of a gateway selects those of no other.
    assert_eq!(deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"], "kubesphere-router-kubesphere-system");
    assert!(deployment["spec"].get("replicas").is_none(), "how many there are is left to whoever scales it");
}

/// What Pod Security calls restricted, and an account that is good for nothing.
#[test]
fn a_pod_has_no_rights_and_no_privilege() {
    let shown = shown();
    let objects = shown.objects(&shown.plans(&[]));
    let account = &objects[&Target { kind: Kind::ServiceAccount, ..main_service() }];
    assert_eq!(account["automountServiceAccountToken"], false);
    let pod = &objects[&Target { kind: Kind::Deployment, ..main_service() }]["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let container = &pod["containers"][0];
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] }));
    let token = &pod["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!((&token["audience"], pod["volumes"].as_array().map(Vec::len)), (&json!("paifang-gateway"), Some(1)));
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
}

#[test]
fn where_it_is_reached_is_what_the_cluster_gave() {
    let mut shown = shown();
    let ports = |plan: &Plan| plan.ports.iter().filter(|it| it.listens).map(|it| (it.port, it.node_port)).collect::<Vec<_>>();
    let id = shared_gateway().id;
    let new = shown.plans(&[]);
    assert_eq!(ports(new.get(&id).expect("it is there")), [(80, None), (443, None)], "nothing is promised before");
    let service = |kind: &str, status: Value| {
        json!({
            "metadata": { "namespace": "kubesphere-controls-system", "name": "kubesphere-router-kubesphere-system" },
            "spec": {
                "type": kind, "clusterIP": "198.19.0.9",
                "ports": [{ "name": "http", "port": 80, "nodePort": 31_234 }, { "name": "https", "port": 443, "nodePort": 31_235 }],
            },
            "status": status,
        })
    };
    let given = shown.plans(&[service("NodePort", json!({}))]);
    let plan = given.get(&id).expect("it is there");
    assert_eq!(ports(plan), [(80, Some(31_234)), (443, Some(31_235))]);
    // A balancer of the cluster's own.
    let status = json!({ "loadBalancer": { "ingress": [{ "hostname": "lb.test" }] } });
    let given = shown.plans(&[service("LoadBalancer", status)]);
    let plan = given.get(&id).expect("it is there");
    assert_eq!((plan.shown(), plan.waiting()), (vec!["lb.test".to_owned()], None));
    assert_eq!(plan.address, Some([198, 19, 0, 9].into()));
    // From inside the cluster alone.
    shown.asks.get_mut(&id).expect("it is there").access = Access::ClusterIp;
    let given = shown.plans(&[service("ClusterIP", json!({}))]);
    let plan = given.get(&id).expect("it is there");
    assert_eq!((plan.address, ports(plan)), (Some([198, 19, 0, 9].into()), vec![(80, None), (443, None)]));
}

#[test]
fn only_what_we_made_counts_as_ours() {
    let shown = shown();
    let objects = shown.objects(&shown.plans(&[]));
    let deployment = &objects[&Target { kind: Kind::Deployment, ..main_service() }];
    assert!(is_workload(deployment));
    for spoil in ["/metadata/annotations", "/metadata/labels"] {
        let mut other = deployment.clone();
        *other.pointer_mut(spoil).expect("it is there") = json!({});
        assert!(!is_workload(&other), "{spoil}");
    }
}
