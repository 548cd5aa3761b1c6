//! A steady stream of requests, each with a name of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use testkit::client::Connection;

const THREADS: usize = 4;

/// Running until finished.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Sent>>,
}

#[derive(Default)]
pub struct Sent {
    pub ids: Vec<String>,
    /// What was not answered with 200.
    pub failures: Vec<String>,
}

impl Load {
    /// `rate`: requests a second, all threads together.
    pub fn start(to: SocketAddr, host: &str, rate: u32) -> Self {
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let pause = Duration::from_secs(1) * u32::try_from(THREADS).expect("few") / rate;
        let thread = |_| {
            let (stop, next, host) = (stop.clone(), next.clone(), host.to_owned());
            std::thread::spawn(move || send(to, &host, &stop, &next, pause))
        };
        Self { threads: (0..THREADS).map(thread).collect(), stop }
    }

    pub fn finish(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for thread in self.threads {
            let sent = thread.join().expect("sending does not panic");
            all.ids.extend(sent.ids);
            all.failures.extend(sent.failures);
        }
        all
    }
}

fn send(to: SocketAddr, host: &str, stop: &AtomicBool, next: &AtomicUsize, pause: Duration) -> Sent {
    let (mut sent, mut kept) = (Sent::default(), None);
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let id = format!("id-{n}");
        // Every fifth on a connection of its own, every third a POST.
        let fresh = n.is_multiple_of(5);
        let mut connection = kept.take().filter(|_| !fresh).unwrap_or_else(|| Connection::open(to));
        let (method, body) = if n.is_multiple_of(3) { ("POST", "a body") } else { ("GET", "") };
        let request = format!("{method} / HTTP/1.1\r\nHost: {host}\r\nX-Id: {id}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        match connection.try_send(request).map(|()| connection.any_response(method)) {
            Ok(Ok(response)) if response.status == 200 => {
                let ends = response.get("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
                kept = Some(connection).filter(|_| !ends && !fresh);
            }
            Ok(Ok(response)) => sent.failures.push(format!("{method} {id}: {} {:?}", response.status, response.get("x-paifang-reason"))),
            Ok(Err(error)) => sent.failures.push(format!("{method} {id}: {error:?}")),
            Err(error) => sent.failures.push(format!("{method} {id}: {error}")),
        }
        sent.ids.push(id);
        due += pause;
        sleep(due.saturating_duration_since(Instant::now()));
    }
    sent
}
