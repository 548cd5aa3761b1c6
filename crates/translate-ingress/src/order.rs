//! In which order the locations of a host are tried, and how each is matched.

use crate::location::{Location, LocationKind, Member};
use crate::pattern::{self, Judged};
use model::{Engine, PathMatch, Pattern, Text};
use std::cmp::Reverse;
use std::collections::HashSet;

/// How the paths of a host are meant: one answer for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they are written. Exact ones first, then the longest prefix.
    Plain,
    /// As regular expressions found at the beginning, letters in any case. The longest text first.
    Regex,
}

/// A place in the host's list of routes.
pub(crate) struct Placed {
    /// Index of the location.
    pub(crate) location: usize,
    pub(crate) path: PathMatch,
    pub(crate) serves: Serves,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// What the location leads to; with the pattern that its rewrite uses.
    Location(Option<Pattern>),
    /// nginx answers `/foo` with 301 where there is only `/foo/`.
    Slash,
    /// Its pattern is not usable: 503.
    Closed(String),
}

impl Mode {
    /// Only paths that somebody wrote decide: were it the implicit `/` too, somebody else's `/` would change how all others are matched.
    pub(crate) fn of(members: &[Member<'_>], locations: &[Location<'_>]) -> Self {
        let mut written = locations.iter().filter(|location| location.kind < LocationKind::Implicit);
        let regex = written.any(|location| members[location.member].settings.wants_regex(&location.path));
        if regex { Self::Regex } else { Self::Plain }
    }
}

/// The list, best first.
pub(crate) fn place(members: &[Member<'_>], locations: &[Location<'_>], mode: Mode) -> Vec<Placed> {
    let mut order: Vec<usize> = (0..locations.len()).collect();
    // Stable: of the same text the older comes first. The implicit one is behind all.
    order.sort_by(|a, b| {
        let key = |index: &usize| {
            let location = &locations[*index];
            (location.kind >= LocationKind::Implicit, Reverse(location.path.len()), Reverse(&*location.path))
        };
        key(a).cmp(&key(b))
    });
    match mode {
        Mode::Plain => plain(locations, &order),
        Mode::Regex => regex(members, locations, &order),
    }
}

// === plain ===

fn plain(locations: &[Location<'_>], order: &[usize]) -> Vec<Placed> {
    let canonical: Vec<Text> = locations.iter().map(|location| pattern::canonical(&location.path)).collect();
    // What answers for a path without its slash: an exact location, or a prefix one.
    let named: HashSet<&str> = canonical.iter().map(|path| &**path).collect();
    let (mut exact, mut slashes, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    for &index in order {
        let path = &canonical[index];
        let placed = |path, serves| Placed { location: index, path, serves };
        if let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty() && !named.contains(bare)) {
            slashes.push(placed(PathMatch::Exact(bare.into()), Serves::Slash));
        }
        match locations[index].kind {
            LocationKind::Exact => exact.push(placed(PathMatch::Exact(path.clone()), Serves::Location(None))),
            _ => prefixes.push(placed(prefix(path), Serves::Location(None))),
        }
    }
    exact.into_iter().chain(slashes).chain(prefixes).collect()
}

fn prefix(path: &Text) -> PathMatch {
    match &**path {
        "/" => PathMatch::Prefix(Text::default()),
        slashed if slashed.ends_with('/') => PathMatch::StartsWith(path.clone()),
        _ => PathMatch::Prefix(path.clone()),
    }
}

// === regular expressions ===

fn regex(members: &[Member<'_>], locations: &[Location<'_>], order: &[usize]) -> Vec<Placed> {
    let (mut list, mut closed) = (Vec::new(), Vec::new());
    for &index in order {
        let location = &locations[index];
        let settings = &members[location.member].settings;
        let own = !location.is_catch_all() && settings.wants_regex(&location.path);
        match (judged(&location.path, own), own) {
            (Ok((text, engine)), _) => {
                let rewrite = (own && settings.rewrites(&location.path)).then(|| rewrite_pattern(&text, engine));
                list.push(Placed { location: index, path: starts_with(&text, engine), serves: Serves::Location(rewrite) });
            }
            (Err(why), _) => closed.push((index, why)),
        }
    }
    for (index, why) in closed {
        close(locations, &mut list, index, why);
    }
    list
}

/// The text as a pattern. A neighbour's path that is none means itself: its owner never asked for patterns.
fn judged(path: &str, own: bool) -> Result<(String, Engine), String> {
    match pattern::judge(path) {
        Ok(Judged { engine, .. }) => Ok((path.to_owned(), engine)),
        Err(_) if !own => Ok((pattern::quoted(path), Engine::Linear)),
        Err(why) => Err(why),
    }
}

fn starts_with(text: &str, engine: Engine) -> PathMatch {
    match text {
        "/" => PathMatch::Prefix(Text::default()),
        _ => PathMatch::Regex(pattern::location(text, engine)),
    }
}

/// nginx's `rewrite "(?i)PATH" …`: found anywhere.
fn rewrite_pattern(text: &str, engine: Engine) -> Pattern {
    Pattern { anchor: model::Anchor::None, ..pattern::location(text, engine) }
}

/// Closes what an unusable pattern begins with, behind all routes that begin with as much or more: those of others go on as they were.
fn close(locations: &[Location<'_>], list: &mut Vec<Placed>, index: usize, why: String) {
    let literal = pattern::literal_prefix(&locations[index].path);
    let path = match literal {
        "" | "/" => PathMatch::Prefix(Text::default()),
        _ => PathMatch::Regex(pattern::location(&pattern::quoted(literal), Engine::Linear)),
    };
    let narrower = |placed: &Placed| {
        let location = &locations[placed.location];
        location.kind < LocationKind::Implicit && pattern::literal_prefix(&location.path).len() >= literal.len()
    };
    let at = list.iter().rposition(narrower).map_or(0, |last| last + 1);
    list.insert(at, Placed { location: index, path, serves: Serves::Closed(why) });
}
