//! The options that ingress-nginx has in its ConfigMap, given to one gateway: what an annotation does not say otherwise.

mod forwarded;
mod known;
mod log_format;

use crate::error_pages;
use crate::family::error_pages::statuses;
use crate::family::https_redirect::RedirectDefaults;
use known::{Fate, fate, names};
use model::{GatewayOptions, LogEscape, LogFormat, LogLine, ServerHeader, Text, Timeouts};
use resources::{Cause, Condition, GatewayScope, IngressGateway, Name, Problem, Resources, Severity, Truth, nearest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What holds for every Ingress of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// In octets; `None`: any.
    pub(crate) body_limit: Option<u64>,
    pub(crate) timeouts: Timeouts,
    pub(crate) redirects: RedirectDefaults,
    /// `Strict-Transport-Security`; `None`: the backend's own.
    pub(crate) hsts: Option<Text>,
    pub(crate) server: ServerHeader,
    pub(crate) errors: Errors,
    /// What is no Ingress's own.
    gateway: GatewayOptions,
    /// Something that guards is asked for and cannot be had: everything answers 503.
    pub(crate) closed: bool,
}

/// Who answers for which statuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Errors {
    pub(crate) statuses: Vec<u16>,
    pub(crate) service: Option<Name>,
}

/// What is said of options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// What is not followed, and whom the gateway believes.
    pub conditions: Vec<Condition>,
    pub problems: Vec<Problem>,
}

/// What is to be said of a gateway's options.
pub fn said(resources: &Resources, request: &IngressGateway) -> Said {
    let (defaults, mut problems) = Defaults::of(request);
    problems.extend(defaults.errors.problem(resources));
    let reasons = [
        (Cause::InvalidValue, "InvalidValue"),
        (Cause::ClientsBelieved, "ClientsBelieved"),
        (Cause::GuardNotSupportedYet, "Closed"),
        (Cause::UnknownAnnotation, "UnknownOptions"),
        (Cause::AnnotationRefused, "Refused"),
        (Cause::ScopeNotAllowed, "Refused"),
        (Cause::ServiceNotFound, "ServiceNotFound"),
        (Cause::NotSupportedYet, "NotSupportedYet"),
    ];
    let worst = reasons.iter().find(|(cause, _)| problems.iter().any(|it| it.reason == *cause));
    let reason = worst.map_or("NoEffect", |(_, reason)| reason);
    let mut conditions = Vec::new();
    if !problems.is_empty() {
        conditions.push(Condition::new("OptionsIgnored", Truth::True, reason, Problem::list(&problems)));
    }
    conditions.extend(believed(&defaults.gateway));
    Said { conditions, problems }
}

/// Whose word is taken for where requests come from.
fn believed(options: &GatewayOptions) -> Option<Condition> {
    let forwarded = options.forwarded.as_ref()?;
    let from: Vec<String> = forwarded.from.iter().map(ToString::to_string).collect();
    let message =
        format!("what {} says of a request's client, scheme, port and host is believed; of everybody else nothing is", from.join(", "));
    Some(Condition::new("ProxiesTrusted", Truth::True, "Believed", message))
}

/// What holds for every request of a gateway that was asked for.
pub fn gateway_options(request: &IngressGateway) -> GatewayOptions {
    Defaults::of(request).0.gateway
}

/// Services that a gateway's options name.
pub fn named_services(request: &IngressGateway) -> impl Iterator<Item = Name> {
    Defaults::of(request).0.errors.service.into_iter()
}

/// ingress-nginx's `hsts-max-age`.
const MAX_AGE: u64 = 31_536_000;

/// Reads options, and remembers which were asked for.
struct Options<'a> {
    config: &'a BTreeMap<Text, Text>,
    problems: Vec<Problem>,
}

// === impl Defaults ===

impl Default for Defaults {
    /// ingress-nginx's.
    fn default() -> Self {
        Self::read(&BTreeMap::new(), None).0
    }
}

// === impl Errors ===

impl Errors {
    /// What the gateway's owner is told.
    fn problem(&self, resources: &Resources) -> Option<Problem> {
        let nobody = || {
            let message = format!("nobody answers for these where an Ingress names nobody, because there is no `{PAGES}`");
            Problem::note(field(STATUSES), Cause::NoEffect, message).hint(format!("Write `{PAGES}: NAMESPACE/NAME`"))
        };
        match &self.service {
            None => (!self.statuses.is_empty()).then(nobody),
            Some(service) => {
                let why = error_pages::backend(resources, service).err()?;
                let problem = Problem::warning(field(PAGES), Cause::ServiceNotFound, format!("{why}, so answers stay as they are"));
                Some(problem.hint(resources.suggest_service(service)))
            }
        }
    }
}

