use super::*;
use serde_json::json;
use std::net::IpAddr;

/// An API that takes every wish, and a machine on which everything starts.
struct World {
    desk: Desk,
    objects: BTreeMap<Target, Value>,
    next_port: u16,
}

impl World {
    fn new(stands_in: bool) -> Self {
        let node = Node { name: "here".into(), address: IpAddr::from([127, 0, 0, 1]) };
        Self { desk: Desk::new(node, stands_in), objects: BTreeMap::new(), next_port: 40_000 }
    }

    fn put(&mut self, kind: Kind, name: &str, object: Option<Value>) {
        let target = Target::new(kind, "default", name);
        match &object {
            Some(object) => drop(self.objects.insert(target.clone(), object.clone())),
            None => drop(self.objects.remove(&target)),
        }
        let mut changes = Changes::default();
        changes.put(target, object);
        self.desk.observe(changes);
    }

    /// Starts what is to be started, and makes wishes come true until there are none.
    fn settle(&mut self) -> Vec<String> {
        let mut written = Vec::new();
        for _ in 0..20 {
            for (pod, _, before) in self.desk.to_start() {
                self.next_port += 1;
                self.desk.started(pod, before.unwrap_or(([127, 0, 0, 1], self.next_port).into()));
            }
            let wishes = self.desk.wishes();
            self.desk.retire();
            if wishes.is_empty() {
                return written;
            }
            for (target, wish) in wishes {
                written.push(target.to_string());
                self.fulfil(&target, &wish);
            }
        }
        panic!("it never rests: {written:?}");
    }

    fn fulfil(&mut self, target: &Target, wish: &Wish) {
        let before = self.objects.get(target).cloned();
        let after = match (wish, before) {
            (Wish::Absent, _) => None,
            (Wish::Object(object), None) => Some(object.clone()),
            // As the writer does it.
            (wish, Some(mut object)) => {
                json_patch_of(wish, &mut object);
                Some(object)
            }
            (_, None) => return,
        };
        self.put(target.kind, &target.name.clone(), after);
    }

    fn of(&self, kind: Kind) -> Vec<&Value> {
        self.objects.iter().filter(|(it, _)| it.kind == kind).map(|(_, it)| it).collect()
    }

    fn available(&self, name: &str) -> (String, String) {
        let deployment = &self.objects[&Target::new(Kind::Deployment, "default", name)];
        let conditions = deployment["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let condition = conditions.iter().find(|it| it["type"] == "Available").cloned().unwrap_or_default();
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }

    /// Where a port of a Service leads.
    fn endpoints(&self, service: &str, port: &str) -> Vec<u64> {
        let slices =
            self.of(Kind::EndpointSlice).into_iter().filter(|it| it["metadata"]["labels"]["kubernetes.io/service-name"] == service);
        let port = |it: &Value| it["ports"].as_array()?.iter().find(|it| it["name"] == port)?["port"].as_u64();
        slices.filter_map(port).collect()
    }
}

fn json_patch_of(wish: &Wish, object: &mut Value) {
    let patch = match wish {
        Wish::Object(wanted) => wanted.clone(),
        Wish::Status(_) => wish.change(object, "2026-01-01T00:00:00Z").expect("a difference"),
        other => panic!("{other:?}"),
    };
    merge(object, &patch);
}

/// A JSON merge patch.
fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else { return *object = patch.clone() };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in patch {
        match (value, object.as_object_mut()) {
            (Value::Null, Some(object)) => drop(object.remove(name)),
            _ => merge(&mut object[name], value),
        }
    }
}

fn deployment(name: &str, image: &str, replicas: u64, ports: Value) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "default", "uid": format!("uid of {name}"), "generation": 1 },
        "spec": { "replicas": replicas, "template": {
            "metadata": { "labels": { "app": name, "version": "v1" } },
            "spec": { "containers": [{ "name": "it", "image": image, "ports": ports }] },
        } },
    })
}

fn service(selector: Value, ports: Value) -> Value {
    json!({ "metadata": { "uid": "u", "namespace": "default" }, "spec": { "selector": selector, "ports": ports } })
}

fn httpbin(world: &mut World) {
    world.put(
        Kind::Deployment,
        "httpbin",
        Some(deployment("httpbin", "docker.io/mccutchen/go-httpbin:v2.15.0", 1, json!([{ "containerPort": 8080 }]))),
    );
    let ports = json!([{ "name": "http", "port": 8000, "targetPort": 8080 }]);
    world.put(Kind::Service, "httpbin", Some(service(json!({ "app": "httpbin" }), ports)));
}

