//! What was found, as text and as JSON.

use super::near::{beaten, failures};
use super::{Answer, Arrival, Handshake, NO_BACKEND};
use crate::saying::{Saying, joined};
use crate::served::{OWN, ServedGateway};
use crate::text::{self, Paint, Style, safe};
use crate::words::{self, filter_text, match_text, object_json, source_text};
use model::{ClientAuth, ListenerProtocol, ObjectRef, Scheme};
use resources::Problem;
use route::{Outcome, RouteTried, Tried};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Routes of the same host that are told why they do not answer.
const OTHERS: usize = 8;

impl Answer<'_> {
    pub fn json(&self) -> Value {
        let backends = self.backends(self.forwarded()).into_iter();
        let backends: Vec<Value> =
            backends.map(|(id, weight, endpoints)| json!({ "backend": id, "weight": weight, "endpoints": endpoints })).collect();
        let absent = super::absent::absent(self.served, self.asked, self.arrival.as_ref());
        let absent: Vec<Value> = absent
            .iter()
            .map(|it| {
                let (why, said): (Vec<String>, Vec<Value>) = it.why.iter().map(|it| (it.to_string(), it.json())).unzip();
                json!({ "object": object_json(&it.object), "why": why, "said": said })
            })
            .collect();
        let mut told = json!({
            "method": self.asked.method,
            "host": self.asked.host,
            "path": self.asked.path,
            "gateway": null, "listener": null, "port": null, "address": null, "tls": null, "tlsSaid": [], "route": null, "frontends": [],
            "backends": backends,
            "answer": self.own_answer().map(|(status, reason, location)| json!({ "status": status, "reason": reason, "location": location })),
            "sent": { "target": null, "host": null },
            "others": [],
            "absent": absent,
            "elsewhere": self.elsewhere.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        });
        let of_arrival = self.arrival.as_ref().map(Arrival::json).unwrap_or_default();
        if let (Some(told), Value::Object(more)) = (told.as_object_mut(), of_arrival) {
            told.extend(more);
        }
        told
    }

    pub fn text(&self, paint: Paint) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut row = |name: &str, value: String| rows.push(vec![paint.paint(Style::Dim, name), safe(&value)]);
        match &self.arrival {
            None => {
                row("listener", format!("none: no gateway listens at port {} for {}", self.asked.port, scheme(self.asked.scheme)));
                for (n, listening) in self.listening().into_iter().enumerate() {
                    row(if n == 0 { "there is" } else { "" }, listening);
                }
            }
            Some(arrival) => self.rows(arrival, &mut row),
        }
        if let Some(answer) = self.answer_text() {
            row("answer", answer);
        }
        for gateway in &self.elsewhere {
            row("also", format!("gateway {} has a route for it, too (--gateway {})", gateway.id, gateway.id));
        }
        let headline = paint.paint(Style::Bold, &safe(&format!("{} {}", self.asked.method, self.url())));
        let mut out = format!("{headline}\n\n{}", indented(&text::table(None, &rows)));
        let others = self.arrival.as_ref().map(Arrival::others).unwrap_or_default();
        let others = others.iter().map(|(host, tried, why)| vec![safe(host), safe(&source_text(&tried.source)), safe(&joined(why))]);
        out.push_str(&section("not answering", others.collect()));
        let absent = super::absent::absent(self.served, self.asked, self.arrival.as_ref());
        let absent = absent.iter().flat_map(|it| it.why.iter().map(|why| vec![safe(&words::name(&it.object)), safe(&why.to_string())]));
        out.push_str(&section("not served here", absent.collect()));
        for (object, problem) in self.problems().flat_map(|(object, problems)| problems.iter().map(move |it| (object, it))) {
            let word = paint.paint(Style::Warning, "problem");
            out.push_str(&format!("\n{word} {}: {}\n", safe(&words::name(object)), safe(&problem.to_string())));
        }
        out
    }

    fn rows(&self, arrival: &Arrival<'_>, row: &mut impl FnMut(&str, String)) {
        row("listener", arrival.listener_text());
        if let Some(tls) = arrival.tls_text() {
            row("tls", tls);
        }
        match (&arrival.handshake, arrival.route) {
            (Some(Handshake::PassedOn(tunnel)), _) => {
                row("route", tunnel.map_or_else(|| "none: connections are closed".to_owned(), |it| source_text(&it.source)))
            }
            (Some(Handshake::Refused), _) => {}
            (_, Some(route)) => {
                row("host", route.host().name.to_string());
                if let Some(order) = arrival.order() {
                    row("order", order);
                }
                row("route", source_text(route.source()));
                row("match", arrival.explanation.winner().map(matched).unwrap_or_default());
                for (n, (filter, _)) in route.filters().enumerate() {
                    row(if n == 0 { "filters" } else { "" }, filter_text(filter));
                }
            }
            (_, None) => row("host", arrival.missed(&self.asked.host).to_string()),
        }
        let backends = self.backends(self.forwarded());
        for (n, (id, weight, endpoints)) in backends.iter().enumerate() {
            let weight = if backends.len() > 1 { format!(" (weight {weight})") } else { String::new() };
            let endpoints = match endpoints.as_slice() {
                _ if id == NO_BACKEND => String::new(),
                [] => ": no ready endpoint".to_owned(),
                endpoints => format!(": {}", endpoints.join(", ")),
            };
            row(if n == 0 { "backend" } else { "" }, format!("{id}{weight}{endpoints}"));
        }
    }

    /// Ports that are listened on, by gateway.
    fn listening(&self) -> Vec<String> {
        let ports = |it: &ServedGateway| {
            let shown = it.listeners.iter().map(|it| format!("{} {}", words::protocol(it.protocol), it.number));
            format!("{} on {} of gateway {}", shown.collect::<Vec<_>>().join(", "), it.address().unwrap_or("node ports"), it.id)
        };
        self.served.gateways.iter().map(ports).collect()
    }

    /// What is wrong with the object that answers.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&ObjectRef, &BTreeSet<Problem>)> {
        let object = self.arrival.as_ref().and_then(|it| it.route).map(|it| &it.source().object);
        self.served.problems.iter().filter(move |(it, _)| Some(*it) == object)
    }

    fn url(&self) -> String {
        format!("{}://{}{}", scheme(self.asked.scheme), self.asked.authority, self.asked.target)
    }

    fn answer_text(&self) -> Option<String> {
        let arrival = self.arrival.as_ref()?;
        Some(match (self.own_answer(), &arrival.handshake) {
            (Some((status, reason, Some(location))), _) => format!("{status} {reason}, to {location}"),
            (Some((status, reason, None)), _) => format!("{status} {reason}"),
            (None, Some(Handshake::PassedOn(_))) => "the backend's: nothing of the connection is read here".to_owned(),
            (None, Some(Handshake::Refused)) => "none: the handshake fails".to_owned(),
            (None, _) => {
                let target = arrival.sent.0.as_deref().unwrap_or(&self.asked.target);
                let host = arrival.sent.1.as_ref().map(|it| format!(", Host: {it}")).unwrap_or_default();
                format!("the backend's, to {} {target}{host}", self.asked.method)
            }
        })
    }
}