const STATUSES: &str = "custom-http-errors";
/// A flag of ingress-nginx, for which it has no option.
const PAGES: &str = "default-backend-service";

impl Defaults {
    /// Those of a gateway that was asked for. A project's says nothing of other namespaces, in its log neither.
    pub(crate) fn of(request: &IngressGateway) -> (Self, Vec<Problem>) {
        let own = (request.scope == GatewayScope::Project).then_some(&request.project);
        Self::read(&request.config, own)
    }

    /// The good part, and what is wrong: an option whose value is not understood keeps its default, which guards no less. `own`: the only
    /// namespace that may be named.
    pub(crate) fn read(config: &BTreeMap<Text, Text>, own: Option<&Text>) -> (Self, Vec<Problem>) {
        let mut from = Options { config, problems: Vec::new() };
        let usual = Timeouts::default();
        let defaults = Self {
            body_limit: from.size("proxy-body-size", 1 << 20),
            timeouts: Timeouts {
                connect: from.seconds("proxy-connect-timeout", usual.connect),
                read: from.seconds("proxy-read-timeout", usual.read),
                send: from.seconds("proxy-send-timeout", usual.send),
                ..usual
            },
            redirects: from.redirects(),
            hsts: from.hsts(),
            server: match (from.flag("server-tokens", false), from.flag("allow-backend-server-header", false)) {
                (_, true) => ServerHeader::Keep,
                (true, false) => ServerHeader::Set("paifang".into()),
                (false, false) => ServerHeader::Remove,
            },
            errors: Errors { statuses: from.statuses(), service: from.pages(own) },
            gateway: GatewayOptions { forwarded: from.forwarded(), log: from.log(own).map(Arc::new), ..GatewayOptions::default() },
            closed: config.keys().any(|key| matches!(fate(key), Some(Fate::Guards))),
        };
        from.rest();
        (defaults, from.problems)
    }
}

// === impl Options ===

