//! One match of one route: which part of it a request fails, if any.

use crate::expression::Patterns;
use crate::{Expression, Found, PatternError, Request, values};
use model::{Anchor, Case, Match, NamedMatch, PathMatch, Pattern, Route, Text, ValueMatch};
use std::fmt;

/// A match with its patterns compiled. Which match it is follows from `route` and `index`.
///
/// Paths stand in the entry itself, so that one that does not fit is passed over without a look at the model, which lies elsewhere in
/// memory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) route: u32,
    pub(crate) index: u32,
    head: Head,
    path: PathTest,
    /// Whether there is more to a match than its path.
    more: More,
    /// Of headers, then query, then cookies; empty if none has one.
    values: Box<[Option<Expression>]>,
}

#[derive(Debug)]
enum PathTest {
    Any,
    Exact(Text),
    Prefix(Text),
    StartsWith(Text),
    Regex(Expression),
    /// The pattern is not usable: paths that begin like it get 503.
    Broken(Beginning),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Path,
    All,
}

#[derive(Debug)]
struct Beginning {
    text: Box<str>,
    case: Case,
}

/// The first octets of a text in lower case, up to eight: most paths that do not fit are told by them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    octets: u64,
    mask: u64,
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

// === impl Entry ===

impl Entry {
    /// `None`: it could never match. The error is the first of its patterns that is not usable.
    pub(crate) fn compile(route: usize, index: usize, it: &Match, patterns: &Patterns) -> (Option<Self>, Option<PatternError>) {
        let (path, error) = match PathTest::compile(&it.path, patterns) {
            Ok(path) => (Some(path), None),
            Err((beginning, error)) => (beginning.map(PathTest::Broken), Some(error)),
        };
        let named = || it.headers.iter().chain(&it.query).chain(&it.cookies);
        let values: Result<Box<[_]>, _> = match named().any(|it| pattern_of(&it.value).is_some()) {
            true => named().map(|it| pattern_of(&it.value).map(|pattern| patterns.compile(pattern)).transpose()).collect(),
            false => Ok(Box::default()),
        };
        let more = if it.method.is_none() && it.scheme.is_none() && named().next().is_none() { More::Path } else { More::All };
        let (Ok(route), Ok(index)) = (u32::try_from(route), u32::try_from(index)) else { return (None, error) };
        match (path, values) {
            (Some(path), Ok(values)) => (Some(Self { route, index, head: Head::of(&path.begins()), path, more, values }), error),
            (None, Ok(_)) => (None, error),
            (_, Err(other)) => (None, error.or(Some(other))),
        }
    }

    /// What a path must begin with for the entry to be worth checking, in lower case; empty if that is not known.
    pub(crate) fn begins(&self) -> Vec<u8> {
        self.path.begins()
    }

    /// Checks parts in the order of [`Part`]. `head`: of the request's path.
    pub(crate) fn check(&self, routes: &[Route], request: &Request, head: Head) -> Check {
        if !self.head.begins(head) {
            return Check::Fails(Part::Path);
        }
        match self.path.test(request.path) {
            Found::Yes => {}
            Found::No => return Check::Fails(Part::Path),
            Found::OverBudget => return Check::OverBudget,
        }
        if self.more == More::Path {
            return Check::Holds;
        }
        let it = self.model(routes);
        if it.method.as_ref().is_some_and(|method| **method != *request.method) {
            return Check::Fails(Part::Method);
        }
        if it.scheme.is_some_and(|scheme| scheme != request.scheme) {
            return Check::Fails(Part::Scheme);
        }
        self.values(it, request)
    }

    /// The match that this is, among the routes it was compiled from.
    pub(crate) fn model<'r>(&self, routes: &'r [Route]) -> &'r Match {
        &routes[self.route as usize].matches[self.index as usize]
    }

    fn values(&self, it: &Match, request: &Request) -> Check {
        type Find = for<'r> fn(&Request<'r>, &str) -> Option<std::borrow::Cow<'r, [u8]>>;
        type Kind<'m> = (&'m [NamedMatch], Find, fn(usize) -> Part);
        let kinds: [Kind; 3] = [
            (&it.headers, values::header, Part::Header),
            (&it.query, values::query, Part::Query),
            (&it.cookies, values::cookie, Part::Cookie),
        ];
        let mut expressions = self.values.iter();
        for (wanted, find, part) in kinds {
            for (index, wanted) in wanted.iter().enumerate() {
                let expression = expressions.next().and_then(Option::as_ref);
                match values::check_value(&wanted.value, expression, find(request, &wanted.name).as_deref()) {
                    Found::Yes => {}
                    Found::No => return Check::Fails(part(index)),
                    Found::OverBudget => return Check::OverBudget,
                }
            }
        }
        Check::Holds
    }
}

pub(crate) fn pattern_of(value: &ValueMatch) -> Option<&Pattern> {
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

// === impl PathTest ===

impl PathTest {
    /// The error comes with what can still be closed.
    fn compile(it: &PathMatch, patterns: &Patterns) -> Result<Self, (Option<Beginning>, PatternError)> {
        Ok(match it {
            PathMatch::Any => Self::Any,
            PathMatch::Exact(text) => Self::Exact(text.clone()),
            PathMatch::Prefix(text) => Self::Prefix(text.clone()),
            PathMatch::StartsWith(text) => Self::StartsWith(text.clone()),
            PathMatch::Regex(pattern) => Self::Regex(patterns.compile(pattern).map_err(|error| (beginning(pattern), error))?),
        })
    }

    fn begins(&self) -> Vec<u8> {
        match self {
            Self::Any => Vec::new(),
            Self::Exact(text) | Self::Prefix(text) | Self::StartsWith(text) => text.as_bytes().to_ascii_lowercase(),
            Self::Regex(expression) => expression.prefix(),
            Self::Broken(beginning) => beginning.text.as_bytes().to_ascii_lowercase(),
        }
    }

    fn test(&self, path: &str) -> Found {
        let holds = match self {
            Self::Any => true,
            Self::Exact(text) => **text == *path,
            Self::Prefix(text) => path.strip_prefix(text.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::StartsWith(text) => path.starts_with(text.as_str()),
            Self::Regex(expression) => return expression.is_match(path.as_bytes()),
            Self::Broken(beginning) => beginning.begins(path),
        };
        if holds { Found::Yes } else { Found::No }
    }
}

// === impl Head ===

impl Head {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut octets = [0; 8];
        let mut mask = [0; 8];
        for ((octet, mask), from) in octets.iter_mut().zip(&mut mask).zip(text) {
            *octet = from.to_ascii_lowercase();
            *mask = 0xff;
        }
        Self { octets: u64::from_ne_bytes(octets), mask: u64::from_ne_bytes(mask) }
    }

    /// Whether `text` could begin with what this is the head of.
    fn begins(self, text: Self) -> bool {
        text.octets & self.mask == self.octets
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
