//! The engines behind patterns that are more than a literal and a rest.

use super::{Found, PatternError};
use model::{Anchor, Case, Pattern};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, meta};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, Look};
use std::sync::OnceLock;

/// Bound of a compiled pattern, in octets.
const SIZE: usize = 64 << 10;

/// Bound of what one thread caches for one pattern, in octets.
const CACHE: usize = 32 << 10;

/// Nested groups and repetitions.
const NESTING: u32 = 50;

/// Steps that a backtracking search may take.
const STEPS: usize = 10_000;

/// Longest text it is given: a step may look at all of it.
const LONGEST_TEXT: usize = 2 << 10;

/// A pattern known to compile. The engine is built on first use or before ([`super::Patterns`]), not always: ten thousand of them cost
/// 100 MiB, and most are never asked.
#[derive(Debug)]
pub(super) struct Linear {
    pattern: Pattern,
    prefix: Box<[u8]>,
    groups: usize,
    engine: OnceLock<Option<meta::Regex>>,
}

#[derive(Debug)]
pub(super) struct Backtracking {
    engine: fancy_regex::Regex,
}

/// Reads a pattern: octets, ASCII classes.
pub(super) fn parse(text: &str, case: Case) -> Result<Hir, PatternError> {
    let mut parser = ParserBuilder::new();
    parser.unicode(false).utf8(false).nest_limit(NESTING).case_insensitive(case == Case::Insensitive);
    parser.build().parse(text).map_err(|error| PatternError(reason(&error)))
}

/// The last line of the parser's message; the lines before draw the pattern.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => format!("{} (at character {})", error.kind(), error.span().start.offset + 1),
        regex_syntax::Error::Translate(error) => format!("{} (at character {})", error.kind(), error.span().start.offset + 1),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

// === impl Linear ===

impl Linear {
    /// Checks that the pattern compiles within bounds, and keeps what is needed to do it again.
    pub(super) fn check(pattern: &Pattern, prefix: Vec<u8>) -> Result<Self, PatternError> {
        let hir = whole(pattern)?;
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir).map_err(|error| match error.size_limit() {
            Some(limit) => PatternError(format!("compiled, it is larger than {} KiB", limit >> 10)),
            None => PatternError(error.to_string()),
        })?;
        let groups = nfa.group_info().group_len(regex_automata::PatternID::ZERO);
        Ok(Self { pattern: pattern.clone(), prefix: prefix.into(), groups, engine: OnceLock::new() })
    }

    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Builds the engine, if that has not been done.
    pub(super) fn prepare(&self) -> Option<&meta::Regex> {
        self.engine.get_or_init(|| build(&self.pattern)).as_ref()
    }

    #[cfg(test)]
    pub(super) fn is_ready(&self) -> bool {
        self.engine.get().is_some()
    }

    pub(super) fn run(&self, text: &[u8], from: usize, slots: &mut [Option<NonMaxUsize>]) -> Found {
        let Some(engine) = self.prepare() else { return Found::OverBudget };
        let anchored = if self.pattern.anchor == Anchor::None { Anchored::No } else { Anchored::Yes };
        if from > text.len() || from > 0 && anchored == Anchored::Yes {
            return Found::No;
        }
        let input = Input::new(text).range(from..).anchored(anchored);
        let found = if slots.is_empty() { engine.is_match(input) } else { engine.search_slots(&input, slots).is_some() };
        if found { Found::Yes } else { Found::No }
    }
}

/// The pattern with its end anchored where it has to be.
fn whole(pattern: &Pattern) -> Result<Hir, PatternError> {
    let hir = parse(&pattern.text, pattern.case)?;
    Ok(match pattern.anchor {
        Anchor::Whole => Hir::concat(vec![hir, Hir::look(Look::End)]),
        Anchor::None | Anchor::Start => hir,
    })
}

fn build(pattern: &Pattern) -> Option<meta::Regex> {
    // The reverse automaton may come out larger than the forward one that was checked.
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(4 * SIZE))
        .onepass_size_limit(Some(SIZE))
        .hybrid_cache_capacity(CACHE)
        .dfa(false);
    meta::Builder::new().configure(config).build_from_hir(&whole(pattern).ok()?).ok()
}

// === impl Backtracking ===

impl Backtracking {
    pub(super) fn build(pattern: &Pattern) -> Result<Self, PatternError> {
        let text = match pattern.anchor {
            Anchor::None => pattern.text.to_string(),
            Anchor::Start => format!(r"\A(?:{})", pattern.text),
            Anchor::Whole => format!(r"\A(?:{})\z", pattern.text),
        };
        let engine = fancy_regex::RegexBuilder::new(&text)
            .case_insensitive(pattern.case == Case::Insensitive)
            .bytes_mode(fancy_regex::BytesMode::Ascii)
            .backtrack_limit(STEPS)
            .delegate_size_limit(SIZE)
            .delegate_dfa_size_limit(CACHE)
            .build()
            .map_err(|error| PatternError(error.to_string().lines().last().unwrap_or_default().to_owned()))?;
        Ok(Self { engine })
    }

    pub(super) fn groups(&self) -> usize {
        self.engine.captures_len()
    }

    pub(super) fn run(&self, text: &[u8], from: usize, slots: &mut [Option<NonMaxUsize>]) -> Found {
        if text.len() > LONGEST_TEXT {
            return Found::OverBudget;
        }
        if from > text.len() {
            return Found::No;
        }
        if slots.is_empty() {
            return match self.engine.is_match(text) {
                Ok(true) => Found::Yes,
                Ok(false) => Found::No,
                Err(_) => Found::OverBudget,
            };
        }
        match self.engine.captures_from_pos(text, from) {
            Ok(Some(captures)) => {
                for (index, pair) in slots.chunks_exact_mut(2).enumerate() {
                    let group = captures.get(index);
                    pair[0] = group.as_ref().and_then(|it| NonMaxUsize::new(it.start()));
                    pair[1] = group.as_ref().and_then(|it| NonMaxUsize::new(it.end()));
                }
                Found::Yes
            }
            Ok(None) => Found::No,
            Err(_) => Found::OverBudget,
        }
    }
}
