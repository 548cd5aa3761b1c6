//! Connections that are no HTTP to us: TLS that passes through, TCP, and what is in TLS that is ended here.

use crate::Context;
use crate::destination::{CONNECT, Else, IDLE};
use crate::servers::Bound;
use crate::services::Place;
use crate::told::Told;
use model::{HostPattern, Source, Tunnel, WeightedBackend};
use resources::hosts::{covers, narrower};
use resources::istio::Share;
use resources::{Cause, Kind, Problem, SharedGateway, VirtualService};

impl<'a> Context<'a> {
    /// The one rule for TCP that a server has: of the first VirtualService that has one for it. The later ones are told.
    pub(crate) fn tcp(self, shared: &'a SharedGateway, bound: Bound<'a>, told: &mut Told) -> Option<Tunnel> {
        let place = Place::of(shared, bound);
        let mut first: Option<Tunnel> = None;
        for it in self.tcp_of_server(shared, bound) {
            for rule in it.tcp.iter().filter(|rule| rule.matches.is_empty() || rule.matches.iter().any(|only| place.meets(only))) {
                let at = format!("spec.tcp[{}]", rule.index);
                match &first {
                    None => first = Some(self.tunnel(place, it, (at, &rule.route, rule.closed))),
                    Some(first) => {
                        let port = bound.server.port;
                        let message = format!(
                            "connections to port {port} go where {} of {} says, which was there first",
                            first.source.rule, first.source.object
                        );
                        let problem =
                            Problem::error(at, Cause::Conflict, message).hint("A server of TCP has one rule: name another port in `match`");
                        told.tell(&Kind::VirtualService.object_ref(&it.meta.name), problem);
                    }
                }
            }
        }
        first
    }

    /// Where a server name is passed on to: by the first rule that has it. The later ones are told.
    pub(crate) fn passed_on(self, shared: &'a SharedGateway, bound: Bound<'a>, host: &HostPattern, told: &mut Told) -> Option<Tunnel> {
        let place = Place::of(shared, bound);
        let mut first: Option<Tunnel> = None;
        for it in self.passing(shared, bound, host) {
            let ours: Vec<&HostPattern> =
                bound.server.hosts.iter().filter(|own| own.is_for(&it.meta.name.namespace)).map(|own| &own.host).collect();
            for rule in &it.tls {
                for matching in rule.matches.iter().filter(|matching| place.meets(&matching.only)) {
                    let within = |name: &HostPattern| it.hosts.iter().any(|(_, own)| covers(&own.full(&self.options.domain), name));
                    let names = matching.names.iter().filter(|(_, name)| within(name));
                    let mut exactly = names.filter(|(_, name)| ours.iter().any(|own| narrower(own, name) == Some(host)));
                    let Some((index, _)) = exactly.next() else { continue };
                    let at = format!("spec.tls[{}].match[{}]", rule.index, matching.index);
                    match &first {
                        None => first = Some(self.tunnel(place, it, (at, &rule.route, rule.closed))),
                        Some(first) => {
                            let message =
                                format!("`{host}` goes where {} of {} says, which was there first", first.source.rule, first.source.object);
                            let problem = Problem::error(format!("{at}.sniHosts[{index}]"), Cause::Conflict, message);
                            told.tell(&Kind::VirtualService.object_ref(&it.meta.name), problem.hint("Delete the name here or there"));
                        }
                    }
                }
            }
        }
        first
    }

    fn tunnel(self, place: Place<'_>, it: &VirtualService, (rule, route, closed): (String, &[Share], bool)) -> Tunnel {
        let object = Kind::VirtualService.object_ref(&it.meta.name);
        let mut backends = Vec::new();
        for share in route.iter().filter(|_| !closed) {
            let weight = if route.len() == 1 { 1 } else { share.weight.unwrap_or(0) };
            let backend = self.backend(place, (&share.destination, Else::Closes), &object, &mut Told::default());
            if weight > 0 {
                backends.push(WeightedBackend::new(backend, weight));
            }
        }
        let idle = route.first().map_or(IDLE, |first| self.idle(place, &first.destination));
        Tunnel { source: Source { object, rule: rule.into() }, backends, connect: CONNECT, idle, clients: None }
    }
}
