//! A listener of a Gateway.

use crate::certificate;
use crate::given::Given;
use crate::listener::{Judged, Protocol};
use crate::trust;
use model::Text;
use resources::gateway_api::GATEWAY_GROUP;
use resources::{Cause, Condition, Gateway, ListenerStatus, Problem, Truth};

/// What there is to say.
pub(super) struct Said {
    /// Behind `Accepted`, with the reason.
    accepted: Option<(&'static str, Problem)>,
    conflict: bool,
    /// Behind `ResolvedRefs`.
    unresolved: Vec<(&'static str, Problem)>,
    /// Nobody can come in.
    closed: bool,
    pub(super) insecure: bool,
    /// All of them, those without a condition too.
    pub(super) problems: Vec<Problem>,
}

pub(super) fn said(given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>) -> Said {
    let accepted = judged.fault.as_ref().map(|fault| {
        let problem = Problem::error(
            judged.field(fault.field),
            if fault.conflict { Cause::Conflict } else { Cause::Unsupported },
            fault.message.clone(),
        );
        (fault.reason, if fault.conflict { problem.hint("Neither of them is served; give one another port or host name") } else { problem })
    });
    let conflict = judged.fault.as_ref().is_some_and(|fault| fault.conflict);
    let mut said = Said { accepted, conflict, unresolved: Vec::new(), closed: false, insecure: false, problems: Vec::new() };
    let (kinds, invalid) = judged.kinds();
    if !invalid.is_empty() && judged.protocol.is_some() {
        let message = format!("routes of kind {} cannot attach to a listener of {}", invalid.join(", "), judged.listener.protocol);
        let problem = Problem::error(judged.field("allowedRoutes.kinds"), Cause::Unsupported, message);
        said.unresolved.push(("InvalidRouteKinds", problem));
        said.closed |= kinds.is_empty();
    }
    if judged.protocol.is_some_and(Protocol::ends_tls) {
        said.tls(given, gateway, judged);
    } else if judged.listener.tls.is_some() && judged.protocol != Some(Protocol::Passthrough) {
        let message = format!("a listener of {} has no TLS", judged.listener.protocol);
        said.problems.push(Problem::warning(judged.field("tls"), Cause::NoEffect, message));
    }
    let behind = said.unresolved.iter().chain(&said.accepted).map(|(_, problem)| problem.clone());
    said.problems.extend(behind.collect::<Vec<_>>());
    said
}

// === impl Said ===

impl Said {
    fn tls(&mut self, given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>) {
        let certificates = certificate::of_listener(given, gateway, judged);
        self.closed |= certificates.good.is_empty();
        self.unresolved.extend(certificates.faults);
        self.problems.extend(certificates.notes);
        self.unknown_options(judged);
        let trust = trust::of_listener(given, gateway, judged);
        self.unresolved.extend(trust.faults);
        self.insecure = trust.insecure;
        if let Some(problem) = trust.closed {
            self.closed = true;
            self.accepted.get_or_insert(("NoValidCACertificate", problem));
        }
    }

    fn unknown_options(&mut self, judged: &Judged<'_>) {
        let options = judged.listener.tls.iter().flat_map(|tls| tls.options.keys());
        for option in options.filter(|option| ***option != *crate::listener::TERMINATE_MODE) {
            let message = format!("option `{option}` is not known here");
            self.problems.push(Problem::warning(judged.field(&format!("tls.options[{option}]")), Cause::NoEffect, message));
        }
    }

    /// Why it is not accepted.
    pub(super) fn not_accepted(&self) -> Option<&Problem> {
        self.accepted.as_ref().map(|(_, problem)| problem)
    }

    pub(super) fn status(&self, judged: &Judged<'_>, attached_routes: u32, nowhere: bool) -> ListenerStatus {
        let kinds = judged.kinds().0.into_iter();
        ListenerStatus {
            name: judged.listener.name.clone(),
            port: judged.listener.port,
            supported_kinds: kinds.map(|kind| (GATEWAY_GROUP.into(), kind.word().into())).collect(),
            attached_routes,
            conditions: self.conditions(nowhere),
        }
    }

    fn conditions(&self, nowhere: bool) -> Vec<Condition> {
        let mut conditions = vec![match &self.accepted {
            None => Condition::new("Accepted", Truth::True, "Accepted", "the listener is accepted"),
            Some((reason, problem)) => Condition::new("Accepted", Truth::False, *reason, problem.to_string()),
        }];
        match (&self.accepted, self.closed || nowhere) {
            (Some((reason, problem)), _) => {
                let reason = if self.conflict { reason } else { "Invalid" };
                conditions.push(Condition::new("Programmed", Truth::False, reason, problem.to_string()));
            }
            (None, true) => {
                let message = if nowhere {
                    "the Gateway is served nowhere".to_owned()
                } else {
                    Problem::list(self.unresolved.iter().map(|(_, it)| it))
                };
                conditions.push(Condition::new("Programmed", Truth::False, "Invalid", message));
            }
            (None, false) => {}
        }
        conditions.push(match self.unresolved.first() {
            None => Condition::new("ResolvedRefs", Truth::True, "ResolvedRefs", "all references are resolved"),
            Some((reason, _)) => {
                let message: Text = Problem::list(self.unresolved.iter().map(|(_, problem)| problem)).into();
                Condition::new("ResolvedRefs", Truth::False, *reason, message)
            }
        });
        conditions.push(match self.accepted.as_ref().filter(|_| self.conflict) {
            None => Condition::new("Conflicted", Truth::False, "NoConflicts", "no other listener wants the same"),
            Some((reason, problem)) => Condition::new("Conflicted", Truth::True, *reason, problem.to_string()),
        });
        conditions
    }
}
