//! TLS towards clients: which certificate a handshake shows, and what a certificate must be to be shown.
//!
//! It is *not* sockets, deadlines or tasks: those are the proxy's. Nor does it choose a host's certificate: it asks whoever knows the
//! newest routes, by server name.
//!
//! ```text
//! Secret ──parse──► model::Certificate ──► routes
//!                                            ▲ by server name
//! ClientHello ──────► server_config's resolver ──► the key, ready to sign (kept per certificate)
//! ```
//!
//! TLS 1.2 and 1.3 with the library's own suites; ALPN `http/1.1`; session tickets under keys that change every six hours.
//!
//! **Invariant:** a private key leaves [`model::Sealed`] in [`signing`] alone, and only towards the signer.

mod certificate;
mod resolver;
mod self_signed;
mod signing;

pub use certificate::{CertificateError, Facts, facts, parse};
pub use resolver::{ServerConfigError, server_config};
pub use self_signed::{SelfSignedError, self_signed};
