//! What is told to the owners of objects while something is translated.

use model::ObjectRef;
use resources::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Problems by object.
#[derive(Default)]
pub(crate) struct Told(BTreeMap<ObjectRef, BTreeSet<Problem>>);

// === impl Told ===

impl Told {
    pub(crate) fn tell(&mut self, object: &ObjectRef, problem: Problem) {
        self.0.entry(object.clone()).or_default().insert(problem);
    }

    pub(crate) fn take(&mut self) -> BTreeMap<ObjectRef, BTreeSet<Problem>> {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn of(&mut self, object: &ObjectRef) -> BTreeSet<Problem> {
        self.0.remove(object).unwrap_or_default()
    }
}
