//! Plain-text requests are sent to https.

use crate::annotation::{Doc, Family, OnError, Reader};
use model::{HttpsRedirect, RedirectWhen, Text, TrailingSlash};

/// When, where it is said, and what becomes of a `/` at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpsRedirects {
    asked: Option<bool>,
    forced: Option<bool>,
    trailing_slash: TrailingSlash,
}

/// What holds where an Ingress says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectDefaults {
    pub(crate) asked: bool,
    pub(crate) forced: bool,
    pub(crate) status: u16,
    /// Below these nothing is sent to https: ACME's challenges are asked for in plain text.
    pub(crate) plain: Vec<Text>,
}

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
        let (forced, asked) = (from.flag("force-ssl-redirect"), from.flag("ssl-redirect"));
        let keep = from.flag("preserve-trailing-slash").unwrap_or(false);
        Some(Self { asked, forced, trailing_slash: if keep { TrailingSlash::Keep } else { TrailingSlash::Strip } })
    }
}

impl Default for HttpsRedirects {
    fn default() -> Self {
        Self { asked: None, forced: None, trailing_slash: TrailingSlash::Strip }
    }
}

// === impl HttpsRedirects ===

impl HttpsRedirects {
    pub(crate) fn of_path(self, path: &str, defaults: &RedirectDefaults) -> Option<HttpsRedirect> {
        if defaults.plain.iter().any(|it| path.starts_with(it.as_str())) {
            return None;
        }
        let forced = self.forced.unwrap_or(defaults.forced).then_some(RedirectWhen::Always);
        let asked = self.asked.unwrap_or(defaults.asked).then_some(RedirectWhen::HasCertificate);
        Some(HttpsRedirect { when: forced.or(asked)?, status: defaults.status, trailing_slash: self.trailing_slash })
    }
}
