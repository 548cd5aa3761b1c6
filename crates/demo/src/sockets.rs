//! TCP and UDP echo.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::serve;

/// Silence after which a TCP connection ends.
const IDLE: Duration = Duration::from_secs(300);

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
