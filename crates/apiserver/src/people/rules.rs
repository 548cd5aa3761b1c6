//! What a User may be called, and say that it is.

use login::names;
use serde_json::Value;

use super::is_user;
use crate::api::{Api, Ask};
use crate::failure::{Cause, Failure};
use crate::object::Object;

/// The name of the password object is this much longer than the user's.
const LONGEST: usize = 253 - "password-".len();

/// Refuses a User who would be a part of the system, or somebody else.
///
/// # Errors
/// `Invalid` with the fields that are wrong.
pub(crate) fn guard(api: &Api, ask: &Ask, old: Option<&Value>, new: Option<&Value>) -> Result<(), Failure> {
    let Some(new) = new.filter(|_| is_user(&ask.kind.group, &ask.kind.plural) && ask.target.subresource.is_empty()) else { return Ok(()) };
    let mut causes = Vec::new();
    if old.is_none() {
        causes.extend(name(new.name()));
    }
    let identities = |user: &Value| -> Vec<String> {
        user["spec"]["identities"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let before = old.map(identities).unwrap_or_default();
    for (at, identity) in identities(new).iter().enumerate().filter(|(_, identity)| !before.contains(identity)) {
        let field = format!("spec.identities[{at}]");
        if names::is_reserved(identity) {
            causes.push(Cause::new("FieldValueInvalid", field, format!("Invalid value: {identity:?}: this name belongs to the system")));
        } else if api.people.others_of(identity, new.name()) {
            causes.push(Cause::new("FieldValueDuplicate", field, format!("Duplicate value: {identity:?}")));
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(&ask.kind, new.name(), causes)) }
}

fn name(name: &str) -> Option<Cause> {
    let wrong = |what: &str| Some(Cause::new("FieldValueInvalid", "metadata.name", format!("Invalid value: {name:?}: {what}")));
    if names::is_reserved(name) {
        return wrong("this name belongs to the system");
    }
    if name.len() > LONGEST { wrong("must be no more than 244 characters") } else { None }
}
