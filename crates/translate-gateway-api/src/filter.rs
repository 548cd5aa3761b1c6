//! Filters of a rule and of a backend, in the order they run.

use crate::backend::{self, From, Spoken};
use crate::cors;
use crate::findings::Findings;
use crate::given::Given;
use model::{Filter, HeaderEdit, Hostname, Mirror, PathModifier, Redirect, RedirectPort, Rewrite, Text};
use resources::gateway_api::{HeaderModifier, HttpFilter, HttpFilterKind, NewPath, RedirectFilter};
use resources::{Cause, Problem};

/// The order in which a rule's filters run, however they are written: a preflight is answered first, and a copy is made of the request
/// as the backend gets it.
pub(crate) const ORDER: [Step; 6] = [Step::Cors, Step::RequestHeader, Step::ResponseHeader, Step::Host, Step::Path, Step::Mirror];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Cors,
    RequestHeader,
    ResponseHeader,
    Host,
    Path,
    Mirror,
}

/// What the filters of a rule come to. A new path is only known with the prefix that it may replace.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    steps: Vec<(Step, Filter)>,
    path: Option<NewPath>,
    pub(crate) redirect: Option<RedirectFilter>,
    /// One of them cannot be had, so the requests get an error.
    pub(crate) closed: bool,
}

/// Header fields that belong to one connection, and to whoever speaks on it.
const OF_THE_CONNECTION: [&str; 9] =
    ["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"];

/// The filters of a rule.
pub(crate) fn of_rule(given: Given<'_>, from: From<'_>, list: &[HttpFilter], at: &str, findings: &mut Findings) -> Filters {
    let mut filters = Filters::default();
    let mut seen: Vec<&str> = Vec::new();
    for filter in list {
        let at = format!("{at}.filters[{}]", filter.index);
        let word = word(&filter.kind);
        if seen.contains(&word) && word != "RequestMirror" {
            findings.invalid(&*at, Cause::Unsupported, format!("there is a {word} before it, so the requests get 500"), "One is enough");
            filters.closed = true;
        }
        seen.push(word);
        filters.add(given, from, filter, &at, findings);
    }
    if seen.contains(&"RequestRedirect") && seen.contains(&"URLRewrite") {
        let message = "RequestRedirect and URLRewrite exclude each other, so the requests get 500";
        let problem = Problem::error(format!("{at}.filters"), Cause::Unsupported, message).hint("Keep one of them");
        findings.invalid.push(("IncompatibleFilters", problem));
        filters.closed = true;
    }
    filters
}

/// The filters of a backend: header edits and a new host. `None`: one of them cannot be had.
pub(crate) fn of_backend(list: &[HttpFilter], at: &str, findings: &mut Findings) -> Option<Vec<Filter>> {
    let mut filters = Filters::default();
    for filter in list {
        let at = format!("{at}.filters[{}]", filter.index);
        match &filter.kind {
            HttpFilterKind::RequestHeader(_) | HttpFilterKind::ResponseHeader(_) | HttpFilterKind::Rewrite { path: None, .. } => {
                filters.add_simple(&filter.kind, &at, findings);
            }
            HttpFilterKind::Unreadable => {
                findings.invalid(&*at, Cause::Unsupported, "the filter is not understood, so requests for this backend get 500", "");
                filters.closed = true;
            }
            other => {
                let message = format!("{} is not done for one backend, so requests for it get 500", word(other));
                findings.invalid(&*at, Cause::Unsupported, message, "Write it among the filters of the rule");
                filters.closed = true;
            }
        }
    }
    (!filters.closed).then(|| filters.in_order(Vec::new()))
}

fn word(kind: &HttpFilterKind) -> &str {
    match kind {
        HttpFilterKind::RequestHeader(_) => "RequestHeaderModifier",
        HttpFilterKind::ResponseHeader(_) => "ResponseHeaderModifier",
        HttpFilterKind::Mirror { .. } => "RequestMirror",
        HttpFilterKind::Redirect(_) => "RequestRedirect",
        HttpFilterKind::Rewrite { .. } => "URLRewrite",
        HttpFilterKind::Cors(_) => "CORS",
        HttpFilterKind::Extension(_) => "ExtensionRef",
        HttpFilterKind::Unknown(kind) => kind,
        HttpFilterKind::Unreadable => "filter",
    }
}

