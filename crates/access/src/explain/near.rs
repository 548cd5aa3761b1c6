//! Why a route that is near does not answer.

use crate::saying::Saying;
use model::{Match, NamedMatch, PathMatch, Scheme};
use route::{Beaten, Part, RouteTried, Tried};

/// Of each of its matches; `None`: one of them holds, or it has none.
pub(super) fn failures(tried: &RouteTried) -> Option<Vec<Saying>> {
    let all: Option<Vec<Saying>> = tried.matches.iter().map(failure).collect();
    all.filter(|it| !it.is_empty())
}

pub(super) fn beaten(why: Beaten) -> Saying {
    match why {
        Beaten::Later { place, winner } => Saying::ComesLater { place: place.to_string(), winner: winner.to_string() },
        Beaten::Wider { host, winner } => Saying::HostIsWider { host: host.to_string(), winner: winner.to_string() },
    }
}

fn failure(tried: &Tried) -> Option<Saying> {
    Some(match tried {
        Tried::Holds { .. } => return None,
        Tried::OverBudget => Saying::PatternOverBudget {},
        Tried::Broken => Saying::PatternBroken {},
        Tried::Fails { part, wanted } => differs(*part, wanted),
    })
}

fn differs(part: Part, wanted: &Match) -> Saying {
    let name = |it: Option<&NamedMatch>| it.map(|it| it.name.to_string()).unwrap_or_default();
    match part {
        Part::Path => match &wanted.path {
            // Every path is one of these.
            PathMatch::Any => Saying::PathNotBelow { path: "/".to_owned() },
            PathMatch::Exact(path) => Saying::PathDiffers { path: path.to_string() },
            PathMatch::Prefix(path) => Saying::PathNotBelow { path: path.to_string() },
            PathMatch::StartsWith(path) => Saying::PathBeginsOtherwise { path: path.to_string() },
            PathMatch::Regex(pattern) => Saying::PathNotMatched { pattern: pattern.text.to_string() },
        },
        Part::Method => Saying::MethodDiffers { method: wanted.method.as_deref().unwrap_or_default().to_owned() },
        Part::Scheme => {
            let scheme = if wanted.scheme == Some(Scheme::Http) { "http" } else { "https" };
            Saying::SchemeDiffers { scheme: scheme.to_owned() }
        }
        Part::Header(index) => Saying::HeaderDiffers { name: name(wanted.headers.get(index)) },
        Part::Query(index) => Saying::QueryDiffers { name: name(wanted.query.get(index)) },
        Part::Cookie(index) => Saying::CookieDiffers { name: name(wanted.cookies.get(index)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_that_differs_is_named() {
        let wanted = |path| Match { path, method: Some("POST".into()), ..Match::default() };
        for (part, path, expect) in [
            (Part::Path, PathMatch::Exact("/a".into()), "path is not `/a`"),
            (Part::Path, PathMatch::Prefix("/a".into()), "path is not `/a` or below"),
            (Part::Path, PathMatch::StartsWith("/a".into()), "path does not start with `/a`"),
            (Part::Method, PathMatch::Any, "method is not POST"),
            (Part::Scheme, PathMatch::Any, "scheme is not https"),
        ] {
            assert_eq!(differs(part, &wanted(path)).to_string(), expect);
        }
    }
}
