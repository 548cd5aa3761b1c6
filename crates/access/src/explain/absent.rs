//! Objects that name the host and have no route where the request arrives: why they have none.

use super::Arrival;
use crate::Asked;
use crate::saying::Saying;
use crate::served::Served;
use crate::words;
use model::ObjectRef;
use resources::Condition;
use std::collections::BTreeSet;

/// Objects that are told about; a host with more is an unusual one.
const SHOWN: usize = 8;

/// An object without a route here, and its reasons, at least one.
pub(super) struct Absent {
    pub object: ObjectRef,
    pub why: Vec<Saying>,
}

/// Of each kind that has routes.
pub(super) fn absent(served: &Served, asked: &Asked, arrival: Option<&Arrival<'_>>) -> Vec<Absent> {
    let tried = arrival.iter().flat_map(|it| &it.explanation.hosts).flat_map(|it| &it.routes);
    let mut present: BTreeSet<&ObjectRef> = tried.map(|it| &it.source.object).collect();
    let tunnel = arrival.and_then(|it| match &it.handshake {
        Some(super::Handshake::PassedOn(tunnel)) => tunnel.map(|it| &it.source.object),
        _ => None,
    });
    present.extend(tunnel);
    let named = served.named_hosts.iter().filter(|(_, hosts)| hosts.iter().any(|it| it.covers(&asked.host)));
    let objects = named.map(|(object, _)| object).filter(|object| !present.contains(object));
    objects.map(|object| Absent { why: why(served, object), object: object.clone() }).take(SHOWN).collect()
}

/// Its conditions that are not true, then its problems, else where it is served.
fn why(served: &Served, object: &ObjectRef) -> Vec<Saying> {
    let report = served.reports.get(object);
    let mut why: Vec<Saying> = report
        .iter()
        .filter_map(|it| it.status.as_ref())
        .flat_map(words::conditions)
        .filter(|it| words::is_bad(it))
        .map(condition)
        .collect();
    why.extend(served.problems.get(object).into_iter().flatten().map(|it| Saying::ProblemSays { problem: it.to_string() }));
    if why.is_empty() {
        let gateways: BTreeSet<String> = report.iter().flat_map(|it| &it.gateways).map(ToString::to_string).collect();
        why.push(match gateways.is_empty() {
            true => Saying::OnNoGateway { object: words::name(object) },
            false => Saying::ServedElsewhere { gateways: gateways.into_iter().collect::<Vec<_>>().join(", ") },
        });
    }
    why
}

fn condition(it: &Condition) -> Saying {
    let why = format!("{}: {}", it.reason, it.message);
    Saying::ConditionSays { condition: it.kind.to_string(), status: it.status.as_str().to_owned(), why }
}
