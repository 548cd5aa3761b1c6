//! A gateway in a pod of its own: the data plane, and the link to control.
//!
//! It knows no Kubernetes, and has no rights in a cluster: what it serves comes over the link, and the token that it shows there is good for
//! nothing else. It keeps the last that it was told while control is away.
//!
//! ```text
//! control ══ sync ══► Plane: proxy::Dataplane      admin address: /livez, /readyz, /metrics
//!                                                  to the pod itself: what the console shows
//! ```
//!
//! **Invariant:** it is not ready before it serves everything that it was to have when it connected first.

mod beside;
mod plane;

use anyhow::Context;
use clap::Parser;
use observe::{Admin, History, Sink};
use plane::Plane;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use sync::{Authorities, Bootstrap, Families, FollowOptions, LinkState};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The gateway's part in a pod: serves what `paifang control` tells it.
#[derive(Debug, Parser)]
#[command(name = "paifang-gateway", version, after_help = EXIT_CODES)]
struct Arguments {
    /// Where control is
    #[arg(long, env = "PAIFANG_CONTROL", value_name = "HOST:PORT")]
    control: String,
    /// Who signs control's certificate: PEM
    #[arg(long, env = "PAIFANG_AUTHORITY", value_name = "PEM", conflicts_with = "authority_file", hide_env_values = true)]
    authority: Option<String>,
    /// The same, in a file
    #[arg(long, value_name = "FILE", required_unless_present = "authority")]
    authority_file: Option<PathBuf>,
    /// A ServiceAccount's token for the audience `paifang-gateway`: proves to control which gateway this is
    #[arg(long, env = "PAIFANG_TOKEN_FILE", value_name = "FILE", default_value = "/var/run/secrets/paifang/token")]
    token_file: PathBuf,
    /// Metrics and health endpoints
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:19090")]
    admin_address: SocketAddr,
    /// This pod's own address, which no backend may have together with the admin port
    #[arg(long, env = "POD_IP", value_name = "IP")]
    pod_address: Option<IpAddr>,
    /// What this gateway is called in control's messages [default: the host's name]
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    instance: Option<String>,
    /// One JSON line per request: a file, `-` for standard output, or `none`
    #[arg(long, value_name = "PATH", default_value = "-")]
    access_log: String,
    /// Threads that serve requests [default: one per CPU that this process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// How long new connections are still taken when stopping, while nobody is led here any more
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    linger: u64,
    /// How long requests under way may take after that
    #[arg(long, value_name = "SECONDS", default_value_t = 25)]
    drain: u64,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    stopped as asked
  1    it failed
  2    the command line is not understood
  130  interrupted twice";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    // Two libraries could be the provider; only the first to be installed is.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("link").enable_all().build();
    let result = runtime.context("no runtime").and_then(|runtime| {
        let result = runtime.block_on(async { tokio::spawn(run(arguments)).await });
        runtime.shutdown_timeout(Duration::from_secs(2));
        result.context("a bug").flatten()
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let admin = Admin::bind(arguments.admin_address).await;
    let admin = admin.with_context(|| format!("the admin address {} cannot be listened on", arguments.admin_address))?;
    let own = own(admin.address()?, arguments.pod_address);
    let plane = Arc::new(Plane::start(dataplane(&arguments), own).context("the data plane does not start")?);
    let (state, draining) = (Arc::new(watch::Sender::new(LinkState::default())), Arc::new(AtomicBool::new(false)));
    let ready = {
        let (state, draining) = (state.clone(), draining.clone());
        move || state.borrow().version.is_some() && !draining.load(Ordering::Relaxed)
    };
    let history = Arc::new(History::new(plane.metrics()));
    let told = beside::Told { plane: plane.clone(), history: history.clone() };
    let admin = tokio::spawn(admin.beside(move |target| told.answer(target)).serve(plane.metrics(), ready));
    let remembering = tokio::spawn(observe::remember(history));
    let link = {
        let (plane, options) = (plane.clone(), options(&arguments)?);
        tokio::spawn(async move { sync::follow(&options, &*plane, &state).await })
    };
    let (stop_spans, spans_stop) = oneshot::channel::<()>();
    let spans = {
        // Control does not hear what is wrong with a collector; metrics and the log tell.
        let (exporter, faults) = (plane.exporter(&instance(&arguments)), watch::Sender::default());
        tokio::spawn(exporter.run(faults, async move { drop(spans_stop.await) }))
    };
    stopped().await?;
    draining.store(true, Ordering::Relaxed);
    eprintln!("stopping: requests under way may finish");
    // Whoever leads clients here takes a moment to hear that this gateway is not ready any more.
    tokio::time::sleep(Duration::from_secs(arguments.linger)).await;
    link.abort();
    // Aborted, which is no news.
    let _ = link.await;
    plane.drain(Duration::from_secs(arguments.drain)).await;
    drop(stop_spans);
    // A panic has been reported where it happened.
    let _ = spans.await;
    remembering.abort();
    admin.abort();
    let _ = admin.await;
    // Joining the workers' threads blocks.
    tokio::task::spawn_blocking(move || drop(plane)).await.context("a bug")
}

/// Sockets of this process that no backend may have. By address: a pod elsewhere may use the same port.
fn own(admin: SocketAddr, pod: Option<IpAddr>) -> Vec<SocketAddr> {
    if !admin.ip().is_unspecified() {
        return vec![admin];
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    std::iter::once(loopback).chain(pod).map(|ip| SocketAddr::new(ip, admin.port())).collect()
}

fn dataplane(arguments: &Arguments) -> proxy::Options {
    let access_log = match arguments.access_log.as_str() {
        "none" => Sink::None,
        "-" => Sink::Stdout,
        path => Sink::File(path.into()),
    };
    let workers = arguments.workers.and_then(|it| NonZeroUsize::new(it.into()));
    proxy::Options { workers, access_log, ..proxy::Options::default() }
}

fn options(arguments: &Arguments) -> anyhow::Result<FollowOptions> {
    let authority = match (&arguments.authority_file, &arguments.authority) {
        (Some(file), _) => Authorities::File(file.clone()),
        (None, Some(pem)) => Authorities::Pem(pem.clone()),
        (None, None) => anyhow::bail!("say with --authority or --authority-file who signs control's certificate"),
    };
    // A machine without IPv6 has no such socket.
    let v6 = std::net::UdpSocket::bind(("::1", 0)).is_ok() || std::net::UdpSocket::bind(("::", 0)).is_ok();
    Ok(FollowOptions {
        control: arguments.control.clone(),
        bootstrap: Bootstrap { authority, token: arguments.token_file.clone() },
        instance: instance(arguments),
        families: if v6 { Families::Both } else { Families::V4 },
    })
}

/// What this gateway is called, where several are one.
fn instance(arguments: &Arguments) -> String {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    arguments.instance.clone().unwrap_or_else(host)
}

/// Waits for the signal to stop; a second one ends the process at once.
async fn stopped() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        interrupt.recv().await;
        std::process::exit(130);
    });
    Ok(())
}

/// Logs are for operators: warnings by default, more with `RUST_LOG`.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).with_target(false).init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_guide_names_every_option() {
        let command = Arguments::command();
        command.clone().debug_assert();
        for page in ["cluster.md", "zh/cluster.md"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide").join(page);
            let text = std::fs::read_to_string(path).expect("the page is there");
            for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(text.contains(&format!("`--{option}`")), "{page} does not name --{option}");
            }
        }
    }

    #[test]
    fn own_sockets_are_refused_at_this_pod_s_addresses_alone() {
        let own = |admin: &str, pod: Option<&str>| own(admin.parse().expect("an address"), pod.map(|it| it.parse().expect("an address")));
        let sockets = |all: &[&str]| all.iter().map(|it| it.parse().expect("an address")).collect::<Vec<SocketAddr>>();
        assert_eq!(own("0.0.0.0:19090", Some("10.0.0.1")), sockets(&["127.0.0.1:19090", "10.0.0.1:19090"]));
        assert_eq!(own("0.0.0.0:19090", None), sockets(&["127.0.0.1:19090"]));
        assert_eq!(own("10.0.0.1:19090", Some("10.0.0.1")), sockets(&["10.0.0.1:19090"]));
    }
}
