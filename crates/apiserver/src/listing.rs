//! What a list, a watch or the deletion of a collection may ask for together.

use crate::api::Ask;
use crate::failure::{Cause, Failure};
use crate::request::{Query, Verb};

const EXACT: &str = "Exact";
const NOT_OLDER: &str = "NotOlderThan";

/// Refuses options that contradict one another.
///
/// # Errors
/// `Invalid` in Kubernetes' words, `BadRequest` for what is no number.
pub(crate) fn check(ask: &Ask) -> Result<(), Failure> {
    let query = &ask.query;
    query.count("limit")?;
    query.count("timeoutSeconds")?;
    let causes = if ask.verb == Verb::Watch { of_watch(query) } else { of_list(query) };
    if !causes.is_empty() {
        return Err(Failure::invalid_options("ListOptions", causes));
    }
    if ask.verb != Verb::Watch && query.get("continue").is_some() && query.revision()?.is_some_and(|revision| revision > 0) {
        return Err(Failure::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(())
}

fn of_list(query: &Query) -> Vec<Cause> {
    let (mut causes, revision) = (Vec::new(), query.get("resourceVersion"));
    if let Some(wanted) = query.get("resourceVersionMatch") {
        if query.get("continue").is_some() {
            causes.push(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"));
        } else if revision.is_none() {
            causes.push(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        match wanted {
            EXACT if revision == Some("0") => {
                causes.push(forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
            }
            EXACT | NOT_OLDER => {}
            other => causes.push(unsupported(other, &format!("{EXACT:?}, {NOT_OLDER:?}, \"\""))),
        }
    }
    if query.has("sendInitialEvents") {
        causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    causes
}

fn of_watch(query: &Query) -> Vec<Cause> {
    let (mut causes, wanted) = (Vec::new(), query.get("resourceVersionMatch"));
    let initial = query.has("sendInitialEvents");
    if wanted.is_some() && !initial {
        causes.push(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    }
    if initial && wanted != Some(NOT_OLDER) {
        causes.push(forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    if let Some(other) = wanted.filter(|wanted| *wanted != NOT_OLDER) {
        causes.push(unsupported(other, &format!("{NOT_OLDER:?}")));
    }
    causes
}

fn forbidden(field: &str, why: &str) -> Cause {
    Cause::new("FieldValueForbidden", field, format!("Forbidden: {why}"))
}

fn unsupported(value: &str, supported: &str) -> Cause {
    Cause::new("FieldValueNotSupported", "resourceVersionMatch", format!("Unsupported value: {value:?}: supported values: {supported}"))
}
