//! Which Ingresses are ours.

use crate::options::{ClassOptions, Others};
use model::Text;
use resources::{Cause, Ingress, Problem, Resources, nearest};

pub(crate) enum Class {
    Ours(Option<Problem>),
    /// Somebody else's, or nobody's: then it is said.
    NotOurs(Option<Problem>),
}

/// The field decides where it is set, else the annotation; without both, the option.
pub(crate) fn class(resources: &Resources, options: &ClassOptions, ingress: &Ingress) -> Class {
    let by_annotation = ingress.class_annotation();
    match (&ingress.class, by_annotation) {
        (Some(name), other) => {
            let conflict = other.filter(|other| *other != name).map(|other| ignored(name, other));
            by_class(resources, options, name, "spec.ingressClassName", conflict)
        }
        (None, Some(name)) if options.names.contains(name) => Class::Ours(None),
        (None, Some(name)) => by_class(resources, options, name, "metadata.annotations[kubernetes.io/ingress.class]", None),
        (None, None) if options.without_class => Class::Ours(None),
        (None, None) => Class::NotOurs(None),
    }
}

fn by_class(resources: &Resources, options: &ClassOptions, name: &Text, field: &str, conflict: Option<Problem>) -> Class {
    let Some(class) = resources.class(name) else {
        return match options.others {
            Others::MayServe => Class::NotOurs(None),
            Others::Absent => Class::NotOurs(Some(not_found(resources, options, name, field))),
            Others::NotAtHand => Class::Ours(Some(not_found(resources, options, name, field))),
        };
    };
    if options.controllers.contains(&class.controller) { Class::Ours(conflict) } else { Class::NotOurs(None) }
}

fn not_found(resources: &Resources, options: &ClassOptions, name: &str, field: &str) -> Problem {
    let problem =
        Problem::error(field, Cause::ClassNotFound, format!("IngressClass `{name}` does not exist, so nobody serves this Ingress"));
    let ours = resources.classes().filter(|class| options.controllers.contains(&class.controller));
    match nearest(name, ours.map(|class| &*class.meta.name.name)) {
        Some(near) => problem.hint(format!("Did you mean `{near}`?")),
        None => {
            problem.hint(format!("Leave it out, or create an IngressClass `{name}` with `spec.controller: paifang.dev/ingress-controller`"))
        }
    }
}

fn ignored(name: &str, other: &str) -> Problem {
    let message = format!("`{other}` is not looked at, because `spec.ingressClassName` says `{name}`");
    Problem::note("metadata.annotations[kubernetes.io/ingress.class]", Cause::AnnotationIgnored, message).hint("Delete the annotation")
}
