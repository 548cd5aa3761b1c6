//! What we tell the owner of an object.

use crate::condition::Status;
use model::{GatewayId, HostPattern, ObjectRef, Text};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// One thing wrong in an object: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Problem {
    /// Field path, for example `spec.rules[0].http.paths[1].path`. Empty: the object as a whole.
    pub field: Text,
    pub reason: Cause,
    pub severity: Severity,
    /// A sentence, without the field.
    pub message: Text,
    /// What to write instead, where that is known.
    pub hint: Option<Text>,
}

/// How much it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Severity {
    /// Something is not served as asked for.
    Error,
    /// It is served, but not everything asked for is done.
    Warning,
    /// Worth knowing; nothing is lost.
    Note,
}

/// What is wrong, in one word: an event's reason, a condition's reason, a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Cause {
    /// A field has the wrong type or cannot be read.
    Malformed,
    InvalidHost,
    InvalidPath,
    /// A regular expression that no engine takes.
    InvalidRegex,
    /// An annotation's value is not understood.
    InvalidValue,
    /// A regular expression that only the backtracking engine takes.
    BacktrackingRegex,
    /// A rewrite uses a group that the path does not have.
    CaptureNotInPath,
    UnknownAnnotation,
    NotSupportedYet,
    /// A guard that is not supported yet, so its paths answer 503.
    GuardNotSupportedYet,
    /// Refused by design: raw nginx configuration.
    AnnotationRefused,
    /// ingress-nginx does not know this annotation (any more).
    AnnotationRemoved,
    /// An annotation that does nothing where it stands.
    AnnotationIgnored,
    ServiceNotFound,
    PortNotFound,
    BackendMissing,
    ResourceBackend,
    SecretNotFound,
    BadCertificate,
    CertificateMismatch,
    CertificateExpires,
    DuplicatePath,
    CanaryNotEnabled,
    CanaryWithoutPrimary,
    DuplicateCanary,
    ClassNotFound,
    /// An endpoint's address may not be connected to.
    EndpointRefused,
    InvalidEndpoint,
    /// An external name has no address at the moment.
    NameNotResolved,
    /// A field whose wish is not followed; what it guards is closed.
    Unsupported,
    /// A reference into another namespace that no ReferenceGrant allows.
    RefNotPermitted,
    /// A parent, gateway, subset or other object that is named does not exist.
    ReferenceNotFound,
    /// Somebody else, who was there first, has this port, or this match on this host.
    Conflict,
    /// It is legal and does nothing here.
    NoEffect,
    /// Somebody else's project has this host.
    HostTaken,
    /// A gateway may not be asked for in this namespace, or does not serve it.
    ScopeNotAllowed,
    /// A host is to be generated, and there is no address to make it of.
    HostPending,
    /// Every client may say where it comes from.
    ClientsBelieved,
}

/// What we say about one object: its problems, and what of it is served.
///
/// The parts that several shards say are put together with [`Report::merge`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub object: ObjectRef,
    /// In order of field, each once.
    pub problems: BTreeSet<Problem>,
    /// Gateways that serve something of it; their addresses are its addresses.
    pub gateways: BTreeSet<GatewayId>,
    /// Host names under which something of it is served.
    pub hosts: BTreeSet<HostPattern>,
    /// Routes made from it.
    pub routes: usize,
    /// What its `status` is to say; `None`: nothing but addresses. One part alone may say it.
    pub status: Option<Status>,
}

/// Most problems that one message names.
const LISTED: usize = 8;

/// Longest message of several problems, in characters.
const LONGEST: usize = 2048;

// === impl Problem ===

impl Problem {
    pub fn error(field: impl Into<Text>, reason: Cause, message: impl Into<Text>) -> Self {
        Self { field: field.into(), reason, severity: Severity::Error, message: message.into(), hint: None }
    }

    pub fn warning(field: impl Into<Text>, reason: Cause, message: impl Into<Text>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(field, reason, message) }
    }

    pub fn note(field: impl Into<Text>, reason: Cause, message: impl Into<Text>) -> Self {
        Self { severity: Severity::Note, ..Self::error(field, reason, message) }
    }

    pub fn hint(mut self, hint: impl Into<Text>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Several as the message of a condition; a long list is cut short.
    pub fn list<'a>(problems: impl IntoIterator<Item = &'a Self>) -> String {
        let (mut shown, mut more) = (Vec::new(), 0_usize);
        for problem in problems {
            if shown.len() < LISTED { shown.push(problem.to_string()) } else { more += 1 }
        }
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        let text = shown.join("; ");
        match text.char_indices().nth(LONGEST) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text,
        }
    }

    /// Whether an API server refuses the object for it. `schema` says the same in Kubernetes' words; this is for objects that never met one.
    pub fn refuses(&self) -> bool {
        self.severity == Severity::Error && self.reason.refuses()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, ". {hint}"),
            None => Ok(()),
        }
    }
}

// === impl Severity ===

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

// === impl Cause ===

impl Cause {
    /// Kubernetes' own rules refuse it.
    pub fn refuses(self) -> bool {
        matches!(self, Self::Malformed | Self::InvalidHost | Self::InvalidPath | Self::BackendMissing)
    }

    /// It names an object; where only some objects are at hand, that it is not among them is no problem.
    pub fn is_reference(self) -> bool {
        matches!(
            self,
            Self::ServiceNotFound
                | Self::SecretNotFound
                | Self::ClassNotFound
                | Self::CanaryWithoutPrimary
                | Self::NameNotResolved
                | Self::ReferenceNotFound
                | Self::RefNotPermitted
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

// === impl Report ===

impl Report {
    pub fn new(object: ObjectRef) -> Self {
        Self { object, problems: BTreeSet::new(), gateways: BTreeSet::new(), hosts: BTreeSet::new(), routes: 0, status: None }
    }

    /// Adds what another part says about the same object.
    pub fn merge(&mut self, part: &Self) {
        self.problems.extend(part.problems.iter().cloned());
        self.gateways.extend(part.gateways.iter().cloned());
        self.hosts.extend(part.hosts.iter().cloned());
        self.routes += part.routes;
        if part.status.is_some() {
            self.status.clone_from(&part.status);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.routes == 0 && self.status.is_none()
    }
}
