//! Reading annotations: strings become types here, or problems.

mod table;

use model::{Engine, Text};
use resources::{Cause, Problem, Severity, nearest};
use std::collections::BTreeMap;
pub(crate) use table::{Fate, TABLE};

pub(crate) const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// One feature of ingress-nginx: what its annotations say, and what that means for a route.
pub(crate) trait Family: Sized {
    /// For the reference page; exactly the keys that `read` asks for.
    const KEYS: &'static [Doc];

    /// What happens when a value is not understood.
    const ON_ERROR: OnError;

    /// `None`: none of its annotations is there, or none is usable.
    fn read(from: &mut Reader<'_>) -> Option<Self>;
}

/// A row of the reference page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doc {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// As if it were not there: nothing is protected by it.
    Default,
    /// The paths of the Ingress answer 503.
    Deny,
}

/// Remembers which keys were asked for; what is left over is named by [`Reader::finish`].
pub(crate) struct Reader<'a> {
    /// Those of the prefix, without it.
    annotations: BTreeMap<&'a str, &'a str>,
    asked: Vec<&'static str>,
    on_error: OnError,
    problems: Vec<Problem>,
    closed: bool,
}

/// What reading came to, besides the settings.
pub(crate) struct Finished {
    pub(crate) problems: Vec<Problem>,
    /// Something that guards is not usable.
    pub(crate) closed: bool,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(annotations: &'a BTreeMap<Text, Text>) -> Self {
        let annotations = annotations.iter().filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, &**value))).collect();
        Self { annotations, asked: Vec::new(), on_error: OnError::Default, problems: Vec::new(), closed: false }
    }

    /// Reads a family, with its own answer to values that are not understood.
    pub(crate) fn family<F: Family>(&mut self) -> Option<F> {
        self.on_error = F::ON_ERROR;
        F::read(self)
    }

    /// The value without surrounding space; one that is empty counts as missing.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.asked.push(key);
        let text = self.annotations.get(key)?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let text = self.text(key)?;
        match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            _ => {
                self.reject(key, "is neither true nor false", "Write `\"true\"` or `\"false\"`");
                None
            }
        }
    }

    pub(crate) fn number(&mut self, key: &'static str) -> Option<u32> {
        let text = self.text(key)?;
        let number = text.strip_prefix('+').unwrap_or(text).parse().ok();
        if number.is_none() {
            self.reject(key, "is not a number from 0 on", "Write a bare number, such as `\"20\"`");
        }
        number
    }

    /// Says that a value is not understood: `` `value` WHAT``.
    pub(crate) fn reject(&mut self, key: &'static str, what: &str, hint: &str) {
        let value: String = self.text(key).unwrap_or_default().chars().take(80).collect();
        let closes = if self.on_error == OnError::Deny { ", so its paths are closed" } else { ", so it is not followed" };
        let problem = Problem::error(field(key), Cause::InvalidValue, format!("`{value}` {what}{closes}"));
        self.problems.push(problem.hint(hint));
        self.closed |= self.on_error == OnError::Deny;
    }

    /// Notes a pattern that only the backtracking engine takes.
    pub(crate) fn backtracking(&mut self, key: &str, engine: Engine) {
        if engine == Engine::Backtracking {
            self.problems.push(backtracking(field(key)));
        }
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Closes the paths of the Ingress.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Names what nobody asked for.
    pub(crate) fn finish(mut self) -> Finished {
        for (key, value) in self.annotations.iter().filter(|(key, _)| !self.asked.contains(key)) {
            let fate = TABLE.iter().find(|row| row.0 == *key).map(|row| row.1);
            self.closed |= fate == Some(Fate::Guards);
            self.problems.push(left_over(key, value, fate));
        }
        Finished { problems: self.problems, closed: self.closed }
    }

    #[cfg(test)]
    pub(crate) fn asked(&self) -> std::collections::BTreeSet<&'static str> {
        self.asked.iter().copied().collect()
    }
}

/// A pattern with look-around or back-references.
pub(crate) fn backtracking(field: String) -> Problem {
    let message = "look-around and back-references need a backtracking engine, which gives up after 10,000 steps: such requests get 400";
    let problem = Problem::note(field, Cause::BacktrackingRegex, message);
    problem.hint("For `(?!…)`, give what is excluded a longer path of its own: the longest path is tried first")
}

fn left_over(key: &str, value: &str, fate: Option<Fate>) -> Problem {
    let field = field(key);
    match fate {
        Some(Fate::Guards) => {
            let message = format!("`{key}` guards its paths and is not supported yet, so they answer 503");
            Problem::error(field, Cause::GuardNotSupportedYet, message).hint("Delete it to serve the paths without this protection")
        }
        Some(Fate::Removed(since)) => {
            let message = format!("`{key}` is not an annotation of ingress-nginx ({since}), and does nothing");
            Problem::note(field, Cause::AnnotationRemoved, message).hint("Delete it")
        }
        Some(Fate::Later | Fate::Supported) => Problem::warning(field, Cause::NotSupportedYet, not_supported(key, value)),
        None => {
            let problem = Problem::warning(field, Cause::UnknownAnnotation, format!("there is no annotation `{key}`, so it does nothing"));
            match nearest(key, TABLE.iter().filter(|row| !matches!(row.1, Fate::Removed(_))).map(|row| row.0)) {
                Some(near) => problem.hint(format!("Did you mean `{PREFIX}{near}`?")),
                None => problem,
            }
        }
    }
}

fn not_supported(key: &str, value: &str) -> String {
    let shown: String = value.trim().chars().take(80).collect();
    format!("`{key}` is not supported yet: `{shown}` is not followed, and the paths are served without it")
}

/// Of a canary, only what decides who gets it, or how its own Service is reached, is looked at.
///
/// What guards, and cannot be followed, keeps the canary out ([`Access::Closed`](crate::settings::Access)); the rest is noted.
pub(crate) fn on_canary(annotations: &BTreeMap<Text, Text>, problems: Vec<Problem>) -> Vec<Problem> {
    let own = |key: &str| {
        let of_upstream = ["affinity", "session-cookie", "load-balance", "upstream-hash-by", "service-upstream"];
        key.starts_with("canary") || of_upstream.iter().any(|start| key.starts_with(start))
    };
    let mut told = Vec::new();
    for key in annotations.keys().filter_map(|key| key.strip_prefix(PREFIX)) {
        let field = field(key);
        let known = TABLE.iter().any(|row| row.0 == key && !matches!(row.1, Fate::Removed(_)));
        let mut about = problems.iter().filter(|problem| *problem.field == *field);
        if own(key) || !known {
            told.extend(about.cloned());
        } else if let Some(problem) = about.find(|problem| problem.severity == Severity::Error && problem.reason != Cause::InvalidValue) {
            let message = format!("`{key}` is not supported on a canary, which therefore gets nothing: its primary serves all");
            told.push(Problem { message: message.into(), ..problem.clone() }.hint("Delete it to let the canary have its share"));
        } else {
            let message = format!("`{key}` is not looked at on a canary: what its primary says holds for both");
            told.push(Problem::note(field, Cause::AnnotationIgnored, message).hint("Delete it here"));
        }
    }
    told
}

/// The field path of an annotation of the prefix.
pub(crate) fn field(key: &str) -> String {
    format!("metadata.annotations[{PREFIX}{key}]")
}

#[cfg(test)]
mod tests;
