//! Every cell of the table that a real kube-apiserver filled.

use super::*;
use crate::rbac::attempt::On;
use crate::rbac::defaults;
use cells::{Matrix, NAMESPACES, verbs, written};

#[path = "../../../tests/api/oracle/cells.rs"]
mod cells;

fn put(policy: &mut Policy, object: &Value) {
    let sort = Sort::of_plural(&format!("{}s", object["kind"].as_str().expect("a kind").to_lowercase())).expect("of this group");
    policy.put(Place { sort, namespace: object.namespace().to_owned(), name: object.name().to_owned() }, object);
}

#[test]
fn every_cell_is_as_kubernetes_has_it() {
    let matrix = Matrix::parse(include_str!("../../../tests/api/oracle/matrix.txt"));
    assert!(!matrix.head.is_empty() && !matrix.cells.is_empty());
    let mut policy = Policy::default();
    defaults::every(|sort, object| {
        policy.put(Place { sort, namespace: String::new(), name: object.name().to_owned() }, object);
    });
    matrix.objects.iter().for_each(|object| put(&mut policy, object));
    policy.settle();
    let (mut cells, mut wrong) = (0, Vec::new());
    for person in &matrix.people {
        let who = Identity::new(person.name.clone(), person.every_group());
        let mut check = |attempt: Attempt, namespace: &str, what: &str, verb: &str| {
            let allowed = who.is_master() || policy.allows(&who, &attempt).allowed;
            cells += 1;
            if allowed != matrix.allows(&person.name, namespace, what, verb) {
                wrong.push(format!("{} {verb} {what} in {namespace:?}: {allowed}", person.name));
            }
        };
        for namespace in NAMESPACES {
            for what in &matrix.resources {
                let [group, resource, subresource, name] = what;
                for verb in verbs(resource) {
                    let mut attempt = Attempt::on(verb, group, resource, namespace, name);
                    if let On::Resource { subresource: own, .. } = &mut attempt.on {
                        own.clone_from(subresource);
                    }
                    check(attempt, namespace, &written(what), verb);
                }
            }
        }
        for path in &matrix.paths {
            for verb in ["get", "post"] {
                check(Attempt { verb: verb.into(), on: On::Path(path.clone()) }, "", path, verb);
            }
        }
    }
    assert!(cells > 30_000, "{cells}");
    assert!(wrong.is_empty(), "{} of {cells} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}
