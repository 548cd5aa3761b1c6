//! The project's chores: `cargo xtask NAME`.
//!
//! It depends on no crate of ours, so that it builds in seconds and works while they do not compile: what needs our code runs the
//! `paifang` binary or a test.
//!
//! ```text
//! up ────► build the console (npm) ─► build paifang (profile quick) ─► becomes `paifang up --demo`
//! test ──► build the console ─► its units ─► build paifang (profile quick) ─► cargo test --workspace
//! bench ─► build bench (profile quick) ───► becomes `bench`
//! oracle ► a real kube-apiserver ─► the tables that tests of the API compare with
//! golden ► cargo test --test golden        gen ► paifang reference        shape ► reads the tree
//! ```

mod application;
mod build;
mod chores;
mod console;
mod generate;
mod shape;
mod suite;
mod tally;
mod tools;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's chores.")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build Paifang and start it on this machine with the sample backends.
    Up(up::Arguments),
    /// Run the whole test suite.
    Test(suite::Arguments),
    /// Run the tests that take minutes: the store's files under 2,000 kills and power cuts.
    Nightly(suite::NightlyArguments),
    /// Ask a real kube-apiserver for the answers that the embedded API's tests compare with, and write them down.
    Oracle(suite::OracleArguments),
    /// Compare with nginx, and HAProxy where installed.
    Bench(chores::BenchArguments),
    /// Run the golden cases.
    Golden(chores::GoldenArguments),
    /// Write the reference pages from the code.
    Gen(generate::Arguments),
    /// Print how long files and functions are.
    Shape,
    /// Check licences, advisories and sources of dependencies.
    Deny,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Up(arguments) => up::run(&arguments),
        Chore::Test(arguments) => suite::run(&arguments),
        Chore::Nightly(arguments) => suite::nightly(&arguments),
        Chore::Oracle(arguments) => suite::oracle(&arguments),
        Chore::Bench(arguments) => chores::bench(&arguments),
        Chore::Golden(arguments) => chores::golden(&arguments),
        Chore::Gen(arguments) => generate::run(&arguments),
        Chore::Shape => shape::run(),
        Chore::Deny => chores::deny(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
