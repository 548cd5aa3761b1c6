//! The last two hops of the way: whether a route is for the request, and whether what it leads to is ready.

use super::{Answer, Handshake, NO_BACKEND};
use crate::hop::{Hop, HopName};
use crate::saying::{Saying, joined};
use crate::words::{self, source_text};
use model::ClientAuth;
use route::CompiledRoute;

/// Nearby routes and objects that are told of.
const NEAR: usize = 3;

impl Answer<'_> {
    /// The hops `route` and `endpoint`.
    pub(crate) fn way(&self) -> [Hop; 2] {
        let source = match self.arrival.as_ref().map(|it| (&it.handshake, it.route)) {
            Some((Some(Handshake::PassedOn(Some(tunnel))), _)) => Some(&tunnel.source),
            Some((Some(Handshake::PassedOn(None)), _)) | None => None,
            Some((_, route)) => route.map(CompiledRoute::source),
        };
        let Some(source) = source else { return [self.missing(), Hop::untried(HopName::Endpoint)] };
        let route = source_text(source);
        match self.own_answer() {
            Some((status, reason, location)) if !matches!(reason.as_str(), "no-backend" | "no-endpoints") => {
                let to = location.map(|it| format!(", to {it}")).unwrap_or_default();
                let answer = format!("{status} {reason}{to}");
                if status < 400 {
                    let answers = Hop::good(HopName::Route, Saying::RouteAnswers { route, answer });
                    return [answers, Hop::good(HopName::Endpoint, Saying::NoEndpointNeeded {})];
                }
                let mend = self.told().unwrap_or_else(|| Saying::SeeObject { object: words::name(&source.object) });
                [Hop::broken(HopName::Route, Saying::RouteRefuses { route, answer }, mend), Hop::untried(HopName::Endpoint)]
            }
            _ if !self.forwarded().is_empty() => [Hop::good(HopName::Route, Saying::RouteFound { route }), self.endpoint()],
            _ => {
                let mend = self.told().unwrap_or(Saying::GiveBackend {});
                [Hop::good(HopName::Route, Saying::RouteFound { route }), Hop::broken(HopName::Endpoint, Saying::NoBackend {}, mend)]
            }
        }
    }

    /// Whether clients must show a certificate of theirs.
    pub(crate) fn demands_a_client(&self) -> bool {
        let handshake = self.arrival.as_ref().and_then(|it| it.handshake.as_ref());
        matches!(handshake, Some(Handshake::Shown { client: ClientAuth::Required(_), .. }))
    }

    /// Why there is no route.
    fn missing(&self) -> Hop {
        let host = &self.asked.host;
        let said = match &self.arrival {
            None => Saying::NoListener { port: self.asked.port.to_string() },
            Some(arrival) => arrival.missed(host),
        };
        let mut near: Vec<String> = Vec::new();
        for (other, tried, why) in self.arrival.iter().flat_map(super::Arrival::others) {
            near.push(format!("{other}, {}: {}", source_text(&tried.source), joined(&why)));
        }
        let absent = super::absent::absent(self.served, self.asked, self.arrival.as_ref());
        near.extend(absent.iter().flat_map(|it| it.why.iter().map(|why| format!("{}: {why}", words::name(&it.object)))));
        near.truncate(NEAR);
        let hosts: Vec<String> = self.served.shards.keys().map(|it| it.host.to_string()).collect();
        let like = resources::nearest(host, hosts.iter().map(String::as_str)).filter(|_| near.is_empty());
        let mend = match like {
            Some(like) => Saying::SimilarHost { host: like.to_owned() },
            None if near.is_empty() => Saying::MakeRoute { host: host.clone() },
            None => Saying::NearRoutes { routes: near.join("; ") },
        };
        Hop::broken(HopName::Route, said, mend)
    }

    /// Whether every backend has a ready endpoint: one without takes its share of requests and answers none.
    fn endpoint(&self) -> Hop {
        let backends = self.backends(self.forwarded());
        let counted = backends.iter().filter(|(_, weight, _)| backends.len() == 1 || *weight > 0);
        let (good, bad): (Vec<_>, Vec<_>) = counted.partition(|(.., endpoints)| !endpoints.is_empty());
        if bad.is_empty() {
            let told: Vec<String> = good.iter().map(|(id, _, endpoints)| format!("{id}: {}", endpoints.join(", "))).collect();
            return Hop::good(HopName::Endpoint, Saying::EndpointsReady { endpoints: told.join("; ") });
        }
        let services: Vec<&str> = bad.iter().map(|(id, ..)| id.as_str()).filter(|id| *id != NO_BACKEND).collect();
        let named = || services.iter().find_map(|id| id.rsplit_once(':')?.0.split_once('/'));
        let look = named().map(|(namespace, name)| Saying::SeeEndpoints { namespace: namespace.to_owned(), service: name.to_owned() });
        // One that is not there is told before one that is empty.
        let is_missing = services.len() < bad.len();
        let said = match (is_missing, good.is_empty()) {
            (true, true) => Saying::NoService {},
            (true, false) => Saying::SomeWithoutService {},
            (false, true) => Saying::NoEndpoint { services: services.join(", ") },
            (false, false) => Saying::SomeWithoutEndpoint { services: services.join(", ") },
        };
        let mend = self.told().or(look.filter(|_| !is_missing)).unwrap_or(Saying::NameService {});
        Hop::broken(HopName::Endpoint, said, mend)
    }

    /// What is wrong with the object that answers, in its own words.
    fn told(&self) -> Option<Saying> {
        let mut all = self.problems().flat_map(|(object, problems)| problems.iter().map(move |it| (object, it)));
        let (object, problem) = all.find(|(_, it)| it.severity != resources::Severity::Note)?;
        Some(Saying::MendObject { object: words::name(object), problem: problem.to_string() })
    }

    /// Whether a route is for it, and refuses it.
    pub(crate) fn own_refusal(&self) -> bool {
        self.arrival.as_ref().is_some_and(|it| it.route.is_some()) && self.own_answer().is_some_and(|(status, ..)| status >= 400)
    }
}
