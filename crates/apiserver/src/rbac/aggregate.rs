//! Roles of the cluster that gather the rules of others, found by their labels.
//!
//! The evaluator follows the labels itself, so that what is gathered holds at once; a task writes the same rules into the gathering
//! role, for those who read it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use store::{Expect, Op, WatchError};

use super::rule::Rule;
use super::{GROUP, PREFIX};
use crate::api::Api;
use crate::object::{Object, as_map, decode, encode};

/// Between tries after a write failed.
const AGAIN: Duration = Duration::from_secs(1);

/// A role of the cluster as it is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    rules: Vec<Rule>,
    labels: BTreeMap<String, String>,
    selectors: Option<Vec<Selector>>,
}

/// Labels that a role must have.
#[derive(Clone, Debug)]
struct Selector(Vec<Test>);

#[derive(Clone, Debug)]
enum Test {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
    /// Of an operator that is not known: no role has it.
    Never,
}

// === impl Gathered ===

impl Gathered {
    pub(crate) fn read(role: &Value) -> Self {
        let labels = role.meta().and_then(|meta| meta.get("labels")).and_then(Value::as_object).into_iter().flatten();
        let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        let aggregation = role.get("aggregationRule").filter(|rule| !rule.is_null());
        let selectors = aggregation.map(|rule| rule["clusterRoleSelectors"].as_array().into_iter().flatten().map(Selector::read).collect());
        let selectors = selectors.filter(|list: &Vec<Selector>| !list.is_empty());
        Self { rules: Rule::read_all(role), labels, selectors }
    }

    pub(crate) fn gathers(&self) -> bool {
        self.selectors.is_some()
    }

    fn wants(&self, other: &Self) -> bool {
        self.selectors.iter().flatten().any(|selector| selector.0.iter().all(|test| test.holds(&other.labels)))
    }
}

// === impl Selector ===

impl Selector {
    fn read(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let exact = value["matchLabels"].as_object().into_iter().flatten().map(|(key, value)| Test::In(key.clone(), vec![text(value)]));
        let more = value["matchExpressions"].as_array().into_iter().flatten().map(|one| {
            let key = text(&one["key"]);
            let values = one["values"].as_array().into_iter().flatten().map(text).collect();
            match one["operator"].as_str() {
                Some("In") => Test::In(key, values),
                Some("NotIn") => Test::NotIn(key, values),
                Some("Exists") => Test::Exists(key),
                Some("DoesNotExist") => Test::Missing(key),
                _ => Test::Never,
            }
        });
        Self(exact.chain(more).collect())
    }
}

impl Test {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Missing(key) => !labels.contains_key(key),
            Self::Never => false,
        }
    }
}

/// The rules of every role, gathered where a role gathers.
pub(crate) fn gather(roles: &BTreeMap<String, Gathered>) -> HashMap<String, Arc<[Rule]>> {
    roles.keys().map(|name| (name.clone(), rules(roles, name).into())).collect()
}

fn rules(roles: &BTreeMap<String, Gathered>, name: &str) -> Vec<Rule> {
    let (mut out, mut seen, mut visited) = (Vec::new(), BTreeSet::new(), BTreeSet::from([name]));
    // A stack, not a recursion: roles that gather may form a chain of any length, and a ring.
    let mut stack = vec![name];
    while let Some(name) = stack.pop() {
        let Some(role) = roles.get(name) else { continue };
        if !role.gathers() {
            out.extend(role.rules.iter().filter(|rule| seen.insert(*rule)).cloned());
            continue;
        }
        let wanted = roles.iter().rev().filter(|(_, other)| role.wants(other)).map(|(other, _)| other.as_str());
        stack.extend(wanted.filter(|other| visited.insert(other)));
    }
    out
}

/// Writes what roles gather into them, until the store is closed.
pub(crate) async fn run(api: Arc<Api>) {
    loop {
        let from = api.store.revision();
        let settled = settle(&api).await;
        let Ok(mut watch) = api.store.watch(PREFIX, from) else { continue };
        let next = match settled {
            Ok(()) => watch.next().await,
            Err(_) => tokio::time::timeout(AGAIN, watch.next()).await.unwrap_or(Ok(Vec::new())),
        };
        if matches!(next, Err(WatchError::Closed)) {
            return;
        }
    }
}

/// Writes what roles gather into them.
pub(crate) async fn settle(api: &Api) -> Result<(), store::WriteError> {
    let kinds = api.kinds();
    let Some(kind) = kinds.find(GROUP, "v1", "clusterroles") else { return Ok(()) };
    let wanted: Vec<(String, Arc<[Rule]>)> =
        api.rights.read(|policy| policy.aggregated().map(|(name, rules)| (name.to_owned(), rules.clone())).collect());
    let mut result = Ok(());
    for (name, rules) in wanted {
        let key = kind.key("", &name);
        let Some(stored) = api.store.get(&key) else { continue };
        let mut role = decode(kind, &stored);
        if Rule::read_all(&role).iter().eq(rules.iter()) || role.is_deleting() {
            continue;
        }
        as_map(&mut role).insert("rules".into(), rules.iter().map(Rule::to_value).collect());
        let op = Op::put(key, Expect::Revision(stored.revision), encode(kind, &role));
        match api.store.write(vec![op]).await {
            // Who changed it in between makes news of it, and so another look.
            Ok(_) | Err(store::WriteError::Conflict { .. } | store::WriteError::NotFound { .. }) => {}
            Err(error) => result = Err(error),
        }
    }
    result
}
