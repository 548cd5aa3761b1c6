//! `gateway.networking.k8s.io` HTTPRoute, with `retry` of the experimental channel.

use super::filter::HttpFilter;
use super::{BackendRef, ParentRef, duration, number};
use crate::at::{At, Problems};
use crate::generated::Generated;
use crate::kind::meta::{Meta, Name};
use crate::problem::{Cause, Problem};
use model::{HostPattern, Text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRoute {
    pub meta: Meta,
    pub parents: Vec<ParentRef>,
    /// Every one where none is written.
    pub hosts: Vec<HostPattern>,
    /// Those of its hosts that were generated: for which gateways.
    pub generated: BTreeMap<HostPattern, Generated>,
    pub rules: Vec<HttpRule>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRule {
    /// Place in the object's list.
    pub index: usize,
    /// One of them suffices. Without any the rule matches nothing.
    pub matches: Vec<HttpMatch>,
    /// Matches that could not be read are left out: they must not become wider ones.
    pub lost: Lost,
    pub filters: Vec<HttpFilter>,
    pub backends: Vec<BackendRef>,
    pub timeouts: HttpTimeouts,
    pub retry: Option<HttpRetry>,
}

/// Whether some of a rule's matches could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Nothing,
    Matches,
}

/// All parts must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMatch {
    /// `None`: the rule has no `matches`, and this stands for every path.
    pub index: Option<usize>,
    pub path: HttpPathMatch,
    pub method: Option<Text>,
    pub headers: Vec<HttpValueMatch>,
    pub query: Vec<HttpValueMatch>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpPathMatch {
    Exact(Text),
    /// Segment by segment.
    Prefix(Text),
    Regex(Text),
}

/// A header or query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpValueMatch {
    pub index: usize,
    pub name: Text,
    pub kind: ValueKind,
    pub value: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    Exact,
    Regex,
}

/// Zero means none, whatever else goes without saying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpTimeouts {
    pub request: Option<Duration>,
    pub backend_request: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRetry {
    pub codes: Vec<u16>,
    /// Beside the first try.
    pub attempts: Option<u32>,
    pub backoff: Option<Duration>,
}

// === impl HttpRoute ===

impl HttpRoute {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut route =
            Self { meta, parents: Vec::new(), hosts: Vec::new(), generated: BTreeMap::new(), rules: Vec::new(), problems: Vec::new() };
        if let Some(spec) = root.field("spec") {
            let own = &route.meta.name.namespace;
            route.parents = super::parents(own, &spec, &mut problems);
            route.hosts = super::hostnames(&spec, &mut problems);
            spec.list("rules", &mut problems, |index, at, problems| route.rules.push(HttpRule::read(own, index, at, problems)));
            if spec.field("rules").is_none() {
                route.rules.push(HttpRule::read(own, 0, &At::root(&Value::Null), &mut problems));
            }
        }
        route.problems = problems;
        route
    }

    /// Every backend, those of the rules' mirrors too.
    pub fn backends(&self) -> impl Iterator<Item = &BackendRef> {
        self.rules.iter().flat_map(|rule| rule.backends.iter().chain(rule.filters.iter().filter_map(HttpFilter::mirror)))
    }
}

// === impl HttpRule ===

impl HttpRule {
    fn read(own: &Text, index: usize, at: &At<'_>, problems: &mut Problems) -> Self {
        let (mut matches, mut written) = (Vec::new(), 0);
        at.list("matches", problems, |index, at, problems| {
            written += 1;
            matches.extend(HttpMatch::read(index, at, problems));
        });
        let mut lost = if matches.len() < written { Lost::Matches } else { Lost::Nothing };
        if at.field("matches").is_some_and(|at| !at.value.is_array()) {
            lost = Lost::Matches;
        } else if written == 0 {
            matches.push(HttpMatch::default());
        }
        let mut filters = Vec::new();
        at.list("filters", problems, |index, at, problems| filters.push(HttpFilter::read(own, index, at, problems)));
        if at.field("filters").is_some_and(|at| !at.value.is_array()) {
            filters.push(HttpFilter::unreadable());
        }
        let timeouts = at.field("timeouts").map(|at| HttpTimeouts::read(&at, problems)).unwrap_or_default();
        let retry = at.field("retry").map(|at| HttpRetry::read(&at, problems));
        if at.field("sessionPersistence").is_some() {
            let message = "session persistence is not there yet: requests of one session may go to different endpoints";
            problems.push(Problem::warning(format!("{at}.sessionPersistence"), Cause::NotSupportedYet, message));
        }
        Self { index, matches, lost, filters, backends: super::backends(own, at, problems), timeouts, retry }
    }
}

