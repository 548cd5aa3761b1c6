//! One rule of a role, and what it matches.

use serde_json::{Map, Value, json};

use super::attempt::{Attempt, On};

const ALL: &str = "*";

/// Verbs on resources, or on paths that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) urls: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) verbs: Vec<String>,
}

// === impl Rule ===

impl Rule {
    /// What cannot be read is not in the rule, which then grants less.
    pub(crate) fn read(value: &Value) -> Self {
        let list = |field: &str| {
            let list = value.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let [groups, resources, urls, names, verbs] = ["apiGroups", "resources", "nonResourceURLs", "resourceNames", "verbs"].map(list);
        // A list of names that cannot be read must not become "every name".
        let broken = value.get("resourceNames").is_some_and(|names| match names.as_array() {
            Some(names) => !names.iter().all(Value::is_string),
            None => !names.is_null(),
        });
        Self { groups, resources, urls, names, verbs: if broken { Vec::new() } else { verbs } }
    }

    pub(crate) fn read_all(role: &Value) -> Vec<Self> {
        role.get("rules").and_then(Value::as_array).into_iter().flatten().map(Self::read).collect()
    }

    /// Of resources, with words that are parted by blanks; the group without a name is `""`.
    pub(crate) fn resources(groups: &[&str], resources: &str, verbs: &str) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Self { groups, resources: words(resources), verbs: words(verbs), ..Self::default() }
    }

    pub(crate) fn urls(urls: &str, verbs: &str) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Self { urls: words(urls), verbs: words(verbs), ..Self::default() }
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut map = Map::new();
        let fields = [
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
            ("verbs", &self.verbs),
        ];
        for (field, list) in fields {
            if !list.is_empty() {
                map.insert(field.into(), json!(list));
            }
        }
        Value::Object(map)
    }

    /// As Kubernetes writes it in a refusal.
    pub(crate) fn brief(&self) -> String {
        let fields = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let parts: Vec<String> =
            fields.iter().filter(|(_, list)| !list.is_empty()).map(|(field, list)| format!("{field}:{}", quoted(list))).collect();
        format!("{{{}}}", parts.join(", "))
    }

    pub(crate) fn allows(&self, attempt: &Attempt) -> bool {
        if !has(&self.verbs, &attempt.verb) {
            return false;
        }
        match &attempt.on {
            On::Path(path) => self.urls.iter().any(|url| url == ALL || covers_url(url, path)),
            On::Resource { group, resource, subresource, name, .. } => {
                has(&self.groups, group)
                    && self.resources.iter().any(|own| covers_resource(own, resource, subresource))
                    && (self.names.is_empty() || self.names.contains(name))
            }
        }
    }
}

/// `["a" "b"]`.
pub(crate) fn quoted(list: &[String]) -> String {
    let words: Vec<String> = list.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}

pub(super) fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == ALL || one == wanted)
}

fn covers_resource(own: &str, resource: &str, subresource: &str) -> bool {
    if own == ALL {
        return true;
    }
    if subresource.is_empty() {
        return own == resource;
    }
    match own.split_once('/') {
        Some((of, below)) => (of == ALL || of == resource) && below == subresource,
        None => false,
    }
}

/// `/a/*` covers what begins with `/a/`.
pub(super) fn covers_url(own: &str, path: &str) -> bool {
    own == path || (own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &Value, attempt: &str, expect: bool) {
        assert_eq!(Rule::read(rule).allows(&Attempt::read(attempt)), expect, "{rule} {attempt}");
    }

    #[test]
    fn stars_stand_where_kubernetes_lets_them_stand() {
        let rule =
            |groups: &str, resources: &str, verbs: &str| json!({ "apiGroups": [groups], "resources": [resources], "verbs": [verbs] });
        for (rule, attempt, expect) in [
            (rule("", "pods", "get"), "get pods", true),
            (rule("", "pods", "get"), "list pods", false),
            (rule("", "pods", "get"), "get pods.apps", false),
            (rule("", "pods", "*"), "delete pods", true),
            (rule("*", "pods", "get"), "get pods.apps", true),
            (rule("", "*", "get"), "get pods/log", true),
            (rule("", "pods", "get"), "get pods/log", false),
            (rule("", "pods/log", "get"), "get pods/log", true),
            (rule("", "pods/log", "get"), "get pods", false),
            (rule("", "*/log", "get"), "get pods/log", true),
            (rule("", "*/log", "get"), "get pods/status", false),
            (rule("", "*/log", "get"), "get pods", false),
            (rule("", "pods/*", "get"), "get pods/log", false),
            (rule("", "po*", "get"), "get pods", false),
            (rule("", "pods", "get"), "* pods", false),
            (rule("", "*", "*"), "* *", true),
            (rule("", "*", "*"), "get /healthz", false),
        ] {
            check(&rule, attempt, expect);
        }
    }

    #[test]
    fn names_narrow_a_rule_to_requests_that_have_one() {
        let rule = json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["*"] });
        for (attempt, expect) in [("get secrets a", true), ("get secrets c", false), ("list secrets", false), ("create secrets", false)] {
            check(&rule, attempt, expect);
        }
        for names in [json!("a"), json!([1]), json!(["a", null]), json!({})] {
            let broken = json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["*"] });
            check(&broken, "get secrets b", false);
        }
    }

    #[test]
    fn paths_end_in_a_star_or_are_whole() {
        let rule = |url: &str| json!({ "nonResourceURLs": [url], "verbs": ["get"] });
        for (url, attempt, expect) in [
            ("*", "get /a", true),
            ("/a", "get /a", true),
            ("/a", "get /a/b", false),
            ("/a/*", "get /a/b/c", true),
            ("/a/*", "get /a", false),
            ("/*", "get /a", true),
            ("/a", "post /a", false),
            ("/*/b", "get /a/b", false),
        ] {
            check(&rule(url), attempt, expect);
        }
    }
}
