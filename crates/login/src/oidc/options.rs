//! How an issuer's tokens are read, as flags say it.

use http::Uri;
use http::uri::Scheme;

use super::Required;
use crate::names;

/// How an issuer's tokens are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// As the issuer writes itself: `https://…`, or `http://…` on loopback.
    pub issuer: String,
    /// The audience that a token must be for.
    pub client_id: String,
    /// The claim that is the user's name.
    pub username_claim: String,
    /// Before that name.
    pub username_prefix: String,
    /// The claim that lists groups; `None` reads none.
    pub groups_claim: Option<String>,
    /// Before each of them.
    pub groups_prefix: String,
    pub required: Required,
    /// Certificates in PEM that the issuer's is checked against; `None` takes those of this machine.
    pub authorities: Option<Vec<u8>>,
}

/// An option that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {reason}")]
pub struct OptionsError {
    /// As on the command line.
    pub flag: &'static str,
    pub reason: String,
}

// === impl Options ===

impl Options {
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            username_claim: "sub".into(),
            username_prefix: "oidc:".into(),
            groups_claim: None,
            groups_prefix: "oidc:".into(),
            required: Required::new(),
            authorities: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), OptionsError> {
        check_url(&self.issuer).map_err(|reason| OptionsError::new("--oidc-issuer", reason))?;
        let given = |flag, text: &str| match text.trim().is_empty() {
            true => Err(OptionsError::new(flag, "must not be empty")),
            false => Ok(()),
        };
        given("--oidc-client-id", &self.client_id)?;
        given("--oidc-username-claim", &self.username_claim)?;
        self.groups_claim.as_ref().map_or(Ok(()), |claim| given("--oidc-groups-claim", claim))?;
        for (flag, prefix) in [("--oidc-username-prefix", &self.username_prefix), ("--oidc-groups-prefix", &self.groups_prefix)] {
            if names::is_reserved_group(prefix) || prefix.chars().any(char::is_control) {
                return Err(OptionsError::new(flag, "would give names of the system"));
            }
        }
        self.required.keys().try_for_each(|claim| given("--oidc-required-claim", claim))
    }
}

impl OptionsError {
    pub(super) fn new(flag: &'static str, reason: impl Into<String>) -> Self {
        Self { flag, reason: reason.into() }
    }
}

/// An address that may be asked: `https`, or `http` that does not leave this machine.
pub(super) fn check_url(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{text:?} is no address: {error}"))?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| format!("{text:?} names no host"))?;
    if uri.query().is_some() || text.contains('#') {
        return Err(format!("{text:?} must have neither query nor fragment"));
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTP && is_loopback(authority.host()) => Ok(uri),
        _ => Err(format!("{text:?} must begin with https:// (http:// is for loopback alone)")),
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_reached_safely_or_not_at_all() {
        for good in
            ["https://id.example", "https://id.example:8443/realms/a", "http://127.0.0.1:5556/dex", "http://localhost", "http://[::1]:1"]
        {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "ftp://id.example",
            "https://",
            "id.example",
            "",
            "https://id.example?x=y",
            "https://id.example/#x",
            "https://user:password@id.example",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = Options::new("https://id.example", "paifang");
        assert_eq!(good.check(), Ok(()));
        let check = |change: fn(&mut Options), flag: &str| {
            let mut options = good.clone();
            change(&mut options);
            assert_eq!(options.check().expect_err("it cannot be").flag, flag);
        };
        check(|options| options.issuer = "http://id.example".into(), "--oidc-issuer");
        check(|options| options.client_id = " ".into(), "--oidc-client-id");
        check(|options| options.username_claim.clear(), "--oidc-username-claim");
        check(|options| options.groups_claim = Some(String::new()), "--oidc-groups-claim");
        check(|options| options.username_prefix = "system:".into(), "--oidc-username-prefix");
        check(|options| options.groups_prefix = "system:x".into(), "--oidc-groups-prefix");
        check(|options| drop(options.required.insert(String::new(), "x".into())), "--oidc-required-claim");
    }
}
