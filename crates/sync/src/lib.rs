//! The link between control and gateways in pods of their own: the model on the wire.
//!
//! It carries what `control` publishes and what a data plane answers, so that neither knows how far away the other is. It is *not* where anything
//! is translated, compiled or served, and it has no Kubernetes client: who a gateway is, control asks its API server through [`Review`].
//!
//! ```text
//! control: Update ─► Hub: a Stock for each gateway ─► serve: Offer, by connection ══ TLS ══► follow: Intake ─► Update: a data plane
//!             Ack ◄─┴──────────────── joined ◄──────────────── acks, nacks ◄══════════════════════════┴─ Ack
//! ```
//!
//! A connection begins with all that there is, by name and digest; the gateway says what it lacks, and gets that. Then come changes, each
//! ended by a commit that is acknowledged when every worker serves it. Nothing is in force before its commit, and a connection that breaks
//! takes nothing away: a gateway serves on what it has.
//!
//! **Invariant:** a gateway gets its own shards, certificates and endpoints only, by the name in the certificate that control gave it.
//!
//! **Invariant:** what a gateway does not understand it closes and names; it never leaves it out.

mod carry;
mod entry;
mod follow;
mod framing;
mod hub;
mod identity;
mod intake;
mod offer;
mod serve;
mod stock;
mod wire;

pub(crate) use carry::closed_host;
pub use follow::{Authorities, Bootstrap, Dialed, Follower, LinkState, Options as FollowOptions, follow};
pub use framing::LinkError;
pub use hub::{Connected, Hub, container_port};
pub use identity::{AUDIENCE, Authority, Identity, IdentityError, SERVER_NAME};
pub use intake::Families;
pub use serve::{Review, Reviewed, serve, serve_stream};

/// What is spoken. Another number is refused: within one, fields and variants are added.
pub const PROTOCOL: u32 = 1;

#[cfg(test)]
mod tests;
