//! Why a request is answered by the route it is answered by.

use crate::host::HostTable;
use crate::hosts::Kin;
use crate::matching::{Check, Head};
use crate::{GatewayTable, Part, Request};
use model::{HostPattern, Match, OnMiss, Source};
use std::ops::ControlFlow;

/// The whole search, step by step. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Every host that covers the request's name, the most specific first.
    pub hosts: Vec<HostTried>,
    pub outcome: Outcome,
}

/// A host that covers the request's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTried {
    pub pattern: HostPattern,
    /// `None`: a host of every port.
    pub port: Option<u16>,
    /// `false`: a more specific host answered, or ended the search.
    pub asked: bool,
    pub on_miss: OnMiss,
    /// All its routes in order, also those behind the winner: they show who came second.
    pub routes: Vec<RouteTried>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTried {
    pub index: usize,
    pub source: Source,
    /// Of each of its matches.
    pub matches: Vec<Tried>,
}

/// What became of one match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Holds {
        wanted: Match,
    },
    /// The first part that does not hold.
    Fails {
        part: Part,
        wanted: Match,
    },
    OverBudget,
    /// Its pattern does not compile.
    Broken,
}

/// Why a route that matches does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beaten {
    /// In the order of the same host, counted from 1.
    Later { place: usize, winner: usize },
    /// Its host is less specific.
    Wider { host: HostPattern, winner: HostPattern },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Indexes into [`Explanation::hosts`] and its routes.
    Route {
        host: usize,
        route: usize,
        /// The next route in order that holds too: of the same host it comes later in the list, of another the host is wider.
        runner_up: Option<(usize, usize)>,
    },
    /// A host answered 404 because none of its routes holds.
    Stopped {
        host: usize,
    },
    /// No host covers the name, or none of the hosts' routes holds.
    NoRoute,
    OverBudget {
        host: usize,
        route: usize,
    },
}

impl GatewayTable {
    /// The search that [`find`](Self::find) makes, told in full. For people, not for the request path.
    pub fn explain(&self, request: &Request) -> Explanation {
        let mut hosts = Vec::new();
        self.covering(request.port, request.host, |kin, table| {
            hosts.push(HostTried {
                pattern: table.host.name.clone(),
                port: (kin == Kin::Own).then_some(request.port),
                asked: false,
                on_miss: table.host.on_miss,
                routes: routes(table, request),
            });
            ControlFlow::<()>::Continue(())
        });
        let outcome = outcome(&mut hosts);
        Explanation { hosts, outcome }
    }
}

fn routes(table: &HostTable, request: &Request) -> Vec<RouteTried> {
    let models = &table.host.routes;
    let all = |it: &model::Route| it.matches.iter().map(|_| Tried::Broken).collect();
    let blank = |(index, it): (usize, &model::Route)| RouteTried { index, source: it.source.clone(), matches: all(it) };
    let mut routes: Vec<RouteTried> = models.iter().enumerate().map(blank).collect();
    let head = Head::of(request.path.as_bytes());
    for entry in table.tree.entries() {
        let wanted = entry.model(models);
        let tried = match entry.check(models, request, head) {
            Check::Holds => Tried::Holds { wanted: wanted.clone() },
            Check::Fails(part) => Tried::Fails { part, wanted: wanted.clone() },
            Check::OverBudget => Tried::OverBudget,
        };
        routes[entry.route as usize].matches[entry.index as usize] = tried;
    }
    routes
}

/// Marks the hosts that were asked, and says how it ended.
fn outcome(hosts: &mut [HostTried]) -> Outcome {
    let mut holds = Vec::new();
    for (host, tried) in hosts.iter().enumerate() {
        holds.extend(tried.routes.iter().enumerate().filter_map(|(route, it)| Some((host, route, it.settles()?))));
    }
    let stop = hosts.iter().position(|host| host.on_miss == OnMiss::Stop).unwrap_or(hosts.len());
    let first = holds.first().copied().filter(|(host, ..)| *host <= stop);
    let last = first.map_or(stop, |(host, ..)| host);
    hosts.iter_mut().take(last + 1).for_each(|host| host.asked = true);
    match first {
        Some((host, route, Settles::OverBudget)) => Outcome::OverBudget { host, route },
        Some((host, route, Settles::Holds)) => {
            let runner_up = holds.iter().skip(1).find(|it| it.2 == Settles::Holds).map(|it| (it.0, it.1));
            Outcome::Route { host, route, runner_up }
        }
        None if stop < hosts.len() => Outcome::Stopped { host: stop },
        None => Outcome::NoRoute,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Settles {
    Holds,
    OverBudget,
}

impl Explanation {
    /// The route that answers.
    pub fn winner(&self) -> Option<&RouteTried> {
        match self.outcome {
            Outcome::Route { host, route, .. } => self.route(host, route),
            Outcome::Stopped { .. } | Outcome::NoRoute | Outcome::OverBudget { .. } => None,
        }
    }

    /// The route that would answer without the winner, and why it does not.
    pub fn runner_up(&self) -> Option<(&RouteTried, Beaten)> {
        let Outcome::Route { host, route, runner_up: Some((other_host, other)) } = self.outcome else { return None };
        let (winner, loser) = (self.hosts.get(host)?, self.hosts.get(other_host)?);
        let why = match host == other_host {
            true => Beaten::Later { place: other + 1, winner: route + 1 },
            false => Beaten::Wider { host: loser.pattern.clone(), winner: winner.pattern.clone() },
        };
        Some((self.route(other_host, other)?, why))
    }

    fn route(&self, host: usize, route: usize) -> Option<&RouteTried> {
        self.hosts.get(host)?.routes.get(route)
    }
}

impl RouteTried {
    /// What ends the search here: the first of its matches that does not fail.
    fn settles(&self) -> Option<Settles> {
        self.matches.iter().find_map(|tried| match tried {
            Tried::Holds { .. } => Some(Settles::Holds),
            Tried::OverBudget => Some(Settles::OverBudget),
            Tried::Fails { .. } | Tried::Broken => None,
        })
    }
}
