//! What happens to a request between its route and its backend.

use crate::{Backend, Forward, Pattern, Reason, Text, ValueMatch};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

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
    Cors(Cors),
    /// Delay and failure on purpose.
    Fault(Fault),
    /// A copy of the request whose answer nobody waits for.
    Mirror(Mirror),
    /// Answers of some statuses give way to those of another backend.
    ErrorPages(Arc<ErrorPages>),
}

/// Who answers in the place of a backend whose answer has one of these statuses, and of the gateway where it has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ErrorPages {
    /// Ascending.
    pub statuses: Vec<u16>,
    pub unavailable: Unavailable,
    /// Where the page is asked for, by GET of `/`. What of it has no answer leaves the one that there was.
    pub forward: Forward,
    /// What the page's backend is told, beside the status: names as they are written.
    pub fields: Vec<(Text, Text)>,
}

/// What becomes of a request whose backend has no endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Unavailable {
    /// As of every other: its status says so.
    #[default]
    ByStatus,
    /// It gets the page, whatever its status.
    Page,
}

/// Cross-origin rules (Fetch standard). Answers preflights here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Cors {
    /// One of them must match the request's `Origin`.
    pub origins: Vec<ValueMatch>,
    /// What a preflight's answer lists; `*` stands for all.
    pub methods: Vec<Text>,
    pub headers: Vec<Text>,
    pub expose: Vec<Text>,
    pub credentials: bool,
    pub max_age: Option<Duration>,
    /// The status of a preflight's answer.
    pub preflight: u16,
    pub unmatched: UnmatchedPreflight,
}

/// What becomes of a preflight whose origin is not among the allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum UnmatchedPreflight {
    /// It goes to the backend.
    Forward,
    /// It is answered here, without any permission.
    Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Fault {
    pub delay: Option<(Percent, Duration)>,
    /// Answered with this status.
    pub abort: Option<(Percent, u16)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Mirror {
    /// `None`: it could not be resolved, and nothing is sent.
    pub backend: Option<Arc<Backend>>,
    pub percent: Percent,
}

/// A share, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Percent(pub u32);

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
    /// Every place where the pattern is found becomes the template (Istio `uriRegexRewrite`).
    Replace { pattern: Pattern, template: Vec<TemplatePart> },
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

// === impl ErrorPages ===

impl ErrorPages {
    /// Whether an answer gives way. `reason`: the gateway's own, if it is that.
    pub fn covers(&self, status: u16, reason: Option<Reason>) -> bool {
        self.statuses.binary_search(&status).is_ok() || reason == Some(Reason::NoEndpoints) && self.unavailable == Unavailable::Page
    }
}

impl Percent {
    pub const ALL: Self = Self(1_000_000);
}
