//! What a `status` says, from what is told.
//!
//! | condition | when | reason |
//! |---|---|---|
//! | `Accepted` | always | `Accepted`, `PartiallyInvalid` (true); else why nothing of it is served |
//! | `ResolvedRefs` | always | `ResolvedRefs`, else the first problem's |
//! | `Conflicted` | somebody older has what it asks for | `Conflict` |
//! | `Unsupported` | a wish is not followed | `Unsupported` |
//! | `NoEffect` | something in it does nothing | `NoEffect` |
//! | `Programmed` | it is known that it will not be | `Invalid`; else only who hears from the data plane says it |

use model::Text;
use resources::{Cause, Condition, Problem, Severity, Truth};
use std::collections::BTreeSet;

/// Why nothing of an object is served.
pub(crate) struct Nothing {
    pub(crate) reason: &'static str,
    pub(crate) message: Text,
}

/// Most problems that one message names.
const NAMED: usize = 8;

/// Longest message, in characters.
const LONGEST: usize = 2048;

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
        None if !invalid.is_empty() => Condition::new("Accepted", Truth::True, "PartiallyInvalid", message(&invalid)),
        None if !closed.is_empty() => Condition::new("Accepted", Truth::True, "PartiallyInvalid", message(&closed)),
        None => Condition::new("Accepted", Truth::True, "Accepted", "It is served as asked for"),
    }];
    conditions.push(match references.first() {
        None => Condition::new("ResolvedRefs", Truth::True, "ResolvedRefs", "All that it names is there"),
        Some(first) => Condition::new("ResolvedRefs", Truth::False, first.reason.to_string(), message(&references)),
    });
    for (kind, reason, cause) in [
        ("Conflicted", "Conflict", Cause::Conflict),
        ("Unsupported", "Unsupported", Cause::Unsupported),
        ("NoEffect", "NoEffect", Cause::NoEffect),
    ] {
        let told: Vec<&Problem> = problems.iter().filter(|it| it.reason == cause).collect();
        if !told.is_empty() {
            conditions.push(Condition::new(kind, Truth::True, reason, message(&told)));
        }
    }
    if nothing.is_some() {
        conditions.push(Condition::new("Programmed", Truth::False, "Invalid", "Nothing of it is served"));
    }
    conditions
}

fn is_reference(cause: Cause) -> bool {
    cause.is_reference() || matches!(cause, Cause::PortNotFound | Cause::BadCertificate)
}

pub(crate) fn message(problems: &[&Problem]) -> String {
    let mut text = problems.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if problems.len() > NAMED {
        text += &format!("; and {} more", problems.len() - NAMED);
    }
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
