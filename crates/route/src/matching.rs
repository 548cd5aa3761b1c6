//! One match of one route: which part of it a request fails, if any.

use crate::{Expression, Found, PatternError, Request, values};
use model::{Anchor, Case, Match, NamedMatch, PathMatch, Pattern, ValueMatch};
use std::fmt;

/// A match with its patterns compiled. Which match it is follows from `route` and `index`.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) route: u32,
    pub(crate) index: u32,
    path: PathTest,
    /// Of headers, then query, then cookies; empty if none has one.
    values: Box<[Option<Expression>]>,
}

#[derive(Debug)]
enum PathTest {
    /// What the model says.
    Plain,
    Regex(Expression),
    /// The pattern is not usable: paths that begin like it get 503.
    Broken(Beginning),
}

#[derive(Debug)]
struct Beginning {
    text: Box<str>,
    case: Case,
}

/// What became of one match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Holds,
    Fails(Part),
    OverBudget,
}

/// A part of a match. Numbers count within their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Path,
    Method,
    Scheme,
    Header(usize),
    Query(usize),
    Cookie(usize),
}

/// What a path must look like for an entry to be worth checking.
pub(crate) enum Key {
    /// It begins with this (lower case).
    Starts(Vec<u8>),
    Unknown,
}

// === impl Entry ===

impl Entry {
    /// `None`: it could never match. The error is the first of its patterns that is not usable.
    pub(crate) fn compile(route: usize, index: usize, it: &Match) -> (Option<Self>, Option<PatternError>) {
        let (path, broken_path) = match &it.path {
            PathMatch::Regex(pattern) => match Expression::compile(pattern) {
                Ok(expression) => (Some(PathTest::Regex(expression)), None),
                Err(error) => (beginning(pattern).map(PathTest::Broken), Some(error)),
            },
            _ => (Some(PathTest::Plain), None),
        };
        let named = || it.headers.iter().chain(&it.query).chain(&it.cookies);
        let values: Result<Box<[_]>, _> = match named().any(|it| pattern_of(&it.value).is_some()) {
            true => named().map(|it| pattern_of(&it.value).map(Expression::compile).transpose()).collect(),
            false => Ok(Box::default()),
        };
        let (Ok(route), Ok(index)) = (u32::try_from(route), u32::try_from(index)) else { return (None, None) };
        match (path, values) {
            (Some(path), Ok(values)) => (Some(Self { route, index, path, values }), broken_path),
            (None, Ok(_)) => (None, broken_path),
            (_, Err(error)) => (None, broken_path.or(Some(error))),
        }
    }

    pub(crate) fn key(&self, it: &Match) -> Key {
        let literal = match (&self.path, &it.path) {
            (PathTest::Regex(expression), _) => expression.prefix(),
            (PathTest::Broken(beginning), _) => beginning.text.as_bytes().to_ascii_lowercase(),
            (PathTest::Plain, PathMatch::Exact(text) | PathMatch::Prefix(text) | PathMatch::StartsWith(text)) => {
                text.as_bytes().to_ascii_lowercase()
            }
            (PathTest::Plain, _) => Vec::new(),
        };
        if literal.is_empty() { Key::Unknown } else { Key::Starts(literal) }
    }

    /// Checks parts in the order of [`Part`].
    pub(crate) fn check(&self, it: &Match, request: &Request) -> Check {
        match self.path(&it.path, request.path) {
            Found::Yes => {}
            Found::No => return Check::Fails(Part::Path),
            Found::OverBudget => return Check::OverBudget,
        }
        if it.method.as_ref().is_some_and(|method| **method != *request.method) {
            return Check::Fails(Part::Method);
        }
        if it.scheme.is_some_and(|scheme| scheme != request.scheme) {
            return Check::Fails(Part::Scheme);
        }
        if it.headers.is_empty() && it.query.is_empty() && it.cookies.is_empty() {
            return Check::Holds;
        }
        self.values(it, request)
    }

    fn path(&self, wanted: &PathMatch, path: &str) -> Found {
        let holds = match (&self.path, wanted) {
            (PathTest::Regex(expression), _) => return expression.is_match(path.as_bytes()),
            (PathTest::Broken(beginning), _) => beginning.begins(path),
            (PathTest::Plain, PathMatch::Any) => true,
            (PathTest::Plain, PathMatch::Exact(text)) => **text == *path,
            (PathTest::Plain, PathMatch::Prefix(text)) => {
                path.strip_prefix(text.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            (PathTest::Plain, PathMatch::StartsWith(text)) => path.starts_with(text.as_str()),
            (PathTest::Plain, PathMatch::Regex(_)) => false,
        };
        if holds { Found::Yes } else { Found::No }
    }

    fn values(&self, it: &Match, request: &Request) -> Check {
        type Find = for<'r> fn(&Request<'r>, &str) -> Option<std::borrow::Cow<'r, [u8]>>;
        let kinds: [(&[NamedMatch], Find, fn(usize) -> Part); 3] = [
            (&it.headers, values::header, Part::Header),
            (&it.query, values::query, Part::Query),
            (&it.cookies, values::cookie, Part::Cookie),
        ];
        let mut expressions = self.values.iter();
        for (wanted, find, part) in kinds {
            for (index, wanted) in wanted.iter().enumerate() {
                let expression = expressions.next().and_then(Option::as_ref);
                match values::test(wanted, expression, find(request, &wanted.name).as_deref()) {
                    Found::Yes => {}
                    Found::No => return Check::Fails(part(index)),
                    Found::OverBudget => return Check::OverBudget,
                }
            }
        }
        Check::Holds
    }
}

fn pattern_of(value: &ValueMatch) -> Option<&Pattern> {
    match value {
        ValueMatch::Regex(pattern) => Some(pattern),
        ValueMatch::Not(inner) => pattern_of(inner),
        ValueMatch::Present | ValueMatch::Absent | ValueMatch::Exact(_) | ValueMatch::Prefix(_) => None,
    }
}

/// The literal that an unusable pattern begins with: closing what begins like it keeps its requests from reaching a wider route, which
/// may lack its guards. Nothing, or `/` alone, would close the whole host.
fn beginning(pattern: &Pattern) -> Option<Beginning> {
    let (anchored, text) = match pattern.text.strip_prefix('^') {
        Some(text) => (true, text),
        None => (pattern.anchor != Anchor::None, pattern.text.as_str()),
    };
    let literal = text.split(|c: char| r".+*?()|[]{}^$\".contains(c)).next().unwrap_or_default();
    (anchored && literal.len() > 1).then(|| Beginning { text: literal.into(), case: pattern.case })
}

impl Beginning {
    fn begins(&self, path: &str) -> bool {
        let head = path.as_bytes().get(..self.text.len());
        head.is_some_and(|head| match self.case {
            Case::Sensitive => head == self.text.as_bytes(),
            Case::Insensitive => head.eq_ignore_ascii_case(self.text.as_bytes()),
        })
    }
}

// === impl Part ===

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("path"),
            Self::Method => f.write_str("method"),
            Self::Scheme => f.write_str("scheme"),
            Self::Header(index) => write!(f, "headers[{index}]"),
            Self::Query(index) => write!(f, "query[{index}]"),
            Self::Cookie(index) => write!(f, "cookies[{index}]"),
        }
    }
}
