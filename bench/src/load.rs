//! The load: a fixed number of kept connections, each with one request at a time, spread over the hosts.
//!
//! Every connection warms up first; then the program says `warm` and waits for a line, so that whoever measures reads the proxy's clock with
//! connections and handshakes behind it.

use std::cell::Cell;
use std::io::BufRead;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsConnector;

use crate::table;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[arg(long)]
    target: SocketAddr,
    #[arg(long)]
    tls: bool,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
    #[arg(long)]
    hosts: usize,
    #[arg(long)]
    path: String,
}

/// Requests of each connection before it counts as warm.
const WARM_UP: usize = 10;

/// A connection that waits longer is broken.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Counts {
    warm: Cell<usize>,
    requests: Cell<u64>,
    octets: Cell<u64>,
    not_2xx: Cell<u64>,
    broken: Cell<u64>,
}

/// Prints `warm`, waits for a line, prints the counts as JSON.
pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, drive(arguments))
}

async fn drive(arguments: &Arguments) -> Result<()> {
    let counts = Rc::new(Counts::default());
    let (start, started) = watch::channel(None);
    let connector = arguments.tls.then(connector).transpose()?;
    let mut tasks = Vec::new();
    for index in 0..arguments.connections {
        let host = table::host(index % arguments.hosts);
        let request = format!("GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", arguments.path);
        let (counts, started, connector) = (counts.clone(), started.clone(), connector.clone());
        let target = arguments.target;
        tasks.push(tokio::task::spawn_local(async move {
            let talk = connection(target, connector, host, request, &counts, started);
            if talk.await.is_err() {
                counts.broken.set(counts.broken.get() + 1);
            }
        }));
    }
    let deadline = Instant::now() + 3 * PATIENCE;
    while counts.warm.get() + (counts.broken.get() as usize) < arguments.connections {
        if Instant::now() > deadline {
            bail!("only {} of {} connections are warm", counts.warm.get(), arguments.connections);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("warm");
    a_line().await?;
    counts.requests.set(0);
    counts.octets.set(0);
    let begun = Instant::now();
    start.send_replace(Some(begun + Duration::from_secs_f64(arguments.seconds)));
    for task in tasks {
        task.await?;
    }
    let counted = json!({
        "requests": counts.requests.get(), "octets": counts.octets.get(), "not_2xx": counts.not_2xx.get(),
        "broken": counts.broken.get(), "seconds": begun.elapsed().as_secs_f64(),
    });
    println!("{counted}");
    Ok(())
}

/// A line of the standard input, read on a thread of its own.
async fn a_line() -> Result<()> {
    let (sender, line) = oneshot::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = sender.send(std::io::stdin().lock().read_line(&mut text));
    });
    line.await.context("the reading thread lives")??;
    Ok(())
}

async fn connection(
    target: SocketAddr,
    connector: Option<TlsConnector>,
    host: String,
    request: String,
    counts: &Counts,
    started: watch::Receiver<Option<Instant>>,
) -> Result<()> {
    let stream = tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await??;
    stream.set_nodelay(true)?;
    match connector {
        None => exchange(stream, &request, counts, started).await,
        Some(connector) => {
            let stream = tokio::time::timeout(PATIENCE, connector.connect(ServerName::try_from(host)?, stream)).await??;
            exchange(stream, &request, counts, started).await
        }
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
    counts: &Counts,
    mut started: watch::Receiver<Option<Instant>>,
) -> Result<()> {
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..WARM_UP {
        one(&mut stream, request, &mut buffer, counts).await?;
    }
    counts.warm.set(counts.warm.get() + 1);
    let until = started.wait_for(Option::is_some).await?.context("a time")?;
    while Instant::now() < until {
        one(&mut stream, request, &mut buffer, counts).await?;
    }
    Ok(())
}

/// One request and its whole answer.
async fn one(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str, buffer: &mut [u8], counts: &Counts) -> Result<()> {
    stream.write_all(request.as_bytes()).await?;
    let mut filled = 0;
    let (head, length) = loop {
        let n = stream.read(&mut buffer[filled..]).await?;
        if n == 0 {
            bail!("closed within a head");
        }
        filled += n;
        if let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
            break (end + 4, content_length(&buffer[..end])?);
        }
    };
    let is_2xx = buffer.starts_with(b"HTTP/1.1 2");
    let mut left = length.checked_sub(filled - head).context("more than one answer")?;
    while left > 0 {
        let n = stream.read(buffer).await?;
        if n == 0 {
            bail!("closed within a body");
        }
        left = left.checked_sub(n).context("more than one answer")?;
    }
    counts.requests.set(counts.requests.get() + 1);
    counts.octets.set(counts.octets.get() + length as u64);
    if !is_2xx {
        counts.not_2xx.set(counts.not_2xx.get() + 1);
    }
    Ok(())
}

fn content_length(head: &[u8]) -> Result<usize> {
    const NAME: &[u8] = b"\ncontent-length:";
    let at = head.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME)).context("an answer without Content-Length")?;
    let rest = &head[at + NAME.len()..];
    let line = rest.split(|octet| *octet == b'\r').next().unwrap_or_default();
    Ok(std::str::from_utf8(line)?.trim().parse()?)
}

/// The certificate is not what is measured: any will do.
fn connector() -> Result<TlsConnector> {
    Ok(TlsConnector::from(Arc::new(tls::unjudged(&[])?)))
}
