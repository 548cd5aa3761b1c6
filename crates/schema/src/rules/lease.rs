//! Lease.

use serde_json::Value;

use super::given;
use crate::path::Path;
use crate::violation::Violation;

pub(super) fn check(new: &Value, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    let number = |name: &str| given(spec, name).and_then(Value::as_i64);
    if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        found.push(path.child("leaseDurationSeconds").invalid(seconds, "must be greater than 0"));
    }
    if let Some(count) = number("leaseTransitions").filter(|count| *count < 0) {
        found.push(path.child("leaseTransitions").invalid(count, "must be greater than or equal to 0"));
    }
    if given(spec, "preferredHolder").is_some() && given(spec, "strategy").is_none() {
        found.push(path.child("preferredHolder").forbidden("may only be specified if `strategy` is defined"));
    }
}
