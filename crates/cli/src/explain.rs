//! `paifang explain`: which route answers a request, from which object and rule, and why the others do not.

use crate::Exit;
use crate::args::{CheckOutput, ExplainArgs};
use crate::objects;
use crate::served::Served;
use crate::text::{self, Paint, Style, safe};
use crate::url::Asked;
use anyhow::Result;
use filter::{Context, Edits, Flow};
use model::{
    Action, Binding, Fault, Filter, HeaderEdit, HttpsRedirect, Match, Mirror, ObjectRef, PathMatch, Percent, Rewrite, Scheme, Source,
    TemplatePart,
};
use route::{CompiledRoute, Explanation, GatewayTable, Headers, Lookup, Outcome, Request, RouteTried, Tried};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// Routes of the same host that are told why they do not answer.
const OTHERS: usize = 8;

/// Runs the command.
pub async fn run(args: &ExplainArgs) -> Result<Exit> {
    if args.batch {
        return batch(&Served::new(&objects::gather(&args.objects).await?));
    }
    let asked = match Asked::read(args.method.as_deref().unwrap_or_default(), args.url.as_deref().unwrap_or_default(), &args.headers) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let served = Served::new(&objects::gather(&args.objects).await?);
    let answer = Answer::find(&served, &asked);
    let mut out = std::io::stdout().lock();
    match args.output {
        CheckOutput::Json => writeln!(out, "{}", serde_json::to_string_pretty(&answer.json())?)?,
        CheckOutput::Text => write!(out, "{}", answer.text(Paint::of(&std::io::stdout())))?,
    }
    Ok(Exit::Done)
}

/// One request per line of standard input, `METHOD URL`, then headers after tabs; one JSON line each.
fn batch(served: &Served) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let (method, url) = parts.next().unwrap_or_default().split_once(' ').unwrap_or_default();
        let headers: Vec<String> = parts.map(str::to_owned).collect();
        let told = Asked::read(method, url, &headers).map(|asked| Answer::find(served, &asked).json());
        writeln!(out, "{}", told.unwrap_or_else(|error| json!({ "error": error })))?;
    }
    Ok(Exit::Done)
}

/// All there is to tell about a request.
struct Answer<'a> {
    served: &'a Served,
    asked: &'a Asked,
    binding: Option<Binding>,
    explanation: Explanation,
    route: Option<&'a CompiledRoute>,
    flow: Option<Flow>,
    /// What the backend gets, if it is not what was asked: target, host.
    sent: (Option<String>, Option<String>),
}

struct AskedHeaders<'a>(&'a Asked);

impl Headers for AskedHeaders<'_> {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        self.0.headers.iter().find(|(name, _)| name == lower_name).map(|(_, value)| value.as_bytes())
    }
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        self.0.headers.iter().filter(|(name, _)| name == lower_name).for_each(|(_, value)| f(value.as_bytes()));
    }
}

impl<'a> Answer<'a> {
    fn find(served: &'a Served, asked: &'a Asked) -> Self {
        let headers = AskedHeaders(asked);
        let request = Request {
            method: &asked.method,
            scheme: asked.scheme,
            port: listener_port(served, asked),
            host: &asked.host,
            authority: &asked.authority,
            path: &asked.path,
            query: asked.query.as_deref(),
            headers: &headers,
        };
        let empty = || Explanation { hosts: Vec::new(), outcome: Outcome::NoRoute };
        let table: Option<&'a GatewayTable> = served.snapshot.gateway(&served.id).map(AsRef::as_ref);
        let explanation = table.map_or_else(empty, |it| it.explain(&request));
        let route = table.and_then(|it| match it.find(&request) {
            Lookup::Route(route) => Some(&**route),
            Lookup::Miss { .. } | Lookup::OverBudget { .. } => None,
        });
        let binding = binding(served, asked);
        let mut edits = Edits::default();
        let context = Context {
            raw_target: &asked.target,
            https_port: binding.and_then(|it| it.https_port),
            certificate_known: &|| table.is_some_and(|it| it.knows_certificate(&asked.host)),
        };
        let flow = route.map(|it| filter::run(it, &request, &context, &mut edits));
        let sent = (edits.target().map(str::to_owned), route.and_then(|it| edits.host(it)).map(str::to_owned));
        Self { served, asked, binding, explanation, route, flow, sent }
    }

