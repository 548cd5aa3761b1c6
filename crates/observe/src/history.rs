//! The last hour of every gateway, in steps: what is drawn of it without a collector beside.
//!
//! It is sans-IO but for [`remember`], which ticks at whole [`STEP`]s of the wall clock: a longer step is made of whole ones then, and the pods of
//! a gateway count the same seconds.
//!
//! **Invariant:** of a gateway there are at most [`KEPT`] steps, and of gateways at most [`MOST`]; a step without requests costs next to nothing.

use crate::Metrics;
use crate::metrics::{BOUNDS, RouteCells, RouteMetrics};
use model::GatewayId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From one tick to the next.
pub const STEP: Duration = Duration::from_secs(5);
/// An hour.
const KEPT: usize = 720;
const MOST: usize = 256;
const BUCKETS: usize = BOUNDS.len() + 1;

/// What was counted, step by step.
#[derive(Debug)]
pub struct History {
    metrics: Arc<Metrics>,
    rings: Mutex<BTreeMap<GatewayId, Ring>>,
    /// Whether the last tick has seen every gateway: one that is new then has counted all that it has since.
    complete: AtomicBool,
}

#[derive(Debug, Default)]
struct Ring {
    /// All that had been counted at the last tick.
    total: Counted,
    steps: VecDeque<Step>,
}

#[derive(Debug)]
struct Step {
    /// Seconds since 1970: its end.
    at: u64,
    /// Open then.
    connections: u64,
    /// `None`: nothing.
    counted: Option<Box<Counted>>,
}

/// Requests of a gateway in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Answers by class, 1xx to 5xx.
    pub classes: [u64; 5],
    /// Octets of the requests' bodies, and of the answers'.
    pub received: u64,
    pub sent: u64,
    micros: u64,
    buckets: [u64; BUCKETS],
}

/// One point of a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Seconds since 1970: its beginning.
    pub at: u64,
    /// The most that were open.
    pub connections: u64,
    pub counted: Counted,
}

/// Takes down what gateways do, as long as it is wanted.
pub async fn remember(history: Arc<History>) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    loop {
        history.tick(now().as_secs());
        tokio::time::sleep(until_tick(now())).await;
    }
}

/// How long it is from `now`, since 1970, to the next tick: a little after a whole step, for clocks that do not go alike.
fn until_tick(now: Duration) -> Duration {
    const LATER: Duration = Duration::from_millis(20);
    let into = Duration::from_nanos((now.as_nanos() % STEP.as_nanos()) as u64);
    STEP - into + LATER
}

// === impl History ===

impl History {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, rings: Mutex::default(), complete: AtomicBool::new(false) }
    }

    /// Takes down what was counted since the last tick. `now`: seconds since 1970.
    pub fn tick(&self, now: u64) {
        let mut totals: BTreeMap<GatewayId, (Counted, u64)> = BTreeMap::new();
        for (key, route) in self.metrics.routes.all() {
            totals.entry(key.gateway).or_default().0.add(&Counted::of(&route));
        }
        for (key, listener) in self.metrics.listeners.all() {
            totals.entry(key.gateway).or_default().1 += listener.active();
        }
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let was_complete = self.complete.load(Ordering::Relaxed);
        let mut complete = true;
        for (gateway, (total, connections)) in totals {
            if rings.contains_key(&gateway) || rings.len() < MOST {
                let is_whole = was_complete || rings.contains_key(&gateway);
                rings.entry(gateway).or_default().push(now, (total, is_whole), connections);
            } else {
                complete = false;
            }
        }
        self.complete.store(complete, Ordering::Relaxed);
        // Nothing is counted of a gateway that is gone, and its last step grows old.
        rings.retain(|_, ring| ring.steps.back().is_some_and(|step| step.at + STEP.as_secs() * KEPT as u64 > now));
    }

    /// What was counted up to `until`: the last `count` points of `step` each, oldest first, of which the newest may not be over; `None` for a
    /// gateway without traffic.
    pub fn points(&self, gateway: &GatewayId, until: u64, step: Duration, count: usize) -> Option<Vec<Point>> {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.get(gateway)?;
        let mut points = Point::row(until, step, count);
        let (first, step) = (points.first()?.at, step.as_secs().max(STEP.as_secs()));
        for of in ring.steps.iter().filter(|it| it.at <= until) {
            // A step that ends where a point begins belongs to the one before.
            let Some(place) = of.at.checked_sub(1).and_then(|at| at.checked_sub(first)).map(|since| since / step) else { continue };
            let Some(point) = usize::try_from(place).ok().and_then(|place| points.get_mut(place)) else { continue };
            point.connections = point.connections.max(of.connections);
            if let Some(counted) = &of.counted {
                point.counted.add(counted);
            }
        }
        Some(points)
    }
}

// === impl Point ===

