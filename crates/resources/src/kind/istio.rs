//! Istio's networking kinds, and what they have in common.

pub(crate) mod destination_rule;
pub(crate) mod gateway;
pub(crate) mod headers;
pub(crate) mod http_match;
pub(crate) mod http_rule;
pub(crate) mod virtual_service;

use crate::at::{At, Problems};
use crate::kind::deep_host_pattern;
use crate::kind::meta::Name;
use crate::pattern;
use crate::problem::{Cause, Problem, Severity};
use model::{HostPattern, Percent, Text};
use std::collections::BTreeMap;
use std::time::Duration;

/// A host as Istio's objects name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IstioHost {
    /// As written.
    pub text: Text,
    /// Of a short name `h` in namespace `ns`: `h.ns.svc`, to which the cluster's domain belongs.
    pub pattern: HostPattern,
    pub short: bool,
}

/// A host that requests go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceHost {
    /// As written.
    pub text: Text,
    /// The Service it names; `None`: it has another form.
    pub service: Option<Name>,
    /// The cluster's domain in it; empty: it is a short name.
    pub domain: Text,
}

/// A Service, some of its Pods, and one of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Field path, for example `spec.http[0].route[0].destination`.
    pub field: Text,
    pub host: ServiceHost,
    pub subset: Option<Text>,
    pub port: Option<u16>,
}

/// A destination and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub destination: Destination,
    pub weight: Option<u32>,
}

/// How a text has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringMatch {
    /// Whatever it is.
    Present,
    Exact(Text),
    Prefix(Text),
    /// One that the linear engine takes, for the text as a whole.
    Regex(Text),
}

/// Which namespaces may use an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportTo(Option<Vec<Text>>);

/// By which of its words an object is seen from a namespace; what is said more precisely comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// `.`, and it lives there.
    Private,
    Named,
    Public,
}

// === impl IstioHost ===

impl IstioHost {
    pub(crate) fn read(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        let text = at.expected(at.value.as_str(), "a string", problems)?;
        let short = !text.contains('.') && text != "*" && text.parse::<std::net::IpAddr>().is_err();
        let full = if short { format!("{text}.{namespace}.svc") } else { text.to_owned() };
        match host_pattern(&full) {
            Ok(pattern) => Some(Self { text: text.into(), pattern, short }),
            Err(why) => {
                problems.push(no_host(at, text, &why));
                None
            }
        }
    }

    /// The host it means in a cluster of this domain.
    pub fn full(&self, domain: &str) -> HostPattern {
        match &self.pattern {
            HostPattern::Exact(name) if self.short => {
                deep_host_pattern(&format!("{name}.{domain}")).unwrap_or_else(|_| self.pattern.clone())
            }
            other => other.clone(),
        }
    }
}

/// A host that an object names; an empty one is none.
pub(crate) fn host_pattern(text: &str) -> Result<HostPattern, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    deep_host_pattern(text).map_err(|why| why.to_string())
}

pub(crate) fn no_host(at: &At<'_>, text: &str, why: &str) -> Problem {
    let shown: String = text.chars().take(80).collect();
    let problem = Problem::error(at.path(), Cause::InvalidHost, format!("`{shown}` is no host: {why}"));
    problem.hint("Write a name such as `demo.example.com`, `*.example.com` or `*`")
}

// === impl ServiceHost ===

impl ServiceHost {
    pub(crate) fn new(text: &str, namespace: &Text) -> Self {
        let lower = text.to_ascii_lowercase();
        let mut host = Self { text: text.into(), service: None, domain: Text::default() };
        if !lower.contains('.') {
            host.service = (!lower.is_empty() && lower != "*").then(|| Name::new(namespace.clone(), &*lower));
        } else if let Some((name, rest)) = lower.split_once('.')
            && let Some((namespace, domain)) = rest.split_once(".svc.")
            && name != "*"
            && !namespace.contains('.')
        {
            host.service = Some(Name::new(namespace, name));
            host.domain = domain.into();
        }
        host
    }

    /// The Service it names in a cluster of this domain.
    pub fn service(&self, domain: &str) -> Option<&Name> {
        self.service.as_ref().filter(|_| self.domain.is_empty() || self.domain == *domain)
    }
}

// === impl Destination ===

impl Destination {
    pub(crate) fn read(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let Some(host) = at.text("host", problems) else {
            if at.field("host").is_none() {
                problems.push(Problem::error(format!("{at}.host"), Cause::Malformed, "a destination names a host"));
            }
            return None;
        };
        let port = at.field("port").and_then(|port| port.port("number", problems));
        let subset = at.text("subset", problems).filter(|it| !it.is_empty());
        Some(Self { field: at.path().into(), host: ServiceHost::new(&host, namespace), subset, port })
    }
}

impl Share {
    pub(crate) fn read(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let Some(destination) = at.field("destination") else {
            problems.push(Problem::error(format!("{at}.destination"), Cause::Malformed, "a destination is needed here"));
            return None;
        };
        let weight = number(at, "weight", problems);
        Some(Self { destination: Destination::read(&destination, namespace, problems)?, weight })
    }
}

// === impl StringMatch ===

