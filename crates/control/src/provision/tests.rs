//! Gateways in pods, as objects and as plans.

use super::*;
use crate::gateway::shared_gateway;
use crate::gateways::{Shape, Wishes, asks};
use crate::keep::{With, wanted};
use model::Text;
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
    Shown { machine, asks: asks(&shared_gateway(&translate::Naming::default()), &Listening::default(), Wishes::default()) }
}

impl Shown {
    fn plans(&self, services: &[Value]) -> Gateways {
        self.with(services, &Crew::default())
    }

    fn with(&self, services: &[Value], crew: &Crew) -> Gateways {
        let mut keeper = Keeper::default();
        for service in services {
            let name = service["metadata"]["name"].as_str().expect("a name");
            let namespace = service["metadata"]["namespace"].as_str().expect("a namespace");
            keeper.observe(&Target::new(Kind::Service, namespace, name), Some(service), true);
        }
        let given = self.asks.iter().map(|(id, it)| (id.clone(), keeper.given(&it.services))).collect();
        plan(&self.machine, &self.asks, &given, (&keeper, crew))
    }

    /// Says of the shared gateway how it is to be.
    fn asked(&mut self) -> &mut Asked {
        self.asks.values_mut().next().expect("it is there")
    }

    fn deployment(&self) -> Value {
        self.objects(&self.plans(&[])).remove(&Target { kind: Kind::Deployment, ..main_service() }).expect("it is there")
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
    assert_eq!(of(Kind::Pod), Vec::<&str>::new(), "a cluster makes those itself");
    assert_eq!(of(Kind::EndpointSlice), ["istio-ingressgateway-paifang"]);
    let deployment = &objects[&Target { kind: Kind::Deployment, ..main_service() }];
    let template = &deployment["spec"]["template"]["metadata"]["labels"];
    for (target, service) in objects.iter().filter(|it| it.0.kind == Kind::Service) {
        let Some(selector) = service["spec"]["selector"].as_object() else {
            assert_eq!(target.namespace, "istio-system", "a Service selects pods of its own namespace");
            continue;
        };
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
    let id = shared_gateway(&translate::Naming::default()).id;
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

#[test]
fn how_many_pods_there_are_and_what_they_have_is_as_asked() {
    let mut shown = shown();
    let little = json!({ "requests": { "cpu": "50m", "memory": "64Mi" } });
    assert_eq!(shown.deployment()["spec"]["template"]["spec"]["containers"][0]["resources"], little);
    shown.asked().size = Size {
        replicas: Some(3),
        requests: [("cpu".into(), "1".into())].into(),
        limits: [("memory".into(), "1Gi".into())].into(),
        ..Size::default()
    };
    shown.asked().labels = [("istio".into(), "edge".into()), (INSTANCE.into(), "another".into())].into();
    let deployment = shown.deployment();
    assert_eq!(deployment["spec"]["replicas"], 3);
    let template = &deployment["spec"]["template"];
    // A server takes a limit alone for a request; one of ours beside it might be higher.
    let asked = json!({ "requests": { "cpu": "1" }, "limits": { "memory": "1Gi" } });
    assert_eq!(template["spec"]["containers"][0]["resources"], asked);
    assert_eq!(template["metadata"]["labels"]["istio"], "edge");
    assert_eq!(template["metadata"]["labels"][INSTANCE], "kubesphere-router-kubesphere-system", "what tells its pods nobody changes");

    shown.asked().size.autoscaling = Some(Autoscaling { min: 2, max: 5, cpu: 70 });
    let objects = shown.objects(&shown.plans(&[]));
    let autoscaler = &objects[&Target { kind: Kind::HorizontalPodAutoscaler, ..main_service() }];
    assert_eq!((&autoscaler["spec"]["minReplicas"], &autoscaler["spec"]["maxReplicas"]), (&json!(2), &json!(5)));
    assert_eq!(autoscaler["spec"]["scaleTargetRef"]["name"], "kubesphere-router-kubesphere-system");
    assert_eq!(autoscaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 70);
    assert!(is_workload(autoscaler));
    assert!(shown.deployment()["spec"].get("replicas").is_none(), "two would pull at it");
}

#[test]
fn what_nobody_asks_for_any_more_is_taken_back() {
    let mut shown = shown();
    let mut keeper = Keeper::default();
    let want = |keeper: &mut Keeper, shown: &Shown| {
        let with = With { machine: &shown.machine, host: "here", notes: &Notes::new() };
        keeper.want(with, (&shown.asks, &shown.plans(&[])), None)
    };
    shown.asked().labels = [("team".into(), "a".into()), ("istio".into(), "edge".into())].into();
    shown.asked().size.limits = [("cpu".into(), "1".into())].into();
    shown.asked().size.autoscaling = Some(Autoscaling { min: 2, max: 5, cpu: 70 });
    want(&mut keeper, &shown);
    for (target, object) in shown.objects(&shown.plans(&[])) {
        keeper.observe(&target, Some(&object), false);
    }
    shown.asked().labels.remove(&Text::from("team"));
    shown.asked().size = Size::default();
    for _ in 0..2 {
        let writes = want(&mut keeper, &shown);
        let find = |kind: Kind| writes.iter().find(|it| it.0.kind == kind).map(|it| &it.1);
        let Some(Wish::Object(deployment)) = find(Kind::Deployment) else { panic!("it is written until it is so") };
        let template = &deployment["spec"]["template"];
        assert_eq!((&template["metadata"]["labels"]["team"], &template["metadata"]["labels"]["istio"]), (&Value::Null, &json!("edge")));
        assert_eq!(template["spec"]["containers"][0]["resources"]["limits"], Value::Null);
    }
    let mut keeper = Keeper::default();
    shown.asked().size.autoscaling = Some(Autoscaling { min: 2, max: 5, cpu: 70 });
    want(&mut keeper, &shown);
    shown.asked().size.autoscaling = None;
    let gone = want(&mut keeper, &shown).into_iter().find(|it| it.0.kind == Kind::HorizontalPodAutoscaler);
    assert_eq!(gone.map(|it| it.1), Some(Wish::Absent));
}

#[test]
fn node_ports_answer_on_every_node_and_pods_are_who_they_are() {
    let mut shown = shown();
    let mut crew = Crew::default();
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    for (name, address) in [("a", "198.51.100.1"), ("b", "198.51.100.2")] {
        let node = json!({ "status": { "addresses": [{ "type": "InternalIP", "address": address }], "conditions": ready } });
        crew.observe(&Target::new(Kind::Node, "", name), Some(&node));
    }
    let pod = json!({
        "metadata": { "labels": { INSTANCE: "kubesphere-router-kubesphere-system", crate::services::MANAGED_BY: MANAGER } },
        "spec": { "nodeName": "b" }, "status": { "phase": "Running", "podIP": "198.18.78.9", "conditions": ready },
    });
    crew.observe(&Target { kind: Kind::Pod, name: "x".into(), ..main_service() }, Some(&pod));
    shown.asked().access = Access::NodePort;
    let service = json!({
        "metadata": { "namespace": "kubesphere-controls-system", "name": "kubesphere-router-kubesphere-system" },
        "spec": { "type": "NodePort", "ports": [{ "name": "http", "port": 80, "nodePort": 31_234 }] },
    });
    let id = shared_gateway(&translate::Naming::default()).id;
    let plan = |shown: &Shown| shown.with(std::slice::from_ref(&service), &crew).get(&id).expect("it is there").clone();
    let all = plan(&shown);
    assert_eq!(all.shown(), ["198.51.100.1", "198.51.100.2"]);
    assert_eq!(all.crew.as_ref().map(Vec::len), Some(1));
    // A Service of another namespace selects none of its pods: it is led there.
    let objects = shown.objects(&shown.with(std::slice::from_ref(&service), &crew));
    let istio = objects.iter().find(|it| it.0.kind == Kind::EndpointSlice).expect("one that leads there").1;
    assert_eq!(istio["endpoints"][0]["addresses"], json!(["198.18.78.9"]));
    assert_eq!(istio["ports"][0], json!({ "name": "http2", "port": 10_080, "protocol": "TCP" }));
    // With this policy a node without a pod passes nothing on.
    shown.asked().entrance = Some(resources::Entrance { traffic_policy: Some("Local".into()), ..resources::Entrance::default() });
    assert_eq!(plan(&shown).shown(), ["198.51.100.2"]);
}

/// The console asks pods by it: who asks for a gateway cannot write another's name.
#[test]
fn who_asked_for_a_gateway_stands_on_its_service_whatever_they_ask_for() {
    let requested_by = |shown: &Shown, owner: Option<model::ObjectRef>| {
        let mut plans: Vec<Plan> = shown.plans(&[]).iter().cloned().collect();
        plans.iter_mut().for_each(|it| it.owner = owner.clone());
        let service = shown.objects(&plans.into_iter().collect()).remove(&main_service()).expect("it is there");
        service["metadata"]["annotations"]["paifang.dev/requested-by"].clone()
    };
    let mut shown = shown();
    assert_eq!(requested_by(&shown, None), "");
    shown.asked().annotations.insert("paifang.dev/requested-by".into(), "IngressGateway/other/gateway".into());
    assert_eq!(requested_by(&shown, None), "");
    let owner = |kind| Some(model::ObjectRef::new(kind, "shop", "gateway"));
    assert_eq!(requested_by(&shown, owner("IngressGateway")), "IngressGateway/shop/gateway");
    assert_eq!(requested_by(&shown, owner("Gateway.gateway.kubesphere.io")), "Gateway.gateway.kubesphere.io/shop/gateway");
    assert_eq!(requested_by(&shown, owner("Gateway")), "", "one of Gateway API serves nobody else's routes, and has no page");
}
