//! A match of an HTTPRoute, as the model has it.

use crate::findings::Findings;
use model::{Anchor, Case, Engine, Match, NamedMatch, PathMatch, Pattern, Text, ValueMatch};
use resources::gateway_api::{HttpMatch, HttpPathMatch, HttpValueMatch, ValueKind};
use resources::{Cause, Problem, pattern};

/// `None`: it cannot be tested, and nothing else must stand in for it.
pub(crate) fn matching(it: &HttpMatch, at: &str, findings: &mut Findings) -> Option<Match> {
    let path = path(&it.path, at, findings);
    let headers = values(&it.headers, &format!("{at}.headers"), Names::AnyCase, findings);
    let query = values(&it.query, &format!("{at}.queryParams"), Names::AsWritten, findings);
    Some(Match { path: path?, method: it.method.clone(), headers: headers?, query: query?, ..Match::default() })
}

fn path(path: &HttpPathMatch, at: &str, findings: &mut Findings) -> Option<PathMatch> {
    match path {
        HttpPathMatch::Exact(path) => Some(PathMatch::Exact(pattern::canonical(path))),
        HttpPathMatch::Prefix(path) => Some(PathMatch::Prefix(prefix(path))),
        HttpPathMatch::Regex(text) => expression(text, &format!("{at}.path.value"), findings).map(PathMatch::Regex),
    }
}

/// A trailing `/` says nothing: `/a/` is what `/a` is.
pub(crate) fn prefix(path: &str) -> Text {
    pattern::canonical(path.trim_end_matches('/'))
}

#[derive(Clone, Copy)]
enum Names {
    AnyCase,
    AsWritten,
}

fn values(list: &[HttpValueMatch], at: &str, names: Names, findings: &mut Findings) -> Option<Vec<NamedMatch>> {
    let value = |it: &HttpValueMatch| {
        let name = match names {
            Names::AnyCase => it.name.to_ascii_lowercase().into(),
            Names::AsWritten => it.name.clone(),
        };
        let value = match it.kind {
            ValueKind::Exact => ValueMatch::Exact(it.value.clone()),
            ValueKind::Regex => ValueMatch::Regex(expression(&it.value, &format!("{at}[{}].value", it.index), findings)?),
        };
        Some(NamedMatch { name, value })
    };
    list.iter().map(value).collect()
}

fn expression(text: &Text, field: &str, findings: &mut Findings) -> Option<Pattern> {
    match pattern::judge(text) {
        Ok(judged) => {
            if judged.engine == Engine::Backtracking {
                let message =
                    "look-around and back-references run on an engine that gives up after a bound of steps; the request then gets 400";
                findings.note(Problem::note(field, Cause::BacktrackingRegex, message));
            }
            Some(Pattern { text: text.clone(), case: Case::Sensitive, anchor: Anchor::Whole, engine: judged.engine })
        }
        Err(why) => {
            let message = format!("this regular expression is not usable ({why})");
            findings.invalid(field, Cause::InvalidRegex, message, "A character that is meant as itself is written with `\\` before it");
            None
        }
    }
}
