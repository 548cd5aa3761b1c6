//! Which Ingresses are ours.

use crate::options::{Options, Others};
use model::{GatewayId, Text};
use resources::{Cause, ClassGateway, Ingress, Problem, Resources, Scope, SharedGateway, home, nearest, suggest};

pub(crate) enum Class {
    Ours(Style, Option<Problem>),
    /// Somebody else's, or nobody's: then it is said.
    NotOurs(Option<Problem>),
}

/// Whose rules an Ingress is served by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Nginx,
    Istio,
}

/// The field decides where it is set, else the annotation; without both, the option.
pub(crate) fn class(resources: &Resources, options: &Options, ingress: &Ingress) -> Class {
    let by_annotation = ingress.class_annotation();
    match (&ingress.class, by_annotation) {
        (Some(name), other) => {
            let conflict = other.filter(|other| *other != name).map(|other| ignored(name, other));
            by_class(resources, options, name, "spec.ingressClassName", conflict)
        }
        (None, Some(name)) if options.classes.names.contains(name) => Class::Ours(Style::Nginx, None),
        (None, Some(name)) if by_name(options, name) == Style::Istio => Class::Ours(Style::Istio, None),
        (None, Some(name)) => by_class(resources, options, name, "metadata.annotations[kubernetes.io/ingress.class]", None),
        (None, None) if options.classes.without_class => Class::Ours(Style::Nginx, None),
        (None, None) => Class::NotOurs(None),
    }
}

fn by_class(resources: &Resources, options: &Options, name: &Text, field: &str, conflict: Option<Problem>) -> Class {
    let Some(class) = resources.class(name) else {
        return match options.classes.others {
            Others::MayServe => Class::NotOurs(None),
            Others::Absent => Class::NotOurs(Some(not_found(resources, options, name, field))),
            Others::NotAtHand => Class::Ours(by_name(options, name), Some(not_found(resources, options, name, field))),
        };
    };
    if options.istio.enabled && options.istio.controllers.contains(&class.controller) {
        Class::Ours(Style::Istio, conflict)
    } else if options.classes.controllers.contains(&class.controller) {
        Class::Ours(Style::Nginx, conflict)
    } else {
        Class::NotOurs(None)
    }
}

/// Where a name alone decides.
fn by_name(options: &Options, name: &Text) -> Style {
    if options.istio.enabled && options.istio.names.contains(name) { Style::Istio } else { Style::Nginx }
}

fn is_ours(options: &Options, controller: &Text) -> bool {
    options.classes.controllers.contains(controller) || options.istio.enabled && options.istio.controllers.contains(controller)
}

fn not_found(resources: &Resources, options: &Options, name: &str, field: &str) -> Problem {
    let problem =
        Problem::error(field, Cause::ClassNotFound, format!("IngressClass `{name}` does not exist, so nobody serves this Ingress"));
    let ours = resources.classes().filter(|class| is_ours(options, &class.controller));
    let make = || format!("Leave it out, or create an IngressClass `{name}` with `spec.controller: paifang.dev/ingress-controller`");
    problem.hint(suggest(nearest(name, ours.map(|class| &*class.meta.name.name)), make))
}

fn ignored(name: &str, other: &str) -> Problem {
    let message = format!("`{other}` is not looked at, because `spec.ingressClassName` says `{name}`");
    Problem::note("metadata.annotations[kubernetes.io/ingress.class]", Cause::AnnotationIgnored, message).hint("Delete the annotation")
}

/// The gateway that has an Ingress, or speaks to its owner: the one its class names, else its namespace's.
pub(crate) fn of_gateway<'a>(
    resources: &Resources,
    gateways: &'a [SharedGateway],
    ingress: &Ingress,
    class: Class,
) -> (Option<&'a GatewayId>, Class) {
    let namespace = &ingress.meta.name.namespace;
    let home = home(gateways, namespace);
    let named = ingress.class_name().and_then(|name| resources.class(name)).and_then(|it| it.gateway.as_ref());
    let (gateway, class) = match (&class, named) {
        // Where Istio's own gateway is, which is everybody's.
        (Class::Ours(Style::Istio, _), None) => (gateways.iter().find(|it| it.scope == Scope::Cluster).or(home), class),
        (Class::Ours(..), Some(named)) => match gateways.iter().find(|it| it.is_named_by(named)) {
            Some(gateway) if gateway.scope.covers(namespace) => (Some(gateway), class),
            other => (home, Class::NotOurs(Some(not_for_this(ingress, named, other)))),
        },
        _ => (home, class),
    };
    (gateway.map(|it| &it.id), class)
}

fn not_for_this(ingress: &Ingress, named: &ClassGateway, gateway: Option<&SharedGateway>) -> Problem {
    let (namespace, class) = (&ingress.meta.name.namespace, ingress.class_name().map(Text::as_str).unwrap_or_default());
    let field = if ingress.class.is_some() { "spec.ingressClassName" } else { "metadata.annotations[kubernetes.io/ingress.class]" };
    let problem = match gateway {
        Some(gateway) => {
            let message = format!("IngressClass `{class}` means gateway `{}`, which does not serve namespace `{namespace}`", gateway.id);
            Problem::error(field, Cause::ScopeNotAllowed, message)
        }
        None => {
            let meant = match named {
                ClassGateway::Object(name) => format!("that of IngressGateway `{name}`"),
                ClassGateway::Id(id) => format!("`{id}`"),
            };
            Problem::error(field, Cause::ClassNotFound, format!("IngressClass `{class}` means a gateway that is not there: {meant}"))
        }
    };
    problem.hint("Leave it out to be served by the project's own gateway, or by everybody's where it has none")
}
