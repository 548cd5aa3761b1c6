//! The options that ingress-nginx has in its ConfigMap, given to one gateway: what an annotation does not say otherwise.

mod known;

use crate::family::https_redirect::RedirectDefaults;
use known::{Fate, fate, names};
use model::{ServerHeader, Text, Timeouts};
use resources::{Cause, Problem, Severity, nearest};
use std::collections::BTreeMap;
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
    /// Something that guards is asked for and cannot be had: everything answers 503.
    pub(crate) closed: bool,
}

/// What is said of options that are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Of a condition, by the worst of them.
    pub reason: &'static str,
    pub problems: Vec<Problem>,
}

/// What is not followed of a gateway's options; `None`: all is.
pub fn ignored_options(config: &BTreeMap<Text, Text>) -> Option<Ignored> {
    let (_, problems) = Defaults::read(config);
    let reasons = [
        (Cause::InvalidValue, "InvalidValue"),
        (Cause::GuardNotSupportedYet, "Closed"),
        (Cause::UnknownAnnotation, "UnknownOptions"),
        (Cause::AnnotationRefused, "Refused"),
        (Cause::NotSupportedYet, "NotSupportedYet"),
    ];
    let worst = reasons.iter().find(|(cause, _)| problems.iter().any(|it| it.reason == *cause));
    let reason = worst.map_or("NoEffect", |(_, reason)| reason);
    (!problems.is_empty()).then_some(Ignored { reason, problems })
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
        Self::read(&BTreeMap::new()).0
    }
}

impl Defaults {
    /// The good part, and what is wrong: an option whose value is not understood keeps its default, which guards no less.
    pub(crate) fn read(config: &BTreeMap<Text, Text>) -> (Self, Vec<Problem>) {
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

#[cfg(test)]
mod tests;
