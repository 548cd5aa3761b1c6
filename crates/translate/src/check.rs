//! What is wrong with objects by themselves: for files, for an API's admission, for whoever asks before applying.

use crate::annotated;
use crate::reports::Reports;
use crate::{Options, translate};
use model::ObjectRef;
use resources::{AddressForm, Cause, Change, HostTemplate, Kind, Name, Object, Problem, Projects, Resources, Severity};
use serde_json::Value;
use std::collections::BTreeSet;
use translate_gateway_api::Absent;
use translate_ingress::Others;

/// Every problem of these objects, in their order: the same that the objects' events would name.
///
/// A reference to what is not among them is a note: it may well exist where they are going. Objects of other kinds have none.
pub fn check(objects: &[Value], options: &Options) -> Vec<(ObjectRef, Problem)> {
    let mut resources = Resources::of(objects);
    place(&mut resources, options);
    let mut options = options.clone();
    options.ingress.classes.others = Others::NotAtHand;
    options.gateway_api.absent = Absent::Ours;
    let reports = translate(&resources, &options).reports;
    let mut problems = Vec::new();
    for value in objects {
        if let Some(kind) = Kind::of(value).filter(|_| Change::of(value).is_none()) {
            problems.push(nameless(kind, value));
        }
        if let Some(Change::Object { kind, name, .. }) = Change::of(value)
            && let Some(object) = resources.get(kind, &name)
        {
            let of_object = of_object(&reports, &options, &object);
            problems.extend(of_object.into_iter().map(|problem| (object.object_ref(), problem)));
        }
    }
    problems
}

/// Where nobody knows where gateways are, generated hosts are made of an address of the documentation, so that the rest can be judged.
pub fn place(resources: &mut Resources, options: &Options) {
    let mut parents = BTreeSet::new();
    for name in resources.names(Kind::HttpRoute) {
        if let Some(Object::HttpRoute(route)) = resources.get(Kind::HttpRoute, name) {
            parents.extend(route.parents.iter().filter_map(|it| it.gateway().cloned()));
        }
    }
    for gateway in &options.gateways {
        let template = HostTemplate {
            ingresses: Some(gateway.scope.clone()),
            parents: parents.clone(),
            projects: Projects::Many,
            form: AddressForm::Dotted,
            suffix: "nip.io".into(),
            address: Some([192, 0, 2, 1].into()),
            former: Vec::new(),
        };
        resources.apply(Change::Hosts { gateway: gateway.id.clone(), template: Some(template) });
    }
}

/// An object that has no name belongs nowhere. YAML reads some names, such as `off`, as something else.
fn nameless(kind: Kind, object: &Value) -> (ObjectRef, Problem) {
    let message = match object.get("metadata").and_then(|metadata| metadata.get("name")) {
        Some(name) if !name.is_null() => format!("`{name}` is not a name"),
        _ => "it has no name".to_owned(),
    };
    let problem = Problem::error("metadata.name", Cause::Malformed, message).hint("A name is a string; in doubt, write it in quotes");
    (kind.object_ref(&Name::new("", "")), problem)
}

fn of_object(reports: &Reports, options: &Options, object: &Object) -> Vec<Problem> {
    let mut problems = reports.get(&object.object_ref()).map(|report| report.problems).unwrap_or_default();
    problems.extend(object.problems().iter().cloned());
    if let Object::Service(service) = object {
        problems.extend(annotated::problems(service, &options.egress));
    }
    problems.into_iter().map(reference_as_note).collect()
}

/// What is named and not among these objects may well be where they are going; what is nearly called like it is still said.
fn reference_as_note(problem: Problem) -> Problem {
    if !problem.reason.is_reference() {
        return problem;
    }
    let meant = problem.hint.clone().filter(|hint| hint.starts_with("Did you mean"));
    let hint = meant.unwrap_or_else(|| "It is only not among these objects: it may exist where they are applied".into());
    Problem { severity: Severity::Note, hint: Some(hint), ..problem }
}

#[cfg(test)]
mod tests;
