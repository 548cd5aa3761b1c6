//! The mark about change: one host of ten thousand is sent to another backend; how long until the first right answer?
//!
//! For nginx and HAProxy the clock starts with the writing of their configuration, for Paifang when the watch brings the object ([`crate::whole`]).
//! Each probe is a connection of its own, as kept ones stay with what they have.

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
    edits.map(|n| one(peer, table, index(n, table))).collect()
}

/// The host of the edit with this number.
pub fn index(edit: usize, table: &Table) -> usize {
    // 37 shares no divisor with the number of hosts, so none comes twice.
    (edit * 37 + 99) % table.size.hosts
}

fn one(peer: &mut Running, table: &Table, index: usize) -> Result<f64> {
    let host = table.row(index).host;
    expect(peer.http, &host, "first")?;
    // A reload goes on after its first answer, and may miss the signal for the next one.
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    peer.edit(index)?;
    Ok((first_right_answer(peer.http, &host, begun)? - begun).as_secs_f64() * 1e3)
}

/// Asks until the origin `second` answers.
pub fn first_right_answer(http: SocketAddr, host: &str, begun: Instant) -> Result<Instant> {
    // A reload may refuse or break a connection; that is no right answer yet.
    while expect(http, host, "second").is_err() {
        if begun.elapsed() > PATIENCE {
            bail!("the edit of {host} did not arrive within {PATIENCE:?}");
        }
        std::thread::sleep(PAUSE);
    }
    Ok(Instant::now())
}

/// Asks once; anything but this origin's answer is an error.
pub fn expect(http: SocketAddr, host: &str, origin: &str) -> Result<()> {
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET /who HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split("\r\n\r\n").nth(1) {
        Some(body) if body == origin => Ok(()),
        _ => bail!("{host} is not answered by `{origin}`: {}", answer.lines().next().unwrap_or_default()),
    }
}
