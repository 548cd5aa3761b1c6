//! Many objects: how long until they are served again, how much memory that takes, and what a list of them costs.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kube::Client;
use tokio::runtime::Runtime;

use super::Line;
use super::server::{Peer, Server};
use crate::marks;
use crate::report::median;
use crate::table::{Size, Table};
use crate::whole::{self, Start, Whole};

const LIST: &str = "/apis/networking.k8s.io/v1/ingresses";
/// Objects of a page, as `kubectl` asks for them.
const PAGE: usize = 500;
const REPEATED: usize = 5;
/// Of RFC 2544: the other server takes no loopback address for an endpoint, and sends nothing there.
const ELSEWHERE: ([u8; 4], u16) = ([198, 18, 0, 1], 80);

/// s, MiB and ms.
pub struct Sizes {
    start: Start,
    whole: Listed,
    pages: Listed,
}

/// What a list cost.
#[derive(Clone, Copy, Debug)]
struct Listed {
    ms: f64,
    /// By how much the process grew meanwhile, at most.
    grown: f64,
    mib: f64,
}

pub fn measure(peer: &Peer, folder: &Path, count: usize) -> Result<Sizes> {
    match peer {
        Peer::Paifang(_) => {
            let (_origin, origin) = marks::origin("first")?;
            let mut whole = Whole::start(folder, &table(origin, count))?;
            let start = whole.restart()?;
            let ids = [whole.id()?];
            lists(whole.runtime(), whole.client()?, &ids, start)
        }
        Peer::Kubernetes(_) => {
            let mut server = Server::start(peer, folder)?;
            server.runtime.block_on(whole::load(&server.client, &table(ELSEWHERE.into(), count)))?;
            let seconds = server.restart()?;
            let mut sizes = lists(&server.runtime, &server.client, &server.ids(), Start { seconds, mib: 0.0 })?;
            sizes.start.mib = server.memory()?;
            Ok(sizes)
        }
    }
}

fn table(origin: SocketAddr, count: usize) -> Table {
    Table { size: Size { hosts: count, backends: count, certificates: 0, regex_percent: 0 }, origin, second: None }
}

fn lists(runtime: &Runtime, client: &Client, ids: &[u32], start: Start) -> Result<Sizes> {
    let once = |limit| runtime.block_on(list(client, limit));
    let whole = listed(ids, || once(None))?;
    let pages = listed(ids, || once(Some(PAGE)))?;
    Ok(Sizes { start, whole, pages })
}

/// The median of several.
fn listed(ids: &[u32], list: impl Fn() -> Result<usize>) -> Result<Listed> {
    // What a first one brings into memory is no list's own.
    list()?;
    let (mut times, mut grown, mut octets) = (Vec::new(), 0.0_f64, 0);
    for _ in 0..REPEATED {
        let before = resident(ids, "VmRSS:")?;
        for id in ids {
            std::fs::write(format!("/proc/{id}/clear_refs"), "5").context("the highest memory is counted anew")?;
        }
        let begun = Instant::now();
        octets = list()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        grown = grown.max(resident(ids, "VmHWM:")? - before);
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(Listed { ms: median(&times).context("it was listed")?, grown, mib: octets as f64 / f64::from(1 << 20) })
}

/// MiB of all.
fn resident(ids: &[u32], row: &str) -> Result<f64> {
    let one = |id: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(row)).context("a kernel that counts memory")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    };
    ids.iter().map(one).sum()
}

/// Octets of all pages.
async fn list(client: &Client, limit: Option<usize>) -> Result<usize> {
    let (mut octets, mut next) = (0, String::new());
    loop {
        let query = limit.map(|limit| format!("?limit={limit}{next}")).unwrap_or_default();
        let page = client.request_text(http::Request::get(format!("{LIST}{query}")).body(Vec::new())?).await?;
        octets += page.len();
        // It stands in the list's own metadata, which comes before its items.
        match page.split_once("\"continue\":\"").and_then(|(_, rest)| rest.split_once('"')) {
            Some((token, _)) if !token.is_empty() => next = format!("&continue={token}"),
            _ => return Ok(octets),
        }
    }
}

pub fn lines(found: &[Sizes], count: usize) -> Vec<Line> {
    let line = |what: &str, of: &dyn Fn(&Sizes) -> String, goal: &str, met: &dyn Fn(&Sizes) -> bool| Line {
        what: what.into(),
        ours: found.first().map_or("–".into(), of),
        theirs: found.get(1).map_or("–".into(), of),
        goal: goal.into(),
        met: (!goal.is_empty()).then(|| found.first().is_some_and(met)),
    };
    let cost = |it: &Listed| format!("{:.0} ms, {:.1} MiB, grows by {:.0} MiB", it.ms, it.mib, it.grown);
    vec![
        line(
            &format!("start with {count} Ingresses, Services and EndpointSlices, until they are served (theirs: until the API answers)"),
            &|it| format!("{:.2} s", it.start.seconds),
            "≤ 3 s",
            &|it| it.start.seconds <= 3.0,
        ),
        line("memory then (PSS), `up` as a whole", &|it| format!("{:.0} MiB", it.start.mib), "≤ 250 MiB", &|it| it.start.mib <= 250.0),
        line(&format!("list of {count} Ingresses"), &|it| cost(&it.whole), "≤ 300 ms", &|it| it.whole.ms <= 300.0),
        line(&format!("the same in pages of {PAGE}"), &|it| cost(&it.pages), "", &|_| true),
    ]
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, whole, pages } = self;
        write!(f, "starts in {:.2} s, {:.0} MiB; list {whole:?}; in pages {pages:?}", start.seconds, start.mib)
    }
}
