//! What is found out about a route on the way to its rules.

use resources::{Cause, Problem};

/// The problems, and which condition of the route each is behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Behind no condition.
    pub(crate) others: Vec<Problem>,
    /// Behind `ResolvedRefs`, with the reason.
    pub(crate) unresolved: Vec<(&'static str, Problem)>,
    /// Behind `PartiallyInvalid`, or `Accepted` where nothing else is left.
    pub(crate) invalid: Vec<(&'static str, Problem)>,
}

// === impl Findings ===

impl Findings {
    pub(crate) fn note(&mut self, problem: Problem) {
        self.others.push(problem);
    }

    pub(crate) fn unresolved(&mut self, reason: &'static str, problem: Problem) {
        self.unresolved.push((reason, problem));
    }

    pub(crate) fn invalid(&mut self, field: impl Into<model::Text>, cause: Cause, message: impl Into<model::Text>, hint: &str) {
        let problem = Problem::error(field, cause, message);
        self.invalid.push(("UnsupportedValue", if hint.is_empty() { problem } else { problem.hint(hint) }));
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = &Problem> {
        let behind = self.unresolved.iter().chain(&self.invalid).map(|(_, problem)| problem);
        self.others.iter().chain(behind)
    }
}
