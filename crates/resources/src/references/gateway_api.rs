//! What Gateway API's objects name.

use super::Edit;
use crate::kind::Object;

/// **Invariant:** what is in here is exactly what the objects of the set say.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {}

// === impl References ===

impl References {
    pub(crate) fn edit(&mut self, _object: &Object, _edit: Edit) {}
}
