//! Sends plain-text requests to https.
//!
//! As ingress-nginx does it: to the request's host without its port, with the target as sent, less a `/` at its very end.

use crate::{Context, Flow, Reply, safe};
use model::{HttpsRedirect, Reason, RedirectWhen, Scheme, TrailingSlash};
use route::Request;
use std::fmt::Write;

pub(crate) fn run(filter: &HttpsRedirect, request: &Request, context: &Context) -> Flow {
    if request.scheme == Scheme::Https {
        return Flow::Continue;
    }
    if filter.when == RedirectWhen::HasCertificate && !(context.certificate_known)() {
        return Flow::Continue;
    }
    if request.host.is_empty() {
        // There is nowhere to send it, and plain text is what the filter is there to prevent.
        return Flow::Respond(Reply::refuse(400, Reason::BadRequest));
    }
    let target = match filter.trailing_slash {
        TrailingSlash::Keep => context.raw_target,
        TrailingSlash::Strip => context.raw_target.strip_suffix('/').unwrap_or(context.raw_target),
    };
    let mut location = String::with_capacity(request.host.len() + target.len() + 16);
    location.push_str("https://");
    location.push_str(request.host);
    if let Some(port) = context.https_port.filter(|port| *port != 443) {
        // Writing to a string does not fail.
        let _ = write!(location, ":{port}");
    }
    if !target.is_empty() && !target.starts_with('/') {
        // `OPTIONS *`, or a query right behind an absolute target's authority.
        location.push('/');
    }
    safe::append(&mut location, target);
    Flow::Respond(Reply::redirect(filter.status, location))
}
