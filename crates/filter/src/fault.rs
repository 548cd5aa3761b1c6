//! Delay and failure on purpose: some of the requests wait, some are refused.

use crate::{Context, Edits, Flow, Reply};
use model::{Fault, Percent, Reason};

pub(crate) fn run(fault: &Fault, context: &Context, edits: &mut Edits) -> Flow {
    let hit = |percent: Percent| percent.0 > 0 && (context.chance)() < percent.0;
    if let Some((_, delay)) = fault.delay.filter(|(percent, _)| hit(*percent)) {
        edits.delay = Some(edits.delay.map_or(delay, |before| before.saturating_add(delay)));
    }
    match fault.abort.filter(|(percent, _)| hit(*percent)) {
        Some((_, status)) => Flow::Respond(Reply { body: Some("fault filter abort".into()), ..Reply::refuse(status, Reason::Fault) }),
        None => Flow::Continue,
    }
}
