//! Which Gateways are ours.

use crate::given::Given;
use crate::options::Absent;
use model::{Replies, Text};
use resources::{Gateway, GatewayClass};
use std::sync::Arc;

/// A Gateway of one of our classes.
#[derive(Clone, Copy)]
pub(crate) struct Ours<'a> {
    pub(crate) gateway: &'a Arc<Gateway>,
    /// `None`: it is not at hand.
    pub(crate) class: Option<&'a Arc<GatewayClass>>,
    pub(crate) controller: &'a Text,
    pub(crate) replies: &'a Replies,
}

/// `None`: it is somebody else's, or nobody's.
pub(crate) fn ours<'a>(given: Given<'a>, gateway: &'a Arc<Gateway>) -> Option<Ours<'a>> {
    let class = given.resources.gateway_class(&gateway.class);
    let (controller, replies) = match (class, given.options.absent) {
        (Some(class), _) => given.options.controller(&class.controller)?,
        (None, Absent::Ours) => given.options.likely(&gateway.class)?,
        (None, Absent::NotOurs) => return None,
    };
    Some(Ours { gateway, class, controller, replies })
}

/// The older first.
pub(crate) fn by_age(a: &Gateway, b: &Gateway) -> std::cmp::Ordering {
    (a.meta.created, &a.meta.name).cmp(&(b.meta.created, &b.meta.name))
}
