//! TLS towards clients: who is asked for, what a handshake shows and demands, and what certificates must be to be shown or believed.
//!
//! It is *not* sockets, deadlines or tasks: those are the proxy's. Nor does it choose a host's certificate: it asks whoever knows the
//! newest routes, by server name.
//!
//! ```text
//! octets ──read_hello──► server name ──► whoever knows the routes: pass on, refuse, or a policy
//!                                                                                     │
//! Secret ──parse──► model::Certificate ──► routes            Server::config ◄─────────┘ one per policy
//!                                            ▲ by server name      │
//! ClientHello ─────────────────────────► resolver, the key ◄───────┴──► verifier: authorities, revocation, names, pins
//!                                                                                     │
//!                                                  forwarded_client_cert ◄────────────┘ who it is
//! ```
//!
//! TLS 1.2 and 1.3 with the library's own suites; ALPN `http/1.1`; session tickets under keys that change every six hours.
//!
//! **Invariant:** a private key leaves [`model::Sealed`] in [`signing`] alone, and only towards the signer.

mod certificate;
mod client;
mod hello;
mod identity;
mod resolver;
mod self_signed;
mod server;
mod signing;
mod unjudged;
mod version_one;

pub use certificate::{CertificateError, Facts, facts, parse};
pub use hello::{Alert, Hello, LONGEST_HELLO, NoHello, read_hello};
pub use identity::forwarded_client_cert;
pub use self_signed::{SelfSignedError, self_signed};
pub use server::{Carries, PolicyError, Server, ServerConfigError, check};
pub use unjudged::unjudged;
