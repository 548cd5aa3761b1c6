//! The console as a Deployment of its manifest: with an account that may do nothing, it shows each person what is theirs.

use std::env;
use std::path::Path;

use serde_json::json;
use testkit::browser::Browser;
use testkit::eventually;

use crate::support::{Definitions, alone, apply, get, kubectl};

pub const OWN: &str = "paifang-system";

/// Applied, with an image that the node has, and taken down when dropped.
pub struct Installed;

impl Installed {
    pub fn new() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("deploy/kubernetes/console.yaml");
        let manifest = std::fs::read_to_string(manifest).expect("the manifest");
        let image = env::var("CONTROL_IMAGE").expect("CONTROL_IMAGE: run `cargo xtask test --cluster`");
        assert!(manifest.contains("image: paifang:0.1.0"), "the manifest has it");
        kubectl(&["apply", "-f", "-"], &manifest.replace("image: paifang:0.1.0", &format!("image: {image}")))
            .expect("the manifest is accepted");
        kubectl(&["-n", OWN, "rollout", "status", "deployment/paifang-console", "--timeout=120s"], "").expect("the console runs");
        Self
    }

    pub fn url() -> String {
        let pod = eventually("its pod", || {
            let pods = get(&["-n", OWN, "pods", "-l", "app.kubernetes.io/name=paifang-console"])?;
            let all = pods["items"].as_array()?;
            all.iter().find(|it| it["metadata"]["deletionTimestamp"].is_null() && it["status"]["podIP"].is_string()).cloned()
        });
        format!("https://{}:9443", pod["status"]["podIP"].as_str().expect("an address"))
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = kubectl(&["-n", OWN, "logs", "deployment/paifang-console", "--tail=60"], "");
            eprintln!("--- the console ---\n{}", log.unwrap_or_else(|error| error));
        }
        let _ = kubectl(
            &["-n", OWN, "delete", "deployment,service,serviceaccount", "paifang-console", "--cascade=foreground", "--wait=true"],
            "",
        );
    }
}

/// What the console's account must not be able to.
const REFUSED: [&[&str]; 5] = [
    &["get", "secrets", "-A"],
    &["list", "pods", "-A"],
    &["impersonate", "users"],
    &["create", "tokenreviews.authentication.k8s.io"],
    &["list", "ingressgateways.paifang.dev", "-A"],
];

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn the_console_runs_in_the_cluster_and_has_no_right_of_its_own() {
    let _alone = alone();
    let project = format!("console-{}", std::process::id());
    apply(vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": project } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "ann", "namespace": project } }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "hers", "namespace": project } }),
    ]);
    let account = format!("--serviceaccount={project}:ann");
    let looks = ["create", "role", "looks", "-n", &project, "--verb=get,list,watch", "--resource=configmaps,ingresses.networking.k8s.io"];
    kubectl(&looks, "").expect("a role");
    kubectl(&["create", "rolebinding", "ann", "-n", &project, "--role=looks", &account], "").expect("a binding");
    let token = kubectl(&["create", "token", "ann", "-n", &project], "").expect("a token");
    let _installed = Installed::new();
    let cookies = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::new(Installed::url(), cookies.path());

    assert_eq!(browser.ask("/console/login", Some(&json!({ "token": "nobody's" }))).0, 401);
    let session = browser.sign_in(token.trim());
    assert_eq!(session["mode"], "cluster", "{session}");
    let maps = format!("/api/v1/namespaces/{project}/configmaps");
    assert_eq!(browser.ask(&maps, None).0, 200);
    let (code, refused) = browser.ask(&format!("/api/v1/namespaces/{project}/secrets"), None);
    assert!(
        code == 403 && refused["message"].as_str().is_some_and(|it| it.contains(&format!("system:serviceaccount:{project}:ann"))),
        "{refused}"
    );

    // None of our kinds is there, then they are, and no gateway yet.
    let at = format!("/console/gateways?namespace={project}");
    let (code, none) = browser.ask(&at, None);
    assert_eq!((code, &none["reason"]), (501, &json!("NoGateways")), "{none}");
    let folder = tempfile::tempdir().expect("a folder");
    {
        let _definitions = Definitions::own(folder.path());
        eventually("no gateway", || (browser.ask(&at, None) == (200, json!([]))).then_some(()));
    }

    // The cluster itself goes on telling who may no longer look; the console does not.
    let mut watching = browser.follow(&format!("{maps}?watch=1"));
    watching.line_with("ADDED");
    kubectl(&["delete", "rolebinding", "ann", "-n", &project], "").expect("the right is taken away");
    watching.ends();
    eventually("she may no longer look", || (browser.ask(&maps, None).0 == 403).then_some(()));

    let own = format!("system:serviceaccount:{OWN}:paifang-console");
    for question in REFUSED {
        let asked = kubectl(&[&["auth", "can-i", "--as", &own], question].concat(), "");
        assert!(asked.is_err(), "{question:?}: {asked:?}");
    }
    kubectl(&["delete", "serviceaccount", "ann", "-n", &project], "").expect("deleted");
    eventually("she is signed out", || {
        browser.ask(&maps, None);
        (browser.ask("/console/session", None).0 == 401).then_some(())
    });
    kubectl(&["delete", "namespace", &project, "--wait=false"], "").expect("it is deleted");
}
