//! Marks about requests: proxy CPU for each request, or for each GB.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::peers::{Peer, Running};
use crate::processes::{LOAD_CORE, Program, cpu_time, ourselves};
use crate::table::Size;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: usize,
    pub path: &'static str,
    pub tls: bool,
    pub unit: Unit,
}

/// What the proxy's CPU time is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// µs for each request.
    Request,
    /// ms for each GB of bodies.
    GigaByte,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub cost: f64,
    pub requests_per_second: f64,
    /// `None`: it counts. Otherwise how many answers were not 2xx, and how many connections broke.
    pub void: Option<(u64, u64)>,
}

/// Each peer in turn, so many times.
pub fn measure(load: &Load, running: &[(Peer, Running)], rounds: usize, seconds: f64) -> Result<Vec<Vec<Measured>>> {
    let mut all = Vec::new();
    for _ in 0..rounds {
        let round: Result<Vec<Measured>> = running.iter().map(|(_, peer)| one(load, peer, seconds)).collect();
        all.push(round?);
    }
    Ok(all)
}

fn one(load: &Load, peer: &Running, seconds: f64) -> Result<Measured> {
    let target = if load.tls { peer.https } else { peer.http };
    let mut command = ourselves("load")?;
    command.args(["--target", &target.to_string(), "--path", load.path, "--seconds", &seconds.to_string()]);
    command.args(["--connections", &load.connections.to_string(), "--hosts", &Size::TEN.hosts.to_string()]);
    if load.tls {
        command.arg("--tls");
    }
    let mut generator = Program::start(LOAD_CORE, &command, None)?;
    generator.line(Duration::from_secs(60)).context("the load generator")?;
    let before = cpu_time(peer.program.id())?;
    generator.say("go")?;
    let said = generator.line(Duration::from_secs_f64(seconds + 60.0))?;
    let spent = cpu_time(peer.program.id())? - before;
    let counts: serde_json::Value = serde_json::from_str(&said)?;
    let number = |name: &str| counts[name].as_f64().with_context(|| format!("the load generator counts {name}"));
    let (not_2xx, broken) = (number("not_2xx")? as u64, number("broken")? as u64);
    let cost = match load.unit {
        Unit::Request => spent.as_secs_f64() * 1e6 / number("requests")?,
        Unit::GigaByte => spent.as_secs_f64() * 1e3 / (number("octets")? / 1e9),
    };
    let void = (not_2xx + broken > 0).then_some((not_2xx, broken));
    Ok(Measured { cost, requests_per_second: number("requests")? / number("seconds")?, void })
}

/// All peers with ten hosts, running side by side; only one at a time has work.
pub fn start(peers: &[Peer], folder: &Path, table: &crate::table::Table) -> Result<Vec<(Peer, Running)>> {
    peers.iter().map(|peer| Ok((*peer, peer.start(folder, table)?))).collect()
}
