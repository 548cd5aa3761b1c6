//! The marks, one row each, and the run through them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::peers::Peer;
use crate::processes::{LOAD_CORE, Program, ourselves};
use crate::report::{self, Outcome};
use crate::table::{Size, Table};
use crate::throughput::{Load, Unit};
use crate::whole::{Edit, Start, Whole};
use crate::{certificates, edit, memory, throughput};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these marks: h1, h1-1000, bodies, tls, edit, memory.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// Few short rounds: to see whether it works, not how fast.
    #[arg(long)]
    quick: bool,

    /// Rounds of each mark about requests.
    #[arg(long, default_value_t = 7)]
    rounds: usize,

    /// Of each peer in each round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Throughput(Load),
    Edit,
    Memory,
}

struct Mark {
    id: &'static str,
    name: &'static str,
    kind: Kind,
    ratio_goal: f64,
}

const fn load(connections: usize, path: &'static str, tls: bool, unit: Unit) -> Kind {
    Kind::Throughput(Load { connections, path, tls, unit })
}

const MARKS: [Mark; 6] = [
    Mark { id: "h1", name: "HTTP/1.1 128 B, 64 connections, metrics on", kind: load(64, "/128", false, Unit::Request), ratio_goal: 1.0 },
    Mark { id: "h1-1000", name: "HTTP/1.1 128 B, 1,000 connections", kind: load(1000, "/128", false, Unit::Request), ratio_goal: 0.8 },
    Mark { id: "bodies", name: "HTTP/1.1 1 MiB bodies", kind: load(16, "/1m", false, Unit::GigaByte), ratio_goal: 0.6 },
    Mark { id: "tls", name: "TLS keep-alive, 128 B, 64 connections", kind: load(64, "/128", true, Unit::Request), ratio_goal: 1.0 },
    Mark { id: "edit", name: "one edit among 10,000 hosts", kind: Kind::Edit, ratio_goal: 0.1 },
    Mark { id: "memory", name: "10,000 hosts, 2,000 backends, 100 certificates, 30 % regex", kind: Kind::Memory, ratio_goal: 0.3 },
];

/// ms, of Paifang's edits.
const EDIT_GOAL: f64 = 20.0;

/// MiB, of Paifang.
const MEMORY_GOAL: f64 = 60.0;

pub fn run(arguments: &Arguments) -> Result<()> {
    let unknown = arguments.only.iter().find(|id| !MARKS.iter().any(|mark| mark.id == id.as_str()));
    if let Some(id) = unknown {
        bail!("no mark is called {id}; there are {}", MARKS.map(|mark| mark.id).join(", "));
    }
    if std::thread::available_parallelism()?.get() <= LOAD_CORE {
        bail!("two cores are needed: one for the proxy, one for load and origin");
    }
    let peers = Peer::installed()?;
    for peer in &peers {
        println!("{}", peer.version());
    }
    show_configurations(&peers)?;
    let mut outcomes = Vec::new();
    for mark in MARKS.iter().filter(|mark| arguments.only.is_empty() || arguments.only.iter().any(|id| id == mark.id)) {
        println!("\n== {} ({})", mark.name, mark.id);
        outcomes.push(match mark.kind {
            Kind::Throughput(load) => throughput_mark(mark, &load, &peers, arguments)?,
            Kind::Edit => edit_mark(mark, &peers, arguments)?,
            Kind::Memory => memory_mark(mark, &peers, arguments)?,
        });
    }
    println!("\n| mark | figures | ÷ nginx, same round | goal | |\n|---|---|---|---|---|");
    for outcome in &outcomes {
        println!("{}", outcome.row());
    }
    Ok(())
}

/// An origin of this name, and where it is.
pub fn origin(name: &str) -> Result<(Program, SocketAddr)> {
    let mut command = ourselves("origin")?;
    command.args(["--name", name]);
    let program = Program::start(LOAD_CORE, &command, None)?;
    let address = program.line(Duration::from_secs(10))?.parse().context("the origin's address")?;
    Ok((program, address))
}

fn throughput_mark(mark: &Mark, load: &Load, peers: &[Peer], arguments: &Arguments) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let (_origin, address) = origin("first")?;
    let table = Table { size: Size::TEN, origin: address, second: None };
    certificates::write(folder.path(), &table)?;
    let running = throughput::start(peers, folder.path(), &table)?;
    let (rounds, seconds) = if arguments.quick { (2, 1.0) } else { (arguments.rounds, arguments.seconds) };
    let measured = throughput::measure(load, &running, rounds, seconds)?;
    let unit = match load.unit {
        Unit::Request => "µs CPU a request",
        Unit::GigaByte => "ms CPU a GB",
    };
    let mut cells = Vec::new();
    for (number, round) in measured.iter().enumerate() {
        let shown: Vec<String> = peers.iter().zip(round).map(|(peer, measured)| shown(*peer, measured)).collect();
        println!("round {}: {}", number + 1, shown.join("   "));
        cells.push(round.iter().map(|measured| measured.void.is_none().then_some(measured.cost)).collect());
    }
    let (figures, ratios) = report::compare(peers, &cells);
    Ok(Outcome { mark: mark.name, unit, figures, ratios, ratio_goal: mark.ratio_goal, absolute: None })
}

