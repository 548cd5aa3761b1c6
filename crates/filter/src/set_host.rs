//! The `Host` the upstream sees. The last one in the list holds.

use crate::edits::Step;
use crate::{Edits, Flow};

pub(crate) fn run(step: Step, edits: &mut Edits) -> Flow {
    edits.host = Some(step);
    Flow::Continue
}
