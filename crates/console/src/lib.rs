//! The console's HTTP side: who is signed in, the Kubernetes API in their place, and what is no object.
//!
//! It is *not* the application, which is in `console/` and is only handed out here; nor does it decide what somebody may do: that says the
//! Kubernetes API, of which everything is asked as the person who is signed in.
//!
//! ```text
//! TLS ─► serve ─► path, headers ─► router ─┬─► sign_in ─► Accounts (a port) ─► session, cookie
//!                                          ├─► origin, token ─► relay ─► Kubernetes API: impersonating, or with their own token
//!                                          ├─► rights (SubjectAccessReview) ─► what is no object
//!                                          └─► page: the application, or a plain page
//! ```
//!
//! What the console needs of the process it runs in are ports, one for each need ([`Accounts`], [`Gateways`], [`Explains`], [`Addresses`],
//! [`Secrets`], [`Shows`]): `paifang up` fills them from beside, in one process; alone in front of a cluster it has but few.
//!
//! **Invariant:** nobody is impersonated but who is signed in, never a name of the system; what a client says about who it is never goes on.
//! **Invariant:** nothing but what the router lists is answered, and of the API nothing but its own four beginnings.
//! **Invariant:** against a cluster a stream of the API ends within five seconds of the right to it.
//! **Invariant:** every table, body, stream and wait is bounded; a stream ends with the session it was opened in.
//! **Invariant:** no request that changes something is a GET, and none is done without the session's token, but signing in.

mod addresses;
mod app;
mod catalogue;
mod certificate;
mod cluster;
mod cookie;
mod endpoints;
mod gateways;
mod gathered;
mod logs;
mod oidc;
mod origin;
mod page;
mod path;
mod pods;
mod relay;
mod reply;
mod rights;
mod router;
mod serve;
mod session;
mod sign_in;
mod stall;
mod start;
mod token;
mod trial;
mod watched;

pub use addresses::{Addresses, Host, Owner, Pool, Port, Serving};
pub use catalogue::{Catalogues, Entry, Permission, Support};
pub use certificate::{Pem, Secrets};
pub use cluster::{Listed, Shows};
pub use endpoints::{Backend, Endpoint as BackendEndpoint};
pub use gateways::Gateways;
pub use gathered::Gathered;
pub use oidc::Elsewhere;
pub use page::{Assets, AssetsError, is_built};
pub use router::{Access, ENDPOINTS, Endpoint};
pub use sign_in::{Account, Accounts, Asked, Refused, Waiting, Ways};
pub use start::{Mode, Options, Ports, Running, StartError, start};
pub use trial::{Explains, Question};
