//! Paifang's data plane with a generated table: what is measured under the name `paifang`.
//!
//! It gets the model alone, as a gateway's own process does, and prints `ready` once everything is served. ([`crate::whole`] is the whole product.)

mod generate;

use std::io::BufRead;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
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
    serve(arguments, &runtime, &dataplane)?;
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