#[test]
fn a_known_image_gets_a_pod_and_an_endpoint_and_they_go_with_it() {
    let mut world = World::new(true);
    httpbin(&mut world);
    world.settle();
    assert_eq!(world.available("httpbin"), ("True".into(), "MinimumReplicasAvailable".into()));
    let pods = world.of(Kind::Pod);
    assert_eq!(pods.len(), 1);
    let labels = &pods[0]["metadata"]["labels"];
    assert_eq!((&labels["app"], &labels["version"]), (&json!("httpbin"), &json!("v1")));
    assert_eq!(pods[0]["metadata"]["ownerReferences"][0]["uid"], "uid of httpbin");
    assert_eq!((&pods[0]["status"]["phase"], &pods[0]["status"]["podIP"]), (&json!("Running"), &json!("127.0.0.1")));
    assert_eq!(world.endpoints("httpbin", "http"), [40_001]);
    assert_eq!(world.of(Kind::EndpointSlice)[0]["endpoints"][0]["targetRef"]["name"], pods[0]["metadata"]["name"]);
    assert_eq!(world.settle(), Vec::<String>::new());

    world.put(Kind::Deployment, "httpbin", None);
    world.settle();
    assert_eq!((world.of(Kind::Pod).len(), world.of(Kind::EndpointSlice).len(), world.desk.running.len()), (0, 0, 0));
    httpbin(&mut world);
    world.settle();
    assert_eq!(world.endpoints("httpbin", "http"), [40_002], "and it comes again");
}

#[test]
fn nothing_runs_what_we_do_not_carry() {
    for (stands_in, image) in [(true, "nginx"), (false, "kong/httpbin")] {
        let mut world = World::new(stands_in);
        world.put(Kind::Deployment, "web", Some(deployment("web", image, 2, json!([]))));
        world.put(Kind::Service, "web", Some(service(json!({ "app": "web" }), json!([{ "port": 80 }]))));
        world.settle();
        assert_eq!(world.available("web"), ("False".into(), "NoContainers".into()));
        let status = &world.of(Kind::Deployment)[0]["status"];
        let message = status["conditions"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("paifang.dev/endpoints"), "{status}");
        assert_eq!(message.contains("--demo"), !stands_in, "{status}");
        assert_eq!((&status["unavailableReplicas"], &status["observedGeneration"]), (&json!(2), &json!(1)));
        assert_eq!((world.of(Kind::Pod).len(), world.of(Kind::EndpointSlice).len()), (0, 0));
    }
    let mut two = deployment("web", "kong/httpbin", 1, json!([]));
    two["spec"]["template"]["spec"]["containers"] = json!([{ "image": "kong/httpbin" }, { "image": "nginx" }]);
    let mut world = World::new(true);
    world.put(Kind::Deployment, "web", Some(two));
    world.settle();
    assert_eq!(world.available("web").1, "NoContainers", "half of it would be a lie");
}

#[test]
fn a_restart_changes_nothing() {
    let mut world = World::new(true);
    httpbin(&mut world);
    world.settle();
    let mut later = World::new(true);
    later.next_port = 50_000;
    for (target, object) in world.objects {
        later.put(target.kind, &target.name, Some(object));
    }
    assert_eq!(later.settle(), Vec::<String>::new());
    assert_eq!(later.endpoints("httpbin", "http"), [40_001]);
}

#[test]
fn what_is_left_from_an_earlier_start_goes() {
    let mut world = World::new(true);
    httpbin(&mut world);
    world.settle();
    let mut later = World::new(false);
    for (target, object) in world.objects {
        later.put(target.kind, &target.name, Some(object));
    }
    later.settle();
    assert_eq!((later.of(Kind::Pod).len(), later.of(Kind::EndpointSlice).len()), (0, 0));
    let status = &later.of(Kind::Deployment)[0]["status"];
    assert_eq!((&status["readyReplicas"], later.available("httpbin").1.as_str()), (&Value::Null, "NoContainers"));
}

