//! Everything that is answered, as one table.
//!
//! **Invariant:** what is not listed here does not exist: a path below `/console/` that no row has is 404, a method that no row of it has
//! is 405.

use http::Method;

use crate::path;

/// Who is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Also who is not signed in.
    Anyone,
    SignedIn,
    /// Who may get the IngressGateway that the path names.
    Gateway,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    pub method: &'static str,
    /// `{namespace}` and `{name}` stand for one segment each.
    pub path: &'static str,
    pub access: Access,
    pub(crate) action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Session,
    Login,
    Logout,
    Oidc,
    OidcStart,
    OidcCallback,
    Serving,
    Metrics,
    Logs,
    Try,
    Check,
    Endpoints,
    Annotations,
    Options,
    Permissions,
    GeneratedHost,
    Certificate,
    Pools,
}

/// What is answered below `/console/`.
pub const ENDPOINTS: &[Endpoint] = &[
    row("GET", "/console/session", Access::SignedIn, Action::Session),
    row("POST", "/console/login", Access::Anyone, Action::Login),
    row("POST", "/console/logout", Access::SignedIn, Action::Logout),
    row("GET", "/console/oidc", Access::Anyone, Action::Oidc),
    row("GET", "/console/oidc/start", Access::Anyone, Action::OidcStart),
    row("GET", "/console/oidc/callback", Access::Anyone, Action::OidcCallback),
    row("GET", "/console/gateways", Access::SignedIn, Action::Serving),
    row("GET", "/console/gateways/{namespace}/{name}/metrics", Access::Gateway, Action::Metrics),
    row("GET", "/console/gateways/{namespace}/{name}/logs", Access::Gateway, Action::Logs),
    row("POST", "/console/gateways/{namespace}/{name}/try", Access::Gateway, Action::Try),
    row("POST", "/console/gateways/{namespace}/{name}/check", Access::Gateway, Action::Check),
    row("GET", "/console/gateways/{namespace}/{name}/endpoints", Access::Gateway, Action::Endpoints),
    row("GET", "/console/annotations", Access::SignedIn, Action::Annotations),
    row("GET", "/console/options", Access::SignedIn, Action::Options),
    row("GET", "/console/permissions", Access::SignedIn, Action::Permissions),
    row("POST", "/console/generated-host", Access::SignedIn, Action::GeneratedHost),
    row("POST", "/console/certificate", Access::SignedIn, Action::Certificate),
    row("GET", "/console/pools", Access::SignedIn, Action::Pools),
];

const fn row(method: &'static str, path: &'static str, access: Access, action: Action) -> Endpoint {
    Endpoint { method, path, access, action }
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Goal {
    Endpoint(&'static Endpoint, Vec<String>),
    Api,
    /// A file of the application, or the application itself.
    Page,
    NotFound,
    MethodNotAllowed,
}

/// `path` has one meaning ([`path::check`]).
pub(crate) fn find(method: &Method, path: &str) -> Goal {
    if path::is_of_api(path) {
        return Goal::Api;
    }
    if path != "/console" && !path.starts_with("/console/") {
        return match crate::origin::only_reads(method) {
            true => Goal::Page,
            false => Goal::MethodNotAllowed,
        };
    }
    let mut of_path = ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, values(endpoint.path, path)?))).peekable();
    if of_path.peek().is_none() {
        return Goal::NotFound;
    }
    let fits = |wanted: &str| method == wanted || method == Method::HEAD && wanted == "GET";
    match of_path.find(|(endpoint, _)| fits(endpoint.method)) {
        Some((endpoint, values)) => Goal::Endpoint(endpoint, values),
        None => Goal::MethodNotAllowed,
    }
}

/// What stands for the names of a pattern.
fn values(pattern: &str, path: &str) -> Option<Vec<String>> {
    if pattern.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut values = Vec::new();
    for (wanted, is) in pattern.split('/').zip(path.split('/')) {
        match wanted.starts_with('{') {
            true => values.push(String::from_utf8(path::decoded(is)?).ok().filter(|value| !value.is_empty())?),
            false if wanted == is => {}
            false => return None,
        }
    }
    Some(values)
}
