//! What is wrong with objects by themselves: for files, for an API's admission, for whoever asks before applying.

use crate::annotated;
use crate::reports::Reports;
use crate::{Options, translate};
use model::ObjectRef;
use resources::{Change, Object, Problem, Resources, Severity};
use serde_json::Value;
use translate_ingress::Others;

/// Every problem of these objects, in their order: the same that the objects' events would name.
///
/// A reference to what is not among them is a note: it may well exist where they are going. Objects of other kinds have none.
pub fn check(objects: &[Value], options: &Options) -> Vec<(ObjectRef, Problem)> {
    let resources = Resources::of(objects);
    let mut options = options.clone();
    options.ingress.classes.others = Others::NotAtHand;
    let reports = translate(&resources, &options).reports;
    let mut problems = Vec::new();
    for value in objects {
        if let Some(Change::Object { kind, name, .. }) = Change::of(value)
            && let Some(object) = resources.get(kind, &name)
        {
            let of_object = of_object(&reports, &options, &object);
            problems.extend(of_object.into_iter().map(|problem| (object.object_ref(), problem)));
        }
    }
    problems
}

fn of_object(reports: &Reports, options: &Options, object: &Object) -> Vec<Problem> {
    let mut problems = reports.get(&object.object_ref()).map(|report| report.problems).unwrap_or_default();
    problems.extend(object.problems().iter().cloned());
    if let Object::Service(service) = object {
        problems.extend(annotated::problems(service, &options.egress));
    }
    problems.into_iter().map(reference_as_note).collect()
}

fn reference_as_note(problem: Problem) -> Problem {
    if problem.reason.is_reference() { Problem { severity: Severity::Note, ..problem } } else { problem }
}
