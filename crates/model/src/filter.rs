//! What happens to a request between its route and its backend.

use crate::{Pattern, Text};
use serde::Serialize;

/// One step. A route carries its filters in the order they run; frontends choose that order, the data plane runs the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Filter {
    /// Send plain-text requests to https.
    HttpsRedirect(HttpsRedirect),
    /// Replace the path.
    Rewrite(Rewrite),
    /// The `Host` the upstream sees.
    SetHost(Text),
    /// Bodies above this many octets get 413.
    BodyLimit(u64),
    RequestHeader(HeaderEdit),
    ResponseHeader(HeaderEdit),
    /// `Strict-Transport-Security` on answers over https, in place of the backend's own.
    Hsts(Text),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct HttpsRedirect {
    pub when: RedirectWhen,
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    pub trailing_slash: TrailingSlash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RedirectWhen {
    /// A certificate is known for the request's host: its own, its wildcard's, or the default one where the host asked for TLS.
    HasCertificate,
    Always,
}

/// What a redirect does with a `/` at the end of the request target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TrailingSlash {
    Keep,
    /// ingress-nginx: `/a/` becomes `/a`, and `/` becomes nothing.
    Strip,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Rewrite {
    /// Where the pattern is found in the path, the whole path becomes the template. A query stays, and what follows a `?` in the template's
    /// result goes before it.
    Regex { pattern: Pattern, template: Vec<TemplatePart> },
    /// The matched prefix becomes this (Gateway API `ReplacePrefixMatch`, Istio `rewrite.uri` on a prefix).
    Prefix { prefix: Text, replacement: Text },
    /// The whole path becomes this.
    Full(Text),
}

/// A piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum TemplatePart {
    Literal(Text),
    /// `$1` is `Capture(1)`. A group that did not take part is empty.
    Capture(u8),
}

/// Names are lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum HeaderEdit {
    Set { name: Text, value: Text },
    Add { name: Text, value: Text },
    Remove { name: Text },
}
