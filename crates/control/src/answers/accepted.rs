//! Which gateway serves an Ingress, said once: in an event, when its addresses come to stand in its status. A restart finds them there.

use super::{Said, Severity};
use crate::Plan;
use model::ObjectRef;
use status::Reached;
use std::collections::BTreeMap;

/// What is to be said the next time that an object is spoken of.
#[derive(Default)]
pub(super) struct Accepted(BTreeMap<ObjectRef, Said>);

// === impl Accepted ===

impl Accepted {
    /// `reached`: what its status shows from now on. Empty: nobody serves it.
    pub fn note<'a>(&mut self, object: &ObjectRef, gateways: impl Iterator<Item = &'a Plan>, reached: &[Reached]) {
        let gateways: Vec<String> = gateways.map(name).collect();
        if gateways.is_empty() || reached.is_empty() {
            self.0.remove(object);
            return;
        }
        let addresses: Vec<&str> = reached.iter().map(|it| it.address.as_str()).collect();
        let message = format!("served by {}, at {}", gateways.join(" and "), addresses.join(", "));
        let said = Said { field: String::new(), severity: Severity::Normal, reason: "Accepted".into(), message, hint: None };
        self.0.insert(object.clone(), said);
    }

    pub fn take(&mut self, object: &ObjectRef) -> Option<Said> {
        self.0.remove(object)
    }
}

/// What asked for it; the Service of the one that is there whoever asks.
fn name(plan: &Plan) -> String {
    match (&plan.owner, plan.services.first()) {
        (Some(owner), _) => format!("{} {}/{}", owner.kind, owner.namespace, owner.name),
        (None, Some(service)) => format!("gateway {}/{}", service.namespace, service.name),
        (None, None) => format!("gateway {}", plan.id),
    }
}
