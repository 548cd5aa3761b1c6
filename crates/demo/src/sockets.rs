//! TCP and UDP echo.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::serve;

/// Silence after which a TCP connection ends.
const IDLE: Duration = Duration::from_secs(300);

/// The longest line that is answered; a longer one ends the connection.
const LINE: u64 = 64 << 10;

/// Sends back each line after a word and a space, until the client closes its side.
pub async fn lines(listener: TcpListener, prefix: String, stopped: watch::Receiver<bool>) {
    let prefix: Arc<str> = format!("{prefix} ").into();
    serve::accept(listener, stopped, move |stream, _| echo_lines(stream, prefix.clone())).await;
}

async fn echo_lines(mut stream: TcpStream, prefix: Arc<str>) {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut answer = prefix.as_bytes().to_vec();
        let mut line = (&mut reading).take(LINE);
        match timeout(IDLE, line.read_until(b'\n', &mut answer)).await {
            Ok(Ok(_)) if answer.ends_with(b"\n") => {
                let Ok(Ok(())) = timeout(IDLE, writing.write_all(&answer)).await else { return };
            }
            // An end without a line feed is no line.
            _ => return,
        }
    }
}

/// Sends back what comes, until the client closes its side.
pub async fn tcp(listener: TcpListener, stopped: watch::Receiver<bool>) {
    serve::accept(listener, stopped, echo).await;
}

async fn echo(mut stream: TcpStream, _: SocketAddr) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match timeout(IDLE, stream.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => {
                let Ok(Ok(())) = timeout(IDLE, stream.write_all(&buffer[..n])).await else { return };
            }
            _ => return,
        }
    }
}

/// Sends each datagram back once, unchanged.
///
/// **Invariant:** an answer is never larger than its question, and none goes to another echo's well-known port (7) or
/// to itself, so two echoes cannot be set on each other.
pub async fn udp(socket: UdpSocket, mut stopped: watch::Receiver<bool>) {
    let own = socket.local_addr().ok();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let received = tokio::select! {
            () = serve::stop(&mut stopped) => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        // An error here belongs to an earlier answer (its port was closed); the socket stays good.
        let Ok((n, from)) = received else { continue };
        if from.port() == 7 || Some(from) == own {
            continue;
        }
        let _ = timeout(Duration::from_secs(1), socket.send_to(&buffer[..n], from)).await;
    }
}
