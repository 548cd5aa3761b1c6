//! Replaces the path.

use crate::{Edits, Flow, Reply, safe};
use model::{Reason, Rewrite, TemplatePart};
use route::{Expression, Found, Groups, Request};

/// Bound of a path made of a template, in octets: a template may name a group any number of times.
const LARGEST: usize = 64 << 10;

pub(crate) fn run(rewrite: &Rewrite, expression: Option<&Expression>, request: &Request, edits: &mut Edits) -> Flow {
    let mut scratch = std::mem::take(&mut edits.scratch);
    scratch.clear();
    let found = match rewrite {
        Rewrite::Full(path) => {
            scratch.push_str(path);
            Found::Yes
        }
        Rewrite::Prefix { prefix, replacement } => {
            scratch.push_str(&replaced(edits.path(request), prefix, replacement));
            Found::Yes
        }
        Rewrite::Regex { template, .. } => match expression {
            Some(expression) => fill(template, expression, request, edits, &mut scratch),
            None => Found::No,
        },
        Rewrite::Replace { template, .. } => match expression {
            Some(expression) => fill_each(template, expression, request, edits, &mut scratch),
            None => Found::No,
        },
    };
    match found {
        Found::Yes => replace(edits, request, &scratch),
        Found::No => {}
        Found::OverBudget => return Flow::Respond(Reply::refuse(400, Reason::BadRequest)),
    }
    edits.scratch = scratch;
    Flow::Continue
}

/// Fills the template from the pattern's groups.
fn fill(template: &[TemplatePart], expression: &Expression, request: &Request, edits: &mut Edits, out: &mut String) -> Found {
    let mut groups = std::mem::take(&mut edits.groups);
    let path = edits.path(request);
    let found = expression.captures(path.as_bytes(), &mut groups);
    let fits = found != Found::Yes || push(template, &groups, path, out);
    edits.groups = groups;
    if fits { found } else { Found::OverBudget }
}

/// Fills the template wherever the pattern is found, and keeps what is between.
fn fill_each(template: &[TemplatePart], expression: &Expression, request: &Request, edits: &mut Edits, out: &mut String) -> Found {
    let mut groups = std::mem::take(&mut edits.groups);
    let path = edits.path(request);
    let (mut kept, mut from, mut any) = (0, 0, Found::No);
    let found = loop {
        match expression.captures_from(path.as_bytes(), from, &mut groups) {
            Found::Yes => {}
            Found::No => break any,
            Found::OverBudget => break Found::OverBudget,
        }
        let Some(range) = groups.range(0) else { break any };
        if range.is_empty() && range.start == kept && any == Found::Yes {
            // As RE2 has it: nothing is found right behind what was found.
            from = range.end + 1;
            continue;
        }
        out.push_str(path.get(kept..range.start).unwrap_or_default());
        if !push(template, &groups, path, out) {
            break Found::OverBudget;
        }
        any = Found::Yes;
        kept = range.end;
        from = if range.is_empty() { range.end + 1 } else { range.end };
    };
    out.push_str(path.get(kept..).unwrap_or_default());
    edits.groups = groups;
    found
}

/// `false`: it is longer than a path may be.
fn push(template: &[TemplatePart], groups: &Groups, path: &str, out: &mut String) -> bool {
    template.iter().all(|part| {
        out.push_str(match part {
            TemplatePart::Literal(text) => text,
            TemplatePart::Capture(index) => groups.get(usize::from(*index), path),
        });
        out.len() <= LARGEST
    })
}

/// Makes `result` the new target. Its own query, if any, goes before the request's.
fn replace(edits: &mut Edits, request: &Request, result: &str) {
    let (path, own) = match result.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (result, None),
    };
    // Of a target rewritten before, the query stays.
    let before = edits.rewritten.then(|| edits.target.split_off(edits.path));
    let kept = match &before {
        Some(query) => query.strip_prefix('?'),
        None => request.query,
    };
    edits.target.clear();
    safe::append_path(&mut edits.target, path);
    edits.path = edits.target.len();
    edits.rewritten = true;
    for query in [own, kept].into_iter().flatten().filter(|query| !query.is_empty()) {
        edits.target.push(if edits.target.len() == edits.path { '?' } else { '&' });
        safe::append(&mut edits.target, query);
    }
}

/// The path with its prefix replaced, segment by segment: neither doubles nor loses a slash. A path without the prefix stays.
pub(crate) fn replaced(path: &str, prefix: &str, replacement: &str) -> String {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let Some(rest) = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/')) else { return path.to_owned() };
    let head = replacement.strip_suffix('/').unwrap_or(replacement);
    match (head.is_empty(), rest.is_empty()) {
        (true, true) => "/".to_owned(),
        // `/a` → `/b/` of `/a` alone keeps the replacement as it is written.
        (false, true) => replacement.to_owned(),
        _ => format!("{head}{rest}"),
    }
}
