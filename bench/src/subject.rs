//! Paifang's data plane with a generated table: what is measured under the name `paifang`.
//!
//! It prints `ready` once everything is served; then each line `HOST-INDEX ORIGIN` sends that host elsewhere.

mod generate;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use crate::table::Size;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    size: Size,
    #[arg(long)]
    origin: SocketAddr,
    #[arg(long)]
    http: SocketAddr,
    #[arg(long)]
    https: SocketAddr,
    /// Where the certificates are.
    #[arg(long)]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let _ = generate::updates(arguments)?.count();
    anyhow::bail!("no proxy")
}
