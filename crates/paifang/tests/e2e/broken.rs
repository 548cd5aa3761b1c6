//! A broken object gets an event that names field, reason and hint; every other route goes on.

use crate::harness::{Up, chance, paifang, text, word};
use crate::objects::{annotated, by_name, ingress, namespace, path, service, simple, with_tls};
use serde_json::{Value, json};
use testkit::eventually;
use testkit::origin::Origin;

/// Object, field, reason, a word of message or hint.
fn broken(project: &str, host: &str) -> Vec<(Value, &'static str, &'static str, &'static str)> {
    let regex = path("/a(", "ImplementationSpecific", by_name("web"));
    vec![
        (
            annotated(ingress(project, "regex", &format!("regex.{host}"), &[regex]), &[("use-regex", "true")]),
            "spec.rules[0].http.paths[0].path",
            "InvalidRegex",
            "expression",
        ),
        (
            with_tls(simple(project, "secret", &format!("secret.{host}"), "web"), &[&format!("secret.{host}")], "gone"),
            "spec.tls[0].secretName",
            "SecretNotFound",
            "create secret",
        ),
        (
            simple(project, "backend", &format!("backend.{host}"), "wbe"),
            "spec.rules[0].http.paths[0].backend.service.name",
            "ServiceNotFound",
            "web",
        ),
        (
            annotated(simple(project, "typo", &format!("typo.{host}"), "web"), &[("rewrite-tagret", "/")]),
            "metadata.annotations[nginx.ingress.kubernetes.io/rewrite-tagret]",
            "UnknownAnnotation",
            "rewrite-target",
        ),
    ]
}

#[test]
fn broken_objects_are_told_and_others_go_on() {
    let rng = &mut chance("broken_objects_are_told_and_others_go_on");
    let (up, one) = (Up::start(&[]), Origin::recording());
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()]), simple(&project, "good", &host, "web")]);
    up.until(&host, "/", "served", |it| it.status == 200);
    let broken = broken(&project, &host);
    up.apply(&broken.iter().map(|it| it.0.clone()).collect::<Vec<_>>());
    for (object, field, reason, word) in &broken {
        let name = object["metadata"]["name"].as_str().expect("a name");
        up.event(&project, name, &[field, reason, word]);
    }
    assert_eq!(up.ask(&host, "/").status, 200, "others go on");
    assert_eq!(up.ask(&format!("typo.{host}"), "/").status, 200, "a typo costs what it was meant to do");
    let closed = up.until(&format!("regex.{host}"), "/a", "closed", |it| it.status == 503);
    assert!(closed.get("x-paifang-reason").is_some());
    let lost = up.until(&format!("backend.{host}"), "/", "without a backend", |it| it.status == 503);
    assert_eq!(lost.get("x-paifang-reason"), Some("no-backend"));
    check_names_the_same(&up, &project, &broken);
    mended(&up, &project, &host);
}

/// `paifang check` finds in files what the events say; what the files lack is a note.
fn check_names_the_same(up: &Up, project: &str, broken: &[(Value, &str, &str, &str)]) {
    for (object, field, reason, _) in broken {
        let web = service(project, "web", &["127.0.0.1:1".parse().expect("an address")]);
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [web, object] });
        let output = paifang(&["check", "-o", "json", "-"], &list.to_string());
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        let finding = found.iter().find(|it| it["reason"] == *reason && it["field"] == *field);
        let finding = finding.unwrap_or_else(|| panic!("{reason} is missing: {found:?}"));
        let name = object["metadata"]["name"].as_str().expect("a name");
        assert!(up.events(project, name).iter().any(|it| it.contains(finding["message"].as_str().expect("a message"))), "{finding}");
        let reference = finding["severity"] == "note";
        assert_eq!(output.status.code(), Some(i32::from(!reference)), "{found:?}");
        assert_eq!(reference, matches!(*reason, "SecretNotFound" | "ServiceNotFound"));
    }
}

fn mended(up: &Up, project: &str, host: &str) {
    up.apply(&[simple(project, "backend", &format!("backend.{host}"), "web")]);
    up.until(&format!("backend.{host}"), "/", "mended", |it| it.status == 200);
    eventually("the terminal says so", || up.said().contains(&format!("gone     Ingress {project}/backend ServiceNotFound")).then_some(()));
    assert!(up.said().contains(&format!("problem  Ingress {project}/backend ServiceNotFound")));
}

#[test]
fn what_apply_refuses_check_refuses() {
    let rng = &mut chance("what_apply_refuses_check_refuses");
    let up = Up::start(&[]);
    let host = format!("{}.example", word(rng));
    let mut no_path_type = simple("default", "a", &host, "web");
    no_path_type["spec"]["rules"][0]["http"]["paths"][0].as_object_mut().expect("a path").remove("pathType");
    let mut bad_host = simple("default", "b", &host, "web");
    bad_host["spec"]["rules"][0]["host"] = "Not_A_Host".into();
    let bad_path = ingress("default", "c", &host, &[path("no-slash", "Prefix", by_name("web"))]);
    let mut bad_port = service("default", "d", &[]);
    bad_port["spec"]["ports"][0]["port"] = 70_000.into();
    for object in [no_path_type, bad_host, bad_path, bad_port] {
        let refusal = up.kubectl(&["apply", "-f", "-"], &object.to_string()).expect_err("it is refused");
        let output = paifang(&["check", "-o", "json", "-"], &object.to_string());
        assert_eq!(output.status.code(), Some(1), "{refusal}");
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        for finding in found.iter().filter(|it| it["severity"] == "error") {
            let (field, message) = (finding["field"].as_str().expect("a field"), finding["message"].as_str().expect("a message"));
            assert!(refusal.contains(&format!("{field}: {message}")), "check: {finding}\napply: {refusal}");
        }
    }
    let unreadable = paifang(&["check", "-"], "a: [b\n");
    assert_eq!(unreadable.status.code(), Some(1));
    assert!(text(&unreadable.stdout).contains("<stdin>:"), "{}", text(&unreadable.stdout));
    assert_eq!(paifang(&["check", "/no/such/file.yaml"], "").status.code(), Some(1));
    assert_eq!(paifang(&["check"], "").status.code(), Some(2));
}