impl Arrival<'_> {
    fn json(&self) -> Value {
        let others = self.others().into_iter();
        let others: Vec<Value> = others
            .map(|(host, tried, why)| {
                json!({
                    "host": host, "object": object_json(&tried.source.object), "rule": *tried.source.rule, "why": joined(&why),
                    "said": why.iter().map(Saying::json).collect::<Vec<_>>(),
                })
            })
            .collect();
        let route = self.route.map(|it| {
            json!({
                "host": it.host().name.to_string(),
                "index": it.index(),
                "object": object_json(&it.source().object),
                "rule": *it.source().rule,
                "filters": it.filters().map(|(it, _)| filter_text(it)).collect::<Vec<_>>(),
            })
        });
        json!({
            "gateway": self.gateway.id.as_str(),
            "listener": self.listener.name.as_str(),
            "port": self.listener.port,
            "address": self.binding.map(|it| it.address.to_string()),
            "tls": self.tls_text(),
            "tlsSaid": self.tls().iter().map(Saying::json).collect::<Vec<_>>(),
            "route": route,
            "frontends": self.frontends(),
            "sent": { "target": self.sent.0, "host": self.sent.1 },
            "others": others,
        })
    }

    /// The routes that do not answer, nearest first: the one that would without the winner, then those of the same host.
    pub(super) fn others(&self) -> Vec<(String, &RouteTried, Vec<Saying>)> {
        let winner = self.explanation.winner().map(|it| (&it.source, it.index));
        let runner_up = self.explanation.runner_up();
        let first = runner_up.map(|(tried, why)| (self.host_of(tried), tried, vec![beaten(why)]));
        let rest = self.explanation.hosts.iter().filter(|it| it.asked).flat_map(|host| {
            let others = host.routes.iter().filter(|tried| Some((&tried.source, tried.index)) != winner);
            others.filter_map(|it| Some((host.pattern.to_string(), it, failures(it)?)))
        });
        first.into_iter().chain(rest).take(OTHERS).collect()
    }

    fn host_of(&self, tried: &RouteTried) -> String {
        let host = self.explanation.hosts.iter().find(|it| it.routes.iter().any(|it| std::ptr::eq(it, tried)));
        host.map(|it| it.pattern.to_string()).unwrap_or_default()
    }

    /// The APIs that fill the host that was asked, in the order of their routes.
    fn frontends(&self) -> Vec<&'static str> {
        let mut frontends = Vec::new();
        for tried in self.explanation.hosts.iter().filter(|it| it.asked).flat_map(|it| &it.routes) {
            let frontend = words::frontend(&tried.source.object);
            if !frontends.contains(&frontend) {
                frontends.push(frontend);
            }
        }
        frontends
    }

    /// Where several APIs fill a host: whose routes come first.
    fn order(&self) -> Option<String> {
        let frontends = self.frontends();
        (frontends.len() > 1).then(|| format!("routes of {}", frontends.join(", then ")))
    }

    fn listener_text(&self) -> String {
        let bindings = self.gateway.bindings(self.listener);
        let sockets: Vec<String> = bindings.iter().map(|it| it.address.to_string()).collect();
        let at = if sockets.is_empty() { format!("port {}", self.listener.number) } else { sockets.join(", ") };
        format!("{} ({at}) of gateway {}", self.listener.name, self.gateway.id)
    }

    fn tls_text(&self) -> Option<String> {
        Some(joined(&self.tls())).filter(|it| !it.is_empty())
    }

    /// What a handshake finds: nothing where there is none.
    fn tls(&self) -> Vec<Saying> {
        if self.listener.protocol == ListenerProtocol::Tcp {
            return Vec::new();
        }
        match &self.handshake {
            None => Vec::new(),
            Some(Handshake::PassedOn(_)) => vec![Saying::TlsPassedOn {}],
            Some(Handshake::Refused) => vec![Saying::TlsRefused {}],
            Some(Handshake::Shown { certificate, client }) => {
                let shown = match *certificate {
                    OWN => Saying::TlsOwnCertificate {},
                    secret => Saying::TlsCertificate { secret: secret.to_owned() },
                };
                let client = match client {
                    ClientAuth::None => None,
                    ClientAuth::Optional(trust) => Some(Saying::ClientMayShow { authority: trust.origin.to_string() }),
                    ClientAuth::Required(trust) => Some(Saying::ClientMustShow { authority: trust.origin.to_string() }),
                    ClientAuth::Unverified => Some(Saying::ClientUnchecked {}),
                };
                std::iter::once(shown).chain(client).collect()
            }
        }
    }

    /// Why no route answers.
    pub(super) fn missed(&self, asked: &str) -> Saying {
        match &self.explanation.outcome {
            Outcome::Stopped { host } => match self.explanation.hosts.get(*host) {
                Some(host) => Saying::NoRouteOfHost { host: host.pattern.to_string() },
                None => Saying::NoRoute {},
            },
            Outcome::OverBudget { .. } => Saying::PatternTooLong {},
            _ if self.explanation.hosts.is_empty() => Saying::NoHost { host: asked.to_owned() },
            _ => Saying::NoRoute {},
        }
    }
}

fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn matched(tried: &RouteTried) -> String {
    let wanted = tried.matches.iter().find_map(|it| match it {
        Tried::Holds { wanted } => Some(match_text(wanted)),
        _ => None,
    });
    wanted.unwrap_or_default()
}

fn section(title: &str, rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() { String::new() } else { format!("\n{title}\n\n{}", indented(&text::table(None, &rows))) }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
