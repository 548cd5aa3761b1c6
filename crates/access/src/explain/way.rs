//! The last two hops of the way: whether a route is for the request, and whether what it leads to is ready.

use super::{Answer, Handshake, NO_BACKEND};
use crate::hop::{Hop, HopName, NOT_TRIED};
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
        let Some(source) = source else { return [self.missing(), Hop::unknown(HopName::Endpoint, NOT_TRIED)] };
        let said = source_text(source);
        let route = Hop::good(HopName::Route, said.clone());
        let forwards = !self.forwarded().is_empty();
        match self.own_answer() {
            Some((status, reason, location)) if !matches!(reason.as_str(), "no-backend" | "no-endpoints") => {
                let to = location.map(|it| format!(", to {it}")).unwrap_or_default();
                let said = format!("{said}: answers {status} {reason}{to}");
                if status < 400 {
                    return [Hop::good(HopName::Route, said), Hop::good(HopName::Endpoint, "none is needed: the gateway answers itself")];
                }
                let mend =
                    self.told().unwrap_or_else(|| format!("see what is wrong with {}: paifang check --live", words::name(&source.object)));
                [Hop::broken(HopName::Route, said, mend), Hop::unknown(HopName::Endpoint, NOT_TRIED)]
            }
            _ if forwards => [route, self.endpoint()],
            _ => [
                route,
                Hop::broken(HopName::Endpoint, "the route leads nowhere", self.told().unwrap_or_else(|| "give it a backend".to_owned())),
            ],
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
            None => format!("no gateway listens for it at port {}", self.asked.port),
            Some(arrival) => match self.own_answer() {
                Some((404, ..)) | None => arrival.missed(host),
                Some((status, reason, _)) => format!("{}: answers {status} {reason}", arrival.missed(host)),
            },
        };
        let mut near: Vec<String> = Vec::new();
        for (other, tried, why) in self.arrival.iter().flat_map(super::Arrival::others) {
            near.push(format!("{other}, {}: {why}", source_text(&tried.source)));
        }
        let absent = super::absent::absent(self.served, self.asked, self.arrival.as_ref());
        near.extend(absent.iter().flat_map(|it| it.why.iter().map(|why| format!("{}: {why}", words::name(&it.object)))));
        near.truncate(NEAR);
        let hosts: Vec<String> = self.served.shards.keys().map(|it| it.host.to_string()).collect();
        if near.is_empty()
            && let Some(like) = resources::nearest(host, hosts.iter().map(String::as_str))
        {
            near.push(format!("there is a route for {like}; is that what was meant?"));
        }
        let mend =
            if near.is_empty() { format!("make a route for {host}, or correct the URL") } else { format!("near is {}", near.join("; ")) };
        Hop::broken(HopName::Route, said, mend)
    }

    /// Whether every backend has a ready endpoint: one without takes its share of requests and answers none.
    fn endpoint(&self) -> Hop {
        let backends = self.backends(self.forwarded());
        let counted = backends.iter().filter(|(_, weight, _)| backends.len() == 1 || *weight > 0);
        let (good, bad): (Vec<_>, Vec<_>) = counted.partition(|(.., endpoints)| !endpoints.is_empty());
        if bad.is_empty() {
            let told: Vec<String> = good.iter().map(|(id, _, endpoints)| format!("{id}: {}", endpoints.join(", "))).collect();
            return Hop::good(HopName::Endpoint, told.join("; "));
        }
        let said: Vec<String> = bad
            .iter()
            .map(|(id, ..)| match id.as_str() {
                NO_BACKEND => "its Service does not exist, or may not be used".to_owned(),
                id => format!("Service {id} has no ready endpoint"),
            })
            .collect();
        let all = if good.is_empty() { "" } else { ", so some requests get 503" };
        let look = bad.iter().find_map(|(id, ..)| id.rsplit_once(':')?.0.split_once('/')).map(|(namespace, name)| {
            format!(
                "see why: kubectl get endpointslices -n {namespace} -l kubernetes.io/service-name={name}; its Pods must be there and ready"
            )
        });
        let mend = self.told().or(look).unwrap_or_else(|| "name a Service that exists".to_owned());
        Hop::broken(HopName::Endpoint, format!("{}{all}", said.join("; ")), mend)
    }

    /// What is wrong with the object that answers, in its own words.
    fn told(&self) -> Option<String> {
        let mut all = self.problems().flat_map(|(object, problems)| problems.iter().map(move |it| (object, it)));
        let (object, problem) = all.find(|(_, it)| it.severity != resources::Severity::Note)?;
        Some(format!("{}: {problem}", words::name(object)))
    }

    /// Whether a route is for it, and refuses it.
    pub(crate) fn own_refusal(&self) -> bool {
        self.arrival.as_ref().is_some_and(|it| it.route.is_some()) && self.own_answer().is_some_and(|(status, ..)| status >= 400)
    }
}
