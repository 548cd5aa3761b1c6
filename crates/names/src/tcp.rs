//! One TCP socket, and its connections.

use crate::answer::{Over, Zones, answer};
use crate::counters::{Counters, Outcome};
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections at a time: of all clients, and of one address.
const CONNECTIONS: usize = 256;
const OF_ONE: usize = 16;
/// For each question and its answer, the wait for it included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Questions of one connection.
const QUESTIONS: usize = 1_000;
/// The longest question that is read.
const LONGEST: usize = 4096;
/// After a failed accept, for example because no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections of each address.
type Clients = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Answers until dropped.
pub(crate) async fn serve(listener: TcpListener, own: IpAddr, zones: Zones, counters: Arc<Counters>) {
    let (mut under_way, clients) = (JoinSet::new(), Clients::default());
    loop {
        let (stream, client) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "DNS cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while under_way.try_join_next().is_some() {}
        // One too many is closed at once: whoever is let in is answered soon.
        let Some(place) = Place::of(client.ip(), &clients).filter(|_| under_way.len() < CONNECTIONS) else { continue };
        let (zones, counters) = (zones.clone(), counters.clone());
        under_way.spawn(async move {
            let _place = place;
            if let Err(error) = converse(stream, own, &zones, &counters).await {
                tracing::debug!(%error, %client, "a DNS connection");
            }
        });
    }
}

async fn converse(mut stream: TcpStream, own: IpAddr, zones: &Zones, counters: &Counters) -> io::Result<()> {
    for _ in 0..QUESTIONS {
        let exchanged = timeout(DEADLINE, exchange(&mut stream, own, zones, counters)).await;
        if !exchanged.unwrap_or(Ok(false))? {
            break;
        }
    }
    Ok(())
}

/// One question and its answer; `false`: that was the last.
async fn exchange(stream: &mut TcpStream, own: IpAddr, zones: &Zones, counters: &Counters) -> io::Result<bool> {
    let length = match stream.read_u16().await {
        Ok(length) => usize::from(length),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    };
    if length > LONGEST {
        counters.count(Over::Tcp, Outcome::Ignored);
        return Ok(false);
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).await?;
    let Some((reply, code)) = answer(zones, &packet, Over::Tcp, own) else {
        counters.count(Over::Tcp, Outcome::Ignored);
        return Ok(false);
    };
    counters.count(Over::Tcp, Outcome::Answered(code));
    let length = u16::try_from(reply.len()).unwrap_or(u16::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend(reply.into_iter().take(usize::from(length)));
    stream.write_all(&framed).await?;
    Ok(true)
}

/// A connection that is counted while this lives.
struct Place {
    client: IpAddr,
    clients: Clients,
}

// === impl Place ===

impl Place {
    fn of(client: IpAddr, clients: &Clients) -> Option<Self> {
        let mut all = clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(client).or_default();
        if *count >= OF_ONE {
            return None;
        }
        *count += 1;
        Some(Self { client, clients: clients.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.client);
            }
        }
    }
}
