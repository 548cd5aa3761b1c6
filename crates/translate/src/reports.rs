//! What is said about each object, put together from all that say something.

use model::{BackendId, ObjectRef, ShardKey};
use resources::{Few, Report};
use std::collections::{BTreeSet, HashMap};

/// Who says something: each replaces only its own words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Shard(ShardKey),
    Backend(BackendId),
    /// What is said to an object as a whole.
    Object(ObjectRef),
    /// Who wants which port.
    Listening,
}

/// The book of reports.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    by_part: HashMap<Part, Vec<Report>>,
    parts: HashMap<ObjectRef, Few<Part>>,
}

// === impl Reports ===

impl Reports {
    /// Replaces what a part says, and returns the objects about which it says something else than before.
    pub fn update(&mut self, part: Part, reports: Vec<Report>) -> BTreeSet<ObjectRef> {
        let old = self.by_part.remove(&part).unwrap_or_default();
        let changed = old.iter().filter(|it| !reports.contains(it)).chain(reports.iter().filter(|it| !old.contains(it)));
        let changed: BTreeSet<ObjectRef> = changed.map(|report| report.object.clone()).collect();
        for report in &old {
            self.forget(&report.object, &part);
        }
        for report in &reports {
            self.parts.entry(report.object.clone()).or_default().insert(part.clone());
        }
        if !reports.is_empty() {
            self.by_part.insert(part, reports);
        }
        changed
    }

    /// All that is said about an object; `None`: nothing.
    pub fn get(&self, object: &ObjectRef) -> Option<Report> {
        let parts = self.parts.get(object)?;
        let mut whole = Report::new(object.clone());
        for report in parts.iter().filter_map(|part| self.by_part.get(part)).flatten().filter(|report| report.object == *object) {
            whole.merge(report);
        }
        Some(whole)
    }

    /// What each part says about an object.
    pub fn parts<'a>(&'a self, object: &'a ObjectRef) -> impl Iterator<Item = (&'a Part, &'a Report)> {
        let parts = self.parts.get(object).into_iter().flatten();
        let reports = parts.filter_map(|part| Some(self.by_part.get(part)?.iter().map(move |report| (part, report)))).flatten();
        reports.filter(move |(_, report)| report.object == *object)
    }

    /// The objects about which something is said, in order.
    pub fn objects(&self) -> BTreeSet<&ObjectRef> {
        self.parts.keys().collect()
    }

    /// Every report, in order of object.
    pub fn all(&self) -> Vec<Report> {
        self.objects().into_iter().filter_map(|object| self.get(object)).collect()
    }

    fn forget(&mut self, object: &ObjectRef, part: &Part) {
        if let Some(parts) = self.parts.get_mut(object) {
            parts.remove(part);
            if parts.is_empty() {
                self.parts.remove(object);
            }
        }
    }
}
