//! The `Host` the upstream sees. The last one in the list holds.

use crate::{Edits, Flow};

pub(crate) fn run(index: usize, edits: &mut Edits) -> Flow {
    edits.host = Some(index);
    Flow::Continue
}