impl Point {
    /// `count` points in which nothing was counted, `step` each, of which the last has `until` in it, or ends there.
    pub fn row(until: u64, step: Duration, count: usize) -> Vec<Self> {
        let (step, count) = (step.as_secs().max(STEP.as_secs()), count.max(1) as u64);
        let last = until.saturating_sub(1) / step * step;
        let first = last.saturating_sub(step * (count - 1));
        (0..count).map(|n| Self { at: first + n * step, ..Self::default() }).collect()
    }

    /// All of it in one row, so that others can add it up as exactly.
    pub fn numbers(&self) -> Vec<u64> {
        let Counted { classes, received, sent, micros, buckets } = &self.counted;
        [self.at, self.connections, *received, *sent, *micros].into_iter().chain(*classes).chain(*buckets).collect()
    }

    /// Out of such a row; `None`: it was written by a program that counts otherwise.
    pub fn of(numbers: &[u64]) -> Option<Self> {
        let ([at, connections, received, sent, micros], rest) = numbers.split_first_chunk()?;
        let (classes, rest) = rest.split_first_chunk()?;
        let counted = Counted { classes: *classes, received: *received, sent: *sent, micros: *micros, buckets: rest.try_into().ok()? };
        Some(Self { at: *at, connections: *connections, counted })
    }

    /// What another one counted at the same time.
    pub fn add(&mut self, other: &Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.counted.add(&other.counted);
    }
}

// === impl Ring ===

impl Ring {
    /// `is_whole`: all that has been counted since the last tick is known. What was counted before anybody looked was not counted in this step.
    fn push(&mut self, at: u64, (total, is_whole): (Counted, bool), connections: u64) {
        let since = total.since(&self.total);
        let counted = Some(since).filter(|it| is_whole && it.requests() > 0).map(Box::new);
        self.total = total;
        if self.steps.len() >= KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(Step { at, connections, counted });
    }
}

// === impl Counted ===

impl Counted {
    fn of(route: &RouteMetrics) -> Self {
        let mut all = Self::default();
        for cells in route.cells.iter() {
            all.add_cells(cells);
        }
        all
    }

    fn add_cells(&mut self, cells: &RouteCells) {
        for (class, count) in self.classes.iter_mut().zip(&cells.classes) {
            *class += count.get();
        }
        for of_reason in cells.local.get().map_or(&[][..], |local| &local[..]) {
            for (class, count) in self.classes.iter_mut().zip(of_reason) {
                *class += count.get();
            }
        }
        for (bucket, count) in self.buckets.iter_mut().zip(&cells.buckets) {
            *bucket += count.get();
        }
        self.micros += cells.micros.get();
        self.received += cells.received.get();
        self.sent += cells.sent.get();
    }

    pub fn add(&mut self, other: &Self) {
        self.zip(other, |mine, theirs| mine.saturating_add(theirs));
    }

    /// What was counted since; counters of objects that are gone go back, which counts as nothing.
    fn since(&self, before: &Self) -> Self {
        let mut since = self.clone();
        since.zip(before, |now, before| now.saturating_sub(before));
        since
    }

