//! What tests share: the golden runner, probes, tutorials, origins that record and misbehave, a raw HTTP/1 client, a browser, certificates, an OIDC issuer,
//! ports; with feature `collector`, a receiver
//! of spans.
//!
//! It knows no crate of ours and no HTTP library: a test that used the code under test to judge it would prove little. Everything
//! here blocks and runs on plain threads, so it works beside any runtime.
//!
//! ```text
//! golden folder ─► golden::Case ─► produced by a closure ─► compared, or accepted (PAIFANG_ACCEPT=1)
//!        └ probe.http ─► probe::Probe ─► asked by a closure ─► compared
//! client::Connection ──octets──► the code under test ──octets──► origin::Origin (records, misbehaves)
//! ```
//!
//! **Invariant:** every wait has a deadline ([`PATIENCE`]), far longer than any test needs; none is a measurement.

pub mod browser;
pub mod certificates;
pub mod client;
#[cfg(feature = "collector")]
pub mod collector;
pub mod golden;
pub mod issuer;
pub mod message;
pub mod origin;
pub mod ports;
pub mod probe;
pub mod shell;
pub mod tutorial;
mod wait;

pub use wait::{PATIENCE, eventually};
