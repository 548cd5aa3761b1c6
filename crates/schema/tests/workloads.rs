//! Deployments and Pods: what they become when left unsaid, and what is wrong with them, in Kubernetes' words.

use schema::{builtin, default_builtin, review_builtin};
use serde_json::{Value, json};

fn deployment(change: impl FnOnce(&mut Value)) -> Value {
    let labels = json!({ "app": "web" });
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "shop" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "web", "image": "example/web" }] } },
        },
    });
    change(&mut object["spec"]);
    object
}

fn pod(spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" }, "spec": spec })
}

fn defaulted(mut object: Value) -> Value {
    let kind = builtin().by_kind(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).expect("a built-in kind");
    default_builtin(kind, &mut object);
    object
}

fn lines(object: &Value, old: Option<&Value>) -> Vec<String> {
    let kind = builtin().by_kind(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).expect("a built-in kind");
    review_builtin(kind, &defaulted(object.clone()), old).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(change: impl FnOnce(&mut Value), expect: &[&str]) {
    assert_eq!(lines(&deployment(change), None), expect);
}

/// `expect` comes after the place of the container.
#[track_caller]
fn check_container(fields: Value, expect: &[&str]) {
    let expect: Vec<String> = expect.iter().map(|line| format!("spec.template.spec.containers[0].{line}")).collect();
    let change = |spec: &mut Value| {
        let container = spec["template"]["spec"]["containers"][0].as_object_mut().expect("a container");
        container.extend(fields.as_object().expect("fields").clone());
    };
    assert_eq!(lines(&deployment(change), None), expect);
}

#[test]
fn what_is_left_unsaid() {
    let spec = defaulted(deployment(|_| {}))["spec"].take();
    let strategy = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "25%", "maxSurge": "25%" } });
    assert_eq!((&spec["replicas"], &spec["strategy"], &spec["progressDeadlineSeconds"]), (&json!(1), &strategy, &json!(600)));
    let pod = &spec["template"]["spec"];
    assert_eq!(
        (&pod["restartPolicy"], &pod["dnsPolicy"], &pod["terminationGracePeriodSeconds"]),
        (&json!("Always"), &json!("ClusterFirst"), &json!(30))
    );
    let recreate = defaulted(deployment(|spec| spec["strategy"] = json!({ "type": "Recreate" })));
    assert_eq!(recreate["spec"]["strategy"], json!({ "type": "Recreate" }));
    for (image, policy) in [("a", "Always"), ("a:latest", "Always"), ("a.example:5000/b:1", "IfNotPresent"), ("a@sha256:0", "IfNotPresent")]
    {
        let pod = defaulted(self::pod(json!({ "containers": [{ "name": "a", "image": image, "ports": [{ "containerPort": 80 }] }] })));
        let container = &pod["spec"]["containers"][0];
        assert_eq!((&container["imagePullPolicy"], &container["ports"][0]["protocol"]), (&json!(policy), &json!("TCP")), "{image}");
        assert_eq!(pod["spec"]["enableServiceLinks"], true);
    }
    let volumes = defaulted(self::pod(json!({ "volumes": [{ "name": "a" }, { "name": "b", "secret": {} }] })))["spec"]["volumes"].take();
    assert_eq!(volumes, json!([{ "name": "a", "emptyDir": {} }, { "name": "b", "secret": { "defaultMode": 420 } }]));
}

