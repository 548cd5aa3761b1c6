//! Istio's networking kinds.

pub(crate) mod destination_rule;
pub(crate) mod gateway;
pub(crate) mod virtual_service;
