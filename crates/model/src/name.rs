//! Names that are more than strings: checked once at the edge, compared cheaply afterwards.

use serde::Serialize;
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Shared immutable text. Cloning costs a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(Arc<str>);

/// A gateway: `namespace/name` of what asked for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct GatewayId(pub Text);

/// A listener's name within its gateway (Gateway API: `spec.listeners[].name`), for example `http`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SectionName(pub Text);

/// What requests are sent to: `namespace/service:port`. Endpoints are found by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BackendId(pub Text);

/// A DNS name: lower case, no trailing dot, no port. An IP literal is one too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Hostname(Text);

/// Which request hosts a [`Host`](crate::Host) answers for.
///
/// More specific wins: `Exact`, then the longest suffix of `OneLabel` and `AnyDepth` (on equal suffixes `OneLabel` first), then `Any`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum HostPattern {
    /// This name alone.
    Exact(Hostname),
    /// `*.suffix`, where `*` is one label (Kubernetes Ingress). Holds the suffix without `*.`.
    OneLabel(Hostname),
    /// `*.suffix`, where `*` is one label or more (Gateway API, Istio). Holds the suffix without `*.`.
    AnyDepth(Hostname),
    /// Every host, also a missing one.
    Any,
}

/// Where in Kubernetes something came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectRef {
    /// For example `Ingress`.
    pub kind: Text,
    /// Empty for cluster-scoped objects.
    pub namespace: Text,
    pub name: Text,
}

/// The object and the place in it that made a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Source {
    pub object: ObjectRef,
    /// Field path, for example `spec.rules[0].http.paths[1]`.
    pub rule: Text,
}

/// Why a text is no [`Hostname`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostnameError {
    Empty,
    /// More than 253 octets, or a label of more than 63.
    TooLong,
    /// An empty label, or an octet other than letters, digits, `-` and `_`, or a label that begins or ends with `-`.
    BadLabel,
}

// === impl Text ===

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

// === impl GatewayId, SectionName, BackendId ===

macro_rules! text_newtype {
    ($($name:ident),*) => {$(
        impl $name {
            pub fn new(text: impl Into<Text>) -> Self {
                Self(text.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_newtype!(GatewayId, SectionName, BackendId);

// === impl Hostname ===

impl Hostname {
    /// Lower-cases, drops one trailing dot, and checks the syntax (RFC 1123, and `_` as names in use have it).
    pub fn parse(text: &str) -> Result<Self, HostnameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(HostnameError::Empty);
        }
        if text.len() > 253 || text.split('.').any(|label| label.len() > 63) {
            return Err(HostnameError::TooLong);
        }
        let good = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let ip = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse::<std::net::IpAddr>().is_ok();
        if !ip && !text.split('.').all(good) {
            return Err(HostnameError::BadLabel);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Hostname {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl HostPattern ===

impl HostPattern {
    /// Whether a request host (lower case, without port and trailing dot) is meant.
    pub fn covers(&self, host: &str) -> bool {
        let prefix = |suffix: &Hostname| host.strip_suffix(suffix.as_str()).and_then(|rest| rest.strip_suffix('.'));
        match self {
            Self::Exact(name) => name.as_str() == host,
            Self::OneLabel(suffix) => prefix(suffix).is_some_and(|label| !label.is_empty() && !label.contains('.')),
            Self::AnyDepth(suffix) => prefix(suffix).is_some_and(|labels| !labels.is_empty()),
            Self::Any => true,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::OneLabel(suffix) | Self::AnyDepth(suffix) => write!(f, "*.{suffix}"),
            Self::Any => f.write_str("*"),
        }
    }
}

// === impl ObjectRef ===

impl ObjectRef {
    pub fn new(kind: impl Into<Text>, namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

impl fmt::Display for HostnameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "a name has at most 253 octets, a label at most 63",
            Self::BadLabel => "a label has letters, digits and `-`, and `-` neither first nor last",
        })
    }
}

impl std::error::Error for HostnameError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Hostname {
        Hostname::parse(text).expect("a good name")
    }

    #[test]
    fn a_hostname_is_lower_case_without_its_trailing_dot() {
        assert_eq!(host("Demo.KubeSphere.IO.").as_str(), "demo.kubesphere.io");
    }

    #[test]
    fn bad_names_say_why() {
        for (text, why) in [
            ("", HostnameError::Empty),
            (".", HostnameError::Empty),
            ("a..b", HostnameError::BadLabel),
            ("-a.b", HostnameError::BadLabel),
            ("a b", HostnameError::BadLabel),
            (&"a".repeat(64), HostnameError::TooLong),
        ] {
            assert_eq!(Hostname::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_wildcard_covers_its_depth_only() {
        let one = HostPattern::OneLabel(host("example.com"));
        let any = HostPattern::AnyDepth(host("example.com"));
        for (name, by_one, by_any) in [
            ("a.example.com", true, true),
            ("a.b.example.com", false, true),
            ("example.com", false, false),
            (".example.com", false, false),
            ("aexample.com", false, false),
        ] {
            assert_eq!((one.covers(name), any.covers(name)), (by_one, by_any), "{name}");
        }
    }
}
