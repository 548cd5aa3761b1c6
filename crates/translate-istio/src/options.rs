//! What an operator decides about Istio's objects.

use model::{Replies, Text};

#[derive(Clone, Debug)]
pub struct Options {
    /// Whether Istio's objects are looked at.
    pub enabled: bool,
    /// How answers on their hosts look.
    pub replies: Replies,
    /// The cluster's DNS domain.
    pub domain: Text,
    /// Where rules for all namespaces live.
    pub root_namespace: Text,
    /// The time, in seconds since 1970, for certificates that expire; `None`: nothing is said of that. Routes never depend on it.
    pub now: Option<i64>,
}

impl Default for Options {
    /// Answers name `istio-envoy` and have no body of their own.
    fn default() -> Self {
        Self {
            enabled: true,
            replies: Replies { body: model::ReplyBody::Empty, server: model::ServerHeader::Set("istio-envoy".into()) },
            domain: "cluster.local".into(),
            root_namespace: "istio-system".into(),
            now: None,
        }
    }
}
