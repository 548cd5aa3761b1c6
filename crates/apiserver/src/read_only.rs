//! Objects that only show something: who keeps them writes them, everyone else reads them.

use serde_json::Value;

use crate::api::Ask;
use crate::failure::Failure;
use crate::object::Object;

/// As a label or an annotation, `"true"` makes an object read-only.
pub const READ_ONLY: &str = "paifang.dev/read-only";

/// Refuses what would change a read-only object, or make one.
pub(crate) fn guard(ask: &Ask, old: Option<&Value>, new: Option<&Value>) -> Result<(), Failure> {
    if ask.user.is_keeper() {
        return Ok(());
    }
    if let Some(old) = old.filter(|object| is_read_only(object)) {
        let why = "Paifang keeps this object, to show what it does; change what it shows instead";
        return Err(Failure::forbidden(&ask.kind, old.name(), &format!("{why} ({READ_ONLY})")));
    }
    if let Some(new) = new.filter(|object| is_read_only(object)) {
        let why = format!("only Paifang says {READ_ONLY}: nobody else could change or delete the object afterwards");
        return Err(Failure::forbidden(&ask.kind, new.name(), &why));
    }
    Ok(())
}

fn is_read_only(object: &Value) -> bool {
    let said = |of: &str| object.meta().and_then(|meta| meta.get(of)?.get(READ_ONLY)).is_some_and(|value| value == "true");
    said("labels") || said("annotations")
}
