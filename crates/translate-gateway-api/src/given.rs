//! What a translation is a function of.

use crate::options::Options;
use model::GatewayId;
use resources::{Resources, SharedGateway};

#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) resources: &'a Resources,
    pub(crate) options: &'a Options,
    pub(crate) shared: &'a [SharedGateway],
}

// === impl Given ===

impl<'a> Given<'a> {
    pub(crate) fn shared(self, id: &GatewayId) -> Option<&'a SharedGateway> {
        self.shared.iter().find(|shared| shared.id == *id)
    }
}
