//! Headers, query parameters and cookies: finding the value that a match is about.

use crate::{Expression, Found, Request};
use model::{Scheme, ValueMatch};
use std::borrow::Cow;

/// A request's field of that name. Several are joined by `,`, which RFC 9110 5.3 says is the same.
///
/// Names that begin with `:` are the request's own parts, as HTTP/2 has them; `:path` is the canonical one, with the query.
pub(crate) fn header<'r>(request: &Request<'r>, name: &str) -> Option<Cow<'r, [u8]>> {
    if name.starts_with(':') {
        return own(request, name);
    }
    let mut fields = 0;
    request.headers.each(name, &mut |_| fields += 1);
    if fields < 2 {
        return request.headers.first(name).map(Cow::Borrowed);
    }
    let mut joined = Vec::new();
    request.headers.each(name, &mut |value| {
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(value);
    });
    Some(joined.into())
}

fn own<'r>(request: &Request<'r>, name: &str) -> Option<Cow<'r, [u8]>> {
    let text = match (name, request.query) {
        (":authority", _) => request.authority,
        (":method", _) => request.method,
        (":scheme", _) => match request.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        },
        (":path", None) => request.path,
        (":path", Some(query)) => return Some(Cow::Owned(format!("{}?{query}", request.path).into_bytes())),
        _ => return None,
    };
    Some(Cow::Borrowed(text.as_bytes()))
}

/// The first query parameter of that name, percent-decoded.
pub(crate) fn query<'r>(request: &Request<'r>, name: &str) -> Option<Cow<'r, [u8]>> {
    let pairs = request.query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut named = pairs.filter(|(key, _)| *decoded(key) == *name.as_bytes());
    named.next().map(|(_, value)| decoded(value))
}

/// The first cookie of that name.
pub(crate) fn cookie<'r>(request: &Request<'r>, name: &str) -> Option<Cow<'r, [u8]>> {
    let mut found = None;
    request.headers.each("cookie", &mut |field| {
        if found.is_none() {
            let crumbs = field.split(|octet| *octet == b';').map(<[u8]>::trim_ascii);
            let mut named = crumbs.filter_map(|crumb| crumb.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
            found = named.next().map(|value| Cow::Owned(value.to_vec()));
        }
    });
    found
}

/// Whether a value is what it must be. `expression`: of its pattern, if it has one.
pub fn check_value(wanted: &ValueMatch, expression: Option<&Expression>, value: Option<&[u8]>) -> Found {
    let holds = match wanted {
        ValueMatch::Present => value.is_some(),
        ValueMatch::Absent => value.is_none(),
        ValueMatch::Exact(text) => value == Some(text.as_bytes()),
        ValueMatch::Prefix(text) => value.is_some_and(|value| value.starts_with(text.as_bytes())),
        ValueMatch::Regex(_) => {
            let Some((value, expression)) = value.zip(expression) else { return Found::No };
            return expression.is_match(value);
        }
        ValueMatch::Not(inner) => {
            return match check_value(inner, expression, value) {
                Found::Yes => Found::No,
                Found::No => Found::Yes,
                Found::OverBudget => Found::OverBudget,
            };
        }
    };
    if holds { Found::Yes } else { Found::No }
}

/// Percent-decoded; what is no escape stays. `+` stays too: it means a space in forms only.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return text.as_bytes().into();
    }
    let octets = text.as_bytes();
    let digit = |at: usize| octets.get(at).and_then(|octet| (*octet as char).to_digit(16));
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(octet) = octets.get(at) {
        match (octet, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                out.push(*octet);
                at += 1;
            }
        }
    }
    out.into()
}
