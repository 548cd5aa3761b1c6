//! The embedded API: enough of Kubernetes' API that `kubectl` and kube-rs work against it unchanged.
//!
//! It is *not* a cluster: nothing is scheduled, no controllers run but two: one empties what is deleted
//! with its contents, one deletes what has lost its owners. It knows the
//! kinds that [`table::rows`] names and those of CustomResourceDefinitions; the rest is Kubernetes' 404.
//!
//! ```text
//! TLS ─► serve ─► api ─┬─► read, watching ───────────────────────► store
//!   client certificate ├─► write ◄─ patch, apply ─► rules ────────► store
//!                      ├─► delete ─► lifecycle, garbage ─────────► store
//!                      └─► discovery, openapi, access
//! ```
//!
//! **Invariant:** no request is answered with success before the store has acknowledged it.
//! **Invariant:** whatever is not in the table is refused; nothing is accepted and ignored.

mod access;
mod api;
mod apply;
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
mod format;
mod garbage;
mod kinds;
mod lifecycle;
mod names;
mod object;
mod openapi;
mod patch;
mod pki;
mod print;
mod protobuf;
mod read;
mod read_only;
mod reply;
mod request;
mod rules;
mod scale;
mod selector;
mod serve;
mod start;
mod strategic;
pub mod table;
mod watching;
mod write;

pub use access::Identity;
pub use containers::no_containers;
pub use failure::Cause;
pub use patch::PatchType;
pub use read_only::READ_ONLY;
pub use request::Verb;
pub use start::{Admit, Options, Review, Running, StartError, Warn, start};
pub use table::reference_markdown;