fn shown(peer: Peer, measured: &throughput::Measured) -> String {
    let void = measured.void.map(|(not_2xx, broken)| format!(" VOID: {not_2xx} not 2xx, {broken} broken")).unwrap_or_default();
    format!("{} {:.2} ({:.0}/s){void}", peer.name(), measured.cost, measured.requests_per_second)
}

/// Those for ten hosts; the marks with more have more of the same.
fn show_configurations(peers: &[Peer]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_origin, address) = origin("first")?;
    let table = Table { size: Size::TEN, origin: address, second: None };
    certificates::write(folder.path(), &table)?;
    for (peer, running) in throughput::start(peers, folder.path(), &table)? {
        println!("\n-- configuration of {}:\n{}", peer.name(), running.configuration().trim_end());
    }
    Ok(())
}

/// Paifang's edits are quick, so it makes many in each round; the others reload for each.
fn edit_mark(mark: &Mark, peers: &[Peer], arguments: &Arguments) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let ((_first, first), (_second, second)) = (origin("first")?, origin("second")?);
    let table = Table { size: Size::TEN_THOUSAND_PLAIN, origin: first, second: Some(second) };
    certificates::write(folder.path(), &table)?;
    let others: Vec<Peer> = peers.iter().copied().filter(|peer| *peer != Peer::Paifang).collect();
    let mut whole = Whole::start(folder.path(), &table)?;
    let Start { seconds, mib } = whole.restart()?;
    println!("paifang up with these objects stored: serves after {seconds:.2} s, {mib:.0} MiB (PSS)");
    let mut running = throughput::start(&others, folder.path(), &table)?;
    let rounds = if arguments.quick { 1 } else { 3 };
    let (mut cells, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let edits = whole.edits(round * 100..(round + 1) * 100)?;
        let mut row = vec![report::median(&edits.iter().map(|it| it.from_event).collect::<Vec<_>>())];
        ours.extend(edits);
        for (peer, running) in &mut running {
            let times = edit::measure(running, &table, round * 2..(round + 1) * 2)?;
            println!("round {}: {} ms {}", round + 1, peer.name(), listed(&times));
            row.push(report::median(&times));
        }
        cells.push(row);
    }
    let of = |from: fn(&Edit) -> f64| ours.iter().map(from).collect::<Vec<f64>>();
    let (from_event, from_ack, from_write) = (of(|it| it.from_event), of(|it| it.from_ack), of(|it| it.from_write));
    for (what, times) in [("the watch event", &from_event), ("the write's acknowledgement", &from_ack), ("the write's begin", &from_write)]
    {
        let shown = |figure: Option<f64>| figure.map_or("–".to_owned(), |it| format!("{it:.2}"));
        println!("paifang, {} edits, ms from {what}: p50 {}, p99 {}", ours.len(), shown(report::median(times)), shown(report::p99(times)));
    }
    let peers: Vec<Peer> = std::iter::once(Peer::Paifang).chain(others).collect();
    let (figures, ratios) = report::compare(&peers, &cells);
    let absolute = Some(("p99 ms", report::p99(&from_event), EDIT_GOAL));
    Ok(Outcome { mark: mark.name, unit: "ms to the first right answer", figures, ratios, ratio_goal: mark.ratio_goal, absolute })
}

fn listed(times: &[f64]) -> String {
    times.iter().map(|time| format!("{time:.2}")).collect::<Vec<_>>().join(" ")
}

fn memory_mark(mark: &Mark, peers: &[Peer], arguments: &Arguments) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let (_origin, address) = origin("first")?;
    let table = Table { size: Size::TEN_THOUSAND, origin: address, second: None };
    certificates::write(folder.path(), &table)?;
    let mut cells = Vec::new();
    for round in 0..if arguments.quick { 1 } else { 3 } {
        cells.push(memory_round(round, peers, folder.path(), &table)?);
    }
    let (figures, ratios) = report::compare(peers, &cells);
    let ours = figures.iter().find(|(peer, _)| *peer == Peer::Paifang).and_then(|(_, figure)| *figure);
    let absolute = Some(("MiB", ours, MEMORY_GOAL));
    Ok(Outcome { mark: mark.name, unit: "MiB (PSS)", figures, ratios, ratio_goal: mark.ratio_goal, absolute })
}

fn memory_round(round: usize, peers: &[Peer], folder: &Path, table: &Table) -> Result<Vec<Option<f64>>> {
    let mut row = Vec::new();
    for peer in peers {
        let mib = memory::measure(*peer, folder, table)?;
        println!("round {}: {} {mib:.1} MiB", round + 1, peer.name());
        row.push(Some(mib));
    }
    Ok(row)
}
