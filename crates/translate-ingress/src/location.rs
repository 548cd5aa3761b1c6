//! What the Ingresses of a host say about its paths: who owns which.

use crate::canary_routes::Attached;
use crate::settings::Settings;
use model::{HostPattern, ObjectRef, Text};
use resources::{Cause, HttpPath, Ingress, IngressBackend, Kind, PathType, Problem, Rule, host_pattern};
use std::cmp::Ordering;
use std::collections::HashMap;

/// An Ingress that has a say in the host, with its settings and what is told to its owner.
pub(crate) struct Member<'a> {
    pub(crate) ingress: &'a Ingress,
    pub(crate) settings: Settings,
    pub(crate) problems: Vec<Problem>,
}

/// A path of the host and what it leads to.
pub(crate) struct Location<'a> {
    /// Index of the member whose it is.
    pub(crate) member: usize,
    /// Never empty: a missing path is `/`.
    pub(crate) path: Text,
    pub(crate) kind: LocationKind,
    /// `None`: 404.
    pub(crate) backend: Option<&'a IngressBackend>,
    /// Field path of what made it.
    pub(crate) rule: Text,
    /// Field path of the backend.
    pub(crate) backend_at: Text,
    pub(crate) canary: Option<Attached>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LocationKind {
    Exact,
    /// `Prefix`, and `ImplementationSpecific`, which ingress-nginx treats alike.
    Prefix,
    /// The `/` that every host has where nobody names one.
    Implicit,
    /// The default backend of an Ingress without rules, for hosts that nobody names. Annotations about rewriting and redirects say nothing.
    CatchAll,
}

// === impl Member ===

impl Member<'_> {
    pub(crate) fn object(&self) -> ObjectRef {
        Kind::Ingress.object_ref(&self.ingress.meta.name)
    }

    pub(crate) fn is_canary(&self) -> bool {
        self.settings.canary.is_some()
    }
}

/// Oldest first; on a tie the names decide, downwards, as in ingress-nginx.
pub(crate) fn by_age(a: &Ingress, b: &Ingress) -> Ordering {
    let name = |ingress: &Ingress| format!("{}/{}", ingress.meta.name.namespace, ingress.meta.name.name);
    a.meta.created.cmp(&b.meta.created).then_with(|| name(b).cmp(&name(a)))
}

/// The rules of an Ingress that are about this host.
pub(crate) fn rules<'a>(ingress: &'a Ingress, host: &'a HostPattern) -> impl Iterator<Item = &'a Rule> {
    ingress.rules.iter().filter(move |rule| host_pattern(&rule.host).as_ref() == Ok(host))
}

/// The locations of a host, each owned by the oldest that names it; the younger are told who that is.
pub(crate) fn locations<'a>(members: &mut [Member<'a>], host: &'a HostPattern) -> Vec<Location<'a>> {
    let mut locations: Vec<Location<'a>> = Vec::new();
    let mut owners: HashMap<(Text, LocationKind), usize> = HashMap::new();
    for index in 0..members.len() {
        if members[index].is_canary() {
            continue;
        }
        let ingress = members[index].ingress;
        for rule in rules(ingress, host) {
            for path in rule.paths.iter().flatten() {
                let location = Location::declared(index, rule, path);
                let owner =
                    owners.get(&(location.path.clone(), location.kind)).map(|at| (locations[*at].member, locations[*at].rule.clone()));
                match owner {
                    None => {
                        owners.insert((location.path.clone(), location.kind), locations.len());
                        locations.push(location);
                    }
                    Some((owner, at)) => {
                        let problem = duplicate(members, host, &location, owner, &at);
                        members[index].problems.push(problem);
                    }
                }
            }
        }
    }
    if !owners.contains_key(&(Text::from("/"), LocationKind::Prefix)) {
        locations.extend(implicit(members, host));
    }
    locations
}

