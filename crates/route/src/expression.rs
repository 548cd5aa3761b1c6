//! Users' regular expressions, bounded in time and memory.
//!
//! Most of them are a literal path and a rest, such as `/shop(/|$)(.*)`: those are recognised ([`trail`]) and need no engine. What is left
//! runs on a linear-time engine over octets, ASCII only; patterns that need look-around or back-references on a backtracking one that
//! gives up after a number of steps.

mod engine;
mod patterns;
mod trail;

use engine::{Backtracking, Linear};
use model::{Anchor, Case, Engine, Pattern};
use regex_automata::util::primitives::NonMaxUsize;
use regex_syntax::hir::{Hir, HirKind, Look};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use trail::Trail;

pub(crate) use patterns::Patterns;

/// A compiled pattern. Cloning costs a reference count.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Form>);

#[derive(Debug)]
enum Form {
    Trail(Trail),
    Linear(Linear),
    Backtracking(Backtracking),
}

/// Whether a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Yes,
    No,
    /// It took more steps than allowed, or the engine failed: nothing is known, and the request gets 400.
    OverBudget,
}

/// Where the groups of a match are. Group 0 is the whole match. Meant to be reused.
#[derive(Clone, Debug, Default)]
pub struct Groups(Vec<Option<NonMaxUsize>>);

/// Why a pattern is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

/// Longest pattern text. ingress-nginx paths in the field stay below 200.
const LONGEST: usize = 4096;

// === impl Expression ===

impl Expression {
    pub fn compile(pattern: &Pattern) -> Result<Self, PatternError> {
        let text = pattern.text.as_str();
        if text.len() > LONGEST {
            return Err(PatternError(format!("it is longer than {LONGEST} characters")));
        }
        if pattern.engine == Engine::Backtracking {
            return Ok(Self(Arc::new(Form::Backtracking(Backtracking::build(pattern)?))));
        }
        let plain = engine::parse(text, Case::Sensitive)?;
        if let Some(trail) = Trail::read(&plain, pattern.anchor, pattern.case) {
            return Ok(Self(Arc::new(Form::Trail(trail))));
        }
        let prefix = if pattern.anchor == Anchor::None { starts(&plain) } else { leading(&plain) };
        Ok(Self(Arc::new(Form::Linear(Linear::check(pattern, prefix)?))))
    }

    pub fn is_match(&self, text: &[u8]) -> Found {
        self.run(text, 0, &mut [])
    }

    /// Finds the pattern and its groups.
    pub fn captures(&self, text: &[u8], groups: &mut Groups) -> Found {
        self.captures_from(text, 0, groups)
    }

    /// The same, not before `from`. An anchored pattern is found at the beginning or not at all.
    pub fn captures_from(&self, text: &[u8], from: usize, groups: &mut Groups) -> Found {
        groups.0.clear();
        groups.0.resize(2 * self.groups(), None);
        self.run(text, from, &mut groups.0)
    }

    /// How many groups there are, the whole match included.
    pub fn groups(&self) -> usize {
        match &*self.0 {
            Form::Trail(trail) => trail.groups(),
            Form::Linear(linear) => linear.groups(),
            Form::Backtracking(backtracking) => backtracking.groups(),
        }
    }

    /// What a text must begin with, in lower case; empty when nothing is known.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        let prefix = match &*self.0 {
            Form::Trail(trail) => trail.prefix(),
            Form::Linear(linear) => linear.prefix(),
            Form::Backtracking(_) => &[],
        };
        prefix.to_ascii_lowercase()
    }

    fn run(&self, text: &[u8], from: usize, slots: &mut [Option<NonMaxUsize>]) -> Found {
        let guarded = |search: &mut dyn FnMut() -> Found| {
            // Some pairs of pattern and text make an engine panic (rust-lang/regex#1344).
            catch_unwind(AssertUnwindSafe(search)).unwrap_or(Found::OverBudget)
        };
        match &*self.0 {
            Form::Trail(trail) => trail.run(text, from, slots),
            Form::Linear(linear) => guarded(&mut || linear.run(text, from, slots)),
            Form::Backtracking(backtracking) => guarded(&mut || backtracking.run(text, from, slots)),
        }
    }

    #[cfg(test)]
    fn needs_no_engine(&self) -> bool {
        matches!(&*self.0, Form::Trail(_))
    }
}

/// What an unanchored pattern must begin with: something only where it starts with `^`.
fn starts(hir: &Hir) -> Vec<u8> {
    match hir.kind() {
        HirKind::Concat(parts) if matches!(parts.first().map(Hir::kind), Some(HirKind::Look(Look::Start))) => leading(hir),
        _ => Vec::new(),
    }
}

/// The literal that a pattern begins with.
fn leading(hir: &Hir) -> Vec<u8> {
    let mut literal = Vec::new();
    gather(hir, &mut literal);
    literal
}

/// Appends the literal that `hir` begins with; says whether that is all of it.
fn gather(hir: &Hir, literal: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(Look::Start) => true,
        HirKind::Literal(it) => {
            literal.extend_from_slice(&it.0);
            true
        }
        HirKind::Capture(capture) => gather(&capture.sub, literal),
        HirKind::Concat(parts) => parts.iter().all(|part| gather(part, literal)),
        _ => false,
    }
}

// === impl Groups ===

impl Groups {
    /// Where a group begins and ends.
    pub fn range(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let at = |slot: usize| self.0.get(slot).copied().flatten().map(NonMaxUsize::get);
        Some(at(2 * index)?..at(2 * index + 1)?)
    }

    /// The text of a group; empty when it did not take part.
    pub fn get<'t>(&self, index: usize, text: &'t str) -> &'t str {
        self.range(index).and_then(|range| text.get(range)).unwrap_or_default()
    }
}

// === impl PatternError ===

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests;
