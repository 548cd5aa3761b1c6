//! The mark about memory: a whole table, loaded and served from.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use testkit::client::Connection;

use crate::peers::{Peer, Running};
use crate::processes;
use crate::table::Table;

/// MiB of all its processes, after some of the hosts have been asked and a pause in which what was needed for loading is given back.
pub fn measure(peer: Peer, folder: &Path, table: &Table) -> Result<f64> {
    let running = peer.start(folder, table)?;
    ask_some(&running, table)?;
    std::thread::sleep(Duration::from_secs(2));
    Ok(processes::memory(running.program.id())? as f64 / f64::from(1 << 20))
}

fn ask_some(running: &Running, table: &Table) -> Result<()> {
    let mut connection = Connection::open(running.http);
    for index in (0..table.size.hosts).step_by(table.size.hosts.div_ceil(200)) {
        let row = table.row(index);
        let response = connection.get(&row.host, &Table::sample_path(&row, "/128"));
        if response.status != 200 || response.body.len() != 128 {
            bail!("{} answers {}", row.host, response.status);
        }
    }
    Ok(())
}
