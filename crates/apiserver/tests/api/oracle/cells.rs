//! The table of rights: objects, people, and for each person what they may do, as text. See the head of `matrix.txt`.

use std::collections::BTreeMap;

use serde_json::Value;

const VERBS: [&str; 11] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"];
/// Those that make sense for a resource.
pub fn verbs(resource: &str) -> impl Iterator<Item = &'static str> {
    let gives = matches!(resource, "roles" | "clusterroles");
    let stands = matches!(resource, "users" | "groups" | "serviceaccounts" | "uids" | "userextras");
    VERBS.into_iter().filter(move |verb| match *verb {
        "bind" | "escalate" => gives,
        "impersonate" => stands,
        _ => true,
    })
}

/// The cluster's scope first.
pub const NAMESPACES: [&str; 3] = ["", "one", "two"];

/// Of a person, a namespace and a resource or path as they are written: the verbs that are allowed. What is missing may nothing.
pub type Cells = BTreeMap<(String, String, String), Vec<String>>;

#[derive(Default)]
pub struct Matrix {
    pub head: Vec<String>,
    /// Roles and bindings, in the order in which they are made.
    pub objects: Vec<Value>,
    pub people: Vec<Person>,
    /// Group, resource, subresource and name.
    pub resources: Vec<[String; 4]>,
    pub paths: Vec<String>,
    pub cells: Cells,
}

pub struct Person {
    pub name: String,
    pub groups: Vec<String>,
}

// === impl Matrix ===

impl Matrix {
    pub fn parse(text: &str) -> Self {
        let (mut matrix, mut section) = (Self::default(), "");
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("== ") {
                section = name;
                continue;
            }
            match section {
                "" => matrix.head.push(line.to_owned()),
                _ if line.is_empty() => {}
                "objects" => matrix.objects.push(serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))),
                "people" => {
                    let mut words = line.split(' ').map(str::to_owned);
                    matrix.people.push(Person { name: words.next().unwrap_or_default(), groups: words.collect() });
                }
                "resources" => matrix.resources.push(resource(line)),
                "paths" => matrix.paths.push(line.to_owned()),
                _ => {
                    let parts: Vec<&str> = line.split(" | ").collect();
                    let [person, namespace, what, verbs] = parts[..] else { panic!("{line}: four parts") };
                    let key = (person.to_owned(), namespace.trim_matches('-').to_owned(), what.to_owned());
                    matrix.cells.insert(key, verbs.split(' ').map(str::to_owned).collect());
                }
            }
        }
        matrix
    }

    pub fn allows(&self, person: &str, namespace: &str, what: &str, verb: &str) -> bool {
        let cell = self.cells.get(&(person.to_owned(), namespace.to_owned(), what.to_owned()));
        cell.is_some_and(|verbs| verbs.iter().any(|one| one == verb))
    }
}

/// `group:resource/subresource name`, without what is empty.
fn resource(line: &str) -> [String; 4] {
    let (what, name) = line.split_once(' ').unwrap_or((line, ""));
    let (group, what) = what.split_once(':').unwrap_or(("", what));
    let (resource, subresource) = what.split_once('/').unwrap_or((what, ""));
    [group, resource, subresource, name].map(str::to_owned)
}

pub fn written([group, resource, subresource, name]: &[String; 4]) -> String {
    let part = |before: &str, text: &str, after: &str| if text.is_empty() { String::new() } else { format!("{before}{text}{after}") };
    format!("{}{resource}{}{}", part("", group, ":"), part("/", subresource, ""), part(" ", name, ""))
}

// === impl Person ===

impl Person {
    /// With those that everybody has who logs in, and every ServiceAccount.
    pub fn every_group(&self) -> Vec<String> {
        let mut groups = self.groups.clone();
        if let Some((namespace, _)) = self.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
            groups.extend(["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]);
        }
        groups.push("system:authenticated".to_owned());
        groups
    }
}
