//! Paifang's data plane with a generated table: what is measured under the name `paifang`.
//!
//! Told where edits lead, it starts from Kubernetes objects, and translates; else it gets the model alone, as a gateway's own process does.
//! It prints `ready` once everything is served; then each line, a host's index, sends that host to where edits lead.

mod generate;
mod objects;

use std::io::BufRead;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use model::{Ack, Egress, Update};
use objects::World;
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
    /// Where edited hosts go.
    #[arg(long)]
    second: Option<SocketAddr>,
    /// Where the certificates are.
    #[arg(long)]
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let dataplane = proxy::start(options())?;
    match arguments.second {
        None => serve(arguments, &runtime, &dataplane)?,
        Some(second) => serve_and_edit(arguments, second, &runtime, &dataplane)?,
    }
    dataplane.shutdown();
    Ok(())
}

fn serve(arguments: &Arguments, runtime: &Runtime, dataplane: &Dataplane) -> Result<()> {
    for update in generate::updates(arguments)? {
        apply(runtime, dataplane, update?)?;
    }
    println!("ready");
    // Until whoever started us goes.
    std::io::stdin().lock().lines().for_each(drop);
    Ok(())
}

fn serve_and_edit(arguments: &Arguments, second: SocketAddr, runtime: &Runtime, dataplane: &Dataplane) -> Result<()> {
    let mut world = World::new(arguments, second);
    apply(runtime, dataplane, world.whole(arguments))?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let update = world.edit(line?.parse()?)?;
        apply(runtime, dataplane, update)?;
    }
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
