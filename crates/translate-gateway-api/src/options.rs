//! What an operator decides about Gateway API.

use model::{Replies, Text};

#[derive(Clone, Debug)]
pub struct Options {
    /// Controllers of GatewayClasses that mean us, and how the replies of their gateways look.
    pub controllers: Vec<(Text, Replies)>,
    /// What a Gateway means whose GatewayClass is not there.
    pub absent: Absent,
    /// The cluster's DNS domain.
    pub domain: Text,
    /// The time, in seconds since 1970, for certificates that expire; `None`: nothing is said of that. Routes never depend on it.
    pub now: Option<i64>,
}

/// Whose a Gateway is, if its GatewayClass is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// Nobody's.
    #[default]
    NotOurs,
    /// Ours, as far as one can tell: only some objects are at hand, as when a file is checked.
    Ours,
}

/// Istio's name for whoever serves GatewayClass `istio`.
const ISTIO: &str = "istio.io/gateway-controller";

impl Default for Options {
    /// `paifang.dev/gateway-controller`, and Istio's, whose answers name `istio-envoy`.
    fn default() -> Self {
        let istio = Replies { body: model::ReplyBody::Empty, server: model::ServerHeader::Set("istio-envoy".into()) };
        let own = Replies { body: model::ReplyBody::Text, server: model::ServerHeader::Keep };
        Self {
            controllers: vec![("paifang.dev/gateway-controller".into(), own), (ISTIO.into(), istio)],
            absent: Absent::default(),
            domain: "cluster.local".into(),
            now: None,
        }
    }
}

impl Options {
    /// The controller of a name, if it is one of ours.
    pub(crate) fn controller(&self, name: &str) -> Option<&(Text, Replies)> {
        self.controllers.iter().find(|(controller, _)| controller == name)
    }

    /// Who would most likely serve a class of which nothing but the name is known.
    pub(crate) fn likely(&self, class: &str) -> Option<&(Text, Replies)> {
        let named = self.controllers.iter().find(|(controller, _)| class == "istio" && controller == ISTIO);
        named.or(self.controllers.first())
    }
}
