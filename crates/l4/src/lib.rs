//! Connections that are passed on as they come, TCP and TLS that is not ours to end: where each of them goes.
//!
//! One connection is one choice: a backend by weight, an endpoint of it, a connection to that. It is *not* where octets are carried: the
//! proxy does that, whose workers have buffers, pipes and a clock. Nor is it where routes are found.
//!
//! ```text
//! model::Tunnel ──► dial: backend by weight ──► endpoint (upstream) ──► connection ──► Reached
//!                              │                     ▲       │
//!                              └─► Unreached ◄───────┴───────┘ refused: another one, while there is time
//! ```
//!
//! **Invariant:** nothing is read from the client before there is a connection to a backend, so nothing has to be kept.
//!
//! **Invariant:** a connection to a backend holds its share of the backend's limit for as long as it is open.
#![forbid(unsafe_code)]

mod dial;

pub use dial::{Dialer, Held, Reached, Unreached};
