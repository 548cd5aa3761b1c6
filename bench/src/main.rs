//! Paired benchmarks: one per promise, always against nginx in the same run (HAProxy too where it is installed).
//!
//! It measures the `proxy` crate with a generated routing table, without any Kubernetes; edits are measured with the whole product. It is *not* a
//! load test of a machine: the proxy has one worker on core 0, load and origin share core 1, and what counts is the ratio of same-round figures,
//! never a figure alone.
//!
//! ```text
//! bench ─► table (same for all) ─► peers: paifang (`bench subject`; for edits `paifang up`), nginx, haproxy     core 0
//!       └► rounds, alternating ──► `bench load` ─► peer ─► `bench origin`               core 1
//!                                        └► CPU of all threads and children ÷ requests ─► report
//! ```
//!
//! **Invariant:** a round with an answer other than 2xx, or a broken connection, is void: it is shown, and never counts.

mod api;
mod certificates;
mod edit;
mod load;
mod marks;
mod memory;
mod origin;
mod peers;
mod processes;
mod report;
mod subject;
mod table;
mod throughput;
mod whole;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As in the `paifang` binary: memory is part of what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench", about = "Compare Paifang with nginx, and HAProxy where installed.")]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,

    #[command(flatten)]
    run: marks::Arguments,
}

/// What this binary is within a benchmark.
#[derive(Debug, Subcommand)]
enum Role {
    /// Compare the embedded API with etcd and kube-apiserver, and its store with bare redb.
    Api(api::Arguments),
    /// The upstream.
    #[command(hide = true)]
    Origin(origin::Arguments),
    /// The load generator.
    #[command(hide = true)]
    Load(load::Arguments),
    /// Paifang's data plane with a generated table.
    #[command(hide = true)]
    Subject(subject::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Two libraries could be the provider; only the first to be installed is.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let done = match &arguments.role {
        None => marks::run(&arguments.run),
        Some(Role::Api(arguments)) => api::run(arguments),
        Some(Role::Origin(arguments)) => origin::run(arguments),
        Some(Role::Load(arguments)) => load::run(arguments),
        Some(Role::Subject(arguments)) => subject::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
