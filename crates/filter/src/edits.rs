//! What filters change about a request and its answer.

use crate::cors::Permission;
use model::{ErrorPages, Filter, HeaderEdit, Mirror};
use route::{CompiledRoute, Groups};
use std::time::Duration;

/// A list of edits beside an untouched request. Reused from request to request.
#[derive(Debug, Default)]
pub struct Edits {
    pub(crate) rewritten: bool,
    /// The whole new target, path and query, if rewritten.
    pub(crate) target: String,
    /// Length of the path within `target`.
    pub(crate) path: usize,
    pub(crate) body_limit: Option<u64>,
    pub(crate) delay: Option<Duration>,
    pub(crate) host: Option<Step>,
    pub(crate) hsts: Option<Step>,
    pub(crate) cors: Option<Step>,
    pub(crate) pages: Option<Step>,
    /// The request's `Origin`, where `cors` allows it.
    pub(crate) origin: String,
    pub(crate) request: Vec<Step>,
    pub(crate) response: Vec<Step>,
    pub(crate) mirrors: Vec<Step>,
    pub(crate) groups: Groups,
    pub(crate) scratch: String,
}

/// Which filter: a route's own, or one of the backend that was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Route(usize),
    Backend(usize, usize),
}

impl Edits {
    pub fn clear(&mut self) {
        self.rewritten = false;
        self.target.clear();
        self.path = 0;
        self.body_limit = None;
        self.delay = None;
        self.host = None;
        self.hsts = None;
        self.cors = None;
        self.pages = None;
        self.origin.clear();
        self.request.clear();
        self.response.clear();
        self.mirrors.clear();
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

    /// What a page of another origin is allowed, in place of what the backend says.
    pub fn permission<'r>(&'r self, route: &'r CompiledRoute) -> Option<Permission<'r>> {
        match filter(route, self.cors?) {
            Some(Filter::Cors(cors)) => Some(Permission::of(cors, &self.origin)),
            _ => None,
        }
    }

    /// Who answers where its backend fails, and where the gateway has nothing better to say.
    pub fn pages<'r>(&self, route: &'r CompiledRoute) -> Option<&'r ErrorPages> {
        match filter(route, self.pages?) {
            Some(Filter::ErrorPages(pages)) => Some(pages),
            _ => None,
        }
    }

    /// How long the request waits before anything else happens.
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Most octets a request body may have.
    pub fn body_limit(&self) -> Option<u64> {
        self.body_limit
    }

    /// Edits of the request's header, in order.
    pub fn request_headers<'r>(&'r self, route: &'r CompiledRoute) -> impl Iterator<Item = &'r HeaderEdit> {
        self.request.iter().filter_map(|step| header(route, *step))
    }

    /// Edits of the answer's header, in order.
    pub fn response_headers<'r>(&'r self, route: &'r CompiledRoute) -> impl Iterator<Item = &'r HeaderEdit> {
        self.response.iter().filter_map(|step| header(route, *step))
    }

    /// Whether anything about the answer's head is changed.
    pub fn changes_answer(&self) -> bool {
        self.hsts.is_some() || self.cors.is_some() || !self.response.is_empty()
    }

    /// Where copies of the request go.
    pub fn mirrors<'r>(&'r self, route: &'r CompiledRoute) -> impl Iterator<Item = &'r Mirror> {
        self.mirrors.iter().filter_map(|step| match filter(route, *step) {
            Some(Filter::Mirror(mirror)) => Some(mirror),
            _ => None,
        })
    }

    pub fn has_mirrors(&self) -> bool {
        !self.mirrors.is_empty()
    }
}

fn filter(route: &CompiledRoute, step: Step) -> Option<&Filter> {
    match step {
        Step::Route(index) => route.filters().nth(index),
        Step::Backend(backend, index) => route.backend_filters(backend).nth(index),
    }
    .map(|(filter, _)| filter)
}

fn header(route: &CompiledRoute, step: Step) -> Option<&HeaderEdit> {
    match filter(route, step)? {
        Filter::RequestHeader(edit) | Filter::ResponseHeader(edit) => Some(edit),
        _ => None,
    }
}
