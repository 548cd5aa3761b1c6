//! `paifang console`, alone in front of an API that is somebody else's: here that of a `paifang up`.

use crate::harness::{Up, binary, run, text};
use serde_json::{Value, json};
use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use testkit::browser::Browser;
use testkit::eventually;
use testkit::issuer::{CLIENT, Issuer};

/// A console, and a browser before it.
struct Console {
    child: Child,
    dir: TempDir,
    browser: Browser,
}

impl Console {
    fn start(kubeconfig: &str, more: &[&str]) -> Self {
        let dir = TempDir::new().expect("a folder");
        let log = File::create(dir.path().join("stderr")).expect("a file");
        let mut command = Command::new(binary());
        command.args(["console", "--kubeconfig", kubeconfig, "--console-address", "127.0.0.1:0"]).args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        let browser = Browser::new("", dir.path());
        let mut console = Self { child, dir, browser };
        console.browser.url = eventually("it says where it is", || {
            let said = console.said();
            said.lines().find_map(|line| line.trim_start().strip_prefix("console")).map(|it| it.trim().to_owned())
        });
        console
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }
}

impl Deref for Console {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl DerefMut for Console {
    fn deref_mut(&mut self) -> &mut Browser {
        &mut self.browser
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the console said ---\n{}", self.said());
        }
    }
}

/// A ServiceAccount's token, as people of a cluster get theirs.
fn token(up: &Up, namespace: &str, account: &str) -> String {
    up.kubectl(&["create", "serviceaccount", account, "-n", namespace], "").expect("an account");
    up.kubectl(&["create", "token", account, "-n", namespace], "").expect("a token").trim().to_owned()
}

#[test]
fn whoever_the_cluster_knows_signs_in_with_a_token_of_theirs() {
    let up = Up::start(&[]);
    let kubeconfig = up.kubeconfig().display().to_string();
    up.kubectl(&["create", "namespace", "shop"], "").expect("a namespace");
    let token = token(&up, "shop", "ann");
    let account = "--serviceaccount=shop:ann";
    up.kubectl(
        &["create", "role", "looks", "-n", "shop", "--verb=get,list,watch,create", "--resource=configmaps,ingressgateways.paifang.dev"],
        "",
    )
    .expect("a role");
    up.kubectl(&["create", "rolebinding", "ann", "-n", "shop", "--role=looks", account], "").expect("a binding");
    let gateway = json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway",
        "metadata": { "name": "gateway", "namespace": "shop" }, "spec": { "access": { "type": "NodePort" } } });
    up.apply(&[gateway]);
    let mut console = Console::start(&kubeconfig, &[]);
    assert!(console.said().contains("kubectl create token"), "{}", console.said());
    assert_eq!(console.ask("/console/session", None).0, 401);
    assert_eq!(console.ask("/console/oidc", None).1["tokens"], true);
    console.sign_in(&token);
    let (_, session) = console.ask("/console/session", None);
    assert_eq!((&session["mode"], &session["user"]), (&json!("cluster"), &json!("system:serviceaccount:shop:ann")));
    // As they themselves, neither more nor less: the console's own kubeconfig is the administrator's.
    assert_eq!(console.ask("/api/v1/namespaces/shop/configmaps", None).0, 200);
    let (code, refused) = console.ask("/api/v1/namespaces/shop/secrets", None);
    assert!(code == 403 && refused["message"].as_str().is_some_and(|it| it.contains("system:serviceaccount:shop:ann")), "{refused}");
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "made" } });
    assert_eq!(console.ask("/api/v1/namespaces/shop/configmaps", Some(&map)).0, 201);
    assert!(up.get(&["configmap", "-n", "shop", "made"]).is_some());
    // Gateways' objects are shown; what is no object is asked elsewhere, and it is said where.
    let at = "/console/gateways/shop/gateway";
    let (code, refused) = console.ask(&format!("{at}/logs"), None);
    assert!(code == 501 && refused["command"].as_str().is_some_and(|it| it.starts_with("kubectl logs ")), "{refused}");
    assert_eq!(console.ask("/console/gateways/kubesphere-system/cluster/logs", None).0, 403);
    // A watch ends with the right to it.
    let mut watching = console.follow("/api/v1/namespaces/shop/configmaps?watch=1");
    watching.line_with("ADDED");
    up.kubectl(&["delete", "rolebinding", "ann", "-n", "shop"], "").expect("the right is taken away");
    watching.ends();
    eventually("she may no longer look", || (console.ask("/api/v1/namespaces/shop/configmaps", None).0 == 403).then_some(()));
    // Without the account there is no token, and nobody is signed in.
    up.kubectl(&["delete", "serviceaccount", "ann", "-n", "shop"], "").expect("deleted");
    eventually("she is signed out", || {
        console.ask("/api/v1/namespaces/shop/configmaps", None);
        (console.ask("/console/session", None).0 == 401).then_some(())
    });
    assert!(!console.said().contains(&token), "a token is told nowhere");
}