    fn listener(&self) -> &'static str {
        match self.asked.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// Backends with their weights and ready endpoints.
    fn backends(&self) -> Vec<(String, u32, Vec<String>)> {
        let Some(Action::Forward(forward)) = self.route.map(CompiledRoute::action) else { return Vec::new() };
        let backend = |it: &model::WeightedBackend| {
            let id = it.backend.as_ref().map(|it| &it.id);
            let endpoints = id.and_then(|id| self.served.endpoints.get(id)).into_iter().flatten().map(|it| it.address.to_string());
            (
                id.map_or_else(|| "none: it does not exist, or may not be used".to_owned(), ToString::to_string),
                it.weight,
                endpoints.collect(),
            )
        };
        forward.backends.iter().map(backend).collect()
    }

    /// Status, reason and location of an answer that the gateway gives itself.
    fn own_answer(&self) -> Option<(u16, String, Option<String>)> {
        match (&self.explanation.outcome, &self.flow) {
            (_, Some(Flow::Respond(reply))) => Some((reply.status, reply.reason.word().to_owned(), reply.location.clone())),
            (_, Some(Flow::Continue)) => {
                let Some(Action::Forward(forward)) = self.route.map(CompiledRoute::action) else { return None };
                let unresolved = forward.backends.iter().all(|it| it.backend.is_none());
                let empty = self.backends().iter().all(|(_, _, endpoints)| endpoints.is_empty());
                match (unresolved, empty) {
                    (true, _) => Some((forward.unresolved, "no-backend".into(), None)),
                    (false, true) => Some((503, "no-endpoints".into(), None)),
                    (false, false) => None,
                }
            }
            (Outcome::OverBudget { .. }, None) => Some((400, "bad-request".into(), None)),
            (_, None) => Some((404, "no-route".into(), None)),
        }
    }

    /// The routes that do not answer, nearest first: the one that would without the winner, then those of the same host.
    fn others(&self) -> Vec<(String, &RouteTried, String)> {
        let winner = self.explanation.winner().map(|it| (&it.source, it.index));
        let runner_up = self.explanation.runner_up();
        let first = runner_up.as_ref().map(|(tried, why)| (self.host_of(tried), *tried, why.clone()));
        let rest = self.explanation.hosts.iter().filter(|it| it.asked).flat_map(|host| {
            let told = |tried: &&RouteTried| Some((&tried.source, tried.index)) != winner && failed(tried).is_some();
            host.routes.iter().filter(told).map(|it| (host.pattern.to_string(), it, failed(it).unwrap_or_default()))
        });
        first.into_iter().chain(rest).take(OTHERS).collect()
    }

    fn host_of(&self, tried: &RouteTried) -> String {
        let host = self.explanation.hosts.iter().find(|it| it.routes.iter().any(|it| std::ptr::eq(it, tried)));
        host.map(|it| it.pattern.to_string()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let others: Vec<Value> = self
            .others()
            .into_iter()
            .map(|(host, tried, why)| json!({ "host": host, "object": object(&tried.source.object), "rule": *tried.source.rule, "why": why }))
            .collect();
        let backends: Vec<Value> = self
            .backends()
            .into_iter()
            .map(|(id, weight, endpoints)| json!({ "backend": id, "weight": weight, "endpoints": endpoints }))
            .collect();
        let route = self.route.map(|it| {
            json!({
                "host": it.host().name.to_string(),
                "index": it.index(),
                "object": object(&it.source().object),
                "rule": *it.source().rule,
                "filters": it.filters().map(|(it, _)| filter_text(it)).collect::<Vec<_>>(),
            })
        });
        json!({
            "method": self.asked.method,
            "host": self.asked.host,
            "path": self.asked.path,
            "gateway": self.served.id.as_str(),
            "listener": self.listener(),
            "address": self.binding.map(|it| it.address.to_string()),
            "route": route,
            "backends": backends,
            "answer": self.own_answer().map(|(status, reason, location)| json!({ "status": status, "reason": reason, "location": location })),
            "sent": { "target": self.sent.0, "host": self.sent.1 },
            "others": others,
        })
    }

    fn text(&self, paint: Paint) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut row = |name: &str, value: String| rows.push(vec![paint.paint(Style::Dim, name), safe(&value)]);
        row("listener", self.listener_text());
        match self.route {
            Some(route) => {
                row("host", route.host().name.to_string());
                row("route", source_text(route.source()));
                let tried = self.explanation.winner();
                row("match", tried.map(matched).unwrap_or_default());
                for (n, (filter, _)) in route.filters().enumerate() {
                    row(if n == 0 { "filters" } else { "" }, filter_text(filter));
                }
                for (n, (id, weight, endpoints)) in self.backends().iter().enumerate() {
                    let weight = if self.backends().len() > 1 { format!(" (weight {weight})") } else { String::new() };
                    let endpoints = if endpoints.is_empty() { "no ready endpoint".to_owned() } else { endpoints.join(", ") };
                    row(if n == 0 { "backend" } else { "" }, format!("{id}{weight}: {endpoints}"));
                }
            }
            None => row("host", self.missed()),
        }
        row("answer", self.answer_text());
        let headline = paint.paint(Style::Bold, &safe(&format!("{} {}", self.asked.method, self.url())));
        let mut out = format!("{headline}\n\n{}", indented(&text::table(None, &rows)));
        let others = self.others();
        if !others.is_empty() {
            let rows: Vec<Vec<String>> =
                others.iter().map(|(host, tried, why)| vec![safe(host), safe(&source_text(&tried.source)), safe(why)]).collect();
            out.push_str(&format!("\nnot answering\n\n{}", indented(&text::table(None, &rows))));
        }
        for (object, problems) in self.problems() {
            for problem in problems {
                out.push_str(&format!(
                    "\n{} {}: {}\n",
                    paint.paint(Style::Warning, "problem"),
                    safe(&name(object)),
                    safe(&problem.to_string())
                ));
            }
        }
        out
    }

