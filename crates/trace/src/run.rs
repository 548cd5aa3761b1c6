//! Who tells whom: one courier for each collector that gateways name.

use crate::courier::Courier;
use crate::line::Rules;
use model::{Collector, Text};
use observe::{Metrics, Spans};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a span waits at most before it is told, to a collector that answers.
const PERIOD: Duration = Duration::from_secs(1);

/// When stopping, so long is waited for what is left, and so often looked whether it is told.
const LAST: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);

/// What is wrong with collectors; those that answer are not in it.
pub type Faults = BTreeMap<Collector, String>;

/// What the part that tells needs of the part that serves.
pub struct Exporter {
    pub spans: Arc<Spans>,
    pub metrics: Arc<Metrics>,
    /// What tells this process from others of the same gateway: `service.instance.id`.
    pub instance: Text,
    /// What may not be connected to, as it is at the moment.
    pub egress: Rules,
    /// The collectors that gateways name, as it is at the moment.
    pub wanted: Box<dyn Fn() -> BTreeSet<Collector> + Send + Sync>,
}

// === impl Exporter ===

impl Exporter {
    /// Tells until asked to stop; then what is left, to those who take it at once.
    pub async fn run(self, faults: watch::Sender<Faults>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut couriers: BTreeMap<Collector, Courier> = BTreeMap::new();
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.spans.many() => {}
                () = &mut stop => break,
            }
            self.look(&mut couriers);
            let now: Faults = couriers.iter().filter_map(|(collector, it)| Some((collector.clone(), it.fault()?))).collect();
            faults.send_if_modified(|it| {
                let modified = *it != now;
                *it = now;
                modified
            });
        }
        self.look(&mut couriers);
        let until = tokio::time::Instant::now() + LAST;
        while couriers.values().any(Courier::is_busy) && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn look(&self, couriers: &mut BTreeMap<Collector, Courier>) {
        let wanted = (self.wanted)();
        // What was sampled before a gateway changed its collector is still told.
        couriers.retain(|collector, it| wanted.contains(collector) || it.is_busy());
        for collector in &wanted {
            if !couriers.contains_key(collector) {
                couriers.insert(collector.clone(), self.courier(collector));
            }
        }
        for traced in self.spans.take() {
            let collector = traced.tracing.collector.clone();
            couriers.entry(collector).or_insert_with_key(|it| self.courier(it)).put(traced);
        }
    }

    fn courier(&self, collector: &Collector) -> Courier {
        Courier::start(collector.clone(), self.instance.clone(), self.metrics.clone(), self.egress.clone())
    }
}