// === impl Filters ===

impl Filters {
    fn add(&mut self, given: Given<'_>, from: From<'_>, filter: &HttpFilter, at: &str, findings: &mut Findings) {
        match &filter.kind {
            HttpFilterKind::RequestHeader(_) | HttpFilterKind::ResponseHeader(_) => self.add_simple(&filter.kind, at, findings),
            HttpFilterKind::Rewrite { path, .. } => {
                self.path.clone_from(path);
                self.add_simple(&filter.kind, at, findings);
            }
            HttpFilterKind::Mirror { backend, percent } => {
                let at = format!("{at}.requestMirror.backendRef");
                let backend = backend::resolve(given, from, backend, (&at, Spoken::Http), findings);
                self.steps.push((Step::Mirror, Filter::Mirror(Mirror { backend, percent: *percent })));
            }
            HttpFilterKind::Redirect(redirect) => {
                self.closed |= !is_host(redirect.host.as_ref(), &format!("{at}.requestRedirect.hostname"), findings);
                self.redirect = Some(redirect.clone());
            }
            HttpFilterKind::Cors(cors) => match cors::cors(cors, &format!("{at}.cors"), findings) {
                Some(cors) => self.steps.push((Step::Cors, Filter::Cors(cors))),
                None => self.closed = true,
            },
            HttpFilterKind::Extension(to) => {
                let message = format!("`{}` is no filter that is known here, so the requests get 500", to.shown_kind());
                let problem = Problem::error(format!("{at}.extensionRef"), Cause::Unsupported, message);
                findings.unresolved("InvalidKind", problem.hint("Use the filters of Gateway API itself"));
                self.closed = true;
            }
            HttpFilterKind::Unknown(kind) => {
                let message = format!("a filter of type `{kind}` is not known here, so the requests get 500");
                findings.invalid(format!("{at}.type"), Cause::Unsupported, message, "");
                self.closed = true;
            }
            HttpFilterKind::Unreadable => {
                findings.invalid(at, Cause::Unsupported, "the filter is not understood, so the requests get 500", "");
                self.closed = true;
            }
        }
    }

    fn add_simple(&mut self, kind: &HttpFilterKind, at: &str, findings: &mut Findings) {
        match kind {
            HttpFilterKind::RequestHeader(modifier) => {
                for edit in self.edits(modifier, &format!("{at}.requestHeaderModifier"), findings) {
                    self.steps.push(match edit {
                        HeaderEdit::Set { name, value } if *name == *"host" => (Step::Host, Filter::SetHost(value)),
                        edit => (Step::RequestHeader, Filter::RequestHeader(edit)),
                    });
                }
            }
            HttpFilterKind::ResponseHeader(modifier) => {
                let edits = self.edits(modifier, &format!("{at}.responseHeaderModifier"), findings);
                self.steps.extend(edits.into_iter().map(|edit| (Step::ResponseHeader, Filter::ResponseHeader(edit))));
            }
            HttpFilterKind::Rewrite { host: Some(host), .. } => {
                if is_host(Some(host), &format!("{at}.urlRewrite.hostname"), findings) {
                    self.steps.push((Step::Host, Filter::SetHost(host.clone())));
                } else {
                    self.closed = true;
                }
            }
            _ => {}
        }
    }

