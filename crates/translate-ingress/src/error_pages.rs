//! Who answers for a location in the place of its backend, and what it is told.

use crate::annotation;
use crate::config::Defaults;
use crate::family::error_pages::{SERVICE, STATUSES};
use crate::location::{Location, Member};
use model::{Backend, ErrorPages, Filter, Forward, Text, Unavailable};
use resources::{BackendName, Cause, IngressBackend, Name, PortRef, Problem, Resources};
use std::sync::Arc;

/// The filter of a location, and what is wrong with the Service that an annotation names.
pub(crate) fn of_location(
    resources: &Resources,
    defaults: &Defaults,
    member: &Member<'_>,
    location: &Location<'_>,
) -> (Option<Filter>, Option<Problem>) {
    let settings = member.settings.error_pages.clone().unwrap_or_default();
    if settings.off {
        return (None, None);
    }
    let statuses = settings.statuses.as_ref().unwrap_or(&defaults.errors.statuses);
    let namespace = &member.ingress.meta.name.namespace;
    let own = settings.service.as_ref().map(|name| Name::new(namespace.clone(), name.clone()));
    let Some(service) = own.as_ref().or(defaults.errors.service.as_ref()) else {
        return (None, settings.statuses.is_some().then(nobody));
    };
    let backend = match backend(resources, service) {
        Ok(backend) => backend,
        // What the gateway's option names is told to the gateway's owner.
        Err(why) => return (None, own.is_some().then(|| absent(resources, service, &why))),
    };
    let unavailable = if own.is_some() { Unavailable::Page } else { Unavailable::ByStatus };
    if statuses.is_empty() && unavailable == Unavailable::ByStatus {
        return (None, None);
    }
    let forward = Forward { timeouts: defaults.timeouts, ..Forward::to(backend) };
    let pages = ErrorPages { statuses: statuses.clone(), unavailable, forward, fields: fields(member, location) };
    (Some(Filter::ErrorPages(Arc::new(pages))), None)
}

/// The first port of a Service.
pub(crate) fn backend(resources: &Resources, service: &Name) -> Result<Arc<Backend>, String> {
    let object = resources.service(service).ok_or_else(|| format!("Service `{service}` does not exist"))?;
    let port = object.ports.iter().find(|it| it.protocol == "TCP").ok_or_else(|| format!("Service `{service}` has no port"))?;
    Ok(Arc::new(Backend::new(BackendName::new(service.clone(), port.port).id())))
}

fn absent(resources: &Resources, service: &Name, why: &str) -> Problem {
    let problem = Problem::error(annotation::field(SERVICE), Cause::ServiceNotFound, format!("{why}, so answers stay as they are"));
    problem.hint(resources.suggest_service(service))
}

fn nobody() -> Problem {
    let message = format!("nobody answers for these: there is no `{SERVICE}`, so answers stay as they are");
    Problem::warning(annotation::field(STATUSES), Cause::NoEffect, message)
        .hint(format!("Name a Service in the annotation `{}{SERVICE}`", annotation::PREFIX))
}

/// As ingress-nginx names them; the rest depends on the request.
fn fields(member: &Member<'_>, location: &Location<'_>) -> Vec<(Text, Text)> {
    let name = &member.ingress.meta.name;
    let mut fields = vec![("X-Namespace", name.namespace.clone()), ("X-Ingress-Name", name.name.clone())];
    if let Some(IngressBackend::Service(service)) = location.backend {
        fields.push(("X-Service-Name", service.name.clone()));
        fields.extend(match &service.port {
            PortRef::Number(number) => Some(("X-Service-Port", number.to_string().into())),
            PortRef::Name(name) => Some(("X-Service-Port", name.clone())),
            PortRef::Missing => None,
        });
    }
    // Names and ports have been read from an object, which may hold anything.
    let good = |value: &Text| !value.is_empty() && value.bytes().all(|it| it.is_ascii_graphic());
    fields.into_iter().filter(|(_, value)| good(value)).map(|(name, value)| (name.into(), value)).collect()
}