impl Options<'_> {
    /// One that is empty counts as missing.
    fn text(&self, key: &str) -> Option<&str> {
        self.config.get(key).map(|it| it.trim()).filter(|it| !it.is_empty())
    }

    fn or<T>(&mut self, key: &str, usual: T, read: impl FnOnce(&str) -> Option<T>, what: &str, hint: &str) -> T {
        let Some(text) = self.text(key) else { return usual };
        if let Some(value) = read(text) {
            return value;
        }
        let shown: String = text.chars().take(80).collect();
        let problem = Problem::error(field(key), Cause::InvalidValue, format!("`{shown}` is no {what}, so the default holds"));
        self.problems.push(problem.hint(hint));
        usual
    }

    fn flag(&mut self, key: &str, usual: bool) -> bool {
        let read = |text: &str| match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            _ => None,
        };
        self.or(key, usual, read, "truth value", "Write `\"true\"` or `\"false\"`")
    }

    fn number(&mut self, key: &str, usual: u64) -> u64 {
        self.or(key, usual, |it| it.parse().ok(), "number", "Write a bare number, such as `\"20\"`")
    }

    fn seconds(&mut self, key: &str, usual: Duration) -> Duration {
        let read = |text: &str| {
            text.strip_suffix('s').unwrap_or(text).parse().ok().filter(|it| (1..=86_400).contains(it)).map(Duration::from_secs)
        };
        self.or(key, usual, read, "number of seconds from 1 to 86400", "Write a bare number, such as `\"60\"`")
    }

    /// Zero: none.
    fn size(&mut self, key: &str, usual: u64) -> Option<u64> {
        let size = self.or(key, usual, size, "size", "Write a number with `k`, `m` or `g`, such as `\"50m\"`");
        (size > 0).then_some(size)
    }

    fn redirects(&mut self) -> RedirectDefaults {
        let code = |it: &str| it.parse().ok().filter(|it| [301, 302, 307, 308].contains(it));
        let plain = self.text("no-tls-redirect-locations").unwrap_or("/.well-known/acme-challenge");
        let plain = plain.split(',').map(|it| it.trim().into()).filter(|it: &Text| it.starts_with('/')).collect();
        RedirectDefaults {
            asked: self.flag("ssl-redirect", true),
            forced: self.flag("force-ssl-redirect", false),
            status: self.or("http-redirect-code", 308, code, "such status", "Write 301, 302, 307 or 308"),
            plain,
        }
    }

    fn hsts(&mut self) -> Option<Text> {
        let on = self.flag("hsts", true);
        let age = self.number("hsts-max-age", MAX_AGE);
        let subdomains = if self.flag("hsts-include-subdomains", true) { "; includeSubDomains" } else { "" };
        let preload = if self.flag("hsts-preload", false) { "; preload" } else { "" };
        on.then(|| format!("max-age={age}{subdomains}{preload}").into())
    }

    fn statuses(&mut self) -> Vec<u16> {
        let hint = "Write `404,503`; several are separated by `,`";
        self.or(STATUSES, Vec::new(), |it| statuses(it, 300), "list of statuses from 300 to 599", hint)
    }

    fn pages(&mut self, own: Option<&Text>) -> Option<Name> {
        let named = |text: &str| {
            let (namespace, name) = text.split_once('/').or(own.map(|own| (own.as_str(), text)))?;
            (!namespace.is_empty() && !name.is_empty() && !name.contains('/')).then(|| Some(Name::new(namespace, name)))
        };
        let service = self.or(PAGES, None, named, "name of a Service", "Write `NAMESPACE/NAME`")?;
        if own.is_some_and(|own| *own != service.namespace) {
            let message = format!("a project's gateway names Services of its own project alone, and `{service}` is another's");
            self.problems.push(Problem::error(field(PAGES), Cause::ScopeNotAllowed, message).hint("Name a Service of this project"));
            return None;
        }
        Some(service)
    }

    fn log(&mut self, own: Option<&Text>) -> Option<LogFormat> {
        let escape = if self.flag("log-format-escape-json", false) { LogEscape::Json } else { LogEscape::Hexadecimal };
        if self.flag("log-format-escape-none", false) {
            let message = "what clients choose is escaped all the same: otherwise they could write lines of their own";
            self.problems.push(Problem::warning(field("log-format-escape-none"), Cause::AnnotationRefused, message));
        }
        let key = "log-format-upstream";
        let read = self.or(key, None, |it| log_format::read(it).map(Some), "format of at most 8192 characters", "Write a shorter one")?;
        if !read.unknown.is_empty() {
            let names: Vec<String> =
                read.unknown.iter().take(16).map(|it| format!("`${}`", it.chars().take(60).collect::<String>())).collect();
            let message = format!("{} cannot be told here, and nothing stands in their place", names.join(", "));
            self.problems.push(Problem::warning(field(key), Cause::UnknownAnnotation, message));
        }
        Some(LogFormat { parts: read.parts, escape, line: if own.is_some() { LogLine::Named } else { LogLine::Whole } })
    }

    /// What is there beside what is followed.
    fn rest(&mut self) {
        for key in self.config.keys() {
            self.problems.extend(of(key));
        }
    }
}

fn of(key: &str) -> Option<Problem> {
    let at = field(key);
    Some(match fate(key) {
        Some(Fate::Followed(..)) => return None,
        Some(Fate::Guards) => {
            let problem = Problem::error(at, Cause::GuardNotSupportedYet, "this guards and is not supported yet, so Ingresses answer 503");
            problem.hint("Take it away to serve them without it")
        }
        Some(Fate::Later) => Problem::warning(at, Cause::NotSupportedYet, "this is not supported yet, and not followed"),
        Some(Fate::Idle) => {
            Problem { severity: Severity::Note, ..Problem::note(at, Cause::NoEffect, "there is nothing here that it could change") }
        }
        Some(Fate::Refused) => {
            Problem::error(at, Cause::AnnotationRefused, "raw configuration of nginx is not taken, so it is not followed")
        }
        None => {
            let problem = Problem::warning(at, Cause::UnknownAnnotation, "no such option is known, so it is not followed");
            match nearest(key, names()) {
                Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                None => problem,
            }
        }
    })
}

fn field(key: &str) -> String {
    format!("spec.config[{key}]")
}

/// As nginx writes sizes.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// The options, for the reference page.
pub(crate) fn reference() -> String {
    known::reference()
}

/// Every option; of those that are followed value, default and meaning.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Option<(&'static str, &'static str, &'static str)>)> {
    names().map(|name| match fate(name) {
        Some(Fate::Followed(value, default, meaning)) => (name, Some((value, default, meaning))),
        _ => (name, None),
    })
}

#[cfg(test)]
mod tests;