    fn edits(&mut self, modifier: &HeaderModifier, at: &str, findings: &mut Findings) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        let lists = [("set", &modifier.set), ("add", &modifier.add)];
        for (list, index, (name, value)) in
            lists.into_iter().flat_map(|(list, of)| of.iter().enumerate().map(move |(at, it)| (list, at, it)))
        {
            let at = format!("{at}.{list}[{index}]");
            if let Some(name) = self.header_name(name, &at, findings) {
                if !is_value(value) {
                    let message = "the value has control characters, which no header may have, so the requests get 500";
                    findings.invalid(format!("{at}.value"), Cause::InvalidValue, message, "");
                    self.closed = true;
                }
                let value = value.clone();
                edits.push(if list == "set" { HeaderEdit::Set { name, value } } else { HeaderEdit::Add { name, value } });
            }
        }
        for (index, name) in modifier.remove.iter().enumerate() {
            edits.extend(self.header_name(name, &format!("{at}.remove[{index}]"), findings).map(|name| HeaderEdit::Remove { name }));
        }
        edits.retain(|edit| match edit {
            HeaderEdit::Add { name, .. } | HeaderEdit::Remove { name } if *name == *"host" => {
                let message = "a request has one Host: it can be set, and neither added nor removed";
                findings.note(Problem::warning(at, Cause::NoEffect, message).hint("Use `set`, or URLRewrite"));
                false
            }
            _ => true,
        });
        edits
    }

    /// In lower case; `None`: it is left as it is.
    fn header_name(&mut self, name: &Text, at: &str, findings: &mut Findings) -> Option<Text> {
        let lower: Text = name.to_ascii_lowercase().into();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if lower.is_empty() || !lower.bytes().all(token) {
            findings.invalid(at, Cause::InvalidValue, format!("`{name}` is no name of a header, so the requests get 500"), "");
            self.closed = true;
            return None;
        }
        if OF_THE_CONNECTION.contains(&&*lower) {
            let message = format!("`{name}` belongs to the connection, so it is left as it is");
            findings.note(Problem::warning(at, Cause::NoEffect, message));
            return None;
        }
        Some(lower)
    }

    /// Whether a prefix is needed, because a new path takes its place.
    pub(crate) fn replaces_prefix(&self) -> bool {
        let redirect = self.redirect.as_ref().and_then(|redirect| redirect.path.as_ref());
        [self.path.as_ref(), redirect].into_iter().flatten().any(|path| matches!(path, NewPath::Prefix(_)))
    }

    /// The list for one match; `prefix` is what it matches by.
    pub(crate) fn for_match(&self, prefix: Option<&Text>) -> Vec<Filter> {
        let rewrite = self.path.as_ref().and_then(|path| match (path, prefix) {
            (NewPath::Full(path), _) => Some(Rewrite::Full(path.clone())),
            (NewPath::Prefix(new), Some(prefix)) => Some(Rewrite::Prefix { prefix: prefix.clone(), replacement: new.clone() }),
            (NewPath::Prefix(_), None) => None,
        });
        self.in_order(rewrite.map(Filter::Rewrite).into_iter().collect())
    }

    fn in_order(&self, path: Vec<Filter>) -> Vec<Filter> {
        let of = |step: Step| {
            let path = if step == Step::Path { path.as_slice() } else { &[] };
            self.steps.iter().filter(move |(it, _)| *it == step).map(|(_, filter)| filter).chain(path)
        };
        ORDER.into_iter().flat_map(of).cloned().collect()
    }
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || byte >= b' ' && byte != 0x7f)
}

fn is_host(host: Option<&Text>, field: &str, findings: &mut Findings) -> bool {
    let Some(host) = host else { return true };
    let good = Hostname::parse(host);
    if let Err(why) = &good {
        findings.invalid(field, Cause::InvalidHost, format!("`{host}` is no host ({why}), so the requests get 500"), "");
    }
    good.is_ok()
}

/// The redirect of a rule, for one match.
pub(crate) fn redirect(it: &RedirectFilter, prefix: Option<&Text>) -> Redirect {
    let path = it.path.as_ref().and_then(|path| match (path, prefix) {
        (NewPath::Full(path), _) => Some(PathModifier::Full(path.clone())),
        (NewPath::Prefix(new), Some(prefix)) => Some(PathModifier::Prefix { prefix: prefix.clone(), replacement: new.clone() }),
        (NewPath::Prefix(_), None) => None,
    });
    let port = match (it.port, it.scheme) {
        (Some(port), _) => RedirectPort::Number(port),
        (None, Some(_)) => RedirectPort::OfScheme,
        (None, None) => RedirectPort::Listener,
    };
    Redirect { status: it.status, scheme: it.scheme, host: it.host.clone(), port, path }
}
