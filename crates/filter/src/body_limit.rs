//! How large a request body may be. The proxy counts; the smallest limit holds.

use crate::{Edits, Flow};

pub(crate) fn run(limit: u64, edits: &mut Edits) -> Flow {
    edits.body_limit = Some(edits.body_limit.map_or(limit, |before| before.min(limit)));
    Flow::Continue
}
