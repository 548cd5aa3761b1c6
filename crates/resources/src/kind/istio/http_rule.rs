//! One rule of a VirtualService's `http`.

use super::headers::{Headers, names};
use super::http_match::HttpMatch;
use super::{Destination, Share, StringMatch, bad_regex, closes, duration, not_followed, number, percent, texts, unsupported, usable};
use crate::at::{At, Problems};
use crate::certificate;
use crate::kind::meta::Name;
use crate::problem::{Cause, Problem};
use model::{Percent, Text};
use std::time::Duration;

/// A rule. What is not set is `None`, so that a delegate's rule can take it from its root's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRule {
    pub index: usize,
    /// Empty: every request.
    pub matches: Vec<HttpMatch>,
    pub route: Vec<HttpShare>,
    pub redirect: Option<HttpRedirect>,
    pub direct_response: Option<DirectResponse>,
    pub delegate: Option<Name>,
    pub rewrite: Option<HttpRewrite>,
    pub timeout: Option<Duration>,
    pub retries: Option<HttpRetries>,
    pub fault: Option<HttpFault>,
    pub mirrors: Option<Vec<HttpMirror>>,
    pub cors: Option<CorsPolicy>,
    pub headers: Option<Headers>,
    /// Something in it cannot be read: what it matches answers 503.
    pub closed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpShare {
    pub share: Share,
    pub headers: Option<Headers>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRedirect {
    pub uri: Option<Text>,
    pub prefix: Option<Text>,
    pub authority: Option<Text>,
    pub scheme: Option<model::Scheme>,
    pub port: Option<PortOf>,
    pub status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOf {
    Number(u16),
    /// `FROM_PROTOCOL_DEFAULT`.
    Scheme,
    /// `FROM_REQUEST_PORT`.
    Listener,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectResponse {
    pub status: u16,
    pub body: Option<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRewrite {
    pub uri: Option<Text>,
    pub authority: Option<Text>,
    /// A pattern, and what every place where it is found becomes: `\1` is the first group.
    pub regex: Option<(Text, Text)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRetries {
    pub attempts: Option<u32>,
    pub per_try: Option<Duration>,
    pub backoff: Option<Duration>,
    /// `None`: as it is where nothing is said.
    pub on: Option<Vec<RetryToken>>,
}

/// What brings a retry, of what Istio knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryToken {
    ServerError,
    GatewayError,
    Reset,
    ConnectFailure,
    Status(u16),
    /// HTTP/2 and gRPC alone have it.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpFault {
    pub delay: Option<(Percent, Duration)>,
    pub abort: Option<(Percent, u16)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMirror {
    pub destination: Destination,
    pub percent: Percent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsPolicy {
    pub origins: Vec<StringMatch>,
    pub methods: Vec<Text>,
    pub headers: Vec<Text>,
    pub expose: Vec<Text>,
    pub max_age: Option<Duration>,
    pub credentials: bool,
    pub unmatched: model::UnmatchedPreflight,
}

// === impl HttpRule ===

impl HttpRule {
    pub(crate) fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let mut rule = Self { index, ..Self::default() };
        at.list("match", problems, |index, at, problems| rule.matches.push(HttpMatch::read(index, at, namespace, problems)));
        let before = problems.len();
        if at.field("match").is_some_and(|it| !it.value.is_array()) {
            rule.closed = true;
        }
        at.list("route", problems, |_, at, problems| rule.route.extend(HttpShare::read(at, namespace, problems)));
        rule.redirect = at.field("redirect").and_then(|at| HttpRedirect::read(&at, problems));
        rule.direct_response = at.field("directResponse").and_then(|at| DirectResponse::read(&at, problems));
        rule.delegate = at.field("delegate").and_then(|at| {
            let name = at.text("name", problems)?;
            Some(Name::new(at.text("namespace", problems).filter(|it| !it.is_empty()).unwrap_or_else(|| namespace.clone()), name))
        });
        rule.rewrite = at.field("rewrite").map(|at| HttpRewrite::read(&at, problems));
        rule.timeout = duration(at, "timeout", problems);
        rule.retries = at.field("retries").map(|at| HttpRetries::read(&at, problems));
        rule.fault = at.field("fault").map(|at| HttpFault::read(&at, problems));
        rule.mirrors = mirrors(at, namespace, problems);
        rule.cors = at.field("corsPolicy").map(|at| CorsPolicy::read(&at, problems));
        rule.headers = at.field("headers").map(|at| Headers::read(&at, problems));
        rule.one_action(at, problems);
        rule.closed |= closes(&problems[before..]);
        Some(rule)
    }

    /// Exactly one thing is done with a request.
    fn one_action(&self, at: &At<'_>, problems: &mut Problems) {
        let named = ["route", "redirect", "directResponse", "delegate"]
            .into_iter()
            .filter(|name| at.field(name).is_some_and(|field| field.value.as_array().is_none_or(|list| !list.is_empty())));
        match named.collect::<Vec<_>>().as_slice() {
            [_] => {}
            [] => {
                let problem = Problem::error(at.path(), Cause::InvalidValue, "the rule does nothing, so what it matches answers 503");
                problems.push(problem.hint("Add a `route`, a `redirect` or a `directResponse`"));
            }
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` exclude each other, so what the rule matches answers 503");
                problems.push(Problem::error(at.path(), Cause::InvalidValue, message).hint("Delete one of them"));
            }
        }
    }
}

// === actions ===

impl HttpShare {
    fn read(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        let share = Share::read(at, namespace, problems)?;
        Some(Self { share, headers: at.field("headers").map(|at| Headers::read(&at, problems)) })
    }
}

impl HttpRedirect {
    fn read(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let mut read = Self { status: 301, ..Self::default() };
        read.uri = at.text("uri", problems).filter(|it| !it.is_empty());
        read.prefix = at.text("prefixRewrite", problems).filter(|it| !it.is_empty());
        read.authority = at.text("authority", problems).filter(|it| !it.is_empty());
        if let Some(scheme) = at.field("scheme") {
            let known = match scheme.value.as_str() {
                Some("http") => Some(model::Scheme::Http),
                Some("https") => Some(model::Scheme::Https),
                _ => None,
            };
            read.scheme = scheme.expected(known, "http or https", problems);
        }
        if let Some(derive) = at.field("derivePort") {
            let known = match derive.value.as_str() {
                Some("FROM_PROTOCOL_DEFAULT") => Some(PortOf::Scheme),
                Some("FROM_REQUEST_PORT") => Some(PortOf::Listener),
                _ => None,
            };
            read.port = derive.expected(known, "FROM_PROTOCOL_DEFAULT or FROM_REQUEST_PORT", problems);
        }
        read.port = at.port("port", problems).map(PortOf::Number).or(read.port);
        if let Some(code) = at.field("redirectCode") {
            let known =
                code.value.as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| matches!(code, 301 | 302 | 303 | 307 | 308));
            let known = known.or_else(|| (code.value.as_u64() == Some(0)).then_some(301));
            read.status = code.expected(known, "301, 302, 303, 307 or 308", problems)?;
        }
        Some(read)
    }
}

impl DirectResponse {
    fn read(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let Some(status) = at.field("status") else {
            problems.push(Problem::error(format!("{at}.status"), Cause::Malformed, "a status is needed here"));
            return None;
        };
        let number = status.value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| (200..=599).contains(number));
        let number = status.expected(number, "a status from 200 to 599", problems)?;
        Some(Self { status: number, body: at.field("body").and_then(|at| Self::body(&at, problems)) })
    }

    fn body(at: &At<'_>, problems: &mut Problems) -> Option<Text> {
        const LONGEST: usize = 1 << 20;
        let text = match at.text("string", problems) {
            Some(text) => Some(text),
            None => {
                let bytes = at.field("bytes")?;
                let octets = bytes.expected(bytes.value.as_str().and_then(certificate::base64), "base64", problems)?;
                let text = String::from_utf8(octets).ok().map(Text::from);
                if text.is_none() {
                    let message = "a body that is no UTF-8 is not supported, so what the rule matches answers 503";
                    problems.push(Problem::error(bytes.path(), Cause::InvalidValue, message));
                }
                text
            }
        };
        if text.as_ref().is_some_and(|text| text.len() > LONGEST) {
            problems.push(Problem::error(at.path(), Cause::InvalidValue, "a body has at most 1 MiB, so what the rule matches answers 503"));
            return None;
        }
        text
    }
}

impl HttpRewrite {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut read = Self { uri: at.text("uri", problems), authority: at.text("authority", problems), regex: None };
        read.authority = read.authority.filter(|it| !it.is_empty());
        read.uri = read.uri.filter(|it| !it.is_empty());
        if let Some(regex) = at.field("uriRegexRewrite") {
            let texts = (regex.text("match", problems), regex.text("rewrite", problems).unwrap_or_default());
            match texts {
                (Some(pattern), rewrite) => match usable(&pattern) {
                    Ok(()) => read.regex = Some((pattern, rewrite)),
                    Err(why) => problems.push(bad_regex(format!("{regex}.match"), &why)),
                },
                (None, _) => problems.push(Problem::error(format!("{regex}.match"), Cause::Malformed, "a pattern is needed here")),
            }
        }
        if read.uri.is_some() && read.regex.is_some() {
            problems.push(
                Problem::error(at.path(), Cause::InvalidValue, "`uri` and `uriRegexRewrite` exclude each other").hint("Delete one of them"),
            );
        }
        read
    }
}

impl HttpRetries {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut read = Self {
            attempts: number(at, "attempts", problems),
            per_try: duration(at, "perTryTimeout", problems).filter(|it| !it.is_zero()),
            backoff: duration(at, "backoff", problems).filter(|it| !it.is_zero()),
            on: None,
        };
        if let Some(on) = at.text("retryOn", problems).filter(|it| !it.is_empty()) {
            let field = format!("{at}.retryOn");
            read.on = Some(on.split(',').filter_map(|token| RetryToken::read(token.trim(), &field, problems)).collect());
        }
        if at.flag("retryIgnorePreviousHosts", problems) == Some(false) {
            problems.push(not_followed(format!("{at}.retryIgnorePreviousHosts"), "a retry goes to another endpoint while there is one"));
        }
        if at.flag("retryRemoteLocalities", problems).is_some() {
            let message = "endpoints have no locality here, so this does nothing";
            problems.push(Problem::note(format!("{at}.retryRemoteLocalities"), Cause::NoEffect, message));
        }
        read
    }
}

impl RetryToken {
    fn read(token: &str, field: &str, problems: &mut Problems) -> Option<Self> {
        Some(match token {
            "5xx" => Self::ServerError,
            "gateway-error" => Self::GatewayError,
            "reset" => Self::Reset,
            "connect-failure" | "reset-before-request" => Self::ConnectFailure,
            "retriable-4xx" => Self::Status(409),
            "refused-stream"
            | "unavailable"
            | "cancelled"
            | "deadline-exceeded"
            | "internal"
            | "resource-exhausted"
            | "retriable-status-codes"
            | "http3-post-connect-failure" => Self::Nothing,
            "" => return None,
            other => match other.parse::<u16>().ok().filter(|status| (100..=599).contains(status)) {
                Some(status) => Self::Status(status),
                None => {
                    let message = format!("`{}` brings no retry here", other.chars().take(60).collect::<String>());
                    let problem = Problem::warning(field, Cause::Unsupported, message);
                    problems
                        .push(problem.hint("Known are 5xx, gateway-error, reset, connect-failure, retriable-4xx and statuses such as 503"));
                    return None;
                }
            },
        })
    }
}

impl HttpFault {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let share = |at: &At<'_>, problems: &mut Problems| match (at.field("percentage"), at.field("percent")) {
            (Some(it), _) | (None, Some(it)) => percent(&it, problems),
            // As in Istio: without a share it happens to nobody.
            (None, None) => Some(Percent(0)),
        };
        let delay = at.field("delay").and_then(|at| {
            let share = share(&at, problems);
            unsupported(&at, &[("exponentialDelay", "`fixedDelay` alone is known")], problems);
            Some((share?, duration(&at, "fixedDelay", problems)?))
        });
        let abort = at.field("abort").and_then(|at| {
            let share = share(&at, problems);
            unsupported(&at, &[("grpcStatus", "nothing is aborted"), ("http2Error", "nothing is aborted")], problems);
            let status = at.field("httpStatus")?;
            let number = status.value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| (200..=599).contains(number));
            Some((share?, status.expected(number, "a status from 200 to 599", problems)?))
        });
        Self { delay, abort }
    }
}

/// `mirror` with its share, and `mirrors`.
fn mirrors(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Vec<HttpMirror>> {
    let mut mirrors = Vec::new();
    if let Some(one) = at.field("mirror") {
        let share = at.field("mirrorPercentage").or_else(|| at.field("mirrorPercent")).or_else(|| at.field("mirror_percent"));
        let share = share.map_or(Some(Percent::ALL), |at| percent(&at, problems));
        mirrors.extend(
            Destination::read(&one, namespace, problems).zip(share).map(|(destination, percent)| HttpMirror { destination, percent }),
        );
    }
    at.list("mirrors", problems, |_, at, problems| {
        let share = at.field("percentage").map_or(Some(Percent::ALL), |at| percent(&at, problems));
        match at.field("destination") {
            Some(to) => mirrors.extend(
                Destination::read(&to, namespace, problems).zip(share).map(|(destination, percent)| HttpMirror { destination, percent }),
            ),
            None => problems.push(Problem::error(format!("{at}.destination"), Cause::Malformed, "a destination is needed here")),
        }
    });
    (!mirrors.is_empty()).then_some(mirrors)
}

impl CorsPolicy {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let before = problems.len();
        let mut origins: Vec<StringMatch> = texts(at, "allowOrigin", problems).into_iter().map(StringMatch::Exact).collect();
        at.list("allowOrigins", problems, |_, at, problems| origins.push(StringMatch::read(at, problems)));
        // An origin that cannot be read is nobody's.
        if closes(&problems[before..]) {
            origins.clear();
        }
        let unmatched = match at.field("unmatchedPreflights") {
            None => model::UnmatchedPreflight::Forward,
            Some(field) => {
                let known = match field.value.as_str() {
                    Some("UNSPECIFIED" | "FORWARD") => Some(model::UnmatchedPreflight::Forward),
                    Some("IGNORE") => Some(model::UnmatchedPreflight::Answer),
                    _ => None,
                };
                field.expected(known, "FORWARD or IGNORE", problems).unwrap_or(model::UnmatchedPreflight::Answer)
            }
        };
        Self {
            origins,
            methods: names(at, "allowMethods", problems),
            headers: names(at, "allowHeaders", problems),
            expose: names(at, "exposeHeaders", problems),
            max_age: duration(at, "maxAge", problems),
            credentials: at.flag("allowCredentials", problems).unwrap_or(false),
            unmatched,
        }
    }
}
