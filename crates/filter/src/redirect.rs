//! A route's own redirect (Gateway API `RequestRedirect`, Istio `redirect`).

use crate::{Context, Reply, rewrite, safe};
use model::{PathModifier, Redirect, RedirectPort, Scheme};
use route::Request;
use std::fmt::Write;

/// The answer. What the redirect does not name stays as requested.
pub(crate) fn answer(it: &Redirect, request: &Request, context: &Context) -> Reply {
    let scheme = it.scheme.unwrap_or(request.scheme);
    let word = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let host = it.host.as_deref().unwrap_or(request.host);
    let port = port(it, scheme, request, context).filter(|port| *port != well_known(scheme));
    let mut location = format!("{word}://");
    safe::append(&mut location, host);
    if let Some(port) = port {
        // Writing to a string does not fail.
        let _ = write!(location, ":{port}");
    }
    match &it.path {
        None => safe::append(&mut location, request.path),
        Some(PathModifier::Full(path)) => safe::append(&mut location, path),
        Some(PathModifier::Prefix { prefix, replacement }) => {
            safe::append(&mut location, &rewrite::replaced(request.path, prefix, replacement));
        }
    }
    if let Some(query) = request.query {
        location.push(if location.contains('?') { '&' } else { '?' });
        safe::append(&mut location, query);
    }
    Reply::redirect(it.status, location)
}

fn port(it: &Redirect, scheme: Scheme, request: &Request, context: &Context) -> Option<u16> {
    match it.port {
        RedirectPort::Own if scheme == request.scheme => named(request.authority),
        RedirectPort::Own if scheme == Scheme::Https => context.https_port,
        RedirectPort::Own | RedirectPort::OfScheme => None,
        RedirectPort::Listener => Some(request.port),
        // What went without saying for the old scheme does not say anything about the new one.
        RedirectPort::Request => named(request.authority).filter(|port| *port != well_known(request.scheme)),
        RedirectPort::Number(port) => Some(port),
    }
}

fn well_known(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

/// The port of an authority, if it names one.
fn named(authority: &str) -> Option<u16> {
    let (host, port) = authority.rsplit_once(':')?;
    // `[::1]` has colons and no port.
    if host.starts_with('[') && !host.ends_with(']') { None } else { port.parse().ok() }
}
