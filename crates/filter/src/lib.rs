//! What happens to a request between its route and its backend, one file per filter.
//!
//! Pure: no IO. It is *not* where the order of filters is decided: a route carries its list, and [`run`] goes through it.
//!
//! ```text
//! CompiledRoute, Request ──run──► Flow::Continue + Edits    to the backend, changed like this
//!                            └──► Flow::Respond(Reply)      answered here
//! ```
//!
//! [`Edits`] is reused from request to request and allocates only where something is edited. Header edits stay in the route and are
//! numbered, so that workers do not count references on them.
//!
//! **Invariant:** no octet outside of visible ASCII, and no dot segment, leaves a rewrite or a redirect.

mod body_limit;
mod cors;
mod edits;
mod error_pages;
mod fault;
mod headers;
mod hsts;
mod https_redirect;
mod mirror;
mod redirect;
mod reply;
mod rewrite;
mod safe;
mod set_host;

pub use cors::Permission;
pub use edits::Edits;
pub use reply::{Flow, Reply};

use edits::Step;
use model::{Action, Filter};
use route::{CompiledRoute, Expression, Request};

/// What filters need to know beyond the request.
pub struct Context<'a> {
    /// Path and query as sent, without scheme and authority (`/a%20b/?q`).
    pub raw_target: &'a str,
    /// The port at which this socket's address answers https; `None`: 443.
    pub https_port: Option<u16>,
    /// Whether a certificate is known for the request's host. Asked only where a filter depends on it.
    pub certificate_known: &'a dyn Fn() -> bool,
    /// A number below a million, by chance. Asked only where a filter is for a share of requests.
    pub chance: &'a dyn Fn() -> u32,
}

/// Runs the route's filters in order, then its action if that is an answer. `Continue` means: forward, with these edits.
///
/// `edits` is cleared first.
pub fn run(route: &CompiledRoute, request: &Request, context: &Context, edits: &mut Edits) -> Flow {
    edits.clear();
    for (index, (filter, expressions)) in route.filters().enumerate() {
        let flow = step(Step::Route(index), filter, expressions, request, context, edits);
        if let Flow::Respond(_) = flow {
            return flow;
        }
    }
    match route.action() {
        Action::Forward(_) => Flow::Continue,
        Action::Redirect(redirect) => Flow::Respond(redirect::answer(redirect, request, context)),
        Action::Respond(respond) => Flow::Respond(Reply { body: respond.body.clone(), ..Reply::refuse(respond.status, respond.reason) }),
    }
}

/// Runs the filters of the backend that was picked, after the route's.
pub fn run_backend(route: &CompiledRoute, backend: usize, request: &Request, context: &Context, edits: &mut Edits) -> Flow {
    for (index, (filter, expressions)) in route.backend_filters(backend).enumerate() {
        let flow = step(Step::Backend(backend, index), filter, expressions, request, context, edits);
        if let Flow::Respond(_) = flow {
            return flow;
        }
    }
    Flow::Continue
}

fn step(step: Step, filter: &Filter, expressions: &[Option<Expression>], request: &Request, context: &Context, edits: &mut Edits) -> Flow {
    let expression = || expressions.first().and_then(Option::as_ref);
    match filter {
        Filter::HttpsRedirect(redirect) => https_redirect::run(redirect, request, context),
        Filter::Rewrite(rewrite) => rewrite::run(rewrite, expression(), request, edits),
        Filter::SetHost(_) => set_host::run(step, edits),
        Filter::BodyLimit(limit) => body_limit::run(*limit, edits),
        Filter::RequestHeader(_) => headers::request(step, edits),
        Filter::ResponseHeader(_) => headers::response(step, edits),
        Filter::Hsts(_) => hsts::run(step, request, edits),
        Filter::Cors(cors) => cors::run(step, cors, expressions, request, edits),
        Filter::Fault(fault) => fault::run(fault, context, edits),
        Filter::Mirror(mirror) => mirror::run(step, mirror, context, edits),
        Filter::ErrorPages(_) => error_pages::run(step, edits),
    }
}

#[cfg(test)]
mod tests;
