//! What an operator decides about Gateway API.

use model::{Replies, Text};

#[derive(Clone, Debug)]
pub struct Options {
    /// Controllers of GatewayClasses that mean us, and how the replies of their gateways look.
    pub controllers: Vec<(Text, Replies)>,
    /// The cluster's DNS domain.
    pub domain: Text,
    /// The time, in seconds since 1970, for certificates that expire; `None`: nothing is said of that. Routes never depend on it.
    pub now: Option<i64>,
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
            domain: "cluster.local".into(),
            now: None,
        }
    }
}
