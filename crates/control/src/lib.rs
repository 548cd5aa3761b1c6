//! The control loop: watch → settle → translate → publish → acknowledged → status.
//!
//! The same code against the embedded API and a cluster's. It decides nothing about routes: that is `translate`, which is pure; and it
//! binds no socket but to ask whether one is free.
//!
//! ```text
//! Watch ──settled──► World: Resources, touched shards ──► Outbox ──► data plane
//! Names ──answer───►    │  └─listening─► Entrances: plans, sockets ──►┘ │ Ack
//!                       │                  └─► Keeper: Services, views   │
//!                       └─► Answers: what to say, once it is served ◄────┘
//!                              ├─► Mailbox ──► status, events, EndpointSlices, what gateways are seen as
//!                              └─► Picture ──► the terminal
//! ```
//!
//! Where gateways listen is decided by `gateways`, which is pure; `sockets` asks the machine what is in use; `entrances` remembers what was
//! given, `crew` knows a cluster's Nodes and which Pods run each gateway, and `keep` writes the objects that gateways are seen as: `services`,
//! `views` and `provision` say what is in them. `hosts` remembers where they were, `generated` shows the hosts that are made of that, and
//! `directory` tells the DNS server where all hosts lead.
//!
//! **Invariant:** publishing never waits for a gateway, nor for a status; a status names a version that the gateway acknowledged.

mod answers;
mod crew;
mod directory;
mod entrances;
mod first;
mod forwarding;
mod gateway;
mod gateways;
mod generated;
mod hosts;
mod keep;
mod link;
mod names;
mod outbox;
mod own;
mod picture;
mod plan;
mod prepare;
mod provision;
mod reference;
mod run;
mod services;
mod sockets;
mod stand_in;
mod views;
mod watch;
mod world;

pub use crew::Member;
pub use first::First;
pub use gateway::{
    CONTROLLER, GATEWAY_CONTROLLER, ISTIO_CONTROLLER, ISTIO_GATEWAY_CONTROLLER, ISTIO_NAME, ISTIO_NAMESPACE, naming, shared_gateway,
};
pub use gateways::{Gateways, Machine, Shape};
pub use hosts::{HostOptions, host_template};
pub use link::{Accounts, LinkAuthority, LinkError};
pub use outbox::Outbox;
pub use picture::{GatewayPicture, Picture, SocketPicture};
pub use plan::{Access, Plan, PlannedPort};
pub use prepare::{PrepareError, Prepared, prepare};
pub use provision::Pods;
pub use reference::conditions_markdown;
pub use run::{Ended, Options, run};
pub use sockets::SocketError;
pub use stand_in::{Asked, Node, Sample, Start, Started, runs_nothing, stand_in, stands_in};
pub use views::READ_ONLY;