#[test]
fn whoever_comes_from_an_issuer_is_stood_in_for() {
    let up = Up::start(&[]);
    let issuer = Issuer::start();
    let flags = ["--oidc-issuer", issuer.url(), "--oidc-client-id", CLIENT, "--oidc-groups-claim", "groups"];
    let mut console = Console::start(&up.kubeconfig().display().to_string(), &flags);
    let (_, ways) = console.ask("/console/oidc", None);
    assert_eq!((&ways["enabled"], &ways["passwords"], &ways["tokens"]), (&json!(true), &json!(false), &json!(true)), "{ways}");
    let location = |console: &Console, path: &str| {
        let output = run(console.curl(path, None).args(["--output", "/dev/null", "--write-out", "%{redirect_url}"]), "");
        assert!(output.status.success(), "{path}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let page = location(&console, "/console/oidc/start?return=/projects");
    let mut claims = issuer.claims("ann");
    claims["groups"] = json!(["staff"]);
    let code = issuer.log_in(&page, claims);
    let state = page.split('&').find_map(|pair| pair.strip_prefix("state=")).expect("a state");
    let to = location(&console, &format!("/console/oidc/callback?code={}&state={state}", code.replace(' ', "%20")));
    assert_eq!(to, format!("{}/projects", console.url));
    let (_, session) = console.ask("/console/session", None);
    assert_eq!(session["user"], "oidc:ann", "{session}");
    console.token = session["csrf"].as_str().expect("a token").to_owned();
    // As who they are, with the groups that the issuer says.
    let (code, refused) = console.ask("/api/v1/namespaces/default/configmaps", None);
    assert!(code == 403 && refused["message"].as_str().is_some_and(|it| it.contains(r#"User "oidc:ann" cannot list"#)), "{refused}");
    let binding = ["create", "rolebinding", "staff", "-n", "default", "--clusterrole=view", "--group=oidc:staff"];
    up.kubectl(&["create", "clusterrole", "view", "--verb=get,list", "--resource=configmaps"], "").ok();
    up.kubectl(&binding, "").expect("a binding");
    eventually("the group's role is theirs", || (console.ask("/api/v1/namespaces/default/configmaps", None).0 == 200).then_some(()));
}

#[test]
fn what_it_lacks_it_says_before_it_serves() {
    let fails = |arguments: &[&str]| {
        let output = run(Command::new(binary()).arg("console").args(arguments), "");
        (output.status.code(), text(&output.stderr))
    };
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("config");
    let nowhere = json!({ "apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{ "name": "a", "user": {} }],
        "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
        "clusters": [{ "name": "a", "cluster": { "server": "http://127.0.0.1:1" } }] });
    std::fs::write(&path, nowhere.to_string()).expect("a file");
    let kubeconfig = path.display().to_string();
    let (code, said) = fails(&["--kubeconfig", &kubeconfig]);
    assert!(code == Some(1) && said.contains("the cluster at http://127.0.0.1:1"), "{said}");
    let (code, said) = fails(&["--kubeconfig", &kubeconfig, "--console-address", "none"]);
    assert!(code == Some(2) && said.contains("--console-address"), "{said}");
    // It stands in for people who come from an issuer, so it must be allowed to.
    let up = Up::start(&[]);
    up.kubectl(&["create", "namespace", "shop"], "").expect("a namespace");
    let token = token(&up, "shop", "console");
    let view = up.kubectl(&["config", "view", "--raw", "-o", "json"], "").expect("a kubeconfig");
    let mut view: Value = serde_json::from_str(&view).expect("JSON");
    view["users"][0]["user"] = json!({ "token": token });
    std::fs::write(&path, view.to_string()).expect("a file");
    let issuer =
        ["--kubeconfig", &kubeconfig, "--console-address", "127.0.0.1:0", "--oidc-issuer", "https://id.example", "--oidc-client-id", "a"];
    let (code, said) = fails(&issuer);
    assert!(code == Some(2) && said.contains("impersonate users and groups"), "{said}");
}
