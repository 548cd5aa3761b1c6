//! `Strict-Transport-Security`. RFC 6797 7.2: never over plain text.

use crate::edits::Step;
use crate::{Edits, Flow};
use model::Scheme;
use route::Request;

pub(crate) fn run(step: Step, request: &Request, edits: &mut Edits) -> Flow {
    if request.scheme == Scheme::Https {
        edits.hsts = Some(step);
    }
    Flow::Continue
}
