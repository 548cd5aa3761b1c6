//! Hosts, as `Host` and an absolute target name them.

use crate::Fault;
use crate::octet::name;
use std::net::Ipv6Addr;

/// `host[:port]`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// As written, without the trailing dot; with the brackets of an IPv6 literal.
    pub host: &'a [u8],
    pub port: Option<u16>,
}

/// A registered name of letters, digits, `-`, `.`, `_` and `~`, or an IP literal; a port up to 65535 (an empty one counts as none). No user
/// information, no escapes.
pub fn authority(text: &[u8]) -> Result<Authority<'_>, Fault> {
    let (host, port) = if text.first() == Some(&b'[') {
        let close = memchr::memchr(b']', text).ok_or(Fault::Host)?;
        let literal = text.get(1..close).unwrap_or_default();
        std::str::from_utf8(literal).ok().and_then(|literal| literal.parse::<Ipv6Addr>().ok()).ok_or(Fault::Host)?;
        text.split_at_checked(close + 1).ok_or(Fault::Host)?
    } else {
        let end = text.iter().position(|&octet| !name(octet)).unwrap_or(text.len());
        let (host, port) = text.split_at_checked(end).ok_or(Fault::Host)?;
        (host.strip_suffix(b".").unwrap_or(host), port)
    };
    if host.is_empty() || host.len() > 255 || host.first() == Some(&b'.') || host.ends_with(b".") {
        return Err(Fault::Host);
    }
    let port = match port {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(self::port(digits)?),
        _ => return Err(Fault::Host),
    };
    Ok(Authority { host, port })
}

fn port(digits: &[u8]) -> Result<u16, Fault> {
    let value = digits.iter().try_fold(0_u32, |sum, octet| match octet {
        b'0'..=b'9' => Some(sum * 10 + u32::from(octet - b'0')).filter(|&sum| sum <= 65_535),
        _ => None,
    });
    value.and_then(|value| u16::try_from(value).ok()).ok_or(Fault::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_a_literal_with_an_optional_port() {
        for (text, expect) in [
            ("gw.test", Some(("gw.test", None))),
            ("gw.test.", Some(("gw.test", None))),
            ("GW.test:80", Some(("GW.test", Some(80)))),
            ("gw.test.:8080", Some(("gw.test", Some(8080)))),
            ("gw.test:", Some(("gw.test", None))),
            ("a_b.test", Some(("a_b.test", None))),
            ("127.0.0.1:65535", Some(("127.0.0.1", Some(65535)))),
            ("[::1]", Some(("[::1]", None))),
            ("[::1]:443", Some(("[::1]", Some(443)))),
            ("", None),
            (".", None),
            ("..", None),
            (".a", None),
            ("a..", None),
            ("a:65536", None),
            ("a:99999", None),
            ("a:-1", None),
            ("a:8a", None),
            ("a:80:80", None),
            ("u@a", None),
            ("a b", None),
            ("a/b", None),
            ("a%41", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[gw]", None),
            ("a\u{e9}", None),
        ] {
            let got = authority(text.as_bytes()).ok();
            assert_eq!(got, expect.map(|(host, port)| Authority { host: host.as_bytes(), port }), "{text:?}");
        }
    }
}
