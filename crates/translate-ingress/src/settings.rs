//! All that an Ingress's annotations say.

use crate::annotation::{Doc, Family, Reader};
use crate::family::backend_protocol::BackendProtocol;
use crate::family::canary::Canary;
use crate::family::error_pages::CustomErrors;
use crate::family::https_redirect::HttpsRedirects;
use crate::family::refused::Refused;
use crate::family::rewrite_target::RewriteTarget;
use crate::family::service_upstream::ServiceUpstream;
use crate::family::upstream_vhost::UpstreamVhost;
use crate::family::use_regex::UseRegex;
use model::Text;
use resources::Problem;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) use_regex: Option<UseRegex>,
    pub(crate) rewrite: Option<RewriteTarget>,
    pub(crate) https: HttpsRedirects,
    pub(crate) canary: Option<Canary>,
    pub(crate) service_upstream: Option<ServiceUpstream>,
    pub(crate) upstream_vhost: Option<UpstreamVhost>,
    pub(crate) error_pages: Option<CustomErrors>,
    pub(crate) access: Access,
}

/// Whether requests may pass at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    #[default]
    Open,
    /// Something that guards is not usable: 503.
    Closed,
}

/// Every family that is followed, for the reference page; [`Refused`] is not.
pub(crate) const FAMILIES: [&[Doc]; 8] = [
    UseRegex::KEYS,
    RewriteTarget::KEYS,
    Canary::KEYS,
    HttpsRedirects::KEYS,
    ServiceUpstream::KEYS,
    UpstreamVhost::KEYS,
    BackendProtocol::KEYS,
    CustomErrors::KEYS,
];

// === impl Settings ===

impl Settings {
    pub(crate) fn read(annotations: &BTreeMap<Text, Text>) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(annotations);
        let mut settings = Self::families(&mut reader);
        let finished = reader.finish();
        if finished.closed {
            settings.access = Access::Closed;
        }
        (settings, finished.problems)
    }

    pub(crate) fn families(from: &mut Reader<'_>) -> Self {
        let settings = Self {
            use_regex: from.family(),
            rewrite: from.family(),
            https: from.family().unwrap_or_default(),
            canary: from.family(),
            service_upstream: from.family(),
            upstream_vhost: from.family(),
            error_pages: from.family(),
            access: Access::Open,
        };
        // What these two say is said by closing, or by a problem.
        let _: (Option<BackendProtocol>, Option<Refused>) = (from.family(), from.family());
        settings
    }

    /// Whether it makes regular expressions of the host's paths, by a path of its own.
    pub(crate) fn wants_regex(&self, path: &str) -> bool {
        self.use_regex.is_some() || self.rewrites(path)
    }

    /// Whether the path is rewritten: to itself, it is not.
    pub(crate) fn rewrites(&self, path: &str) -> bool {
        self.rewrite.as_ref().is_some_and(|rewrite| *rewrite.text != *path)
    }
}
