//! People, workspaces and projects, made into what RBAC understands.
//!
//! ```text
//! Users, Workspaces, Projects, namespaces, roles, bindings ─► World ─► plan (pure) ─► writes ─► the API ─┐
//!                                                               ▲                                       │
//!                                                               └──────────── watch ◄───────────────────┘
//! ```
//!
//! It is *not* where anything is allowed or refused: that is RBAC's, in a cluster as under `up`. It only writes roles and bindings, makes
//! namespaces that somebody may ask for, takes away what belonged to who is gone, and tells each user where they are a member.
//!
//! **Invariant:** `plan` of a world in which its writes have been done is empty: a restart writes nothing.
//! **Invariant:** nobody gets more by an object of theirs than they hold. Rights that a binding of somebody's leads to are given to the
//! same subjects only where that binding was made while the role had all its rules, so that RBAC itself has weighed it.
//! **Invariant:** a namespace that Paifang did not make for a Project is never taken for it, and never deleted with it.

pub mod catalogue;
pub mod names;
mod object;
mod plan;
mod run;
mod watch;
mod world;
mod write;

pub use object::{Kind, Object};
pub use plan::plan;
pub use run::run;
pub use world::{Key, World};
pub use write::{Chain, Write};
