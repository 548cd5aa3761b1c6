//! The newest value of something that many workers read and one writer replaces.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The writer's end.
#[derive(Debug)]
pub struct Cell<T> {
    version: AtomicU64,
    value: Mutex<Arc<T>>,
}

/// A worker's end.
#[derive(Debug)]
#[expect(clippy::redundant_allocation, reason = "readers count in their own thread, so that workers do not share a cache line")]
pub struct View<T> {
    cell: Arc<Cell<T>>,
    version: u64,
    value: Rc<Arc<T>>,
}

// === impl Cell ===

impl<T> Cell<T> {
    pub fn new(value: T) -> Arc<Self> {
        Arc::new(Self { version: AtomicU64::new(0), value: Mutex::new(Arc::new(value)) })
    }

    pub fn load(&self) -> Arc<T> {
        self.lock().clone()
    }

    /// From here on every [`View::get`] gives this value.
    pub fn publish(&self, value: Arc<T>) {
        let mut slot = self.lock();
        let before = std::mem::replace(&mut *slot, value);
        self.version.fetch_add(1, Ordering::Release);
        drop(slot);
        // Freed here, off the workers, if this was the last reference.
        drop(before);
    }

    pub fn view(self: &Arc<Self>) -> View<T> {
        let slot = self.lock();
        View { cell: self.clone(), version: self.version.load(Ordering::Acquire), value: Rc::new(slot.clone()) }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl View ===

impl<T> View<T> {
    /// The newest value. Costs one atomic load while nothing has changed; the reference count stays in this worker.
    #[inline]
    pub fn get(&mut self) -> &Rc<Arc<T>> {
        if self.cell.version.load(Ordering::Acquire) != self.version {
            let value = self.cell.lock();
            self.version = self.cell.version.load(Ordering::Acquire);
            self.value = Rc::new(value.clone());
        }
        &self.value
    }

    /// Counts the values seen; changes when [`get`](Self::get) finds another one.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_sees_what_was_published_last() {
        let cell = Cell::new(1);
        let mut view = cell.view();
        assert_eq!(***view.get(), 1);
        cell.publish(Arc::new(2));
        cell.publish(Arc::new(3));
        assert_eq!(***view.get(), 3);
        assert_eq!(*cell.load(), 3);
    }

    #[test]
    fn old_values_are_freed_once_no_view_holds_them() {
        let cell = Cell::new(String::from("old"));
        let mut view = cell.view();
        let old = Arc::downgrade(&cell.load());
        cell.publish(Arc::new(String::from("new")));
        assert!(old.upgrade().is_some(), "the view still has it");
        view.get();
        assert!(old.upgrade().is_none());
    }
}
