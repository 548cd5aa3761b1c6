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
mod edits;
mod headers;
mod hsts;
mod https_redirect;
mod redirect;
mod reply;
mod rewrite;
mod safe;
mod set_host;

pub use edits::Edits;
pub use reply::{Flow, Reply};

use model::{Action, Filter};
use route::{CompiledRoute, Request};

/// What filters need to know beyond the request.
pub struct Context<'a> {
    /// Path and query as sent, without scheme and authority (`/a%20b/?q`).
    pub raw_target: &'a str,
    /// The port at which this socket's address answers https; `None`: 443.
    pub https_port: Option<u16>,
    /// Whether a certificate is known for the request's host. Asked only where a filter depends on it.
    pub certificate_known: &'a dyn Fn() -> bool,
}

/// Runs the route's filters in order, then its action if that is an answer. `Continue` means: forward, with these edits.
///
/// `edits` is cleared first.
pub fn run(route: &CompiledRoute, request: &Request, context: &Context, edits: &mut Edits) -> Flow {
    edits.clear();
    for (index, (filter, expression)) in route.filters().enumerate() {
        let flow = match filter {
            Filter::HttpsRedirect(redirect) => https_redirect::run(redirect, request, context),
            Filter::Rewrite(rewrite) => rewrite::run(rewrite, expression, request, edits),
            Filter::SetHost(_) => set_host::run(index, edits),
            Filter::BodyLimit(limit) => body_limit::run(*limit, edits),
            Filter::RequestHeader(_) => headers::request(index, edits),
            Filter::ResponseHeader(_) => headers::response(index, edits),
            Filter::Hsts(_) => hsts::run(index, request, edits),
            Filter::Cors(_) | Filter::Fault(_) | Filter::Mirror(_) => Flow::Continue,
        };
        if let Flow::Respond(_) = flow {
            return flow;
        }
    }
    match route.action() {
        Action::Forward(_) => Flow::Continue,
        Action::Redirect(redirect) => Flow::Respond(redirect::answer(redirect, request, context)),
        Action::Respond(respond) => {
            Flow::Respond(Reply { status: respond.status, reason: respond.reason, location: None, body: respond.body.clone() })
        }
    }
}

#[cfg(test)]
mod tests;
