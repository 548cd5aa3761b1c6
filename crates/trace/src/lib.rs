//! Tells collectors of spans what workers have left for them, by OTLP.
//!
//! It is *not* where requests are sampled, or what is told of them decided: that is `proxy`, which leaves it in [`observe::Spans`]. It has no part
//! in any request: a collector that is slow, gone or wrong costs spans, which are counted, and nothing else.
//!
//! ```text
//! workers ──► observe::Spans ──► run ─┬─► Courier ─► batches ─► OTLP/gRPC or OTLP/HTTP ══► a collector
//!                (bounded)            └─► Courier (bounded)                          ══► another one
//! ```
//!
//! There is one courier for each collector that a gateway names, whether or not there is anything to tell: what is wrong with it is known before
//! the first request. What it could not tell it tries again, later each time.
//!
//! **Invariant:** what waits is bounded, each wait has a deadline, and one collector never holds up another.
//!
//! **Invariant:** nothing is connected to that no backend may be either ([`model::Egress`]).

mod courier;
mod dial;
mod line;
mod otlp;
mod run;

pub use run::{Exporter, Faults};

/// What a collector is told of this process: `service.version`.
const VERSION: &str = env!("CARGO_PKG_VERSION");
