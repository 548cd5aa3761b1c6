//! Bare metal: which LoadBalancer address and which node ports belong to whom. Pure.
//!
//! It decides and does nothing: addresses are announced, and sockets bound, elsewhere. What is in use on the machine is an argument.
//!
//! ```text
//! Pool, Claims (who asks, what they have), taken ──► assign ──► Assignment (who has what) + Waiting (who has not, and why)
//! ```
//!
//! **Invariant:** what was given stays given while its claim, its pool and its freedom last; the answer does not depend on the order of
//! claims.

mod address;
mod node_port;

pub use address::{Assignment, Claim, Pool, PoolError, Range, Shortage, Waiting, assign};
pub use node_port::{NODE_PORTS, NodePortClaim, assign_node_ports};