// === impl HttpMatch ===

impl Default for HttpMatch {
    /// Every request.
    fn default() -> Self {
        Self { index: None, path: HttpPathMatch::Prefix("/".into()), method: None, headers: Vec::new(), query: Vec::new() }
    }
}

impl HttpMatch {
    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let path = at.field("path").map_or(Some(Self::default().path), |at| HttpPathMatch::read(&at, problems));
        let method = at.text("method", problems);
        if let Some(method) = &method {
            let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
            at.expected(known.contains(&&**method).then_some(()), "a match of a known method", problems);
        }
        let (headers, query) = (HttpValueMatch::list("headers", at, problems), HttpValueMatch::list("queryParams", at, problems));
        (problems.len() == before).then_some(Self { index: Some(index), path: path?, method, headers, query })
    }
}

impl HttpPathMatch {
    fn read(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let value = super::readable(at, "value", problems)?.unwrap_or_else(|| "/".into());
        let kind = super::readable(at, "type", problems)?.unwrap_or_else(|| "PathPrefix".into());
        let read = match &*kind {
            "Exact" => Some(Self::Exact(value.clone())),
            "PathPrefix" => Some(Self::Prefix(value.clone())),
            "RegularExpression" => Some(Self::Regex(value.clone())),
            _ => None,
        };
        let field = at.field("type");
        let read = field.as_ref().unwrap_or(at).expected(read, "Exact, PathPrefix or RegularExpression", problems)?;
        if !matches!(read, Self::Regex(_)) && !value.starts_with('/') {
            let problem = Problem::error(format!("{at}.value"), Cause::InvalidPath, format!("`{value}` does not begin with `/`"));
            problems.push(problem.hint(format!("Write `/{value}`")));
            return None;
        }
        Some(read)
    }
}

impl HttpValueMatch {
    /// Of one name only the first counts.
    fn list(name: &str, at: &At<'_>, problems: &mut Problems) -> Vec<Self> {
        let mut list: Vec<Self> = Vec::new();
        at.list(name, problems, |index, at, problems| {
            let value = Self::read(index, at, problems);
            list.extend(value.filter(|value| list.iter().all(|it| !it.name.eq_ignore_ascii_case(&value.name))));
        });
        list
    }

    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let missing = |value: Option<Text>, problems: &mut Problems| at.expected(value, "a match with name and value", problems);
        let (name, value) = (at.text("name", problems), at.text("value", problems));
        let (name, value) = (missing(name.filter(|it| !it.is_empty()), problems)?, missing(value, problems)?);
        let kind = match at.text("type", problems).as_deref() {
            None | Some("Exact") => Some(ValueKind::Exact),
            Some("RegularExpression") => Some(ValueKind::Regex),
            Some(_) => None,
        };
        let kind = at.expected(kind, "a match of type Exact or RegularExpression", problems)?;
        Some(Self { index, name, kind, value })
    }
}

// === impl HttpTimeouts ===

impl HttpTimeouts {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        Self { request: duration(at, "request", problems), backend_request: duration(at, "backendRequest", problems) }
    }
}

// === impl HttpRetry ===

impl HttpRetry {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut codes = Vec::new();
        at.list("codes", problems, |_, at, problems| {
            let code = at.value.as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
            codes.extend(at.expected(code, "a status from 400 to 599", problems));
        });
        Self { codes, attempts: number(at, "attempts", u32::MAX, problems), backoff: duration(at, "backoff", problems) }
    }
}
