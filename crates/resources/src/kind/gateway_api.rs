//! Gateway API's kinds, standard channel of v1.6, and what several of them have: references, parents, backends, selectors.

pub(crate) mod class;
pub(crate) mod filter;
pub(crate) mod frontend;
pub(crate) mod gateway;
pub(crate) mod grant;
pub(crate) mod http_route;
pub(crate) mod tcp_route;
pub(crate) mod tls_route;

use super::deep_host_pattern;
use super::meta::Name;
use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use filter::HttpFilter;
use model::{HostPattern, SectionName, Text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The API group of these kinds.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// An object of any kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Place in the object's list, where it has one.
    pub index: usize,
    /// Empty for the core group.
    pub group: Text,
    pub kind: Text,
    /// The referring object's own, where none is written.
    pub name: Name,
}

/// What a route attaches to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentRef {
    pub to: Reference,
    pub section: Option<SectionName>,
    pub port: Option<u16>,
    /// As the route has it.
    pub written: Value,
}

/// Where requests or connections go, or copies of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendRef {
    pub index: usize,
    /// `None`: it cannot be read; the object has a problem that says so.
    pub to: Option<Reference>,
    pub port: Option<u16>,
    pub weight: u32,
    pub filters: Vec<HttpFilter>,
}

/// Whose objects may come near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    All,
    Same,
    /// Nobody's; also where it cannot be read.
    None,
    Selector(LabelSelector),
}

/// `metav1.LabelSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    labels: BTreeMap<Text, Text>,
    expressions: Vec<(Text, Operator, Vec<Text>)>,
    /// Something in it cannot be read, so nothing matches.
    broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// A rule of a route that knows nothing but connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRule {
    pub index: usize,
    pub backends: Vec<BackendRef>,
}

/// Every namespace has this label, whether it is written there or not.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

// === impl Reference ===

impl Reference {
    /// `None`: it has no name.
    pub(crate) fn read(own: &Text, index: usize, at: &At<'_>, (group, kind): (&str, &str), problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let group = readable(at, "group", problems)?.unwrap_or_else(|| group.into());
        let kind = readable(at, "kind", problems)?.unwrap_or_else(|| kind.into());
        let namespace = readable(at, "namespace", problems)?.unwrap_or_else(|| own.clone());
        let name = readable(at, "name", problems)?.filter(|name| !name.is_empty());
        if name.is_none() {
            problems.push(Problem::error(format!("{at}.name"), Cause::Malformed, "it names no object"));
        }
        Some(Self { index, group, kind, name: Name::new(namespace, name?) })
    }

    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == *group && self.kind == *kind
    }

    /// `Secret`, or with its group `Bucket.storage.example`.
    pub fn shown_kind(&self) -> String {
        if self.group.is_empty() { self.kind.to_string() } else { format!("{}.{}", self.kind, self.group) }
    }
}

/// A text; the outer `None`: it is there and is none.
fn readable(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<Option<Text>> {
    match at.field(name) {
        None => Some(None),
        Some(_) => at.text(name, problems).map(Some),
    }
}

// === impl ParentRef ===

impl ParentRef {
    /// A parent that cannot be read is left out: it must not become a wider one.
    fn read(own: &Text, index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let to = Reference::read(own, index, at, (GATEWAY_GROUP, "Gateway"), problems)?;
        let section = readable(at, "sectionName", problems)?.filter(|name| !name.is_empty());
        let port = match at.field("port") {
            None => None,
            Some(_) => Some(at.port("port", problems)?),
        };
        Some(Self { to, section: section.map(SectionName), port, written: at.value.clone() })
    }

    /// The Gateway it means, if it means one.
    pub fn gateway(&self) -> Option<&Name> {
        self.to.is(GATEWAY_GROUP, "Gateway").then_some(&self.to.name)
    }
}

pub(crate) fn parents(own: &Text, spec: &At<'_>, problems: &mut Problems) -> Vec<ParentRef> {
    let mut parents = Vec::new();
    spec.list("parentRefs", problems, |index, at, problems| parents.extend(ParentRef::read(own, index, at, problems)));
    parents
}

/// The hosts a route is for: every one where none is written. Those that cannot be read are left out.
pub(crate) fn hostnames(spec: &At<'_>, problems: &mut Problems) -> Vec<HostPattern> {
    let (mut hosts, mut written) = (Vec::new(), false);
    spec.list("hostnames", problems, |_, at, problems| {
        written = true;
        hosts.extend(hostname(at, problems));
    });
    if !written && spec.field("hostnames").is_none_or(|at| at.value.is_array()) {
        hosts.push(HostPattern::Any);
    }
    hosts
}

fn hostname(at: &At<'_>, problems: &mut Problems) -> Option<HostPattern> {
    let text = at.expected(at.value.as_str(), "a string", problems)?;
    match deep_host_pattern(text) {
        Ok(HostPattern::Any) => {
            problems.push(Problem::error(at.path(), Cause::InvalidHost, "it is no host name").hint("Leave it out to mean every host"));
            None
        }
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let problem = Problem::error(at.path(), Cause::InvalidHost, format!("`{text}` is no host: {why}"));
            problems.push(problem.hint("Write a name such as `demo.example.com`, or `*.example.com`"));
            None
        }
    }
}

