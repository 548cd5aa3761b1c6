//! Paifang's data plane with a generated table: what is measured under the name `paifang`.
//!
//! It prints `ready` once everything is served; then each line `HOST-INDEX ORIGIN` sends that host elsewhere.

mod generate;

use std::io::BufRead;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use model::{Ack, Egress, Update};
use proxy::{Dataplane, Limits, Options};
use tokio::runtime::Runtime;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let dataplane = proxy::start(options())?;
    let mut sequence = 0;
    for update in generate::updates(arguments)? {
        let update = update?;
        sequence = update.version.sequence;
        apply(&runtime, &dataplane, update)?;
    }
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (index, origin) = line.split_once(' ').context("a line is HOST-INDEX ORIGIN")?;
        sequence += 1;
        let update = generate::edit(arguments, sequence, index.parse()?, origin.parse()?)?;
        apply(&runtime, &dataplane, update)?;
    }
    dataplane.shutdown();
    Ok(())
}

/// One worker, and no bound that the others are not given, too.
fn options() -> Options {
    let limits = Limits {
        requests_per_connection: u32::MAX,
        connection_age: Duration::from_secs(86_400),
        idle: Duration::from_secs(600),
        connections_per_listener: Some(8_000),
        ..Limits::default()
    };
    Options { workers: NonZeroUsize::new(1), egress: Egress::default(), limits, ..Options::default() }
}

fn apply(runtime: &Runtime, dataplane: &Dataplane, update: Update) -> Result<()> {
    let Ack { bindings, nacks, .. } = runtime.block_on(dataplane.apply(update));
    for binding in bindings {
        if let Err(why) = binding.bound {
            bail!("{} is not bound: {why}", binding.address);
        }
    }
    match nacks.first() {
        Some(nack) => bail!("{} is not served: {}", nack.shard, nack.message),
        None => Ok(()),
    }
}
