//! The routing model: what users asked for, validated, in words no API owns.
//!
//! Frontends (Ingress, Gateway API, Istio) translate into these types; the data plane obeys them. It is plain data: no IO,
//! no clock, no Kubernetes. It is *not* a configuration format: nothing here is parsed from text, and nothing is printed into another
//! language.
//!
//! ```text
//! translate ──► Gateway, Listener      who listens where
//!          ├──► Shard = one Host        of one port, or of all: an ordered list of Routes; the first match wins
//!          └──► Endpoints               by BackendId, apart from routes: they change a hundred times more often
//!                   │ Update (versioned)
//!                   ▼
//!               data plane ──► Ack
//! ```
//!
//! **Invariant:** what differs between frontends is data here (order of routes, order of filters, `on_miss`, depth of a wildcard, the look
//! of local replies), never a flag the data plane switches on.

mod backend;
mod egress;
mod filter;
mod gateway;
mod name;
mod options;
mod reason;
mod route;
mod sealed;
mod shard;
mod tls;
mod tracing;
mod update;

pub use backend::{Backend, Balancing, Endpoint, Limits, Protocol as BackendProtocol};
pub use egress::{Egress, Refusal};
pub use filter::{
    Cors, ErrorPages, Fault, Filter, HeaderEdit, HttpsRedirect, Mirror, Percent, RedirectWhen, Rewrite, TemplatePart, TrailingSlash,
    Unavailable, UnmatchedPreflight,
};
pub use gateway::{Binding, Certificate, Gateway, Listener, ListenerProtocol};
pub use name::{BackendId, GatewayId, HostPattern, Hostname, HostnameError, ObjectRef, SectionName, Source, Text};
pub use options::{Forwarded, ForwardedFor, GatewayOptions, LogEscape, LogFormat, LogLine, LogPart, LogValue};
pub use reason::Reason;
pub use route::{
    Action, Anchor, Case, Engine, Forward, Host, HostTls, Match, NamedMatch, OnMiss, PathMatch, PathModifier, Pattern, Redirect,
    RedirectPort, Replies, ReplyBody, Respond, Retries, RetryOn, Route, Scheme, ServerHeader, Spill, Timeouts, Tunnel, ValueMatch,
    WeightedBackend,
};
pub use sealed::Sealed;
pub use shard::{ContentHash, Shard, ShardKey};
pub use tls::{ClientAuth, ClientTrust, Pin, TlsPolicy, TlsVersions};
pub use tracing::{Collector, CollectorProtocol, Tracing};
pub use update::{Ack, BindingState, Nack, Update, Version};