// === impl BackendRef ===

impl BackendRef {
    pub(crate) fn read(own: &Text, index: usize, at: &At<'_>, problems: &mut Problems) -> Self {
        let to = Reference::read(own, index, at, ("", "Service"), problems);
        let mut backend = Self { index, to, port: at.port("port", problems), weight: 1, filters: Vec::new() };
        if at.field("weight").is_some() {
            backend.weight = number(at, "weight", 1_000_000, problems).unwrap_or(0);
        }
        at.list("filters", problems, |index, at, problems| backend.filters.push(HttpFilter::read(own, index, at, problems)));
        backend
    }

    /// The Service it means, if it means one.
    pub fn service(&self) -> Option<&Name> {
        self.to.as_ref().filter(|to| to.is("", "Service")).map(|to| &to.name)
    }
}

pub(crate) fn backends(own: &Text, rule: &At<'_>, problems: &mut Problems) -> Vec<BackendRef> {
    let mut backends = Vec::new();
    rule.list("backendRefs", problems, |index, at, problems| backends.push(BackendRef::read(own, index, at, problems)));
    backends
}

// === impl StreamRule ===

impl StreamRule {
    pub(crate) fn list(own: &Text, spec: &At<'_>, problems: &mut Problems) -> Vec<Self> {
        let mut rules = Vec::new();
        spec.list("rules", problems, |index, at, problems| rules.push(Self { index, backends: backends(own, at, problems) }));
        rules
    }
}

// === impl Namespaces ===

impl Namespaces {
    /// `from` and `selector`.
    pub(crate) fn read(at: Option<&At<'_>>, default: Self, problems: &mut Problems) -> Self {
        let Some(at) = at else { return default };
        let Some(from) = at.field("from") else { return default };
        let read = match from.value.as_str() {
            Some("All") => Some(Self::All),
            Some("Same") => Some(Self::Same),
            Some("None") => Some(Self::None),
            Some("Selector") => Some(at.field("selector").map_or(Self::None, |at| Self::Selector(LabelSelector::read(&at, problems)))),
            _ => None,
        };
        from.expected(read, "All, Same, Selector or None", problems).unwrap_or(Self::None)
    }

    /// Whether those of a namespace with these labels are meant, as seen from `own`.
    pub fn admits<'l>(&self, own: &str, namespace: &str, labels: impl FnOnce() -> &'l BTreeMap<Text, Text>) -> bool {
        match self {
            Self::All => true,
            Self::Same => own == namespace,
            Self::None => false,
            Self::Selector(selector) => selector.matches(namespace, labels()),
        }
    }
}

// === impl LabelSelector ===

