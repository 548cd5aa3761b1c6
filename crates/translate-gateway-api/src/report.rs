//! What is said about each object in its status, and the problems behind it.

mod class;
mod gateway;
mod listener;
mod overlap;
mod route;

pub(crate) use route::has_a_rule;

use crate::given::Given;
use model::ObjectRef;
use resources::{Kind, Name, Report};

pub(crate) fn report(given: Given<'_>, object: &ObjectRef) -> Option<Report> {
    let name = Name::new(object.namespace.clone(), object.name.clone());
    match Kind::named(&object.kind)? {
        Kind::GatewayClass => class::report(given, &name),
        Kind::Gateway => gateway::report(given, &name),
        kind @ (Kind::HttpRoute | Kind::TlsRoute | Kind::TcpRoute) => route::report(given, kind, &name),
        _ => None,
    }
}
