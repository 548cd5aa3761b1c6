//! What waits for one collector, and whoever brings it there.

use crate::line::{Failure, Line, Rules};
use crate::otlp;
use model::{Collector, Text};
use observe::{Metrics, Traced};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Requests that wait for one collector; beyond it they are dropped and counted.
const MOST: usize = 4096;
/// Requests that are told at once.
const BATCH: usize = 256;
/// For a connection, from the name's resolution on.
const CONNECT: Duration = Duration::from_secs(8);
/// Between two attempts: at first, and at last.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// One collector's.
pub(crate) struct Courier {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    collector: Collector,
    state: Mutex<State>,
    wake: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Traced>,
    /// Spans that are being told.
    under_way: u64,
    /// What is wrong with the collector; `None`: it has answered, or has not been asked yet.
    fault: Option<String>,
}

/// Waiting between two attempts, longer each time.
struct Backoff(Duration);

// === impl Courier ===

impl Courier {
    pub fn start(collector: Collector, instance: Text, metrics: Arc<Metrics>, rules: Rules) -> Self {
        let shared = Arc::new(Shared { collector, state: Mutex::default(), wake: Notify::new(), metrics });
        let task = tokio::spawn(run(shared.clone(), instance, rules));
        Self { shared, task }
    }

    pub fn put(&self, traced: Traced) {
        {
            let mut state = self.shared.state();
            if state.waiting.len() < MOST {
                state.waiting.push_back(traced);
            } else {
                self.shared.metrics.spans_dropped(traced.spans());
            }
        }
        self.shared.wake.notify_one();
    }

    /// Whether something is still to be told, to a collector that answers.
    pub fn is_busy(&self) -> bool {
        let state = self.shared.state();
        state.fault.is_none() && (state.under_way > 0 || !state.waiting.is_empty())
    }

    pub fn fault(&self) -> Option<String> {
        self.shared.state().fault.clone()
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.task.abort();
        let mut state = self.shared.state();
        let left = state.under_way + state.waiting.drain(..).map(|it| it.spans()).sum::<u64>();
        if left > 0 {
            self.shared.metrics.spans_dropped(left);
        }
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next ones to tell, as soon as there are some.
    async fn batch(&self) -> Vec<Traced> {
        loop {
            {
                let mut state = self.state();
                let count = state.waiting.len().min(BATCH);
                if count > 0 {
                    let batch: Vec<Traced> = state.waiting.drain(..count).collect();
                    state.under_way = batch.iter().map(Traced::spans).sum();
                    return batch;
                }
            }
            self.wake.notified().await;
        }
    }

    fn done(&self) {
        self.state().under_way = 0;
    }

    fn answers(&self) {
        if self.state().fault.take().is_some() {
            tracing::info!(collector = %self.collector, "spans are taken again");
        }
    }

    fn fails(&self, why: &str) {
        self.metrics.span_export_failed();
        // Said once, however often it is tried.
        if self.state().fault.replace(why.to_owned()).is_none() {
            tracing::warn!(collector = %self.collector, %why, "spans cannot be told; requests go on, and what does not fit is dropped");
        }
    }
}

/// Tells what there is to tell, for as long as anybody wants it told.
async fn run(shared: Arc<Shared>, instance: Text, rules: Rules) {
    let mut backoff = Backoff(SHORTEST);
    let mut batch = Vec::new();
    loop {
        let opened = timeout(CONNECT, Line::open(&shared.collector, &rules)).await;
        match opened.unwrap_or_else(|_| Err("it does not answer".into())) {
            Ok(line) => {
                shared.answers();
                tell(&shared, line, &mut batch, &instance, &mut backoff).await;
            }
            Err(why) => shared.fails(&why),
        }
        backoff.pause().await;
    }
}

/// Tells batch after batch, until one could not be told now.
async fn tell(shared: &Shared, mut line: Line, batch: &mut Vec<Traced>, instance: &Text, backoff: &mut Backoff) {
    loop {
        if batch.is_empty() {
            *batch = shared.batch().await;
        }
        let spans: u64 = batch.iter().map(Traced::spans).sum();
        match line.send(otlp::request(batch, instance)).await {
            Ok(rejected) => {
                let (lost, why) = rejected.unwrap_or_default();
                shared.metrics.spans_sent(spans.saturating_sub(lost));
                if lost > 0 {
                    shared.metrics.spans_dropped(lost.min(spans));
                    tracing::debug!(collector = %shared.collector, lost, %why, "some spans were refused");
                }
                shared.answers();
                *backoff = Backoff(SHORTEST);
            }
            Err(failure) => {
                shared.fails(failure.why());
                if let Failure::Later(_) = failure {
                    return;
                }
                shared.metrics.spans_dropped(spans);
            }
        }
        batch.clear();
        shared.done();
    }
}

// === impl Backoff ===

impl Backoff {
    async fn pause(&mut self) {
        let jitter = self.0.mul_f64(fastrand::f64() / 4.0);
        sleep(self.0 + jitter).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
