//! What a rule's match means for a route.

use crate::services::Place;
use model::{Anchor, Case, Engine, Match, NamedMatch, PathMatch, Pattern, Scheme, Text, ValueMatch};
use resources::istio::{HttpMatch, StringMatch};
use resources::pattern::{canonical, quoted};

/// A match at a place.
pub(crate) struct Meant {
    pub(crate) matching: Match,
    /// Whatever comes is matched, so that nothing after it is asked.
    pub(crate) catch_all: bool,
}

/// A whole text, letter by letter.
pub(crate) fn whole(text: &Text) -> Pattern {
    Pattern { text: text.clone(), case: Case::Sensitive, anchor: Anchor::Whole, engine: Engine::Linear }
}

/// Every path, as other APIs' `/` has it, so that two who want all of a host are known to want the same.
pub(crate) fn anywhere() -> PathMatch {
    PathMatch::Prefix(Text::default())
}

/// `None`: it is not for this place, or for no request at all.
pub(crate) fn meant(it: &HttpMatch, place: Place<'_>) -> Option<Meant> {
    if it.never || !is_here(it, place) {
        return None;
    }
    let mut matching = Match { path: path(it), ..Match::default() };
    scheme(it, &mut matching);
    method(it, &mut matching);
    let named = |name: &str, value: &StringMatch| NamedMatch { name: name.into(), value: value_match(value) };
    matching.headers.extend(it.authority.iter().map(|value| named(":authority", value)));
    matching.headers.extend(it.headers.iter().map(|(name, value)| named(name, value)));
    for (name, value) in &it.without {
        let value = match value {
            StringMatch::Present => ValueMatch::Absent,
            other => ValueMatch::Not(Box::new(value_match(other))),
        };
        matching.headers.push(NamedMatch { name: name.clone(), value });
    }
    matching.query.extend(it.query.iter().map(|(name, value)| named(name, value)));
    let conditions = [&it.scheme, &it.method, &it.authority].into_iter().any(Option::is_some);
    let conditions = conditions || !matching.headers.is_empty() || !matching.query.is_empty();
    Some(Meant { catch_all: !conditions && everywhere(it), matching })
}

/// What is known without a request: the port, the Gateway, and the gateway's workload.
fn is_here(it: &HttpMatch, place: Place<'_>) -> bool {
    if !place.is_meant(it.port, &it.gateways) {
        return false;
    }
    let from = it.source_namespace.as_ref().is_none_or(|namespace| *namespace == place.shared.namespace);
    !it.gateways.is_empty() || from && place.shared.is_selected(&it.source_labels)
}

fn everywhere(it: &HttpMatch) -> bool {
    match &it.uri {
        None | Some(StringMatch::Present) => true,
        Some(StringMatch::Prefix(prefix)) => matches!(&**prefix, "" | "/"),
        Some(StringMatch::Regex(regex)) => *regex == ".*",
        Some(StringMatch::Exact(_)) => false,
    }
}

fn path(it: &HttpMatch) -> PathMatch {
    let pattern =
        |text: String, anchor| PathMatch::Regex(Pattern { text: text.into(), case: Case::Insensitive, anchor, engine: Engine::Linear });
    match &it.uri {
        _ if everywhere(it) => anywhere(),
        None | Some(StringMatch::Present) => anywhere(),
        Some(StringMatch::Exact(text)) if it.ignore_case => pattern(quoted(&canonical(text)), Anchor::Whole),
        Some(StringMatch::Exact(text)) => PathMatch::Exact(canonical(text)),
        Some(StringMatch::Prefix(text)) if it.ignore_case => pattern(quoted(&canonical(text)), Anchor::Start),
        Some(StringMatch::Prefix(text)) => PathMatch::StartsWith(canonical(text)),
        Some(StringMatch::Regex(text)) => PathMatch::Regex(whole(text)),
    }
}

fn scheme(it: &HttpMatch, matching: &mut Match) {
    match &it.scheme {
        None | Some(StringMatch::Present) => {}
        Some(StringMatch::Exact(text)) if *text == "http" => matching.scheme = Some(Scheme::Http),
        Some(StringMatch::Exact(text)) if *text == "https" => matching.scheme = Some(Scheme::Https),
        Some(other) => matching.headers.push(NamedMatch { name: ":scheme".into(), value: value_match(other) }),
    }
}

fn method(it: &HttpMatch, matching: &mut Match) {
    match &it.method {
        None | Some(StringMatch::Present) => {}
        Some(StringMatch::Exact(text)) if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_uppercase()) => {
            matching.method = Some(text.clone());
        }
        Some(other) => matching.headers.push(NamedMatch { name: ":method".into(), value: value_match(other) }),
    }
}

pub(crate) fn value_match(value: &StringMatch) -> ValueMatch {
    match value {
        StringMatch::Present => ValueMatch::Present,
        StringMatch::Exact(text) => ValueMatch::Exact(text.clone()),
        StringMatch::Prefix(text) => ValueMatch::Prefix(text.clone()),
        StringMatch::Regex(text) => ValueMatch::Regex(whole(text)),
    }
}
