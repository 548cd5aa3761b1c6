//! The upstream: as little work per request as a correct HTTP/1.1 server can do.
//!
//! `/128` has a body of 128 octets, `/1m` of 1 MiB; every other path answers the origin's name. `/128` and `/1m` may follow any prefix.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What it answers beside the measured bodies.
    #[arg(long)]
    name: String,
}

struct Answers {
    small: Vec<u8>,
    large: Vec<u8>,
    name: Vec<u8>,
}

/// Prints its address, then serves until it is ended.
pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let answers =
        Rc::new(Answers { small: answer(&[b'x'; 128]), large: answer(&vec![b'x'; 1 << 20]), name: answer(arguments.name.as_bytes()) });
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(serve(stream, answers.clone()));
        }
    })
}

fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Requests have no body, so each ends with its head.
async fn serve(mut stream: TcpStream, answers: Rc<Answers>) {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        match stream.read_buf(&mut buffer).await {
            Ok(n) if n > 0 => {}
            _ => return,
        }
        while let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let target = buffer.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
            let answer = match target {
                _ if target.ends_with(b"/128") => &answers.small,
                _ if target.ends_with(b"/1m") => &answers.large,
                _ => &answers.name,
            };
            if stream.write_all(answer).await.is_err() {
                return;
            }
            buffer.drain(..end + 4);
        }
        if buffer.len() > 1 << 16 {
            return;
        }
    }
}
