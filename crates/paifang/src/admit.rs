//! What the embedded API warns of when an object is written: the problems that `paifang check` names and the object's events will.

use apiserver::{Admit, Review, Verb};
use control::GATEWAY_ID;
use model::GatewayId;
use resources::Severity;
use std::sync::Arc;
use translate::{Options, Others};

/// What Kubernetes refuses, the API server refuses itself. All else is served as far as it goes, and said.
pub fn admit() -> Admit {
    let mut options = Options::new(GatewayId::new(GATEWAY_ID.to_owned()));
    options.ingress.classes.others = Others::NotAtHand;
    Arc::new(move |review: &Review<'_>| {
        let (Some(new), "") = (review.new, review.subresource) else { return Ok(Vec::new()) };
        if !matches!(review.verb, Verb::Create | Verb::Update | Verb::Patch) {
            return Ok(Vec::new());
        }
        let problems = translate::check(std::slice::from_ref(new), &options);
        Ok(problems.into_iter().filter(|(_, it)| it.severity != Severity::Note).map(|(_, it)| it.to_string()).collect())
    })
}
