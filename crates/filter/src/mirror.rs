//! Copies of requests. The proxy sends them.

use crate::edits::Step;
use crate::{Context, Edits, Flow};
use model::Mirror;

pub(crate) fn run(step: Step, mirror: &Mirror, context: &Context, edits: &mut Edits) -> Flow {
    if mirror.backend.is_some() && (context.chance)() < mirror.percent.0 {
        edits.mirrors.push(step);
    }
    Flow::Continue
}
