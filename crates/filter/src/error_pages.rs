//! Whose answers stand in for failures. The proxy asks for them.

use crate::edits::Step;
use crate::{Edits, Flow};

pub(crate) fn run(step: Step, edits: &mut Edits) -> Flow {
    edits.pages = Some(step);
    Flow::Continue
}
