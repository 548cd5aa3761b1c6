//! Plain-text requests are sent to https.

use crate::annotation::{Doc, Family, OnError, Reader};
use model::{HttpsRedirect, RedirectWhen, TrailingSlash};

/// When, and what becomes of a `/` at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpsRedirects {
    /// `None`: never.
    when: Option<RedirectWhen>,
    trailing_slash: TrailingSlash,
}

/// ACME's challenges are asked for in plain text (`no-tls-redirect-locations`).
const PLAIN: &str = "/.well-known/acme-challenge";

impl Family for HttpsRedirects {
    const KEYS: &'static [Doc] = &[
        Doc {
            key: "ssl-redirect",
            value: "boolean",
            default: "true",
            meaning: "Plain-text requests for a host that has a certificate get 308 to https, with a `/` at the end of the target taken off. \
                      Not below `/.well-known/acme-challenge`.",
        },
        Doc { key: "force-ssl-redirect", value: "boolean", default: "false", meaning: "The same, whether or not there is a certificate." },
        Doc {
            key: "preserve-trailing-slash",
            value: "boolean",
            default: "false",
            meaning: "The redirect to https keeps a `/` at the end of the target.",
        },
    ];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let forced = from.flag("force-ssl-redirect").unwrap_or(false).then_some(RedirectWhen::Always);
        let asked = from.flag("ssl-redirect").unwrap_or(true).then_some(RedirectWhen::HasCertificate);
        let keep = from.flag("preserve-trailing-slash").unwrap_or(false);
        Some(Self { when: forced.or(asked), trailing_slash: if keep { TrailingSlash::Keep } else { TrailingSlash::Strip } })
    }
}

impl Default for HttpsRedirects {
    fn default() -> Self {
        Self { when: Some(RedirectWhen::HasCertificate), trailing_slash: TrailingSlash::Strip }
    }
}

// === impl HttpsRedirects ===

impl HttpsRedirects {
    pub(crate) fn of_path(self, path: &str) -> Option<HttpsRedirect> {
        let when = self.when.filter(|_| !path.starts_with(PLAIN))?;
        Some(HttpsRedirect { when, status: 308, trailing_slash: self.trailing_slash })
    }
}