    /// What is wrong with the object that answers.
    fn problems(&self) -> impl Iterator<Item = (&ObjectRef, &std::collections::BTreeSet<resources::Problem>)> {
        let object = self.route.map(|it| &it.source().object);
        self.served.problems.iter().filter(move |(it, _)| Some(*it) == object)
    }

    fn url(&self) -> String {
        format!("{}://{}{}", self.listener(), self.asked.authority, self.asked.target)
    }

    fn listener_text(&self) -> String {
        let listener = self.served.gateway.listeners.iter().find(|it| it.name.as_str() == self.listener());
        let sockets: Vec<String> = listener.into_iter().flat_map(|it| &it.bindings).map(|it| it.address.to_string()).collect();
        let at = if sockets.is_empty() {
            "port".to_owned() + if self.listener() == "http" { " 80" } else { " 443" }
        } else {
            sockets.join(", ")
        };
        format!("{} ({at}) of gateway {}", self.listener(), self.served.id)
    }

    fn missed(&self) -> String {
        match &self.explanation.outcome {
            Outcome::Stopped { host } => match self.explanation.hosts.get(*host) {
                Some(host) => format!("{}: none of its routes matches", host.pattern),
                None => String::new(),
            },
            Outcome::OverBudget { .. } => "a pattern takes more steps than allowed".to_owned(),
            _ if self.explanation.hosts.is_empty() => format!("no host covers `{}`", self.asked.host),
            _ => "no route matches".to_owned(),
        }
    }

    fn answer_text(&self) -> String {
        match self.own_answer() {
            Some((status, reason, Some(location))) => format!("{status} {reason}, to {location}"),
            Some((status, reason, None)) => format!("{status} {reason}"),
            None => {
                let target = self.sent.0.as_deref().unwrap_or(&self.asked.target);
                let host = self.sent.1.as_ref().map(|it| format!(", Host: {it}")).unwrap_or_default();
                format!("the backend's, to {} {target}{host}", self.asked.method)
            }
        }
    }
}

/// The socket the request arrives at, as far as its port says.
fn binding(served: &Served, asked: &Asked) -> Option<Binding> {
    let name = if asked.scheme == Scheme::Http { "http" } else { "https" };
    let listener = served.gateway.listeners.iter().find(|it| it.name.as_str() == name)?;
    listener.bindings.iter().find(|it| it.address.port() == asked.port).or(listener.bindings.first()).copied()
}

/// The port of the listener that is bound to the URL's: routes are of the former.
fn listener_port(served: &Served, asked: &Asked) -> u16 {
    let bound = |it: &&model::Listener| it.bindings.iter().any(|binding| binding.address.port() == asked.port);
    served.gateway.listeners.iter().find(bound).map_or(asked.port, |it| it.port)
}

fn failed(tried: &RouteTried) -> Option<String> {
    let all_fail = tried.matches.iter().all(|it| !matches!(it, Tried::Holds { .. }));
    let reasons: Vec<String> = tried.matches.iter().map(ToString::to_string).collect();
    (all_fail && !reasons.is_empty()).then(|| reasons.join("; "))
}

