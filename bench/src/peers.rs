//! Those who are compared: each started with the same table, on the same core, with one worker.

mod haproxy;
mod nginx;
mod paifang;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testkit::client::Connection;
use testkit::ports::own_address;

use crate::processes::Program;
use crate::table::Table;

/// Who.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Paifang,
    Nginx,
    HaProxy,
}

/// One that runs and serves its table.
pub struct Running {
    pub program: Program,
    pub http: SocketAddr,
    pub https: SocketAddr,
    /// Where its configuration is, if it has one.
    config: Option<std::path::PathBuf>,
    /// Where each backend is; edits change it.
    table: Table,
    peer: Peer,
}

// === impl Peer ===

impl Peer {
    /// Those of this machine. A missing nginx is an error: without it nothing is compared.
    pub fn installed() -> Result<Vec<Self>> {
        let there = |program: &str| Command::new(program).arg("-v").output().is_ok();
        if !there("nginx") {
            bail!("`nginx` is not installed: there is nothing to compare with");
        }
        if !there("taskset") {
            bail!("`taskset` is not installed (Debian's `util-linux`)");
        }
        let mut peers = vec![Self::Paifang, Self::Nginx];
        peers.extend(there("haproxy").then_some(Self::HaProxy));
        Ok(peers)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Paifang => "paifang",
            Self::Nginx => "nginx",
            Self::HaProxy => "haproxy",
        }
    }

    /// One line.
    pub fn version(self) -> String {
        let said = |program: &str, argument: &str| {
            let output = Command::new(program).arg(argument).output().ok()?;
            let all = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&all).lines().next().map(str::to_owned)
        };
        match self {
            Self::Paifang => Some(format!("paifang {}", env!("CARGO_PKG_VERSION"))),
            Self::Nginx => said("nginx", "-v"),
            Self::HaProxy => said("haproxy", "-v"),
        }
        .unwrap_or_default()
    }

    /// Starts it in a folder that already holds the certificates, and waits until its first and last host answer.
    pub fn start(self, folder: &Path, table: &Table) -> Result<Running> {
        let (http, https) = (own_address(), own_address());
        let (program, config) = match self {
            Self::Paifang => (paifang::start(folder, table, http, https)?, None),
            Self::Nginx => nginx::start(folder, table, http, https)?,
            Self::HaProxy => haproxy::start(folder, table, http, https)?,
        };
        let mut running = Running { program, http, https, config, table: table.clone(), peer: self };
        running.wait_until_it_serves()?;
        Ok(running)
    }
}

// === impl Running ===

impl Running {
    /// What it was configured with, for the report.
    pub fn configuration(&self) -> String {
        match &self.config {
            Some(path) => std::fs::read_to_string(path).unwrap_or_default(),
            None => format!("{:?}; the same hosts, routes, backends and certificates as the others\n", self.table.size),
        }
    }

    /// Sends one host's requests to the table's second origin from now on.
    pub fn edit(&mut self, index: usize) -> Result<()> {
        let origin = self.table.second.context("a table for edits")?;
        match self.peer {
            Peer::Paifang => bail!("a data plane alone is told nothing of edits"),
            Peer::Nginx => nginx::edit(self.config.as_deref().context("it has a configuration")?, &self.program, index, origin),
            Peer::HaProxy => haproxy::edit(self.config.as_deref().context("it has a configuration")?, &self.program, index, origin),
        }
    }

    /// The end of what it wrote to its standard error.
    fn complaint(&self) -> String {
        let log = self.config.as_ref().map(|config| config.with_file_name(format!("{}.err", self.peer.name())));
        let text = log.and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }

    fn wait_until_it_serves(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        for index in [0, self.table.size.hosts - 1] {
            let row = self.table.row(index);
            let path = Table::sample_path(&row, "/128");
            while !answers(self.http, &row.host, &path) {
                if Instant::now() > deadline || self.program.has_ended() {
                    bail!("{} does not serve {}{path}; {}", self.peer.name(), row.host, self.complaint());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

fn answers(address: SocketAddr, host: &str, path: &str) -> bool {
    if std::net::TcpStream::connect(address).is_err() {
        return false;
    }
    let mut connection = Connection::open(address);
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    connection.any_response("GET").is_ok_and(|response| response.status == 200)
}
