//! The binary: arguments → role → wiring.
//!
//! It is *not* where anything is decided: each role joins parts that other crates bring.
//!
//! ```text
//! up ──────► store ► API server ─┐
//!                                ├─► serve: control ► data plane, admin address, screen
//! control ─► a cluster's API ────┘
//! console ─► console, before a cluster's API
//! check, explain, get, crds ─► cli        demo ─► demo        reference ─► the crates that do the work
//! backup, restore ─► store
//! ```

mod admit;
mod backup;
mod console;
mod fault;
mod people;
mod pods;
mod reference;
mod samples;
mod screen;
mod serve;
mod sign_in;
mod signals;
mod spans;
mod up;

use clap::Parser;
use cli::Exit;
use cli::args::{CheckOutput, Cli, Command, DemoArgs, VersionArgs};
use cli::text::{Paint, Style};
use fault::Fault;
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    without_huge_pages();
    // Two libraries could be the provider; only the first to be installed is.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(cli.command) {
        Ok(exit) => exit.into(),
        Err(fault) if fault.is_unread() => Exit::Done.into(),
        Err(fault) => {
            eprintln!("{}: {}", Paint::of(&std::io::stderr()).paint(Style::Error, "error"), fault.message());
            fault.exit.into()
        }
    }
}

/// The allocator asks for huge pages, and after a start half of each is empty. A kernel that knows none is no matter.
fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}

fn run(command: Command) -> Result<Exit, Fault> {
    match command {
        Command::Check(args) => block_on(async move { Ok(cli::check::run(&args).await?) }),
        Command::Crds(args) => Ok(cli::crds::run(&args)?),
        Command::Version(args) => version(&args),
        Command::Reference { page } => reference::print(page),
        Command::Explain(args) => block_on(async move { Ok(cli::explain::run(&args).await?) }),
        Command::Get(args) => block_on(async move { Ok(cli::get::run(&args).await?) }),
        Command::User(args) => block_on(async move { Ok(cli::people::user(&args).await?) }),
        Command::Workspace(args) => block_on(async move { Ok(cli::people::workspace(&args).await?) }),
        Command::Project(args) => block_on(async move { Ok(cli::people::project(&args).await?) }),
        Command::Role(args) => block_on(async move { Ok(cli::people::role(&args).await?) }),
        Command::Invite(args) => block_on(async move { Ok(cli::people::invite(&args).await?) }),
        Command::Login(args) => block_on(async move { Ok(cli::people::login(&args).await?) }),
        Command::Backup(args) => block_on(backup::backup(args)),
        Command::Restore(args) => block_on(backup::restore(args)),
        Command::Demo(args) => block_on(demo(args)),
        Command::Console(args) => block_on(console::alone::run(*args)),
        Command::Up(args) => block_on(up::run(*args)),
        Command::Control(args) => block_on(serve::control(*args)),
    }
}

fn block_on(role: impl Future<Output = Result<Exit, Fault>> + Send + 'static) -> Result<Exit, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("control").enable_all().build()?;
    // On a runtime's own thread, so that what it spawns does not cross threads at every wake-up.
    let result = runtime.block_on(async { tokio::spawn(role).await });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result.unwrap_or_else(|error| Err(Fault::failed(format!("a bug: {error}"))))
}

async fn demo(args: DemoArgs) -> Result<Exit, Fault> {
    let ports = if args.port == 0 { demo::Ports::ANY } else { demo::Ports::from(args.port) };
    let running =
        demo::start(demo::Options { address: args.address, ports }).await.map_err(|error| Fault::cannot_listen(error.to_string()))?;
    eprint!("{}", screen::demo(&running, Paint::of(&std::io::stderr())));
    signals::stop().await;
    running.shutdown().await;
    Ok(Exit::Done)
}

fn version(args: &VersionArgs) -> Result<Exit, Fault> {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = std::io::stdout().lock();
    match args.output {
        CheckOutput::Json => writeln!(out, "{}", serde_json::json!({ "version": version }))?,
        CheckOutput::Text => writeln!(out, "paifang {version}")?,
    }
    Ok(Exit::Done)
}

/// Logs are for operators: warnings by default, more with `RUST_LOG`.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let colour = Paint::of(&std::io::stderr()) == Paint::Colour;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).with_target(false).init();
}