impl LabelSelector {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let (before, mut selector) = (problems.len(), Self::default());
        at.entries("matchLabels", problems, |key, at, problems| {
            let value = at.expected(at.value.as_str(), "a string", problems);
            selector.labels.extend(value.map(|value| (key.into(), value.into())));
        });
        at.list("matchExpressions", problems, |_, at, problems| {
            let mut values = Vec::new();
            at.list("values", problems, |_, at, problems| {
                values.extend(at.expected(at.value.as_str().map(Text::from), "a string", problems));
            });
            let operator = at.text("operator", problems).unwrap_or_default();
            let operator = at.expected(Operator::parse(&operator), "In, NotIn, Exists or DoesNotExist with a key", problems);
            selector.expressions.extend(at.text("key", problems).zip(operator).map(|(key, operator)| (key, operator, values)));
        });
        selector.broken = problems.len() > before;
        selector
    }

    /// Whether a namespace with these labels is selected.
    pub fn matches(&self, namespace: &str, labels: &BTreeMap<Text, Text>) -> bool {
        let label = |key: &Text| if *key == NAMESPACE_LABEL { Some(namespace) } else { labels.get(key).map(|value| &**value) };
        let listed = |key: &Text, values: &[Text]| label(key).is_some_and(|value| values.iter().any(|it| *it == *value));
        let holds = |(key, operator, values): &(Text, Operator, Vec<Text>)| match operator {
            Operator::In => listed(key, values),
            Operator::NotIn => !listed(key, values),
            Operator::Exists => label(key).is_some(),
            Operator::DoesNotExist => label(key).is_none(),
        };
        !self.broken && self.labels.iter().all(|(key, value)| label(key) == Some(value)) && self.expressions.iter().all(holds)
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }
}

// === numbers and durations ===

/// A whole number from 0 to `most`.
pub(crate) fn number(at: &At<'_>, name: &str, most: u32, problems: &mut Problems) -> Option<u32> {
    let at = at.field(name)?;
    let number = at.value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= most);
    at.expected(number, &format!("a whole number from 0 to {most}"), problems)
}

/// For example `1m30s` or `500ms` (GEP-2257).
pub(crate) fn duration(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<Duration> {
    let at = at.field(name)?;
    at.expected(at.value.as_str().and_then(parse_duration), "a duration such as 1m30s or 500ms", problems)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut sum, mut parts) = (text, Duration::ZERO, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at(digits);
        let number: u64 = number.parse().ok().filter(|_| (1..=5).contains(&digits))?;
        let (unit, after) = unit.split_at(unit.bytes().take_while(u8::is_ascii_alphabetic).count());
        sum += match unit {
            "h" => Duration::from_secs(number * 3600),
            "m" => Duration::from_secs(number * 60),
            "s" => Duration::from_secs(number),
            "ms" => Duration::from_millis(number),
            _ => return None,
        };
        parts += 1;
        rest = after;
    }
    (1..=4).contains(&parts).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_are_read_as_the_api_writes_them() {
        for (text, millis) in [("0s", Some(0)), ("500ms", Some(500)), ("1m30s", Some(90_000)), ("1h1m1s1ms", Some(3_661_001))] {
            assert_eq!(parse_duration(text).map(|it| it.as_millis()), millis, "{text}");
        }
        for text in ["", "1", "s", "-1s", "1d", "1.5s", "123456s", "1s1s1s1s1s", "1 s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    fn selects(selector: &Value, labels: &[(&str, &str)]) -> bool {
        let selector = LabelSelector::read(&At::root(selector), &mut Vec::new());
        selector.matches("shop", &labels.iter().map(|(key, value)| (Text::from(*key), Text::from(*value))).collect())
    }

    #[test]
    fn selectors_select_by_all_they_say() {
        assert!(selects(&json!({}), &[]));
        assert!(selects(&json!({"matchLabels": {"a": "1"}}), &[("a", "1"), ("b", "2")]));
        assert!(!selects(&json!({"matchLabels": {"a": "1", "b": "1"}}), &[("a", "1"), ("b", "2")]));
        assert!(selects(&json!({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}), &[]));
        let expression =
            |operator: &str, values: Value| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        assert!(selects(&expression("In", json!(["1", "2"])), &[("a", "2")]));
        assert!(!selects(&expression("NotIn", json!(["1", "2"])), &[("a", "2")]));
        assert!(selects(&expression("NotIn", json!(["1"])), &[]));
        assert!(selects(&expression("Exists", json!([])), &[("a", "")]));
        assert!(!selects(&expression("DoesNotExist", json!([])), &[("a", "")]));
    }

    #[test]
    fn a_selector_that_cannot_be_read_selects_nothing() {
        for broken in
            [json!({"matchLabels": {"a": 1}}), json!({"matchExpressions": [{"key": "a", "operator": "Is"}]}), json!({"matchLabels": 1})]
        {
            assert!(!selects(&broken, &[("a", "1")]), "{broken}");
        }
    }
}
