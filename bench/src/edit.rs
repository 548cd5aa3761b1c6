//! The mark about change: one host of ten thousand is sent to another backend; how long until the first right answer?
//!
//! The clock starts when the change is given to the peer: for Paifang the object that a watch would bring, for the others the writing of their
//! configuration. Each probe is a connection of its own, as kept ones stay with what they have.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::peers::Running;
use crate::table::Table;

/// Between two probes.
const PAUSE: Duration = Duration::from_micros(200);

/// After which an edit has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds, one for each edit. The hosts edited lie far apart; each goes to the origin that answers `second`.
pub fn measure(peer: &mut Running, table: &Table, edits: std::ops::Range<usize>) -> Result<Vec<f64>> {
    edits.map(|n| one(peer, table, n)).collect()
}

fn one(peer: &mut Running, table: &Table, n: usize) -> Result<f64> {
    // 37 shares no divisor with the number of hosts, so none comes twice.
    let index = (n * 37 + 99) % table.size.hosts;
    let row = table.row(index);
    if body(peer.http, &row.host)? != "first" {
        bail!("{} is not served as before", row.host);
    }
    // A reload goes on after its first answer, and may miss the signal for the next one.
    if peer.reloads() {
        std::thread::sleep(Duration::from_secs(2));
    }
    let begun = Instant::now();
    peer.edit(index)?;
    loop {
        // A reload may refuse or break a connection; that is no right answer yet.
        if body(peer.http, &row.host).is_ok_and(|body| body == "second") {
            return Ok(begun.elapsed().as_secs_f64() * 1e3);
        }
        if begun.elapsed() > PATIENCE {
            bail!("the edit of {} did not arrive within {PATIENCE:?}", row.host);
        }
        std::thread::sleep(PAUSE);
    }
}

fn body(address: SocketAddr, host: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET /who HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}
