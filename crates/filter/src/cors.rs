//! Cross-origin rules (Fetch standard, "CORS protocol").
//!
//! A preflight of an allowed origin is answered here. `Access-Control-Allow-Origin` always names the origin: `*` would not go with
//! credentials, and `Vary` tells caches.

use crate::edits::Step;
use crate::{Edits, Flow, Reply};
use model::{Cors, Reason, Text, UnmatchedPreflight};
use route::{Expression, Found, Request, check_value};

/// What the answer to an actual request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission<'a> {
    pub origin: &'a str,
    pub credentials: bool,
    expose: &'a [Text],
}

impl<'a> Permission<'a> {
    /// Fields of a backend's answer that the permission takes the place of. In lower case.
    pub const REPLACES: [&'static str; 3] =
        ["access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"];

    pub(crate) fn of(cors: &'a Cors, origin: &'a str) -> Self {
        Self { origin, credentials: cors.credentials, expose: &cors.expose }
    }

    /// Value of `Access-Control-Expose-Headers`.
    pub fn expose(&self) -> Option<String> {
        exposed(self.expose)
    }
}

fn exposed(names: &[Text]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(","))
}

pub(crate) fn run(step: Step, cors: &Cors, expressions: &[Option<Expression>], request: &Request, edits: &mut Edits) -> Flow {
    let Some(origin) = visible(request, "origin") else { return Flow::Continue };
    let method = visible(request, "access-control-request-method").filter(|_| request.method == "OPTIONS");
    let allowed = match allows(cors, expressions, origin) {
        Found::Yes => true,
        Found::No => false,
        Found::OverBudget => return Flow::Respond(Reply::refuse(400, Reason::BadRequest)),
    };
    match (allowed, method) {
        (true, Some(method)) => Flow::Respond(preflight(cors, origin, method, request)),
        (true, None) => {
            edits.cors = Some(step);
            edits.origin.clear();
            edits.origin.push_str(origin);
            Flow::Continue
        }
        (false, Some(_)) if cors.unmatched == UnmatchedPreflight::Answer => Flow::Respond(answer(cors)),
        (false, _) => Flow::Continue,
    }
}

/// Permissions do not depend on what is asked for: a page compares by itself.
fn preflight(cors: &Cors, origin: &str, method: &str, request: &Request) -> Reply {
    let mut reply = answer(cors);
    let mut say = |name, value: String| reply.fields.push((name, value));
    say("Access-Control-Allow-Origin", origin.to_owned());
    if cors.credentials {
        say("Access-Control-Allow-Credentials", "true".to_owned());
    }
    let asked = || visible(request, "access-control-request-headers");
    let lists = [
        ("Access-Control-Allow-Methods", listed(cors, &cors.methods, || Some(method))),
        ("Access-Control-Allow-Headers", listed(cors, &cors.headers, asked)),
        // Browsers do not look at it here. Gateway API's conformance suite does, and ingress-nginx and Envoy say it, too.
        ("Access-Control-Expose-Headers", exposed(&cors.expose)),
    ];
    for (name, list) in lists {
        if let Some(list) = list {
            say(name, list);
        }
    }
    if let Some(age) = cors.max_age {
        say("Access-Control-Max-Age", age.as_secs().to_string());
    }
    reply
}

/// What is listed; with credentials `*` would be a name, so what was asked for is named instead.
fn listed<'a>(cors: &Cors, list: &[Text], asked: impl FnOnce() -> Option<&'a str>) -> Option<String> {
    if list.is_empty() {
        return None;
    }
    let all = list.iter().any(|it| **it == *"*");
    if all && cors.credentials { asked().map(str::to_owned) } else { Some(list.join(",")) }
}

fn answer(cors: &Cors) -> Reply {
    let fields = vec![("Vary", "Origin".to_owned())];
    Reply { fields, body: Some(Text::default()), ..Reply::refuse(cors.preflight, Reason::Respond) }
}

fn allows(cors: &Cors, expressions: &[Option<Expression>], origin: &str) -> Found {
    for (at, wanted) in cors.origins.iter().enumerate() {
        let expression = expressions.get(at).and_then(Option::as_ref);
        match check_value(wanted, expression, Some(origin.as_bytes())) {
            Found::No => {}
            other => return other,
        }
    }
    Found::No
}

/// A field that can be said back as it is: visible ASCII and spaces.
fn visible<'r>(request: &Request<'r>, name: &str) -> Option<&'r str> {
    let value = std::str::from_utf8(request.headers.first(name)?).ok()?;
    (!value.is_empty() && value.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic())).then_some(value)
}
