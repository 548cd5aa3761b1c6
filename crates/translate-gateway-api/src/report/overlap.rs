//! TLS listeners whose hosts or certificates overlap, so that a client may use one's connection for another's host.

use crate::certificate;
use crate::given::Given;
use crate::listener::{Judged, Protocol};
use model::HostPattern;
use resources::hosts::narrower;
use resources::{Condition, Gateway, Truth, deep_host_pattern};

/// Only said where it is so.
pub(super) fn condition(given: Given<'_>, gateway: &Gateway, one: &Judged<'_>, all: &[Judged<'_>]) -> Option<Condition> {
    let is_https = |it: &&Judged<'_>| it.serves() && it.protocol == Some(Protocol::Https);
    is_https(&one).then_some(())?;
    let same_port = |it: &&Judged<'_>| it.listener.index != one.listener.index && it.listener.port == one.listener.port;
    let others = || all.iter().filter(is_https).filter(same_port);
    let said = |reason, message: String| Some(Condition::new("OverlappingTLSConfig", Truth::True, reason, message));
    if let Some(other) = others().find(|other| narrower(one.host(), other.host()).is_some()) {
        return said("OverlappingHostnames", format!("host `{}` overlaps with that of listener `{}`", one.host(), other.listener.name));
    }
    let named = |judged: &Judged<'_>| -> Vec<HostPattern> {
        let good = certificate::of_listener(given, gateway, judged).good;
        good.iter().flat_map(|it| it.names.iter()).filter_map(|name| deep_host_pattern(name).ok()).collect()
    };
    let names = named(one);
    let other = others().find(|other| named(other).iter().any(|host| names.iter().any(|name| narrower(name, host).is_some())))?;
    said("OverlappingCertificates", format!("its certificate is good for hosts of listener `{}` too", other.listener.name))
}
