//! Header fields set, added and removed.

use crate::{Edits, Flow};

pub(crate) fn request(index: usize, edits: &mut Edits) -> Flow {
    edits.request.push(index);
    Flow::Continue
}

pub(crate) fn response(index: usize, edits: &mut Edits) -> Flow {
    edits.response.push(index);
    Flow::Continue
}
