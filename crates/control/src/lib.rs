//! The control loop: watch → settle → translate → publish → acknowledged → status.
//!
//! The same code against the embedded API and a cluster's. It decides nothing about routes: that is `translate`, which is pure; and it
//! binds no socket but to ask whether one is free.
//!
//! ```text
//! Watch ──settled──► World: Resources, touched shards ──► Outbox ──► data plane
//! Names ──answer───►    │                                               │ Ack
//!                       └─► Answers: what to say, once it is served ◄───┘
//!                              ├─► Mailbox ──► status, events, EndpointSlices, the gateway's Service
//!                              └─► Picture ──► the terminal
//! ```
//!
//! **Invariant:** publishing never waits for a gateway, nor for a status; a status names a version that the gateway acknowledged.

mod answers;
mod gateway;
mod names;
mod outbox;
mod own;
mod picture;
mod prepare;
mod run;
mod sockets;
mod watch;
mod world;

pub use gateway::{Access, CONTROLLER, GATEWAY_ID, GATEWAY_NAME, GATEWAY_NAMESPACE, Given, Plan, Request, Taken, gateway};
pub use outbox::Outbox;
pub use picture::{GatewayPicture, Picture, SocketPicture};
pub use prepare::{FirstClass, PrepareError, prepare};
pub use run::{Ended, Options, run};
pub use sockets::SocketError;
