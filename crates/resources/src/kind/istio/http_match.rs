//! Which requests a rule is for.

use super::{StringMatch, closes, labels};
use crate::at::{At, Problems};
use crate::kind::meta::Name;
use crate::problem::{Cause, Problem};
use model::Text;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpMatch {
    pub index: usize,
    pub uri: Option<StringMatch>,
    pub ignore_case: bool,
    pub scheme: Option<StringMatch>,
    pub method: Option<StringMatch>,
    pub authority: Option<StringMatch>,
    /// Names are lower case.
    pub headers: BTreeMap<Text, StringMatch>,
    pub without: BTreeMap<Text, StringMatch>,
    pub query: BTreeMap<Text, StringMatch>,
    /// Of the Gateway's server.
    pub port: Option<u16>,
    /// As written, for example `mesh` or `demo/gateway`; empty: as the VirtualService says.
    pub gateways: BTreeSet<GatewayName>,
    /// Of the gateway's workload.
    pub source_labels: BTreeMap<Text, Text>,
    pub source_namespace: Option<Text>,
    /// It asks for a claim of a token, and no token is read: no request has it.
    pub never: bool,
    /// Something in it cannot be read: what the rest of it matches answers 503.
    pub closed: bool,
}

/// A name in `gateways`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayName {
    /// Every sidecar.
    Mesh,
    Gateway(Name),
}

// === impl HttpMatch ===

impl HttpMatch {
    pub(crate) fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Self {
        let before = problems.len();
        let mut read = Self { index, ..Self::default() };
        if at.expected(at.value.as_object(), "a mapping", problems).is_some() {
            let string = |name, problems: &mut Problems| at.field(name).map(|at| StringMatch::read(&at, problems));
            read.uri = string("uri", problems);
            read.ignore_case = at.flag("ignoreUriCase", problems).unwrap_or(false);
            read.scheme = string("scheme", problems);
            read.method = string("method", problems);
            read.authority = string("authority", problems);
            read.headers = named(at, "headers", problems);
            read.without = named(at, "withoutHeaders", problems);
            read.query = strings(at, "queryParams", problems);
            read.port = at.port("port", problems);
            read.gateways = gateways(at, namespace, problems).into_iter().map(|(_, name)| name).collect();
            read.source_labels = labels(at, "sourceLabels", problems);
            read.source_namespace = at.text("sourceNamespace", problems).filter(|it| !it.is_empty());
            read.claims(at, problems);
        }
        read.closed |= closes(&problems[before..]);
        // What is closed is closed for all that it could mean.
        if read.closed {
            read.without.clear();
        }
        read
    }

    /// Claims of tokens are verified by what is not here.
    fn claims(&mut self, at: &At<'_>, problems: &mut Problems) {
        const CLAIM: &str = "@request.auth.claims";
        let claimed = |map: &BTreeMap<Text, StringMatch>| map.keys().any(|name| name.starts_with(CLAIM));
        if claimed(&self.headers) {
            let problem = Problem::error(
                format!("{at}.headers"),
                Cause::Unsupported,
                "tokens are not read, so no request has this claim, and none matches",
            );
            problems.push(problem.hint("Match on a header that the client, or whoever is before this gateway, sends"));
            self.never = true;
        }
        if claimed(&self.without) {
            let message = "tokens are not read, so nobody can be told not to have this claim: what the rest matches answers 503";
            problems.push(Problem::error(format!("{at}.withoutHeaders"), Cause::Unsupported, message));
            self.closed = true;
        }
        self.headers.retain(|name, _| !name.starts_with(CLAIM));
        self.without.retain(|name, _| !name.starts_with(CLAIM));
    }
}

/// Names of headers in lower case.
fn named(at: &At<'_>, field: &str, problems: &mut Problems) -> BTreeMap<Text, StringMatch> {
    strings(at, field, problems).into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value)).collect()
}

fn strings(at: &At<'_>, field: &str, problems: &mut Problems) -> BTreeMap<Text, StringMatch> {
    let mut map = BTreeMap::new();
    at.entries(field, problems, |name, at, problems| {
        map.insert(name.into(), StringMatch::read(at, problems));
    });
    map
}

/// The names in `gateways`, with their place.
pub(crate) fn gateways(at: &At<'_>, own: &Text, problems: &mut Problems) -> Vec<(usize, GatewayName)> {
    let mut names = Vec::new();
    at.list("gateways", problems, |index, at, problems| {
        if let Some(text) = at.expected(at.value.as_str(), "a string", problems) {
            names.push((index, GatewayName::new(text, own)));
        }
    });
    names
}

// === impl GatewayName ===

impl GatewayName {
    /// `name`, `namespace/name`, `./name`, and the old `name.namespace.svc.domain`.
    fn new(text: &str, own: &Text) -> Self {
        let name = match text.split_once('/') {
            Some((".", name)) => Name::new(own.clone(), name),
            Some((namespace, name)) => Name::new(namespace, name),
            None if text == "mesh" => return Self::Mesh,
            None => match text.split('.').collect::<Vec<_>>().as_slice() {
                [name, namespace, "svc", ..] => Name::new(*namespace, *name),
                _ => Name::new(own.clone(), text),
            },
        };
        Self::Gateway(name)
    }
}
