//! One UDP socket.

use crate::answer::{Over, Zones, answer, short};
use crate::counters::{Counters, Outcome};
use crate::limit::{Limiter, Verdict};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// For each network: in a second for long, and at once.
const RATE: u32 = 200;
const BURST: u32 = 400;

/// The longest question that is read; what is longer is none.
const LONGEST: usize = 4096;

/// After an error of the socket: one that an earlier answer met at its client, mostly.
const PAUSE: Duration = Duration::from_millis(5);

/// Others get their turn after so many.
const IN_A_ROW: usize = 64;

/// Answers until dropped.
///
/// **Invariant:** one packet leads to one packet at most, and nothing is kept of it.
pub(crate) async fn serve(socket: UdpSocket, own: IpAddr, zones: Zones, counters: Arc<Counters>) {
    let mut limiter = Limiter::new(RATE, BURST, Instant::now());
    let mut buffer = vec![0; LONGEST + 1];
    let mut in_a_row = 0;
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "a DNS socket");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let packet = buffer.get(..length).filter(|it| it.len() <= LONGEST).unwrap_or_default();
        let (reply, outcome) = match limiter.judge(client.ip(), Instant::now()) {
            Verdict::Answer => match answer(&zones, packet, Over::Udp, own) {
                Some((reply, code)) => (Some(reply), Outcome::Answered(code)),
                None => (None, Outcome::Ignored),
            },
            Verdict::Short => (short(packet), Outcome::Limited),
            Verdict::Nothing => (None, Outcome::Limited),
        };
        counters.count(Over::Udp, outcome);
        // What does not fit into the socket's buffer is asked again; waiting for it would let others wait.
        if let Some(Err(error)) = reply.map(|it| socket.try_send_to(&it, client)) {
            tracing::debug!(%error, %client, "a DNS answer was not sent");
        }
        in_a_row += 1;
        if in_a_row % IN_A_ROW == 0 {
            tokio::task::yield_now().await;
        }
    }
}
