//! Rules that are delegated: what the root says and what the delegate says, put together.

use crate::Context;
use crate::told::Told;
use model::{ObjectRef, Text};
use resources::istio::{HttpMatch, HttpRule, StringMatch};
use resources::{Cause, Kind, Name, Problem, VirtualService, nearest, suggest};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A rule as it is served, and whose it is.
pub(crate) struct Leaf<'a> {
    pub(crate) object: ObjectRef,
    pub(crate) rule: Cow<'a, HttpRule>,
}

/// The rule itself; of one that delegates, the delegate's rules within its bounds.
pub(crate) fn leaves<'a>(context: Context<'a>, root: &VirtualService, rule: &'a HttpRule, told: &mut Told) -> Vec<Leaf<'a>> {
    let object = Kind::VirtualService.object_ref(&root.meta.name);
    // A rule that also routes is closed as a whole.
    let Some(name) = rule.delegate.as_ref().filter(|_| !rule.closed) else { return vec![Leaf { object, rule: Cow::Borrowed(rule) }] };
    let field = format!("spec.http[{}].delegate", rule.index);
    let delegate = match usable(context, root, name) {
        Ok(delegate) => delegate,
        Err(problem) => {
            told.tell(&object, Problem { field: field.into(), ..problem });
            return Vec::new();
        }
    };
    let leaf_object = Kind::VirtualService.object_ref(name);
    let mut leaves = Vec::new();
    for leaf in &delegate.http {
        let at = format!("spec.http[{}]", leaf.index);
        if leaf.delegate.is_some() {
            let message = "a delegate does not delegate itself, so this rule is left out";
            told.tell(&leaf_object, Problem::error(format!("{at}.delegate"), Cause::InvalidValue, message));
            continue;
        }
        match together(rule, leaf) {
            Some(merged) => leaves.push(Leaf { object: leaf_object.clone(), rule: Cow::Owned(merged) }),
            None => {
                let message =
                    format!("a match of it cannot be within those of spec.http[{}] of {object}, so the rule is left out there", rule.index);
                let problem = Problem::error(at, Cause::InvalidValue, message);
                told.tell(
                    &leaf_object,
                    problem.hint("Each match is to be narrower than one of the root's; regular expressions cannot be compared"),
                );
            }
        }
    }
    leaves
}

fn usable<'a>(context: Context<'a>, root: &VirtualService, name: &Name) -> Result<&'a VirtualService, Problem> {
    let left_out = "so the rule is left out";
    let Some(delegate) = context.resources.virtual_service(name) else {
        let message = format!("VirtualService `{name}` does not exist, {left_out}");
        let problem = Problem::error("", Cause::ReferenceNotFound, message);
        let near = context.resources.virtual_services_like(name);
        return Err(problem.hint(suggest(nearest(&name.name, near), || "Create it, without `hosts`".to_owned())));
    };
    let wrong = |why: &str| Problem::error("", Cause::InvalidValue, format!("VirtualService `{name}` {why}, {left_out}"));
    if !delegate.is_delegate {
        return Err(wrong("has hosts of its own, and so is no delegate").hint("Delete its `hosts` and `gateways`"));
    }
    if !delegate.gateways.is_empty() || !delegate.tls.is_empty() || !delegate.tcp.is_empty() {
        return Err(wrong("has more than rules for HTTP, and so is no delegate").hint("Leave only `http` in it"));
    }
    if delegate.export_to.sees(&name.namespace, &root.meta.name.namespace).is_none() {
        return Err(
            wrong(&format!("is not exported to namespace `{}`", root.meta.name.namespace)).hint("Add the namespace to its `exportTo`")
        );
    }
    Ok(delegate)
}

/// The delegate's values where it has them, else the root's. `None`: a match of it is within none of the root's.
fn together(root: &HttpRule, leaf: &HttpRule) -> Option<HttpRule> {
    Some(HttpRule {
        index: leaf.index,
        matches: matches(&root.matches, &leaf.matches)?,
        route: leaf.route.clone(),
        redirect: leaf.redirect.clone(),
        direct_response: leaf
            .direct_response
            .clone()
            .or_else(|| root.direct_response.clone().filter(|_| leaf.route.is_empty() && leaf.redirect.is_none())),
        delegate: None,
        rewrite: leaf.rewrite.clone().or_else(|| root.rewrite.clone()),
        timeout: leaf.timeout.or(root.timeout),
        retries: leaf.retries.clone().or_else(|| root.retries.clone()),
        fault: leaf.fault.clone().or_else(|| root.fault.clone()),
        mirrors: leaf.mirrors.clone().or_else(|| root.mirrors.clone()),
        cors: leaf.cors.clone().or_else(|| root.cors.clone()),
        headers: leaf.headers.clone().or_else(|| root.headers.clone()),
        closed: root.closed || leaf.closed,
    })
}