#[test]
fn the_selector_and_the_template() {
    check(|_| {}, &[]);
    check(
        |spec| spec["selector"] = Value::Null,
        &[
            "spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`",
        ],
    );
    check(|spec| spec["selector"] = json!({}), &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]);
    check(
        |spec| spec["template"]["metadata"]["labels"]["app"] = "shop".into(),
        &["spec.template.metadata.labels: Invalid value: {\"app\":\"shop\"}: `selector` does not match template `labels`"],
    );
    check(|spec| spec["selector"] = json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["web", "shop"] }] }), &[]);
    check(
        |spec| spec["selector"] = json!({ "matchExpressions": [{ "key": "app", "operator": "Is" }] }),
        &[
            "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator",
            "spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Is\"}]}: invalid label selector",
        ],
    );
    check(
        |spec| spec["template"]["spec"]["restartPolicy"] = "Never".into(),
        &["spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""],
    );
    let old = defaulted(deployment(|_| {}));
    let moved = deployment(|spec| {
        spec["selector"]["matchLabels"]["app"] = "shop".into();
        spec["template"]["metadata"]["labels"]["app"] = "shop".into();
    });
    assert_eq!(lines(&moved, Some(&old)), ["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"shop\"}}: field is immutable"]);
}

#[test]
fn counts_and_strategies() {
    check(|spec| spec["replicas"] = json!(-1), &["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]);
    check(
        |spec| spec["minReadySeconds"] = json!(600),
        &["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
    );
    let rolling = |unavailable: Value, surge: Value| json!({ "rollingUpdate": { "maxUnavailable": unavailable, "maxSurge": surge } });
    let at = "spec.strategy.rollingUpdate";
    check(
        |spec| spec["strategy"] = rolling(json!(0), json!("0%")),
        &[&format!("{at}.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0")],
    );
    check(
        |spec| spec["strategy"] = rolling(json!("101%"), json!(1)),
        &[&format!("{at}.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%")],
    );
    check(
        |spec| spec["strategy"] = json!({ "type": "Recreate", "rollingUpdate": {} }),
        &[&format!("{at}: Forbidden: may not be specified when strategy `type` is 'Recreate'")],
    );
}

#[test]
fn containers() {
    check(|spec| spec["template"]["spec"]["containers"] = json!([]), &["spec.template.spec.containers: Required value"]);
    check_container(json!({ "name": "" }), &["name: Required value"]);
    check_container(json!({ "image": "" }), &["image: Required value"]);
    check_container(
        json!({ "imagePullPolicy": "Often" }),
        &["imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\""],
    );
    check_container(
        json!({ "ports": [{ "containerPort": 0 }, { "containerPort": 80, "name": "a" }, { "containerPort": 81, "name": "a" }] }),
        &["ports[0].containerPort: Required value", "ports[2].name: Duplicate value: \"a\""],
    );
    check_container(
        json!({ "env": [{ "name": "" }, { "name": "A", "value": "a", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }] }),
        &["env[0].name: Required value", "env[1].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"],
    );
    check_container(json!({ "volumeMounts": [{ "name": "a", "mountPath": "/a" }] }), &["volumeMounts[0].name: Not found: \"a\""]);
    check_container(json!({ "livenessProbe": {} }), &["livenessProbe: Required value: must specify a handler type"]);
    check(
        |spec| spec["template"]["spec"]["volumes"] = json!([{ "name": "a", "emptyDir": {}, "configMap": { "name": "a" } }]),
        &["spec.template.spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type"],
    );
}

#[test]
fn of_a_pod_only_images_and_deadlines_change() {
    let old = defaulted(pod(json!({ "containers": [{ "name": "a", "image": "a:1" }] })));
    let with = |spec: Value| lines(&pod(spec), Some(&old));
    assert_eq!(with(json!({ "containers": [{ "name": "a", "image": "a:2" }], "activeDeadlineSeconds": 9 })), [""; 0]);
    let more = with(json!({ "containers": [{ "name": "a", "image": "a:1" }, { "name": "b", "image": "b" }] }));
    assert_eq!(more, ["spec.containers: Forbidden: pod updates may not add or remove containers"]);
    let other = with(json!({ "containers": [{ "name": "a", "image": "a:1" }], "restartPolicy": "Never" }));
    assert!(other[0].starts_with("spec: Forbidden: pod updates may not change fields other than"), "{other:?}");
}
