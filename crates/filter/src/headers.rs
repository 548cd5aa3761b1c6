//! Header fields set, added and removed.

use crate::edits::Step;
use crate::{Edits, Flow};

pub(crate) fn request(step: Step, edits: &mut Edits) -> Flow {
    edits.request.push(step);
    Flow::Continue
}

pub(crate) fn response(step: Step, edits: &mut Edits) -> Flow {
    edits.response.push(step);
    Flow::Continue
}