    fn zip(&mut self, other: &Self, with: impl Fn(u64, u64) -> u64) {
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes).chain(self.buckets.iter_mut().zip(other.buckets)) {
            *mine = with(*mine, theirs);
        }
        self.received = with(self.received, other.received);
        self.sent = with(self.sent, other.sent);
        self.micros = with(self.micros, other.micros);
    }

    pub fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Milliseconds; `None` without requests.
    pub fn mean(&self) -> Option<f64> {
        let requests = self.requests();
        (requests > 0).then(|| self.micros as f64 / requests as f64 / 1000.0)
    }

    /// Milliseconds within which this part of the requests was answered, as near as the histogram tells; what took longer than its last bound
    /// counts as that.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let requests = self.requests();
        if requests == 0 {
            return None;
        }
        let rank = part.clamp(0.0, 1.0) * requests as f64;
        let (mut below, mut from) = (0.0, 0.0);
        for (bound, count) in BOUNDS.iter().zip(self.buckets) {
            let count = count as f64;
            if count > 0.0 && below + count >= rank {
                return Some((from + (bound - from) * ((rank - below) / count).clamp(0.0, 1.0)) * 1000.0);
            }
            below += count;
            from = *bound;
        }
        Some(BOUNDS[BOUNDS.len() - 1] * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Measured;
    use model::{ObjectRef, SectionName};

    fn gateway() -> GatewayId {
        GatewayId::new("demo/gateway")
    }

    fn record(metrics: &Metrics, count: usize, status: u16, millis: u64) {
        let route = metrics.route(&gateway(), &ObjectRef::new("Ingress", "shop", "web"));
        let measured = Measured { status, reason: None, duration: Duration::from_millis(millis), received: 10, sent: 100 };
        (0..count).for_each(|_| route.record(0, &measured));
    }

    #[test]
    fn each_step_has_what_was_counted_in_it() {
        let metrics = Metrics::new(2);
        let history = History::new(metrics.clone());
        record(&metrics, 7, 200, 1);
        // From before anybody looked.
        history.tick(1_000);
        record(&metrics, 3, 200, 1);
        record(&metrics, 1, 503, 1);
        let listener = metrics.listener(&gateway(), &SectionName::new("http"));
        listener.opened(0);
        history.tick(1_005);
        listener.closed(1);
        history.tick(1_010);
        let points = history.points(&gateway(), 1_010, STEP, 3).expect("it is known");
        let shown: Vec<_> = points.iter().map(|it| (it.at, it.counted.classes, it.connections, it.counted.sent)).collect();
        assert_eq!(shown, [(995, [0; 5], 0, 0), (1_000, [0, 3, 0, 0, 1], 1, 400), (1_005, [0; 5], 0, 0)]);
        let wide = history.points(&gateway(), 1_010, Duration::from_secs(60), 1).expect("it is known");
        assert_eq!((wide[0].at, wide[0].counted.requests(), wide[0].connections), (960, 4, 1));
        assert_eq!(history.points(&GatewayId::new("other"), 1_010, STEP, 3), None);
    }

    #[test]
    fn a_point_has_what_was_counted_up_to_then() {
        let metrics = Metrics::new(1);
        let history = History::new(metrics.clone());
        record(&metrics, 1, 200, 1);
        for at in [600, 605, 610, 615] {
            history.tick(at);
            record(&metrics, 1, 200, 1);
        }
        let newest = |until| {
            let points = history.points(&gateway(), until, Duration::from_secs(10), 2).expect("it is known");
            points.last().map(|it| (it.at, it.counted.requests()))
        };
        assert_eq!([605, 610, 615, 620].map(newest), [Some((600, 1)), Some((600, 2)), Some((610, 1)), Some((610, 1))]);
    }

    #[test]
    fn a_tick_comes_soon_after_each_whole_step() {
        let at = |millis| until_tick(Duration::from_millis(millis)).as_millis();
        assert_eq!([at(1_000_000), at(1_000_020), at(1_003_000), at(1_004_999)], [5_020, 5_000, 2_020, 21]);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let metrics = Metrics::new(1);
        let history = History::new(metrics.clone());
        for n in 0..2_000_u64 {
            record(&metrics, 1, 200, 1);
            history.tick(1_000_000 + n * 5);
        }
        let now = 1_000_000 + 2_000 * 5;
        let points = history.points(&gateway(), now, Duration::from_secs(60), 120).expect("it is known");
        assert_eq!(points.iter().map(|it| it.counted.requests()).sum::<u64>(), KEPT as u64);
        assert!(history.points(&gateway(), now, STEP, 10).is_some());
        // Nobody counts there any more.
        let empty = History::new(Metrics::new(1));
        empty.rings.lock().expect("free").insert(gateway(), Ring::default());
        empty.tick(now);
        assert_eq!(empty.points(&gateway(), now, STEP, 1), None);
    }

    #[test]
    fn the_first_requests_of_a_new_gateway_count() {
        let metrics = Metrics::new(1);
        let history = History::new(metrics.clone());
        history.tick(5);
        record(&metrics, 3, 200, 1);
        history.tick(10);
        let points = history.points(&gateway(), 10, STEP, 2).expect("it is known");
        assert_eq!(points.iter().map(|it| it.counted.requests()).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn a_point_is_the_same_after_a_journey() {
        let metrics = Metrics::new(1);
        let history = History::new(metrics.clone());
        history.tick(5);
        record(&metrics, 1, 200, 1);
        history.tick(10);
        record(&metrics, 3, 503, 80);
        history.tick(15);
        let point = &history.points(&gateway(), 15, STEP, 1).expect("it is known")[0];
        let mut read = Point::of(&point.numbers()).expect("it is as it was written");
        assert_eq!(read, *point);
        read.add(point);
        assert_eq!((read.counted.requests(), read.counted.classes, read.counted.mean()), (6, [0, 0, 0, 0, 6], point.counted.mean()));
        assert_eq!(Point::of(&point.numbers()[1..]), None);
        assert_eq!(Point::of(&[]), None);
    }

    #[test]
    fn quantiles_are_as_near_as_the_buckets() {
        let metrics = Metrics::new(1);
        let history = History::new(metrics.clone());
        record(&metrics, 1, 200, 1);
        history.tick(10);
        record(&metrics, 90, 200, 2);
        record(&metrics, 9, 200, 80);
        record(&metrics, 1, 200, 200_000);
        history.tick(15);
        let counted = &history.points(&gateway(), 15, STEP, 1).expect("it is known")[0].counted;
        assert_eq!(counted.requests(), 100);
        let [p50, p95, p99, all] = [0.5, 0.95, 0.99, 1.0].map(|part| counted.quantile(part).expect("there are requests"));
        assert!((1.0..=2.5).contains(&p50) && (50.0..=100.0).contains(&p95) && (50.0..=100.0).contains(&p99), "{p50} {p95} {p99}");
        assert_eq!(all, 60_000.0);
        assert_eq!(counted.mean(), Some(2_009.0));
        assert_eq!((Counted::default().quantile(0.5), Counted::default().mean()), (None, None));
    }
}
