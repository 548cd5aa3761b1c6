//! The cookies: one that names the session, one that takes an OIDC login to its end.
//!
//! **Invariant:** over TLS their names begin with `__Host-`, so that no other host and no page without TLS can set them.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// How people reach the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tls,
    /// Without, on this machine alone.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    Session,
    /// Sent when the issuer sends the browser back, which is another site.
    Oidc,
}

/// Of the headers of one request.
const LARGEST: usize = 8 << 10;

// === impl Cookie ===

impl Cookie {
    fn name(self, transport: Transport) -> &'static str {
        match (self, transport) {
            (Self::Session, Transport::Tls) => "__Host-paifang",
            (Self::Session, Transport::Plain) => "paifang",
            (Self::Oidc, Transport::Tls) => "__Host-paifang-oidc",
            (Self::Oidc, Transport::Plain) => "paifang-oidc",
        }
    }

    fn attributes(self, transport: Transport) -> String {
        let secure = if transport == Transport::Tls { "; Secure" } else { "" };
        let site = if self == Self::Session { "Strict" } else { "Lax" };
        format!("; Path=/; HttpOnly{secure}; SameSite={site}")
    }

    /// The header that sets it, until the browser is closed.
    pub(crate) fn set(self, transport: Transport, value: &str) -> HeaderValue {
        let text = format!("{}={value}{}", self.name(transport), self.attributes(transport));
        // The values are ours: letters, digits, `-` and `_`.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The header that takes it back.
    pub(crate) fn clear(self, transport: Transport) -> HeaderValue {
        let text = format!("{}={}; Max-Age=0", self.name(transport), self.attributes(transport));
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Its value, if the request has exactly one.
    pub(crate) fn get(self, transport: Transport, headers: &HeaderMap) -> Option<&str> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).filter(|line| line.len() <= LARGEST);
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(name, _)| *name == self.name(transport)).map(|(_, value)| value);
        let first = found.next()?;
        // Two of one name: somebody has slipped one in.
        found.next().is_none().then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(lines: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        Cookie::Session.get(Transport::Tls, &headers).map(str::to_owned)
    }

    #[test]
    fn flags() {
        let set = Cookie::Session.set(Transport::Tls, "abc");
        assert_eq!(set, "__Host-paifang=abc; Path=/; HttpOnly; Secure; SameSite=Strict");
        let set = Cookie::Session.set(Transport::Plain, "abc");
        assert_eq!(set, "paifang=abc; Path=/; HttpOnly; SameSite=Strict");
        let set = Cookie::Oidc.clear(Transport::Tls);
        assert_eq!(set, "__Host-paifang-oidc=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn one_is_one() {
        assert_eq!(get(&["a=1; __Host-paifang=x; b=2"]).as_deref(), Some("x"));
        assert_eq!(get(&["a=1", "__Host-paifang=x"]).as_deref(), Some("x"));
        assert_eq!(get(&["paifang=x"]), None);
        assert_eq!(get(&["__Host-paifang=x; __Host-paifang=y"]), None);
        assert_eq!(get(&["__Host-paifang=x", "__Host-paifang=y"]), None);
        assert_eq!(get(&["__host-paifang=x"]), None);
        assert_eq!(get(&[]), None);
    }
}
