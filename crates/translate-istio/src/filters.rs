//! What happens to a request on its way, in the order in which Istio has it.

use crate::Context;
use crate::destination::Else;
use crate::matches::{value_match, whole};
use crate::services::Place;
use crate::told::Told;
use model::{Anchor, Case, Cors, Engine, Fault, Filter, HeaderEdit, Mirror, ObjectRef, Pattern, Rewrite, TemplatePart, Text, ValueMatch};
use resources::istio::{CorsPolicy, HeaderEdits, Headers, HttpMatch, HttpRewrite, HttpRule, StringMatch};
use resources::pattern::{canonical, quoted};

/// The order in which Istio's gateways run what a VirtualService asks for; users observe it, so it is not improved.
///
/// A fault comes before all else, also before a preflight is answered. What is mirrored is the request as the backend gets it, but for what
/// belongs to the one destination that is picked.
pub(crate) const ORDER: [Step; 7] =
    [Step::Fault, Step::Cors, Step::Rewrite, Step::Host, Step::RequestHeaders, Step::Mirror, Step::ResponseHeaders];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Fault,
    Cors,
    Rewrite,
    Host,
    RequestHeaders,
    Mirror,
    ResponseHeaders,
}

impl Context<'_> {
    pub(crate) fn filters(
        self,
        place: Place<'_>,
        object: &ObjectRef,
        (rule, matching): (&HttpRule, Option<&HttpMatch>),
        told: &mut Told,
    ) -> Vec<Filter> {
        let mut filters = Vec::new();
        for step in ORDER {
            match step {
                Step::Fault => filters.extend(rule.fault.as_ref().and_then(|it| {
                    let fault = Fault { delay: it.delay.filter(|it| it.0.0 > 0), abort: it.abort.filter(|it| it.0.0 > 0) };
                    (fault.delay.is_some() || fault.abort.is_some()).then_some(Filter::Fault(fault))
                })),
                Step::Cors => filters.extend(rule.cors.as_ref().map(cors)),
                Step::Rewrite => filters.extend(rule.rewrite.as_ref().and_then(|it| rewrite(it, matching)).map(Filter::Rewrite)),
                Step::Host => filters.extend(host(rule)),
                Step::RequestHeaders => filters.extend(rule.headers.iter().flat_map(|it| edits(&it.request, Filter::RequestHeader))),
                Step::Mirror => {
                    for mirror in rule.mirrors.iter().flatten().filter(|mirror| mirror.percent.0 > 0) {
                        let backend = self.backend(place, (&mirror.destination, Else::Nothing), object, told);
                        filters.push(Filter::Mirror(Mirror { backend, percent: mirror.percent }));
                    }
                }
                Step::ResponseHeaders => filters.extend(rule.headers.iter().flat_map(|it| edits(&it.response, Filter::ResponseHeader))),
            }
        }
        filters
    }
}

/// Edits that belong to one destination; they come after the route's, whose `Host` stays.
pub(crate) fn of_destination(headers: &Headers, rule: &HttpRule) -> Vec<Filter> {
    let own = set_host(&headers.request).filter(|_| host(rule).is_none()).map(Filter::SetHost);
    own.into_iter().chain(edits(&headers.request, Filter::RequestHeader)).chain(edits(&headers.response, Filter::ResponseHeader)).collect()
}

fn is_host(name: &str) -> bool {
    matches!(name, "host" | ":authority")
}

/// `rewrite.authority`, or what `headers` make of it.
fn host(rule: &HttpRule) -> Option<Filter> {
    let rewritten = rule.rewrite.as_ref().and_then(|it| it.authority.clone());
    rewritten.or_else(|| set_host(&rule.headers.as_ref()?.request)).map(Filter::SetHost)
}

fn set_host(edits: &HeaderEdits) -> Option<Text> {
    edits.set.iter().chain(&edits.add).find(|(name, _)| is_host(name)).and_then(|(_, value)| value.clone())
}

