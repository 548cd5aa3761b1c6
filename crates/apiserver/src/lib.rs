//! The embedded API: enough of Kubernetes' API that `kubectl` and kube-rs work against it unchanged.
//!
//! It is *not* a cluster: nothing is scheduled, no controllers run but four: one empties what is deleted
//! with its contents, one deletes what has lost its owners, one gathers the rules of roles, one keeps ServiceAccounts. It knows the
//! kinds that [`table::rows`] names and those of CustomResourceDefinitions; the rest is Kubernetes' 404.
//!
//! ```text
//! TLS ─► serve ─► api ─┬─► read, watching ───────────────────────► store
//!   client certificate ├─► write ◄─ patch, apply ─► rules ────────► store
//!   or bearer token,   ├─► delete ─► lifecycle, garbage ─────────► store
//!   access, bearer,    ├─► people: logins, passwords, tokens ────► store
//!   rbac               └─► discovery, openapi, review
//! ```
//!
//! **Invariant:** no request is answered with success before the store has acknowledged it.
//! **Invariant:** nothing but logins, health and version is answered before [`access`] knows who asks and [`rbac`] that they may.
//! **Invariant:** whatever is not in the table is refused; nothing is accepted and ignored.

mod access;
mod accounts;
mod api;
mod apply;
mod audit;
mod bearer;
mod body;
mod builtin;
mod clock;
mod containers;
mod crd;
mod definitions;
mod delete;
mod discovery;
mod events;
mod failure;
mod follow;
mod format;
mod garbage;
mod impersonation;
mod kinds;
mod lifecycle;
mod listing;
mod names;
mod object;
mod openapi;
mod patch;
mod people;
mod pki;
mod print;
mod protobuf;
mod rbac;
mod read;
mod read_only;
mod reply;
mod request;
mod restore;
mod review;
mod rules;
mod scale;
mod selector;
mod serve;
mod start;
mod strategic;
pub mod table;
mod token;
mod watching;
mod write;

pub use access::Identity;
pub use audit::Audit;
pub use containers::no_containers;
pub use failure::Cause;
pub use patch::PatchType;
pub use people::first::{FirstLogin, OneTime};
pub use people::logins::{Login, LoginRefusal, Logins, Password};
pub use read_only::READ_ONLY;
pub use request::Verb;
pub use restore::Copies;
pub use start::{Admit, Options, Review, Running, StartError, Warn, start};
pub use table::reference_markdown;