fn matches(root: &[HttpMatch], leaf: &[HttpMatch]) -> Option<Vec<HttpMatch>> {
    if root.is_empty() {
        return Some(leaf.to_vec());
    }
    if leaf.is_empty() {
        return Some(root.to_vec());
    }
    let mut matches = Vec::new();
    for leaf in leaf {
        let before = matches.len();
        matches.extend(root.iter().filter_map(|root| within(root, leaf)));
        if matches.len() == before {
            return None;
        }
    }
    Some(matches)
}

/// Both at once; `None`: no request can have both, or nobody can tell.
fn within(root: &HttpMatch, leaf: &HttpMatch) -> Option<HttpMatch> {
    let same = |root: &BTreeMap<Text, Text>, leaf: &BTreeMap<Text, Text>| root.is_empty() || leaf.is_empty() || root == leaf;
    let agree = root.ignore_case == leaf.ignore_case
        && (root.port.is_none() || leaf.port.is_none() || root.port == leaf.port)
        && same(&root.source_labels, &leaf.source_labels)
        && (root.source_namespace.is_none() || leaf.source_namespace.is_none() || root.source_namespace == leaf.source_namespace)
        && (root.gateways.is_empty() || leaf.gateways.is_subset(&root.gateways));
    if !agree {
        return None;
    }
    Some(HttpMatch {
        index: leaf.index,
        uri: both(root.uri.as_ref(), leaf.uri.as_ref())?,
        ignore_case: leaf.ignore_case,
        scheme: both(root.scheme.as_ref(), leaf.scheme.as_ref())?,
        method: both(root.method.as_ref(), leaf.method.as_ref())?,
        authority: both(root.authority.as_ref(), leaf.authority.as_ref())?,
        headers: all(&root.headers, &leaf.headers)?,
        without: neither(&root.without, &leaf.without)?,
        query: all(&root.query, &leaf.query)?,
        port: leaf.port.or(root.port),
        gateways: if leaf.gateways.is_empty() { root.gateways.clone() } else { leaf.gateways.clone() },
        source_labels: if leaf.source_labels.is_empty() { root.source_labels.clone() } else { leaf.source_labels.clone() },
        source_namespace: leaf.source_namespace.clone().or_else(|| root.source_namespace.clone()),
        never: root.never || leaf.never,
        closed: root.closed || leaf.closed,
    })
}

fn all(root: &BTreeMap<Text, StringMatch>, leaf: &BTreeMap<Text, StringMatch>) -> Option<BTreeMap<Text, StringMatch>> {
    let mut all = root.clone();
    for (name, value) in leaf {
        all.insert(name.clone(), both(root.get(name), Some(value))??);
    }
    Some(all)
}

/// Of what must not be: absence excludes every value.
fn neither(root: &BTreeMap<Text, StringMatch>, leaf: &BTreeMap<Text, StringMatch>) -> Option<BTreeMap<Text, StringMatch>> {
    let mut all = root.clone();
    for (name, value) in leaf {
        match root.get(name) {
            Some(StringMatch::Present) => {}
            Some(other) if *value != StringMatch::Present && other != value => return None,
            _ => drop(all.insert(name.clone(), value.clone())),
        }
    }
    Some(all)
}

/// The narrower. The outer `None`: they exclude each other, or it cannot be told.
#[expect(clippy::option_option, reason = "nothing to compare with is not the same as a conflict")]
fn both(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> Option<Option<StringMatch>> {
    use StringMatch::{Exact, Prefix, Present, Regex};
    let (root, leaf) = match (root, leaf) {
        (None, other) | (other, None) => return Some(other.cloned()),
        (Some(root), Some(leaf)) => (root, leaf),
    };
    match (root, leaf) {
        (Present, other) | (other, Present) => Some(Some(other.clone())),
        (Regex(_), _) | (_, Regex(_)) | (Exact(_), Prefix(_)) => None,
        (Exact(one), Exact(other)) => (one == other).then(|| Some(leaf.clone())),
        (Prefix(prefix), Exact(text) | Prefix(text)) => text.starts_with(&**prefix).then(|| Some(leaf.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StringMatch::{Exact, Prefix, Present, Regex};

    #[test]
    fn a_delegate_narrows_and_never_widens() {
        let exact = |text: &str| Exact(text.into());
        let prefix = |text: &str| Prefix(text.into());
        for (root, leaf, expect) in [
            (prefix("/a"), exact("/a/b"), Some(exact("/a/b"))),
            (prefix("/a"), prefix("/a/b"), Some(prefix("/a/b"))),
            (prefix("/a"), prefix("/b"), None),
            (prefix("/a"), exact("/b"), None),
            (prefix("/a"), Present, Some(prefix("/a"))),
            (exact("/a"), exact("/a"), Some(exact("/a"))),
            (exact("/a"), exact("/b"), None),
            (exact("/a"), prefix("/"), None),
            (Regex(".*".into()), exact("/a"), None),
            (prefix("/a"), Regex("/a.*".into()), None),
        ] {
            assert_eq!(both(Some(&root), Some(&leaf)).map(|it| it.expect("there are two")), expect, "{root:?} {leaf:?}");
        }
        assert_eq!(both(None, Some(&exact("/a"))), Some(Some(exact("/a"))));
    }
}