fn matched(tried: &RouteTried) -> String {
    let wanted = tried.matches.iter().find_map(|it| match it {
        Tried::Holds { wanted } => Some(match_text(wanted)),
        _ => None,
    });
    wanted.unwrap_or_default()
}

/// A match in words, for `explain` and `get routes`.
pub(crate) fn match_text(wanted: &Match) -> String {
    let mut parts = vec![match &wanted.path {
        PathMatch::Any => "any path".to_owned(),
        PathMatch::Exact(path) => format!("{path} exactly"),
        PathMatch::Prefix(path) if path.is_empty() => "/ and below".to_owned(),
        PathMatch::Prefix(path) => format!("{path} and below"),
        PathMatch::StartsWith(path) => format!("{path}…"),
        PathMatch::Regex(pattern) => format!("~ {}", pattern.text),
    }];
    parts.extend(wanted.method.iter().map(|it| format!("method {it}")));
    parts.extend(wanted.scheme.iter().map(|it| if *it == Scheme::Http { "http only".to_owned() } else { "https only".to_owned() }));
    parts.extend(wanted.headers.iter().map(|it| format!("header {}", it.name)));
    parts.extend(wanted.query.iter().map(|it| format!("query {}", it.name)));
    parts.extend(wanted.cookies.iter().map(|it| format!("cookie {}", it.name)));
    parts.join(", ")
}

fn filter_text(filter: &Filter) -> String {
    match filter {
        Filter::HttpsRedirect(HttpsRedirect { when, status, .. }) => match when {
            model::RedirectWhen::Always => format!("redirect http to https ({status})"),
            model::RedirectWhen::HasCertificate => format!("redirect http to https ({status}) where the host has a certificate"),
        },
        Filter::Rewrite(Rewrite::Regex { pattern, template }) => format!("rewrite {} to {}", pattern.text, template_text(template)),
        Filter::Rewrite(Rewrite::Replace { pattern, template }) => {
            format!("replace every {} by {}", pattern.text, template_text(template))
        }
        Filter::Rewrite(Rewrite::Prefix { prefix, replacement }) => format!("rewrite prefix {prefix} to {replacement}"),
        Filter::Rewrite(Rewrite::Full(path)) => format!("rewrite to {path}"),
        Filter::SetHost(host) => format!("Host: {host}"),
        Filter::BodyLimit(limit) => format!("bodies up to {limit} bytes"),
        Filter::RequestHeader(edit) => format!("request {}", edit_text(edit)),
        Filter::ResponseHeader(edit) => format!("response {}", edit_text(edit)),
        Filter::Hsts(value) => format!("Strict-Transport-Security: {value}"),
        Filter::Cors(cors) => format!("CORS for {} origins", cors.origins.len()),
        Filter::Fault(fault) => fault_text(fault),
        Filter::Mirror(Mirror { backend, percent }) => {
            let to = backend.as_ref().map_or_else(|| "nobody".to_owned(), |it| it.id.to_string());
            format!("a copy of {} to {to}", share(*percent))
        }
    }
}

fn fault_text(fault: &Fault) -> String {
    let delay = fault.delay.map(|(percent, time)| format!("{} delayed by {} ms", share(percent), time.as_millis()));
    let abort = fault.abort.map(|(percent, status)| format!("{} answered {status}", share(percent)));
    let parts: Vec<String> = delay.into_iter().chain(abort).collect();
    format!("fault: {}", parts.join(", "))
}

fn share(percent: Percent) -> String {
    format!("{} %", f64::from(percent.0) / 10_000.0)
}

fn template_text(template: &[TemplatePart]) -> String {
    let part = |it: &TemplatePart| match it {
        TemplatePart::Literal(text) => text.to_string(),
        TemplatePart::Capture(n) => format!("${n}"),
    };
    template.iter().map(part).collect()
}

fn edit_text(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Set { name, value } => format!("header {name} set to {value}"),
        HeaderEdit::Add { name, value } => format!("header {name}: {value} added"),
        HeaderEdit::Remove { name } => format!("header {name} removed"),
    }
}

fn source_text(source: &Source) -> String {
    format!("{}  {}", name(&source.object), source.rule)
}

pub(crate) fn name(object: &ObjectRef) -> String {
    if object.namespace.is_empty() {
        format!("{} {}", object.kind, object.name)
    } else {
        format!("{} {}/{}", object.kind, object.namespace, object.name)
    }
}

fn object(object: &ObjectRef) -> Value {
    json!({ "kind": *object.kind, "namespace": *object.namespace, "name": *object.name })
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
