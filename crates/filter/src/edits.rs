//! What filters change about a request and its answer.

use model::{Filter, HeaderEdit};
use route::{CompiledRoute, Groups};

/// A list of edits beside an untouched request. Reused from request to request.
#[derive(Debug, Default)]
pub struct Edits {
    pub(crate) rewritten: bool,
    /// The whole new target, path and query, if rewritten.
    pub(crate) target: String,
    /// Length of the path within `target`.
    pub(crate) path: usize,
    pub(crate) body_limit: Option<u64>,
    /// Indexes into the route's filters.
    pub(crate) host: Option<usize>,
    pub(crate) hsts: Option<usize>,
    pub(crate) request: Vec<usize>,
    pub(crate) response: Vec<usize>,
    pub(crate) groups: Groups,
    pub(crate) scratch: String,
}

impl Edits {
    pub fn clear(&mut self) {
        self.rewritten = false;
        self.target.clear();
        self.path = 0;
        self.body_limit = None;
        self.host = None;
        self.hsts = None;
        self.request.clear();
        self.response.clear();
    }

    /// The target the upstream gets instead of the request's canonical one: path and, if any, `?` and query.
    pub fn target(&self) -> Option<&str> {
        self.rewritten.then_some(&*self.target)
    }

    /// The path as rewritten so far.
    pub(crate) fn path<'a>(&'a self, request: &route::Request<'a>) -> &'a str {
        if self.rewritten { &self.target[..self.path] } else { request.path }
    }

    /// The `Host` the upstream gets instead of the request's.
    pub fn host<'r>(&self, route: &'r CompiledRoute) -> Option<&'r str> {
        match filter(route, self.host?) {
            Some(Filter::SetHost(host)) => Some(host),
            _ => None,
        }
    }

    /// `Strict-Transport-Security`, in place of the backend's.
    pub fn hsts<'r>(&self, route: &'r CompiledRoute) -> Option<&'r str> {
        match filter(route, self.hsts?) {
            Some(Filter::Hsts(value)) => Some(value),
            _ => None,
        }
    }

    /// Most octets a request body may have.
    pub fn body_limit(&self) -> Option<u64> {
        self.body_limit
    }

    /// Edits of the request's header, in order.
    pub fn request_headers<'r>(&'r self, route: &'r CompiledRoute) -> impl Iterator<Item = &'r HeaderEdit> {
        self.request.iter().filter_map(|index| header(route, *index))
    }

    /// Edits of the answer's header, in order.
    pub fn response_headers<'r>(&'r self, route: &'r CompiledRoute) -> impl Iterator<Item = &'r HeaderEdit> {
        self.response.iter().filter_map(|index| header(route, *index))
    }
}

fn filter(route: &CompiledRoute, index: usize) -> Option<&Filter> {
    route.filters().nth(index).map(|(filter, _)| filter)
}

fn header(route: &CompiledRoute, index: usize) -> Option<&HeaderEdit> {
    match filter(route, index)? {
        Filter::RequestHeader(edit) | Filter::ResponseHeader(edit) => Some(edit),
        _ => None,
    }
}
