//! Time on a worker: coarse, and deadlines that cost nothing while they are not reached.
//!
//! A deadline is a number in a cell. One task per worker looks at all of them ten times a second and wakes whoever is late. So setting,
//! moving and dropping a deadline touches no timer, at the price of being up to 200 ms late; it is never early.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Between two looks.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// A worker's time, counted from when the data plane started.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Instant,
    now: Cell<Duration>,
    watches: RefCell<Vec<Rc<Watch>>>,
    /// There is something to watch again.
    begun: Notify,
}

/// One connection's deadline.
#[derive(Debug)]
pub(crate) struct Watch {
    until: Cell<Duration>,
    /// A bound for the whole exchange, whatever `until` says.
    cap: Cell<Duration>,
    /// A bound within it: of one try.
    lap: Cell<Duration>,
    /// Between two requests: to be ended when the gateway stops.
    idle: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    place: Cell<usize>,
}

/// A registered [`Watch`]. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Deadline {
    clock: Rc<Clock>,
    watch: Rc<Watch>,
}

/// The deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

// === impl Clock ===

impl Clock {
    pub fn new(base: Instant) -> Rc<Self> {
        Rc::new(Self { base, now: Cell::new(base.elapsed()), watches: RefCell::default(), begun: Notify::new() })
    }

    /// As of the last tick.
    pub fn now(&self) -> Duration {
        self.now.get()
    }

    /// The exact time, for measurements.
    pub fn exact() -> Instant {
        Instant::now()
    }

    pub fn deadline(self: &Rc<Self>) -> Deadline {
        self.now.set(self.base.elapsed());
        let mut watches = self.watches.borrow_mut();
        let watch = Rc::new(Watch {
            until: Cell::new(Duration::MAX),
            cap: Cell::new(Duration::MAX),
            lap: Cell::new(Duration::MAX),
            idle: Cell::new(false),
            waker: RefCell::default(),
            place: Cell::new(watches.len()),
        });
        if watches.is_empty() {
            self.begun.notify_one();
        }
        watches.push(watch.clone());
        Deadline { clock: self.clone(), watch }
    }

    pub fn watched(&self) -> usize {
        self.watches.borrow().len()
    }

    /// Between two ticks. With nothing to watch that is `rare`, or until there is something: time that stood still for longer than a tick
    /// would let deadlines pass early.
    pub async fn pause(&self, rare: Duration) {
        if self.watched() == 0 {
            let _ = tokio::time::timeout(rare, self.begun.notified()).await;
        } else {
            tokio::time::sleep(TICK).await;
        }
    }

    /// Moves time on and wakes whoever is late.
    pub fn tick(&self) {
        self.now.set(self.base.elapsed());
        self.wake(|watch| watch.until.get() <= self.now.get());
    }

    /// Wakes connections that wait for a request.
    pub fn wake_idle(&self) {
        self.wake(|watch| watch.idle.get());
    }

    fn wake(&self, which: impl Fn(&Watch) -> bool) {
        for watch in self.watches.borrow().iter().filter(|watch| which(watch)) {
            if let Some(waker) = watch.waker.borrow_mut().take() {
                waker.wake();
            }
        }
    }
}

// === impl Deadline ===

impl Deadline {
    /// From now on the wait may take so long.
    #[inline]
    pub fn set(&self, wait: Duration) {
        // Time stands still between ticks, so one tick more: never early.
        let until = self.clock.now().saturating_add(wait).saturating_add(TICK);
        self.watch.until.set(until.min(self.watch.cap.get()).min(self.watch.lap.get()));
    }

    /// Bounds all waits from here to the next call; `None` lifts the bound.
    pub fn cap(&self, wait: Option<Duration>) {
        let cap = self.after(wait);
        self.watch.cap.set(cap);
        self.watch.lap.set(Duration::MAX);
        self.watch.until.set(self.watch.until.get().min(cap));
    }

    /// Bounds the waits from here to the next call, within the bound of all of them.
    pub fn lap(&self, wait: Option<Duration>) {
        let lap = self.after(wait);
        self.watch.lap.set(lap);
        self.watch.until.set(self.watch.until.get().min(lap));
    }

    fn after(&self, wait: Option<Duration>) -> Duration {
        wait.map_or(Duration::MAX, |wait| self.clock.base.elapsed().saturating_add(wait))
    }

    pub fn idle(&self, idle: bool) {
        self.watch.idle.set(idle);
    }

    #[inline]
    pub fn passed(&self) -> bool {
        self.watch.until.get() <= self.clock.now()
    }

    /// The bound of the whole exchange has passed, not just that of one wait.
    pub fn spent(&self) -> bool {
        self.watch.cap.get() <= self.clock.now()
    }

    /// What is left of the bounds of the whole exchange and of this try.
    pub fn left(&self) -> Duration {
        match self.watch.cap.get().min(self.watch.lap.get()) {
            Duration::MAX => Duration::MAX,
            cap => cap.saturating_sub(self.clock.base.elapsed()),
        }
    }

    /// Polls until it is ready or the deadline, which the closure may move, has passed.
    #[inline]
    pub async fn bound<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Result<T, Elapsed> {
        poll_fn(|cx| {
            if let Poll::Ready(value) = poll(cx) {
                return Poll::Ready(Ok(value));
            }
            if self.passed() {
                return Poll::Ready(Err(Elapsed));
            }
            let mut waker = self.watch.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let mut watches = self.clock.watches.borrow_mut();
        let place = self.watch.place.get();
        if place < watches.len() {
            watches.swap_remove(place);
            if let Some(moved) = watches.get(place) {
                moved.place.set(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_deadline_leaves_the_others_in_place() {
        let clock = Clock::new(Instant::now());
        let mut deadlines: Vec<_> = (0..5).map(|_| clock.deadline()).collect();
        for left in (0..5).rev() {
            deadlines.swap_remove(left / 2);
            assert_eq!(clock.watched(), left);
            let watches = clock.watches.borrow();
            assert!(watches.iter().enumerate().all(|(place, watch)| watch.place.get() == place));
        }
    }

    #[test]
    fn a_cap_bounds_every_later_deadline() {
        let clock = Clock::new(Instant::now());
        let deadline = clock.deadline();
        deadline.set(Duration::from_secs(60));
        assert!(!deadline.passed());
        deadline.cap(Some(Duration::ZERO));
        clock.tick();
        assert!(deadline.passed());
        deadline.set(Duration::from_secs(60));
        assert!(deadline.passed());
        deadline.cap(None);
        deadline.set(Duration::from_secs(60));
        assert!(!deadline.passed());
    }

    #[test]
    fn a_lap_bounds_one_try_within_the_cap() {
        let clock = Clock::new(Instant::now());
        let deadline = clock.deadline();
        deadline.cap(Some(Duration::from_secs(60)));
        deadline.lap(Some(Duration::ZERO));
        deadline.set(Duration::from_secs(1));
        clock.tick();
        assert!(deadline.passed() && !deadline.spent() && deadline.left().is_zero());
        deadline.lap(None);
        deadline.set(Duration::from_secs(1));
        assert!(!deadline.passed() && deadline.left() > Duration::from_secs(50));
    }

    #[test]
    fn a_worker_at_rest_keeps_time_again_from_the_first_deadline_on() {
        let clock = Clock::new(Instant::now());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let woken = runtime.block_on(async {
            let resting = tokio::time::timeout(Duration::from_secs(10), clock.pause(Duration::from_secs(3_600)));
            let (woken, _deadline) = tokio::join!(resting, async { clock.deadline() });
            woken
        });
        assert!(woken.is_ok(), "deadlines would be counted from a time that stands still");
    }
}
