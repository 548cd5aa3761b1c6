//! A route's own redirect (Gateway API `RequestRedirect`, Istio `redirect`).

use crate::{Context, Reply, rewrite, safe};
use model::{PathModifier, Redirect, RedirectPort, Scheme};
use route::Request;
use std::fmt::Write;

/// The answer. What the redirect does not name stays as requested; the port does so only where the scheme stays.
pub(crate) fn answer(it: &Redirect, request: &Request, context: &Context) -> Reply {
    let scheme = it.scheme.unwrap_or(request.scheme);
    let (word, well_known) = match scheme {
        Scheme::Http => ("http", 80),
        Scheme::Https => ("https", 443),
    };
    let host = it.host.as_deref().unwrap_or(request.host);
    let named = match it.port {
        RedirectPort::Number(port) => Some(port),
        _ => it.scheme.is_none().then(|| port(context.authority)).flatten(),
    };
    let port = named.filter(|port| *port != well_known);
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

/// The port of an authority, if it names one.
fn port(authority: &str) -> Option<u16> {
    let (host, port) = authority.rsplit_once(':')?;
    // `[::1]` has colons and no port.
    if host.starts_with('[') && !host.ends_with(']') { None } else { port.parse().ok() }
}
