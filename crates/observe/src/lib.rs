//! What a gateway tells about itself: metrics, access log, traces, health.
//!
//! It is *not* on the request path: a worker adds to counters of its own and appends a line to a buffer of its own; reading, adding up,
//! printing and writing happen elsewhere.
//!
//! ```text
//! worker 0 ─┬─ counters of worker 0 ──┐
//! worker 1 ─┼─ counters of worker 1 ──┴──► render ──► /metrics    (serve)
//!           ├─ line ──► bounded buffer per worker ──► one thread ──► stdout or file
//!           └─ span ──► bounded buffer per worker ──► whoever tells a collector
//! ```
//!
//! **Invariant:** no worker ever waits here: what does not fit is dropped and counted.
//!
//! **Invariant:** label values come from configuration, never from requests, and their number is bounded.

mod access_log;
mod admin;
mod cells;
mod context;
mod history;
mod json;
mod kept;
mod log_line;
mod metrics;
mod render;
mod spans;
mod tunnel;

pub use access_log::{AccessLog, Exchange, RouteRef, Sink, Upstream};
pub use admin::{Admin, Beside};
pub use context::{TraceContext, hexadecimal, trace_state};
pub use history::{Counted, History, Point, STEP, remember};
pub use kept::{Keeper, Kept, Lines, Reader, Sieve, Wanted};
pub use log_line::{Heard, Own};
pub use metrics::{BackendMetrics, ListenerMetrics, Measured, Metrics, RouteMetrics};
pub use spans::{Spans, Traced, Try};
pub use tunnel::{Passage, TunnelMetrics};
