//! What a real kube-apiserver answered, beside what this API answers.
//!
//! The files in `oracle/` hold requests and the answers that a real one gave; each says at its top how it was made. `record`
//! writes them anew against any cluster (see CONTRIBUTING.md); everything else here compares.

mod cells;
mod matrix;
mod story;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::story::{Answer, Story};
pub use self::wire::Wire;
use crate::client::Server;

/// The kubeconfig of the cluster that `record` asks.
const KUBECONFIG: &str = "ORACLE_KUBECONFIG";
/// Writes down how this API differs where a file says that it may: for who has read the differences.
const ACCEPT: &str = "ORACLE_ACCEPT";

const REQUESTS: &str = "requests.txt";
const ESCALATION: &str = "escalation.txt";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/oracle").join(name)
}

fn read_text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(name: &str) -> Story {
    Story::parse(&read_text(name))
}

/// Asks everything in its order.
async fn answers(wire: &mut Wire, story: &Story) -> Vec<Answer> {
    let (mut saved, mut all) = (BTreeMap::new(), Vec::new());
    for step in &story.steps {
        all.push(step.ask(wire, &mut saved).await);
    }
    all
}

async fn compare(name: &str) {
    let server = Server::start().await;
    let mut story = read(name);
    let answers = answers(&mut Wire::new(&server.running.kubeconfig), &story).await;
    let mut wrong = Vec::new();
    let mut steps = std::mem::take(&mut story.steps);
    for (step, answer) in steps.iter_mut().zip(answers) {
        if step.why.is_some() && std::env::var_os(ACCEPT).is_some() {
            step.ours = Some(answer.clone());
        }
        assert!(step.why.iter().all(|why| story.explains(why)), "line {}: a reason that the head does not explain", step.at);
        if step.ours == Some(step.theirs.clone()) {
            wrong.push(format!("{}\n  no longer differs: its `!` can go", step.line()));
        }
        let expected = step.ours.as_ref().unwrap_or(&step.theirs);
        if answer != *expected {
            wrong.push(format!("line {}: {}\n  expected {}\n  answered {}", step.at, step.line(), expected.brief(), answer.brief()));
        }
    }
    story.steps = steps;
    if std::env::var_os(ACCEPT).is_some() {
        std::fs::write(path(name), story.to_string()).expect("the file can be written");
    }
    assert!(wrong.is_empty(), "{} of {} answers differ:\n{}", wrong.len(), story.steps.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_are_answered_as_kubernetes_answers_them() {
    assert!(read(REQUESTS).steps.len() >= 300);
    compare(REQUESTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_more_rights_is_refused_as_kubernetes_refuses_it() {
    compare(ESCALATION).await;
}

/// Writes the answers of the cluster that `ORACLE_KUBECONFIG` names into the files. It makes objects there: use one that may go.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "asks a real cluster"]
async fn record() {
    let config = std::env::var(KUBECONFIG).unwrap_or_else(|_| panic!("{KUBECONFIG} must name the kubeconfig of a cluster"));
    let config = std::fs::read_to_string(&config).unwrap_or_else(|error| panic!("{config}: {error}"));
    matrix::record(&config).await;
    for name in [REQUESTS, ESCALATION] {
        let mut story = read(name);
        let mut wire = Wire::new(&config);
        story.made = wire.made().await;
        let answers = answers(&mut wire, &story).await;
        for (step, answer) in story.steps.iter_mut().zip(answers) {
            step.theirs = answer;
        }
        std::fs::write(path(name), story.to_string()).expect("the file can be written");
    }
}