/// The `/` of a host where no rule has one: the default backend of the Ingress that is the first to name the host.
fn implicit<'a>(members: &mut [Member<'a>], host: &HostPattern) -> Option<Location<'a>> {
    if *host == HostPattern::Any {
        return catch_all(members);
    }
    let creator = members.iter().position(|member| !member.is_canary() && rules(member.ingress, host).next().is_some())?;
    let ingress = members[creator].ingress;
    let backend = ingress.default_backend.as_ref();
    let rule = match backend {
        Some(_) => "spec.defaultBackend".to_owned(),
        None => format!("spec.rules[{}]", rules(ingress, host).next()?.index),
    };
    let owner = members[creator].object();
    let later = members.iter_mut().enumerate().filter(|(index, member)| *index != creator && !member.is_canary());
    for (_, member) in later {
        unused_default(member, host, &owner);
    }
    Some(Location::new(creator, "/".into(), LocationKind::Implicit, backend, rule.into(), "spec.defaultBackend".into()))
}

/// Tells an Ingress whose rule is only a host that its default backend is not asked.
fn unused_default(member: &mut Member<'_>, host: &HostPattern, owner: &ObjectRef) {
    let ingress = member.ingress;
    let bare = rules(ingress, host).find(|rule| rule.paths.is_none());
    if let (Some(rule), Some(_)) = (bare, &ingress.default_backend) {
        let message = format!("{owner} named host `{host}` before, so its default backend answers there");
        member.problems.push(Problem::error(format!("spec.rules[{}]", rule.index), Cause::DuplicatePath, message).hint("Add a path `/`"));
    }
}

fn catch_all<'a>(members: &mut [Member<'a>]) -> Option<Location<'a>> {
    let mut found: Option<usize> = None;
    for index in 0..members.len() {
        let ingress = members[index].ingress;
        if !ingress.catch_all || members[index].is_canary() || ingress.default_backend.is_none() {
            continue;
        }
        match found {
            None => found = Some(index),
            Some(owner) => {
                let message = format!("{} came first and is the default backend of all hosts", members[owner].object());
                let problem = Problem::error("spec.defaultBackend", Cause::DuplicatePath, message);
                members[index].problems.push(problem.hint("Delete one of the two, or give this one rules"));
            }
        }
    }
    let owner = found?;
    let backend = members[owner].ingress.default_backend.as_ref();
    Some(Location::new(owner, "/".into(), LocationKind::CatchAll, backend, "spec.defaultBackend".into(), "spec.defaultBackend".into()))
}

fn duplicate(members: &[Member<'_>], host: &HostPattern, location: &Location<'_>, owner: usize, at: &str) -> Problem {
    let path = &location.path;
    let message = if owner == location.member {
        format!("`{path}` of host `{host}` is named twice; {at} is used")
    } else {
        format!("`{path}` of host `{host}` belongs to {}, which came first ({at})", members[owner].object())
    };
    Problem::error(format!("{}.path", location.rule), Cause::DuplicatePath, message).hint("Use another path or host, or make it a canary")
}

// === impl Location ===

impl<'a> Location<'a> {
    fn new(member: usize, path: Text, kind: LocationKind, backend: Option<&'a IngressBackend>, rule: Text, backend_at: Text) -> Self {
        Self { member, path, kind, backend, rule, backend_at, canary: None }
    }

    fn declared(member: usize, rule: &Rule, path: &'a HttpPath) -> Self {
        let at = format!("spec.rules[{}].http.paths[{}]", rule.index, path.index);
        let backend_at = format!("{at}.backend").into();
        Self::new(member, path_text(path), LocationKind::of(path.path_type), Some(&path.backend), at.into(), backend_at)
    }

    /// Whether rewriting and regular expressions apply.
    pub(crate) fn is_catch_all(&self) -> bool {
        self.kind == LocationKind::CatchAll
    }
}

/// A missing path is `/`.
pub(crate) fn path_text(path: &HttpPath) -> Text {
    if path.path.is_empty() { "/".into() } else { path.path.clone() }
}

// === impl LocationKind ===

impl LocationKind {
    pub(crate) fn of(path_type: PathType) -> Self {
        match path_type {
            PathType::Exact => Self::Exact,
            PathType::Prefix | PathType::ImplementationSpecific => Self::Prefix,
        }
    }
}
