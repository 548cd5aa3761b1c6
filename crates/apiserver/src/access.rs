//! Who asks, and what they may do.
//!
//! There are two identities, both client certificates of our own CA whose organisation is `system:masters`: the administrator's, and
//! this program's own, which never leaves the process. Both may do everything; but what is read-only, the latter alone writes.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::body;
use crate::clock;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::request::Target;

/// The user that this program's own controllers are.
pub(crate) const KEEPER: &str = "paifang";
pub(crate) const MASTERS: &str = "system:masters";
const AUTHENTICATED: &str = "system:authenticated";

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: String,
    pub groups: Vec<String>,
}

/// A kind that is asked, not stored.
pub(crate) struct Review {
    group: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
}

const REVIEWS: [Review; 3] = [
    Review { group: "authentication.k8s.io", kind: "SelfSubjectReview", plural: "selfsubjectreviews" },
    Review { group: "authorization.k8s.io", kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews" },
    Review { group: "authorization.k8s.io", kind: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews" },
];

// === impl Identity ===

impl Identity {
    /// The subject of a certificate that TLS has verified.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let user = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
        let organizations = subject.iter_organization().filter_map(|one| one.as_str().ok());
        let groups = organizations.map(str::to_owned).chain([AUTHENTICATED.to_owned()]).collect();
        Some(Self { user, groups })
    }

    /// Whether it is this program itself.
    pub fn is_keeper(&self) -> bool {
        self.user == KEEPER && self.is_master()
    }

    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

/// The reviews of a group, in groups that have no other kinds.
pub(crate) fn reviews(group: &str) -> &'static [Review] {
    match group {
        "authentication.k8s.io" => &REVIEWS[..1],
        "authorization.k8s.io" => &REVIEWS[1..],
        _ => &[],
    }
}

pub(crate) fn review_groups() -> [&'static str; 2] {
    ["authentication.k8s.io", "authorization.k8s.io"]
}

pub(crate) fn is_review(target: &Target) -> bool {
    find(target).is_some()
}

fn find(target: &Target) -> Option<&'static Review> {
    let fits = target.version == "v1" && target.namespace.is_empty() && target.name.is_empty();
    REVIEWS.iter().find(|review| fits && review.group == target.group && review.plural == target.resource)
}

/// Answers a question of the client about itself.
pub(crate) fn review(method: &Method, target: &Target, user: &Identity, bytes: &[u8], headers: &HeaderMap) -> Result<Reply, Failure> {
    let review = find(target).ok_or_else(Failure::no_resource)?;
    if *method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let asked = body::parse(&body::media_type(headers), bytes)?.value;
    let status = match review.kind {
        "SelfSubjectReview" => json!({ "userInfo": { "username": user.user, "groups": user.groups } }),
        "SelfSubjectAccessReview" => access(user),
        _ => rules(user),
    };
    let mut answer = json!({
        "kind": review.kind, "apiVersion": format!("{}/v1", review.group),
        "metadata": { "creationTimestamp": clock::now() },
    });
    if let Some(spec) = asked.get("spec") {
        answer["spec"] = spec.clone();
    }
    answer["status"] = status;
    Ok(Reply::json_with(StatusCode::CREATED, &answer))
}

fn access(user: &Identity) -> Value {
    if user.is_master() {
        json!({ "allowed": true, "reason": format!("{MASTERS} may do everything") })
    } else {
        json!({ "allowed": false, "reason": format!("only {MASTERS} may use this API") })
    }
}

fn rules(user: &Identity) -> Value {
    let all = json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] });
    let urls = json!({ "verbs": ["*"], "nonResourceURLs": ["*"] });
    let list = |rule: Value| if user.is_master() { vec![rule] } else { Vec::new() };
    json!({ "resourceRules": list(all), "nonResourceRules": list(urls), "incomplete": false })
}
