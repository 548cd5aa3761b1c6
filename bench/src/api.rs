//! The embedded API beside etcd and kube-apiserver, and its store beside bare redb: `cargo xtask bench -- api`.
//!
//! Each server has core 0 for itself while it is measured, etcd and kube-apiserver together; the clients have core 1. Servers alternate in rounds,
//! and what is compared is of the same round. Both run over TLS with the same client, both with RBAC, none of them with an audit log of reads.

mod reading;
mod server;
mod store;
mod watching;
mod writing;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::processes::LOAD_CORE;
use crate::report::median;
use server::{Peer, Server};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Does it work? Few objects, one short round.
    #[arg(long)]
    quick: bool,

    /// Only these: writes, watches, sizes.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// Of writes and watches.
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Of each server in each round.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,

    /// The folder with `etcd` and `kube-apiserver`; `cargo xtask test --cluster` builds them [default: where that puts them]
    #[arg(long)]
    cluster: Option<std::path::PathBuf>,
}

/// One figure, and whether it is as promised.
pub struct Line {
    what: String,
    ours: String,
    theirs: String,
    goal: String,
    met: Option<bool>,
}

const MARKS: [&str; 3] = ["writes", "watches", "sizes"];

pub fn run(arguments: &Arguments) -> Result<()> {
    if let Some(unknown) = arguments.only.iter().find(|id| !MARKS.contains(&id.as_str())) {
        bail!("no mark is called {unknown}; there are {}", MARKS.join(", "));
    }
    let wanted = |mark: &str| arguments.only.is_empty() || arguments.only.iter().any(|id| id == mark);
    stay_on(LOAD_CORE)?;
    let peers = Peer::installed(arguments.cluster.as_deref())?;
    for peer in &peers {
        println!("{}", peer.version());
    }
    println!("load of the machine before: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    let mut lines = Vec::new();
    if wanted("writes") {
        lines.extend(writes(arguments, &peers)?);
    }
    if wanted("watches") {
        lines.extend(watches(arguments, &peers)?);
    }
    if wanted("sizes") {
        lines.extend(sizes(arguments, &peers)?);
    }
    println!("\n| what | Paifang | etcd + kube-apiserver | goal | |\n|---|---|---|---|---|");
    for Line { what, ours, theirs, goal, met } in lines {
        let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
        println!("| {what} | {ours} | {theirs} | {goal} | {verdict} |");
    }
    Ok(())
}

/// This process and what it starts without another wish.
fn stay_on(core: usize) -> Result<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &std::process::id().to_string()]);
    let output = taskset.output().context("`taskset` does not start")?;
    if !output.status.success() {
        bail!("taskset: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn writes(arguments: &Arguments, peers: &[Peer]) -> Result<Vec<Line>> {
    println!("\n== writes: ConfigMaps of 1 KiB, {} clients at once", writing::CLIENTS);
    let (rounds, seconds) = if arguments.quick { (1, 1.0) } else { (arguments.rounds, arguments.seconds) };
    let (mut one, mut group, mut theirs, mut ours) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut shown_ours, mut shown_theirs) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let raw = store::bare(seconds)?;
        let own = store::ours(seconds)?;
        let mut api = Vec::new();
        for peer in peers {
            let folder = tempfile::tempdir()?;
            let server = Server::start(peer, folder.path())?;
            api.push(writing::measure(&server, seconds)?);
        }
        println!(
            "round {round}: redb, a commit a write {:.0}/s, {} writes a commit {:.0}/s; our store {own:.0}/s; {}",
            raw.single,
            store::GROUP,
            raw.grouped,
            peers.iter().zip(&api).map(|(peer, rate)| format!("{} {rate:.0}/s", peer.name())).collect::<Vec<_>>().join(", ")
        );
        one.push(own / raw.single);
        group.push(own / raw.grouped);
        ours.push(api[0] / raw.single);
        shown_ours.push(api[0]);
        if let Some(other) = api.get(1) {
            theirs.push(api[0] / other);
            shown_theirs.push(*other);
        }
    }
    let line = |what: &str, ours: &[f64], theirs: String, goal: f64| {
        let figure = median(ours);
        Line {
            what: what.into(),
            ours: figure.map_or("–".into(), |it| format!("{it:.2}")),
            theirs,
            goal: format!("≥ {goal}"),
            met: Some(figure.is_some_and(|it| it >= goal)),
        }
    };
    let per_second = |rates: &[f64]| median(rates).map_or("–".into(), |rate| format!("{rate:.0}/s"));
    Ok(vec![
        line("writes a second through the API ÷ redb, a commit a write", &ours, "–".into(), 0.5),
        line("writes a second of the store ÷ redb, a commit a write", &one, "–".into(), 0.5),
        line(&format!("writes a second of the store ÷ redb, {} a commit", store::GROUP), &group, "–".into(), 0.5),
        Line {
            what: "writes a second through the API".into(),
            ours: format!("{}, {:.2} × theirs", per_second(&shown_ours), median(&theirs).unwrap_or(f64::NAN)),
            theirs: per_second(&shown_theirs),
            goal: String::new(),
            met: None,
        },
    ])
}

fn watches(arguments: &Arguments, peers: &[Peer]) -> Result<Vec<Line>> {
    let plan = if arguments.quick { watching::Plan::SHORT } else { watching::Plan::LONG };
    println!("\n== watches: {} of one kind, {} events a second for {} s, one of them never read", plan.watchers, plan.rate, plan.seconds);
    let mut found = Vec::new();
    for peer in peers {
        let folder = tempfile::tempdir()?;
        let server = Server::start(peer, folder.path())?;
        let outcome = watching::measure(&server, &plan)?;
        println!("{}: {outcome}", peer.name());
        found.push(outcome);
    }
    let cell = |of: fn(&watching::Outcome) -> String, at: usize| found.get(at).map_or("–".into(), of);
    let ours = found.first();
    let delay = |it: &watching::Outcome| format!("p50 {:.0} ms, p99 {:.0} ms", it.p50, it.p99);
    let rate = |it: &watching::Outcome| format!("{:.0}/s", it.rate);
    let slow = |it: &watching::Outcome| it.slow.clone();
    Ok(vec![
        Line {
            what: format!("events a second to each of {} watches", plan.watchers - 1),
            ours: cell(rate, 0),
            theirs: cell(rate, 1),
            goal: format!("≥ {}", plan.rate),
            met: ours.map(|it| it.complete && it.rate >= 0.98 * plan.rate as f64),
        },
        Line {
            what: "from a write's beginning to its event at a watch".into(),
            ours: cell(delay, 0),
            theirs: cell(delay, 1),
            goal: "the slow one blocks nobody".into(),
            met: ours.map(|it| it.complete && it.p99 <= 1000.0),
        },
        Line { what: "the one that is not read".into(), ours: cell(slow, 0), theirs: cell(slow, 1), goal: String::new(), met: None },
    ])
}

fn sizes(arguments: &Arguments, peers: &[Peer]) -> Result<Vec<Line>> {
    let count = if arguments.quick { 300 } else { 10_000 };
    println!("\n== sizes: {count} Ingresses, Services and EndpointSlices each");
    let mut found = Vec::new();
    for peer in peers {
        let folder = tempfile::tempdir()?;
        let sizes = reading::measure(peer, folder.path(), count)?;
        println!("{}: {sizes}", peer.name());
        found.push(sizes);
    }
    Ok(reading::lines(&found, count))
}

/// The folder in which a server keeps what it keeps, on a disk: not in memory.
pub fn on_disk(folder: &Path) -> std::path::PathBuf {
    folder.join("data")
}
