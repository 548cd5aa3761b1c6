//! What a `status` says, from what is told.

use model::Text;
use resources::{Cause, Condition, Problem, Severity, Truth};
use std::collections::BTreeSet;

/// Every condition that can be said, with each status and reason that it can have, and when.
pub(crate) const CONDITIONS: [(&str, &str); 20] = [
    ("Accepted=True Accepted", "it is served"),
    ("Accepted=True PartiallyInvalid", "it is served, but for what the message names"),
    ("Accepted=False Conflicted", "a Gateway all of whose servers give way to older ones"),
    ("Accepted=False GatewayNotFound", "none of its Gateways exists"),
    ("Accepted=False HostNotInGateway", "no server of its Gateways has one of its hosts"),
    ("Accepted=False Invalid", "a Gateway none of whose servers can be served"),
    ("Accepted=False NoMatchingRule", "`http`, `tls` or `tcp` is missing for what the servers are for"),
    ("Accepted=False NotExported", "`exportTo` leaves the gateway's namespace out"),
    ("Accepted=False ServerNotServed", "the servers it is for are not served themselves"),
    ("ResolvedRefs=True ResolvedRefs", "all that it names is there"),
    ("ResolvedRefs=False BadCertificate", "a Secret holds no usable certificate, key or authority"),
    ("ResolvedRefs=False PortNotFound", "a Service has not the port, or several and none is named"),
    ("ResolvedRefs=False RefNotPermitted", "no ReferenceGrant permits a Secret of another namespace"),
    ("ResolvedRefs=False ReferenceNotFound", "a Gateway, a subset or its Pods, or a delegate is not there"),
    ("ResolvedRefs=False SecretNotFound", "a Secret does not exist"),
    ("ResolvedRefs=False ServiceNotFound", "a host is no Service"),
    ("Conflicted=True Conflict", "somebody older has a port, a host or a server name"),
    ("NoEffect=True NoEffect", "something in it does nothing"),
    ("Programmed=False Invalid", "nothing of it is served"),
    ("Unsupported=True Unsupported", "a wish is not followed"),
];

/// Why nothing of an object is served.
pub(crate) struct Nothing {
    pub(crate) reason: &'static str,
    pub(crate) message: Text,
}

pub(crate) fn conditions(problems: &BTreeSet<Problem>, nothing: Option<Nothing>) -> Vec<Condition> {
    let of = |wanted: fn(&Problem) -> bool| problems.iter().filter(|problem| wanted(problem)).collect::<Vec<_>>();
    let invalid = of(|it| {
        it.severity == Severity::Error
            && !is_reference(it.reason)
            && !matches!(it.reason, Cause::Conflict | Cause::Unsupported | Cause::NoEffect)
    });
    let closed = of(|it| it.severity == Severity::Error && matches!(it.reason, Cause::Conflict | Cause::Unsupported));
    let references = of(|it| is_reference(it.reason) && it.severity != Severity::Note);
    let mut conditions = vec![match &nothing {
        Some(nothing) => Condition::new("Accepted", Truth::False, nothing.reason, nothing.message.clone()),
        None if !invalid.is_empty() => Condition::new("Accepted", Truth::True, "PartiallyInvalid", Problem::list(invalid)),
        None if !closed.is_empty() => Condition::new("Accepted", Truth::True, "PartiallyInvalid", Problem::list(closed)),
        None => Condition::new("Accepted", Truth::True, "Accepted", "it is served as asked for"),
    }];
    conditions.push(match references.first() {
        None => Condition::new("ResolvedRefs", Truth::True, "ResolvedRefs", "all that it names is there"),
        Some(first) => Condition::new("ResolvedRefs", Truth::False, first.reason.to_string(), Problem::list(references)),
    });
    for (kind, reason, cause) in [
        ("Conflicted", "Conflict", Cause::Conflict),
        ("Unsupported", "Unsupported", Cause::Unsupported),
        ("NoEffect", "NoEffect", Cause::NoEffect),
    ] {
        let told: Vec<&Problem> = problems.iter().filter(|it| it.reason == cause).collect();
        if !told.is_empty() {
            conditions.push(Condition::new(kind, Truth::True, reason, Problem::list(told)));
        }
    }
    if nothing.is_some() {
        conditions.push(Condition::new("Programmed", Truth::False, "Invalid", "nothing of it is served"));
    }
    conditions
}

fn is_reference(cause: Cause) -> bool {
    cause.is_reference() || matches!(cause, Cause::PortNotFound | Cause::BadCertificate)
}
