//! Collectors of spans are told, as long as this process serves.

use proxy::Dataplane;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use trace::{Exporter, Faults};

/// Whoever tells them.
pub struct Spans {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

// === impl Spans ===

impl Spans {
    /// Begins; the channel says what is wrong with collectors.
    pub fn start(dataplane: &Arc<Dataplane>, instance: &str) -> (Self, watch::Receiver<Faults>) {
        let (told, faults) = watch::channel(Faults::default());
        let (stop, stopped) = oneshot::channel();
        let (rules, served) = (dataplane.clone(), dataplane.clone());
        let exporter = Exporter {
            spans: dataplane.spans().clone(),
            metrics: dataplane.metrics().clone(),
            instance: instance.into(),
            egress: Arc::new(move || rules.egress()),
            wanted: Box::new(move || served.collectors()),
        };
        // Dropped or sent, it is a stop.
        let stopped = async move { drop(stopped.await) };
        (Self { stop, task: tokio::spawn(exporter.run(told, stopped)) }, faults)
    }

    /// Tells what is left, to those who take it at once.
    pub async fn stop(self) {
        drop(self.stop);
        // A panic has been reported where it happened.
        let _ = self.task.await;
    }
}