/// As Envoy does: first what is removed, then what is set, then what is added.
fn edits(edits: &HeaderEdits, as_filter: fn(HeaderEdit) -> Filter) -> Vec<Filter> {
    let known = |name: &&Text| !is_host(name) && !name.starts_with(':');
    let removed = edits.remove.iter().filter(known).map(|name| HeaderEdit::Remove { name: name.clone() });
    let set = edits.set.iter().filter(|(name, _)| known(&name)).map(|(name, value)| match value {
        Some(value) => HeaderEdit::Set { name: name.clone(), value: value.clone() },
        // What was to be replaced does not pass as it came.
        None => HeaderEdit::Remove { name: name.clone() },
    });
    let added = edits.add.iter().filter(|(name, _)| known(&name));
    let added = added.filter_map(|(name, value)| Some(HeaderEdit::Add { name: name.clone(), value: value.clone()? }));
    removed.chain(set).chain(added).map(as_filter).collect()
}

fn cors(it: &CorsPolicy) -> Filter {
    let origin = |origin: &StringMatch| match origin {
        StringMatch::Exact(any) if *any == "*" => ValueMatch::Present,
        other => value_match(other),
    };
    Filter::Cors(Cors {
        origins: it.origins.iter().map(origin).collect(),
        methods: it.methods.clone(),
        headers: it.headers.clone(),
        expose: it.expose.clone(),
        credentials: it.credentials,
        max_age: it.max_age,
        preflight: 200,
        unmatched: it.unmatched,
    })
}

/// Of a prefix only the prefix is replaced, octet by octet: `/a` to `/` makes `//b` of `/a/b`, as in Istio. Else the path as a whole.
fn rewrite(it: &HttpRewrite, matching: Option<&HttpMatch>) -> Option<Rewrite> {
    if let Some((pattern, template)) = &it.regex {
        let pattern = Pattern { anchor: Anchor::None, ..whole(pattern) };
        return Some(Rewrite::Replace { pattern, template: parts(template) });
    }
    let uri = it.uri.as_ref()?;
    let prefix = match matching.map(|it| (&it.uri, it.ignore_case)) {
        Some((Some(StringMatch::Prefix(prefix)), ignore)) => Some((canonical(prefix), ignore)),
        // A rule for everything is one for the prefix `/`.
        None | Some((None | Some(StringMatch::Present), _)) => Some(("/".into(), false)),
        Some((Some(StringMatch::Exact(_) | StringMatch::Regex(_)), _)) => None,
    };
    let Some((prefix, ignore)) = prefix else { return Some(Rewrite::Full(uri.clone())) };
    let case = if ignore { Case::Insensitive } else { Case::Sensitive };
    let pattern = Pattern { text: format!("{}(.*)", quoted(&prefix)).into(), case, anchor: Anchor::Start, engine: Engine::Linear };
    Some(Rewrite::Regex { pattern, template: vec![TemplatePart::Literal(uri.clone()), TemplatePart::Capture(1)] })
}

/// RE2's templates: `\1` is the first group, `\0` the whole, `\\` a backslash.
fn parts(template: &str) -> Vec<TemplatePart> {
    let (mut parts, mut literal) = (Vec::new(), String::new());
    let mut chars = template.chars();
    while let Some(char) = chars.next() {
        let next = if char == '\\' { chars.next() } else { None };
        match (char, next.and_then(|next| next.to_digit(10)).and_then(|digit| u8::try_from(digit).ok())) {
            ('\\', Some(group)) => {
                if !literal.is_empty() {
                    parts.push(TemplatePart::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push(TemplatePart::Capture(group));
            }
            ('\\', None) => literal.extend(next),
            (other, _) => literal.push(other),
        }
    }
    if !literal.is_empty() {
        parts.push(TemplatePart::Literal(literal.into()));
    }
    parts
}