#[test]
fn a_service_has_all_pods_it_selects_and_only_ports_they_listen_on() {
    let mut world = World::new(true);
    let ports = json!([{ "containerPort": 9000, "name": "echo" }, { "containerPort": 9001 }, { "containerPort": 53, "protocol": "UDP" }]);
    for name in ["one", "two"] {
        let mut deployment = deployment(name, "istio/tcp-echo-server:1.3", 1, ports.clone());
        deployment["spec"]["template"]["metadata"]["labels"] = json!({ "app": "tcp-echo", "version": name });
        deployment["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["9000,9001,9002", name]);
        world.put(Kind::Deployment, name, Some(deployment));
    }
    let asked = json!([
        { "name": "by-name", "port": 1, "targetPort": "echo" },
        { "name": "by-number", "port": 2, "targetPort": 9001 },
        { "name": "its-own", "port": 9002 },
        { "name": "nowhere", "port": 3, "targetPort": 9003 },
        { "name": "no-such-name", "port": 4, "targetPort": "other" },
        { "name": "not-tcp", "port": 53, "protocol": "UDP" },
    ]);
    world.put(Kind::Service, "both", Some(service(json!({ "app": "tcp-echo" }), asked.clone())));
    world.put(Kind::Service, "second", Some(service(json!({ "app": "tcp-echo", "version": "two" }), asked)));
    world.put(Kind::Service, "nobody", Some(service(json!({ "app": "tcp-echo", "version": "three" }), json!([{ "port": 9000 }]))));
    world.settle();
    for port in ["by-name", "by-number", "its-own"] {
        let mut both = world.endpoints("both", port);
        both.sort_unstable();
        assert_eq!(both, [40_001, 40_002], "{port}");
        assert_eq!(world.endpoints("second", port), [40_002], "{port}");
    }
    for port in ["nowhere", "no-such-name", "not-tcp"] {
        assert_eq!(world.endpoints("both", port), [0; 0], "{port}");
    }
    assert_eq!(world.endpoints("nobody", ""), [0; 0]);
}

#[test]
fn a_service_that_says_where_it_leads_is_left_to_that() {
    let mut world = World::new(true);
    httpbin(&mut world);
    let mut own = service(json!({ "app": "httpbin" }), json!([{ "name": "http", "port": 8000, "targetPort": 8080 }]));
    own["metadata"]["annotations"] = json!({ translate::ENDPOINTS_ANNOTATION: "127.0.0.1:9" });
    world.put(Kind::Service, "httpbin", Some(own));
    world.settle();
    assert_eq!((world.endpoints("httpbin", "http").len(), world.of(Kind::Pod).len()), (0, 1));
}

#[test]
fn a_new_template_replaces_its_pods_without_a_gap() {
    let mut world = World::new(true);
    httpbin(&mut world);
    world.settle();
    let old = world.of(Kind::Pod)[0]["metadata"]["name"].clone();
    let mut changed = world.objects[&Target::new(Kind::Deployment, "default", "httpbin")].clone();
    changed["spec"]["template"]["metadata"]["labels"]["version"] = "v2".into();
    changed["metadata"]["generation"] = 2.into();
    world.put(Kind::Deployment, "httpbin", Some(changed));
    for (pod, ..) in world.desk.to_start() {
        world.desk.started(pod, ([127, 0, 0, 1], 50_000).into());
    }
    assert_eq!(world.desk.retire(), [], "the old one is still led to");
    let wishes = world.desk.wishes();
    assert!(!wishes.iter().any(|(_, it)| *it == Wish::Absent), "{wishes:?}");
    for (target, wish) in wishes {
        world.fulfil(&target, &wish);
    }
    world.settle();
    assert_eq!((world.endpoints("httpbin", "http"), world.of(Kind::Pod).len()), (vec![50_000], 1));
    assert_ne!(world.of(Kind::Pod)[0]["metadata"]["name"], old);
    assert_eq!(world.of(Kind::Deployment)[0]["status"]["observedGeneration"], 2);
}

#[test]
fn replicas_are_pods_and_a_deleted_one_comes_back() {
    let mut world = World::new(true);
    httpbin(&mut world);
    let mut scaled = world.objects[&Target::new(Kind::Deployment, "default", "httpbin")].clone();
    scaled["spec"]["replicas"] = 3.into();
    world.put(Kind::Deployment, "httpbin", Some(scaled.clone()));
    world.settle();
    assert_eq!((world.of(Kind::Pod).len(), world.endpoints("httpbin", "http").len()), (3, 3));
    assert_eq!(world.of(Kind::Deployment)[0]["status"]["readyReplicas"], 3);
    let name = world.of(Kind::Pod)[0]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    world.put(Kind::Pod, &name, None);
    world.settle();
    assert_eq!(world.of(Kind::Pod).len(), 3, "healed");
    scaled["spec"]["replicas"] = 0.into();
    world.put(Kind::Deployment, "httpbin", Some(scaled));
    world.settle();
    assert_eq!((world.of(Kind::Pod).len(), world.endpoints("httpbin", "http").len(), world.desk.running.len()), (0, 0, 0));
    assert_eq!(world.available("httpbin").0, "True");
}

#[test]
fn what_cannot_be_started_is_said_and_tried_again() {
    let mut world = World::new(true);
    httpbin(&mut world);
    for (pod, ..) in world.desk.to_start() {
        world.desk.failed(pod, "no socket is left".into());
    }
    let wishes = world.desk.wishes();
    assert_eq!(wishes.len(), 1);
    for (target, wish) in wishes {
        world.fulfil(&target, &wish);
    }
    assert_eq!(world.available("httpbin").1, "NotStarted");
    world.settle();
    assert_eq!(world.available("httpbin").0, "True");
}

#[test]
fn gateways_that_are_seen_as_deployments_are_nobody_s_to_speak_for() {
    let mut world = World::new(true);
    let mut seen = deployment("istio-ingressgateway", "paifang:1", 1, json!([]));
    seen["metadata"]["labels"] = json!({ crate::views::READ_ONLY: "true" });
    world.put(Kind::Deployment, "istio-ingressgateway", Some(seen));
    assert_eq!(world.settle(), Vec::<String>::new());
}
