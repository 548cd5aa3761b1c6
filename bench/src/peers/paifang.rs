//! Paifang's data plane: `bench subject`, which is told its table by arguments.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::processes::{PROXY_CORE, Program, ourselves};
use crate::table::Table;

pub fn start(folder: &Path, table: &Table, http: SocketAddr, https: SocketAddr) -> Result<Program> {
    let size = &table.size;
    let mut command = ourselves("subject")?;
    command.arg("--folder").arg(folder);
    for (name, value) in [("--http", http), ("--https", https), ("--origin", table.origin)] {
        command.arg(name).arg(value.to_string());
    }
    for (name, value) in [
        ("--hosts", size.hosts),
        ("--backends", size.backends),
        ("--certificates", size.certificates),
        ("--regex-percent", size.regex_percent),
    ] {
        command.arg(name).arg(value.to_string());
    }
    let program = Program::start(PROXY_CORE, &command, None)?;
    match program.line(Duration::from_secs(60))?.as_str() {
        "ready" => Ok(program),
        line => bail!("bench subject: {line}"),
    }
}
