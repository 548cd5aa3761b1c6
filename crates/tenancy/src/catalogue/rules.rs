//! A rule of a role.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Verbs on resources of one group, or on paths that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    pub groups: BTreeSet<String>,
    pub resources: BTreeSet<String>,
    pub names: BTreeSet<String>,
    pub urls: BTreeSet<String>,
    pub verbs: BTreeSet<String>,
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

// === impl Rule ===

impl Rule {
    /// Resources and verbs have blanks between; the group without a name is `""`.
    pub fn of(group: &str, resources: &str, verbs: &str) -> Self {
        Self { groups: [group.to_owned()].into(), resources: words(resources), verbs: words(verbs), ..Self::default() }
    }

    pub fn urls(urls: &str) -> Self {
        Self { urls: words(urls), verbs: words("*"), ..Self::default() }
    }

    /// For objects of this name alone.
    pub fn named(self, name: &str) -> Self {
        Self { names: [name.to_owned()].into(), ..self }
    }

    pub fn read(rule: &Value) -> Self {
        let list = |field: &str| {
            let list = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let [groups, resources, names, urls, verbs] = ["apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs"].map(list);
        Self { groups, resources, names, urls, verbs }
    }

    /// In an order that does not depend on how they are written.
    pub fn read_all(role: &Value) -> Vec<Self> {
        let mut rules: Vec<Self> = role.get("rules").and_then(Value::as_array).into_iter().flatten().map(Self::read).collect();
        rules.sort();
        rules
    }

    pub fn to_value(&self) -> Value {
        let fields = [
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
            ("verbs", &self.verbs),
        ];
        let filled = fields.into_iter().filter(|(_, list)| !list.is_empty());
        filled.map(|(field, list)| (field.to_owned(), json!(list))).collect::<Map<_, _>>().into()
    }
}

/// As few rules as there are groups and sets of verbs, sorted.
pub(super) fn gathered(rules: impl IntoIterator<Item = Rule>) -> Vec<Rule> {
    let mut verbs: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        for group in &rule.groups {
            for resource in &rule.resources {
                verbs.entry((group.clone(), resource.clone())).or_default().extend(rule.verbs.iter().cloned());
            }
        }
    }
    let mut resources: BTreeMap<(String, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
    for ((group, resource), verbs) in verbs {
        resources.entry((group, verbs)).or_default().insert(resource);
    }
    let rule = |((group, verbs), resources)| Rule { groups: [group].into(), resources, verbs, ..Rule::default() };
    let mut rules: Vec<Rule> = resources.into_iter().map(rule).collect();
    rules.sort();
    rules
}