impl StringMatch {
    /// What cannot be read, or no engine takes, becomes [`StringMatch::Present`], and a problem: whoever asks closes what this would match.
    pub(crate) fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        if at.expected(at.value.as_object(), "a mapping", problems).is_none() {
            return Self::Present;
        }
        let exact = at.text("exact", problems).map(Self::Exact);
        let prefix = at.text("prefix", problems).map(Self::Prefix);
        let regex = at.text("regex", problems).map(|regex| Self::regex(&regex, at, problems));
        let mut ways = exact.into_iter().chain(prefix).chain(regex);
        let (first, second) = (ways.next(), ways.next());
        if second.is_some() {
            let message = "one of `exact`, `prefix` and `regex` is used here, and no two of them";
            problems.push(Problem::error(at.path(), Cause::Malformed, message));
            return Self::Present;
        }
        first.unwrap_or(Self::Present)
    }

    fn regex(text: &Text, at: &At<'_>, problems: &mut Problems) -> Self {
        if *text == "*" {
            return Self::Present;
        }
        match usable(text) {
            Ok(()) => Self::Regex(text.clone()),
            Err(why) => {
                problems.push(bad_regex(format!("{at}.regex"), &why));
                // The longest beginning that all it could mean has.
                Self::Prefix(pattern::literal_prefix(text).into())
            }
        }
    }
}

/// Whether the linear engine takes an expression: RE2, which Istio uses, has no look-around and no back-references either.
pub(crate) fn usable(text: &str) -> Result<(), String> {
    match pattern::judge(text) {
        Ok(judged) if judged.engine == model::Engine::Linear => Ok(()),
        Ok(_) => Err("look-around and back-references are not known here".into()),
        Err(why) => Err(why),
    }
}

pub(crate) fn bad_regex(field: String, why: &str) -> Problem {
    let message = format!("this regular expression is not usable ({why}), so what it may match answers 503");
    Problem::error(field, Cause::InvalidRegex, message).hint("It is written as RE2 has it, and matches the whole text")
}

// === impl ExportTo ===

impl ExportTo {
    pub(crate) fn read(spec: &At<'_>, problems: &mut Problems) -> Self {
        if spec.field("exportTo").is_none() {
            return Self(None);
        }
        // What cannot be read is seen by nobody.
        let words = texts(spec, "exportTo", problems);
        Self(spec.field("exportTo").is_none_or(|at| at.value.as_array().is_none_or(|it| !it.is_empty())).then_some(words))
    }

    /// How an object of namespace `own` is seen from `namespace`; `None`: it is not.
    pub fn sees(&self, own: &str, namespace: &str) -> Option<Visibility> {
        let Some(words) = &self.0 else { return Some(Visibility::Public) };
        let has = |word: &str| words.iter().any(|it| it == word);
        if has("*") {
            Some(Visibility::Public)
        } else if own == namespace && has(".") {
            Some(Visibility::Private)
        } else if has(namespace) {
            Some(Visibility::Named)
        } else {
            None
        }
    }

    /// Whether an object is for its own namespace alone.
    pub fn is_private(&self) -> bool {
        self.0.as_ref().is_some_and(|words| words.iter().any(|it| it == ".") && !words.iter().any(|it| it == "*"))
    }
}

// === fields ===

/// Whether something was just found that cannot be followed, so that what depends on it is closed.
pub(crate) fn closes(problems: &[Problem]) -> bool {
    let unusable = |cause| matches!(cause, Cause::Malformed | Cause::InvalidRegex | Cause::InvalidValue | Cause::InvalidHost);
    problems.iter().any(|problem| problem.severity == Severity::Error && unusable(problem.reason))
}

pub(crate) fn texts(at: &At<'_>, name: &str, problems: &mut Problems) -> Vec<Text> {
    let mut texts = Vec::new();
    at.list(name, problems, |_, at, problems| texts.extend(at.expected(at.value.as_str().map(Text::from), "a string", problems)));
    texts
}

pub(crate) fn labels(at: &At<'_>, name: &str, problems: &mut Problems) -> BTreeMap<Text, Text> {
    let mut labels = BTreeMap::new();
    at.entries(name, problems, |key, at, problems| {
        if let Some(value) = at.expected(at.value.as_str(), "a string", problems) {
            labels.insert(key.into(), value.into());
        }
    });
    labels
}

pub(crate) fn number(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<u32> {
    let at = at.field(name)?;
    let number = at.value.as_u64().and_then(|number| u32::try_from(number).ok());
    at.expected(number, "a number from 0 on", problems)
}

/// `1h30m`, `0.5s`, `100ms`; as JSON of protocol buffers and as Go writes it.
pub(crate) fn duration(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<Duration> {
    let at = at.field(name)?;
    at.expected(at.value.as_str().and_then(parse_duration), "a time such as `2s`, `100ms` or `1h30m`", problems)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (amount, tail) = rest.split_at(digits);
        let amount: f64 = amount.parse().ok()?;
        let unit = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let seconds = match &tail[..unit] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(amount * seconds).ok()?)?;
        rest = &tail[unit..];
    }
    // A year is longer than anybody waits.
    (total <= Duration::from_secs(366 * 24 * 3600)).then_some(total)
}

/// A share of 0 to 100, from a field that is a number, or `{value: …}`.
pub(crate) fn percent(at: &At<'_>, problems: &mut Problems) -> Option<Percent> {
    let value = if at.value.is_object() { at.field("value") } else { Some(*at) };
    let Some(value) = value else { return Some(Percent(0)) };
    let share = value.value.as_f64().filter(|share| (0.0..=100.0).contains(share));
    // At most a million.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1,000,000")]
    let millionths = share.map(|share| Percent((share * 10_000.0).round() as u32));
    value.expected(millionths, "a share from 0 to 100", problems)
}

/// Notes fields whose wish is not followed.
pub(crate) fn unsupported(at: &At<'_>, names: &[(&str, &str)], problems: &mut Problems) {
    for (name, instead) in names {
        if let Some(field) = at.field(name) {
            problems.push(not_followed(field.path(), instead));
        }
    }
}

/// A wish that is not followed, and what happens in its place.
pub(crate) fn not_followed(field: impl Into<Text>, instead: &str) -> Problem {
    Problem::warning(field, Cause::Unsupported, format!("this is not supported: {instead}"))
}

#[cfg(test)]
mod tests;
