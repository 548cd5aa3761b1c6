//! Whether rules that somebody holds cover rules that they want to give.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Rule, covers_url, has};

/// Rules of one verb on one resource that are compared at most: a role of some kilobytes could ask for billions.
const PARTS: usize = 20_000;

/// The rules of `wanted` that none of `held` covers, in the smallest parts, put together again for reading.
pub(crate) fn missing(held: &[&Rule], wanted: &[Rule]) -> Vec<Rule> {
    let mut missing = Vec::new();
    let mut left = PARTS;
    for rule in wanted {
        if held.iter().any(|own| covers(own, rule)) {
            continue;
        }
        let parts = count(rule);
        if parts > left {
            // Judged as a whole: nobody writes such a rule but to be refused.
            missing.push(rule.clone());
            continue;
        }
        left -= parts;
        missing.extend(split(rule).into_iter().filter(|part| !held.iter().any(|own| covers(own, part))));
    }
    compact(missing)
}

/// Whether one rule alone covers all of another.
pub(crate) fn covers(own: &Rule, wanted: &Rule) -> bool {
    let all = |own: &[String], wanted: &[String]| wanted.iter().all(|one| has(own, one));
    let named = match wanted.names.is_empty() {
        true => own.names.is_empty(),
        false => own.names.is_empty() || wanted.names.iter().all(|name| own.names.contains(name)),
    };
    named
        && all(&own.verbs, &wanted.verbs)
        && all(&own.groups, &wanted.groups)
        && wanted.resources.iter().all(|one| covers_resource(&own.resources, one))
        && wanted.urls.iter().all(|url| own.urls.iter().any(|one| covers_url(one, url)))
}

fn covers_resource(own: &[String], wanted: &str) -> bool {
    has(own, wanted) || wanted.split_once('/').is_some_and(|(_, below)| own.iter().any(|one| one.strip_prefix("*/") == Some(below)))
}

fn count(rule: &Rule) -> usize {
    let resources =
        [&rule.groups, &rule.resources, &rule.verbs].iter().fold(rule.names.len().max(1), |all, list| all.saturating_mul(list.len()));
    resources.saturating_add(rule.urls.len().saturating_mul(rule.verbs.len()))
}

/// One rule for each verb on each resource.
fn split(rule: &Rule) -> Vec<Rule> {
    let mut parts = Vec::new();
    let one = |text: &String| vec![text.clone()];
    for group in &rule.groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                let part = Rule { groups: one(group), resources: one(resource), verbs: one(verb), ..Rule::default() };
                if rule.names.is_empty() {
                    parts.push(part);
                } else {
                    parts.extend(rule.names.iter().map(|name| Rule { names: one(name), ..part.clone() }));
                }
            }
        }
    }
    for url in &rule.urls {
        parts.extend(rule.verbs.iter().map(|verb| Rule { urls: one(url), verbs: one(verb), ..Rule::default() }));
    }
    parts
}

/// Puts the verbs of one resource together.
fn compact(rules: Vec<Rule>) -> Vec<Rule> {
    let mut simple: BTreeMap<Rule, (Vec<String>, BTreeSet<String>)> = BTreeMap::new();
    let mut out = Vec::new();
    for rule in rules {
        if !rule.urls.is_empty() || rule.groups.len() != 1 || rule.resources.len() != 1 || rule.names.len() > 1 {
            out.push(rule);
            continue;
        }
        let Rule { verbs, .. } = &rule;
        let (list, seen) = simple.entry(Rule { verbs: Vec::new(), ..rule.clone() }).or_default();
        list.extend(verbs.iter().filter(|verb| seen.insert((*verb).clone())).cloned());
    }
    out.extend(simple.into_iter().map(|(rule, (verbs, _))| Rule { verbs, ..rule }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(held: &[Rule], wanted: Rule, expect: &[&str]) {
        let held: Vec<&Rule> = held.iter().collect();
        let mut said: Vec<String> = missing(&held, &[wanted]).iter().map(Rule::brief).collect();
        said.sort();
        assert_eq!(said, expect);
    }

    fn rule(resources: &str, verbs: &str) -> Rule {
        Rule::resources(&[""], resources, verbs)
    }

    #[test]
    fn what_is_missing_is_told_resource_by_resource() {
        check(&[rule("pods", "get list")], rule("pods", "get"), &[]);
        check(&[rule("pods", "get"), rule("pods secrets", "list")], rule("pods", "get list"), &[]);
        let pods = r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}"#;
        let secrets = r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "patch"]}"#;
        check(&[rule("pods", "get")], rule("pods secrets", "get delete patch"), &[pods, secrets]);
        check(&[rule("*", "*")], rule("*", "*"), &[]);
        check(&[rule("*", "get")], rule("pods", "*"), &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["*"]}"#]);
        check(&[rule("pods", "*")], rule("*", "get"), &[r#"{APIGroups:[""], Resources:["*"], Verbs:["get"]}"#]);
        check(&[rule("*/status", "*")], rule("pods/status", "get"), &[]);
        check(&[rule("*/status", "*")], rule("pods", "get"), &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["get"]}"#]);
        check(&[rule("*", "*")], Rule::urls("/a", "get"), &[r#"{NonResourceURLs:["/a"], Verbs:["get"]}"#]);
        check(&[Rule::urls("/a/*", "*")], Rule::urls("/a/b /a/c/*", "get"), &[]);
        check(&[Rule::urls("/a/*", "*")], Rule::urls("/*", "get"), &[r#"{NonResourceURLs:["/*"], Verbs:["get"]}"#]);
    }

    #[test]
    fn a_rule_for_names_covers_those_names_only() {
        let named = |names: &str| Rule { names: names.split(' ').map(str::to_owned).collect(), ..rule("secrets", "get") };
        check(&[rule("secrets", "get")], named("a b"), &[]);
        check(&[named("a b")], named("a"), &[]);
        check(&[named("a")], named("a b"), &[r#"{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}"#]);
        check(&[named("a")], rule("secrets", "get"), &[r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}"#]);
    }

    #[test]
    fn a_rule_of_too_many_parts_is_refused_whole() {
        let many = (0..2000).map(|n| format!("a{n}")).collect::<Vec<_>>();
        let wanted = Rule { groups: many.clone(), resources: many.clone(), verbs: many, ..Rule::default() };
        assert_eq!(missing(&[&rule("pods", "get")], std::slice::from_ref(&wanted)).len(), 1);
        assert_eq!(missing(&[&Rule::resources(&["*"], "*", "*")], &[wanted]), []);
    }
}
